//go:build unix

package main

import (
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
	"time"
)

// chaos is a network between a listener and its relay. It forwards TCP, as
// well or as badly as its air says. What is left to chance follows from seed.
type chaos struct {
	net.Listener
	seed uint64

	mu      sync.Mutex // guards the fields below
	air     air
	changed chan struct{} // closed, and another made, when the air changes
	lines   map[*line]bool
	count   uint64 // of lines that there ever were
	came    int    // bytes, down
	holding int    // of lines of which something is held
	release chan struct{}
	wg      sync.WaitGroup
}

// air is what becomes of bytes. The zero air lets all pass, to nobody.
type air struct {
	to    string        // address that connections lead to
	cut   bool          // connections are reset, and so are new ones
	still [2]bool       // by way: nothing goes on, and comes later
	hold  bool          // of a new connection, only what the listener says first goes on; the rest waits for release
	late  float64       // share of chunks that come
	by    time.Duration // later by this, with those behind them
	rate  int           // bytes a second, each way of a connection; 0: no limit
}

// The ways that bytes go.
const (
	up   = iota // from the listener to the relay
	down        // and back
)

func newChaos(t *testing.T, to string, seed uint64) *chaos {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &chaos{Listener: l, seed: seed, air: air{to: to}, changed: make(chan struct{}), release: make(chan struct{}), lines: map[*line]bool{}}
	c.wg.Go(c.accept)
	t.Cleanup(func() {
		c.set(func(a *air) { *a = air{cut: true} })
		l.Close()
		c.wg.Wait()
	})
	return c
}

func (c *chaos) url() string { return "http://" + c.Addr().String() }

// set changes the air. Where that cuts, every connection is reset.
func (c *chaos) set(change func(*air)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	change(&c.air)
	close(c.changed)
	c.changed = make(chan struct{})
	if c.air.cut {
		for l := range c.lines {
			l.reset()
		}
	}
}

// heal lets all pass again. Connections that were lost stay so.
func (c *chaos) heal() { c.set(func(a *air) { *a = air{to: a.to} }) }

// lose makes of every connection a half-open one: from now on nothing passes,
// and neither end is told so, not even that the other has closed. New ones
// are as the air is.
func (c *chaos) lose() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for l := range c.lines {
		close(l.lost)
		delete(c.lines, l)
		c.wg.Go(func() { c.bury(l) })
	}
}

// bury closes a lost connection when the air is cut at last.
func (c *chaos) bury(l *line) {
	c.wait(func(a air) bool { return a.cut }, nil)
	l.reset()
}

// wait blocks until the air is as it shall be, or done is closed.
func (c *chaos) wait(is func(air) bool, done <-chan struct{}) air {
	for {
		c.mu.Lock()
		a, changed := c.air, c.changed
		c.mu.Unlock()
		if is(a) {
			return a
		}
		select {
		case <-changed:
		case <-done:
			return a
		}
	}
}

// down is how many bytes have come down in all.
func (c *chaos) down() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.came
}

// held is how many lines there are of which something is held.
func (c *chaos) held() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.holding
}

func (c *chaos) accept() {
	for {
		near, err := c.Accept()
		if err != nil {
			return
		}
		c.wg.Go(func() { c.forward(near.(*net.TCPConn)) })
	}
}

// forward makes a line of a connection. Where nothing goes up it is not made
// yet, as if its first packet were sent again and again.
func (c *chaos) forward(near *net.TCPConn) {
	a := c.wait(func(a air) bool { return !a.still[up] || a.cut }, nil)
	l := &line{chaos: c, ends: [2]*net.TCPConn{near, near}, lost: make(chan struct{}), ended: make(chan struct{})}
	if far, err := net.Dial("tcp", a.to); err == nil {
		l.ends[1] = far.(*net.TCPConn)
	}
	for _, end := range l.ends { // what is under way must not hide in the system's buffers
		end.SetReadBuffer(64 << 10)
		end.SetWriteBuffer(64 << 10)
	}
	c.mu.Lock()
	c.count++
	l.number = c.count
	l.held = c.air.hold
	if c.air.cut || l.ends[0] == l.ends[1] {
		c.mu.Unlock()
		l.reset()
		return
	}
	c.lines[l] = true
	c.mu.Unlock()
	var wg sync.WaitGroup
	for way := range l.ends {
		parcels := make(chan parcel, 4)
		wg.Go(func() { l.collect(way, parcels) })
		wg.Go(func() { l.deliver(way, parcels) })
	}
	wg.Wait()
	c.mu.Lock()
	delete(c.lines, l)
	c.mu.Unlock()
}

// line is a connection through a chaos.
type line struct {
	*chaos
	number uint64
	ends   [2]*net.TCPConn // the listener's and the relay's
	held   bool            // the listener's end is not told of, nor is what it says after its first words
	lost   chan struct{}   // closed when it is half open
	ended  chan struct{}   // closed when it is not any more
	once   sync.Once
}

// parcel is what was read at a time, and when it is to come.
type parcel struct {
	bytes []byte
	due   time.Time
}

// collect reads what goes a way.
func (l *line) collect(way int, parcels chan<- parcel) {
	defer close(parcels)
	random := rand.New(rand.NewPCG(l.seed, l.number<<1|uint64(way)))
	var due time.Time
	for {
		b := make([]byte, 16<<10)
		n, err := l.ends[way].Read(b)
		if err != nil {
			if !errors.Is(err, io.EOF) {
				l.gone(true)
			}
			return
		}
		l.mu.Lock()
		a := l.air
		l.mu.Unlock()
		now := time.Now()
		if a.late > 0 && random.Float64() < a.late {
			now = now.Add(a.by)
		}
		if now.After(due) {
			due = now
		}
		select {
		case parcels <- parcel{b[:n], due}:
		case <-l.ended:
			return
		case <-l.lost: // read on, and have it vanish
		}
	}
}

// deliver writes what goes a way when its time has come.
func (l *line) deliver(way int, parcels <-chan parcel) {
	for n := 0; ; n++ {
		p, ok := <-parcels
		if l.held && way == up && n > 0 {
			l.hold()
		}
		if !ok {
			break
		}
		a := l.wait(func(a air) bool { return !a.still[way] || a.cut }, l.lost)
		pause := time.Until(p.due)
		if a.rate > 0 {
			pause += time.Duration(len(p.bytes)) * time.Second / time.Duration(a.rate)
		}
		select {
		case <-time.After(max(pause, 0)):
		case <-l.ended:
		}
		select {
		case <-l.lost:
			return
		default:
		}
		if _, err := l.ends[1-way].Write(p.bytes); err != nil {
			l.gone(true)
			return
		}
		if way == down {
			l.mu.Lock()
			l.came += len(p.bytes)
			l.mu.Unlock()
		}
	}
	l.gone(false)
}

// hold blocks until what is held shall come.
func (l *line) hold() {
	l.mu.Lock()
	l.holding++
	l.mu.Unlock()
	select {
	case <-l.release:
	case <-l.ended:
	}
}

// gone ends a line of which one end has, unless nobody may know.
func (l *line) gone(reset bool) {
	select {
	case <-l.lost:
		return
	default:
	}
	switch {
	case l.held:
	case reset:
		l.reset()
	default:
		l.end()
	}
}

func (l *line) reset() {
	l.ends[0].SetLinger(0)
	l.ends[1].SetLinger(0)
	l.end()
}

func (l *line) end() {
	l.once.Do(func() {
		close(l.ended)
		l.ends[0].Close()
		l.ends[1].Close()
	})
}
