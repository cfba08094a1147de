package tunnel_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"

	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/relay/answer"
	"code.hooktape.dev/hooktape/relay/dispatch"
	"code.hooktape.dev/hooktape/relay/tunnel"
	"code.hooktape.dev/hooktape/store"
)

// patience is how long a test waits for what must happen.
const patience = 10 * time.Second

// relayEnd is a relay: a store and a hub behind a real socket. Connections can
// be cut, all at once.
type relayEnd struct {
	t     testing.TB
	store *store.Store
	hub   *tunnel.Hub
	url   string
	pass  func() (tunnel.Pass, bool)

	mu    sync.Mutex
	conns map[net.Conn]bool
}

func newRelay(t testing.TB, change ...func(*tunnel.Hub)) *relayEnd {
	t.Helper()
	r := &relayEnd{t: t, conns: map[net.Conn]bool{}}
	r.hub = &tunnel.Hub{Beat: 200 * time.Millisecond, Version: "test", Logger: quiet,
		Ingest: func(_ context.Context, app string) (string, error) {
			if app == "none" {
				return "", fmt.Errorf("no app: %w", capture.ErrNotFound)
			}
			return "/in/" + app, nil
		},
		Admit: func(w http.ResponseWriter, _ *http.Request) (tunnel.Pass, bool) {
			if r.pass == nil {
				return tunnel.Pass{}, true
			}
			p, ok := r.pass()
			if !ok {
				http.Error(w, "no", http.StatusUnauthorized)
			}
			return p, ok
		}}
	for _, f := range change {
		f(r.hub)
	}
	r.store = memory(t, r.hub.Kept)
	r.hub.Log, r.hub.Roster = r.store, r.store
	if err := r.hub.Recall(t.Context()); err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewUnstartedServer(r.hub)
	srv.Config.ConnState = func(c net.Conn, s http.ConnState) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.conns[c] = s != http.StateClosed
	}
	srv.Start()
	r.url = srv.URL
	during(t, r.hub.Run)
	t.Cleanup(func() { r.cut(); srv.Close() })
	return r
}

// cut closes every connection there is, without a word.
func (r *relayEnd) cut() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for c := range r.conns {
		c.Close()
	}
	clear(r.conns)
}

// event is one as the relay's ingest makes it.
func event(app, target string, body []byte) *capture.Event {
	return &capture.Event{ID: capture.NewID(capture.EventID), App: app, Origin: capture.Ingress, Received: time.Now().UTC(), Method: "POST",
		Target: capture.Raw(target), Proto: "HTTP/1.1", Headers: capture.Headers{{"Host", "hooks.example"}, {"X-Odd", "a"}, {"x-odd", "\xff"}},
		Size: int64(len(body)), SHA256: capture.Sum(body), Signature: capture.Signature{Verdict: capture.Unsigned}}
}

// catch keeps an event, claimed by whoever claims it.
func (r *relayEnd) catch(app, target string, body []byte) *capture.Event {
	r.t.Helper()
	e := event(app, target, body)
	e.Claimed = r.hub.Claim(e, body)
	if err := r.store.Keep(r.t.Context(), &capture.Change{Event: e, Body: body}); err != nil {
		r.t.Fatal(err)
	}
	return e
}

// app is a handler that notes what comes.
type app struct {
	*httptest.Server
	mu     sync.Mutex
	came   []string // paths, in order
	bodies [][]byte
	answer func(w http.ResponseWriter, r *http.Request) // nil: 200
}

func newApp(t testing.TB) *app {
	a := new(app)
	a.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		a.mu.Lock()
		a.came, a.bodies = append(a.came, r.URL.Path), append(a.bodies, body)
		answer := a.answer
		a.mu.Unlock()
		if answer != nil {
			answer(w, r)
		}
	}))
	t.Cleanup(a.Close)
	return a
}

func (a *app) seen() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([]string{}, a.came...)
}

// listenEnd is a listener: a store and a dispatcher of its own, that outlive
// its runs.
type listenEnd struct {
	t        testing.TB
	store    *store.Store
	dispatch *dispatch.Dispatcher
	app      *app

	mu      sync.Mutex
	records []capture.Record
}

