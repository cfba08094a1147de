package relay_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/relay"
	"code.hooktape.dev/hooktape/relay/answer"
	"code.hooktape.dev/hooktape/relay/dispatch"
	"code.hooktape.dev/hooktape/store"
)

// BenchmarkAttempts delivers events, made and pending already, to a receiver
// on this machine, 64 at a time: signed, and every outcome kept. Beside it a
// bare net/http client posts the same bytes, as many at a time, and writes a
// result of the same size for each, synced in groups. "of-bare" is the part
// of that speed which is left.
func BenchmarkAttempts(b *testing.B) {
	const at = 64
	for _, c := range []struct {
		name                   string
		endpoints, concurrency int
	}{{"endpoints=1", 1, at}, {"endpoints=64", at, 1}} {
		b.Run(c.name, func(b *testing.B) {
			var came atomic.Int64
			done := make(chan bool, 1)
			addr := plain(b, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				io.Copy(io.Discard, r.Body)
				w.WriteHeader(http.StatusNoContent)
				came.Add(1)
			}))
			bare := bareLoop(b, addr, at)

			s := onDisk(b)
			d := &dispatch.Dispatcher{Store: s, History: s, Log: logs(b)}
			r := registryOver(b, s, d)
			for n := range c.endpoints {
				spec := capture.EndpointSpec{URL: fmt.Sprintf("http://%s/%d", addr, n), Concurrency: c.concurrency}
				if c.endpoints > 1 {
					spec.Subscriptions = []capture.Subscription{{Type: fmt.Sprintf("t%d", n)}}
				}
				if _, err := r.CreateEndpoint(b.Context(), capture.DefaultApp, spec); err != nil {
					b.Fatal(err)
				}
			}
			var wg sync.WaitGroup
			var made atomic.Int64
			for range at {
				wg.Go(func() {
					for n := made.Add(1); n <= int64(b.N); n = made.Add(1) {
						kind := fmt.Sprintf("t%d", int(n)%c.endpoints)
						if _, _, err := r.Emit(b.Context(), capture.DefaultApp, capture.Emission{Type: kind, Data: []byte(payload)}); err != nil {
							b.Error(err)
						}
					}
				})
			}
			wg.Wait()

			b.ResetTimer()
			start := time.Now()
			ctx, cancel := context.WithCancel(b.Context())
			ended := make(chan error, 1)
			go func() { ended <- d.Run(ctx) }()
			go func() {
				for range s.Watch(ctx) {
					if counts, _ := s.Counts(ctx); counts.Pending == 0 {
						done <- true
						return
					}
				}
			}()
			<-done
			ours := time.Since(start)
			cancel()
			<-ended
			b.StopTimer()
			if came.Load() != int64(b.N) {
				b.Fatalf("%d came, want %d", came.Load(), b.N)
			}
			b.ReportMetric(float64(b.N)/ours.Seconds(), "attempts/s")
			b.ReportMetric(bare(b.N).Seconds()/ours.Seconds(), "of-bare")
		})
	}
}

func registryOver(t testing.TB, s *store.Store, d *dispatch.Dispatcher) *relay.Registry {
	t.Helper()
	guard := &answer.Guard{Loopback: true}
	r, err := relay.NewRegistry(t.Context(), s, relay.Hooks{Plan: d.Plan, Resend: d.Resend, Changed: d.Put,
		Check: func(e capture.EndpointSpec) error { return guard.URL(e.URL) }})
	if err != nil {
		t.Fatal(err)
	}
	d.Delivers, d.Disable = r.Delivers, r.Disable
	d.Open = func(e capture.Endpoint) (dispatch.Sender, error) {
		return &answer.Delivery{Endpoint: e, Guard: guard, AppKeys: func() []string { return r.Keys(e.App) }}, nil
	}
	return r
}

// bareLoop posts the payload n times from so many goroutines, each of which
// waits until its result is synced.
func bareLoop(b *testing.B, addr string, clients int) func(n int) time.Duration {
	f, err := os.Create(filepath.Join(b.TempDir(), "results"))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { f.Close() })
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: clients}}
	b.Cleanup(client.CloseIdleConnections)
	result := []byte(strings.Repeat("r", 1000))
	body := `{"type":"t","timestamp":"2026-01-01T00:00:00.000Z","data":` + payload + `}`
	return func(n int) time.Duration {
		results := make(chan chan error, clients)
		var writer, wg sync.WaitGroup
		writer.Go(func() {
			for first := range results {
				group := []chan error{first}
				for more := true; more && len(group) < clients; {
					select {
					case r, ok := <-results:
						if more = ok; ok {
							group = append(group, r)
						}
					default:
						more = false
					}
				}
				for range group {
					f.Write(result)
				}
				err := f.Sync()
				for _, r := range group {
					r <- err
				}
			}
		})
		start := time.Now()
		var sent atomic.Int64
		for range clients {
			wg.Go(func() {
				synced := make(chan error, 1)
				for sent.Add(1) <= int64(n) {
					res, err := client.Post("http://"+addr, "application/json", strings.NewReader(body))
					if err != nil {
						b.Error(err)
						return
					}
					io.Copy(io.Discard, res.Body)
					res.Body.Close()
					results <- synced
					if err := <-synced; err != nil {
						b.Error(err)
					}
				}
			})
		}
		wg.Wait()
		took := time.Since(start)
		close(results)
		writer.Wait()
		return took
	}
}
