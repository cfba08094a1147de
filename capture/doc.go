// Package capture holds the nouns of hooktape and the pure functions that two
// of its stages must agree on: what an event, an attempt and an endpoint are,
// how they are named, written and asked for. It opens no file and no socket,
// starts no goroutine, and imports nothing of ours; everything else of ours
// imports it.
package capture
