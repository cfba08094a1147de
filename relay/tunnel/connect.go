package tunnel

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/head"
	"code.hooktape.dev/hooktape/relay"
)

// upgrader keeps no buffers of its own: an idle connection shall cost little.
var upgrader = websocket.Upgrader{
	Subprotocols:    []string{protocol},
	ReadBufferSize:  1 << 10,
	WriteBufferSize: chunk + 16,
	WriteBufferPool: new(sync.Pool),
	CheckOrigin:     func(r *http.Request) bool { return r.Header.Get("Origin") == "" }, // no page listens
}

// helloTime is how long a connection may take to say who it is.
const helloTime = 10 * time.Second

// ServeHTTP takes a listener's connection. Requests that ask for no websocket
// or for another version of the protocol are answered 426, and those of whom
// Admit lets nobody in as it says. Who asks for a probe gets that.
func (h *Hub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.init()
	pass, ok := h.Admit(w, r)
	switch {
	case !ok:
		return
	case h.Draining():
		w.Header().Set("Retry-After", "1")
		relay.Problem(w, http.StatusServiceUnavailable, "The relay restarts. Come back in a moment.", nil)
		return
	case !websocket.IsWebSocketUpgrade(r):
		w.Header().Set("Upgrade", "websocket")
		relay.Problem(w, http.StatusUpgradeRequired, "This address is for hooktape listen --relay. If you came with that, a proxy between has dropped the header Upgrade: websocket.", nil)
		return
	case asksFor(r, probing):
		h.serveCard(w, r, pass)
		return
	case !asksFor(r, protocol):
		w.Header().Set("Upgrade", "websocket")
		relay.Problem(w, http.StatusUpgradeRequired, fmt.Sprintf("This relay is hooktape %s and speaks %s; the listener asks for %q. Update the older of the two.",
			h.Version, protocol, websocket.Subprotocols(r)), nil)
		return
	}
	ws, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		return // Upgrade has answered
	}
	head.Hijacked(ws.NetConn())
	// Not on this goroutine: what net/http holds for it is let go of.
	go h.attend(newConn(ws, 2*h.Beat), pass, r.RemoteAddr)
}

func asksFor(r *http.Request, protocol string) bool {
	return slices.Contains(websocket.Subprotocols(r), protocol)
}

// bodyTime is how long a listener may take for a body at a time. It asks for
// the rest of one that took longer.
const bodyTime = time.Minute

// attend serves one connection until it ends.
func (h *Hub) attend(c *conn, pass Pass, remote string) {
	s := &session{hub: h, conn: c, pass: pass, remote: remote,
		frames: make(chan *frame, 16), gone: make(chan struct{}), targets: map[string]capture.ID{}}
	s.ctx, s.end = context.WithCancelCause(context.Background())
	defer context.AfterFunc(s.ctx, func() { c.Close() })()
	late := time.AfterFunc(helloTime, func() {
		if !s.listens.Load() {
			c.Close()
		}
	})
	defer late.Stop()
	if !pass.Expires.IsZero() {
		expiry := time.AfterFunc(time.Until(pass.Expires), func() { s.end(errRevoked) })
		defer expiry.Stop()
	}
	serveHTTP2(context.WithValue(s.ctx, sessionKey{}, s), c)
	s.end(nil)
	c.Close()
	s.leave()
}

// routes are what a listener may ask for, the same for all of them.
var routes = sync.OnceValue(func() http.Handler {
	mux := http.NewServeMux()
	for pattern, serve := range map[string]func(*session, http.ResponseWriter, *http.Request) error{
		"POST /log":             (*session).serveLog,
		"POST /probe":           (*session).serveProbe,
		"POST /ack":             (*session).serveAck,
		"GET /events/{id}/body": (*session).serveBody,
		"POST /answers/{id}":    (*session).serveAnswer,
		"POST /attempts":        (*session).serveAttempts,
	} {
		mux.HandleFunc(pattern, answered(func(w http.ResponseWriter, r *http.Request) error {
			s := r.Context().Value(sessionKey{}).(*session)
			if !s.serve() {
				return refuse(http.StatusGone, "the connection has ended")
			}
			defer s.serving.Done()
			if r.URL.Path != "/log" && !s.listens.Load() {
				return refuse(http.StatusConflict, "say who listens first")
			}
			return serve(s, w, r)
		}))
	}
	return mux
})

// sessionKey is where a request's context has its connection.
type sessionKey struct{}

// refusal is an error with the status that it is answered with.
type refusal struct {
	status int
	detail string
}

func (e *refusal) Error() string { return e.detail }

func refuse(status int, format string, a ...any) error {
	return &refusal{status, fmt.Sprintf(format, a...)}
}

// answered answers with the problem of an error.
func answered(f func(http.ResponseWriter, *http.Request) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		err := f(w, r)
		var why *refusal
		switch {
		case err == nil:
		case errors.As(err, &why):
			relay.Problem(w, why.status, why.detail, nil)
		case errors.Is(err, capture.ErrNotFound):
			relay.Problem(w, http.StatusNotFound, err.Error(), nil)
		case errors.Is(err, capture.ErrDamaged):
			relay.Problem(w, http.StatusGone, err.Error(), nil)
		default:
			relay.Problem(w, http.StatusInternalServerError, err.Error(), nil)
		}
	}
}

