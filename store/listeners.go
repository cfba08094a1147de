package store

import (
	"context"
	"fmt"

	"github.com/dgraph-io/badger/v4"

	"code.hooktape.dev/hooktape/capture"
)

// EditListener keeps what a relay knows of a listener, or changes it: edit is
// told whether it was there. It may be called more than once.
func (s *Store) EditListener(ctx context.Context, id capture.ID, edit func(l *capture.Listener, found bool) error) (l capture.Listener, err error) {
	if err = checkID(capture.ListenerID, id); err == nil {
		l, err = amend(ctx, s, keyID(prefixListener, id), func(l *capture.Listener, found bool) error {
			err := edit(l, found)
			l.ID = id
			return err
		})
	}
	if err != nil {
		return l, fmt.Errorf("store: listener %s: %w", id, err)
	}
	return l, nil
}

// RemoveListener forgets a listener. It returns capture.ErrNotFound, wrapped,
// where there is none.
func (s *Store) RemoveListener(ctx context.Context, id capture.ID) (err error) {
	if err = checkID(capture.ListenerID, id); err == nil {
		err = s.forget(ctx, keyID(prefixListener, id))
	}
	if err != nil {
		return fmt.Errorf("store: listener %s: %w", id, err)
	}
	return nil
}

// Listeners are all that were ever here, oldest first.
func (s *Store) Listeners(ctx context.Context) ([]capture.Listener, error) {
	return records[capture.Listener](ctx, s, prefixListener, "listeners")
}

// EditSeat keeps the seat of this store's listener for an app at a relay, or
// changes it: edit is told whether it was there. It may be called more than
// once.
func (s *Store) EditSeat(ctx context.Context, relay, app string, edit func(seat *capture.Seat, found bool)) (seat capture.Seat, err error) {
	seat, err = amend(ctx, s, digestKey(prefixSeat, relay, app), func(seat *capture.Seat, found bool) error {
		edit(seat, found)
		seat.Relay, seat.App = relay, app
		return nil
	})
	if err != nil {
		return seat, fmt.Errorf("store: seat at %s: %w", relay, err)
	}
	return seat, nil
}

// Gaps are all that were found, oldest first.
func (s *Store) Gaps(ctx context.Context) (gaps []capture.Gap, err error) {
	err = s.view(ctx, func(txn *badger.Txn) error {
		l := newList(txn, []byte{prefixGap}, false)
		defer l.close()
		for seq, ok := l.seek(0); ok; seq, ok = l.seek(seq + 1) {
			g := capture.Gap{Seq: seq}
			if err := find(txn, keySeq(prefixGap, seq), &g); err != nil {
				return err
			}
			gaps = append(gaps, g)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("store: gaps: %w", err)
	}
	return gaps, nil
}
