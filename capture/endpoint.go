package capture

import "time"

// Endpoint is where events go. A target of `hooktape listen` is an endpoint
// too: it is found again by its URL, so that what was pending for it goes on
// when it listens again.
type Endpoint struct {
	ID      ID        `json:"id" cbor:"1,keyasint"`
	App     string    `json:"app" cbor:"2,keyasint"`
	URL     string    `json:"url" cbor:"3,keyasint"` // http, https, or unix:///path/to.sock[:/http/path]
	Created time.Time `json:"created_at" cbor:"4,keyasint"`
	// Filter is a predicate (capture/match): which events go here. Empty: all.
	Filter string `json:"filter,omitempty" cbor:"5,keyasint,omitempty"`
}