// take reads a request's JSON.
func take(w http.ResponseWriter, r *http.Request, v any) error {
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, mostJSON)).Decode(v); err != nil {
		return refuse(http.StatusBadRequest, "%v", err)
	}
	return nil
}

// serveProbe puts a frame into the listener's stream, so that it sees one go
// round.
func (s *session) serveProbe(w http.ResponseWriter, r *http.Request) error {
	n, err := strconv.ParseUint(r.FormValue("n"), 10, 64)
	if err != nil {
		return refuse(http.StatusBadRequest, "n: %v", err)
	}
	s.say(&frame{Kind: isProbe, Probe: n})
	s.proceed()
	return nil
}

// serveAck notes how far the listener has come.
func (s *session) serveAck(w http.ResponseWriter, r *http.Request) error {
	var ack struct {
		Seq uint64 `json:"seq"`
	}
	if err := take(w, r, &ack); err != nil {
		return err
	}
	if sent := s.place(); ack.Seq > sent {
		return refuse(http.StatusBadRequest, "place %d was not sent yet, only %d", ack.Seq, sent)
	}
	s.arrived(ack.Seq)
	return nil
}

// serveBody is the body of an event, or the part of it that a Range asks for.
// With ?attempt=ID it is what that attempt sends, which may be another.
func (s *session) serveBody(w http.ResponseWriter, r *http.Request) error {
	id, err := capture.ParseID(capture.EventID, r.PathValue("id"))
	if err != nil {
		return refuse(http.StatusNotFound, "%v", err)
	}
	row, err := s.hub.Log.Event(r.Context(), id)
	if err != nil {
		return err
	}
	if row.App != s.app || !s.wants(&row.Event) {
		return capture.ErrNotFound
	}
	if sent := s.hub.waiting(s, capture.ID(r.URL.Query().Get("attempt"))); sent != nil && sent.body != nil {
		return pour(w, r, sent.body, capture.Sum(sent.body))
	}
	weight := min(row.Size, mostReading)
	if err := s.hub.reading.Acquire(r.Context(), weight); err != nil {
		return err
	}
	defer s.hub.reading.Release(weight)
	body, err := s.hub.Log.Body(r.Context(), id)
	if err != nil {
		return err
	}
	return pour(w, r, body, row.SHA256)
}

// pour writes a body, or the part of it that a Range asks for.
func pour(w http.ResponseWriter, r *http.Request, body []byte, sum capture.Digest) error {
	// Who does not read holds nobody else's bodies up.
	if err := http.NewResponseController(w).SetWriteDeadline(time.Now().Add(bodyTime)); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("ETag", fmt.Sprintf("%q", sum))
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
	return nil
}

// serveAnswer takes what became of an event whose sender waits: the attempt in
// CBOR behind its length, then what there is of the response's body beyond
// that. Nothing at all says that nobody could be asked.
func (s *session) serveAnswer(w http.ResponseWriter, r *http.Request) error {
	id := capture.ID(r.PathValue("id"))
	if s.hub.waiting(s, id) == nil {
		return refuse(http.StatusGone, "nobody waits for an answer to %s any more", id)
	}
	a, err := readAnswer(http.MaxBytesReader(w, r.Body, mostAnswer))
	if err != nil {
		return refuse(http.StatusBadRequest, "%v", err)
	}
	if !s.hub.answered(s, id, a) {
		return refuse(http.StatusGone, "nobody waits for an answer to %s any more", id)
	}
	return nil
}

// writeAnswer is what readAnswer reads.
func writeAnswer(a *capture.Attempt) ([]byte, error) {
	if a == nil {
		return nil, nil
	}
	var b bytes.Buffer
	light := *a
	light.Request = nil
	head, err := encoder.Marshal(light)
	if err != nil {
		return nil, err
	}
	b.Write(binary.BigEndian.AppendUint32(nil, uint32(len(head))))
	b.Write(head)
	if a.Response != nil {
		b.Write(a.Response.Rest)
	}
	return b.Bytes(), nil
}

// readAnswer is the attempt in an answer, nil in an empty one.
func readAnswer(r io.Reader) (*capture.Attempt, error) {
	var size [4]byte
	switch _, err := io.ReadFull(r, size[:]); {
	case err == io.EOF:
		return nil, nil
	case err != nil:
		return nil, err
	}
	n := binary.BigEndian.Uint32(size[:])
	if n > 4<<20 {
		return nil, fmt.Errorf("an attempt of %d bytes", n)
	}
	head, err := io.ReadAll(io.LimitReader(r, int64(n)))
	if err != nil {
		return nil, err
	}
	a := new(capture.Attempt)
	if err := decoder.Unmarshal(head, a); err != nil {
		return nil, err
	}
	rest, err := io.ReadAll(r)
	if a.Response != nil {
		a.Response.Rest = rest
	}
	return a, err
}
