package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/match"
	"code.hooktape.dev/hooktape/relay/api"
	"code.hooktape.dev/hooktape/store"
)

// patience is how long a test waits for what must happen.
const patience = 10 * time.Second

// source is what the store and its far-away reader have in common.
type source interface {
	api.Reader
	api.Keeper
	api.Gapped
	Counts(context.Context) (capture.Counts, error)
	Watch(context.Context) <-chan struct{}
}

var _ = []source{(*store.Store)(nil), (*api.Client)(nil)}

func memory(t testing.TB) *store.Store { return opened(t, "", store.Options{Memory: true}) }

func opened(t testing.TB, dir string, o store.Options) *store.Store {
	t.Helper()
	o.Log = logs(t)
	s, err := store.Open(dir, o)
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

func logs(t testing.TB) *slog.Logger { return slog.New(slog.NewTextHandler(t.Output(), nil)) }

// far serves s on a unix socket and returns its client, and how to end the
// service before the test does.
func far(t testing.TB, s *store.Store, change ...func(*api.Server)) (c *api.Client, end func()) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "api.sock")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	server := &api.Server{Source: s, Version: "test", Ready: capture.Ready{Ingest: "http://ingest", Targets: []string{}}}
	for _, f := range change {
		f(server)
	}
	srv := &http.Server{Handler: server.Handler(), BaseContext: func(net.Listener) context.Context { return ctx }}
	ended := make(chan error, 1)
	go func() { ended <- srv.Serve(l) }()
	end = func() {
		cancel()
		srv.Close()
	}
	c = api.Dial(path)
	t.Cleanup(func() {
		c.Close()
		end()
		<-ended
	})
	return c, end
}

// both runs f over a store and over the client of one, each with facts of its
// own.
func both(t *testing.T, f func(t *testing.T, s *store.Store, src source)) {
	t.Helper()
	t.Run("store", func(t *testing.T) {
		s := memory(t)
		f(t, s, s)
	})
	t.Run("client", func(t *testing.T) {
		s := memory(t)
		c, _ := far(t, s)
		f(t, s, c)
	})
}

func TestGaps(t *testing.T) {
	both(t, func(t *testing.T, s *store.Store, src source) {
		if gaps := must[[]capture.Gap](t)(src.Gaps(t.Context())); len(gaps) != 0 {
			t.Errorf("there are gaps %+v, want none", gaps)
		}
		var want []capture.Gap
		for n := range 3 {
			g := capture.Gap{From: time.Now().UTC().Round(0), To: time.Now().UTC().Round(0), Missed: n + 1, CatchUp: "none", App: "default", Relay: "https://relay.example"}
			keep(t, s, &capture.Change{Gap: &g}, event(nil))
			want = append(want, g)
		}
		if gaps := must[[]capture.Gap](t)(src.Gaps(t.Context())); !slices.Equal(gaps, want) || gaps[0].Seq == 0 {
			t.Errorf("there are gaps %+v, want %+v", gaps, want)
		}
	})
}

// event makes one, with a body.
func event(body []byte, change ...func(*capture.Event)) *capture.Change {
	e := &capture.Event{
		ID: capture.NewID(capture.EventID), App: "default", Type: "push", Origin: capture.Ingress,
		Received: time.Now().UTC().Round(0), Method: "POST", Target: "/hook?a=1", Proto: "HTTP/1.1",
		Headers: capture.Headers{{"Content-Type", "text/plain"}, {"x-b", "1"}, {"X-B", "2"}},
		Size:    int64(len(body)), SHA256: capture.Sum(body), Signature: capture.Signature{Verdict: capture.Unsigned},
	}
	for _, f := range change {
		f(e)
	}
	return &capture.Change{Event: e, Body: body}
}

var endpoint = capture.NewID(capture.EndpointID)

// finished is a change that keeps an attempt of the event, through with the
// status code.
func finished(e *capture.Event, code int) *capture.Change {
	a := &capture.Attempt{
		ID: capture.NewID(capture.AttemptID), Event: e.ID, Endpoint: endpoint, Delivery: capture.NewID(capture.DeliveryID), Number: 1,
		Status: capture.AttemptSucceeded, Code: code, URL: "http://localhost:3000", TriggeredBy: capture.BySystem, TriggeredFrom: capture.FromAutomation,
		Started: time.Now().UTC().Round(0), Duration: capture.Duration(23456 * time.Microsecond), Timing: capture.Timing{FirstByte: capture.Duration(7 * time.Microsecond)},
		Request:  &capture.Request{Method: "POST", Target: "/caf\xe9", Headers: capture.Headers{{"X-N", "\xff"}, {"x-n", "2"}}},
		Response: &capture.Response{Status: code, Proto: "HTTP/1.1", Headers: capture.Headers{{"X-R", "\x80"}}, Body: []byte("\x00\xff\r\n")},
	}
	if code/100 != 2 {
		a.Status, a.Error = capture.AttemptFailed, &capture.Failure{Class: capture.FailStatus, Message: "no"}
	}
	return &capture.Change{Attempts: []*capture.Attempt{a}}
}

