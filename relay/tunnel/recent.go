package tunnel

import (
	"sync"

	"code.hooktape.dev/hooktape/capture"
)

// recent is a set of the events that went by last, so that they need not be
// looked up when word comes back of them. The zero recent is empty.
type recent struct {
	mu   sync.Mutex // guards the fields below
	ids  map[capture.ID]bool
	ring []capture.ID // in the order they came
	next int          // place of the oldest, once the ring is full
}

const mostRecent = 1024

func (r *recent) add(id capture.ID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ids == nil {
		r.ids = map[capture.ID]bool{}
	}
	switch {
	case r.ids[id]:
		return
	case len(r.ring) < mostRecent:
		r.ring = append(r.ring, id)
	default:
		delete(r.ids, r.ring[r.next])
		r.ring[r.next] = id
		r.next = (r.next + 1) % mostRecent
	}
	r.ids[id] = true
}

func (r *recent) has(id capture.ID) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.ids[id]
}
