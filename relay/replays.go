package relay

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"code.hooktape.dev/hooktape/capture"
)

// Bounds of replays.
const (
	mostNamed   = 500            // deliveries of one
	longestSpan = 48 * time.Hour // of one
	mostAtWork  = 3              // of an app, that have not ended
	mostReplays = 1000           // remembered; then the oldest that have ended are forgotten
	keepsKey    = 30 * time.Minute
	keepsEnded  = 2 * time.Hour
	keepsQueued = 24 * time.Hour
)

// Again is what Replays need to find deliveries and send them again.
type Again struct {
	Deliveries func(context.Context, capture.DeliveryQuery) ([]capture.Delivery, error)
	Delivery   func(context.Context, capture.ID) (capture.Delivery, error)
	Resend     func(context.Context, capture.ID, capture.Resend) ([]*capture.Attempt, error)
	Log        *slog.Logger
}

// Replays are those of a process. They are worked off while Run does, each on
// its own, and remembered in memory alone.
type Replays struct {
	again Again
	kick  chan struct{} // one slot, lossy: something is queued

	mu  sync.Mutex // guards the fields below
	all []*replaying
}

type replaying struct {
	capture.Replay
	spec   capture.ReplaySpec
	cancel context.CancelFunc // of who works on it; nil while it is queued
}

func (t *replaying) ended() bool { return !t.Ended.IsZero() }

// NewReplays are none yet.
func NewReplays(again Again) *Replays {
	return &Replays{again: again, kick: make(chan struct{}, 1)}
}

// Replays are those of an app that are remembered, the newest first.
func (r *Replays) Replays(_ context.Context, app string) (list []capture.Replay, _ error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.forget()
	for _, t := range slices.Backward(r.all) {
		if t.App == app {
			list = append(list, t.Replay)
		}
	}
	return list, nil
}

// Replay is one of them. It returns capture.ErrNotFound, wrapped, for one that
// never was or is forgotten.
func (r *Replays) Replay(_ context.Context, id capture.ID) (capture.Replay, error) {
	return r.about(id, func(*replaying) {})
}

// CancelReplay ends a replay that has not ended; one that has stays as it is.
func (r *Replays) CancelReplay(_ context.Context, id capture.ID) (capture.Replay, error) {
	return r.about(id, func(t *replaying) {
		if t.ended() {
			return
		}
		t.Status, t.Ended = capture.ReplayCancelled, time.Now().UTC()
		if t.cancel != nil {
			t.cancel()
		}
	})
}

func (r *Replays) about(id capture.ID, do func(*replaying)) (capture.Replay, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.forget()
	for _, t := range r.all {
		if t.ID == id {
			do(t)
			return t.Replay, nil
		}
	}
	return capture.Replay{}, fmt.Errorf("replay %s: %w", id, capture.ErrNotFound)
}

// StartReplay queues a replay, or is the one that the same key has queued. What
// is wrong with the spec is a *capture.FieldError; too many that have not
// ended are a *capture.ConflictError.
func (r *Replays) StartReplay(_ context.Context, app string, spec capture.ReplaySpec) (capture.Replay, error) {
	if len(spec.Key) > 255 {
		return capture.Replay{}, &capture.FieldError{Field: "idempotency_key", Problem: "want up to 255 characters"}
	}
	now := time.Now().UTC()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.forget()
	atWork := 0
	for _, t := range r.all {
		if t.App != app {
			continue
		}
		if spec.Key != "" && t.spec.Key == spec.Key && now.Sub(t.Created) < keepsKey {
			return t.Replay, nil
		}
		if !t.ended() {
			atWork++
		}
	}
	if err := checkReplay(&spec, now); err != nil {
		return capture.Replay{}, err
	}
	if atWork >= mostAtWork {
		return capture.Replay{}, &capture.ConflictError{What: fmt.Sprintf("the app %q has %d replays at work, which is the most there may be", app, atWork)}
	}
	if len(r.all) >= mostReplays {
		oldest := slices.IndexFunc(r.all, (*replaying).ended)
		if oldest < 0 {
			return capture.Replay{}, &capture.ConflictError{What: fmt.Sprintf("%d replays are at work, which is the most there may be", mostReplays)}
		}
		r.all = slices.Delete(r.all, oldest, oldest+1)
	}
	now = now.Truncate(time.Millisecond)
	if n := len(r.all); n > 0 && !now.After(r.all[n-1].Created) {
		now = r.all[n-1].Created.Add(time.Millisecond) // no two in the same one: some are told apart by it
	}
	t := &replaying{Replay: capture.Replay{ID: capture.NewID(capture.ReplayID), App: app, Status: capture.ReplayQueued, Created: now, Total: len(spec.Deliveries)}, spec: spec}
	r.all = append(r.all, t)
	select {
	case r.kick <- struct{}{}:
	default:
	}
	return t.Replay, nil
}

// checkReplay refuses a spec that cannot be worked off, and spells out its
// span.
func checkReplay(spec *capture.ReplaySpec, now time.Time) error {
	if spec.Deliveries != nil {
		if n := len(spec.Deliveries); n > mostNamed {
			return &capture.FieldError{Field: "deliveries", Problem: fmt.Sprintf("%d: want %d at most", n, mostNamed)}
		}
		return nil
	}
	if spec.Until.IsZero() {
		spec.Until = now
	}
	switch span := spec.Until.Sub(spec.Since); {
	case spec.Since.IsZero():
		return &capture.FieldError{Field: "since", Problem: "name deliveries, or since when"}
	case span < 0:
		return &capture.FieldError{Field: "until", Problem: "it is before since"}
	case span > longestSpan:
		return &capture.FieldError{Field: "since", Problem: "want 48 hours before until at most"}
	}
	for _, s := range spec.Status {
		if s == capture.DeliveryPending || !slices.Contains(capture.DeliveryStatuses, s) {
			return &capture.FieldError{Field: "status", Problem: fmt.Sprintf("%q: want one of succeeded, retrying, failed, gone, skipped", s)}
		}
	}
	if len(spec.Status) == 0 {
		spec.Status = capture.DeliveryStatuses[1:] // without those that are pending
	}
	return nil
}

// forget forgets those that are past their time, under the lock.
func (r *Replays) forget() {
	now := time.Now()
	r.all = slices.DeleteFunc(r.all, func(t *replaying) bool {
		return t.ended() && now.Sub(t.Ended) > keepsEnded || t.Status == capture.ReplayQueued && now.Sub(t.Created) > keepsQueued
	})
}
