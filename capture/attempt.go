package capture

import (
	"encoding/json"
	"strings"
	"time"
	"unicode/utf8"
)

// Attempt is one try to deliver one event to one endpoint. It is kept when it
// becomes pending and again when it is finished; from then on it is a fact.
// All attempts of one event to one endpoint share a Delivery.
type Attempt struct {
	ID       ID     `json:"id" cbor:"1,keyasint"`
	Seq      uint64 `json:"seq,omitempty" cbor:"2,keyasint,omitempty"` // place in the store's sequence, given by Keep once finished
	Event    ID     `json:"event_id" cbor:"3,keyasint"`
	Endpoint ID     `json:"endpoint_id" cbor:"4,keyasint"`
	Delivery ID     `json:"delivery_id" cbor:"5,keyasint"`
	Number   int    `json:"number" cbor:"6,keyasint"` // from 1, within the delivery

	Status    AttemptStatus `json:"status" cbor:"7,keyasint"`
	NotBefore time.Time     `json:"not_before,omitzero" cbor:"8,keyasint,omitempty"`
	Method    string        `json:"method,omitempty" cbor:"19,keyasint,omitempty"` // as sent
	URL       string        `json:"url" cbor:"9,keyasint"`                         // sent to, whole; while pending, the endpoint's

	TriggeredBy   string `json:"triggered_by" cbor:"10,keyasint"`   // BySystem or ByUser
	TriggeredFrom string `json:"triggered_from" cbor:"11,keyasint"` // FromAutomation, FromManual, or the id of the attempt it, or its delivery, repeats

	Started  time.Time `json:"started_at,omitzero" cbor:"12,keyasint,omitempty"`
	Duration Duration  `json:"duration_ms" cbor:"13,keyasint,omitempty"`
	Timing   Timing    `json:"timing,omitzero" cbor:"14,keyasint,omitempty"`

	Code  int      `json:"response_status" cbor:"15,keyasint,omitempty"` // status of the response; 0 when none came, in JSON too
	Error *Failure `json:"error" cbor:"16,keyasint,omitempty"`

	App  string `json:"app,omitempty" cbor:"20,keyasint,omitempty"`        // the event's,
	Type string `json:"event_type,omitempty" cbor:"21,keyasint,omitempty"` // and its type

	// Final marks a failed attempt after which its delivery was given up.
	Final bool `json:"final,omitempty" cbor:"22,keyasint,omitempty"`

	// Answers says that the event's sender waited for this attempt, to be
	// answered as it was.
	Answers bool `json:"answers,omitempty" cbor:"23,keyasint,omitempty"`

	// As is what it was sent as, where a user asked; see As.
	As As `json:"as,omitempty" cbor:"24,keyasint,omitempty"`
	// Rule is the rule that answered in the app's place, or replaced what the
	// app answered.
	Rule ID `json:"rule_id,omitempty" cbor:"25,keyasint,omitempty"`

	// Request and Response are what went over the wire. Lists leave them
	// out; Source.Attempt has them.
	Request  *Request  `json:"request,omitempty" cbor:"17,keyasint,omitempty"`
	Response *Response `json:"response,omitempty" cbor:"18,keyasint,omitempty"`
}

// Replays reports whether somebody asked for the event to be sent again, by the
// attempt itself or by the delivery that it is one of.
func (a *Attempt) Replays() bool {
	return a.TriggeredBy == ByUser || a.TriggeredFrom == FromManual || strings.HasPrefix(a.TriggeredFrom, AttemptID)
}

// AttemptStatus is how far an attempt has come.
type AttemptStatus string

// The statuses of attempts. Skipped ones were given up before they were sent.
const (
	AttemptPending   AttemptStatus = "pending"
	AttemptSucceeded AttemptStatus = "succeeded" // a 2xx came back
	AttemptFailed    AttemptStatus = "failed"
	AttemptSkipped   AttemptStatus = "skipped"
)

// Who asked for an attempt, and from where.
const (
	BySystem       = "system"
	ByUser         = "user"
	FromAutomation = "automation"
	FromManual     = "manual"
)

