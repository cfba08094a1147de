package store

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/dgraph-io/badger/v4"

	"code.hooktape.dev/hooktape/capture"
)

// onceFor is how long an idempotency key counts.
const onceFor = 24 * time.Hour

// once is the event that was kept by the same key, or capture.ErrNotFound
// after staging that e is. It is a *capture.ConflictError when that event is
// another one: the key was used for something else.
func (b *batch) once(e *capture.Event, key string) (same capture.ID, seq uint64, err error) {
	at := digestKey(prefixOnce, e.App, key)
	raw, err := b.get(at)
	if err != nil {
		return "", 0, err
	}
	if len(raw) == 24 && b.now-min(b.now, seqOf(raw)) < uint64(onceFor.Milliseconds()) {
		same = capture.IDFrom(capture.EventID, [16]byte(raw[8:]))
		if seq, err = b.seq(same); !errors.Is(err, capture.ErrNotFound) {
			if err == nil {
				err = b.alike(seq, e)
			}
			return same, seq, err
		}
	}
	id := e.ID.Bytes()
	b.put(at, append(binary.BigEndian.AppendUint64(nil, b.now), id[:]...))
	return "", 0, capture.ErrNotFound
}

// alike is nil when the event at seq says the same as e.
func (b *batch) alike(seq uint64, e *capture.Event) error {
	raw, err := b.getParts(keyEvent(seq))
	if err != nil {
		return err
	}
	var kept capture.Event
	if err := decodeEvent(seq, raw, &kept); err != nil {
		return err
	}
	if kept.Type != e.Type || kept.Source != e.Source || kept.SHA256 != e.SHA256 {
		return &capture.ConflictError{Field: "idempotency_key", With: string(kept.ID),
			What: fmt.Sprintf("idempotency_key: it was used for another event, %s; use a new key for a new event", kept.ID)}
	}
	return nil
}

// forgetKeys removes idempotency keys that no longer count, once an hour.
func (s *Store) forgetKeys(ctx context.Context) error {
	if time.Since(s.forgot) < time.Hour {
		return nil
	}
	s.forgot = time.Now()
	old := uint64(time.Now().Add(-onceFor).UnixMilli())
	var keys [][]byte
	err := s.view(ctx, func(txn *badger.Txn) error {
		it := iterate(txn, []byte{prefixOnce}, false)
		defer it.Close()
		for it.Rewind(); it.Valid(); it.Next() {
			if err := s.stop(ctx); err != nil {
				return err
			}
			err := it.Item().Value(func(v []byte) error {
				if seqOf(v) < old {
					keys = append(keys, it.Item().KeyCopy(nil))
				}
				return nil
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return s.delete(ctx, keys)
}