func keep(t testing.TB, s *store.Store, cs ...*capture.Change) {
	t.Helper()
	if err := s.Keep(context.Background(), cs...); err != nil {
		t.Fatal(err)
	}
}

// seed keeps 120 events: every third of app shop, every fifth of type pull,
// every tenth with a failed attempt.
func seed(t testing.TB, s *store.Store) (events []*capture.Event) {
	t.Helper()
	for i := range 120 {
		c := event(fmt.Appendf(nil, `{"n":%d}`, i), func(e *capture.Event) {
			if i%3 == 0 {
				e.App = "shop"
			}
			if i%5 == 0 {
				e.Type = "pull"
			}
		})
		keep(t, s, c)
		if i%10 == 0 {
			keep(t, s, finished(c.Event, 500))
		}
		events = append(events, c.Event)
	}
	return events
}

func ids(rows []capture.Row) (ids []capture.ID) {
	for _, r := range rows {
		ids = append(ids, r.ID)
	}
	return ids
}

func TestWindows(t *testing.T) {
	both(t, func(t *testing.T, s *store.Store, src source) {
		events := seed(t, s)
		for _, tt := range []struct {
			name  string
			query capture.Query
			want  func(i int) bool
		}{
			{"all", capture.Query{}, func(int) bool { return true }},
			{"all, a page as large as they are many", capture.Query{Limit: 120}, func(int) bool { return true }},
			{"all at once", capture.Query{Limit: 5000}, func(int) bool { return true }},
			{"an app", capture.Query{App: "shop", Limit: 7}, func(i int) bool { return i%3 == 0 }},
			{"a filter", capture.Query{Filter: "type:pull", Limit: 7}, func(i int) bool { return i%5 == 0 }},
			{"a filter with odd characters", capture.Query{Filter: `body.n:>=100 "&" or body.n:<3`, Limit: 2}, func(i int) bool { return i < 3 }},
			{"an app and a filter", capture.Query{App: "shop", Filter: "type:pull is:failed", Limit: 1}, func(i int) bool { return i%30 == 0 }},
			{"no more than some looked at", capture.Query{Filter: "body.n:7", Scan: 10}, func(i int) bool { return i == 7 }},
			{"nothing", capture.Query{Filter: "type:none"}, func(int) bool { return false }},
		} {
			for _, ascending := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s/ascending=%v", tt.name, ascending), func(t *testing.T) {
					var want, got []capture.ID
					for i, e := range events {
						if tt.want(i) {
							want = append(want, e.ID)
						}
					}
					if !ascending {
						slices.Reverse(want)
					}
					q := tt.query
					q.Ascending = ascending
					for pages := 0; ; pages++ {
						page, err := src.Events(t.Context(), q)
						if err != nil {
							t.Fatal(err)
						}
						limit := q.Limit
						if limit == 0 {
							limit = 50
						}
						if len(page.Rows) > limit || pages > 200 {
							t.Fatalf("page %d of %d rows, over the limit of %d", pages, len(page.Rows), limit)
						}
						if q.Limit == 5000 && page.Next != 0 {
							t.Errorf("a window with room for all says there is more")
						}
						got = append(got, ids(page.Rows)...)
						if q.Cursor = page.Next; page.Next == 0 {
							break
						}
					}
					if !slices.Equal(got, want) {
						t.Errorf("got %d events, want %d:\n%v\n%v", len(got), len(want), got, want)
					}
				})
			}
		}
	})
}

func TestSilentLimits(t *testing.T) {
	both(t, func(t *testing.T, s *store.Store, src source) {
		seed(t, s)
		for _, limit := range []int{0, -1} {
			page, err := src.Events(t.Context(), capture.Query{Limit: limit})
			if err != nil || len(page.Rows) != 50 {
				t.Errorf("events, limit %d: %d, %v; want 50", limit, len(page.Rows), err)
			}
		}
	})
}

