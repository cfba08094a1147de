package capture

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Listener is a `hooktape listen` on somebody's machine, as its relay knows
// it. The events of its app go to it in the order they were kept, and wait at
// the relay while it is away.
type Listener struct {
	ID   ID     `json:"id" cbor:"1,keyasint"` // chosen by the listener when it first came
	App  string `json:"app" cbor:"2,keyasint"`
	Name string `json:"name" cbor:"3,keyasint"` // who and where: ada@laptop
	// Only is a predicate (capture/match): the events it lets through are for
	// this listener alone. "": it gets what nobody claims.
	Only string `json:"only,omitempty" cbor:"4,keyasint,omitempty"`
	// Cursor is a place in the relay's sequence: all up to there is on the
	// listener's disk.
	Cursor  uint64    `json:"cursor" cbor:"5,keyasint"`
	Token   ID        `json:"token_id,omitempty" cbor:"6,keyasint,omitempty"` // that it came with last; "": the relay's own
	Version string    `json:"version" cbor:"7,keyasint"`
	Created time.Time `json:"created_at" cbor:"8,keyasint"`
	Seen    time.Time `json:"seen_at" cbor:"9,keyasint"` // when it was last connected
}

// ListenerRow is a listener with how it stands: what lists show.
type ListenerRow struct {
	Listener
	Connected bool      `json:"connected"`
	Since     time.Time `json:"connected_at,omitzero"`
	Remote    string    `json:"remote_addr,omitempty"` // where it connects from
	Heard     time.Time `json:"heard_at,omitzero"`     // when anything last came from it
	Sent      uint64    `json:"sent,omitempty"`        // the place in the sequence up to which events were sent to it
}

// CatchUp says what a listener does with the events that came while it was
// away. All are kept in its store; this is about which are delivered.
type CatchUp struct {
	Mode CatchUpMode
	Last int // of CatchUpLast
}

// CatchUpMode is one of the modes below.
type CatchUpMode string

// The modes of catching up.
const (
	CatchUpAll    CatchUpMode = "all"
	CatchUpFailed CatchUpMode = "failed" // those that nobody has delivered meanwhile
	CatchUpLast   CatchUpMode = "last"   // the newest so many
	CatchUpNone   CatchUpMode = "none"
)

// ParseCatchUp reads all, failed, last=N or none.
func ParseCatchUp(s string) (c CatchUp, err error) {
	c.Mode = CatchUpMode(s)
	switch c.Mode {
	case CatchUpAll, CatchUpFailed, CatchUpNone:
		return c, nil
	}
	if n, ok := strings.CutPrefix(s, "last="); ok {
		if c.Last, err = strconv.Atoi(n); err == nil && c.Last > 0 {
			return CatchUp{CatchUpLast, c.Last}, nil
		}
	}
	return c, fmt.Errorf("%q: want all, failed, last=N or none", s)
}

// String is what ParseCatchUp reads.
func (c CatchUp) String() string {
	if c.Mode == CatchUpLast {
		return "last=" + strconv.Itoa(c.Last)
	}
	return string(c.Mode)
}

// Delivers reports whether an event that was missed is to be delivered: one
// behind which so many more were missed, and that somebody else has delivered
// or not.
func (c CatchUp) Delivers(left int, delivered bool) bool {
	switch c.Mode {
	case CatchUpNone:
		return false
	case CatchUpLast:
		return left < c.Last
	case CatchUpFailed:
		return !delivered
	}
	return true
}

// Gap is a time in which webhooks came to the relay and a listener was away.
// It is a fact in the listener's store, in front of what was missed.
type Gap struct {
	Seq     uint64    `json:"seq" cbor:"-"` // place in the store's sequence; given by Keep
	From    time.Time `json:"from" cbor:"1,keyasint"`
	To      time.Time `json:"to" cbor:"2,keyasint"` // when the first and the last of them came
	Missed  int       `json:"missed" cbor:"3,keyasint"`
	CatchUp string    `json:"catch_up" cbor:"4,keyasint"` // what is delivered of it: all, failed, last=N or none
	App     string    `json:"app" cbor:"5,keyasint"`
	Relay   string    `json:"relay" cbor:"6,keyasint"` // its base URL
}

// Span is when it was, for people: 14:02–14:31, with the day where that was not
// today.
func (g *Gap) Span() string {
	from, to := g.From.Local(), g.To.Local()
	at := func(t time.Time, sameDay bool) string {
		if sameDay {
			return t.Format("15:04")
		}
		return t.Format("Jan 2 15:04")
	}
	oneDay := from.Format(time.DateOnly) == to.Format(time.DateOnly)
	begin := at(from, from.Format(time.DateOnly) == time.Now().Format(time.DateOnly))
	if end := at(to, oneDay); !strings.HasSuffix(begin, end) {
		return begin + "–" + end
	}
	return begin
}

// String is the gap for people: "12 missed 14:02–14:31, fetched".
func (g *Gap) String() string {
	did := map[CatchUpMode]string{CatchUpAll: "fetched", CatchUpNone: "kept, not delivered", CatchUpFailed: "fetched, what nobody had delivered"}[CatchUpMode(g.CatchUp)]
	if did == "" {
		did = "fetched, delivered " + g.CatchUp
	}
	return fmt.Sprintf("%d missed %s, %s", g.Missed, g.Span(), did)
}

// Link is how a listener's connection to its relay stands.
type Link struct {
	URL     string    `json:"url"` // the relay's
	State   LinkState `json:"state"`
	Ingest  string    `json:"ingest,omitempty"` // where webhooks are sent to
	Since   time.Time `json:"since"`            // in this state
	Heard   time.Time `json:"heard_at,omitzero"`
	RTT     Duration  `json:"rtt_ms"`
	Skew    Duration  `json:"clock_skew_ms"` // how far the relay's clock is ahead
	Seq     uint64    `json:"seq"`           // last place in the relay's sequence that was heard of
	Missed  int       `json:"missed,omitempty"`
	Reason  string    `json:"reason,omitempty"`    // why it is not connected
	RetryAt time.Time `json:"retry_at,omitzero"`   // of the next dial
	Version string    `json:"version,omitempty"`   // the relay's
	Others  []string  `json:"listeners,omitempty"` // names of who else listens
	Notice  string    `json:"notice,omitempty"`    // the last thing the relay had to say
}

// LinkState is one of the states below.
type LinkState string

// The states of a link.
const (
	LinkConnecting   LinkState = "connecting"
	LinkConnected    LinkState = "connected" // the relay has acknowledged the subscription, and a probe went round
	LinkDisconnected LinkState = "disconnected"
)

// Seat is a listener's place at a relay, as its own store remembers it.
type Seat struct {
	ID       ID        `cbor:"1,keyasint"` // of the listener
	Relay    string    `cbor:"2,keyasint"` // its base URL
	App      string    `cbor:"3,keyasint"`
	Epoch    string    `cbor:"4,keyasint"` // of the relay's store: another one has another sequence
	Cursor   uint64    `cbor:"5,keyasint"` // in the relay's sequence: all up to there is kept here
	Reported uint64    `cbor:"6,keyasint"` // in the sequence of this store: attempts up to there are known to the relay
	Seen     time.Time `cbor:"7,keyasint"`
}
