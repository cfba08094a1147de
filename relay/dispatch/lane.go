package dispatch

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"code.hooktape.dev/hooktape/capture"
)

// window is how many pending attempts a lane looks at at a time; the rest of
// a backlog stays on disk.
const window = 256

// lane makes the attempts of one endpoint.
type lane struct {
	endpoint    capture.Endpoint
	sender      Sender
	store       Store
	retry       Retry
	concurrency int
	byHand      bool // take only what a user asked for
	log         *slog.Logger
	kick        chan struct{} // one slot, lossy: look at the queue again
	fell        chan struct{} // one slot, lossy: connections are refused, start probing

	mu    sync.Mutex          // guards the fields below
	taken map[capture.ID]bool // under way, or done and not yet kept
	kept  []capture.ID        // done and kept since the queue was last read
	down  bool                // connections are refused; a probe waits for them to be taken
	up    capture.ID          // made when the endpoint was last found to be up again, at first when the lane was
}

// run makes attempts until ctx is done, and waits for those under way.
func (l *lane) run(ctx, sending context.Context) {
	var wg sync.WaitGroup
	defer wg.Wait()
	work := make(chan job) // unbuffered: taken in order
	defer close(work)
	for range l.concurrency {
		wg.Go(func() {
			for j := range work {
				l.attempt(sending, &j.attempt, j.event)
			}
		})
	}
	wg.Go(func() { l.probe(ctx) })
	changed := l.store.Watch(ctx)
	for {
		due, next, err := l.due(ctx)
		if err != nil && ctx.Err() == nil {
			l.log.Error("the queue could not be read", "err", err)
			next = time.Now().Add(time.Second)
		}
		if len(due) > 0 && l.cameBack(ctx) {
			l.putBack(due) // what is older and waits for a later time goes first
			continue
		}
		if len(due) > 0 {
			l.hand(ctx, due, work)
			continue
		}
		if !l.wait(ctx, changed, next) {
			return
		}
	}
}

// job is an attempt to be made.
type job struct {
	attempt capture.Attempt
	event   capture.Whole
}

// hand reads the events of what is due and hands them to those who work, in
// order, until ctx is done.
func (l *lane) hand(ctx context.Context, due []capture.Attempt, work chan<- job) {
	ids := make([]capture.ID, len(due))
	for i := range due {
		ids[i] = due[i].Event
	}
	for len(due) > 0 {
		events, err := l.store.Wholes(ctx, ids...)
		if err != nil {
			if ctx.Err() == nil {
				l.log.Error("events could not be read; their attempts will be made later", "err", err)
			}
			for _, a := range due {
				l.later(a.ID)
			}
			return
		}
		for i, e := range events {
			select {
			case work <- job{due[i], e}:
			case <-ctx.Done():
				return
			}
		}
		due, ids = due[len(events):], ids[len(events):]
	}
}

// wait blocks until there may be something to do; false when there will be no
// more.
func (l *lane) wait(ctx context.Context, changed <-chan struct{}, next time.Time) bool {
	var timer <-chan time.Time
	if !next.IsZero() {
		// A minute at most: the wall clock may jump, and timers do not notice.
		timer = time.After(min(time.Until(next), time.Minute))
	}
	select {
	case _, ok := <-changed:
		return ok && ctx.Err() == nil
	case <-l.kick:
	case <-timer:
	case <-ctx.Done():
		return false
	}
	return true
}

// due takes the attempts whose time has come, in order, and says when the
// next one's will have.
func (l *lane) due(ctx context.Context) (due []capture.Attempt, next time.Time, err error) {
	l.mu.Lock()
	for _, id := range l.kept { // kept before the read below, so it cannot see them pending
		delete(l.taken, id)
	}
	l.kept = l.kept[:0]
	limit := window + len(l.taken)
	up := l.up
	l.mu.Unlock()

	queue, err := l.store.Due(ctx, l.endpoint.ID, limit)
	if err != nil {
		return nil, next, err
	}
	now := time.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, a := range queue {
		if l.taken[a.ID] || l.byHand && a.TriggeredBy != capture.ByUser {
			continue
		}
		// Only a retry waits, and not for an endpoint that has come back
		// since. Ids tell before from after also when the clock steps back.
		retry := a.Number > 1 && a.TriggeredBy == capture.BySystem
		if retry && a.NotBefore.After(now) && a.ID > up {
			if next.IsZero() || a.NotBefore.Before(next) {
				next = a.NotBefore
			}
			continue
		}
		due = append(due, a)
		l.taken[a.ID] = true
	}
	slices.SortStableFunc(due, func(a, b capture.Attempt) int { return strings.Compare(string(a.Event), string(b.Event)) })
	return due, next, nil
}

