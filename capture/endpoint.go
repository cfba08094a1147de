package capture

import (
	"encoding/json"
	"strings"
	"time"
)

// Endpoint is where events go. There are four kinds: registered ones, which
// have a Status and get the events they subscribe to; those of a listener;
// URLs that somebody once sent an event to by hand, which get nothing unasked;
// and what stands for the targets of triggers.
type Endpoint struct {
	ID      ID        `json:"id" cbor:"1,keyasint"`
	App     string    `json:"app" cbor:"2,keyasint"` // "" in a listener's: every app
	Created time.Time `json:"created_at" cbor:"4,keyasint"`
	// Listener marks a target of `hooktape listen`. It is found again by its
	// URL, and what is pending for it waits until it listens again.
	Listener bool `json:"listener,omitempty" cbor:"6,keyasint,omitempty"`

	// Of is the listener, of a relay, whose target this is: it is reached
	// through the listener's tunnel and in no other way. "": one of this
	// process's own.
	Of ID `json:"of,omitempty" cbor:"29,keyasint,omitempty"`

	EndpointSpec

	Status EndpointStatus `json:"status,omitempty" cbor:"11,keyasint,omitempty"` // "": not registered
	// Who disabled or deleted it, why and since when.
	DisabledBy string    `json:"disabled_by,omitempty" cbor:"12,keyasint,omitempty"` // BySystem or ByUser
	DisabledAs string    `json:"disabled_reason,omitempty" cbor:"13,keyasint,omitempty"`
	DisabledAt time.Time `json:"disabled_at,omitzero" cbor:"14,keyasint,omitempty"`

	// Secret signs what this endpoint is sent, beside its app's.
	Secret Keyring `json:"secret" cbor:"15,keyasint,omitempty"`

	Updated   time.Time `json:"updated_at,omitzero" cbor:"16,keyasint,omitempty"`
	CreatedBy string    `json:"created_by,omitempty" cbor:"17,keyasint,omitempty"`
	UpdatedBy string    `json:"updated_by,omitempty" cbor:"18,keyasint,omitempty"`
}

// Trigger reports whether the endpoint is what stands for a trigger's target,
// which firings go to.
func (e *Endpoint) Trigger() bool { return e.Status == "" && strings.HasPrefix(e.URL, TriggerScheme) }

// EndpointSpec is what an endpoint's owner decides.
type EndpointSpec struct {
	URL         string `json:"url" cbor:"3,keyasint"` // http, https, or a listener's unix:///path/to.sock[:/http/path]
	Description string `json:"description,omitempty" cbor:"20,keyasint,omitempty"`
	// Filter is a predicate (capture/match) that every event must match,
	// whatever the subscriptions say. Empty: all do.
	Filter string `json:"filter,omitempty" cbor:"5,keyasint,omitempty"`
	// Subscriptions choose events: one that matches is enough. None: all.
	Subscriptions []Subscription    `json:"subscriptions,omitempty" cbor:"21,keyasint,omitempty"`
	Headers       map[string]string `json:"headers,omitempty" cbor:"22,keyasint,omitempty"`  // sent with every attempt, in place of others of that name
	Metadata      json.RawMessage   `json:"metadata,omitempty" cbor:"23,keyasint,omitempty"` // an object of the owner's, up to 16 KiB
	Format        Format            `json:"format,omitempty" cbor:"24,keyasint,omitempty"`
	Timeout       Duration          `json:"timeout_ms,omitempty" cbor:"25,keyasint,omitempty"`  // of an attempt; 0: 15 s
	Concurrency   int               `json:"concurrency,omitempty" cbor:"26,keyasint,omitempty"` // attempts under way at a time; 0: 1, in order
	RateLimit     *RateLimit        `json:"rate_limit,omitempty" cbor:"27,keyasint,omitempty"`  // nil: none
	Retry         *RetryPolicy      `json:"retry,omitempty" cbor:"28,keyasint,omitempty"`       // nil: the default schedule
}

// EndpointSetup is what an endpoint is made of, and what a patch of it may name.
type EndpointSetup struct {
	EndpointSpec
	Status EndpointStatus `json:"status,omitempty"` // enabled or disabled; absent in a new one: enabled
	Reason string         `json:"disabled_reason,omitempty"`
}

// EndpointStatus is whether a registered endpoint gets events.
type EndpointStatus string

// The statuses of registered endpoints. A disabled one gets no new events and
// keeps its pending attempts until it is enabled again; those of a deleted one
// are skipped, and its history stays.
const (
	EndpointEnabled  EndpointStatus = "enabled"
	EndpointDisabled EndpointStatus = "disabled"
	EndpointDeleted  EndpointStatus = "deleted"
)

// Format is how an event is put into a request.
type Format string

// The formats. Auto is Standard for what an application made (FromTrigger), and
// Raw for what was caught or is a copy of that.
const (
	FormatAuto     Format = ""
	FormatRaw      Format = "raw"      // the request as it was caught
	FormatStandard Format = "standard" // Standard Webhooks 1.0.0: {type, timestamp, data}, signed
	FormatBlocklet Format = "blocklet" // the data with $eventName and $sender, X-Webhook-Signature
	FormatARK      Format = "ark"      // {timestamp, data, event}, half the secret as Authorization
	FormatWacht    Format = "wacht"    // Standard Webhooks, by the delivery's id
)

