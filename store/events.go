package store

import (
	"context"
	"fmt"

	"github.com/dgraph-io/badger/v4"

	"code.hooktape.dev/hooktape/capture"
)

// Event is one event with what has become of it. It returns
// capture.ErrNotFound, wrapped, when there is none of that id, and
// capture.ErrDamaged when its record is damaged.
func (s *Store) Event(ctx context.Context, id capture.ID) (row capture.Row, err error) {
	err = s.view(ctx, func(txn *badger.Txn) error {
		row, err = readRow(txn, id)
		return err
	})
	if err != nil {
		return capture.Row{}, fmt.Errorf("store: event %s: %w", id, err)
	}
	return row, nil
}

// Body is the body of an event, exactly as it was kept: it has the length and
// the digest of the event's record, or capture.ErrDamaged is returned,
// wrapped. An event that is not there is capture.ErrNotFound.
func (s *Store) Body(ctx context.Context, id capture.ID) (body []byte, err error) {
	err = s.view(ctx, func(txn *badger.Txn) error {
		row, err := readRow(txn, id)
		if err != nil {
			return err
		}
		body, err = readBody(txn, &row.Event)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("store: body of %s: %w", id, err)
	}
	return body, nil
}

// Wholes are events with their bodies in the order asked for: as many of them
// as have 2 MiB of body together, and at least one. They are one read, since
// Badger makes the beginning of every read wait for the commit under way.
func (s *Store) Wholes(ctx context.Context, ids ...capture.ID) (found []capture.Whole, err error) {
	err = s.view(ctx, func(txn *badger.Txn) error {
		var size int64
		for _, id := range ids {
			var w capture.Whole
			if w.Err = readEvent(txn, id, &w.Event); w.Err == nil {
				if size += stored(&w.Event); len(found) > 0 && size > 2<<20 {
					return nil
				}
				w.Body, w.Err = readBody(txn, &w.Event)
			}
			if w.Err != nil {
				w.Err = fmt.Errorf("store: event %s: %w", id, w.Err)
			}
			found = append(found, w)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("store: events: %w", err)
	}
	return found, nil
}

// readRow looks an event up, with what has become of it.
func readRow(txn *badger.Txn, id capture.ID) (row capture.Row, err error) {
	k, err := readKept(txn, id)
	if err != nil {
		return row, err
	}
	if k.tally, err = readParts(txn, keyTally(k.seq)); err != nil {
		return row, err
	}
	if err := decodeRow(k, &row); err != nil {
		return row, fmt.Errorf("%w: %w", capture.ErrDamaged, err)
	}
	return row, inPlace(&row.Event, id)
}

// readEvent looks an event up.
func readEvent(txn *badger.Txn, id capture.ID, e *capture.Event) error {
	k, err := readKept(txn, id)
	if err != nil {
		return err
	}
	if err := decodeEvent(k.seq, k.record, e); err != nil {
		return fmt.Errorf("%w: %w", capture.ErrDamaged, err)
	}
	return inPlace(e, id)
}

// readKept is the record of an event, without its tally.
func readKept(txn *badger.Txn, id capture.ID) (k kept, err error) {
	if k.seq, err = readSeq(txn, id); err != nil {
		return k, err
	}
	k.record, err = readParts(txn, keyEvent(k.seq))
	return k, err
}

func inPlace(e *capture.Event, id capture.ID) error {
	if e.ID != id {
		return fmt.Errorf("%w: its place holds %s", capture.ErrDamaged, e.ID)
	}
	return nil
}

// readSeq is the place of an event, or capture.ErrNotFound.
func readSeq(txn *badger.Txn, id capture.ID) (uint64, error) {
	if checkID(capture.EventID, id) != nil {
		return 0, capture.ErrNotFound
	}
	b, err := read(txn, keyID(prefixID, id))
	if err != nil {
		return 0, err
	}
	if b == nil {
		return 0, capture.ErrNotFound
	}
	return seqOf(b), nil
}

// readBody puts the body of e together and checks it.
func readBody(txn *badger.Txn, e *capture.Event) ([]byte, error) {
	if stored(e) == 0 {
		return nil, nil
	}
	body, err := readChunks(txn, keySeq(prefixBody, e.Seq), e.Size)
	if err != nil {
		return nil, err
	}
	if int64(len(body)) != e.Size {
		return nil, fmt.Errorf("%w: %d of %d bytes are left", capture.ErrDamaged, len(body), e.Size)
	}
	if capture.Sum(body) != e.SHA256 {
		return nil, fmt.Errorf("%w: its digest does not match", capture.ErrDamaged)
	}
	return body, nil
}

// Counts are totals, kept as things are kept.
func (s *Store) Counts(context.Context) (capture.Counts, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return capture.Counts{Events: s.totals.Events, Pending: s.totals.Pending, Seq: s.totals.Seq}, nil
}

func (s *Store) lastSeq() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.totals.Seq
}

// Pin marks an event as one to keep whatever the retention says, or takes the
// mark away. It returns capture.ErrNotFound, wrapped, for an unknown id.
func (s *Store) Pin(ctx context.Context, id capture.ID, on bool) error {
	err := s.do(ctx, &write{needs: roomAttempt, plan: func(b *batch) error {
		seq, err := b.seq(id)
		if err != nil {
			return err
		}
		t, err := b.tally(seq)
		if err != nil {
			return err
		}
		if t.Pinned == on {
			return nil
		}
		t.Pinned = on
		return b.putTally(seq, t)
	}})
	if err != nil {
		return fmt.Errorf("store: pin %s: %w", id, err)
	}
	return nil
}
