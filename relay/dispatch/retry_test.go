package dispatch

import (
	"testing"
	"time"

	"code.hooktape.dev/hooktape/capture"
)

// The presets in their real time, without jitter's doing more than it may.
func TestPresetsInRealTime(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for name, s := range capture.Schedules {
		a := &capture.Attempt{Number: 1, Status: capture.AttemptFailed, Code: 503, TriggeredBy: capture.BySystem, Error: &capture.Failure{Class: capture.FailStatus}}
		for ; a.Number < 200; a.Number++ {
			at, again := retryAt(s, false, a, now)
			if !again {
				break
			}
			want := s.Wait(a.Number)
			slack := time.Duration(s.Jitter * float64(want))
			if got := at.Sub(now); got < want-slack || got > want+slack {
				t.Errorf("%s: wait %d is %s, want %s ±%s", name, a.Number, got, want, slack)
			}
		}
		if a.Number != s.Attempts {
			t.Errorf("%s gives up after %d attempts, want %d", name, a.Number, s.Attempts)
		}
	}
}

// A wall clock that is set cannot be had in a test; what is made of its
// readings can.
func TestClockDoesNotStepBack(t *testing.T) {
	noon := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	if got, want := later(noon.Add(-24*time.Hour), noon.Add(time.Minute)), noon.Add(time.Minute); got != want {
		t.Errorf("set back a day, a minute after noon it is %s, want %s", got, want)
	}
	if got, want := later(noon.Add(8*time.Hour), noon.Add(time.Minute)), noon.Add(8*time.Hour); got != want {
		t.Errorf("after a sleep of eight hours it is %s, want %s", got, want)
	}
}
