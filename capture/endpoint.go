package capture

import "time"

// Endpoint is where events go.
type Endpoint struct {
	ID      ID        `json:"id" cbor:"1,keyasint"`
	App     string    `json:"app" cbor:"2,keyasint"`
	URL     string    `json:"url" cbor:"3,keyasint"` // http, https, or unix:///path/to.sock[:/http/path]
	Created time.Time `json:"created_at" cbor:"4,keyasint"`
	// Listener marks a target of `hooktape listen`. It is found again by its
	// URL, and what is pending for it waits until it listens again.
	Listener bool `json:"listener,omitempty" cbor:"6,keyasint,omitempty"`
	// Filter is a predicate (capture/match): which events go here. Empty: all.
	Filter string `json:"filter,omitempty" cbor:"5,keyasint,omitempty"`
}
