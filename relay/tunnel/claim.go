package tunnel

import (
	"fmt"
	"slices"
	"time"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/match"
)

// claimLasts is how long a claim outlives its listener's connection: what
// comes while it reconnects or restarts is still its. After that new events
// are everybody's again; those claimed before wait for it all the same.
const claimLasts = 10 * time.Minute

// claim is a listener's right to the events that its predicate lets through.
type claim struct {
	listener capture.ID
	name     string
	only     string
	wants    *match.Predicate
	until    time.Time // zero: while it is connected
}

// claim notes what a listener claims until then, in place of what it claimed
// before, and of what others claimed by the same predicate. It returns the
// names and ids of those. The caller holds the lock.
func (h *Hub) claim(l *capture.Listener, until time.Time) (ousted []claim) {
	kept := h.claims[l.App][:0:0]
	for _, c := range h.claims[l.App] {
		switch {
		case c.listener == l.ID:
		case c.only == l.Only:
			ousted = append(ousted, c)
		default:
			kept = append(kept, c)
		}
	}
	if l.Only != "" {
		if wants, err := match.Parse(l.Only); err == nil { // else an older version kept it
			kept = slices.Insert(kept, 0, claim{l.ID, l.Name, l.Only, wants, until})
		}
	}
	h.claims[l.App] = kept
	return ousted
}

// Claim is the listener that a new event is for; "": all that claim nothing.
func (h *Hub) Claim(e *capture.Event, body []byte) capture.ID {
	h.init()
	h.mu.Lock()
	claims := h.claims[e.App]
	h.mu.Unlock()
	if len(claims) == 0 {
		return ""
	}
	subject := match.Subject{Row: &capture.Row{Event: *e}, Body: func() []byte { return body }}
	for _, c := range claims {
		if (c.until.IsZero() || c.until.After(time.Now())) && c.wants.Match(subject) {
			return c.listener
		}
	}
	return ""
}

// takeOver tells those whose claim a listener has taken.
func (h *Hub) takeOver(by *session, ousted []claim) {
	for _, c := range ousted {
		h.mu.Lock()
		s := h.sessions[c.listener]
		h.mu.Unlock()
		if s != nil {
			s.say(&frame{Kind: isNotice, Text: fmt.Sprintf("%s has taken over what you claimed: %s", by.name, c.only)})
		}
	}
}
