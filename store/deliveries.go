package store

import (
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
// back to Since, be it of all or of the event or endpoint that q asks about.
func (s *Store) Deliveries(ctx context.Context, q capture.DeliveryQuery) (found []capture.Delivery, err error) {
	if q.Limit <= 0 {
		q.Limit = 50
	}
	err = s.view(ctx, func(txn *badger.Txn) error {
		d := &deliveries{store: s, ctx: ctx, txn: txn}
		prefix := []byte{prefixAttempt}
		if q.Endpoint != "" {
			prefix = keyID(prefixAt, q.Endpoint)
		}
		if q.Event != "" {
			seq, err := readSeq(txn, q.Event)
			if err != nil {
				return fmt.Errorf("event %s: %w", q.Event, err)
			}
			prefix = keySeq(prefixOf, seq)
		}
		from := capture.IDAt(capture.AttemptID, time.UnixMilli(math.MaxInt64))
		if !q.Until.IsZero() {
			from = capture.IDAt(capture.AttemptID, q.Until.Add(begins))
		}
		if q.Cursor != "" {
			from = q.Cursor
			if a, err := d.first(q.Cursor); err == nil {
				from = a.ID
			} else if !errors.Is(err, capture.ErrNotFound) {
				return err
			}
		}
		return d.walk(prefix, from, true, func(a *capture.Attempt) (bool, error) {
			if !q.Since.IsZero() && a.ID.Time().Add(precede).Before(q.Since.Truncate(time.Millisecond)) {
				return false, nil
			}
			if a.ID == from || a.Number > 1 || !begun(txn, a, &q) {
				return true, nil
			}
			if len(q.Status) == 0 && q.Offset > 0 {
				q.Offset--
				return true, nil
			}
			delivery, err := d.read(a)
			switch {
			case errors.Is(err, capture.ErrNotFound): // its event is being removed
			case err != nil:
				return false, err
			case len(q.Status) > 0 && !slices.Contains(q.Status, delivery.Status):
			case q.Offset > 0:
				q.Offset--
			default:
				found = append(found, delivery)
			}
			return len(found) < q.Limit, nil
		})
	})
	if err != nil {
		return nil, fmt.Errorf("store: deliveries: %w", err)
	}
	return found, nil
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
	err = checkID(capture.DeliveryID, id)
	if err != nil {
		err = capture.ErrNotFound
	} else {
		err = s.view(ctx, func(txn *badger.Txn) error {
			d := &deliveries{store: s, ctx: ctx, txn: txn}
			a, err := d.first(id)
			if err == nil {
				delivery, err = d.read(a)
			}
			return err
		})
	}
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
}

// walk calls f with the attempts whose ids follow prefix, from one on, until f
// returns false. What cannot be read is told to the log.
func (d *deliveries) walk(prefix []byte, from capture.ID, desc bool, f func(*capture.Attempt) (bool, error)) error {
	it := iterate(d.txn, prefix, desc)
	defer it.Close()
	b := from.Bytes()
	key := append(slices.Clone(prefix), b[:]...)
	if desc {
		key = append(key, 0xff) // with the further parts of its record
	}
	looked := 0
	for it.Seek(key); it.ValidForPrefix(prefix); it.Next() {
		if looked++; looked%64 == 0 {
			if err := d.store.stop(d.ctx); err != nil {
				return err
			}
		}
		key := it.Item().Key()
		if len(key) != len(prefix)+16 {
			continue // a further part of a record
		}
		id := tailID(capture.AttemptID, key)
		a, err := readAttempt(d.txn, id)
		if err != nil {
			d.store.log.log.Error("an attempt cannot be read", "attempt", id, "error", err)
			continue
		}
		if more, err := f(&a); err != nil || !more {
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
