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

// conn is a websocket that carries two things, told apart by the first byte of
// each message: a stream of bytes, which is HTTP/2, and frames. It ends when
// nothing, not even a ping or a pong, has come for as long as it is patient, or
// when what is written is not taken for so long.
type conn struct {
	ws       *websocket.Conn
	patience time.Duration
	message  io.Reader   // of the stream, that is being read
	frames   chan *frame // that have come; of the listener's end. nil: none may
	heard    atomic.Int64
	rtt      atomic.Int64  // as of the last pong
	writing  sync.Mutex    // gorilla's Conn has one writer at a time
	pong     chan struct{} // one slot, lossy

	once sync.Once
	gone chan struct{} // closed once it has ended,
	err  error         // and then why
}

// The first bytes of messages.
const (
	ofStream = 0
	ofFrame  = 1
)

// chunk is the most that one message carries: what anything urgent may have to
// wait for.
const chunk = 16 << 10

func newConn(ws *websocket.Conn, patience time.Duration) *conn {
	c := &conn{ws: ws, patience: patience, pong: make(chan struct{}, 1), gone: make(chan struct{})}
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
	signal(c.pong)
}

// Read implements io.Reader, for the stream. Frames that come meanwhile are left
// in frames; while that is full, nothing is read but for beats, of which one
// more or less does not matter.
func (c *conn) Read(p []byte) (int, error) {
	for {
		if c.message == nil {
			if err := c.open(); err != nil {
				c.fail(err)
				return 0, err
			}
			continue
		}
		n, err := c.message.Read(p)
		if err == io.EOF {
			c.message, err = nil, nil
		}
		if err != nil {
			c.fail(err)
		}
		if n > 0 || err != nil {
			return n, err
		}
	}
}

// open takes the next message: a frame whole, of the stream its beginning.
func (c *conn) open() error {
	kind, r, err := c.ws.NextReader()
	if err != nil {
		return err
	}
	c.hear()
	var tag [1]byte
	if kind != websocket.BinaryMessage {
		return fmt.Errorf("tunnel: a websocket message of type %d", kind)
	}
	if _, err := io.ReadFull(r, tag[:]); err != nil {
		return fmt.Errorf("tunnel: an empty websocket message: %w", noEOF(err))
	}
	switch {
	case tag[0] == ofStream:
		c.message = r
	case tag[0] == ofFrame && c.frames != nil:
		f, err := readFrame(r)
		if err != nil {
			return noEOF(err)
		}
		return c.deliver(f)
	default:
		return fmt.Errorf("tunnel: a websocket message of kind %d", tag[0])
	}
	return nil
}

func (c *conn) deliver(f *frame) error {
	if f.Kind == isBeat && len(c.frames) == cap(c.frames) {
		return nil
	}
	select {
	case c.frames <- f:
		return nil
	case <-c.gone:
		return c.err
	}
}

// fail notes why the conn has ended.
func (c *conn) fail(err error) {
	c.once.Do(func() {
		c.err = err
		close(c.gone)
	})
}

// Write implements io.Writer, for the stream.
func (c *conn) Write(p []byte) (n int, err error) {
	for len(p) > 0 {
		part := p[:min(len(p), chunk)]
		err := c.send(ofStream, func(w io.Writer) error {
			_, err := w.Write(part)
			return err
		})
		if err != nil {
			return n, err
		}
		n, p = n+len(part), p[len(part):]
	}
	return n, nil
}

// write writes a frame.
func (c *conn) write(f *frame) error {
	return c.send(ofFrame, func(w io.Writer) error { return writeFrame(w, f) })
}

func (c *conn) send(tag byte, content func(io.Writer) error) error {
	c.writing.Lock()
	defer c.writing.Unlock()
	c.ws.SetWriteDeadline(time.Now().Add(c.patience))
	w, err := c.ws.NextWriter(websocket.BinaryMessage)
	if err != nil {
		return err
	}
	if _, err := w.Write([]byte{tag}); err != nil {
		return err
	}
	if err := content(w); err != nil {
		return err
	}
	return w.Close()
}

// Close closes the connection under the websocket. The other end finds out by
// that, as it would from a crash.
func (c *conn) Close() error {
	c.fail(net.ErrClosed)
	return c.ws.Close()
}

func (c *conn) LocalAddr() net.Addr  { return c.ws.LocalAddr() }
func (c *conn) RemoteAddr() net.Addr { return c.ws.RemoteAddr() }

// The deadlines are the conn's own: HTTP/2 has none to set that it could not
// do without.
func (c *conn) SetDeadline(time.Time) error      { return nil }
func (c *conn) SetReadDeadline(time.Time) error  { return nil }
func (c *conn) SetWriteDeadline(time.Time) error { return nil }
