package tunnel

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/gorilla/websocket"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/head"
	"code.hooktape.dev/hooktape/relay"
)

// probing is the websocket subprotocol of a Probe.
const probing = "hooktape.probe.1"

// MostSilence is how long a Probe may be silent. The relay is that patient with
// it, and longer than what stands between usually is.
const MostSilence = 10 * time.Minute

// Card is what a relay says of itself to who probes it.
type Card struct {
	Version string           `json:"version"`
	Beat    capture.Duration `json:"heartbeat_ms"` // how often it wants a sign of life
	App     string           `json:"app"`          // the one that the token is for, else the default one
	// Ingest is the URL at which that app's webhooks are taken, or only its
	// path where the relay does not know its own address.
	Ingest string `json:"ingest"`
}

// upgradesProbes is upgrader for who probes.
var upgradesProbes = websocket.Upgrader{Subprotocols: []string{probing}, ReadBufferSize: 512, WriteBufferSize: 512, CheckOrigin: upgrader.CheckOrigin}

// serveCard hands out a card and answers pings, until the other end has gone
// or was silent for too long.
func (h *Hub) serveCard(w http.ResponseWriter, r *http.Request, pass Pass) {
	card := Card{Version: h.Version, Beat: capture.Duration(h.Beat), App: pass.App}
	if card.App == "" {
		card.App = capture.DefaultApp
	}
	var err error
	if card.Ingest, err = h.Ingest(r.Context(), card.App); err != nil && !errors.Is(err, capture.ErrNotFound) {
		relay.Problem(w, http.StatusInternalServerError, err.Error(), nil)
		return
	}
	ws, err := upgradesProbes.Upgrade(w, r, nil)
	if err != nil {
		return // Upgrade has answered
	}
	head.Hijacked(ws.NetConn())
	go func() {
		defer ws.Close()
		ws.SetReadLimit(512)
		ws.SetReadDeadline(time.Now().Add(MostSilence + time.Minute))
		if ws.WriteJSON(card) == nil {
			ws.ReadMessage() // nothing is to come but pings, which it answers, and the end
		}
	}()
}

// Probe is a connection to a relay that listens to nothing: it goes the way
// that a Listener's would, and leaves no trace. Set its fields before Open. It
// is for one goroutine.
type Probe struct {
	URL     string // of the relay: http or https
	Token   string
	Version string
	Proxy   func(*http.Request) (*url.URL, error) // nil: none is used
	Roots   *x509.CertPool                        // nil: the system's

	ws    *websocket.Conn
	pongs chan time.Time // one slot
	ended chan error     // one slot: why nothing more is read
}

// Open connects, and returns what the relay says of itself. The error is a
// *NoUpgrade, wrapped, when it is answered with anything but a websocket.
func (p *Probe) Open(ctx context.Context) (card Card, err error) {
	d := dialer(probing)
	d.Proxy, d.TLSClientConfig = p.Proxy, &tls.Config{RootCAs: p.Roots}
	ws, err := d.open(ctx, p.URL, p.Token, p.Version)
	if err != nil {
		return card, err
	}
	p.ws, p.pongs, p.ended = ws, make(chan time.Time, 1), make(chan error, 1)
	ws.SetReadLimit(mostMessage)
	ws.SetReadDeadline(time.Now().Add(pongTime))
	if err := ws.ReadJSON(&card); err != nil {
		ws.Close()
		return card, fmt.Errorf("tunnel: the websocket opens, and the relay's first message does not come: %w", err)
	}
	ws.SetReadDeadline(time.Time{})
	ws.SetPongHandler(func(string) error {
		select {
		case p.pongs <- time.Now():
		default:
		}
		return nil
	})
	go func() {
		_, _, err := ws.ReadMessage()
		if err == nil {
			err = errors.New("a message that was not asked for")
		}
		p.ended <- err
	}()
	return card, nil
}

// Close ends the probe.
func (p *Probe) Close() error { return p.ws.Close() }

// pongTime is how long a probe waits for what the relay sends at once.
const pongTime = 10 * time.Second

// Ping is how long a ping and its pong take.
func (p *Probe) Ping(ctx context.Context) (time.Duration, error) {
	began := time.Now()
	if err := p.ws.WriteControl(websocket.PingMessage, nil, began.Add(pongTime)); err != nil {
		return 0, fmt.Errorf("tunnel: ping: %w", err)
	}
	select {
	case at := <-p.pongs:
		return at.Sub(began), nil
	case err := <-p.ended:
		p.ended <- err
		return 0, fmt.Errorf("tunnel: ping: %w", noEOF(err))
	case <-time.After(pongTime):
		return 0, fmt.Errorf("tunnel: ping: no pong within %s", pongTime)
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

// ErrCut is returned by Silence for a connection that did not survive it.
var ErrCut = errors.New("the connection was cut")

// Silence sends nothing for a while, and then a ping. It returns how long the
// silence has lasted, and ErrCut, wrapped, when the connection is gone by then.
func (p *Probe) Silence(ctx context.Context, d time.Duration) (time.Duration, error) {
	began := time.Now()
	select {
	case err := <-p.ended:
		p.ended <- err
		return time.Since(began), fmt.Errorf("tunnel: %w: %w", ErrCut, err)
	case <-time.After(d):
	case <-ctx.Done():
		return time.Since(began), ctx.Err()
	}
	if _, err := p.Ping(ctx); err != nil {
		return d, fmt.Errorf("tunnel: %w: %w", ErrCut, err)
	}
	return d, nil
}
