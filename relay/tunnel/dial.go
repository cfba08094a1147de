package tunnel

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/gorilla/websocket"
	"golang.org/x/sync/errgroup"
)

// once connects, and listens until the connection ends. It returns why it did.
func (l *Listener) once(ctx context.Context) (err error) {
	ws, err := l.dial(ctx)
	if err != nil {
		return err
	}
	beat := cmp.Or(l.Beat, Beat)
	c := newConn(ws, 2*beat)
	c.frames = make(chan *frame, mostSent+64)
	ws.SetReadLimit(mostHead + MostInline + 16)
	defer c.Close()
	// One connection for everything, HTTP/2 from its first byte.
	transport := &http.Transport{
		DialContext:        func(context.Context, string, string) (net.Conn, error) { return c, nil },
		DisableCompression: true,
		Protocols:          new(http.Protocols),
		HTTP2:              &http.HTTP2Config{MaxReceiveBufferPerConnection: 4<<20 - 1, MaxReceiveBufferPerStream: 1 << 20},
	}
	transport.Protocols.SetUnencryptedHTTP2(true)
	relay, err := transport.NewClientConn(ctx, "http", "relay:80")
	if err != nil {
		return err
	}
	defer relay.Close()
	g, going := errgroup.WithContext(context.WithoutCancel(ctx))
	in := &intake{Listener: l, conn: c, relay: relay, beat: beat, group: g, track: newTracker()}
	defer context.AfterFunc(going, func() { c.Close() })()
	g.Go(func() error { return in.listen(going) })
	g.Go(func() error {
		select {
		case <-going.Done():
			return nil
		case <-ctx.Done():
			in.leave(going)
			return ctx.Err()
		}
	})
	err = g.Wait()
	l.come(in.track.acked())
	return errors.Join(err, l.keepSeat(context.WithoutCancel(ctx)))
}

// dial opens the websocket of a listener.
func (l *Listener) dial(ctx context.Context) (*websocket.Conn, error) {
	ws, err := dialer(protocol).open(ctx, l.URL, l.Token, l.Version)
	var no *NoUpgrade
	switch {
	case err == nil && ws.Subprotocol() != protocol:
		ws.Close()
		return nil, fmt.Errorf("%w: %s speaks %q, and this is hooktape %s, which speaks %s; update the older of the two", ErrRefused, l.URL, ws.Subprotocol(), l.Version, protocol)
	case !errors.As(err, &no):
		return ws, err
	case !no.Own && l.reached():
		// A proxy in front of the relay, which is away, or a network that
		// wants a login: the relay comes back.
		return nil, fmt.Errorf("tunnel: somebody in the relay's place answers %d", no.Status)
	case no.Status < 400, no.Status == http.StatusNotFound:
		return nil, fmt.Errorf("%w: %s is no hooktape relay (it answers %d at /connect)", ErrRefused, l.URL, no.Status)
	}
	return nil, refused(no.Status, no.Detail)
}

// reached reports whether the relay was ever there.
func (l *Listener) reached() bool {
	select {
	case <-l.Ready():
		return true
	default:
		return false
	}
}

// opener opens websockets at relays. Names are resolved anew each time, and a
// proxy is used where the environment names one.
type opener struct{ websocket.Dialer }

func dialer(protocol string) *opener {
	return &opener{websocket.Dialer{
		Proxy:            http.ProxyFromEnvironment,
		NetDialContext:   stagger,
		HandshakeTimeout: 10 * time.Second,
		Subprotocols:     []string{protocol},
		ReadBufferSize:   32 << 10,
		WriteBufferSize:  chunk + 16,
	}}
}

// open returns a *NoUpgrade, wrapped, when it is answered with anything but a
// websocket.
func (o *opener) open(ctx context.Context, url, token, version string) (*websocket.Conn, error) {
	header := http.Header{"User-Agent": {"hooktape/" + version}}
	if token != "" {
		header.Set("Authorization", "Bearer "+token)
	}
	ws, res, err := o.DialContext(ctx, "ws"+strings.TrimPrefix(strings.TrimSuffix(url, "/"), "http")+"/connect", header)
	if err == nil {
		return ws, nil
	}
	if res == nil || !errors.Is(err, websocket.ErrBadHandshake) {
		return nil, fmt.Errorf("tunnel: %w", err)
	}
	body, _ := io.ReadAll(io.LimitReader(res.Body, 4<<10))
	own := res.Header.Get("Content-Type") == "application/problem+json"
	return nil, fmt.Errorf("tunnel: %w", &NoUpgrade{res.StatusCode, detail(body), own})
}

// NoUpgrade is an answer where there should be a websocket.
type NoUpgrade struct {
	Status int
	Detail string // of a problem, or the beginning of what else is said; "": nothing is
	Own    bool   // a hooktape says so, and no proxy in its place
}

func (e *NoUpgrade) Error() string {
	return fmt.Sprintf("no websocket: the answer is %d: %s", e.Status, cmp.Or(e.Detail, http.StatusText(e.Status)))
}

// detail is what a problem says.
func detail(body []byte) string {
	var p struct {
		Detail string `json:"detail"`
	}
	if json.Unmarshal(body, &p) == nil && p.Detail != "" {
		return p.Detail
	}
	return strings.TrimSpace(string(bytes.ToValidUTF8(body[:min(len(body), 200)], nil)))
}

// stagger dials, and dials again every second while there is no answer: after
// an outage a new request is answered at once, and one that was lost is
// repeated by the system later and later.
func stagger(ctx context.Context, network, addr string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	type dialled struct {
		conn net.Conn
		err  error
	}
	won := make(chan dialled)
	begin := func() {
		go func() {
			var d net.Dialer
			conn, err := d.DialContext(ctx, network, addr)
			select {
			case won <- dialled{conn, err}:
			case <-ctx.Done():
				if conn != nil {
					conn.Close()
				}
			}
		}()
	}
	begin()
	again := time.NewTicker(time.Second)
	defer again.Stop()
	for n := 1; ; {
		select {
		case d := <-won:
			return d.conn, d.err
		case <-again.C:
			if n++; n <= 5 {
				begin()
			}
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}
