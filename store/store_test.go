package store

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"reflect"
	"testing"
	"time"

	"code.hooktape.dev/hooktape/capture"
)

// memory opens a store that lives as long as the test.
func memory(t testing.TB) *Store {
	t.Helper()
	return opened(t, "", Options{Memory: true, Log: logs(t)})
}

// onDisk opens a store in a directory of the test's.
func onDisk(t testing.TB) *Store {
	t.Helper()
	return opened(t, t.TempDir(), Options{Log: logs(t)})
}

func opened(t testing.TB, dir string, o Options) *Store {
	t.Helper()
	s, err := Open(dir, o)
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

// event makes one with a body.
func event(body []byte, change ...func(*capture.Event)) *capture.Change {
	e := &capture.Event{
		ID: capture.NewID(capture.EventID), App: "default", Type: "push", Origin: capture.Ingress,
		Received: time.Now().UTC().Round(0), Method: "POST", Target: "/in/hook?a=1", Proto: "HTTP/1.1",
		Headers:   capture.Headers{{"Content-Type", "application/json"}, {"x-b", "1"}, {"X-B", "2"}},
		Size:      int64(len(body)),
		Signature: capture.Signature{Verdict: capture.Unsigned},
	}
	for _, f := range change {
		f(e)
	}
	if e.SHA256 == (capture.Digest{}) {
		e.SHA256 = capture.Sum(body)
	}
	return &capture.Change{Event: e, Body: body}
}

// pending adds a pending attempt to a change, as a new delivery.
func pending(c *capture.Change, endpoint capture.ID, due time.Time) *capture.Attempt {
	a := &capture.Attempt{
		ID: capture.NewID(capture.AttemptID), Event: c.Event.ID, Endpoint: endpoint, Delivery: capture.NewID(capture.DeliveryID),
		Number: 1, Status: capture.AttemptPending, NotBefore: due, URL: "http://localhost:3000",
		TriggeredBy: capture.BySystem, TriggeredFrom: capture.FromAutomation,
	}
	c.Attempts = append(c.Attempts, a)
	return a
}

// finished is the attempt as it ended.
func finished(a *capture.Attempt, code int) *capture.Attempt {
	f := *a
	f.Status, f.Code, f.Duration = capture.AttemptSucceeded, code, capture.Duration(23*time.Millisecond)
	f.Request = &capture.Request{Method: "POST", Target: "/", Headers: capture.Headers{{"A", "b"}}}
	f.Response = &capture.Response{Status: code, Proto: "HTTP/1.1", Headers: capture.Headers{}, Body: []byte("done")}
	if code >= 300 {
		f.Status, f.Error = capture.AttemptFailed, &capture.Failure{Class: capture.FailStatus, Message: "no 2xx"}
	}
	return &f
}

func keep(t testing.TB, s *Store, changes ...*capture.Change) {
	t.Helper()
	if err := s.Keep(context.Background(), changes...); err != nil {
		t.Fatal(err)
	}
}

func TestKeepAndRead(t *testing.T) {
	for name, open := range map[string]func(testing.TB) *Store{"memory": memory, "disk": onDisk} {
		t.Run(name, func(t *testing.T) {
			s, ctx := open(t), t.Context()
			for i, size := range []int{0, 1, 900, 1 << 10, 8 << 10, 1 << 20, 1<<20 + 1, 5 << 20} {
				body := bytes.Repeat([]byte{byte(i), 0xff, 0}, size)[:size]
				c := event(body)
				keep(t, s, c)
				if c.Event.Seq != uint64(i+1) {
					t.Fatalf("seq = %d, want %d", c.Event.Seq, i+1)
				}
				row, err := s.Event(ctx, c.Event.ID)
				if err != nil || !reflect.DeepEqual(row.Event, *c.Event) {
					t.Fatalf("event = %+v, %v; want %+v", row.Event, err, *c.Event)
				}
				got, err := s.Body(ctx, c.Event.ID)
				if err != nil || !bytes.Equal(got, body) {
					t.Fatalf("body of %d bytes differs (%d): %v", size, len(got), err)
				}
			}
			if _, err := s.Event(ctx, capture.NewID(capture.EventID)); !errors.Is(err, capture.ErrNotFound) {
				t.Errorf("unknown event: %v, want ErrNotFound", err)
			}
		})
	}
}

func TestAttemptsFold(t *testing.T) {
	s, ctx := memory(t), t.Context()
	wh := capture.NewID(capture.EndpointID)
	c := event([]byte("{}"))
	a := pending(c, wh, time.Unix(100, 0).UTC())
	keep(t, s, c)
	due, err := s.Due(ctx, wh, 10)
	if err != nil || len(due) != 1 || due[0].ID != a.ID {
		t.Fatalf("due = %v, %v", due, err)
	}
	f := finished(a, 200)
	keep(t, s, &capture.Change{Attempts: []*capture.Attempt{f}})
	if f.Seq != 2 {
		t.Errorf("seq of the attempt = %d, want 2", f.Seq)
	}
	got, err := s.Attempt(ctx, a.ID)
	if err != nil || !reflect.DeepEqual(got, *f) {
		t.Errorf("attempt = %+v, %v; want %+v", got, err, *f)
	}
	row, _ := s.Event(ctx, c.Event.ID)
	want := capture.Outcome{State: capture.OK, Tries: 1, Status: 200, Duration: f.Duration}
	if row.Outcome != want {
		t.Errorf("outcome = %+v, want %+v", row.Outcome, want)
	}
	// A fact never changes.
	again := finished(a, 500)
	keep(t, s, &capture.Change{Attempts: []*capture.Attempt{again}})
	if got, _ := s.Attempt(ctx, a.ID); got.Code != 200 || again.Seq != 2 {
		t.Errorf("finished twice: code %d, seq %d; want 200, 2", got.Code, again.Seq)
	}
	facts, err := s.Facts(ctx, 0, 10)
	if err != nil || len(facts) != 2 || facts[0].Event.ID != c.Event.ID || facts[1].Attempt.ID != a.ID {
		t.Errorf("facts = %+v, %v", facts, err)
	}
	page, err := s.Events(ctx, capture.Query{Filter: "status:200 is:ok"})
	if err != nil || len(page.Rows) != 1 {
		t.Errorf("by status: %+v, %v", page, err)
	}
	counts, _ := s.Counts(ctx)
	if want := (capture.Counts{Events: 1, Seq: 2}); counts != want {
		t.Errorf("counts = %+v, want %+v", counts, want)
	}
	if err := s.Remove(ctx, c.Event.ID); err != nil {
		t.Fatal(err)
	}
	if page, err := s.Events(ctx, capture.Query{Filter: "status:200"}); err != nil || len(page.Rows) != 0 {
		t.Errorf("after removal: %+v, %v", page, err)
	}
	if n := leftovers(t, s); n != 1 { // the totals
		t.Errorf("%d keys are left, want 1", n)
	}
}

func TestReopen(t *testing.T) {
	dir, ctx := t.TempDir(), t.Context()
	s := opened(t, dir, Options{Log: logs(t)})
	c := event([]byte("hello"))
	pending(c, capture.NewID(capture.EndpointID), time.Now())
	keep(t, s, c)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.Keep(ctx, event(nil)); !errors.Is(err, capture.ErrUnavailable) {
		t.Errorf("Keep when closed: %v, want ErrUnavailable", err)
	}
	s = opened(t, dir, Options{Log: logs(t)})
	if body, err := s.Body(ctx, c.Event.ID); err != nil || string(body) != "hello" {
		t.Errorf("body = %q, %v", body, err)
	}
	counts, _ := s.Counts(ctx)
	if want := (capture.Counts{Events: 1, Pending: 1, Seq: 1}); counts != want || s.Lost() != 0 {
		t.Errorf("counts = %+v, lost %d; want %+v", counts, s.Lost(), want)
	}
	if _, err := Open(dir, Options{}); !errors.Is(err, ErrLocked) {
		t.Errorf("second owner: %v, want ErrLocked", err)
	}
}

// leftovers counts all keys, those of statistics aside.
func leftovers(t *testing.T, s *Store) (n int) {
	txn := s.db.NewTransaction(false)
	defer txn.Discard()
	it := iterate(txn, nil, false)
	defer it.Close()
	for it.Rewind(); it.Valid(); it.Next() {
		if k := it.Item().Key()[0]; k != prefixHealth && k != prefixSeries { // an endpoint's, or nobody's, and not an event's
			n++
		}
	}
	return n
}

func logTo(w io.Writer) *slog.Logger { return slog.New(slog.NewTextHandler(w, nil)) }