// TestManyAttempts: a window of attempts is as wide as asked for.
func TestManyAttempts(t *testing.T) {
	both(t, func(t *testing.T, s *store.Store, src source) {
		c := event(nil)
		keep(t, s, c)
		var want []capture.ID
		all := make([]*capture.Change, 1100)
		for i := range all {
			all[i] = finished(c.Event, 200+300*(i%2))
			want = append(want, all[i].Attempts[0].ID)
		}
		keep(t, s, all...)
		slices.Reverse(want)
		for _, limit := range []int{-1, 0, 1, 1000, 1001, 10_000} {
			got, err := src.Attempts(t.Context(), capture.AttemptQuery{Event: c.Event.ID, Limit: limit})
			n := min(limit, len(want))
			if limit <= 0 {
				n = 50
			}
			if err != nil || len(got) != n || got[n-1].ID != want[n-1] {
				t.Errorf("limit %d: %d attempts, %v; want %d", limit, len(got), err, n)
			}
		}
		got, err := src.Attempts(t.Context(), capture.AttemptQuery{Cursor: want[1089], Status: capture.AttemptSucceeded})
		if err != nil || len(got) != 5 || got[0].ID != want[1091] || got[0].Request != nil || got[0].Response != nil {
			t.Errorf("behind a cursor: %+v, %v; want 5 that succeeded, without what went over the wire", got, err)
		}
	})
}

// TestWholeFacts: what is read is what was kept, to the byte.
func TestWholeFacts(t *testing.T) {
	both(t, func(t *testing.T, s *store.Store, src source) {
		every := make([]byte, 256)
		for i := range every {
			every[i] = byte(i)
		}
		for name, body := range map[string][]byte{"none": nil, "every byte": every, "2 MiB": bytes.Repeat(every, 8192), "JSON": []byte("{}\r\n")} {
			c := event(body, func(e *capture.Event) {
				e.Target, e.Source, e.Parsed = "/caf\xe9/日本?\xff\x00=%zz&<>", "x", true
				e.Headers = append(e.Headers, capture.Header{"X-N", "Jos\xe9"}, capture.Header{"x-n", "日本"}, capture.Header{"X-E", ""})
				e.Trailers = capture.Headers{{"X-T", "\xff"}}
				e.Metadata = map[string]string{"a": "<b>"}
			})
			done := finished(c.Event, 500)
			keep(t, s, c)
			keep(t, s, done)
			row, err := src.Event(t.Context(), c.Event.ID)
			if err != nil || same(t, row.Event, *c.Event) || row.Target != c.Event.Target || row.Headers[3] != c.Event.Headers[3] ||
				row.Outcome.State != capture.Failed || row.Outcome.Status != 500 || row.Outcome.Tries != 1 {
				t.Errorf("%s: %+v, %v; want %+v, failed", name, row, err, c.Event)
			}
			got, err := src.Body(t.Context(), c.Event.ID)
			if err != nil || !bytes.Equal(got, body) {
				t.Errorf("%s: body of %d bytes, %v; want the %d kept", name, len(got), err, len(body))
			}
			a, err := src.Attempt(t.Context(), done.Attempts[0].ID)
			if err != nil || same(t, a, *done.Attempts[0]) || a.Request.Headers[0][1] != "\xff" || a.Request.Target != "/caf\xe9" || string(a.Response.Body) != "\x00\xff\r\n" {
				t.Errorf("%s: attempt %+v, %v; want %+v", name, a, err, done.Attempts[0])
			}
		}
		counts, err := src.Counts(t.Context())
		if want := (capture.Counts{Events: 4, Seq: 8}); err != nil || counts != want {
			t.Errorf("counts %+v, %v; want %+v", counts, err, want)
		}
	})
}

// same compares facts by their JSON, and reports a difference as true.
func same(t testing.TB, a, b any) (differ bool) {
	t.Helper()
	x, err1 := json.Marshal(a)
	y, err2 := json.Marshal(b)
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	return !bytes.Equal(x, y)
}

// TestErrorsKeepTheirIdentity: callers tell errors apart with errors.Is, and
// should not have to know which source they have.
func TestErrorsKeepTheirIdentity(t *testing.T) {
	both(t, func(t *testing.T, s *store.Store, src source) {
		ctx := t.Context()
		for _, id := range []capture.ID{capture.NewID(capture.EventID), "", "evt_", "x", "evt_../../status", "evt_a?b=c", capture.NewID(capture.AttemptID)} {
			_, err1 := src.Event(ctx, id)
			_, err2 := src.Body(ctx, id)
			_, err3 := src.Attempt(ctx, id)
			for i, err := range []error{err1, err2, err3, src.Pin(ctx, id, true), src.Remove(ctx, id)} {
				if !errors.Is(err, capture.ErrNotFound) {
					t.Errorf("%q, call %d: %v, want ErrNotFound", id, i, err)
				}
			}
			if id == "" {
				continue // any event's
			}
			if _, err := src.Attempts(ctx, capture.AttemptQuery{Event: id}); !errors.Is(err, capture.ErrNotFound) {
				t.Errorf("attempts of %q: %v, want ErrNotFound", id, err)
			}
		}
		var syntax *match.SyntaxError
		if _, err := src.Events(ctx, capture.Query{Filter: "a (b"}); !errors.As(err, &syntax) {
			t.Errorf("a broken filter: %v, want where it breaks", err)
		}
		cancelled, cancel := context.WithCancel(ctx)
		cancel()
		if _, err := src.Events(cancelled, capture.Query{}); !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled: %v", err)
		}
	})
}

