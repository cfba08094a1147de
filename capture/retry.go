package capture

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// RetryPolicy is when failed attempts at an endpoint are made again, and when
// the endpoint is disabled for failing. What is zero is taken from the preset,
// "default" if none is named.
type RetryPolicy struct {
	Preset   string     `json:"preset,omitempty" cbor:"1,keyasint,omitempty"`   // a name of Schedules
	Attempts int        `json:"attempts,omitempty" cbor:"2,keyasint,omitempty"` // of a delivery, the first among them
	Waits    []Duration `json:"waits_ms,omitempty" cbor:"3,keyasint,omitempty"` // after the first, the second, …; the last repeats
	Jitter   float64    `json:"jitter,omitempty" cbor:"4,keyasint,omitempty"`   // each wait is up to this part shorter or longer; -1: none
	// Disable the endpoint after so many deliveries that were given up in a
	// row, or so many attempts that failed in a row. -1: never.
	DisableExhausted int `json:"disable_after_exhausted,omitempty" cbor:"5,keyasint,omitempty"`
	DisableFailures  int `json:"disable_after_failures,omitempty" cbor:"6,keyasint,omitempty"`
}

// Schedule is a RetryPolicy spelled out.
type Schedule struct {
	Attempts int
	Waits    []time.Duration
	Jitter   float64
	// AnyFailure is tried again, whatever its status. Else: no answer, 408,
	// 429 and 5xx.
	AnyFailure bool
	// Obeys says that Retry-After replaces the wait. Else it may only make it
	// longer, up to an hour.
	Obeys bool
	// Gone says that 410 disables the endpoint at once.
	Gone bool

	// What disables the endpoint; 0: does not.
	Exhausted int // deliveries given up in a row
	Daily     int // deliveries given up within 24 hours of the first of them
	Failures  int // attempts failed in a row
}

// Schedules are the presets of a RetryPolicy.
var Schedules = map[string]Schedule{
	"default": {Attempts: 8, Waits: spans("5s 5m 30m 2h 5h 10h"), Jitter: 0.2, Gone: true, Exhausted: 10},
	// The example of Standard Webhooks 1.0.0, over three days.
	"standard": {Attempts: 11, Waits: spans("5s 5m 30m 2h 5h 10h 14h 20h 24h 24h"), Jitter: 0.2, Gone: true, Exhausted: 10},
	// For an app that is being worked on.
	"listen":   {Attempts: 12, Waits: spans("1s 2s 4s 8s 16s 32s 64s 128s 256s 5m"), Jitter: 0.2},
	"none":     {Attempts: 1, Gone: true},
	"blocklet": {Attempts: 4, Waits: spans("10s 60s 300s"), AnyFailure: true, Failures: 50},
	"ark":      {Attempts: 1},
	"wacht":    {Attempts: 32, Waits: spans("30s 1m 5m 15m 6h"), Obeys: true, Gone: true, Daily: 10},
}

func spans(list string) (ds []time.Duration) {
	for s := range strings.FieldsSeq(list) {
		d, err := time.ParseDuration(s)
		if err != nil {
			panic(err)
		}
		ds = append(ds, d)
	}
	return ds
}

// Schedule spells the policy out; a nil policy is the default. The error is a
// *FieldError.
func (p *RetryPolicy) Schedule() (Schedule, error) {
	if p == nil {
		return Schedules["default"], nil
	}
	name := p.Preset
	if name == "" {
		name = "default"
	}
	s, ok := Schedules[name]
	if !ok {
		return s, &FieldError{"retry.preset", fmt.Sprintf("%q: want one of %s", p.Preset, strings.Join(slices.Sorted(maps.Keys(Schedules)), ", "))}
	}
	if p.Attempts < 0 || p.Attempts > 100 {
		return s, &FieldError{"retry.attempts", fmt.Sprintf("%d: want 1 to 100", p.Attempts)}
	}
	if p.Attempts > 0 {
		s.Attempts = p.Attempts
	}
	if len(p.Waits) > 100 {
		return s, &FieldError{"retry.waits_ms", "want at most 100 waits"}
	}
	if len(p.Waits) > 0 {
		s.Waits = nil
	}
	for _, w := range p.Waits {
		if w <= 0 || w > Duration(7*24*time.Hour) {
			return s, &FieldError{"retry.waits_ms", fmt.Sprintf("%s: want more than 0 and at most 7 days", w)}
		}
		s.Waits = append(s.Waits, time.Duration(w))
	}
	if len(p.Waits) > 0 && p.Attempts == 0 {
		s.Attempts = len(p.Waits) + 1
	}
	if p.Jitter > 1 || p.Jitter < 0 && p.Jitter != -1 {
		return s, &FieldError{"retry.jitter", fmt.Sprintf("%g: want a part from 0 to 1, or -1 for none", p.Jitter)}
	}
	if p.Jitter != 0 {
		s.Jitter = max(0, p.Jitter)
	}
	if p.DisableExhausted != 0 {
		s.Exhausted, s.Daily = max(0, p.DisableExhausted), 0
	}
	if p.DisableFailures != 0 {
		s.Failures = max(0, p.DisableFailures)
	}
	return s, nil
}

// Wait is how long to wait after the given attempt (from 1), without jitter.
func (s Schedule) Wait(attempt int) time.Duration {
	if len(s.Waits) == 0 {
		return time.Second
	}
	return s.Waits[min(max(attempt, 1), len(s.Waits))-1]
}
