// Package tui is hooktape's terminal interface: events as they come in, each
// with its body, headers, response and attempts, and the keys to send them
// again. It is a reader of a Source like any other and holds no facts, only
// what is being looked at and how.
//
// The root routes messages; a screen is a file; keys and themes are tables.
// Screens read in commands and are told of change by a notice that carries
// nothing, at most twenty times a second. Whatever came from outside goes
// through capture/safe before it is drawn.
package tui
