package tunnel_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/seal"
	"code.hooktape.dev/hooktape/relay/answer"
	"code.hooktape.dev/hooktape/relay/dispatch"
	"code.hooktape.dev/hooktape/relay/tunnel"
	"code.hooktape.dev/hooktape/store"
)

// sealing is a listener with a key, its relay, and its app, of which everything
// that is nobody else's business says canary.
type sealing struct {
	*testing.T
	far, near *store.Store
	hub       *tunnel.Hub
	app       chan string // what came: a line for each
	target    string
	notices   chan string
	to        string
}

func newSealing(t *testing.T) *sealing {
	t.Helper()
	keys, to := newKey(t)
	s := &sealing{T: t, app: make(chan string, 8), notices: make(chan string, 8), to: to}
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	open := func(o store.Options) *store.Store {
		o.Memory, o.Log = true, log
		st, err := store.Open("", o)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { st.Close() })
		return st
	}
	s.hub = &tunnel.Hub{Logger: log, Ingest: func(context.Context, string) (string, error) { return "/in/ik_x", nil },
		Admit: func(http.ResponseWriter, *http.Request) (tunnel.Pass, bool) { return tunnel.Pass{}, true }}
	s.far, s.near = open(store.Options{Kept: s.hub.Kept}), open(store.Options{})
	s.hub.Log, s.hub.Roster = s.far, s.far
	relay := httptest.NewServer(s.hub)
	t.Cleanup(relay.Close)
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		s.app <- r.Method + " " + r.RequestURI + " " + string(body)
		w.Header().Set("X-Canary", "canary")
		io.WriteString(w, "canary")
	}))
	t.Cleanup(app.Close)
	s.target = app.URL

	hands := &dispatch.Dispatcher{Store: s.near, History: s.near, Log: log, Open: func(e capture.Endpoint) (dispatch.Sender, error) {
		target, err := answer.ParseTarget(e.URL)
		return &answer.Forward{Target: target}, err
	}}
	e, err := s.near.Endpoint(t.Context(), capture.Endpoint{App: "shop", Listener: true, EndpointSpec: capture.EndpointSpec{URL: s.target}})
	if err == nil {
		err = hands.Add(e)
	}
	if err != nil {
		t.Fatal(err)
	}
	listener := &tunnel.Listener{URL: relay.URL, App: "shop", Name: "ada", Keys: keys, Tape: s.near, Hands: hands, Log: log,
		Tell: func(r capture.Record) { s.notices <- r.Type + " " + r.Link.Notice }}
	for _, run := range []func(context.Context) error{s.hub.Run, hands.Run, listener.Run} {
		ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
		ended := make(chan error, 1)
		go func() { ended <- run(ctx) }()
		t.Cleanup(func() {
			cancel()
			if err := <-ended; err != nil {
				t.Error(err)
			}
		})
	}
	<-listener.Ready()
	return s
}

