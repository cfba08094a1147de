package dispatch

import (
	"cmp"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"

	"code.hooktape.dev/hooktape/capture"
)

// Retry says when a failed attempt is made again. Its zero value is the
// default schedule: 12 tries in all, 1 s after the first and twice as long
// after each further one, 5 minutes at most, each ±20 %.
//
// An endpoint that takes no connections is away, not failing: what waits for
// it is not given up when its tries are used up, but waits for it to be back.
type Retry struct {
	Tries   int           // attempts of a delivery in all; 0: 12, 1: no retries
	Backoff time.Duration // before the second attempt; 0: 1 s
	Max     time.Duration // between two attempts; 0: 5 min
}

// after is when the attempt that follows a is due, and false when a is the
// last: it succeeded, it was a user's, its kind of failure will not go away
// by waiting, or its tries are used up.
func (r Retry) after(a *capture.Attempt, now time.Time) (time.Time, bool) {
	tries := cmp.Or(r.Tries, 12)
	if a.Status != capture.AttemptFailed || a.TriggeredBy == capture.ByUser || tries == 1 || !retryable(a) {
		return time.Time{}, false
	}
	if a.Number >= tries {
		return now.Add(away), unreachable(a)
	}
	longest := cmp.Or(r.Max, 5*time.Minute)
	wait := cmp.Or(r.Backoff, time.Second)
	for range a.Number - 1 {
		wait = min(2*wait, longest)
	}
	wait = time.Duration(float64(wait) * (0.8 + 0.4*rand.Float64()))
	// Retry-After (RFC 9110 §10.2.3) may ask for more patience, never for less.
	return now.Add(max(min(wait, longest), min(retryAfter(a.Response, now), time.Hour))), true
}

// away is between two attempts at an endpoint that is long away. A lane makes
// the next one as soon as it sees the endpoint back.
const away = 6 * time.Hour

// unreachable reports whether a found nobody to take its connection.
func unreachable(a *capture.Attempt) bool {
	return a.Error != nil && (a.Error.Class == capture.FailRefused || a.Error.Class == capture.FailOffline || a.Error.Class == capture.FailDNS)
}

func retryable(a *capture.Attempt) bool {
	switch a.Error.Class {
	case capture.FailStatus:
		return a.Code == http.StatusRequestTimeout || a.Code == http.StatusTooManyRequests || a.Code >= 500
	case capture.FailProtocol, capture.FailDamaged:
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
