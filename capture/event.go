package capture

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Event is one webhook, exactly as it arrived or was made. It is a fact and
// never changes once kept; its body is kept beside it (Source.Body).
//
// JSON is the record format of the commands and the native API; CBOR, by the
// small integers, is the store's.
type Event struct {
	ID  ID     `json:"id" cbor:"1,keyasint"`
	Seq uint64 `json:"seq" cbor:"-"` // place in the store's one sequence; given by Keep

	App    string `json:"app" cbor:"2,keyasint"`
	Type   string `json:"event_type" cbor:"3,keyasint,omitempty"`
	Source string `json:"source,omitempty" cbor:"4,keyasint,omitempty"`
	Origin Origin `json:"origin" cbor:"5,keyasint"`
	Parent ID     `json:"parent_id" cbor:"6,keyasint,omitempty"` // the event this is a copy or edit of

	Received time.Time `json:"received_at" cbor:"7,keyasint"`
	Remote   string    `json:"remote_addr,omitempty" cbor:"8,keyasint,omitempty"`

	Method   string  `json:"method" cbor:"9,keyasint"`
	Target   Raw     `json:"target" cbor:"10,keyasint"` // raw request target: path and query, untouched
	Proto    string  `json:"protocol" cbor:"11,keyasint"`
	Headers  Headers `json:"headers" cbor:"12,keyasint"`
	Trailers Headers `json:"trailers,omitempty" cbor:"13,keyasint,omitempty"`
	// Parsed says that the head was not seen on the wire (HTTP/2 sends no
	// lines): names are in net/http's case and order among names is lost.
	Parsed bool `json:"head_parsed,omitempty" cbor:"14,keyasint,omitempty"`

	Size   int64  `json:"size" cbor:"15,keyasint"` // bytes of the body
	SHA256 Digest `json:"sha256" cbor:"16,keyasint"`

	Provider   string    `json:"provider" cbor:"17,keyasint,omitempty"`
	ProviderID string    `json:"provider_delivery_id,omitempty" cbor:"18,keyasint,omitempty"`
	Signature  Signature `json:"signature" cbor:"19,keyasint"`

	// Refused is set on the stub kept of a request that went over a limit.
	// A stub has no body and is never delivered.
	Refused *Refusal `json:"refused,omitempty" cbor:"20,keyasint,omitempty"`

	Metadata map[string]string `json:"metadata,omitempty" cbor:"21,keyasint,omitempty"`

	// Claimed is the listener that the event is for, and no other. "": for
	// all of the app's that claim nothing.
	Claimed ID `json:"claimed_by,omitempty" cbor:"22,keyasint,omitempty"`

	// Sealed says that the request as it came is encrypted in the body
	// (capture/seal), and that the other fields tell nothing of it. The stub
	// of a refused one tells nothing either. It is never delivered.
	Sealed bool `json:"sealed,omitempty" cbor:"23,keyasint,omitempty"`
	// URL is where it was sent to, whole, as its sender calls it: what some
	// sign. "" where nobody knows.
	URL Address `json:"url,omitempty" cbor:"25,keyasint,omitempty"`
	// Trigger is the one whose firing this is: it goes to the trigger's target
	// alone, and its body is what that is sent. "": none.
	Trigger ID `json:"trigger_id,omitempty" cbor:"26,keyasint,omitempty"`
	// Opened says that it came sealed, and is here as it was before.
	Opened bool `json:"opened,omitempty" cbor:"24,keyasint,omitempty"`
	// Conforms is how it compares with the event types of its app; nil: the app
	// does not ask, or has none.
	Conforms *Conformity `json:"conforms,omitempty" cbor:"27,keyasint,omitempty"`
}

// DefaultApp is the app of events whose path names none.
const DefaultApp = "default"

// Origin says how an event came to be.
type Origin string

// The origins of events.
const (
	Ingress     Origin = "ingress" // it arrived
	FromTrigger Origin = "trigger" // made by an application, or fired by id
	FromSample  Origin = "sample"  // made from a catalog entry
	FromReplay  Origin = "replay"  // an edited copy of its Parent
	Imported    Origin = "import"  // read from a file
)

