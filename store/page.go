package store

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"github.com/dgraph-io/badger/v4"

	"code.hooktape.dev/hooktape/capture"
)

// mostPaged is how many attempts AttemptPage looks at, 16 bytes each.
const mostPaged = 1 << 20

// AttemptPage is a page of the attempts at registered endpoints, deleted ones
// among them, newest first, without what went over the wire: those behind the
// first skip; and how many there are in all. q names an Event, an Endpoint or
// an App; its Status, Cursor and ByDue do not count.
//
// It reads keys, and of attempts only those of the page, or of the event. So an
// attempt for another app than q's, which somebody sent to one of its endpoints
// by hand, is counted without being shown. Of more than a million attempts the
// oldest endpoints' are left out.
func (s *Store) AttemptPage(ctx context.Context, q capture.AttemptQuery, skip int) (page []capture.Attempt, total int, err error) {
	if q.Limit <= 0 {
		q.Limit = 50
	}
	q.Status = ""
	err = s.view(ctx, func(txn *badger.Txn) error {
		found, err := s.paged(ctx, txn, &q)
		if err != nil {
			return err
		}
		total = len(found)
		slices.SortFunc(found, func(a, b [16]byte) int { return bytes.Compare(b[:], a[:]) })
		from := min(max(skip, 0), total)
		for _, id := range found[from:min(total, from+q.Limit)] {
			a, err := readAttempt(txn, capture.IDFrom(capture.AttemptID, id))
			if err != nil {
				s.log.log.Error("an attempt cannot be read", "attempt", capture.IDFrom(capture.AttemptID, id), "error", err)
				continue
			}
			if asked(txn, &a, &q) {
				page = append(page, a)
			}
		}
		return nil
	})
	if err != nil {
		return nil, 0, fmt.Errorf("store: page of attempts: %w", err)
	}
	return page, total, nil
}

// paged are all attempts that q asks for.
func (s *Store) paged(ctx context.Context, txn *badger.Txn, q *capture.AttemptQuery) ([][16]byte, error) {
	if q.Event != "" {
		return s.pagedOf(ctx, txn, q)
	}
	at, err := s.registered(ctx, txn, q)
	var found ids
	for _, id := range slices.Backward(at) {
		if err == nil && len(found) < mostPaged {
			found, err = s.tails(ctx, txn, keyID(prefixAt, id), found)
		}
	}
	return found, err
}

// pagedOf are those of an event.
func (s *Store) pagedOf(ctx context.Context, txn *badger.Txn, q *capture.AttemptQuery) ([][16]byte, error) {
	seq, err := readSeq(txn, q.Event)
	if err != nil {
		return nil, fmt.Errorf("event %s: %w", q.Event, err)
	}
	found, err := s.tails(ctx, txn, keySeq(prefixOf, seq), nil)
	if err != nil {
		return nil, err
	}
	known := map[capture.ID]bool{}
	registered := func(id capture.ID) bool {
		is, ok := known[id]
		if !ok {
			e, err := readEndpoint(txn, id)
			is = err == nil && e.Status != ""
			known[id] = is
		}
		return is
	}
	return slices.DeleteFunc(found, func(id [16]byte) bool {
		a, err := readAttempt(txn, capture.IDFrom(capture.AttemptID, id))
		return err != nil || !asked(txn, &a, q) || !registered(a.Endpoint)
	}), nil
}

// registered are the endpoints that q is about, oldest first.
func (s *Store) registered(ctx context.Context, txn *badger.Txn, q *capture.AttemptQuery) (at []capture.ID, err error) {
	if q.Endpoint != "" {
		e, err := readEndpoint(txn, q.Endpoint)
		if err != nil {
			return nil, fmt.Errorf("endpoint %s: %w", q.Endpoint, err)
		}
		if e.Status != "" && (q.App == "" || e.App == q.App) {
			at = append(at, e.ID)
		}
		return at, nil
	}
	it := iterate(txn, []byte{prefixEndpoint}, false)
	defer it.Close()
	for it.Rewind(); it.Valid(); it.Next() {
		if err := s.stop(ctx); err != nil {
			return nil, err
		}
		var e capture.Endpoint
		if item(it.Item(), &e) == nil && e.Status != "" && (q.App == "" || e.App == q.App) {
			at = append(at, e.ID)
		}
	}
	return at, nil
}

// tails appends the ids with which the keys below prefix end.
func (s *Store) tails(ctx context.Context, txn *badger.Txn, prefix []byte, found ids) (ids, error) {
	it := iterate(txn, prefix, true)
	defer it.Close()
	for it.Seek(append(slices.Clone(prefix), 0xff)); it.ValidForPrefix(prefix) && len(found) < mostPaged; it.Next() {
		if len(found)%64 == 0 {
			if err := s.stop(ctx); err != nil {
				return nil, err
			}
		}
		if key := it.Item().Key(); len(key) == len(prefix)+16 {
			found = append(found, [16]byte(key[len(prefix):]))
		}
	}
	return found, nil
}
