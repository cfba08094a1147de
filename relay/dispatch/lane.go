package dispatch

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"code.hooktape.dev/hooktape/capture"
)

// lane makes the attempts at one endpoint. It runs while there is something to
// do, and is parked while there is not.
type lane struct {
	dispatcher *Dispatcher
	id         capture.ID // of the endpoint
	log        *slog.Logger
	kick       chan struct{} // one slot, lossy: something has changed

	mu       sync.Mutex // guards the fields below
	endpoint capture.Endpoint
	sender   Sender
	schedule capture.Schedule
	limit    *limiter        // nil: no rate limit
	health   *capture.Health // nil: not read yet
	changed  chan struct{}   // closed when the endpoint changes; nil: nobody waits for that

	runs   bool                // a goroutine does
	again  bool                // the queue must be looked at
	more   bool                // there was more to take than was taken
	flood  bool                // there were more retries than are taken at a time
	puts   uint64              // the queue's, when the lane was last stirred
	next   time.Time           // when something is due that was not at the last look; zero: nothing
	taken  map[capture.ID]bool // under way, or done and not yet kept
	kept   []capture.ID        // of taken: kept, or put back, since the queue was last read
	down   bool                // a listener that refuses connections; a probe waits for it to take them
	probed bool                // a probe runs
	up     capture.ID          // made when it was last found to be up again, at first when the lane was
}

// set makes the lane one to the endpoint as it is now.
func (l *lane) set(e capture.Endpoint) error {
	sender, err := l.dispatcher.Open(e)
	if err != nil {
		return err
	}
	schedule := l.dispatcher.Schedule
	if schedule.Attempts == 0 {
		schedule = capture.Schedules["listen"]
	}
	if e.Status != "" {
		if schedule, err = e.Retry.Schedule(); err != nil {
			return err
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.sender != nil {
		l.sender.Close()
	}
	l.health = nil // enabling forgives
	if e.RateLimit == nil {
		l.limit = nil
	} else if l.limit == nil || l.limit.rate != *e.RateLimit {
		l.limit = &limiter{rate: *e.RateLimit}
	}
	l.endpoint, l.sender, l.schedule = e, sender, schedule
	if l.changed != nil {
		close(l.changed)
		l.changed = nil
	}
	return nil
}

// look asks for a look at the queue. It is true when the caller must make the
// lane run for that.
func (l *lane) look() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.again = true
	if l.runs {
		signal(l.kick)
		return false
	}
	l.runs = true
	return true
}

// stirred reports whether the queue is worth a look: something was put there
// since the last one, or has become due.
func (l *lane) stirred(puts uint64, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.puts == puts && (l.next.IsZero() || l.next.After(now)) {
		return false
	}
	l.puts, l.next = puts, time.Time{}
	return true
}

// parked notes that nobody runs the lane.
func (l *lane) parked() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.runs = false
}

// park ends the lane's run if there is nothing to do for it.
func (l *lane) park() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.again || l.more || l.down || len(l.taken) > len(l.kept) {
		return false
	}
	l.runs = false
	if !l.next.IsZero() {
		signal(l.dispatcher.kick) // it may have looked when this was not yet known
	}
	return true
}

func (l *lane) concurrency() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.endpoint.Status != "":
		return max(1, l.endpoint.Concurrency)
	case l.endpoint.Trigger():
		return mostFirings // each has a caller who waits for it
	}
	return max(1, l.dispatcher.Concurrency)
}

// mostFirings is how many firings of a trigger are under way at a time.
const mostFirings = 64

// state reports whether the caller must start a probe, and when something is
// due next.
func (l *lane) state() (probe bool, next time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	probe = l.down && !l.probed
	l.probed = l.down || l.probed
	return probe, l.next
}

// fallDue asks for a look once the time for one has come.
func (l *lane) fallDue() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.next.IsZero() && !l.next.After(l.dispatcher.clock.now()) {
		l.again, l.next = true, time.Time{}
	}
}

