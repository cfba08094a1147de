package store

import (
	"errors"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"code.hooktape.dev/hooktape/capture"
)

// registered keeps an endpoint of an app, of any kind.
func registered(t testing.TB, s *Store, app string, status capture.EndpointStatus) capture.ID {
	t.Helper()
	e := capture.Endpoint{ID: capture.NewID(capture.EndpointID), App: app, Status: status, EndpointSpec: capture.EndpointSpec{URL: "http://a.test"}}
	if err := s.NewEndpoint(t.Context(), e, false); err != nil {
		t.Fatal(err)
	}
	return e.ID
}

// TestAttemptPages: the pages, one behind the other, are all attempts at an
// app's registered endpoints, and their total is how many these are.
func TestAttemptPages(t *testing.T) {
	s, r := memory(t), rand.New(rand.NewPCG(1, 2))
	endpoints := map[capture.ID]string{} // → app, "" for one that is not registered
	for _, app := range []string{"shop", "shop", "bank"} {
		endpoints[registered(t, s, app, capture.EndpointEnabled)] = app
	}
	endpoints[registered(t, s, "shop", capture.EndpointDeleted)] = "shop"
	endpoints[registered(t, s, "shop", "")] = ""
	ids := slices.Sorted(func(yield func(capture.ID) bool) {
		for id := range endpoints {
			if !yield(id) {
				return
			}
		}
	})
	var all []capture.Attempt // newest first
	var events []capture.ID
	for range 60 {
		c := event(nil, func(e *capture.Event) { e.App = []string{"shop", "bank"}[r.IntN(2)] })
		for range r.IntN(4) {
			id := ids[r.IntN(len(ids))]
			if app := endpoints[id]; app == "" || app == c.Event.App {
				all = append([]capture.Attempt{*pending(c, id, time.Now())}, all...)
			}
		}
		events = append(events, c.Event.ID)
		keep(t, s, c)
	}
	queries := []capture.AttemptQuery{{App: "shop"}, {App: "bank"}, {App: "none"}}
	for _, id := range ids {
		queries = append(queries, capture.AttemptQuery{App: "shop", Endpoint: id}, capture.AttemptQuery{Endpoint: id})
	}
	for _, id := range events {
		queries = append(queries, capture.AttemptQuery{App: "shop", Event: id}, capture.AttemptQuery{App: "shop", Event: id, Endpoint: ids[0]})
	}
	for _, q := range queries {
		var want []capture.ID
		for _, a := range all {
			app := endpoints[a.Endpoint]
			if app != "" && (q.App == "" || app == q.App) && (q.Event == "" || a.Event == q.Event) && (q.Endpoint == "" || a.Endpoint == q.Endpoint) {
				want = append(want, a.ID)
			}
		}
		q.Limit = 3
		var got []capture.ID
		for {
			page, total, err := s.AttemptPage(t.Context(), q, len(got))
			if err != nil || total != len(want) {
				t.Fatalf("%+v: a total of %d, %v; want %d", q, total, err, len(want))
			}
			for _, a := range page {
				got = append(got, a.ID)
			}
			if len(page) < 3 {
				break
			}
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%+v: got %v, want %v", q, got, want)
		}
	}
	// What somebody had sent there of another app's counts, and is not shown.
	c := event(nil, func(e *capture.Event) { e.App = "bank" })
	pending(c, ids[0], time.Now())
	keep(t, s, c)
	q := capture.AttemptQuery{App: "shop", Endpoint: ids[0], Limit: 1000}
	if page, total, err := s.AttemptPage(t.Context(), q, 0); err != nil || len(page) != total-1 {
		t.Errorf("with one of another app: %d rows of %d, %v", len(page), total, err)
	}
	for _, q := range []capture.AttemptQuery{{Event: capture.NewID(capture.EventID)}, {Endpoint: capture.NewID(capture.EndpointID)}, {Endpoint: "x"}} {
		if _, _, err := s.AttemptPage(t.Context(), q, 0); !errors.Is(err, capture.ErrNotFound) {
			t.Errorf("%+v: %v, want ErrNotFound", q, err)
		}
	}
}

// BenchmarkAttemptPage is the first page of 100,000 attempts, at one endpoint
// and at all of ten.
func BenchmarkAttemptPage(b *testing.B) {
	const n = 100_000
	s := opened(b, b.TempDir(), Options{})
	var at []capture.ID
	for range 10 {
		at = append(at, registered(b, s, "shop", capture.EndpointEnabled))
	}
	for range n / 1000 {
		var changes []*capture.Change
		for i := range 1000 {
			c := event(nil, func(e *capture.Event) { e.App = "shop" })
			pending(c, at[i%2*(i%10)], time.Now()) // half of them at the first
			changes = append(changes, c)
		}
		keep(b, s, changes...)
	}
	for name, q := range map[string]capture.AttemptQuery{"endpoint": {App: "shop", Endpoint: at[0]}, "app": {App: "shop"}} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if page, total, err := s.AttemptPage(b.Context(), q, 0); err != nil || len(page) != 50 || total < n/2 {
					b.Fatal(len(page), total, err)
				}
			}
		})
	}
}
