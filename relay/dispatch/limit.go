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

// turn blocks until the lane's rate limit allows an attempt; false when ctx
// was done before.
func (l *lane) turn(ctx context.Context) bool {
	for {
		l.mu.Lock()
		wait := time.Duration(0)
		if l.limit != nil {
			wait = l.limit.turn(time.Now())
		}
		l.mu.Unlock()
		if wait <= 0 {
			return true
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return false
		case <-timer.C:
		}
	}
}
