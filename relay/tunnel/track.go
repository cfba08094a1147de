package tunnel

import (
	"context"
	"slices"
	"sync"
)

// tracker knows which events of a connection are on disk, and up to which
// place all are.
type tracker struct {
	news chan struct{} // one slot, lossy: acked or failed has changed

	mu     sync.Mutex // guards the fields below
	turn   *sync.Cond // of mu: something is done
	open   []uint64   // on their way, in order
	closed map[uint64]bool
	passed uint64 // up to there all was sent,
	all    uint64 // and up to there it is on disk
	failed error
}

func newTracker() *tracker {
	t := &tracker{news: make(chan struct{}, 1), closed: map[uint64]bool{}}
	t.turn = sync.NewCond(&t.mu)
	return t
}

func (t *tracker) begin(seq uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.passed, t.all = seq, seq
}

// add notes that an event is on its way. It blocks while too many are.
func (t *tracker) add(ctx context.Context, seq uint64) error {
	defer context.AfterFunc(ctx, func() {
		t.mu.Lock() // so that it does not fall between a look at ctx and the wait
		defer t.mu.Unlock()
		t.turn.Broadcast()
	})()
	t.mu.Lock()
	defer t.mu.Unlock()
	for len(t.open) >= mostUnkept && ctx.Err() == nil && t.failed == nil {
		t.turn.Wait()
	}
	if t.failed != nil {
		return t.failed
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if seq > t.passed { // else one that a confused relay sends again
		t.open, t.passed = append(t.open, seq), seq
	}
	return nil
}

// done notes that an event is on disk, or why it is not.
func (t *tracker) done(seq uint64, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err != nil && t.failed == nil {
		t.failed = err
	}
	if _, waits := slices.BinarySearch(t.open, seq); waits && err == nil {
		t.closed[seq] = true
	}
	t.settle()
}

// pass notes that nothing more comes up to a place.
func (t *tracker) pass(seq uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.passed = max(t.passed, seq)
	t.settle()
}

func (t *tracker) settle() {
	before := t.all
	n := 0
	for n < len(t.open) && t.closed[t.open[n]] {
		t.all = t.open[n]
		delete(t.closed, t.open[n])
		n++
	}
	t.open = t.open[n:]
	if len(t.open) == 0 && t.failed == nil {
		t.all = t.passed
	}
	if t.all != before || t.failed != nil {
		signal(t.news)
	}
	t.turn.Broadcast()
}

// acked is the place up to which all is on disk.
func (t *tracker) acked() uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.all
}

// err is why something could not be kept.
func (t *tracker) err() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.failed
}
