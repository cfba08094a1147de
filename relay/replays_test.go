package relay_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/relay"
)

// shelf has deliveries, and notes which are sent again.
type shelf struct {
	mu    sync.Mutex // guards the fields below
	all   []capture.Delivery
	sent  []capture.ID // events
	fails []error      // what sending again returns, one after the other; then nil
	slow  time.Duration
}

func newShelf(n int) *shelf {
	s := new(shelf)
	for range n {
		s.all = append(s.all, capture.Delivery{
			ID: capture.NewID(capture.DeliveryID), App: "shop", Event: capture.NewID(capture.EventID), Endpoint: capture.NewID(capture.EndpointID),
			Status: capture.DeliveryFailed, Last: &capture.Attempt{ID: capture.NewID(capture.AttemptID)},
		})
	}
	return s
}

func (s *shelf) ids() (ids []capture.ID) {
	for _, d := range s.all {
		ids = append(ids, d.ID)
	}
	return ids
}

func (s *shelf) Deliveries(_ context.Context, q capture.DeliveryQuery) (found []capture.Delivery, err error) {
	for _, d := range slices.Backward(s.all) {
		if (q.Cursor == "" || d.ID < q.Cursor) && slices.Contains(q.Status, d.Status) && len(found) < q.Limit {
			found = append(found, d)
		}
	}
	return found, nil
}

func (s *shelf) Delivery(_ context.Context, id capture.ID) (capture.Delivery, error) {
	for _, d := range s.all {
		if d.ID == id {
			return d, nil
		}
	}
	return capture.Delivery{}, capture.ErrNotFound
}

func (s *shelf) Resend(ctx context.Context, event capture.ID, r capture.Resend) ([]*capture.Attempt, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !r.Fresh || r.Endpoint == "" || r.Attempt == "" {
		return nil, fmt.Errorf("asked for %+v", r)
	}
	if len(s.fails) > 0 {
		err := s.fails[0]
		s.fails = s.fails[1:]
		return nil, err
	}
	s.mu.Unlock()
	defer s.mu.Lock()
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-time.After(s.slow):
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sent = append(s.sent, event)
	return nil, nil
}

