package store

import (
	"encoding/binary"
	"math"
	"sync"
)

// queues remembers, for each endpoint, a time before which nothing waits. A
// queue in an LSM leaves a tombstone for everything taken out of it, and a
// reader that began at the beginning would step over all of them each time.
// Nothing depends on it but speed: it is empty after Open.
type queues struct {
	mu    sync.Mutex // guards marks
	marks map[[16]byte]queueMark
}

type queueMark struct {
	low  uint64 // nanoseconds; nothing pending is due before it
	puts uint64 // how often something was put in
}

// from is where to read an endpoint's queue from. raise wants the mark back.
func (q *queues) from(endpoint [16]byte) queueMark {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.marks[endpoint]
}

// raise notes that a read which began at m found nothing due before first,
// unless something was put in since it began.
func (q *queues) raise(endpoint [16]byte, m queueMark, first uint64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if now := q.marks[endpoint]; now.puts == m.puts && first > now.low {
		now.low = first
		q.set(endpoint, now)
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
		endpoint, due := [16]byte(key[1:17]), binary.BigEndian.Uint64(key[17:25])
		m := q.marks[endpoint]
		m.low, m.puts = min(m.low, due), m.puts+1
		q.set(endpoint, m)
	}
}

func (q *queues) set(endpoint [16]byte, m queueMark) {
	if q.marks == nil {
		q.marks = make(map[[16]byte]queueMark)
	}
	q.marks[endpoint] = m
}

// never is the due time of an empty queue's first.
const never = math.MaxUint64