// Timing splits an attempt's duration. A part that did not happen (a reused
// connection needs no dial) is zero.
type Timing struct {
	DNS       Duration `json:"dns_ms" cbor:"1,keyasint,omitempty"`
	Connect   Duration `json:"connect_ms" cbor:"2,keyasint,omitempty"`
	TLS       Duration `json:"tls_ms" cbor:"3,keyasint,omitempty"`
	FirstByte Duration `json:"first_byte_ms" cbor:"4,keyasint,omitempty"` // request written to first byte of the response
}

// Failure is why an attempt failed.
type Failure struct {
	Class   string `json:"class" cbor:"1,keyasint"` // one of the classes below
	Message string `json:"message" cbor:"2,keyasint"`
}

// Classes of failures.
const (
	FailDNS      = "dns"
	FailRefused  = "refused"
	FailTLS      = "tls"
	FailTimeout  = "timeout"
	FailReset    = "reset"
	FailProtocol = "protocol" // the answer is not HTTP, or the request cannot be sent as it is
	FailOffline  = "offline"  // no route, or no listener
	FailStatus   = "status"   // an answer came, and it was not a 2xx
	FailDamaged  = "damaged"  // the event's body no longer matches its digest; nothing was sent
	FailBlocked  = "blocked"  // the address is one that endpoints may not reach
	// Of skipped attempts:
	FailDeleted   = "deleted"   // the endpoint was deleted before
	FailOvertaken = "overtaken" // a user had the event delivered before
)

// MostKept is how many bytes of a Request's Made, and of a Response's Body, are
// kept.
const MostKept = 1 << 20

// Request is an HTTP/1.1 request as it goes over the wire.
type Request struct {
	Method  string  `json:"method" cbor:"1,keyasint"`
	Target  Raw     `json:"target" cbor:"2,keyasint"`
	Headers Headers `json:"headers" cbor:"3,keyasint"`
	Body    []byte  `json:"-" cbor:"-"`
	// Made is Body where that is not the event's own: an envelope around it.
	// What is over MostKept is left out.
	Made Raw `json:"body,omitempty" cbor:"4,keyasint,omitempty"`
	// Around is what stands before and after the event's own body in Made,
	// where that is all it takes. It is kept in place of Made.
	Around *[2]Raw `json:"-" cbor:"5,keyasint,omitempty"`
}

// Response is what came back. Its JSON form has the body as "body" when that
// is valid UTF-8, else as "body_base64".
type Response struct {
	Status    int     `json:"status" cbor:"1,keyasint"`
	Proto     string  `json:"protocol" cbor:"2,keyasint"`
	Headers   Headers `json:"headers" cbor:"3,keyasint"`
	Body      []byte  `json:"-" cbor:"4,keyasint"`                                  // at most MostKept
	Truncated bool    `json:"body_truncated,omitempty" cbor:"5,keyasint,omitempty"` // Body is the beginning of a longer one
	// Rest is what follows Body of a truncated one, where somebody waits for
	// all of it. It is not kept.
	Rest []byte `json:"-" cbor:"-"`
}

type plainResponse Response

type responseJSON struct {
	*plainResponse
	Body   *string `json:"body,omitempty"`
	Base64 []byte  `json:"body_base64,omitempty"`
}

// MarshalJSON implements json.Marshaler.
func (r Response) MarshalJSON() ([]byte, error) {
	out := responseJSON{plainResponse: (*plainResponse)(&r)}
	if text := string(r.Body); utf8.ValidString(text) {
		out.Body = &text
	} else {
		out.Base64 = r.Body
	}
	return json.Marshal(out)
}

// UnmarshalJSON implements json.Unmarshaler.
func (r *Response) UnmarshalJSON(b []byte) error {
	in := responseJSON{plainResponse: (*plainResponse)(r)}
	if err := json.Unmarshal(b, &in); err != nil {
		return err
	}
	if r.Body = in.Base64; in.Body != nil {
		r.Body = []byte(*in.Body)
	}
	return nil
}