func newKey(t *testing.T) (seal.Keys, string) {
	t.Helper()
	file, err := seal.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	keys, err := seal.ReadKeys(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	return keys, keys.Recipients()[0]
}

// sealed is an event as the relay has it.
func (s *sealing) sealed(to string, body []byte) *capture.Change {
	s.Helper()
	e, b, err := seal.Seal(&capture.Event{ID: capture.NewID(capture.EventID), App: "shop", Origin: capture.Ingress, Received: time.Now().UTC(),
		Method: "CANARY", Target: "/canary?canary", Proto: "HTTP/1.1", Headers: capture.Headers{{"X-GitHub-Event", "canary"}}}, body, []string{to})
	if err != nil {
		s.Fatal(err)
	}
	return &capture.Change{Event: e, Body: b}
}

// until reads a row of st again whenever that changes, until is.
func (s *sealing) until(st *store.Store, id capture.ID, is func(*capture.Row) bool) capture.Row {
	s.Helper()
	changed := st.Watch(s.Context())
	for {
		if row, err := st.Event(s.Context(), id); err == nil && is(&row) {
			return row
		}
		if _, ok := <-changed; !ok {
			s.Fatal("it never came to that")
		}
	}
}

func delivered(r *capture.Row) bool { return r.Outcome.State == capture.OK }

// A sealed event is delivered as it came, whether it is small or travels apart,
// and the relay hears no more of it than that it was, however it asks: neither
// the path nor the type, nor what the app answered.
func TestSealedEventsAreOpened(t *testing.T) {
	s := newSealing(t)
	for _, body := range []string{"canary", strings.Repeat("canary", 100_000)} {
		c := s.sealed(s.to, []byte(body))
		asking, cancel := context.WithTimeout(t.Context(), time.Minute)
		wait, err := s.hub.Await(asking, c.Event)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.far.Keep(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		told := make(chan *capture.Attempt, 1)
		go func() {
			a, _ := wait()
			told <- a
		}()
		if got := <-s.app; got != "CANARY /canary?canary "+body {
			t.Errorf("the app got %.100q", got)
		}
		if row := s.until(s.near, c.Event.ID, delivered); !row.Opened || row.Sealed || row.Type != "canary" || row.Provider != "github" {
			t.Errorf("kept %+v", row)
		}
		s.until(s.far, c.Event.ID, delivered)
		cancel()
		if a := <-told; a != nil {
			t.Errorf("the relay was answered: %+v", a)
		}

		reported, err := s.far.Attempts(t.Context(), capture.AttemptQuery{Event: c.Event.ID})
		if err != nil || len(reported) != 1 {
			t.Fatalf("%d attempts, %v", len(reported), err)
		}
		whole, err := s.far.Attempt(t.Context(), reported[0].ID)
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(whole)
		if err != nil {
			t.Fatal(err)
		}
		if whole.URL != s.target || whole.Code != 200 || strings.Contains(strings.ToLower(string(text)), "canary") {
			t.Errorf("reported %s", text)
		}
		again := &capture.Attempt{ID: capture.NewID(capture.AttemptID), Event: c.Event.ID, Endpoint: whole.Endpoint, Number: 2, URL: s.target}
		rows, err := s.far.EndpointRow(t.Context(), whole.Endpoint)
		if err != nil {
			t.Fatal(err)
		}
		if (tunnel.Sender{Hub: s.hub, Endpoint: rows.Endpoint}).Send(t.Context(), c.Event, c.Body, again); again.Status != capture.AttemptFailed || again.Response != nil {
			t.Errorf("sent again: %+v", again)
		}
	}
	if len(s.app) > 0 {
		t.Errorf("the app got %q", <-s.app)
	}
}

// What no key opens is kept as it is, once said, and holds nothing up.
func TestWhatCannotBeOpenedStaysSealed(t *testing.T) {
	s := newSealing(t)
	_, stranger := newKey(t)
	shut, shut2, open := s.sealed(stranger, nil), s.sealed(stranger, nil), s.sealed(s.to, []byte("x"))
	if err := s.far.Keep(t.Context(), shut, shut2, open); err != nil {
		t.Fatal(err)
	}
	if got := <-s.app; got != "CANARY /canary?canary x" {
		t.Errorf("the app got %q", got)
	}
	for _, c := range []*capture.Change{shut, shut2} {
		row := s.until(s.near, c.Event.ID, func(*capture.Row) bool { return true })
		if body, err := s.near.Body(t.Context(), row.ID); err != nil || !row.Sealed || row.Outcome.State != capture.Captured || !bytes.Equal(body, c.Body) {
			t.Errorf("kept %+v, %d bytes, %v", row, len(body), err)
		}
	}
	if notice := <-s.notices; !strings.Contains(notice, "notice event "+string(shut.Event.ID)) || !strings.Contains(notice, "hooktape keygen") || len(s.notices) > 0 {
		t.Errorf("told %q and %d more", notice, len(s.notices))
	}
}
