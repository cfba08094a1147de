package store

import (
	"bytes"
	"container/heap"
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"sync"
	"time"

	"github.com/dgraph-io/badger/v4"

	"code.hooktape.dev/hooktape/capture"
)

// queues remembers, for each queue, a time before which nothing waits in it.
// That tells who has something due without looking at every queue, and where
// to begin to read: a queue in an LSM leaves a tombstone for everything taken
// out of it, and a reader that began at the beginning would step over all of
// them each time. It is read from the keys when first asked for.
type queues struct {
	mu     sync.Mutex // guards the fields below
	marks  map[queueKey]*queueMark
	byLow  lows // those of marks in which something may wait
	filled bool
	puts   uint64 // so far
}

// queueKey is what the keys of a queue begin with.
type queueKey [17]byte

func queueOf(key []byte) queueKey { return queueKey(key[:17]) }

func (k queueKey) endpoint() capture.ID {
	return capture.IDFrom(capture.EndpointID, [16]byte(k[1:]))
}

type queueMark struct {
	queue queueKey
	low   uint64 // nanoseconds; nothing pending is due before it
	puts  uint64 // the number of the last put, of all there were
	at    int    // in byLow; -1: not there, nothing waits
}

// from is where to read a queue from. raise wants it back.
func (q *queues) from(k queueKey) queueMark {
	q.mu.Lock()
	defer q.mu.Unlock()
	if m := q.marks[k]; m != nil {
		return *m
	}
	return queueMark{queue: k}
}

// raise notes that a read which began at m found nothing due before first,
// unless something was put in since it began.
func (q *queues) raise(m queueMark, first uint64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := q.marks[m.queue]
	switch {
	case now == nil && m.puts == 0 && first != never:
		q.set(&queueMark{queue: m.queue, at: -1}, first)
	case now != nil && now.puts == m.puts && first > now.low:
		q.set(now, first)
	}
}

