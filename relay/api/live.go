package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/gorilla/websocket"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/head"
	"code.hooktape.dev/hooktape/capture/match"
)

const (
	beat      = 20 * time.Second       // between two pings
	silence   = 45 * time.Second       // after which a peer is given up: two beats and a little
	writeTime = 10 * time.Second       // for one frame
	batch     = 256                    // facts read at a time
	lapse     = 500 * time.Millisecond // in which a token that has ended is noticed
)

var upgrader = websocket.Upgrader{
	// Guard has judged the origin already, and a unix socket has none.
	CheckOrigin: func(*http.Request) bool { return true },
}

// live streams records: first "ready", then every fact behind ?after= (a
// place in the sequence; default: from now on) that ?filter= and ?app= let
// through. An attempt is let through with its event. Nothing is left out: the
// feed only says when to read on, and what is sent is read from the store.
func (s *Server) live(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	filter, err := match.Parse(q.Get("filter"))
	if err != nil {
		return err
	}
	after, err := number(q, "after", 0)
	if err != nil {
		return err
	}
	if q.Get("after") == "" {
		counts, err := s.Source.Counts(r.Context())
		if err != nil {
			return err
		}
		after = counts.Seq
	}
	conn, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		return nil // Upgrade has answered
	}
	head.Hijacked(conn.NetConn())
	// A hijacked connection's context does not end with it.
	ctx, end := context.WithCancelCause(r.Context())
	closed := make(chan struct{})
	context.AfterFunc(ctx, func() {
		defer close(closed)
		shut(conn, context.Cause(ctx))
	})
	go func() {
		defer end(nil)
		attend(ctx, conn)
	}()
	if t := callerOf(r).token; t.ID != "" {
		go func() { end(s.outlive(ctx, t)) }()
	}
	first := capture.NewRecord("ready")
	ready := s.ready(r)
	first.Ready = &ready
	send := func(r capture.Record) error {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		conn.SetWriteDeadline(time.Now().Add(writeTime))
		return conn.WriteJSON(r)
	}
	var changed <-chan struct{}
	if q.Get("watch") != "" {
		changed = s.Source.Watch(ctx) // before it is said that anything is told
	}
	if err = send(first); err == nil && changed != nil {
		err = tellChanges(ctx, s.Source, changed, after, bound(r), send)
	} else if err == nil {
		err = Follow(ctx, s.Source, after, filter, q.Get("app"), send)
	}
	end(err)
	<-closed
	return nil
}

// errEnded is why a stream is cut whose token counts no longer.
var errEnded = errors.New("the token was revoked or has expired")

// outlive waits until a token counts no longer: errEnded; or ctx is done: nil.
func (s *Server) outlive(ctx context.Context, t capture.Token) error {
	look := time.NewTicker(lapse)
	defer look.Stop()
	for s.Registry.Counts(t) {
		select {
		case <-ctx.Done():
			return nil
		case <-look.C:
		}
	}
	return errEnded
}

// shut says why a stream ends and closes it. A peer that reads nothing more
// keeps the writer no longer than a moment.
func shut(conn *websocket.Conn, why error) {
	code, says := websocket.CloseNormalClosure, ""
	switch {
	case errors.Is(why, errEnded):
		code, says = websocket.ClosePolicyViolation, errEnded.Error()
	case !errors.Is(why, context.Canceled):
		code = websocket.CloseInternalServerErr
	}
	conn.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(code, says), time.Now().Add(lapse/2))
	conn.Close()
}

// attend pings the peer and reads until it is gone or silent. It has nothing
// to say but pongs, which only a read hears.
func attend(ctx context.Context, conn *websocket.Conn) {
	ping := time.NewTicker(beat)
	defer ping.Stop()
	go func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-ping.C: // WriteControl may run beside the writer
				if conn.WriteControl(websocket.PingMessage, nil, time.Now().Add(writeTime)) != nil {
					return
				}
			}
		}
	}()
	conn.SetReadLimit(1 << 10)
	conn.SetReadDeadline(time.Now().Add(silence))
	conn.SetPongHandler(func(string) error { return conn.SetReadDeadline(time.Now().Add(silence)) })
	for {
		if _, _, err := conn.NextReader(); err != nil {
			return
		}
	}
}

