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
	fewestTaken = 16   // and the most retries, where more are due than are taken: what is new waits for these
	allTaken    = 4096 // by all lanes together, where that leaves each the fewest: what is new waits for them
)

// window is how many a lane may take while so many run.
func (d *Dispatcher) window() int {
	return max(fewestTaken, min(mostTaken, allTaken/max(1, int(d.active.Load()))))
}

// room is how many bytes of bodies a lane may have read ahead of its work while
// so many run: 64 MiB among them, and one read in any case.
func (d *Dispatcher) room() int { return 64 << 20 / max(1, int(d.active.Load())) }

// take takes attempts whose time has come, if a look at the queue was asked
// for, to be made along with those that were taken before and still wait. Of
// what nobody asked for by hand it takes no more while a window of them waits.
func (l *lane) take(ctx context.Context, waiting []capture.Attempt) (_ []capture.Attempt, err error) {
	window := l.dispatcher.window()
	full := len(waiting) >= window
	l.mu.Lock()
	if !l.again && (!l.more || len(waiting) > window/2) {
		l.mu.Unlock()
		return waiting, nil
	}
	l.again = false
	for _, id := range l.kept { // kept before the read below, so it cannot see them pending
		delete(l.taken, id)
	}
	l.kept = l.kept[:0]
	limit := window + len(l.taken)
	if full {
		limit = 4 * fewestTaken // what was asked for by hand is among the first
	}
	l.mu.Unlock()

	queue, err := l.dispatcher.Store.Due(ctx, l.id, limit)
	if err != nil {
		return waiting, err
	}
	now := l.dispatcher.clock.now()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.next = time.Time{}
	var kinds [3]int // of what was read
	retries := 0     // of what of that can be taken
	can := queue[:0]
	for _, a := range queue {
		kinds[kind(&a)]++
		switch {
		case l.taken[a.ID] || l.spares(&a):
		case !l.waits(&a, now):
			can = append(can, a)
			if kind(&a) == again {
				retries++
			}
		case l.next.IsZero() || a.NotBefore.Before(l.next):
			l.next = a.NotBefore
		}
	}
	flood := retries >= window
	l.flood, l.more = flood, full || len(can) > 0 && slices.Max(kinds[:]) >= limit
	taken := 0 // of the retries
	for _, a := range can {
		if full && kind(&a) != byHand || flood && kind(&a) == again && taken == fewestTaken {
			l.more = true
			continue
		}
		if kind(&a) == again {
			taken++
		}
		waiting = append(waiting, a)
		l.taken[a.ID] = true
	}
	return inOrder(waiting, flood), nil
}

func (l *lane) flooded() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.flood
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

// byUrgency puts first what a user asked for.
func byUrgency(a, b *capture.Attempt) int {
	return cmp.Compare(min(kind(a), first), min(kind(b), first))
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
func inOrder(due []capture.Attempt, flood bool) []capture.Attempt {
	slices.SortStableFunc(due, func(a, b capture.Attempt) int {
		return cmp.Or(byUrgency(&a, &b), cmp.Compare(a.Event, b.Event))
	})
	if !flood {
		return due
	}
	var retries, others []capture.Attempt
	for _, a := range due {
		if kind(&a) == again {
			retries = append(retries, a)
		} else {
			others = append(others, a)
		}
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
