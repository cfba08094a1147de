package dispatch

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"code.hooktape.dev/hooktape/capture"
)

// fold counts an attempt that is about to be kept, as the store will.
func (l *lane) fold(ctx context.Context, a *capture.Attempt) {
	l.mu.Lock()
	known, registered := l.health, l.endpoint.Status != ""
	l.mu.Unlock()
	if !registered || known == nil && a.Status != capture.AttemptFailed {
		return // nothing to count from, and nothing that counts against it
	}
	if known == nil {
		row, err := l.dispatcher.History.EndpointRow(ctx, l.id)
		if err != nil {
			l.log.Error("how often the endpoint has failed could not be read", "err", err)
			return
		}
		known = &row.Health
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.health == nil {
		l.health = known
	}
	l.health.Fold(a)
}

// judge disables an endpoint that has failed for as long as its schedule
// allows.
func (l *lane) judge(ctx context.Context, e capture.Endpoint, s capture.Schedule, a *capture.Attempt) {
	if l.dispatcher.Disable == nil || e.Status != capture.EndpointEnabled || a.Status != capture.AttemptFailed {
		return
	}
	l.mu.Lock()
	var h capture.Health
	if l.health != nil {
		h = *l.health
	}
	l.mu.Unlock()
	why := ""
	switch {
	case s.Gone && a.Code == http.StatusGone:
		why = "it answered 410 Gone"
	case s.Exhausted > 0 && h.Exhausted >= s.Exhausted:
		why = fmt.Sprintf("%d deliveries in a row were given up", h.Exhausted)
	case s.Daily > 0 && h.DayExhausted >= s.Daily:
		why = fmt.Sprintf("%d deliveries were given up within a day", h.DayExhausted)
	case s.Failures > 0 && h.InARow >= s.Failures:
		why = fmt.Sprintf("%d attempts in a row failed", h.InARow)
	default:
		return
	}
	if err := l.dispatcher.Disable(context.WithoutCancel(ctx), e.ID, why); err != nil {
		l.log.Error("a failing endpoint could not be disabled", "why", why, "err", err)
	}
}

// noteReach learns from an attempt whether a listener takes connections.
func (l *lane) noteReach(a *capture.Attempt) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.endpoint.Status != "" || l.endpoint.Trigger() || a.Status == capture.AttemptSkipped {
		return
	}
	was := l.down
	l.down = unreachable(a)
	switch {
	case was && !l.down:
		l.up = capture.NewID(capture.AttemptID)
		l.again = true
		signal(l.kick)
	case !was && l.down:
		signal(l.kick) // to start the probe
	}
}

// probe looks, while connections are refused, whether they are taken again,
// so that a developer who starts the app need not wait out a back-off.
func (l *lane) probe(ctx context.Context) {
	for l.stillDown(ctx) || !l.unprobed() {
		select {
		case <-ctx.Done():
			return
		case <-time.After(500 * time.Millisecond):
		}
	}
}

// unprobed notes that the probe ends, unless the lane is down once more.
func (l *lane) unprobed() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.probed = l.down
	return !l.down
}

// cameBack reports whether connections were refused and are taken again.
func (l *lane) cameBack(ctx context.Context) bool {
	l.mu.Lock()
	down := l.down
	l.mu.Unlock()
	return down && !l.stillDown(ctx)
}

func (l *lane) stillDown(ctx context.Context) bool {
	l.mu.Lock()
	sender, down := l.sender, l.down
	l.mu.Unlock()
	if !down {
		return false
	}
	reachable := sender.Reachable(ctx) == nil
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.down && reachable {
		l.down, l.up = false, capture.NewID(capture.AttemptID)
		l.again = true
		signal(l.kick)
	}
	return l.down
}