// Follow calls each with the record of every fact behind after that the
// filter and, unless empty, the app let through, until ctx is done, the
// source ends (both nil), or each returns an error.
func Follow(ctx context.Context, s Source, after uint64, filter *match.Predicate, app string, each func(capture.Record) error) error {
	changed := s.Watch(ctx) // before the first read, so that no fact falls between
	for {
		facts, err := s.Facts(ctx, after, batch)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		for _, f := range facts {
			after = f.Seq
			if !wants(ctx, s, f, filter, app) {
				continue
			}
			if err := each(f.Record()); err != nil {
				return err
			}
		}
		if len(facts) == batch {
			continue
		}
		select {
		case <-ctx.Done():
			return nil
		case _, ok := <-changed:
			if !ok {
				return nil
			}
		}
	}
}

func wants(ctx context.Context, s Source, f capture.Fact, filter *match.Predicate, app string) bool {
	if app == "" && filter.Terms() == 0 {
		return true
	}
	var id capture.ID
	switch {
	case f.Gap != nil:
		return filter.Terms() == 0 && f.Gap.App == app
	case f.Event != nil:
		id = f.Event.ID
	default:
		id = f.Attempt.Event
	}
	return Matches(ctx, s, id, filter, app)
}

// Matches reports whether an event is there, as it now stands, and is one
// that the filter and, unless empty, the app let through.
func Matches(ctx context.Context, s Reader, id capture.ID, filter *match.Predicate, app string) bool {
	row, err := s.Event(ctx, id)
	if err != nil || app != "" && row.App != app {
		return false
	}
	return filter.Match(match.Subject{Row: &row, Body: func() []byte {
		body, _ := s.Body(ctx, id) // a damaged body matches nothing
		return body
	}})
}

// Live follows the far store's sequence behind after (0: from now on) and
// calls each with every record, first "ready". It returns nil when ctx is
// done, and an error when each returns one or the stream breaks.
func (c *Client) Live(ctx context.Context, after uint64, filter, app string, each func(capture.Record) error) error {
	if _, err := match.Parse(filter); err != nil {
		return err // here it still knows where it breaks
	}
	q := url.Values{"filter": {filter}, "app": {app}}
	if after > 0 {
		q.Set("after", itoa(after))
	}
	return c.stream(ctx, q, each)
}

// stream is Live with a query as it goes over the wire.
func (c *Client) stream(ctx context.Context, q url.Values, each func(capture.Record) error) error {
	dialer := websocket.Dialer{NetDialContext: c.dial, Proxy: c.proxy, HandshakeTimeout: 5 * time.Second}
	shown := http.Header{}
	c.authorize(shown)
	// http becomes ws, and https wss.
	conn, res, err := dialer.DialContext(ctx, "ws"+strings.TrimPrefix(c.base, "http")+"/api/v1/live?"+q.Encode(), shown)
	if res != nil && res.StatusCode != http.StatusSwitchingProtocols {
		defer res.Body.Close()
		return readProblem(res)
	}
	if err != nil {
		return err
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	conn.SetPingHandler(func(data string) error {
		conn.SetReadDeadline(time.Now().Add(silence))
		return conn.WriteControl(websocket.PongMessage, []byte(data), time.Now().Add(writeTime))
	})
	for {
		conn.SetReadDeadline(time.Now().Add(silence))
		var r capture.Record
		if err := conn.ReadJSON(&r); err != nil {
			if ctx.Err() != nil {
				return nil
			}
			if cut := new(websocket.CloseError); errors.As(err, &cut) && cut.Code == websocket.ClosePolicyViolation {
				return fmt.Errorf("%s: %w", cut.Text, ErrUnauthorized)
			}
			return err
		}
		if err := each(r); err != nil {
			return err
		}
	}
}