func newListener(t testing.TB) *listenEnd {
	t.Helper()
	l := &listenEnd{t: t, store: memory(t, nil), app: newApp(t)}
	l.dispatch = &dispatch.Dispatcher{Store: l.store, History: l.store, Log: quiet, Open: func(e capture.Endpoint) (dispatch.Sender, error) {
		target, err := answer.ParseTarget(e.URL)
		return &answer.Forward{Target: target}, err
	}}
	e, err := l.store.Endpoint(t.Context(), capture.Endpoint{Listener: true, EndpointSpec: capture.EndpointSpec{URL: l.app.URL}})
	if err == nil {
		err = l.dispatch.Add(e)
	}
	if err != nil {
		t.Fatal(err)
	}
	during(t, l.dispatch.Run)
	return l
}

// run listens until stop is called; it has connected once when run returns.
func (l *listenEnd) run(r *relayEnd, change ...func(*tunnel.Listener)) (far *tunnel.Listener, stop func() error) {
	l.t.Helper()
	far = l.far(r, change...)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- far.Run(ctx) }()
	stop = sync.OnceValue(func() error { cancel(); return <-ended })
	l.t.Cleanup(func() { stop() })
	select {
	case <-far.Ready():
	case err := <-ended:
		ended <- err
	case <-time.After(patience):
		l.t.Fatal("the listener does not get ready")
	}
	return far, stop
}

func (l *listenEnd) far(r *relayEnd, change ...func(*tunnel.Listener)) *tunnel.Listener {
	far := &tunnel.Listener{URL: r.url, App: "shop", Name: "ada@laptop", Version: "test", Beat: 200 * time.Millisecond,
		Tape: l.store, Hands: l.dispatch, Log: quiet, Tell: func(r capture.Record) {
			l.mu.Lock()
			defer l.mu.Unlock()
			l.records = append(l.records, r)
		}}
	for _, f := range change {
		f(far)
	}
	return far
}

// told is how many records of a type there were.
func (l *listenEnd) told(kind string) (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, r := range l.records {
		if r.Type == kind {
			n++
		}
	}
	return n
}

// gaps are the gaps in the listener's store, in words.
func (l *listenEnd) gaps() string {
	l.t.Helper()
	gaps, err := l.store.Gaps(l.t.Context())
	if err != nil {
		l.t.Fatal(err)
	}
	var all []string
	for _, g := range gaps {
		all = append(all, fmt.Sprintf("%d %s", g.Missed, g.CatchUp))
	}
	return strings.Join(all, ", ")
}

// kept are the targets of the events in the listener's store, in order.
func (l *listenEnd) kept() (targets []string) {
	l.t.Helper()
	page, err := l.store.Events(l.t.Context(), capture.Query{Ascending: true, Limit: 100_000})
	if err != nil {
		l.t.Fatal(err)
	}
	for _, row := range page.Rows {
		targets = append(targets, string(row.Target))
	}
	return targets
}

var quiet = slog.New(slog.DiscardHandler)

func memory(t testing.TB, kept func(*capture.Event, []byte)) *store.Store {
	t.Helper()
	s, err := store.Open("", store.Options{Memory: true, Log: quiet, Kept: kept})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// during runs f for as long as the test takes.
func during(t testing.TB, f func(context.Context) error) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- f(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// eventually waits until there is what there must be.
func eventually[T any](t testing.TB, want any, get func() T) {
	t.Helper()
	var got string
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(2 * time.Millisecond) {
		if got = fmt.Sprint(get()); got == fmt.Sprint(want) {
			return
		}
	}
	t.Fatalf("got %.2000s, want %.2000s", got, fmt.Sprint(want))
}

// numbered is /a, /b … as a list prints them.
func numbered(from, to int) string {
	var b bytes.Buffer
	for i := from; i < to; i++ {
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		fmt.Fprintf(&b, "/%d", i)
	}
	return "[" + b.String() + "]"
}

// valve forwards connections to a relay. While it is closed they stay, and what
// is sent over them goes nowhere; those it comes to nothing of end when the
// valve opens.
type valve struct {
	url  string
	open atomic.Bool
}

func newValve(t testing.TB, relay string) *valve {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	v := &valve{url: "http://" + l.Addr().String()}
	v.open.Store(true)
	t.Cleanup(func() { v.open.Store(true); l.Close() })
	pass := func(to, from net.Conn) {
		defer to.Close()
		b := make([]byte, 32<<10)
		for {
			n, err := from.Read(b)
			if n > 0 && !v.open.Load() {
				for !v.open.Load() {
					time.Sleep(time.Millisecond)
				}
				return
			}
			if n > 0 {
				_, err = to.Write(b[:n])
			}
			if err != nil {
				return
			}
		}
	}
	go func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("tcp", strings.TrimPrefix(relay, "http://"))
			if err != nil {
				near.Close()
				continue
			}
			go pass(far, near)
			go pass(near, far)
		}
	}()
	return v
}