// put notes the keys of pending attempts that a batch has put on disk. It must
// be called after the commit and before anyone hears of it: a read that began
// before has not seen them, and must not raise the mark over them.
func (q *queues) put(keys [][]byte) {
	if len(keys) == 0 {
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, key := range keys {
		q.add(queueOf(key), binary.BigEndian.Uint64(key[17:25]))
	}
}

func (q *queues) add(k queueKey, due uint64) {
	m := q.marks[k]
	if m == nil {
		m = &queueMark{queue: k, low: never, at: -1}
	}
	q.puts++
	m.puts = q.puts
	q.set(m, min(m.low, due))
}

func (q *queues) set(m *queueMark, low uint64) {
	if q.marks == nil {
		q.marks = make(map[queueKey]*queueMark)
	}
	q.marks[m.queue] = m
	m.low = low
	switch {
	case m.at >= 0 && low == never:
		heap.Remove(&q.byLow, m.at)
	case m.at >= 0:
		heap.Fix(&q.byLow, m.at)
	case low != never:
		heap.Push(&q.byLow, m)
	}
}

// never is the due time of an empty queue's first.
const never = math.MaxUint64

// lows is a heap by low.
type lows []*queueMark

func (h lows) Len() int           { return len(h) }
func (h lows) Less(i, j int) bool { return h[i].low < h[j].low }
func (h lows) Swap(i, j int)      { h[i], h[j] = h[j], h[i]; h[i].at, h[j].at = i, j }
func (h *lows) Push(x any)        { m := x.(*queueMark); m.at = len(*h); *h = append(*h, m) }
func (h *lows) Pop() any {
	m := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	m.at = -1
	return m
}

// Ready are the endpoints at which something pending may be due, each with a
// number that grows when more is put there, and when the next one's time
// comes; zero: never. What it costs is what is due, not what waits.
func (s *Store) Ready(ctx context.Context, now time.Time) (ready []capture.Queue, next time.Time, err error) {
	if err := s.fillQueues(ctx); err != nil {
		return nil, next, err
	}
	q := &s.queues
	q.mu.Lock()
	defer q.mu.Unlock()
	at, then := nanos(now), uint64(never)
	found := map[capture.ID]uint64{}
	var look func(i int)
	look = func(i int) {
		if i >= len(q.byLow) {
			return
		}
		m := q.byLow[i]
		if m.low > at {
			then = min(then, m.low)
			return
		}
		id := m.queue.endpoint()
		found[id] = max(found[id], m.puts)
		look(2*i + 1)
		look(2*i + 2)
	}
	look(0)
	for id, puts := range found {
		ready = append(ready, capture.Queue{Endpoint: id, Puts: puts})
	}
	if then != never {
		next = time.Unix(0, int64(then))
	}
	return ready, next, nil
}

// fillQueues reads, once, at which endpoints something waits: a look at the
// first key of each queue.
func (s *Store) fillQueues(ctx context.Context) error {
	q := &s.queues
	q.mu.Lock()
	filled := q.filled
	q.mu.Unlock()
	if filled {
		return nil
	}
	var firsts [][]byte
	err := s.view(ctx, func(txn *badger.Txn) error {
		for _, prefix := range queuePrefixes {
			it := iterate(txn, []byte{prefix}, false)
			defer it.Close()
			for it.Rewind(); it.Valid(); {
				if err := s.stop(ctx); err != nil {
					return err
				}
				key := it.Item().KeyCopy(nil)
				firsts = append(firsts, key)
				it.Seek(append(bytes.Clone(key[:17]), 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff))
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("store: queues: %w", err)
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.filled {
		for _, key := range firsts {
			q.add(queueOf(key), binary.BigEndian.Uint64(key[17:25]))
		}
		q.filled = true
	}
	return nil
}

// Due are the pending attempts of an endpoint, those whose time has not come
// among them: those a user asked for, first tries, and retries, each in the
// order of their NotBefore. It reads no more than limit (0: 50) of each kind
// however many wait, and changes nothing.
func (s *Store) Due(ctx context.Context, endpoint capture.ID, limit int) (due []capture.Attempt, err error) {
	if limit <= 0 {
		limit = 50
	}
	return s.due(ctx, endpoint, capture.AttemptQuery{Limit: limit})
}

// due is Due of those that q asks for, and reads on until it has its Limit.
func (s *Store) due(ctx context.Context, endpoint capture.ID, q capture.AttemptQuery) (due []capture.Attempt, err error) {
	var marks []queueMark // before the view: what is put in later must not be missed
	for _, prefix := range queuePrefixes {
		marks = append(marks, s.queues.from(queueOf(keyID(prefix, endpoint))))
	}
	err = s.view(ctx, func(txn *badger.Txn) error {
		for _, m := range marks {
			if err := s.readQueue(ctx, txn, m, &q, len(due)+q.Limit, &due); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("store: due at %s: %w", endpoint, err)
	}
	return due, nil
}

// readQueue appends the first attempts of a queue that q asks for to due, until
// that has most.
func (s *Store) readQueue(ctx context.Context, txn *badger.Txn, mark queueMark, q *capture.AttemptQuery, most int, due *[]capture.Attempt) error {
	queue := mark.queue
	it := iterate(txn, queue[:], false)
	defer it.Close()
	first := uint64(never)
	for it.Seek(binary.BigEndian.AppendUint64(bytes.Clone(queue[:]), mark.low)); it.Valid() && len(*due) < most; it.Next() {
		if err := s.stop(ctx); err != nil {
			return err
		}
		key := it.Item().Key()
		first = min(first, seqOf(key[len(queue):]))
		id := tailID(capture.AttemptID, key)
		a, err := readPending(txn, id, it.Item())
		if err != nil {
			s.log.log.Error("a pending attempt cannot be read", "attempt", id, "error", err)
			continue
		}
		if asked(txn, &a, q) {
			*due = append(*due, a)
		}
	}
	s.queues.raise(mark, first)
	return nil
}

// readPending is the attempt of a queue's item, which holds its record, unless
// that is long or an older hooktape wrote it.
func readPending(txn *badger.Txn, id capture.ID, item *badger.Item) (a capture.Attempt, err error) {
	err = item.Value(func(v []byte) error {
		if len(v) == 0 {
			a, err = readAttempt(txn, id)
			return err
		}
		return decode(keyID(prefixAttempt, id), v, &a)
	})
	return a, err
}
