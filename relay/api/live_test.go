package api_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/match"
	"code.hooktape.dev/hooktape/relay/api"
	"code.hooktape.dev/hooktape/store"
)

// stream is a live stream being read.
type stream struct {
	t       testing.TB
	records chan capture.Record
	ended   chan error
	cancel  context.CancelFunc
}

// live opens a stream and reads its ready record.
func live(t testing.TB, c *api.Client, after uint64, filter, app string) *stream {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	s := &stream{t, make(chan capture.Record), make(chan error, 1), cancel}
	go func() {
		s.ended <- c.Live(ctx, after, filter, app, func(r capture.Record) error {
			select {
			case s.records <- r:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
		close(s.records)
	}()
	t.Cleanup(cancel)
	if r := s.next(); r.Type != "ready" || r.Schema != 1 || r.Ready == nil || r.Ingest != "http://ingest" {
		t.Fatalf("the first record is %+v, want ready", r)
	}
	return s
}

func (s *stream) next() capture.Record {
	s.t.Helper()
	select {
	case r, ok := <-s.records:
		if !ok {
			s.t.Fatalf("the stream ended: %v", <-s.ended)
		}
		return r
	case <-time.After(patience):
		s.t.Fatal("no record came")
	}
	return capture.Record{}
}

// place is where in the store's sequence a record's fact is.
func place(r capture.Record) uint64 {
	if r.Event != nil {
		return r.Event.Seq
	}
	return r.Attempt.Seq
}

// TestLiveLosesNothing: while many keep at once, a stream has every fact, once
// and in order.
func TestLiveLosesNothing(t *testing.T) {
	s := memory(t)
	c, _ := far(t, s)
	streams := []*stream{live(t, c, 0, "", ""), live(t, c, 0, "", "")}
	var wg sync.WaitGroup
	const writers, each = 8, 60
	for range writers {
		wg.Go(func() {
			for i := range each {
				c := event(fmt.Appendf(nil, "%d", i))
				if err := errors.Join(s.Keep(t.Context(), c), s.Keep(t.Context(), finished(c.Event, 200))); err != nil {
					t.Error(err)
				}
			}
		})
	}
	streams = append(streams, live(t, c, 1, "", "")) // in the midst of it, from the second fact on
	for i, st := range streams {
		from := uint64(1)
		if i == 2 {
			from = 2
		}
		for want := from; want <= 2*writers*each; want++ {
			if r := st.next(); place(r) != want {
				t.Fatalf("stream %d: %s at %d, want %d", i, r.Type, place(r), want)
			}
		}
	}
	wg.Wait()
}

func TestLiveFilters(t *testing.T) {
	s := memory(t)
	c, _ := far(t, s)
	events := seed(t, s)
	for _, tt := range []struct {
		filter, app string
		want        func(i int) bool
	}{
		{"", "", func(int) bool { return true }},
		{"type:pull", "", func(i int) bool { return i%5 == 0 }},
		{"", "shop", func(i int) bool { return i%3 == 0 }},
		{"type:pull", "shop", func(i int) bool { return i%15 == 0 }},
		{"body.n:>=118", "", func(i int) bool { return i >= 118 }},
	} {
		// One fact is left out, since 0 would mean from now on; what follows
		// an event's own fact is its attempt's.
		st := live(t, c, 1, tt.filter, tt.app)
		for i, e := range events {
			if !tt.want(i) {
				continue
			}
			if i > 0 {
				if r := st.next(); r.Type != "event" || r.Event.ID != e.ID {
					t.Fatalf("filter %q, app %q: %+v, want event %d", tt.filter, tt.app, r, i)
				}
			}
			if i%10 == 0 {
				if r := st.next(); r.Type != "attempt" || r.Attempt.Event != e.ID || r.Attempt.Request != nil || r.Attempt.Response != nil {
					t.Fatalf("filter %q, app %q: %+v, want the attempt of event %d, in brief", tt.filter, tt.app, r, i)
				}
			}
		}
		st.cancel()
		if err := <-st.ended; err != nil {
			t.Errorf("cancelled: %v, want nil", err)
		}
	}
	st := live(t, c, 0, "type:pull", "shop") // from now on
	keep(t, s, event(nil), event(nil, func(e *capture.Event) { e.App, e.Type = "shop", "pull" }))
	if r := st.next(); r.Event == nil || r.Event.App != "shop" || r.Event.Type != "pull" {
		t.Errorf("from now on: %+v", r)
	}
}

// TestLiveIsExact: a record holds every byte, as a read does.
func TestLiveIsExact(t *testing.T) {
	s := memory(t)
	c, _ := far(t, s)
	st := live(t, c, 0, "", "")
	kept := event(nil, func(e *capture.Event) {
		e.Target, e.Headers = "/caf\xe9", append(e.Headers, capture.Header{"X-N", "\xff"})
	})
	keep(t, s, kept)
	if r := st.next(); r.Event.Target != "/caf\xe9" || !slices.Equal(r.Event.Headers, kept.Event.Headers) {
		t.Errorf("%q %q", r.Event.Target, r.Event.Headers)
	}
}

func TestLiveEnds(t *testing.T) {
	before := runtime.NumGoroutine()
	t.Run("and leaves nothing behind", func(t *testing.T) {
		s := memory(t)
		c, end := far(t, s)
		var syntax *match.SyntaxError
		if err := c.Live(t.Context(), 0, "a (b", "", nil); !errors.As(err, &syntax) {
			t.Errorf("a broken filter: %v", err)
		}
		enough := errors.New("enough")
		if err := c.Live(t.Context(), 0, "", "", func(capture.Record) error { return enough }); !errors.Is(err, enough) {
			t.Errorf("the caller's error: %v", err)
		}
		for range 10 {
			st := live(t, c, 0, "", "")
			st.cancel()
			if err := <-st.ended; err != nil {
				t.Errorf("cancelled: %v, want nil", err)
			}
		}
		st := live(t, c, 0, "", "")
		end()
		if err := <-st.ended; err == nil {
			t.Error("the owner has gone, and nobody says so")
		}
	})
	for late := time.Now().Add(patience); runtime.NumGoroutine() > before; runtime.Gosched() {
		if time.Now().After(late) {
			b := make([]byte, 1<<20)
			t.Fatalf("%d goroutines, %d before:\n%s", runtime.NumGoroutine(), before, b[:runtime.Stack(b, true)])
		}
	}
}

// TestFollow is the same feed for a process that owns its store: from the
// very beginning.
func TestFollow(t *testing.T) {
	s, err := store.Open("", store.Options{Memory: true})
	if err != nil {
		t.Fatal(err)
	}
	events := seed(t, s)
	filter, err := match.Parse("type:pull")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	err = api.Follow(t.Context(), s, 0, filter, "", func(r capture.Record) error {
		if n++; n == 36 { // 24 events and 12 attempts
			go s.Close()
		}
		return nil
	})
	if err != nil && !errors.Is(err, capture.ErrUnavailable) || n != 36 {
		t.Errorf("followed %d of %d facts, %v; want 36 and the end of the store", n, len(events), err)
	}
}
