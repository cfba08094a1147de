package store

import (
	"context"
	"fmt"

	"github.com/dgraph-io/badger/v4"

	"code.hooktape.dev/hooktape/capture"
)

// Check reads every event with its body and its attempts, and reports those
// that are damaged. What concerns no single event is reported with the id "".
// It returns an error when it could not look at all of them.
func (s *Store) Check(ctx context.Context, report func(capture.ID, error)) error {
	before, _ := s.Counts(ctx)
	var events int64
	for after, more := uint64(0), true; more; {
		err := s.view(ctx, func(txn *badger.Txn) error {
			walk := newWalk(txn, false)
			defer walk.close()
			walk.seek(after + 1)
			for range 256 {
				var k kept
				if k, more = walk.next(); !more {
					return nil
				}
				if err := s.stop(ctx); err != nil {
					return err
				}
				after = k.seq
				events++
				if id, err := check(txn, k); err != nil {
					report(id, err)
				}
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("store: check: %w", err)
		}
	}
	if after, _ := s.Counts(ctx); events != after.Events && before == after {
		report("", fmt.Errorf("%d events are there, and %d were kept and not removed", events, after.Events))
	}
	if s.lost > 0 {
		report("", fmt.Errorf("%d events and attempts that were kept were gone when the store was opened", s.lost))
	}
	return nil
}

// check reads all there is of one event.
func check(txn *badger.Txn, k kept) (capture.ID, error) {
	var row capture.Row
	if err := decodeRow(k, &row); err != nil {
		return row.ID, fmt.Errorf("%w: the event at place %d: %w", capture.ErrDamaged, k.seq, err)
	}
	if seq, err := readSeq(txn, row.ID); err != nil || seq != k.seq {
		return row.ID, fmt.Errorf("%w: its id leads to place %d, not %d (%v)", capture.ErrDamaged, seq, k.seq, err)
	}
	if _, err := readBody(txn, &row.Event); err != nil {
		return row.ID, err
	}
	it := iterate(txn, keySeq(prefixOf, k.seq), false)
	defer it.Close()
	for it.Rewind(); it.Valid(); it.Next() {
		id := tailID(capture.AttemptID, it.Item().Key())
		if _, err := readAttempt(txn, id); err != nil {
			return row.ID, fmt.Errorf("attempt %s: %w", id, err)
		}
	}
	return row.ID, nil
}
