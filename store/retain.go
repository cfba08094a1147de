package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/dgraph-io/badger/v4"

	"code.hooktape.dev/hooktape/capture"
)

// sweep is the background's Sweep.
func (s *Store) sweep() {
	if err := s.Sweep(s.alive); err != nil && s.alive.Err() == nil {
		s.log.log.Warn("retention", "error", err)
	}
}

// Sweep takes away what is past the retention, oldest first, and gives its
// space back to the file system. It never takes events that are pinned or
// have pending attempts.
//
// Badger gives space back in whole files, some time after what was in them is
// gone. So a quarter of Retain.Bytes, 256 MiB at most, is set aside for that,
// and the directory may still be larger for a while.
func (s *Store) Sweep(ctx context.Context) error {
	s.sweeping.Lock()
	defer s.sweeping.Unlock()
	removed := 0
	for after := uint64(0); ; {
		seqs, last, err := s.victims(ctx, after)
		if err == nil && len(seqs) > 0 {
			r := &removal{seqs: seqs}
			err = s.remove(ctx, r)
			err = errors.Join(append(r.refused, err)...)
			removed += r.removed
		}
		if err != nil {
			return fmt.Errorf("store: sweep: %w", err)
		}
		if last == 0 {
			break
		}
		after = last
	}
	if err := errors.Join(s.forgetKeys(ctx), s.sweepBuckets(ctx), s.collect(ctx)); err != nil {
		return fmt.Errorf("store: sweep: %w", err)
	}
	return nil
}

// victims are up to a thousand events behind after that the retention does
// not keep, and the place to go on from, 0 when that was all.
func (s *Store) victims(ctx context.Context, after uint64) (seqs []uint64, last uint64, err error) {
	r := s.retain
	if r == (Retain{}) {
		return nil, 0, nil
	}
	s.mu.Lock()
	t := s.totals
	s.mu.Unlock()
	var old uint64
	if r.Age > 0 {
		old = uint64(max(0, time.Now().Add(-r.Age).UnixMilli()))
	}
	err = s.view(ctx, func(txn *badger.Txn) error {
		walk := newWalk(txn, false)
		defer walk.close()
		walk.seek(after + 1)
		for len(seqs) < 1000 {
			k, ok := walk.next()
			if !ok {
				last = 0
				return nil
			}
			over := r.Count > 0 && t.Events > r.Count ||
				r.Bytes > 0 && t.Bytes > r.Bytes-min(r.Bytes/4, 256<<20) ||
				keptAt(k.record) < old
			if !over {
				last = 0
				return nil
			}
			if err := s.stop(ctx); err != nil {
				return err
			}
			last = k.seq
			var state tally
			if k.tally != nil {
				if err := decode(keyTally(k.seq), k.tally, &state); err != nil {
					s.damaged(k.seq, err)
				}
				state.upgrade()
			}
			if state.Pinned || len(state.Waiting) > 0 {
				continue
			}
			seqs = append(seqs, k.seq)
			t.Events--
			t.Bytes -= int64(len(k.record)) - recordHead + state.Bytes
			var e capture.Event
			if decodeEvent(k.seq, k.record, &e) == nil {
				t.Bytes -= stored(&e)
			}
		}
		return nil
	})
	return seqs, last, err
}

// collect lets Badger rewrite the value-log files that are mostly dead, until
// it finds no more.
func (s *Store) collect(ctx context.Context) error {
	if s.memory {
		return nil
	}
	if err := s.settle(ctx); err != nil {
		return err
	}
	for {
		if err := s.stop(ctx); err != nil {
			return err
		}
		err := s.db.RunValueLogGC(0.5)
		if errors.Is(err, badger.ErrNoRewrite) || errors.Is(err, badger.ErrRejected) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// settle makes Badger notice what is dead. It learns so when it merges tables,
// and of large bodies many die before their keys fill one: so once enough
// has, the rest of the memtable is filled, with zeros that pack to nothing,
// and the levels are merged.
func (s *Store) settle(ctx context.Context) error {
	s.mu.Lock()
	dead, live := s.freed, s.totals.Bytes
	s.mu.Unlock()
	if dead < max(64<<20, live/8) {
		return nil
	}
	each := s.db.MaxBatchSize() * 7 / 10 / valueThreshold
	for left := s.db.Opts().MemTableSize; left > 0; left -= each * (valueThreshold - 64) {
		err := s.do(ctx, &write{alone: true, plan: func(b *batch) error {
			for n := range each {
				b.put(keySeq(prefixFiller, uint64(n)), make([]byte, valueThreshold-64))
			}
			return nil
		}})
		if err != nil {
			return err
		}
	}
	s.mu.Lock()
	s.freed -= dead
	s.mu.Unlock()
	if err := s.db.Flatten(2); err != nil {
		return err
	}
	return s.orphans(ctx)
}

// orphans deletes bodies and responses that nothing leads to: those that
// Badger has brought back, see parts.go. In a store that has lost an event to
// damage it leaves all of them.
func (s *Store) orphans(ctx context.Context) error {
	var keys [][]byte
	err := s.view(ctx, func(txn *badger.Txn) error {
		if whole, err := s.whole(ctx, txn); err != nil || !whole {
			return err
		}
		events := newList(txn, []byte{prefixEvent}, false)
		defer events.close()
		for _, prefix := range []byte{prefixBody, prefixWire} {
			it := iterate(txn, []byte{prefix}, false)
			defer it.Close()
			for it.Rewind(); it.Valid() && len(keys) < 100_000; it.Next() { // the rest next time
				if err := s.stop(ctx); err != nil {
					return err
				}
				key := it.Item().Key()
				if prefix == prefixBody {
					seq := seqOf(key[1:])
					if at, ok := events.seek(seq); ok && at == seq {
						continue
					}
				} else if _, err := txn.Get(append([]byte{prefixAttempt}, key[1:17]...)); err == nil {
					continue
				}
				keys = append(keys, it.Item().KeyCopy(nil))
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return s.delete(ctx, keys)
}

// delete removes keys that nothing counts.
func (s *Store) delete(ctx context.Context, keys [][]byte) error {
	for some := range slices.Chunk(keys, removeKeys) {
		err := s.do(ctx, &write{plan: func(b *batch) error {
			for _, key := range some {
				b.del(key)
			}
			return nil
		}})
		if err != nil {
			return err
		}
	}
	return nil
}

// whole reports whether as many events are there as were kept and not removed.
func (s *Store) whole(ctx context.Context, txn *badger.Txn) (bool, error) {
	raw, err := read(txn, keyTotals)
	if err != nil {
		return false, err
	}
	var t totals
	if decode(keyTotals, raw, &t) != nil {
		return false, nil
	}
	it := iterate(txn, []byte{prefixEvent}, false)
	defer it.Close()
	for it.Rewind(); it.Valid(); it.Next() {
		if err := s.stop(ctx); err != nil {
			return false, err
		}
		if key := it.Item().Key(); len(key) == 10 && key[9] == partRecord {
			t.Events--
		}
	}
	return t.Events == 0, nil
}
