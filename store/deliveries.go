package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/dgraph-io/badger/v4"

	"code.hooktape.dev/hooktape/capture"
)

// A delivery and its first attempt are made at most so long one before or after
// the other. The two ids are made by one process, the delivery's usually right
// before the attempt's, and so the attempt is found by its delivery's id without
// an index of deliveries.
const (
	begins  = time.Second
	precede = 10 * time.Millisecond
)

// Deliveries are deliveries, the newest first. What it costs is the window and
// what has to be looked at to fill it: the attempts from Until, or the cursor,
// back to Since, be it of all or of the event or endpoint that q asks about;
// and where nothing is asked for but what failed or waits, those of the events
// of which something does.
func (s *Store) Deliveries(ctx context.Context, q capture.DeliveryQuery) (found []capture.Delivery, err error) {
	if q.Limit <= 0 {
		q.Limit = 50
	}
	err = s.view(ctx, func(txn *badger.Txn) error {
		d := &deliveries{store: s, ctx: ctx, txn: txn}
		from, err := d.from(&q)
		if err != nil {
			return err
		}
		found, err = d.window(&q, from)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("store: deliveries: %w", err)
	}
	return found, nil
}

// from is the attempt behind which the window begins.
func (d *deliveries) from(q *capture.DeliveryQuery) (capture.ID, error) {
	if q.Cursor != "" {
		a, err := d.first(q.Cursor)
		if err == nil {
			return a.ID, nil
		}
		if !errors.Is(err, capture.ErrNotFound) {
			return "", err
		}
		return capture.IDFrom(capture.AttemptID, q.Cursor.Bytes()), nil // it was removed meanwhile
	}
	if !q.Until.IsZero() {
		return capture.IDAt(capture.AttemptID, q.Until.Add(begins)), nil
	}
	return capture.IDAt(capture.AttemptID, time.UnixMilli(math.MaxInt64)), nil
}

func (d *deliveries) window(q *capture.DeliveryQuery, from capture.ID) (found []capture.Delivery, err error) {
	offset := q.Offset
	look := func(a *capture.Attempt) (bool, error) {
		if !q.Since.IsZero() && a.ID.Time().Add(precede).Before(q.Since.Truncate(time.Millisecond)) {
			return false, nil
		}
		if a.ID == from || a.Number > 1 || !begun(d.txn, a, q) {
			return true, nil
		}
		if len(q.Status) == 0 && offset > 0 {
			offset--
			return true, nil
		}
		delivery, err := d.read(a)
		switch {
		case errors.Is(err, capture.ErrNotFound): // its event is being removed
		case err != nil:
			return false, err
		case len(q.Status) > 0 && !slices.Contains(q.Status, delivery.Status):
		case offset > 0:
			offset--
		default:
			found = append(found, delivery)
		}
		return len(found) < q.Limit, nil
	}
	prefix := []byte{prefixAttempt}
	switch {
	case q.Event != "":
		seq, err := readSeq(d.txn, q.Event)
		if err != nil {
			return nil, fmt.Errorf("event %s: %w", q.Event, err)
		}
		prefix = keySeq(prefixOf, seq)
	case q.Endpoint != "":
		prefix = keyID(prefixAt, q.Endpoint)
	default:
		few, err := d.unsettled(q.Status)
		if err != nil {
			return nil, err
		}
		if few != nil {
			err = d.each(few, from, look)
			return found, err
		}
	}
	err = d.walk(prefix, from, true, look)
	return found, err
}

// mostUnsettled is how many events are looked up of which something failed or
// waits; where there are more, what was sent last is read as it comes.
const mostUnsettled = 5000

// unsettled are the attempts of events of which something has one of these
// statuses, the newest first, found by the index of events; nil where that does
// not tell, or they are many.
func (d *deliveries) unsettled(statuses []capture.DeliveryStatus) (ids []capture.ID, err error) {
	states := map[capture.State]bool{}
	for _, status := range statuses {
		switch status {
		case capture.DeliveryFailed, capture.DeliveryGone:
			states[capture.Failed], states[capture.Retrying] = true, true
		case capture.DeliveryRetrying:
			states[capture.Retrying] = true
		case capture.DeliveryPending:
		default:
			return nil, nil
		}
		states[capture.Pending] = true // of its other deliveries any may be
	}
	if len(states) == 0 {
		return nil, nil
	}
	events := 0
	ids = []capture.ID{}
	for state := range states {
		l := newList(d.txn, keyIndex(fieldState, string(state)), true)
		defer l.close()
		for seq, ok := l.seek(newest); ok; seq, ok = l.seek(seq - 1) {
			if events++; events > mostUnsettled {
				return nil, nil
			}
			if err := d.keys(keySeq(prefixOf, seq), "", false, func(id capture.ID) (bool, error) {
				ids = append(ids, id)
				return true, nil
			}); err != nil {
				return nil, err
			}
		}
	}
	slices.SortFunc(ids, func(a, b capture.ID) int { return cmp.Compare(b, a) })
	return ids, nil
}

// begun reports whether an attempt begins a delivery that q asks for, whatever
// its status.
func begun(txn *badger.Txn, a *capture.Attempt, q *capture.DeliveryQuery) bool {
	made := a.Delivery.Time()
	return asked(txn, a, &capture.AttemptQuery{App: q.App, Event: q.Event, Endpoint: q.Endpoint}) &&
		(q.Type == "" || a.Type == q.Type) &&
		(q.Since.IsZero() || !made.Before(q.Since.Truncate(time.Millisecond))) &&
		(q.Until.IsZero() || !made.After(q.Until))
}

// Delivery is one delivery. It returns capture.ErrNotFound, wrapped, for an
// unknown id.
func (s *Store) Delivery(ctx context.Context, id capture.ID) (delivery capture.Delivery, err error) {
	err = s.view(ctx, func(txn *badger.Txn) error {
		if checkID(capture.DeliveryID, id) != nil {
			return capture.ErrNotFound
		}
		d := &deliveries{store: s, ctx: ctx, txn: txn}
		a, err := d.first(id)
		if err == nil {
			delivery, err = d.read(a)
		}
		return err
	})
	if err != nil {
		return capture.Delivery{}, fmt.Errorf("store: delivery %s: %w", id, err)
	}
	return delivery, nil
}

// deliveries reads deliveries within a transaction.
type deliveries struct {
	store *Store
	ctx   context.Context
	txn   *badger.Txn
	of    map[capture.ID][]capture.Attempt // attempts of the events that were read last: their deliveries follow one another
	most  map[capture.ID]int               // attempts of a delivery, by endpoint

	looked int // attempts
}

// walk calls f with the attempts whose ids follow prefix, from one on, until f
// returns false.
func (d *deliveries) walk(prefix []byte, from capture.ID, desc bool, f func(*capture.Attempt) (bool, error)) error {
	return d.keys(prefix, from, desc, func(id capture.ID) (bool, error) { return d.attempt(id, f) })
}

// each is walk of ids that are at hand, the newest first.
func (d *deliveries) each(ids []capture.ID, from capture.ID, f func(*capture.Attempt) (bool, error)) error {
	for _, id := range ids {
		if id > from {
			continue
		}
		if more, err := d.attempt(id, f); err != nil || !more {
			return err
		}
	}
	return nil
}

// attempt calls f with an attempt. One that cannot be read is told to the log.
func (d *deliveries) attempt(id capture.ID, f func(*capture.Attempt) (bool, error)) (more bool, err error) {
	if d.looked++; d.looked%64 == 0 {
		if err := d.store.stop(d.ctx); err != nil {
			return false, err
		}
	}
	a, err := readAttempt(d.txn, id)
	if err != nil {
		d.store.log.log.Error("an attempt cannot be read", "attempt", id, "error", err)
		return true, nil
	}
	return f(&a)
}

// keys calls f with the ids that follow prefix.
func (d *deliveries) keys(prefix []byte, from capture.ID, desc bool, f func(capture.ID) (bool, error)) error {
	it := iterate(d.txn, prefix, desc)
	defer it.Close()
	b := from.Bytes()
	key := append(slices.Clone(prefix), b[:]...)
	if desc {
		key = append(key, 0xff) // with the further parts of its record
	}
	for it.Seek(key); it.ValidForPrefix(prefix); it.Next() {
		key := it.Item().Key()
		if len(key) != len(prefix)+16 {
			continue // a further part of a record
		}
		if more, err := f(tailID(capture.AttemptID, key)); err != nil || !more {
			return err
		}
	}
	return nil
}

// first is the first attempt of a delivery, or capture.ErrNotFound.
func (d *deliveries) first(id capture.ID) (first *capture.Attempt, err error) {
	from, last := capture.IDAt(capture.AttemptID, id.Time().Add(-precede)), id.Time().Add(begins)
	err = d.walk([]byte{prefixAttempt}, from, false, func(a *capture.Attempt) (bool, error) {
		if a.Delivery == id {
			first = a
		}
		return first == nil && !a.ID.Time().After(last), nil
	})
	if err == nil && first == nil {
		err = capture.ErrNotFound
	}
	return first, err
}

// read is the delivery that begins with an attempt.
func (d *deliveries) read(first *capture.Attempt) (delivery capture.Delivery, err error) {
	if _, ok := d.of[first.Event]; !ok {
		if len(d.of)%64 == 0 {
			d.of = map[capture.ID][]capture.Attempt{}
		}
		seq, err := readSeq(d.txn, first.Event)
		if err != nil {
			return delivery, err
		}
		err = d.walk(keySeq(prefixOf, seq), "", false, func(a *capture.Attempt) (bool, error) {
			d.of[first.Event] = append(d.of[first.Event], *a)
			return true, nil
		})
		if err != nil {
			return delivery, err
		}
	}
	var own []capture.Attempt
	for _, a := range d.of[first.Event] {
		if a.Delivery == first.Delivery {
			own = append(own, a)
		}
	}
	if len(own) == 0 {
		return delivery, capture.ErrNotFound
	}
	delivery.Fold(own)
	if delivery.App == "" { // an older hooktape did not write it into its attempts
		row, err := readRow(d.txn, first.Event)
		if err != nil {
			return delivery, err
		}
		delivery.App, delivery.Type = row.App, row.Type
	}
	delivery.MaxAttempts = max(d.mostOf(first), 1)
	return delivery, nil
}

// mostOf is how many attempts the schedule of an endpoint has for the delivery
// that begins with one.
func (d *deliveries) mostOf(first *capture.Attempt) int {
	if first.TriggeredBy == capture.ByUser {
		return 1
	}
	if n, ok := d.most[first.Endpoint]; ok {
		return n
	}
	schedule := capture.Schedules["listen"]
	if e, err := readEndpoint(d.txn, first.Endpoint); err == nil && e.Status != "" {
		schedule, _ = e.Retry.Schedule() // what is no schedule was never kept
	}
	if d.most == nil {
		d.most = map[capture.ID]int{}
	}
	d.most[first.Endpoint] = schedule.Attempts
	return schedule.Attempts
}
