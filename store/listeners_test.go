package store

import (
	"errors"
	"reflect"
	"testing"
	"time"

	"code.hooktape.dev/hooktape/capture"
)

// What a relay knows of listeners, what a listener knows of its relay, and
// the gaps between them come through a restart, and so does the store's name.
func TestListenersSeatsAndGapsStay(t *testing.T) {
	dir := t.TempDir()
	s := opened(t, dir, Options{})
	name := s.ID()
	id := capture.NewID(capture.ListenerID)
	at := time.Date(2026, 11, 22, 14, 2, 0, 0, time.UTC)
	for range 2 {
		if _, err := s.EditListener(t.Context(), id, func(l *capture.Listener, found bool) error {
			l.App, l.Cursor, l.Created = "shop", l.Cursor+1, at
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	refused := errors.New("no")
	if _, err := s.EditListener(t.Context(), id, func(l *capture.Listener, _ bool) error { l.Cursor = 99; return refused }); !errors.Is(err, refused) {
		t.Errorf("a refused edit: %v", err)
	}
	if _, err := s.EditSeat(t.Context(), "https://relay", "shop", func(seat *capture.Seat, found bool) { seat.ID, seat.Cursor = id, 7 }); err != nil {
		t.Fatal(err)
	}
	first := capture.Gap{From: at, To: at.Add(29 * time.Minute), Missed: 12, CatchUp: "all", App: "shop", Relay: "https://relay"}
	e := event(nil).Event
	gap := first
	if err := s.Keep(t.Context(), &capture.Change{Gap: &gap}, &capture.Change{Event: e}); err != nil {
		t.Fatal(err)
	}
	if gap.Seq == 0 || e.Seq != gap.Seq+1 {
		t.Errorf("the gap is at %d and the event behind it at %d", gap.Seq, e.Seq)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}

	s = opened(t, dir, Options{})
	if s.ID() != name || name == "" {
		t.Errorf("the store is called %q, and was %q", s.ID(), name)
	}
	all, err := s.Listeners(t.Context())
	if want := []capture.Listener{{ID: id, App: "shop", Cursor: 2, Created: at}}; err != nil || !reflect.DeepEqual(all, want) {
		t.Errorf("listeners are %+v, %v", all, err)
	}
	if _, err := s.EditSeat(t.Context(), "https://relay", "shop", func(seat *capture.Seat, found bool) {
		if !found || seat.ID != id || seat.Cursor != 7 {
			t.Errorf("the seat is %+v, %v", seat, found)
		}
	}); err != nil {
		t.Error(err)
	}
	facts, err := s.Facts(t.Context(), 0, 0)
	if err != nil || len(facts) != 2 || facts[0].Gap == nil || facts[1].Event == nil {
		t.Fatalf("facts are %+v, %v", facts, err)
	}
	first.Seq = gap.Seq
	if got := facts[0].Gap; *got != first {
		t.Errorf("the gap is %+v, want %+v", got, first)
	}
	if gaps, err := s.Gaps(t.Context()); err != nil || !reflect.DeepEqual(gaps, []capture.Gap{first}) {
		t.Errorf("gaps are %+v, %v", gaps, err)
	}
	if err := errors.Join(s.RemoveListener(t.Context(), id)); err != nil {
		t.Error(err)
	}
	if err := s.RemoveListener(t.Context(), id); !errors.Is(err, capture.ErrNotFound) {
		t.Errorf("removed twice: %v", err)
	}
	audit(t, s)
}

// Each new event is told of once, in order, before its sender is answered; what
// was kept before is not new.
func TestKeptIsToldOfInOrder(t *testing.T) {
	var seqs []uint64
	s := opened(t, "", Options{Memory: true, Kept: func(e *capture.Event, _ []byte) { seqs = append(seqs, e.Seq) }})
	var all []*capture.Change
	for range 100 {
		all = append(all, &capture.Change{Event: event(nil).Event})
	}
	for range 2 {
		if err := s.Keep(t.Context(), all...); err != nil {
			t.Fatal(err)
		}
	}
	if len(seqs) != 100 {
		t.Fatalf("told of %d events, want 100", len(seqs))
	}
	for i := 1; i < len(seqs); i++ {
		if seqs[i] <= seqs[i-1] {
			t.Fatalf("%d is told of behind %d", seqs[i], seqs[i-1])
		}
	}
}

// An attempt is not finished by who was not asked to make it.
func TestAttemptStaysAtItsEndpoint(t *testing.T) {
	s := opened(t, "", Options{Memory: true})
	e := event(nil).Event
	a := &capture.Attempt{ID: capture.NewID(capture.AttemptID), Event: e.ID, Endpoint: capture.NewID(capture.EndpointID), Status: capture.AttemptPending}
	if err := s.Keep(t.Context(), &capture.Change{Event: e, Attempts: []*capture.Attempt{a}}); err != nil {
		t.Fatal(err)
	}
	other := *a
	other.Endpoint, other.Status = capture.NewID(capture.EndpointID), capture.AttemptSucceeded
	if err := s.Keep(t.Context(), &capture.Change{Attempts: []*capture.Attempt{&other}}); err == nil {
		t.Error("an attempt was finished at another endpoint")
	}
}
