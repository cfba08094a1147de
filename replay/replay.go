// Package replay sends kept events again and says what came of it. It makes
// no requests itself: a replay is a pending attempt in the store, like every
// other delivery, and the process that owns the store makes it.
package replay

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"code.hooktape.dev/hooktape/capture"
)

// Source is where events are kept and attempts are made.
type Source interface {
	Resend(context.Context, capture.ID, capture.Resend) ([]*capture.Attempt, error)
	// Live calls each with every record from now on, first one of type
	// "ready", until ctx is done or each returns an error.
	Live(ctx context.Context, after uint64, filter, app string, each func(capture.Record) error) error
}

// Options say how to replay. The zero value sends to the targets of the
// process that owns the store or, without any, to where each event went
// before, as retries of the provider where it is known how that signs.
type Options struct {
	To string     // a URL to send to instead
	As capture.As // what each is sent as
	// Each is called with every finished attempt, one at a time, in the
	// order they finish; nil: nobody looks.
	Each func(capture.Record) error
}

// Result counts the attempts of a replay.
type Result struct {
	Succeeded, Failed int
}

// Run sends the events again, in the order given, and returns when all their
// attempts are finished. The first event that cannot be sent ends it.
func Run(ctx context.Context, s Source, ids []capture.ID, o Options) (Result, error) {
	if len(ids) == 0 {
		return Result{}, nil
	}
	return follow(ctx, s, o, func(ctx context.Context, r *run) error {
		for _, id := range ids {
			attempts, err := s.Resend(ctx, id, capture.Resend{To: o.To, As: o.As})
			if err != nil {
				return fmt.Errorf("%s: %w", id, err)
			}
			if err := r.made(attempts); err != nil {
				return err
			}
		}
		return nil
	})
}

// follow watches what becomes of the attempts that send makes, of which it tells
// the run, and returns when all are finished.
func follow(ctx context.Context, s Source, o Options, send func(context.Context, *run) error) (Result, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	r := &run{waiting: make(map[capture.ID]bool), elsewhere: make(map[capture.ID]bool), early: make(map[capture.ID]capture.Record), each: o.Each, sending: true}
	var wg sync.WaitGroup
	defer wg.Wait()
	err := s.Live(ctx, 0, "", "", func(rec capture.Record) error {
		if rec.Type != "ready" {
			return r.finished(rec)
		}
		wg.Go(func() { // beside the stream, whose first records must not wait for the last event
			err := send(ctx, r)
			if err == nil {
				err = r.sent()
			}
			if err != nil {
				cancel(err)
			}
		})
		return nil
	})
	switch cause := context.Cause(ctx); {
	case errors.Is(err, errAll), errors.Is(cause, errAll):
		return r.result, nil
	case cause != nil:
		return r.result, cause
	case err != nil:
		return r.result, err
	}
	return r.result, errors.New("replay: the owner of the store ended before the replay did")
}

// errAll ends the stream when all attempts are finished.
var errAll = errors.New("all attempts are finished")

type run struct {
	each func(capture.Record) error

	mu      sync.Mutex // guards the fields below
	result  Result
	sending bool // more is to come
	waiting map[capture.ID]bool
	// elsewhere are events whose first attempt somebody else makes, who listens
	// through a relay.
	elsewhere map[capture.ID]bool
	early     map[capture.ID]capture.Record // finished before we were told that they are ours
}

// made notes which attempts to wait for.
func (r *run) made(attempts []*capture.Attempt) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, a := range attempts {
		r.waiting[a.ID] = true
		if rec, ok := r.early[a.ID]; ok {
			if err := r.count(rec); err != nil {
				return err
			}
		}
	}
	return nil
}

// left notes events whose first attempt to wait for.
func (r *run) left(events []capture.Event) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range events {
		r.elsewhere[events[i].ID] = true
	}
	for _, rec := range r.early {
		if r.elsewhere[rec.Attempt.Event] {
			if err := r.count(rec); err != nil {
				return err
			}
		}
	}
	return nil
}

// sent notes that there are no more.
func (r *run) sent() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sending = false
	clear(r.early)
	return r.done()
}

func (r *run) finished(rec capture.Record) error {
	if rec.Attempt == nil {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.waiting[rec.Attempt.ID] && !r.elsewhere[rec.Attempt.Event] {
		if r.sending {
			r.early[rec.Attempt.ID] = rec
		}
		return nil
	}
	if err := r.count(rec); err != nil {
		return err
	}
	return r.done()
}

func (r *run) count(rec capture.Record) error {
	delete(r.waiting, rec.Attempt.ID)
	delete(r.elsewhere, rec.Attempt.Event)
	delete(r.early, rec.Attempt.ID)
	if rec.Attempt.Status == capture.AttemptSucceeded {
		r.result.Succeeded++
	} else {
		r.result.Failed++
	}
	if r.each == nil {
		return nil
	}
	return r.each(rec)
}

func (r *run) done() error {
	if !r.sending && len(r.waiting)+len(r.elsewhere) == 0 {
		return errAll
	}
	return nil
}
