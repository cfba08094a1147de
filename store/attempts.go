package store

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/dgraph-io/badger/v4"

	"code.hooktape.dev/hooktape/capture"
)

// Attempts are attempts, newest first, without what went over the wire.
func (s *Store) Attempts(ctx context.Context, q capture.AttemptQuery) (found []capture.Attempt, err error) {
	if q.Limit <= 0 {
		q.Limit = 50
	}
	if q.ByDue {
		return s.pending(ctx, q)
	}
	err = s.view(ctx, func(txn *badger.Txn) error {
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
		end := append([]byte(nil), prefix...)
		if q.Cursor != "" {
			b := q.Cursor.Bytes()
			end = append(end, b[:]...)
		} else {
			end = append(end, 0xff) // no ULID begins with it
		}
		it := iterate(txn, prefix, true)
		defer it.Close()
		looked := 0
		for it.Seek(end); it.ValidForPrefix(prefix) && len(found) < q.Limit; it.Next() {
			if looked++; looked%64 == 0 {
				if err := s.stop(ctx); err != nil {
					return err
				}
			}
			key := it.Item().Key()
			id := tailID(capture.AttemptID, key)
			if len(key) != len(prefix)+16 || id == q.Cursor {
				continue // or a further part of a record
			}
			a, err := readAttempt(txn, id)
			if err != nil {
				s.log.log.Error("an attempt cannot be read", "attempt", id, "error", err)
				continue
			}
			if asked(txn, &a, &q) {
				found = append(found, a)
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("store: attempts: %w", err)
	}
	return found, nil
}

// asked reports whether an attempt is one of those that q asks for.
func asked(txn *badger.Txn, a *capture.Attempt, q *capture.AttemptQuery) bool {
	if q.Event != "" && a.Event != q.Event || q.Endpoint != "" && a.Endpoint != q.Endpoint || q.Status != "" && a.Status != q.Status {
		return false
	}
	if q.App == "" || a.App != "" {
		return q.App == "" || a.App == q.App
	}
	row, err := readRow(txn, a.Event) // an older hooktape did not write it into its attempts
	return err == nil && row.App == q.App
}

// pending are pending attempts in the order they are due, at one endpoint or
// at all of them.
func (s *Store) pending(ctx context.Context, q capture.AttemptQuery) (found []capture.Attempt, err error) {
	if q.Status != "" && q.Status != capture.AttemptPending {
		return nil, nil
	}
	endpoints := []capture.ID{q.Endpoint}
	if q.Endpoint == "" {
		queues, _, err := s.Ready(ctx, time.Unix(0, math.MaxInt64))
		if err != nil {
			return nil, err
		}
		endpoints = endpoints[:0]
		for _, q := range queues {
			endpoints = append(endpoints, q.Endpoint)
		}
	}
	for _, id := range endpoints {
		due, err := s.due(ctx, id, q)
		if err != nil {
			return nil, err
		}
		found = append(found, due...)
		// Cut now and then: there may be as many endpoints as it pleases.
		if len(found) > 10*q.Limit {
			found = soonest(found, q.Limit)
		}
	}
	return soonest(found, q.Limit), nil
}

// soonest are the n of as that are due first.
func soonest(as []capture.Attempt, n int) []capture.Attempt {
	slices.SortStableFunc(as, func(a, b capture.Attempt) int {
		return cmp.Or(a.NotBefore.Compare(b.NotBefore), cmp.Compare(a.ID, b.ID))
	})
	return as[:min(n, len(as))]
}

// Attempt is one attempt, whole. It returns capture.ErrNotFound, wrapped, for
// an unknown id.
func (s *Store) Attempt(ctx context.Context, id capture.ID) (a capture.Attempt, err error) {
	err = s.view(ctx, func(txn *badger.Txn) error {
		if a, err = readAttempt(txn, id); err != nil {
			return err
		}
		key := keyID(prefixWire, id)
		raw, err := readChunks(txn, key, 0)
		if err != nil || raw == nil {
			return err
		}
		var w wire
		if err := decode(key, raw, &w); err != nil {
			return fmt.Errorf("%w: what went over the wire: %w", capture.ErrDamaged, err)
		}
		a.Request, a.Response = w.Request, w.Response
		if w.Request == nil || w.Request.Around == nil {
			return nil
		}
		row, err := readRow(txn, a.Event)
		if err != nil {
			return nil // what was sent around a body that is damaged still counts
		}
		if body, err := readBody(txn, &row.Event); err == nil {
			a.Request.Made = a.Request.Around[0] + capture.Raw(body) + a.Request.Around[1]
		}
		return nil
	})
	if err != nil {
		return capture.Attempt{}, fmt.Errorf("store: attempt %s: %w", id, err)
	}
	return a, nil
}

// readAttempt looks up an attempt without what went over the wire.
func readAttempt(txn *badger.Txn, id capture.ID) (a capture.Attempt, err error) {
	if checkID(capture.AttemptID, id) != nil {
		return a, capture.ErrNotFound
	}
	key := keyID(prefixAttempt, id)
	raw, err := readParts(txn, key)
	if err != nil {
		return a, err
	}
	if raw == nil {
		return a, capture.ErrNotFound
	}
	if err := decode(key, raw, &a); err != nil {
		return a, fmt.Errorf("%w: %w", capture.ErrDamaged, err)
	}
	return a, nil
}