// attempt makes a and keeps what happened, together with the retry that
// follows from it. Where a sender waits for the answer, inTime reports whether
// it still does: then it is the sender's to try again. Else inTime is nil.
func (l *lane) attempt(ctx context.Context, a *capture.Attempt, e capture.Whole, inTime func() bool) {
	l.mu.Lock()
	endpoint, sender, schedule := l.endpoint, l.sender, l.schedule
	l.mu.Unlock()
	switch {
	case endpoint.Status == capture.EndpointDeleted:
		skip(a, capture.FailDeleted, "the endpoint was deleted")
	case l.holds(a):
		l.putBack([]capture.Attempt{*a})
		return
	case e.Err == nil:
		if l.dispatcher.inFlight.Acquire(ctx, 1) != nil {
			return
		}
		sender.Send(ctx, &e.Event, e.Body, a)
		l.dispatcher.inFlight.Release(1)
		if ctx.Err() != nil && a.Status == capture.AttemptFailed {
			return // we gave up, not the endpoint: it stays pending
		}
		a.Answers = a.Code != 0 && inTime != nil && inTime()
	case !errors.Is(e.Err, capture.ErrDamaged) && !errors.Is(e.Err, capture.ErrNotFound):
		l.log.Error("an event could not be read; its attempt will be made later", "event", a.Event, "err", e.Err)
		l.later(a.ID)
		return
	default:
		a.Status, a.Started = capture.AttemptFailed, time.Now().UTC()
		a.Error = &capture.Failure{Class: capture.FailDamaged, Message: e.Err.Error()}
	}
	change := &capture.Change{Attempts: []*capture.Attempt{a}}
	if at, again := retryAt(schedule, endpoint.Listener, a, l.dispatcher.clock.now()); again && !a.Answers {
		change.Attempts = append(change.Attempts, follow(a, endpoint, at))
	} else {
		a.Final = a.Status == capture.AttemptFailed && a.TriggeredBy == capture.BySystem
	}
	change.Attempts = append(change.Attempts, l.overtaken(ctx, a)...)
	if d := l.dispatcher; d.Follow != nil && e.Event.Trigger != "" && a.Number == 1 {
		then, err := d.Follow(context.WithoutCancel(ctx), &e.Event, e.Body, a)
		if err != nil {
			l.log.Error("the firings that follow could not be made", "event", a.Event, "err", err)
		}
		change.Then = then
	}
	l.fold(ctx, a)
	l.dispatcher.unkept.Acquire(context.WithoutCancel(ctx), 1) // fails only with its context
	l.dispatcher.Store.KeepAsync(change, func(err error) {
		l.dispatcher.unkept.Release(1)
		if err != nil && !errors.Is(err, capture.ErrNotFound) { // else the event was removed meanwhile
			l.log.Error("an attempt could not be kept; it will be made again", "attempt", a.ID, "err", err)
			l.later(a.ID)
			return
		}
		l.release(a.ID)
	})
	l.noteReach(a)
	l.judge(ctx, endpoint, schedule, a)
}

// follow is the attempt that retries a.
func follow(a *capture.Attempt, e capture.Endpoint, at time.Time) *capture.Attempt {
	next := pending(&capture.Event{ID: a.Event, App: a.App, Type: a.Type}, e, a.Delivery)
	next.Number, next.NotBefore, next.TriggeredFrom, next.As = a.Number+1, at.UTC(), a.TriggeredFrom, a.As
	return next
}

// overtaken are the pending retries of a delivery that a user's attempt has
// made good: nobody needs them any more.
func (l *lane) overtaken(ctx context.Context, a *capture.Attempt) (skipped []*capture.Attempt) {
	if a.TriggeredBy != capture.ByUser || a.Status != capture.AttemptSucceeded || a.Number == 1 {
		return nil
	}
	waiting, err := l.dispatcher.History.Attempts(ctx, capture.AttemptQuery{Event: a.Event, Status: capture.AttemptPending, Limit: 1000})
	if err != nil {
		l.log.Error("retries that may have become needless could not be looked up", "attempt", a.ID, "err", err)
	}
	for _, w := range waiting {
		if w.Delivery == a.Delivery && w.ID != a.ID {
			skip(&w, capture.FailOvertaken, "delivered by hand meanwhile")
			skipped = append(skipped, &w)
		}
	}
	return skipped
}

// skip gives an attempt up before it is sent.
func skip(a *capture.Attempt, class, why string) {
	a.Status, a.Started = capture.AttemptSkipped, time.Now().UTC()
	a.Error = &capture.Failure{Class: class, Message: why}
}

// putBack leaves attempts that were taken to the next look at the queue.
func (l *lane) putBack(as []capture.Attempt) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, a := range as {
		delete(l.taken, a.ID)
	}
	l.again = true
	signal(l.kick)
}

// release notes that an attempt was kept. When it was the last one under way,
// the queue is looked at once more: then nothing that is in it was missed.
func (l *lane) release(id capture.ID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.kept = append(l.kept, id); len(l.kept) == len(l.taken) {
		l.again = true
		signal(l.kick)
	}
}

// later puts an attempt back into the queue, but not at once: whatever
// failed, the disk most likely, needs time.
func (l *lane) later(id capture.ID) {
	time.AfterFunc(10*time.Second, func() {
		l.putBack([]capture.Attempt{{ID: id}})
	})
}

// signal fills a one-slot channel, or leaves it full.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
