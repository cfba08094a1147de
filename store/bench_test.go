package store

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dgraph-io/badger/v4"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/series"
)

var million = flag.Bool("million", false, "run the benchmarks over a million events")

// BenchmarkKeep keeps 8 KiB bodies, and beside it writes the same bytes the
// plainest way that is as safe: with 64 senders Badger with the same settings
// and nothing but group commit, with one sender a file and fsync. "of-bare"
// is the part of that speed which is left.
func BenchmarkKeep(b *testing.B) {
	for _, senders := range []int{1, 64} {
		b.Run(fmt.Sprintf("senders=%d", senders), func(b *testing.B) {
			s := opened(b, b.TempDir(), Options{})
			body := noise(8 << 10)
			sum := capture.Sum(body) // who catches it knows it
			plain := fsyncs(b, body)
			if senders > 1 {
				plain = groupCommits(b, body)
			}
			var ours, bare time.Duration
			for left := b.N; left > 0; left -= 1000 { // in turns, as other work on the machine comes and goes
				n := min(left, 1000)
				start := time.Now()
				share(n, senders, func() {
					if err := s.Keep(context.Background(), event(body, func(e *capture.Event) { e.SHA256 = sum })); err != nil {
						b.Error(err)
					}
				})
				ours += time.Since(start)
				start = time.Now()
				share(n, senders, plain)
				bare += time.Since(start)
			}
			b.ReportMetric(0, "ns/op") // of both together: nothing to know
			b.ReportMetric(float64(b.N)/ours.Seconds(), "events/s")
			b.ReportMetric(bare.Seconds()/ours.Seconds(), "of-bare")
		})
	}
}

// BenchmarkFanOut keeps an event that goes to a hundred endpoints, and then
// what came of it there, beside keeping as many events that go to one. "syncs"
// is how many transactions an event and its attempts take.
func BenchmarkFanOut(b *testing.B) {
	const width = 100
	s := opened(b, b.TempDir(), Options{})
	endpoints := make([]capture.ID, width)
	for i := range endpoints {
		endpoints[i] = capture.NewID(capture.EndpointID)
	}
	body := noise(8 << 10)
	var wide, ends, narrow time.Duration
	var syncs uint64
	for range b.N {
		start := time.Now()
		c := event(body)
		for _, e := range endpoints {
			pending(c, e, time.Now())
		}
		before := s.commits.Load()
		if err := s.Keep(context.Background(), c); err != nil {
			b.Fatal(err)
		}
		syncs += s.commits.Load() - before
		wide += time.Since(start)

		start = time.Now()
		var wg sync.WaitGroup
		for _, a := range c.Attempts {
			wg.Add(1)
			done := *a
			done.Status, done.Code, done.Started = capture.AttemptSucceeded, 200, time.Now()
			s.KeepAsync(&capture.Change{Attempts: []*capture.Attempt{&done}}, func(err error) {
				if err != nil {
					b.Error(err)
				}
				wg.Done()
			})
		}
		wg.Wait()
		ends += time.Since(start)

		start = time.Now()
		share(width, width, func() {
			c := event(body)
			pending(c, endpoints[0], time.Now())
			if err := s.Keep(context.Background(), c); err != nil {
				b.Error(err)
			}
		})
		narrow += time.Since(start)
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(wide.Microseconds())/float64(b.N), "µs/fan-out")
	b.ReportMetric(float64(ends.Microseconds())/float64(b.N), "µs/100-ends")
	b.ReportMetric(float64(wide)/float64(narrow), "of-100-events")
	b.ReportMetric(float64(syncs)/float64(b.N), "syncs")
}

// share calls f n times from so many goroutines.
func share(n, senders int, f func()) {
	var left atomic.Int64
	left.Store(int64(n))
	var wg sync.WaitGroup
	for range senders {
		wg.Go(func() {
			for left.Add(-1) >= 0 {
				f()
			}
		})
	}
	wg.Wait()
}

func noise(n int) []byte {
	b := make([]byte, n)
	r := rand.NewChaCha8([32]byte{})
	r.Read(b)
	return b
}

// fsyncs appends the body to a file and syncs it.
func fsyncs(b *testing.B, body []byte) func() {
	f, err := os.Create(filepath.Join(b.TempDir(), "yardstick"))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { f.Close() })
	return func() {
		f.Write(body)
		if err := f.Sync(); err != nil {
			b.Error(err)
		}
	}
}

