package capture

import (
	"encoding/json"
	"fmt"
)

// Emission is an event as an application makes it, rather than a webhook that
// was caught. Its Data becomes the event's body, byte for byte.
type Emission struct {
	Type     string            `json:"event_type"`       // 1 to 128 printable characters
	Source   string            `json:"source,omitempty"` // who made it; up to 512 characters
	Data     json.RawMessage   `json:"data"`             // any JSON; absent: {}
	Metadata map[string]string `json:"metadata,omitempty"`
	// Key makes the emission count once: the same key within a day names the
	// event that was made of it before. Up to 255 characters.
	Key string `json:"idempotency_key,omitempty"`
}

// Emitted is what came of an Emission.
type Emitted struct {
	Event Event
	// Fresh is false where the idempotency key named an event that was there:
	// then nothing was done.
	Fresh bool
	// Deliveries are the pending attempts at registered endpoints.
	Deliveries []*Attempt
	// Filtered are the registered endpoints that subscribe to the event's type,
	// and to less than all of that type: what else they ask kept it away.
	Filtered int
}

// FieldError says which member of what a caller sent is wrong, and what it
// should be.
type FieldError struct {
	Field   string // a path: subscriptions[0].type
	Problem string
}

func (e *FieldError) Error() string { return fmt.Sprintf("%s: %s", e.Field, e.Problem) }

// ConflictError says that something is already there.
type ConflictError struct {
	Field string // that clashes, "" when it is not one
	With  string // id or slug of what is there
	What  string // a sentence
}

func (e *ConflictError) Error() string { return e.What }
