package tunnel

import (
	"sync"

	"code.hooktape.dev/hooktape/capture"
)

// feed has the newest events of an app, so that who listens need not read them
// from disk, and wakes those who do.
type feed struct {
	mu      sync.Mutex // guards the fields below
	recent  []item     // oldest first
	bytes   int
	floor   uint64 // of the sequence: all behind it is in recent
	readers map[*session]bool
}

// item is an event with its body; of a large one the body is left on disk.
type item struct {
	event     *capture.Event
	body      []byte
	delivered bool // by somebody; not known of what is not missed
}

func (i *item) size() int { return len(i.body) + 1<<10 }

// What a feed holds at most, and what a reader takes at a time.
const (
	feedItems = 1024
	feedBytes = 4 << 20
	takeItems = 128
	takeBytes = 256 << 10
)

func (f *feed) add(e *capture.Event, body []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.readers) == 0 {
		f.recent, f.bytes, f.floor = nil, 0, e.Seq
		return
	}
	i := item{event: e, body: body}
	if len(body) > MostInline {
		i.body = nil
	}
	f.recent = append(f.recent, i)
	f.bytes += i.size()
	for len(f.recent) > feedItems || f.bytes > feedBytes && len(f.recent) > 1 {
		f.bytes -= f.recent[0].size()
		f.floor = f.recent[0].event.Seq
		f.recent[0] = item{}
		f.recent = f.recent[1:]
	}
	for s := range f.readers {
		s.poke()
	}
}

// after are events behind a place in the sequence, the oldest first, and false
// when they must be read from disk.
func (f *feed) after(seq uint64) ([]item, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if seq < f.floor {
		return nil, false
	}
	begin := len(f.recent)
	for begin > 0 && f.recent[begin-1].event.Seq > seq {
		begin--
	}
	end, bytes := begin, 0
	for end < len(f.recent) && end-begin < takeItems && bytes < takeBytes {
		bytes += f.recent[end].size()
		end++
	}
	return append([]item(nil), f.recent[begin:end]...), true
}

// lowest is the place behind which all is in memory.
func (f *feed) lowest() uint64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.floor
}

func (f *feed) join(s *session) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.readers[s] = true
}

func (f *feed) leave(s *session) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.readers, s)
	if n := len(f.recent); len(f.readers) == 0 && n > 0 { // nobody needs it in memory
		f.floor, f.recent, f.bytes = f.recent[n-1].event.Seq, nil, 0
	}
}

// signal fills a one-slot channel, or leaves it full.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
