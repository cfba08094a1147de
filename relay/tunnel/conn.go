package tunnel

import (
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"
)

// conn is a websocket as a stream of bytes: those of its binary messages. It
// ends when nothing, not even a ping or a pong, has come for as long as it is
// patient, or when what is written is not taken for so long.
type conn struct {
	ws       *websocket.Conn
	patience time.Duration
	message  io.Reader // that is being read
	heard    atomic.Int64
	rtt      atomic.Int64  // as of the last pong
	writing  sync.Mutex    // gorilla's Conn has one writer at a time
	pong     chan struct{} // one slot, lossy
}

// chunk is the most that one message carries: what anything urgent may have to
// wait for.
const chunk = 16 << 10

func newConn(ws *websocket.Conn, patience time.Duration) *conn {
	c := &conn{ws: ws, patience: patience, pong: make(chan struct{}, 1)}
	ws.SetReadLimit(mostMessage)
	c.hear()
	ws.SetPingHandler(func(data string) error {
		c.hear()
		err := ws.WriteControl(websocket.PongMessage, []byte(data), time.Now().Add(patience))
		if errors.Is(err, websocket.ErrCloseSent) {
			return nil
		}
		return err
	})
	ws.SetPongHandler(func(data string) error {
		c.hear()
		c.takePong(data)
		return nil
	})
	return c
}

// hear notes that something has come.
func (c *conn) hear() {
	now := time.Now()
	c.heard.Store(now.UnixNano())
	c.ws.SetReadDeadline(now.Add(c.patience))
}

// ping asks for a proof of life; the pong says when this was.
func (c *conn) ping() error {
	data := time.Now().UTC().Format(time.RFC3339Nano)
	return c.ws.WriteControl(websocket.PingMessage, []byte(data), time.Now().Add(c.patience))
}

func (c *conn) takePong(data string) {
	now := time.Now()
	if sent, err := time.Parse(time.RFC3339Nano, data); err == nil && now.After(sent) {
		c.rtt.Store(int64(now.Sub(sent)))
	}
	select {
	case c.pong <- struct{}{}:
	default:
	}
}

// Read implements io.Reader.
func (c *conn) Read(p []byte) (int, error) {
	for {
		if c.message == nil {
			kind, r, err := c.ws.NextReader()
			if err != nil {
				return 0, err
			}
			if c.hear(); kind != websocket.BinaryMessage {
				return 0, fmt.Errorf("tunnel: a websocket message of type %d", kind)
			}
			c.message = r
		}
		n, err := c.message.Read(p)
		if err == io.EOF {
			c.message, err = nil, nil
		}
		if n > 0 || err != nil {
			return n, err
		}
	}
}

// Write implements io.Writer.
func (c *conn) Write(p []byte) (n int, err error) {
	c.writing.Lock()
	defer c.writing.Unlock()
	for len(p) > 0 {
		part := p[:min(len(p), chunk)]
		c.ws.SetWriteDeadline(time.Now().Add(c.patience))
		if err := c.ws.WriteMessage(websocket.BinaryMessage, part); err != nil {
			return n, err
		}
		n, p = n+len(part), p[len(part):]
	}
	return n, nil
}

// Close closes the connection under the websocket. The other end finds out by
// that, as it would from a crash.
func (c *conn) Close() error { return c.ws.Close() }

func (c *conn) LocalAddr() net.Addr  { return c.ws.LocalAddr() }
func (c *conn) RemoteAddr() net.Addr { return c.ws.RemoteAddr() }

// The deadlines are the conn's own: HTTP/2 has none to set that it could not
// do without.
func (c *conn) SetDeadline(time.Time) error      { return nil }
func (c *conn) SetReadDeadline(time.Time) error  { return nil }
func (c *conn) SetWriteDeadline(time.Time) error { return nil }
