package relay

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"code.hooktape.dev/hooktape/capture"
)

// Bounds of replays.
const (
	mostNamed    = 500            // deliveries of one
	longestSpan  = 48 * time.Hour // of one
	mostAtWork   = 3              // of an app, that have not ended
	mostReplays  = 1000           // remembered; then the oldest that have ended are forgotten
	keepsKey     = 30 * time.Minute
	keepsEnded   = 2 * time.Hour
	keepsQueued  = 24 * time.Hour
	triesForEach = 3 // where a delivery is kept from being sent again by what may pass
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

// Run works replays off until ctx is done.
func (r *Replays) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	defer wg.Wait()
	for {
		for _, begin := range r.begin(ctx) {
			wg.Go(begin)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-r.kick:
		}
	}
}

// begin is what works off the replays that are queued.
func (r *Replays) begin(ctx context.Context) (work []func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, t := range r.all {
		if t.Status != capture.ReplayQueued {
			continue
		}
		ctx, cancel := context.WithCancel(ctx)
		t.Status, t.Started, t.cancel = capture.ReplayRunning, time.Now().UTC(), cancel
		spec := t.spec
		t.spec.Deliveries = nil
		work = append(work, func() {
			defer cancel()
			r.work(ctx, t, spec)
		})
	}
	return work
}

func (r *Replays) work(ctx context.Context, t *replaying, spec capture.ReplaySpec) {
	ids, err := r.named(ctx, t.App, spec)
	if ctx.Err() != nil {
		return
	}
	if err != nil {
		r.again.Log.Error("the deliveries of a replay could not be looked up", "replay", t.ID, "err", err)
		r.end(t, capture.ReplayCancelled)
		return
	}
	r.mu.Lock()
	t.Total = len(ids)
	r.mu.Unlock()
	for _, id := range ids {
		err := r.replay(ctx, t.App, id)
		if err == nil || ctx.Err() == nil {
			r.note(t, id, err)
		}
		if ctx.Err() != nil {
			return
		}
	}
	r.end(t, capture.ReplayCompleted)
}

// named are the deliveries that a spec names, or finds: the oldest first.
func (r *Replays) named(ctx context.Context, app string, spec capture.ReplaySpec) (ids []capture.ID, err error) {
	if spec.Deliveries != nil {
		return spec.Deliveries, nil
	}
	q := capture.DeliveryQuery{App: app, Endpoint: spec.Endpoint, Type: spec.Type, Status: spec.Status, Since: spec.Since, Until: spec.Until, Limit: 1000}
	for {
		found, err := r.again.Deliveries(ctx, q)
		if err != nil {
			return nil, err
		}
		for _, d := range found {
			ids = append(ids, d.ID)
		}
		if len(found) < q.Limit {
			slices.Reverse(ids)
			return ids, nil
		}
		q.Cursor = ids[len(ids)-1]
	}
}

// replay sends one delivery of the app again.
func (r *Replays) replay(ctx context.Context, app string, id capture.ID) (err error) {
	for try := range triesForEach {
		if err = r.replayOnce(ctx, app, id); err == nil || lasts(err) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(time.Duration(try+1) * 100 * time.Millisecond):
		}
	}
	r.again.Log.Error("a delivery could not be sent again", "delivery", id, "err", err)
	return err
}

// lasts reports whether an error is one that no waiting mends.
func lasts(err error) bool {
	return slices.ContainsFunc([]error{capture.ErrNotFound, capture.ErrDisabled, capture.ErrUnwanted, capture.ErrRefused, capture.ErrSealed,
		capture.ErrDamaged, capture.ErrNoTarget, capture.ErrBadTarget, errQueued}, func(kind error) bool { return errors.Is(err, kind) })
}

var errQueued = errors.New("its first attempt still waits")

func (r *Replays) replayOnce(ctx context.Context, app string, id capture.ID) error {
	d, err := r.again.Delivery(ctx, id)
	switch {
	case err != nil:
		return err
	case d.App != app:
		return capture.ErrNotFound
	case d.Status == capture.DeliveryPending:
		return errQueued
	}
	what := capture.Resend{Fresh: true, Endpoint: d.Endpoint}
	if d.Last != nil {
		what.Attempt = d.Last.ID
	}
	_, err = r.again.Resend(ctx, d.Event, what)
	return err
}

func (r *Replays) note(t *replaying, id capture.ID, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	t.Processed++
	t.Last = id
	if err != nil {
		t.Failed++
		return
	}
	t.Replayed++
}

func (r *Replays) end(t *replaying, as capture.ReplayStatus) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !t.ended() {
		t.Status, t.Ended = as, time.Now().UTC()
	}
}
