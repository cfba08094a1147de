package front

import (
	"net"
	"sync"
	"sync/atomic"
)

// Conns bounds the open connections of a listener. One too many is accepted
// and reset at once: left in the backlog it would look as if it were served,
// and its sender would wait for a timeout where he could try again.
type Conns struct {
	net.Listener
	Max int // 0: no bound

	open, refused atomic.Int64
}

// Open is how many connections there are now.
func (c *Conns) Open() int64 { return c.open.Load() }

// Refused is how many connections were reset since the start.
func (c *Conns) Refused() int64 { return c.refused.Load() }

// Accept implements net.Listener.
func (c *Conns) Accept() (net.Conn, error) {
	for {
		accepted, err := c.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if open := c.open.Add(1); c.Max == 0 || open <= int64(c.Max) {
			return &counted{Conn: accepted, closed: sync.OnceFunc(func() { c.open.Add(-1) })}, nil
		}
		c.open.Add(-1)
		c.refused.Add(1)
		if tcp, ok := accepted.(*net.TCPConn); ok {
			tcp.SetLinger(0) // a reset leaves nothing behind, a close its TIME_WAIT
		}
		accepted.Close()
	}
}

// counted is a connection that is counted until it is closed.
type counted struct {
	net.Conn
	closed func()
}

// Close implements net.Conn.
func (c *counted) Close() error {
	defer c.closed()
	return c.Conn.Close()
}

// NetConn is the connection below, for who resets it.
func (c *counted) NetConn() net.Conn { return c.Conn }