// Formats are the names of all formats.
var Formats = []Format{FormatRaw, FormatStandard, FormatBlocklet, FormatARK, FormatWacht}

// RateLimit bounds how many attempts are begun within any span of Per. What
// is over it waits for its turn.
type RateLimit struct {
	Max int      `json:"max" cbor:"1,keyasint"`
	Per Duration `json:"per_ms" cbor:"2,keyasint"` // 0: 1 s
}

// Subscription says which events an endpoint gets. All that is set must hold.
type Subscription struct {
	// Type of the event; * stands for any text. Empty: any.
	Type   string `json:"type,omitempty" cbor:"1,keyasint,omitempty"`
	Source string `json:"source,omitempty" cbor:"2,keyasint,omitempty"` // likewise
	// Exact takes Type and Source literally.
	Exact  bool   `json:"exact,omitempty" cbor:"3,keyasint,omitempty"`
	Filter string `json:"filter,omitempty" cbor:"4,keyasint,omitempty"` // a predicate (capture/match)
	// Conditions are ARK's rows: one that holds is enough, and one that
	// cannot be evaluated before that stops the event.
	Conditions []Condition `json:"conditions,omitempty" cbor:"5,keyasint,omitempty"`
	// Rules are Wacht's filter rules, an object of paths and operators.
	Rules json.RawMessage `json:"filter_rules,omitempty" cbor:"6,keyasint,omitempty"`
}

// Condition is a row of ARK's webhooks.
type Condition struct {
	Key       string          `json:"key" cbor:"1,keyasint"`
	Condition string          `json:"condition" cbor:"2,keyasint"`                 // eq, ne, contains, gt, …
	Value     json.RawMessage `json:"value,omitempty" cbor:"3,keyasint,omitempty"` // absent and null differ
}

// Health is what became of an endpoint's attempts, folded as they are kept.
type Health struct {
	Pending      int64     `json:"pending" cbor:"1,keyasint,omitempty"`
	Succeeded    int64     `json:"succeeded" cbor:"2,keyasint,omitempty"`
	Failed       int64     `json:"failed" cbor:"3,keyasint,omitempty"`
	InARow       int       `json:"consecutive_failures" cbor:"4,keyasint,omitempty"` // failed attempts since the last that succeeded
	Exhausted    int       `json:"exhausted" cbor:"5,keyasint,omitempty"`            // deliveries given up since then
	DayExhausted int       `json:"day_exhausted" cbor:"12,keyasint,omitempty"`       // deliveries given up since DaySince
	DaySince     time.Time `json:"day_since,omitzero" cbor:"6,keyasint,omitempty"`   // when the first was, of those within 24 hours
	LastSuccess  time.Time `json:"last_success_at,omitzero" cbor:"7,keyasint,omitempty"`
	LastFailure  time.Time `json:"last_failure_at,omitzero" cbor:"8,keyasint,omitempty"`
	LastCode     int       `json:"last_response_status,omitempty" cbor:"9,keyasint,omitempty"`
	LastError    string    `json:"last_error,omitempty" cbor:"10,keyasint,omitempty"` // of the newest attempt: class and message
	LastTook     Duration  `json:"last_duration_ms,omitempty" cbor:"11,keyasint,omitempty"`
}

// Fold counts a finished attempt; Pending is not touched. Skipped ones were
// never sent, and those a user asked for say nothing about what is given up.
func (h *Health) Fold(a *Attempt) {
	if a.Status == AttemptSkipped || a.Status == AttemptPending {
		return
	}
	at := a.Started.Add(time.Duration(a.Duration))
	h.LastCode, h.LastTook, h.LastError = a.Code, a.Duration, ""
	if a.Status == AttemptSucceeded {
		h.Succeeded++
		h.InARow, h.Exhausted, h.LastSuccess = 0, 0, at
		return
	}
	h.Failed++
	h.InARow++
	h.LastFailure = at
	if a.Error != nil {
		h.LastError = a.Error.Class + ": " + a.Error.Message
	}
	if !a.Final || a.TriggeredBy == ByUser {
		return
	}
	h.Exhausted++
	if at.Sub(h.DaySince) >= 24*time.Hour {
		h.DayExhausted, h.DaySince = 0, at
	}
	h.DayExhausted++
}

// Forgive forgets failures, as for an endpoint that is enabled again.
func (h *Health) Forgive() {
	h.InARow, h.Exhausted, h.DayExhausted, h.DaySince = 0, 0, 0, time.Time{}
}

// EndpointRow is an endpoint with its health: what lists show.
type EndpointRow struct {
	Endpoint
	Health Health `json:"health"`
}

// EndpointQuery asks for endpoints, oldest first.
type EndpointQuery struct {
	App    string         // only this app's
	Status EndpointStatus // only these; "": all but deleted ones and those sent to by hand
	Cursor ID             // the endpoint the window begins behind
	Limit  int            // 0: 50
}

// Explanation says whether an endpoint gets an event, and why not.
type Explanation struct {
	Endpoint ID             `json:"endpoint_id"`
	App      string         `json:"app"`
	URL      string         `json:"url"`
	Status   EndpointStatus `json:"status"`
	Matches  bool           `json:"matches"`
	Why      []string       `json:"why,omitempty"` // what keeps it away; none when it matches
}