// groupCommits puts the body, and a record as long as the event's, under keys
// of their own, in a synced transaction with those that others put: no id, no
// index, no sequence, no totals.
func groupCommits(b *testing.B, body []byte) func() {
	record, err := encoder.Marshal(event(body).Event)
	if err != nil {
		b.Fatal(err)
	}
	db, err := badger.Open(diskOptions(b.TempDir(), memTable).WithLogger(nil))
	if err != nil {
		b.Fatal(err)
	}
	queue := make(chan chan error, 1024)
	var wg sync.WaitGroup
	b.Cleanup(func() { close(queue); wg.Wait(); db.Close() })
	wg.Go(func() {
		var key uint64
		for done := range queue {
			batch := []chan error{done}
		more:
			for len(batch) < batchWrites {
				select {
				case done, ok := <-queue:
					if !ok {
						break more
					}
					batch = append(batch, done)
				default:
					break more
				}
			}
			err := db.Update(func(txn *badger.Txn) error {
				for range batch {
					key++
					if err := errors.Join(txn.Set(keySeq('b', key), body), txn.Set(keySeq('e', key), record)); err != nil {
						return err
					}
				}
				return nil
			})
			for _, done := range batch {
				done <- err
			}
		}
	})
	return func() {
		done := make(chan error, 1)
		queue <- done
		if err := <-done; err != nil {
			b.Error(err)
		}
	}
}

// filled is the directory of a closed store with n small events, one in a
// thousand of type "rare".
func filled(b *testing.B, n int) string {
	dir := filepath.Join(os.TempDir(), fmt.Sprintf("hooktape-bench-%d-%d", format, n))
	if _, err := os.Stat(filepath.Join(dir, "filled")); err == nil {
		return dir
	}
	if err := os.RemoveAll(dir); err != nil {
		b.Fatal(err)
	}
	s, err := Open(dir, Options{})
	if err != nil {
		b.Fatal(err)
	}
	var wg sync.WaitGroup
	for i := range n {
		wg.Add(1)
		c := event([]byte(`{"a":1}`), func(e *capture.Event) {
			e.App, e.Provider = fmt.Sprintf("app-%d", i%3), "github"
			if e.Type = fmt.Sprintf("type-%d", i%10); i%1000 == 7 {
				e.Type = "rare"
			}
		})
		s.KeepAsync(c, func(err error) {
			if err != nil {
				b.Error(err)
			}
			wg.Done()
		})
	}
	wg.Wait()
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "filled"), nil, 0o600); err != nil {
		b.Fatal(err)
	}
	return dir
}

func sizes() []int {
	if *million {
		return []int{10_000, 1_000_000}
	}
	return []int{10_000}
}

func BenchmarkOpen(b *testing.B) {
	for _, n := range sizes() {
		dir := filled(b, n)
		b.Run(fmt.Sprintf("events=%d", n), func(b *testing.B) {
			for b.Loop() {
				s, err := Open(dir, Options{})
				if err != nil {
					b.Fatal(err)
				}
				b.StopTimer()
				s.Close()
				b.StartTimer()
			}
		})
	}
}

