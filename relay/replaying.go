package relay

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"code.hooktape.dev/hooktape/capture"
)

// triesForEach is how often a delivery is tried to be sent again, where what
// keeps it from that may pass.
const triesForEach = 3

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
