package store

import (
	"context"
	"fmt"
	"sync"

	"github.com/dgraph-io/badger/v4"

	"code.hooktape.dev/hooktape/capture"
)

// feed wakes those who watch.
type feed struct {
	mu       sync.Mutex // guards the two below
	watchers map[chan struct{}]bool
	closed   bool
}

// notify leaves a token with everyone who has none. It never blocks.
func (f *feed) notify() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for c := range f.watchers {
		select {
		case c <- struct{}{}:
		default:
		}
	}
}

func (f *feed) drop(c chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.watchers[c] {
		delete(f.watchers, c)
		close(c)
	}
}

func (f *feed) close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed = true
	for c := range f.watchers {
		close(c)
	}
	clear(f.watchers)
}

// Watch is a channel that holds a token whenever something was kept since the
// last one was taken. It holds one, so a slow reader misses tokens and never
// holds the store up; Facts tells what there was. The channel is closed when
// ctx is done or the store closes.
func (s *Store) Watch(ctx context.Context) <-chan struct{} {
	c := make(chan struct{}, 1)
	f := &s.feed
	f.mu.Lock()
	if f.closed {
		close(c)
	} else {
		f.watchers[c] = true
		context.AfterFunc(ctx, func() { f.drop(c) })
	}
	f.mu.Unlock()
	return c
}

// Facts are what follows the place after in the sequence, oldest first: the
// events kept, the attempts finished, without what went over the wire, and the
// gaps found.
// Places of what was removed are left out. limit 0 means 100.
func (s *Store) Facts(ctx context.Context, after uint64, limit int) (facts []capture.Fact, err error) {
	if limit <= 0 {
		limit = 100
	}
	err = s.view(ctx, func(txn *badger.Txn) error {
		events := newWalk(txn, false)
		defer events.close()
		events.seek(after + 1)
		log := newList(txn, []byte{prefixLog}, false)
		defer log.close()

		event, more := events.next()
		place, ok := log.seek(after + 1)
		for (more || ok) && len(facts) < limit {
			if err := s.stop(ctx); err != nil {
				return err
			}
			if more && (!ok || event.seq < place) {
				e := new(capture.Event)
				if err := decodeEvent(event.seq, event.record, e); err != nil {
					s.damaged(event.seq, err)
				} else {
					facts = append(facts, capture.Fact{Seq: event.seq, Event: e})
				}
				event, more = events.next()
				continue
			}
			fact, err := readFact(txn, log, place)
			if err != nil {
				s.damaged(place, err)
			} else {
				facts = append(facts, fact)
			}
			place, ok = log.seek(place + 1)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("store: facts: %w", err)
	}
	return facts, nil
}

// readFact is what the log has at a place: the attempt whose id lies there, or
// a gap.
func readFact(txn *badger.Txn, log *list, seq uint64) (f capture.Fact, err error) {
	id, err := log.value()
	if err != nil {
		return f, err
	}
	f.Seq = seq
	if len(id) > 0 {
		a, err := readAttempt(txn, tailID(capture.AttemptID, id))
		f.Attempt = &a
		return f, err
	}
	f.Gap = new(capture.Gap)
	err = find(txn, keySeq(prefixGap, seq), f.Gap)
	f.Gap.Seq = seq
	return f, err
}
