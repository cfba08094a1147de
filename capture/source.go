package capture

import "time"

// Query asks a Source for a window of events.
type Query struct {
	Filter string // a predicate (capture/match); empty matches all
	App    string // only this app's; empty: every app's

	// Cursor is the Seq of the event the window begins behind: older ones,
	// or newer ones when Ascending. 0 begins at the newest (Ascending: the
	// oldest).
	Cursor    uint64
	Ascending bool

	Limit int // rows at most; 0: 50
	// Scan bounds the events looked at to fill the window; 0: no bound. A
	// window that stops there is short and its Next says where to go on.
	Scan int
}

// Page is a window of events, in the order asked for.
type Page struct {
	Rows []Row
	// Next is the Cursor of the window that follows, 0 when there is none.
	Next uint64
}

// AttemptQuery asks a Source for attempts, newest first.
type AttemptQuery struct {
	App      string        // only of this app's events
	Event    ID            // only this event's
	Endpoint ID            // only this endpoint's
	Status   AttemptStatus // only these
	Cursor   ID            // the attempt the window begins behind; "": the newest
	// ByDue asks for pending attempts in the order they are due, the next
	// first; Cursor does not count.
	ByDue bool
	Limit int // 0: 50
}

// Queue is an endpoint at which something pending may be due. Puts grows when
// more is put there.
type Queue struct {
	Endpoint ID
	Puts     uint64
}

// Counts are totals that a Source knows without reading its events.
type Counts struct {
	Events  int64  `json:"events"`
	Pending int64  `json:"pending"` // attempts
	Seq     uint64 `json:"seq"`     // the newest place in the sequence
}

// Resend asks for one event to be sent again: a new pending attempt, made by
// a user and tried once.
type Resend struct {
	// Fresh makes a delivery of its own, to be tried again as any is, where
	// the endpoint gets events and still wants this one: else it is
	// ErrDisabled or ErrUnwanted.
	Fresh    bool   `json:"fresh,omitempty"`
	To       string `json:"to,omitempty"`          // URL; empty: every endpoint it would be delivered to
	Endpoint ID     `json:"endpoint_id,omitempty"` // this one alone, whatever its status
	Attempt  ID     `json:"attempt,omitempty"`     // the attempt that this one retries
	As       As     `json:"as,omitempty"`
}

// Change is what one Keep puts on disk together or not at all. Keep gives
// the event its Seq, and its SHA256 if it has none, and each finished attempt
// its own Seq.
type Change struct {
	Event    *Event     // new
	Body     []byte     // of Event
	Attempts []*Attempt // pending: new ones; finished: replacing the pending of the same ID
	// Key makes the event count once in its app: where one was kept with the
	// same key within the last 24 hours, that is Event's ID afterwards, and
	// nothing is kept.
	Key string
	Gap *Gap // found; given its Seq

	// Then are changes that follow from this one: they are kept with it, in
	// the same transaction. They have no Key, and no Then of their own.
	Then []*Change

	// Known is set by Keep where the event was kept before: then nothing of
	// the change is new.
	Known bool
}

// Whole is an event with its body, or why it cannot be read.
type Whole struct {
	Event Event
	Body  []byte
	Err   error // ErrNotFound or ErrDamaged, wrapped
}

// Fact is one entry of the store's sequence: an event that was kept, an
// attempt that was finished, or a gap that was found.
type Fact struct {
	Seq     uint64
	Event   *Event   // either this
	Attempt *Attempt // or this
	Gap     *Gap     // or this
}

// Record is a line of NDJSON as the commands print it and the live stream
// sends it. Of the members behind Time those are set that its Type names.
type Record struct {
	Schema  int       `json:"schema"` // 1
	Type    string    `json:"type"`   // ready, event, attempt, gap, disconnected, reconnected or error; changed for who asks for nothing else
	Time    time.Time `json:"time"`
	*Ready            // of type ready
	Event   *Event    `json:"event,omitempty"`
	Attempt *Attempt  `json:"attempt,omitempty"`
	Gap     *Gap      `json:"gap,omitempty"`
	Link    *Link     `json:"link,omitempty"` // of disconnected, reconnected and notice
	Error   *Failure  `json:"error,omitempty"`
}

// Ready is where to send webhooks, where to manage them, where they are kept
// and to whom they are forwarded.
type Ready struct {
	Ingest  string   `json:"ingest"`
	API     string   `json:"api"`
	Store   string   `json:"store"`
	Targets []string `json:"targets"`
	// Relay is the base URL of the relay that Ingest leads to, and Listener
	// who listens there. "" where webhooks come to this process itself.
	Relay    string `json:"relay,omitempty"`
	Listener ID     `json:"listener_id,omitempty"`
	// Token lets its bearer manage a relay. It is in the ready record of a
	// relay's first start, and never again.
	Token string `json:"token,omitempty"`
}

// NewRecord is the record of a fact, or of nothing but the fields the caller
// sets afterwards.
func NewRecord(kind string) Record {
	return Record{Schema: 1, Type: kind, Time: time.Now().UTC()}
}

// Record is the fact's line: what lists show of it.
func (f Fact) Record() Record {
	if f.Event != nil {
		r := NewRecord("event")
		r.Event = f.Event
		return r
	}
	if f.Gap != nil {
		r := NewRecord("gap")
		r.Gap = f.Gap
		return r
	}
	r, brief := NewRecord("attempt"), *f.Attempt
	brief.Request, brief.Response = nil, nil
	r.Attempt = &brief
	return r
}
