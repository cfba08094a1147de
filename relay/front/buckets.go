package front

import (
	"container/list"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// maxBuckets is how many buckets are kept of a kind, some 4 MB of them.
// Whoever calls under ever new addresses empties others' buckets out of it,
// which only makes those full again.
const maxBuckets = 16384

// buckets are the token buckets of one rate, the least recently used leaving
// first. The zero buckets are empty.
type buckets[K comparable] struct {
	mu    sync.Mutex // guards both
	of    map[K]*list.Element
	order list.List // of *bucket[K], the last used in front
}

type bucket[K comparable] struct {
	key    K
	tokens *rate.Limiter
}

// take takes a token out of key's bucket, or says how long until there is one.
func (b *buckets[K]) take(key K, r Rate) (wait time.Duration) {
	now := time.Now()
	turn := b.bucket(key, r).ReserveN(now, 1)
	if wait = turn.DelayFrom(now); wait > 0 {
		turn.CancelAt(now)
	}
	return wait
}

func (b *buckets[K]) bucket(key K, r Rate) *rate.Limiter {
	b.mu.Lock()
	defer b.mu.Unlock()
	if e, ok := b.of[key]; ok {
		b.order.MoveToFront(e)
		return e.Value.(*bucket[K]).tokens
	}
	if b.of == nil {
		b.of = make(map[K]*list.Element)
	}
	if b.order.Len() >= maxBuckets {
		delete(b.of, b.order.Remove(b.order.Back()).(*bucket[K]).key)
	}
	added := &bucket[K]{key, r.bucket()}
	b.of[key] = b.order.PushFront(added)
	return added.tokens
}
