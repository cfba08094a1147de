package store

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"

	"github.com/dgraph-io/badger/v4"

	"code.hooktape.dev/hooktape/capture"
)

// Attempts are attempts, newest first, without what went over the wire.
func (s *Store) Attempts(ctx context.Context, q capture.AttemptQuery) (found []capture.Attempt, err error) {
	if q.Limit <= 0 {
		q.Limit = 50
	}
	err = s.view(ctx, func(txn *badger.Txn) error {
		prefix := []byte{prefixAttempt}
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
			if q.Status == "" || a.Status == q.Status {
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

// Due are the pending attempts of an endpoint in the order of their NotBefore,
// those whose time has not come among them. It reads no more than limit
// (0: 50) of them however many wait, and changes nothing.
func (s *Store) Due(ctx context.Context, endpoint capture.ID, limit int) (due []capture.Attempt, err error) {
	if limit <= 0 {
		limit = 50
	}
	mark := s.queues.from(endpoint.Bytes()) // before the view: what is put in later must not be missed
	err = s.view(ctx, func(txn *badger.Txn) error {
		prefix := keyID(prefixPending, endpoint)
		it := iterate(txn, prefix, false)
		defer it.Close()
		first := uint64(never)
		for it.Seek(binary.BigEndian.AppendUint64(bytes.Clone(prefix), mark.low)); it.ValidForPrefix(prefix) && len(due) < limit; it.Next() {
			if err := s.stop(ctx); err != nil {
				return err
			}
			key := it.Item().Key()
			first = min(first, seqOf(key[len(prefix):]))
			id := tailID(capture.AttemptID, key)
			a, err := readAttempt(txn, id)
			if err != nil {
				s.log.log.Error("a pending attempt cannot be read", "attempt", id, "error", err)
				continue
			}
			due = append(due, a)
		}
		s.queues.raise(endpoint.Bytes(), mark, first)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("store: due at %s: %w", endpoint, err)
	}
	return due, nil
}
