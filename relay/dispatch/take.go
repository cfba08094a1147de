package dispatch

import (
	"cmp"
	"context"
	"slices"
	"time"

	"code.hooktape.dev/hooktape/capture"
)

// The most and the fewest attempts of each kind that a lane takes at a time;
// the rest of a backlog stays on disk.
const (
	mostTaken   = 256
	fewestTaken = 16
	allTaken    = 4096 // by all lanes together, where that leaves each the fewest: what is new waits for them
)

// window is how many a lane may take while so many run.
func (d *Dispatcher) window() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return max(fewestTaken, min(mostTaken, allTaken/max(1, d.active)))
}

// room is how many bytes of bodies a lane may have read ahead of its work while
// so many run: 64 MiB among them, and one body in any case.
func (d *Dispatcher) room() int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return max(256<<10, 64<<20/int64(max(1, d.active)))
}

// take takes the attempts whose time has come, in the order they are to be
// made, if a look at the queue was asked for.
func (l *lane) take(ctx context.Context) (due []capture.Attempt, err error) {
	window := l.dispatcher.window()
	l.mu.Lock()
	if !l.again {
		l.mu.Unlock()
		return nil, nil
	}
	l.again = false
	for _, id := range l.kept { // kept before the read below, so it cannot see them pending
		delete(l.taken, id)
	}
	l.kept = l.kept[:0]
	limit := window + len(l.taken)
	l.mu.Unlock()

	queue, err := l.dispatcher.Store.Due(ctx, l.id, limit)
	if err != nil {
		return nil, err
	}
	now := l.dispatcher.clock.now()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.next = time.Time{}
	var kinds [3]int // of what was read
	for _, a := range queue {
		kinds[kind(&a)]++
		if l.taken[a.ID] || l.spares(&a) {
			continue
		}
		if l.waits(&a, now) {
			if l.next.IsZero() || a.NotBefore.Before(l.next) {
				l.next = a.NotBefore
			}
			continue
		}
		due = append(due, a)
		l.taken[a.ID] = true
	}
	if len(due) > 0 && slices.Max(kinds[:]) >= limit {
		l.again = true
	}
	return inOrder(due, window), nil
}

// The kinds of attempts, as they are queued.
const (
	byHand = iota
	first
	again
)

func kind(a *capture.Attempt) int {
	switch {
	case a.TriggeredBy == capture.ByUser:
		return byHand
	case a.Number == 1:
		return first
	}
	return again
}

// holds reports whether a must not be made now, because of what the endpoint
// or its app has become.
func (l *lane) holds(a *capture.Attempt) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.spares(a)
}

// spares is holds under the lock.
func (l *lane) spares(a *capture.Attempt) bool {
	d := l.dispatcher
	switch {
	case kind(a) == byHand, l.endpoint.Status == capture.EndpointDeleted:
		return false
	case d.ByHand, l.endpoint.Status == capture.EndpointDisabled:
		return true
	}
	return l.endpoint.Status != "" && d.Delivers != nil && !d.Delivers(l.endpoint.App)
}

// waits reports whether the time for a has not come. Only a retry waits, and
// not for a listener that has come back since. Ids tell before from after also
// when the clock steps back.
func (l *lane) waits(a *capture.Attempt, now time.Time) bool {
	return kind(a) == again && a.NotBefore.After(now) && l.endpoint.Status != capture.EndpointDeleted &&
		(l.endpoint.Status != "" || a.ID > l.up)
}

// inOrder is in which order attempts are made: what a user asked for, then in
// the order the events came. But where more retries are due than are taken at
// a time, new events take turns with them, so as not to wait behind them all.
func inOrder(due []capture.Attempt, window int) []capture.Attempt {
	slices.SortStableFunc(due, func(a, b capture.Attempt) int {
		return cmp.Or(cmp.Compare(min(kind(&a), first), min(kind(&b), first)), cmp.Compare(a.Event, b.Event))
	})
	var retries, others []capture.Attempt
	for _, a := range due {
		if kind(&a) == again {
			retries = append(retries, a)
		} else {
			others = append(others, a)
		}
	}
	if len(retries) < window {
		return due
	}
	mixed := make([]capture.Attempt, 0, len(due))
	for len(retries)+len(others) > 0 {
		if len(others) > 0 {
			mixed, others = append(mixed, others[0]), others[1:]
		}
		if len(retries) > 0 {
			mixed, retries = append(mixed, retries[0]), retries[1:]
		}
	}
	return mixed
}
