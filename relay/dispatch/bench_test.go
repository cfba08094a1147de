package dispatch_test

import (
	"context"
	"flag"
	"fmt"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/relay/dispatch"
	"code.hooktape.dev/hooktape/store"
)

var million = flag.Bool("million", false, "let a million retries be due")

// count is an endpoint that only counts what comes, and says when what is new
// has come.
type count struct {
	came  atomic.Int64
	fresh chan time.Time
}

func (c *count) Send(_ context.Context, e *capture.Event, _ []byte, a *capture.Attempt) {
	a.Started, a.Status, a.Code = time.Now(), capture.AttemptSucceeded, 200
	c.came.Add(1)
	if e.Type == "fresh" {
		c.fresh <- a.Started
	}
}

func (c *count) Reachable(context.Context) error { return nil }
func (c *count) Close()                          {}

// BenchmarkBacklog has retries due, a million with -million, at a hundred
// endpoints, and makes new events for all of them: how long until one is sent
// to the last endpoint, beside how long that takes where nothing is due, and
// what memory it takes to have the backlog.
func BenchmarkBacklog(b *testing.B) {
	const endpoints = 100
	due := 20_000
	if *million {
		due = 1_000_000
	}
	run := func(b *testing.B, due int) {
		s, err := store.Open(b.TempDir(), store.Options{})
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { s.Close() })
		c := &count{fresh: make(chan time.Time, endpoints)}
		d := &dispatch.Dispatcher{Store: s, History: s, Open: func(capture.Endpoint) (dispatch.Sender, error) { return c, nil }}
		var ids []capture.ID
		for n := range endpoints {
			e := capture.Endpoint{ID: capture.NewID(capture.EndpointID), App: "default", Status: capture.EndpointEnabled,
				EndpointSpec: capture.EndpointSpec{URL: fmt.Sprint("http://a/", n)}}
			if err := s.NewEndpoint(b.Context(), e, true); err != nil {
				b.Fatal(err)
			}
			ids = append(ids, e.ID)
		}
		for n := 0; n < due; n += 400 {
			old := newEvent("old")
			var as []*capture.Attempt
			for i := range 400 {
				as = append(as, &capture.Attempt{ID: capture.NewID(capture.AttemptID), Event: old.ID, Endpoint: ids[i%endpoints],
					Delivery: capture.NewID(capture.DeliveryID), Number: 2, Status: capture.AttemptPending, NotBefore: time.Now().Add(-time.Hour),
					TriggeredBy: capture.BySystem, TriggeredFrom: capture.FromAutomation})
			}
			if err := s.Keep(b.Context(), &capture.Change{Event: old, Attempts: as}); err != nil {
				b.Fatal(err)
			}
		}
		before := heap()
		ctx, cancel := context.WithCancel(b.Context())
		ended := make(chan error, 1)
		go func() { ended <- d.Run(ctx) }()
		for due > 0 && c.came.Load() < 1000 {
			runtime.Gosched()
		}
		var waits []time.Duration
		for b.Loop() {
			e := newEvent("fresh")
			begun := time.Now()
			if err := s.Keep(b.Context(), &capture.Change{Event: e, Attempts: d.Plan(e, nil)}); err != nil {
				b.Fatal(err)
			}
			for range endpoints {
				waits = append(waits, (<-c.fresh).Sub(begun))
			}
		}
		slices.Sort(waits)
		b.ReportMetric(float64(waits[len(waits)-1].Microseconds())/1e3, "last-ms")
		b.ReportMetric(float64(heap()-before)/(1<<20), "MB")
		b.ReportMetric(float64(c.came.Load())/b.Elapsed().Seconds(), "attempts/s")
		cancel()
		<-ended
	}
	b.Run("due=0", func(b *testing.B) { run(b, 0) })
	b.Run(fmt.Sprintf("due=%d", due), func(b *testing.B) { run(b, due) })
}

func newEvent(kind string) *capture.Event {
	return &capture.Event{ID: capture.NewID(capture.EventID), App: "default", Type: kind, Received: time.Now(), Target: "/", SHA256: capture.Sum(nil)}
}

// heap is what is in use.
func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapInuse)
}
