package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"code.hooktape.dev/hooktape/capture"
)

// Bounds of one batch, beside those of Badger's transactions.
const (
	batchWrites = 256
	batchBytes  = 32 << 20 // of bodies: what a small event may have to wait for
	queueBytes  = 64 << 20 // handed in and not yet on disk; a larger one goes alone
	queueEach   = 4 << 10  // what every write counts for, beside its bytes
)

// write is one thing to be put on disk, whole or not at all.
type write struct {
	plan  func(*batch) error // stages keys; may run more than once, and reads through the batch
	done  func(error)        // once it is on disk, or refused; on the committer's goroutine
	bytes int64              // of body, roughly
	needs room               // free space without which it is refused
	alone bool               // shares its transaction with nobody, so that plan may read by iterator
}

// commitLoop is the only goroutine that writes. It takes what is queued and
// never waits for more: while one batch is synced, the next one gathers.
func (s *Store) commitLoop() {
	defer close(s.committed)
	for ws := range s.queue {
		bytes := sum(ws)
	more:
		for len(ws) < batchWrites && bytes < batchBytes {
			select {
			case next, ok := <-s.queue:
				if !ok {
					break more
				}
				ws = append(ws, next...)
				bytes += sum(next)
			default:
				break more
			}
		}
		for len(ws) > 0 {
			ws = ws[s.commit(ws):]
		}
	}
}

func sum(ws []*write) (bytes int64) {
	for _, w := range ws {
		bytes += w.bytes
	}
	return bytes
}

// commit puts as many of the writes on disk as one transaction holds, at
// least one, answers them, and returns how many.
func (s *Store) commit(ws []*write) (n int) {
	b := &batch{
		db:       s.db,
		txn:      s.db.NewTransaction(true),
		now:      max(s.totals.Kept, uint64(max(0, time.Now().UnixMilli()))),
		totals:   s.totals,
		memory:   s.memory,
		maxSize:  s.db.MaxBatchSize() * 8 / 10,
		maxCount: s.db.MaxBatchCount() * 8 / 10,
		stats:    folding{open: &s.opens},
	}
	defer b.txn.Discard()

	free, gone := s.disk.room()
	joined := make([]*write, 0, len(ws))
	var bytes int64
	for _, w := range ws {
		if n > 0 && (w.alone || ws[n-1].alone || n == batchWrites || bytes+w.bytes > batchBytes) {
			break
		}
		err := gone
		if err == nil {
			err = s.refuse(w, free)
		}
		if err == nil {
			err = b.try(w)
		}
		if errors.Is(err, errNoFit) {
			if len(joined) > 0 {
				break
			}
			err = ErrTooLarge
		}
		n++
		if err != nil {
			w.done(err)
			continue
		}
		if err := b.join(); err != nil { // our sums disagree with Badger's: nothing of this batch may be written
			for _, w := range append(joined, w) {
				w.done(err)
			}
			return n
		}
		bytes += w.bytes
		joined = append(joined, w)
	}
	err := s.flush(b)
	if err != nil {
		s.opens.forget()
	}
	for _, w := range joined {
		w.done(err)
	}
	if err == nil && len(joined) > 0 {
		s.disk.wrote(bytes + b.size)
		s.feed.notify()
	}
	return n
}

// flush commits and syncs the batch. Nothing is acknowledged before it has
// returned nil.
func (s *Store) flush(b *batch) error {
	if b.count == 0 {
		return nil
	}
	if err := b.stats.write(b); err != nil {
		return err
	}
	value, err := encode(keyTotals, b.totals)
	if err != nil {
		return err
	}
	if err := b.txn.Set(keyTotals, value); err != nil {
		return err
	}
	err = b.txn.Commit()
	if err != nil {
		s.log.poison(err.Error())
	}
	if err := s.unavailable(); err != nil {
		return err
	}
	s.commits.Add(1)
	s.queues.put(b.queued)
	s.mu.Lock()
	s.freed += max(0, s.totals.Bytes-b.totals.Bytes)
	s.totals = b.totals
	s.mu.Unlock()
	return nil
}

// refuse is why w must not even be tried, or nil.
func (s *Store) refuse(w *write, free int64) error {
	if err := s.unavailable(); err != nil {
		return err
	}
	if need := s.disk.need(w.needs); free < need+w.bytes {
		return fmt.Errorf("%w: %d MiB are free and %d MiB must stay so; free some space, or keep less (retention)",
			capture.ErrFull, free>>20, need>>20)
	}
	return nil
}

// unavailable is the error of a store whose disk has failed a write. What a
// failed sync left on disk nobody knows, so it is not tried again.
func (s *Store) unavailable() error {
	if why := s.log.poisoned.Load(); why != nil {
		return fmt.Errorf("%w: the disk failed a write (%s); nothing more is kept until the disk is checked and hooktape is restarted",
			capture.ErrUnavailable, *why)
	}
	return nil
}

// submit hands writes to the committer, together. It blocks while the queue
// is full; ctx counts only until they are queued.
func (s *Store) submit(ctx context.Context, ws ...*write) error {
	weight := min(sum(ws)+int64(len(ws))*queueEach, queueBytes)
	if err := s.room.Acquire(ctx, weight); err != nil {
		return err
	}
	left := len(ws)
	for _, w := range ws {
		done := w.done
		w.done = func(err error) {
			if left--; left == 0 {
				s.room.Release(weight)
			}
			done(err)
		}
	}
	s.gate.RLock()
	defer s.gate.RUnlock()
	if s.closed {
		s.room.Release(weight)
		return fmt.Errorf("%w: it is closed", capture.ErrUnavailable)
	}
	s.queue <- ws
	return nil
}

// do hands in one write and waits for it.
func (s *Store) do(ctx context.Context, w *write) error {
	answer := make(chan error, 1)
	w.done = func(err error) { answer <- err }
	if err := s.submit(ctx, w); err != nil {
		return err
	}
	return <-answer
}
