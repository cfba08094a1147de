package store

import (
	"encoding/binary"
	"errors"
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
	Waiting   waitings        `cbor:"7,keyasint,omitempty"`
	Failed    ids             `cbor:"8,keyasint,omitempty"`
	Succeeded bool            `cbor:"5,keyasint,omitempty"` // some attempt has
	Bytes     int64           `cbor:"6,keyasint,omitempty"` // of the event's attempts, for totals.Bytes

	// As an older hooktape wrote the two lists; read only.
	OldWaiting []oldWaiting `cbor:"3,keyasint,omitempty"`
	OldFailed  []capture.ID `cbor:"4,keyasint,omitempty"`
}

type oldWaiting struct {
	Attempt  capture.ID `cbor:"1,keyasint"`
	Delivery capture.ID `cbor:"2,keyasint"`
	Due      time.Time  `cbor:"3,keyasint"`
}

// upgrade moves what an older hooktape wrote to where it is now.
func (t *tally) upgrade() {
	for _, w := range t.OldWaiting {
		t.Waiting = append(t.Waiting, waiting{w.Attempt.Bytes(), w.Delivery.Bytes(), nanos(w.Due)})
	}
	for _, d := range t.OldFailed {
		t.Failed = append(t.Failed, d.Bytes())
	}
	t.OldWaiting, t.OldFailed = nil, nil
}

// waiting is a pending attempt.
type waiting struct {
	attempt, delivery [16]byte
	due               uint64 // nanoseconds
}

// waitings are written as 40 bytes each: an event may go to hundreds of
// endpoints, and its tally is written again for each attempt.
type waitings []waiting

func (ws waitings) MarshalBinary() ([]byte, error) {
	b := make([]byte, 0, 40*len(ws))
	for _, w := range ws {
		b = append(append(b, w.attempt[:]...), w.delivery[:]...)
		b = binary.BigEndian.AppendUint64(b, w.due)
	}
	return b, nil
}

func (ws *waitings) UnmarshalBinary(b []byte) error {
	if len(b)%40 != 0 {
		return errPacked
	}
	*ws = make(waitings, 0, len(b)/40)
	for ; len(b) > 0; b = b[40:] {
		*ws = append(*ws, waiting{[16]byte(b), [16]byte(b[16:]), binary.BigEndian.Uint64(b[32:])})
	}
	return nil
}

// ids are written as 16 bytes each.
type ids [][16]byte

func (is ids) MarshalBinary() ([]byte, error) {
	b := make([]byte, 0, 16*len(is))
	for _, id := range is {
		b = append(b, id[:]...)
	}
	return b, nil
}

func (is *ids) UnmarshalBinary(b []byte) error {
	if len(b)%16 != 0 {
		return errPacked
	}
	*is = make(ids, 0, len(b)/16)
	for ; len(b) > 0; b = b[16:] {
		*is = append(*is, [16]byte(b))
	}
	return nil
}

var errPacked = errors.New("a list that ends within an entry")

// wait notes a pending attempt.
func (t *tally) wait(a *capture.Attempt) {
	t.Waiting = append(t.Waiting, waiting{a.ID.Bytes(), a.Delivery.Bytes(), nanos(a.NotBefore)})
}

// unwait forgets a pending attempt.
func (t *tally) unwait(id capture.ID) {
	b := id.Bytes()
	t.Waiting = slices.DeleteFunc(t.Waiting, func(w waiting) bool { return w.attempt == b })
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
	delivery := a.Delivery.Bytes()
	t.Failed = slices.DeleteFunc(t.Failed, func(d [16]byte) bool { return d == delivery })
	if a.Status == capture.AttemptSucceeded {
		t.Succeeded = true
		return
	}
	t.Failed = append(t.Failed, delivery)
}

// fold derives state and next due time from the rest.
func (t *tally) fold() {
	o := &t.Outcome
	o.Next = time.Time{}
	failed := make(map[[16]byte]bool, len(t.Failed))
	for _, d := range t.Failed {
		failed[d] = true
	}
	first := false // an attempt waits in a delivery that has not failed
	soonest := uint64(never)
	for _, w := range t.Waiting {
		soonest = min(soonest, w.due)
		first = first || !failed[w.delivery]
	}
	if soonest > 0 && soonest != never {
		o.Next = time.Unix(0, int64(soonest)).UTC()
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