// attempt makes a and keeps what happened, together with the retry that
// follows from it.
func (l *lane) attempt(ctx context.Context, a *capture.Attempt, e capture.Whole) {
	switch {
	case e.Err == nil:
		l.sender.Send(ctx, &e.Row.Event, e.Body, a)
		if ctx.Err() != nil && a.Status == capture.AttemptFailed {
			return // we gave up, not the endpoint: it stays pending
		}
	case !errors.Is(e.Err, capture.ErrDamaged) && !errors.Is(e.Err, capture.ErrNotFound):
		l.log.Error("an event could not be read; its attempt will be made later", "event", a.Event, "err", e.Err)
		l.later(a.ID)
		return
	default:
		a.Status, a.Started = capture.AttemptFailed, time.Now().UTC()
		a.Error = &capture.Failure{Class: capture.FailDamaged, Message: e.Err.Error()}
	}
	change := &capture.Change{Attempts: []*capture.Attempt{a}}
	if at, again := l.retry.after(a, time.Now()); again {
		change.Attempts = append(change.Attempts, follow(a, l.endpoint, at))
	}
	l.store.KeepAsync(change, func(err error) {
		if err != nil && !errors.Is(err, capture.ErrNotFound) { // else the event was removed meanwhile
			l.log.Error("an attempt could not be kept; it will be made again", "attempt", a.ID, "err", err)
			l.later(a.ID)
			return
		}
		l.release(a.ID)
	})
	l.noteReach(a)
}

func (l *lane) putBack(as []capture.Attempt) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, a := range as {
		delete(l.taken, a.ID)
	}
}

func (l *lane) release(id capture.ID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.kept = append(l.kept, id)
}

// later puts an attempt back into the queue, but not at once: whatever
// failed, the disk most likely, needs time.
func (l *lane) later(id capture.ID) {
	time.AfterFunc(10*time.Second, func() {
		l.release(id)
		signal(l.kick)
	})
}

// follow is the attempt that retries a.
func follow(a *capture.Attempt, e capture.Endpoint, at time.Time) *capture.Attempt {
	next := pending(a.Event, e, a.Delivery)
	next.Number, next.NotBefore = a.Number+1, at.UTC()
	return next
}

// noteReach learns from an attempt whether connections are taken.
func (l *lane) noteReach(a *capture.Attempt) {
	l.mu.Lock()
	defer l.mu.Unlock()
	was := l.down
	l.down = unreachable(a)
	switch {
	case was && !l.down:
		l.up = capture.NewID(capture.AttemptID)
		signal(l.kick)
	case !was && l.down:
		signal(l.fell)
	}
}

// probe looks, while connections are refused, whether they are taken again,
// so that a developer who starts the app need not wait out a back-off.
func (l *lane) probe(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-l.fell:
		}
		for l.stillDown(ctx) {
			select {
			case <-ctx.Done():
				return
			case <-time.After(500 * time.Millisecond):
			}
		}
	}
}

// cameBack reports whether connections were refused and are taken again.
func (l *lane) cameBack(ctx context.Context) bool {
	l.mu.Lock()
	down := l.down
	l.mu.Unlock()
	return down && !l.stillDown(ctx)
}

func (l *lane) stillDown(ctx context.Context) bool {
	reachable := l.sender.Reachable(ctx) == nil
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.down && reachable {
		l.down, l.up = false, capture.NewID(capture.AttemptID)
		signal(l.kick)
	}
	return l.down
}

// signal fills a one-slot channel, or leaves it full.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