// replaying runs replays of what is on the shelf, in a bubble.
func replaying(t *testing.T, s *shelf, f func(t *testing.T, r *relay.Replays)) {
	synctest.Test(t, func(t *testing.T) {
		r := relay.NewReplays(relay.Again{Deliveries: s.Deliveries, Delivery: s.Delivery, Resend: s.Resend, Log: logs(t)})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- r.Run(ctx) }()
		f(t, r)
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

func start(t *testing.T, r *relay.Replays, app string, spec capture.ReplaySpec) capture.Replay {
	t.Helper()
	p, err := r.StartReplay(t.Context(), app, spec)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func state(t *testing.T, r *relay.Replays, id capture.ID) capture.Replay {
	t.Helper()
	synctest.Wait()
	p, err := r.Replay(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestReplayCountsWhatIsSentAgain(t *testing.T) {
	s := newShelf(5)
	s.all[1].App = "bank"
	s.all[2].Status = capture.DeliveryPending
	replaying(t, s, func(t *testing.T, r *relay.Replays) {
		p := start(t, r, "shop", capture.ReplaySpec{Deliveries: append(s.ids(), capture.NewID(capture.DeliveryID), s.all[0].ID)})
		if p.Status != capture.ReplayQueued || p.Total != 7 {
			t.Errorf("started %+v", p)
		}
		p = state(t, r, p.ID)
		if p.Status != capture.ReplayCompleted || p.Total != 7 || p.Processed != 7 || p.Replayed != 4 || p.Failed != 3 || p.Last != s.all[0].ID || p.Started.IsZero() || p.Ended.IsZero() {
			t.Errorf("it came to %+v", p)
		}
		if want := []capture.ID{s.all[0].Event, s.all[3].Event, s.all[4].Event, s.all[0].Event}; !slices.Equal(s.sent, want) {
			t.Errorf("sent %v, want %v", s.sent, want)
		}
		if p := state(t, r, start(t, r, "shop", capture.ReplaySpec{Deliveries: []capture.ID{}}).ID); p.Status != capture.ReplayCompleted || p.Total != 0 {
			t.Errorf("a replay of nothing came to %+v", p)
		}
	})
}

func TestReplayOfASpanIsInOrder(t *testing.T) {
	s := newShelf(1500)
	s.all[7].Status, s.all[8].Status = capture.DeliveryPending, capture.DeliverySucceeded
	replaying(t, s, func(t *testing.T, r *relay.Replays) {
		p := state(t, r, start(t, r, "shop", capture.ReplaySpec{Since: time.Now().Add(-time.Hour), Status: []capture.DeliveryStatus{capture.DeliveryFailed}}).ID)
		if p.Replayed != 1498 || s.sent[0] != s.all[0].Event || s.sent[1497] != s.all[1499].Event {
			t.Errorf("it came to %+v", p)
		}
		if p := state(t, r, start(t, r, "shop", capture.ReplaySpec{Since: time.Now().Add(-time.Hour)}).ID); p.Replayed != 1499 {
			t.Errorf("without a status it came to %+v, want all that was tried", p)
		}
	})
}

func TestReplayTriesWhatMayPassAgain(t *testing.T) {
	s := newShelf(3)
	s.fails = []error{capture.ErrFull, capture.ErrUnavailable, capture.ErrDisabled, capture.ErrUnwanted, capture.ErrFull, capture.ErrFull, capture.ErrFull}
	replaying(t, s, func(t *testing.T, r *relay.Replays) {
		id := start(t, r, "shop", capture.ReplaySpec{Deliveries: s.ids()}).ID
		time.Sleep(time.Minute)
		if p := state(t, r, id); p.Failed != 3 || p.Replayed != 0 || len(s.fails) != 0 {
			t.Errorf("it came to %+v with %v left", p, s.fails)
		}
	})
}

func TestReplaysAtWorkAndCancelled(t *testing.T) {
	s := newShelf(10)
	s.slow = time.Second
	replaying(t, s, func(t *testing.T, r *relay.Replays) {
		ctx := t.Context()
		all := capture.ReplaySpec{Deliveries: s.ids()}
		keyed := all
		keyed.Key = "k"
		first := start(t, r, "shop", keyed)
		second, third := start(t, r, "shop", all), start(t, r, "shop", all)
		var conflict *capture.ConflictError
		if _, err := r.StartReplay(ctx, "shop", all); !errors.As(err, &conflict) {
			t.Errorf("a fourth at once: %v, want a conflict", err)
		}
		if again := start(t, r, "shop", keyed); again.ID != first.ID {
			t.Errorf("the same key began %s, want %s", again.ID, first.ID)
		}
		if other := start(t, r, "bank", keyed); other.ID == first.ID {
			t.Error("the key of one app is that of another")
		}
		if list, _ := r.Replays(ctx, "shop"); len(list) != 3 || list[0].ID != third.ID || list[2].ID != first.ID || !list[0].Created.After(list[1].Created) {
			t.Errorf("there are %+v, want the three, the newest first, none at the time of another", list)
		}
		time.Sleep(2500 * time.Millisecond)
		if p := state(t, r, second.ID); p.Status != capture.ReplayRunning || p.Processed != 2 {
			t.Errorf("the second is at %+v", p)
		}
		for range 2 {
			if p, err := r.CancelReplay(ctx, second.ID); err != nil || p.Status != capture.ReplayCancelled || p.Ended.IsZero() {
				t.Errorf("cancelled: %+v, %v", p, err)
			}
		}
		start(t, r, "shop", capture.ReplaySpec{Deliveries: []capture.ID{}}) // there is room for one
		time.Sleep(time.Minute)
		if p := state(t, r, second.ID); p.Status != capture.ReplayCancelled || p.Processed != 2 {
			t.Errorf("the cancelled one has come to %+v", p)
		}
		if p, err := r.CancelReplay(ctx, first.ID); err != nil || p.Status != capture.ReplayCompleted || p.Replayed != 10 {
			t.Errorf("cancelled when it had ended: %+v, %v", p, err)
		}
		time.Sleep(30 * time.Minute)
		if again := start(t, r, "shop", keyed); again.ID == first.ID {
			t.Error("the key counts after half an hour")
		}
		time.Sleep(2 * time.Hour)
		if _, err := r.Replay(ctx, first.ID); !errors.Is(err, capture.ErrNotFound) {
			t.Errorf("after two hours: %v, want ErrNotFound", err)
		}
		if _, err := r.CancelReplay(ctx, first.ID); !errors.Is(err, capture.ErrNotFound) {
			t.Errorf("after two hours: %v, want ErrNotFound", err)
		}
	})
}

// A replay that is at work does not hold up the end of the process.
func TestReplaysEndWithTheProcess(t *testing.T) {
	s := newShelf(10)
	s.slow = time.Hour
	replaying(t, s, func(t *testing.T, r *relay.Replays) {
		start(t, r, "shop", capture.ReplaySpec{Deliveries: s.ids()})
		synctest.Wait()
	})
	if len(s.sent) != 0 {
		t.Errorf("sent %v", s.sent)
	}
}

func TestReplaySpecs(t *testing.T) {
	now := time.Now()
	replaying(t, newShelf(0), func(t *testing.T, r *relay.Replays) {
		for _, tt := range []struct {
			field string
			spec  capture.ReplaySpec
		}{
			{"deliveries", capture.ReplaySpec{Deliveries: make([]capture.ID, 501)}},
			{"since", capture.ReplaySpec{}},
			{"since", capture.ReplaySpec{Since: now.Add(-48*time.Hour - time.Second), Until: now}},
			{"until", capture.ReplaySpec{Since: now, Until: now.Add(-time.Second)}},
			{"status", capture.ReplaySpec{Since: now, Until: now, Status: []capture.DeliveryStatus{capture.DeliveryPending}}},
			{"status", capture.ReplaySpec{Since: now, Until: now, Status: []capture.DeliveryStatus{"x"}}},
			{"idempotency_key", capture.ReplaySpec{Deliveries: []capture.ID{}, Key: string(make([]byte, 256))}},
			{"", capture.ReplaySpec{Since: now.Add(-48 * time.Hour), Until: now}},
			{"", capture.ReplaySpec{Deliveries: make([]capture.ID, 500)}},
		} {
			_, err := r.StartReplay(t.Context(), "shop", tt.spec)
			var field *capture.FieldError
			if (err == nil) != (tt.field == "") || err != nil && (!errors.As(err, &field) || field.Field != tt.field) {
				t.Errorf("%+v: %v, want an error about %q", tt.spec, err, tt.field)
			}
			synctest.Wait()
		}
	})
}
