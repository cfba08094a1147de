// Package rules chooses which rule applies to an event, and does what it says:
// it answers a provider on the ingest side, and in an app's place on the
// delivery side.
//
// Of the rules of a side that are for the event's app or for all, that are not
// disabled and whose predicate matches, the first applies that is not spent,
// whose scenario is in its state, and that probability lets. It is counted,
// its scenario goes on, and no other is asked. One that passes does all this
// and leaves the event to what would have become of it anyway.
//
// A predicate is asked about an event as it is at that moment: on the ingest
// side it has no outcome yet, and on the delivery side one of the tries that
// were finished before, without their answers, so that try:<2 are the first two.
// Durations in since: and before: count back from when the rules were put.
//
// # On the wire
//
// What a sender sees of a fault over HTTP/1: of a timeout nothing, until the
// connection is closed; of a drip a status and headers, and a body that comes a
// byte at a time; of a reset a TCP RST; of an empty one an orderly close; of a
// malformed one a line that is not HTTP, and a close; of a length one a body
// that ends early, and a close; of a status its answer. Over HTTP/2 reset,
// empty, malformed and timeout end the stream with an error (RST_STREAM), and
// leave the connection to the others on it.
//
// # In an attempt
//
// What an attempt says of a fault or a mock is what it would say if that had
// come over the wire: a mock of 500 is a failure with the class "status", and
// what ends early or empty one of the class "reset". Only a timeout is always
// one of the class "timeout", also where it was shorter than the sender would
// have waited.
package rules
