package store

import (
	"errors"
	"testing"
	"time"

	"code.hooktape.dev/hooktape/capture"
)

// TestThen: what follows from a change is kept with it, or neither is.
func TestThen(t *testing.T) {
	s := memory(t)
	c := event([]byte("first"))
	at := capture.NewID(capture.EndpointID)
	a := pending(c, at, time.Now().UTC())
	keep(t, s, c)
	next := event([]byte("second"))
	next.Attempts = []*capture.Attempt{pending(next, at, time.Now().UTC())}
	bad := event([]byte("third"))
	bad.Event.Size++
	if err := s.Keep(t.Context(), &capture.Change{Attempts: []*capture.Attempt{finished(a, 200)}, Then: []*capture.Change{next, bad}}); err == nil {
		t.Error("kept with what cannot be")
	}
	if got, err := s.Attempt(t.Context(), a.ID); err != nil || got.Status != capture.AttemptPending {
		t.Errorf("the attempt is %s, %v, though what follows is not kept", got.Status, err)
	}
	if _, err := s.Event(t.Context(), next.Event.ID); !errors.Is(err, capture.ErrNotFound) {
		t.Errorf("what follows is kept alone: %v", err)
	}
	done := &capture.Change{Attempts: []*capture.Attempt{finished(a, 200)}, Then: []*capture.Change{next}}
	keep(t, s, done)
	body, err := s.Body(t.Context(), next.Event.ID)
	if err != nil || string(body) != "second" || next.Event.Seq <= done.Attempts[0].Seq {
		t.Errorf("what follows is %q at %d behind %d, %v", body, next.Event.Seq, done.Attempts[0].Seq, err)
	}
	due, err := s.Due(t.Context(), at, 10)
	if err != nil || len(due) != 1 || due[0].ID != next.Attempts[0].ID {
		t.Errorf("due is %+v, %v", due, err)
	}
}