func BenchmarkPage(b *testing.B) {
	for _, n := range sizes() {
		s := opened(b, filled(b, n), Options{})
		for name, q := range map[string]capture.Query{
			"first":  {},
			"middle": {Cursor: uint64(n / 2)},
			"last":   {Cursor: 51},
			"type":   {Filter: "type:type-3"},
			"rare":   {Filter: "type:rare app:app-1"},
			"union":  {Filter: "type:type-3,type-4 app:app-1"},
		} {
			b.Run(fmt.Sprintf("%s/events=%d", name, n), func(b *testing.B) {
				for b.Loop() {
					page, err := s.Events(context.Background(), q)
					if err != nil || len(page.Rows) == 0 {
						b.Fatal(len(page.Rows), err)
					}
				}
			})
		}
		b.Run(fmt.Sprintf("nomatch/events=%d", n), func(b *testing.B) {
			for b.Loop() {
				if _, err := s.Events(context.Background(), capture.Query{Filter: "path:/nowhere"}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkStatsMonth asks for the statistics of 31 days in which 20,000
// attempts were made at ten endpoints. The yardstick folds the attempts
// themselves; "reads" is how many buckets lie in the span at most.
func BenchmarkStatsMonth(b *testing.B) {
	s := opened(b, b.TempDir(), Options{})
	c, now := event(nil), time.Now()
	keep(b, s, c)
	const attempts = 20_000
	var endpoints []capture.ID
	for range 10 {
		endpoints = append(endpoints, capture.NewID(capture.EndpointID))
	}
	for n := attempts; n > 0; n -= 100 {
		var changes []*capture.Change
		for i := range 100 {
			a := ended(c, endpoints[i%10], now.Add(-31*24*time.Hour/attempts*time.Duration(n-i)), 200)
			changes = append(changes, &capture.Change{Attempts: []*capture.Attempt{a}})
		}
		keep(b, s, changes...)
	}
	since := now.Add(-31 * 24 * time.Hour)
	for name, q := range map[string]capture.StatsQuery{
		"everything": {Since: since},
		"an-app":     {Since: since, App: c.Event.App},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if st := stats(b, s, q); st.Attempts < attempts-100 {
					b.Fatal(st.Attempts)
				}
			}
		})
	}
	b.Run("by-day", func(b *testing.B) {
		reads := 0
		for b.Loop() {
			ts, err := s.Timeseries(b.Context(), capture.StatsQuery{Since: since, Interval: capture.ByDay})
			if err != nil || len(ts.Points) < 31 {
				b.Fatal(len(ts.Points), err)
			}
		}
		err := s.view(b.Context(), func(txn *badger.Txn) error {
			r, err := s.reading(b.Context(), txn, capture.StatsQuery{Since: since})
			return errors.Join(err, r.pieces(widthDay, func(byte, uint32) { reads++ }))
		})
		if err != nil || reads > 31+46+118 {
			b.Fatal(reads, err)
		}
		b.ReportMetric(float64(reads), "reads")
	})
	b.Run("yardstick", func(b *testing.B) {
		for b.Loop() {
			var sum series.Bucket
			err := s.view(b.Context(), func(txn *badger.Txn) error {
				it := iterate(txn, []byte{prefixAttempt}, false)
				defer it.Close()
				for it.Rewind(); it.Valid(); it.Next() {
					a, err := readAttempt(txn, tailID(capture.AttemptID, it.Item().Key()))
					if err != nil {
						return err
					}
					sum.Attempt(&a)
				}
				return nil
			})
			if err != nil || sum.Attempts() != attempts {
				b.Fatal(sum.Attempts(), err)
			}
		}
	})
}

// BenchmarkDeliveries reads from 100,000 deliveries of 50,000 events, one in a
// hundred of another app.
func BenchmarkDeliveries(b *testing.B) {
	s := opened(b, "", Options{Memory: true})
	endpoints := []capture.ID{capture.NewID(capture.EndpointID), capture.NewID(capture.EndpointID)}
	var some capture.ID
	for at := range 500 {
		var kept, ended []*capture.Change
		for n := range 100 {
			c := event(nil, func(e *capture.Event) { e.App = []string{"shop", "rare"}[max(0, n-98)] })
			end := &capture.Change{}
			for _, id := range endpoints {
				a := pending(c, id, time.Now())
				a.App, a.Type = c.Event.App, c.Event.Type
				end.Attempts = append(end.Attempts, finished(a, 200))
				if at == 250 {
					some = a.Delivery
				}
			}
			kept, ended = append(kept, c), append(ended, end)
		}
		keep(b, s, kept...)
		keep(b, s, ended...)
	}
	for _, bb := range []struct {
		name string
		q    capture.DeliveryQuery
		want int
	}{
		{"newest", capture.DeliveryQuery{Limit: 100}, 100},
		{"of-an-app", capture.DeliveryQuery{App: "rare", Limit: 100}, 100},
		{"failed", capture.DeliveryQuery{Status: []capture.DeliveryStatus{capture.DeliveryFailed}, Limit: 100}, 0},
		{"passed-over", capture.DeliveryQuery{Offset: 99_900, Limit: 100}, 100},
	} {
		b.Run(bb.name, func(b *testing.B) {
			for range b.N {
				if found, err := s.Deliveries(b.Context(), bb.q); err != nil || len(found) != bb.want {
					b.Fatalf("%d, %v", len(found), err)
				}
			}
		})
	}
	b.Run("one", func(b *testing.B) {
		for range b.N {
			if d, err := s.Delivery(b.Context(), some); err != nil || d.ID != some {
				b.Fatalf("%+v, %v", d, err)
			}
		}
	})
}
