package tunnel

import (
	"context"
	"errors"
	"fmt"
	"time"

	"code.hooktape.dev/hooktape/capture"
)

// ErrNobody is returned when no listener is there to answer, or too many
// senders wait already.
var ErrNobody = errors.New("tunnel: no listener is connected")

// wait is a sender that waits for the answer to an event, or an attempt made
// by hand that waits for what became of it.
type wait struct {
	session  *session
	deadline time.Time
	answer   chan *capture.Attempt // one slot; closed when there will be none
	body     []byte                // of an attempt, that travels apart; nil: there is none
}

// Await prepares for the answer to an event that is about to be kept, until
// ctx's deadline: where somebody listens who can give it, the event is sent to
// them as one whose sender waits. It returns the function that waits, or
// ErrNobody. The answer is the attempt that got it.
func (h *Hub) Await(ctx context.Context, e *capture.Event) (func() (*capture.Attempt, error), error) {
	h.init()
	deadline, ok := ctx.Deadline()
	if !ok {
		deadline = time.Now().Add(30 * time.Second)
	}
	h.mu.Lock()
	s := h.answerer(e)
	if s == nil || len(h.waits) >= mostWaiting || h.draining {
		h.mu.Unlock()
		return nil, ErrNobody
	}
	w := h.wait(s, e.ID, deadline)
	h.mu.Unlock()
	return func() (*capture.Attempt, error) { return h.await(ctx, w, e.ID) }, nil
}

// wait notes a wait. The caller holds the lock.
func (h *Hub) wait(s *session, id capture.ID, deadline time.Time) *wait {
	w := &wait{session: s, deadline: deadline, answer: make(chan *capture.Attempt, 1)}
	h.waits[id] = w
	return w
}

func (h *Hub) await(ctx context.Context, w *wait, id capture.ID) (*capture.Attempt, error) {
	defer h.forget(id)
	select {
	case a := <-w.answer:
		if a == nil {
			return nil, fmt.Errorf("%w: %s did not answer", ErrNobody, w.session.name)
		}
		return a, nil
	case <-w.session.gone:
		return nil, fmt.Errorf("%w: %s has gone", ErrNobody, w.session.name)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (h *Hub) forget(id capture.ID) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.waits, id)
}

// answerer is who answers for an event: who has claimed it, else the newest of
// those who claim nothing. The caller holds the lock.
func (h *Hub) answerer(e *capture.Event) (newest *session) {
	if e.Claimed != "" {
		return h.sessions[e.Claimed]
	}
	for _, s := range h.sessions {
		if s.app == e.App && s.only == "" && (newest == nil || s.since.After(newest.since)) {
			newest = s
		}
	}
	return newest
}

// waiting is the wait for an event at a session.
func (h *Hub) waiting(s *session, id capture.ID) *wait {
	h.mu.Lock()
	defer h.mu.Unlock()
	if w := h.waits[id]; w != nil && w.session == s {
		return w
	}
	return nil
}

// answered takes an answer from a session; nil says that there is none. It is
// false when nobody waits for it there.
func (h *Hub) answered(s *session, id capture.ID, a *capture.Attempt) bool {
	w := h.waiting(s, id)
	if w == nil {
		return false
	}
	select {
	case w.answer <- a:
	default: // the second answer of a listener that gives two
	}
	return true
}