func TestPinAndRemove(t *testing.T) {
	both(t, func(t *testing.T, s *store.Store, src source) {
		ctx := t.Context()
		events := seed(t, s)[:4]
		if err := src.Pin(ctx, events[1].ID, true); err != nil {
			t.Fatal(err)
		}
		if row, err := src.Event(ctx, events[1].ID); err != nil || !row.Pinned {
			t.Errorf("pinned %v, %v", row.Pinned, err)
		}
		missing := capture.NewID(capture.EventID)
		err := src.Remove(ctx, events[0].ID, events[1].ID, missing, events[2].ID)
		if !errors.Is(err, capture.ErrPinned) || !errors.Is(err, capture.ErrNotFound) || !strings.Contains(err.Error(), string(missing)) {
			t.Errorf("removing some that cannot be: %v, want ErrPinned and ErrNotFound with its id", err)
		}
		for i, want := range []error{capture.ErrNotFound, nil, capture.ErrNotFound, nil} { // the others went all the same
			if _, err := src.Event(ctx, events[i].ID); !errors.Is(err, want) {
				t.Errorf("event %d: %v, want %v", i, err, want)
			}
		}
		if err := errors.Join(src.Pin(ctx, events[1].ID, false), src.Remove(ctx, events[1].ID), src.Remove(ctx)); err != nil {
			t.Errorf("unpinned and removed: %v", err)
		}
	})
}

// TestDamage flips a byte of a body on disk.
func TestDamage(t *testing.T) {
	dir := t.TempDir()
	body := bytes.Repeat([]byte("a body to be found on disk. "), 1000)
	c := event(body)
	s, err := store.Open(dir, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	keep(t, s, c)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	files, _ := filepath.Glob(filepath.Join(dir, "badger", "*"))
	flipped := 0
	for _, name := range files {
		raw, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if at := bytes.Index(raw, body[:5000]); at >= 0 {
			raw[at+4000] ^= 1
			flipped++
			if err := os.WriteFile(name, raw, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	if flipped == 0 {
		t.Fatal("the body was not found on disk")
	}
	s = opened(t, dir, store.Options{})
	client, _ := far(t, s)
	for name, src := range map[string]source{"store": s, "client": client} {
		if got, err := src.Body(t.Context(), c.Event.ID); !errors.Is(err, capture.ErrDamaged) {
			t.Errorf("%s: %d bytes, %v; want ErrDamaged", name, len(got), err)
		}
		if _, err := src.Event(t.Context(), c.Event.ID); err != nil {
			t.Errorf("%s: the event beside the damaged body: %v", name, err)
		}
	}
}

func TestWatch(t *testing.T) {
	both(t, func(t *testing.T, s *store.Store, src source) {
		ctx, cancel := context.WithCancel(t.Context())
		changed := src.Watch(ctx)
		for i := range 3 { // each change is told of, though not each by itself
			seq := uint64(i + 1)
			keep(t, s, event(nil))
			for {
				if counts, err := src.Counts(t.Context()); err != nil || counts.Seq >= seq {
					break
				}
			}
			token(t, changed)
		}
		cancel()
		ended(t, changed)
	})
}

// What is no fact changes something, too.
func TestWatchHearsOfEndpoints(t *testing.T) {
	both(t, func(t *testing.T, s *store.Store, src source) {
		changed := src.Watch(t.Context())
		if src != source(s) { // "ready" is a change to who was not there
			<-changed
		}
		e := capture.Endpoint{ID: capture.NewID(capture.EndpointID), App: "default", Status: capture.EndpointEnabled}
		if err := s.NewEndpoint(t.Context(), e, false); err != nil {
			t.Fatal(err)
		}
		select {
		case <-changed:
		case <-time.After(patience):
			t.Error("an endpoint was made, and nobody was told")
		}
	})
}

func TestWatchEndsWithTheOwner(t *testing.T) {
	c, end := far(t, memory(t))
	changed := c.Watch(t.Context())
	token(t, changed) // connected
	end()
	ended(t, changed)
	if _, err := c.Counts(t.Context()); err == nil {
		t.Error("the owner that is gone still counts")
	}
}

func token(t testing.TB, changed <-chan struct{}) {
	t.Helper()
	select {
	case _, ok := <-changed:
		if !ok {
			t.Fatal("the feed has ended")
		}
	case <-time.After(patience):
		t.Fatal("a change was not told of")
	}
}

func ended(t testing.TB, changed <-chan struct{}) {
	t.Helper()
	for late := time.After(patience); ; {
		select {
		case _, ok := <-changed:
			if !ok {
				return
			}
		case <-late:
			t.Fatal("the feed does not end")
		}
	}
}
