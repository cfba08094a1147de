// Package series folds events and attempts into buckets of time: what they
// came to, why attempts failed, which types there were and how long answers
// took. It knows no clock and no store: whoever keeps a fact folds it into
// the buckets of its moment, and buckets are merged to answer for a span.
//
// Folding in any order, and merging any parts of it in any order, comes to the
// same, event types past a bucket's bound aside (see Types).
package series

import (
	"cmp"
	"fmt"
	"slices"

	"code.hooktape.dev/hooktape/capture"
)

// Bucket is what happened in a span of time. The zero Bucket is empty.
type Bucket struct {
	Events    int64     `cbor:"1,keyasint,omitempty"`
	Succeeded int64     `cbor:"2,keyasint,omitempty"` // attempts
	Failed    int64     `cbor:"3,keyasint,omitempty"` // attempts
	Exhausted int64     `cbor:"4,keyasint,omitempty"` // failed attempts that were Final
	Failures  names     `cbor:"5,keyasint,omitempty"` // by class, or by the first digit of the status
	Named     names     `cbor:"6,keyasint,omitempty"` // event types
	Answers   Histogram `cbor:"7,keyasint,omitempty"` // of attempts that got an answer, good or bad
	Begun     int64     `cbor:"8,keyasint,omitempty"` // attempts that were the first of their deliveries
}

// Event folds an event in, with its type.
func (b *Bucket) Event(eventType string) {
	b.Events++
	b.Type(eventType)
}

// Attempt folds a finished attempt in. One that is pending, or was skipped,
// counts nowhere. Its type is not counted: an event's attempts are many.
func (b *Bucket) Attempt(a *capture.Attempt) {
	switch a.Status {
	case capture.AttemptSucceeded:
		b.Succeeded++
	case capture.AttemptFailed:
		b.Failed++
		b.Failures.add(class(a), 1, mostReasons)
		if a.Final {
			b.Exhausted++
		}
	default:
		return
	}
	if a.Number <= 1 {
		b.Begun++
	}
	if a.Code > 0 {
		b.Answers.Add(a.Duration)
	}
}

// Type counts an event type, for buckets that know events by their deliveries
// only. "" is not counted.
func (b *Bucket) Type(eventType string) {
	if eventType != "" {
		b.Named.add(eventType, 1, mostTypes)
	}
}

// Merge adds what other holds.
func (b *Bucket) Merge(other *Bucket) {
	b.Events += other.Events
	b.Succeeded += other.Succeeded
	b.Failed += other.Failed
	b.Exhausted += other.Exhausted
	b.Begun += other.Begun
	b.Failures.merge(other.Failures, mostReasons)
	b.Named.merge(other.Named, mostTypes)
	b.Answers.merge(&other.Answers)
}

// Empty reports whether nothing happened.
func (b *Bucket) Empty() bool { return b.Events+b.Attempts() == 0 }

// Attempts is how many finished.
func (b *Bucket) Attempts() int64 { return b.Succeeded + b.Failed }

// Totals are the bucket's counts.
func (b *Bucket) Totals() capture.Totals {
	t := capture.Totals{
		Events: b.Events, Attempts: b.Attempts(), Succeeded: b.Succeeded, Failed: b.Failed,
		Deliveries: b.Succeeded + b.Exhausted, Exhausted: b.Exhausted, Begun: b.Begun,
	}
	if t.Attempts > 0 {
		rate := float64(t.Succeeded) / float64(t.Attempts)
		t.SuccessRate = &rate
	}
	if h := &b.Answers; h.Count() > 0 {
		t.Latency = &capture.Latency{Mean: h.Mean(), P50: h.Quantile(0.5), P95: h.Quantile(0.95), P99: h.Quantile(0.99), Max: h.Max}
	}
	return t
}

// Reasons are why attempts failed, named for people, the most frequent first
// and then by name.
func (b *Bucket) Reasons() []capture.Count {
	list := []capture.Count{}
	for class, n := range b.Failures {
		list = append(list, capture.Count{Name: cmp.Or(reasons[class], class), Count: n})
	}
	return sorted(list)
}

// Types are the event types, the most frequent first and then by name. A
// bucket holds 50 and counts the rest as "other". Folding gives places to
// those that come first, merging to those of which there are most; so a
// frequent type can only be missing from a moment in which 50 others came
// before it, and no count but that of other is ever too high. Names are cut
// after 64 bytes.
func (b *Bucket) Types() []capture.Count {
	list := []capture.Count{}
	for name, n := range b.Named {
		list = append(list, capture.Count{Name: name, Count: n})
	}
	return sorted(list)
}

func sorted(list []capture.Count) []capture.Count {
	slices.SortFunc(list, func(a, b capture.Count) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Name, b.Name))
	})
	return list
}

// reasons are names of classes. A class that is not here is its own name.
var reasons = map[string]string{
	"1xx": "unexpected answer (1xx)",
	"2xx": "unexpected answer (2xx)",
	"3xx": "redirect (3xx)",
	"4xx": "client error (4xx)",
	"5xx": "server error (5xx)",
}

// class is what a failed attempt is counted under.
func class(a *capture.Attempt) string {
	switch {
	case a.Error == nil:
		return "unknown"
	case a.Error.Class == capture.FailStatus && a.Code >= 100 && a.Code < 600:
		return fmt.Sprintf("%dxx", a.Code/100)
	}
	return a.Error.Class
}
