package store

import (
	"slices"
	"time"

	"code.hooktape.dev/hooktape/capture"
)

// tally is what may change about an event: its pin, and its outcome with what
// is needed to fold the next attempt into it. It is written in the
// transaction that keeps the attempt.
//
// Only what still matters is listed. A delivery is in Failed while its newest
// finished attempt is a failed one; one that went well is in no list.
type tally struct {
	Outcome   capture.Outcome `cbor:"1,keyasint"`
	Pinned    bool            `cbor:"2,keyasint,omitempty"`
	Waiting   []waiting       `cbor:"3,keyasint,omitempty"`
	Failed    []capture.ID    `cbor:"4,keyasint,omitempty"`
	Succeeded bool            `cbor:"5,keyasint,omitempty"` // some attempt has
	Bytes     int64           `cbor:"6,keyasint,omitempty"` // of the event's attempts, for totals.Bytes
}

// waiting is a pending attempt.
type waiting struct {
	Attempt  capture.ID `cbor:"1,keyasint"`
	Delivery capture.ID `cbor:"2,keyasint"`
	Due      time.Time  `cbor:"3,keyasint"`
}

// wait notes a pending attempt.
func (t *tally) wait(a *capture.Attempt) {
	t.Waiting = append(t.Waiting, waiting{a.ID, a.Delivery, a.NotBefore})
}

// unwait forgets a pending attempt.
func (t *tally) unwait(id capture.ID) {
	t.Waiting = slices.DeleteFunc(t.Waiting, func(w waiting) bool { return w.Attempt == id })
}

// finish notes a finished attempt. A skipped one was never sent: it is no
// try, and leaves its delivery as it was.
func (t *tally) finish(a *capture.Attempt) {
	if a.Status == capture.AttemptSkipped {
		return
	}
	o := &t.Outcome
	o.Tries++
	o.Status, o.Duration, o.Error = a.Code, a.Duration, ""
	if a.Error != nil {
		o.Error = a.Error.Class
	}
	t.Failed = slices.DeleteFunc(t.Failed, func(d capture.ID) bool { return d == a.Delivery })
	if a.Status == capture.AttemptSucceeded {
		t.Succeeded = true
		return
	}
	t.Failed = append(t.Failed, a.Delivery)
}

// fold derives state and next due time from the rest.
func (t *tally) fold() {
	o := &t.Outcome
	o.Next = time.Time{}
	first := false // an attempt waits in a delivery that has not failed
	for i, w := range t.Waiting {
		if i == 0 || w.Due.Before(o.Next) {
			o.Next = w.Due
		}
		first = first || !slices.Contains(t.Failed, w.Delivery)
	}
	switch {
	case first:
		o.State = capture.Pending
	case len(t.Waiting) > 0:
		o.State = capture.Retrying
	case len(t.Failed) > 0:
		o.State = capture.Failed
	case t.Succeeded:
		o.State = capture.OK
	default:
		o.State = capture.Captured
	}
}
