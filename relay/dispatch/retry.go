package dispatch

import (
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"

	"code.hooktape.dev/hooktape/capture"
)

// Exponential is a schedule of so many attempts, the wait between them at
// first backoff and twice as long each time, but no longer than longest.
func Exponential(attempts int, backoff, longest time.Duration) capture.Schedule {
	s := capture.Schedule{Attempts: attempts, Jitter: 0.2}
	for wait := backoff; len(s.Waits) < 64; wait = min(2*wait, longest) {
		s.Waits = append(s.Waits, min(wait, longest))
		if wait >= longest {
			break
		}
	}
	return s
}

// retryAt is when the attempt that follows a is due, and false when a is the
// last: it succeeded, it was a user's, its kind of failure will not go away
// by waiting, or its tries are used up.
//
// A listener that takes no connections is away, not failing: what waits for it
// is not given up when its tries are used up, but waits for it to be back.
func retryAt(s capture.Schedule, listener bool, a *capture.Attempt, now time.Time) (time.Time, bool) {
	if a.Status != capture.AttemptFailed || a.TriggeredBy == capture.ByUser || s.Attempts == 1 || !retryable(s, a) {
		return time.Time{}, false
	}
	if a.Number >= s.Attempts {
		return now.Add(away), listener && unreachable(a)
	}
	wait := s.Wait(a.Number)
	asked := min(retryAfter(a.Response, now), 24*time.Hour)
	if s.Obeys && asked > 0 {
		return now.Add(max(asked, time.Second)), true
	}
	longest := s.Waits[len(s.Waits)-1]
	wait = time.Duration(float64(wait) * (1 - s.Jitter + 2*s.Jitter*rand.Float64()))
	if listener {
		wait = min(wait, longest)
	}
	// Retry-After (RFC 9110 §10.2.3) may ask for more patience, never for less.
	return now.Add(max(wait, min(asked, time.Hour))), true
}

// away is between two attempts at a listener that is long away. A lane makes
// the next one as soon as it sees the listener back.
const away = 6 * time.Hour

// unreachable reports whether a found nobody to take its connection.
func unreachable(a *capture.Attempt) bool {
	return a.Error != nil && (a.Error.Class == capture.FailRefused || a.Error.Class == capture.FailOffline || a.Error.Class == capture.FailDNS)
}

func retryable(s capture.Schedule, a *capture.Attempt) bool {
	switch a.Error.Class {
	case capture.FailStatus:
		return s.AnyFailure || a.Code == http.StatusRequestTimeout || a.Code == http.StatusTooManyRequests || a.Code >= 500
	case capture.FailProtocol:
		return s.AnyFailure
	case capture.FailDamaged, capture.FailBlocked:
		return false
	}
	return true
}

func retryAfter(r *capture.Response, now time.Time) time.Duration {
	if r == nil {
		return 0
	}
	v := r.Headers.First("Retry-After")
	if s, err := strconv.Atoi(v); err == nil && s > 0 && s < 1<<30 {
		return time.Duration(s) * time.Second
	}
	if t, err := http.ParseTime(v); err == nil {
		return t.Sub(now)
	}
	return 0
}
