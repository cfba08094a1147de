// Package tunnel joins listeners to their relay. A Hub is the relay's end: it
// has the events of an app, in the order they were kept, for whoever listens.
// A Listener is the other end: it keeps what comes in its own store, with the
// pending attempts that follow, and says how far it has come. Nothing is lost
// between the two: the relay has kept an event before its sender was answered,
// and goes on where the listener's disk stopped.
//
// On the wire it is a websocket (RFC 6455). Binary messages that begin with a 0
// carry HTTP/2 (RFC 9113), in which the listener is the client, and those that
// begin with a 1 each a frame of the relay's: an event and little else. Everything
// but frames is a plain request of the listener's:
//
//	POST /log                listen: from then on frames come
//	POST /probe              have a frame sent
//	POST /ack                say up to where events are on disk
//	GET  /events/{id}/body   a body too large for a frame
//	POST /answers/{id}       what the app answered to an event whose sender waits
//	POST /attempts           what became of events
//
// Pings and pongs are the websocket's. Who only wants to know whether all that
// would work has a Probe: a websocket of a protocol of its own, on which the
// relay says who it is and answers pings. Neither end trusts the other: the relay
// chooses no address, and a listener sees and changes what is its app's.
package tunnel

import "time"

// protocol is the websocket subprotocol: the version both ends must share.
// What is unknown in a frame or a message is skipped, so that one version
// lasts.
const protocol = "hooktape.1"

// Beat is how often each end proves that it is alive, by default. Who has
// heard nothing for two beats gives the connection up.
const Beat = 10 * time.Second

// Bounds of what is read from the other end.
const (
	mostMessage = 64 << 10  // bytes of a websocket message
	mostHead    = 1 << 20   // of a frame's head: an event's headers are bounded when it is caught
	MostInline  = 64 << 10  // of a body in a frame; a larger one travels apart
	mostBody    = 256 << 20 // of any body
	mostJSON    = 1 << 20   // of a request to the relay
	mostAnswer  = 26 << 20  // of an answer
)
