package dispatch

import (
	"context"
	"time"

	"code.hooktape.dev/hooktape/capture"
)

// limiter holds attempts up until a rate allows them: no span of Per sees more
// than Max of them begin.
type limiter struct {
	rate  capture.RateLimit
	begun []time.Time // of the newest Max, in a ring
	next  int
}

// turn is how long the next attempt must wait; 0 takes its turn.
func (l *limiter) turn(now time.Time) time.Duration {
	if len(l.begun) < l.rate.Max {
		l.begun = append(l.begun, now)
		return 0
	}
	if wait := l.begun[l.next].Add(time.Duration(l.rate.Per)).Sub(now); wait > 0 {
		return wait
	}
	l.begun[l.next] = now
	l.next = (l.next + 1) % l.rate.Max
	return 0
}

// turn blocks until the lane's rate limit allows a to be made, or the endpoint
// has become one to which it must not be sent; false when ctx was done before.
func (l *lane) turn(ctx context.Context, a *capture.Attempt) bool {
	for {
		l.mu.Lock()
		wait := time.Duration(0)
		if l.limit != nil && l.endpoint.Status != capture.EndpointDeleted && !l.spares(a) {
			wait = l.limit.turn(time.Now())
		}
		if wait > 0 && l.changed == nil {
			l.changed = make(chan struct{})
		}
		changed := l.changed
		l.mu.Unlock()
		if wait <= 0 {
			return true
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return false
		case <-changed: // it may be another limit, or none
			timer.Stop()
		case <-timer.C:
		}
	}
}
