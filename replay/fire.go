package replay

import (
	"context"
	"time"

	"code.hooktape.dev/hooktape/capture"
)

// Catalog is where events are made of samples.
type Catalog interface {
	Source
	Fire(ctx context.Context, tag string, f capture.Firing) (capture.Fired, error)
}

// Burst says how many events of a sample are made, and how fast.
type Burst struct {
	Count int     // 0: 1
	Rate  float64 // events a second; 0: as fast as they are taken
	// Made is called with the events as they are made; nil: nobody looks.
	Made func([]capture.Event) error
	// Leave does not wait for what becomes of them.
	Leave bool
	// Far says that who listens through a relay gets those that nobody gets
	// here: then their first attempts are waited for.
	Far bool
}

// Fire makes events of a sample and waits for the first attempt of each
// delivery that follows. f.Count does not count. Where f has a seed, each batch
// has one that follows from it.
func Fire(ctx context.Context, c Catalog, tag string, f capture.Firing, b Burst, o Options) (Result, error) {
	send := func(ctx context.Context, r *run) error {
		began, left := time.Now(), max(b.Count, 1)
		for done := 0; left > 0; {
			f.Count = min(left, b.batch())
			fired, err := c.Fire(ctx, tag, f)
			if err != nil {
				return err
			}
			if b.Made != nil {
				if err := b.Made(fired.Events); err != nil {
					return err
				}
			}
			if err := b.wait(r, fired); err != nil {
				return err
			}
			done, left = done+f.Count, left-f.Count
			if f.Seed != 0 {
				f.Seed++
			}
			if left > 0 && b.Rate > 0 {
				if err := until(ctx, began.Add(time.Duration(float64(done)/b.Rate*float64(time.Second)))); err != nil {
					return err
				}
			}
		}
		return nil
	}
	if b.Leave {
		return Result{}, send(ctx, nil)
	}
	return follow(ctx, c, o, send)
}

// wait tells the run what to wait for.
func (b Burst) wait(r *run, fired capture.Fired) error {
	switch {
	case b.Leave:
		return nil
	case b.Far && len(fired.Attempts) == 0:
		return r.left(fired.Events)
	}
	return r.made(fired.Attempts)
}

// batch is how many events are made at a time: a twentieth of a second's, so
// that a rate is even, and no more than one Firing may make.
func (b Burst) batch() int {
	if b.Rate <= 0 {
		return capture.MostFired / 4
	}
	return min(max(int(b.Rate/20), 1), capture.MostFired)
}

// until waits for a moment.
func until(ctx context.Context, t time.Time) error {
	select {
	case <-time.After(time.Until(t)):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