// Refusal is why a request was answered with an error instead of being kept.
type Refusal struct {
	Status int    `json:"status" cbor:"1,keyasint"` // what the sender was answered: 400, 408, 413, 431 or 503
	Limit  string `json:"limit" cbor:"2,keyasint"`  // "body", "header", "time", "incomplete", "busy" or "protocol"
	Max    int64  `json:"max" cbor:"3,keyasint"`    // the limit: bytes, or milliseconds for "time"
	Got    int64  `json:"got" cbor:"4,keyasint"`    // bytes seen or announced, whichever is more
}

// String says why, for people: "413: over the body limit of 100, 2000 came".
func (r *Refusal) String() string {
	switch r.Limit {
	case "protocol":
		return fmt.Sprintf("%d: it breaks the protocol", r.Status)
	case "incomplete":
		return fmt.Sprintf("%d: the body ended after %d bytes", r.Status, r.Got)
	case "time":
		return fmt.Sprintf("%d: too slow, %d bytes came within %d ms", r.Status, r.Got, r.Max)
	}
	return fmt.Sprintf("%d: over the %s limit of %d, %d came", r.Status, r.Limit, r.Max, r.Got)
}

// Path is the target up to the query.
func (e *Event) Path() string {
	path, _, _ := strings.Cut(string(e.Target), "?")
	return path
}

// RawQuery is what follows the target's first question mark, or "".
func (e *Event) RawQuery() string {
	_, query, _ := strings.Cut(string(e.Target), "?")
	return query
}

// Row is an event together with what may change about it: what lists show.
// Its JSON form is the event's, with these members added.
type Row struct {
	Event
	Pinned  bool    `json:"pinned,omitempty"`
	Outcome Outcome `json:"outcome"`
}

// Outcome is what has become of an event so far, folded from its attempts.
// The zero Outcome is that of an event nobody asked to have delivered.
type Outcome struct {
	State    State     `json:"state" cbor:"1,keyasint"`
	Tries    int       `json:"tries" cbor:"2,keyasint"`                               // finished attempts
	Status   int       `json:"response_status,omitempty" cbor:"3,keyasint,omitempty"` // of the newest finished attempt; 0 when none answered
	Duration Duration  `json:"duration_ms,omitempty" cbor:"4,keyasint,omitempty"`     // of the newest finished attempt
	Error    string    `json:"error_class,omitempty" cbor:"5,keyasint,omitempty"`     // of the newest finished attempt
	Next     time.Time `json:"next_at,omitzero" cbor:"6,keyasint,omitempty"`          // when the earliest pending attempt is due
}

// State is one word for an Outcome.
type State string

// The states of an event. An event with several deliveries is Pending while
// one is, else Failed if the newest attempt of any failed, else OK.
const (
	Captured State = ""        // kept, nothing to deliver
	Pending  State = "pending" // an attempt waits for its time, none has been made yet
	Retrying State = "retry"   // an attempt failed and another waits
	OK       State = "ok"
	Failed   State = "failed"
	Rejected State = "refused" // the stub of a refused request
)

// Errors that readers of a Source can test for with errors.Is.
var (
	// ErrNotFound is returned for an id that is not in the store.
	ErrNotFound = errors.New("not found")
	// ErrDamaged is returned for a body whose bytes no longer match the
	// length and SHA-256 kept with the event.
	ErrDamaged = errors.New("body damaged on disk")
	// ErrFull is returned by Keep while the disk is too full to keep safely.
	ErrFull = errors.New("disk nearly full")
	// ErrUnavailable is returned by Keep after the disk failed a sync, and
	// once the store is closing.
	ErrUnavailable = errors.New("store unavailable")
	// ErrPinned is returned for the removal of a pinned event.
	ErrPinned = errors.New("pinned")
	// ErrNoTarget is returned when nothing says where to send an event to.
	ErrNoTarget = errors.New("no target to send to")
	// ErrBadTarget is returned for a target that cannot be read.
	ErrBadTarget = errors.New("not a target")
	// ErrDisabled is returned for what a disabled endpoint or an inactive app
	// cannot do.
	ErrDisabled = errors.New("disabled")
	// ErrUnwanted is returned for what an endpoint does not subscribe to.
	ErrUnwanted = errors.New("not subscribed to")
	// ErrRefused is returned for sending the stub of a refused request.
	ErrRefused = errors.New("refused when it came, so there is nothing to send")
	// ErrSealed is returned for what would have to read a sealed event, or to
	// keep one of a sealed app that is not.
	ErrSealed = errors.New("sealed, so that nobody reads it here")
)
