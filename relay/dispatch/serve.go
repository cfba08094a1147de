package dispatch

import (
	"context"
	"fmt"
	"time"

	"code.hooktape.dev/hooktape/capture"
)

// Serve keeps a new event with its pending attempts, and makes one of them at
// once, beside whatever waits at that target: the first that goes to a
// listener's. The event's sender waits for it, until ctx is done. kept is told
// once the event is on disk, or that it is not. The attempt is nil when nothing
// was answered in time, there is no such target, or the event was known; then
// the lanes make all of them.
func (d *Dispatcher) Serve(ctx context.Context, c *capture.Change, kept func(error)) *capture.Attempt {
	l, a := d.answering(c.Attempts)
	err := d.History.Keep(context.WithoutCancel(ctx), c)
	kept(err)
	if l == nil {
		return nil
	}
	d.mu.Lock()
	beside := d.beside
	d.mu.Unlock()
	if err != nil || c.Known || beside == nil {
		l.putBack([]capture.Attempt{{ID: a.ID}})
		d.wake(l)
		return nil
	}
	own, done := *a, make(chan *capture.Attempt, 1)
	own.Answers = true
	beside(func(sending context.Context) {
		l.attempt(sending, &own, capture.Whole{Event: *c.Event, Body: c.Body}, func() bool { return ctx.Err() == nil })
		done <- outcome(&own)
	})
	select {
	case a := <-done:
		if !a.Answers {
			return nil
		}
		return a
	case <-ctx.Done():
		return nil
	}
}

// outcome is what came of an attempt, without what the store still writes to.
func outcome(a *capture.Attempt) *capture.Attempt {
	return &capture.Attempt{ID: a.ID, Event: a.Event, Status: a.Status, Started: a.Started, Duration: a.Duration, Timing: a.Timing,
		Method: a.Method, URL: a.URL, Code: a.Code, Error: a.Error, Response: a.Response, Answers: a.Answers}
}

// answering is the attempt that answers, marked as taken at its lane; nil when
// there is none.
func (d *Dispatcher) answering(planned []*capture.Attempt) (*lane, *capture.Attempt) {
	for _, a := range planned {
		if l := d.listener(func(e *capture.Endpoint) bool { return e.ID == a.Endpoint }); l != nil {
			l.mu.Lock()
			l.taken[a.ID] = true
			l.mu.Unlock()
			return l, a
		}
	}
	return nil, nil
}

// listener is the lane of a listener's target; nil when none is the one.
func (d *Dispatcher) listener(is func(*capture.Endpoint) bool) *lane {
	d.mu.Lock()
	defer d.mu.Unlock()
	for i := range d.targets {
		if e := &d.targets[i].endpoint; is(e) {
			return d.lanes[e.ID]
		}
	}
	return nil
}

// TargetOf is the URL of the listener's target that an endpoint stands for.
func (d *Dispatcher) TargetOf(id capture.ID) (url string, ok bool) {
	ok = d.listener(func(e *capture.Endpoint) bool {
		url = e.URL
		return e.ID == id
	}) != nil
	return url, ok
}

// Try makes an attempt that was asked for elsewhere, at the listener's target
// of that URL and nowhere else, and keeps it. It returns capture.ErrNoTarget,
// wrapped, when there is no such target.
func (d *Dispatcher) Try(ctx context.Context, url string, e *capture.Event, body []byte, a *capture.Attempt) error {
	l := d.listener(func(e *capture.Endpoint) bool { return e.URL == url })
	if l == nil {
		return fmt.Errorf("dispatch: %s: %w", url, capture.ErrNoTarget)
	}
	l.mu.Lock()
	endpoint, sender := l.endpoint, l.sender
	l.mu.Unlock()
	a.Endpoint, a.Status, a.Started = endpoint.ID, capture.AttemptPending, time.Now().UTC()
	sender.Send(ctx, e, body, a)
	done := *a
	if row, err := d.History.Event(ctx, e.ID); err == nil && a.Request != nil && row.SHA256 != e.SHA256 {
		sent := *a.Request // restamped where it was asked for
		sent.Made = capture.Raw(body[:min(len(body), capture.MostKept)])
		done.Request = &sent
	}
	return d.History.Keep(context.WithoutCancel(ctx), &capture.Change{Attempts: []*capture.Attempt{&done}})
}
