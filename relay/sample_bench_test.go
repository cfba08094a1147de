package relay_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/catalog"
	"code.hooktape.dev/hooktape/capture/sign"
	"code.hooktape.dev/hooktape/relay"
	"code.hooktape.dev/hooktape/relay/answer"
)

// sampler makes events of a built-in type.
func sampler(b testing.TB, tag string) *relay.Sampler {
	b.Helper()
	t, ok := catalog.Lookup(tag)
	if !ok {
		b.Fatalf("no type %s", tag)
	}
	s, err := relay.NewSampler(&t, &capture.Firing{Secret: "whsec_of_the_test", Seed: 1}, func(string, *sign.Scheme) []sign.Secret { return nil })
	if err != nil {
		b.Fatal(err)
	}
	return s
}

// BenchmarkMake makes signed events of samples.
func BenchmarkMake(b *testing.B) {
	for _, tag := range []string{"stripe:invoice.paid", "github:push"} {
		b.Run(tag, func(b *testing.B) {
			s := sampler(b, tag)
			b.ReportAllocs()
			for b.Loop() {
				_, body, err := s.Make("default")
				if err != nil {
					b.Fatal(err)
				}
				b.SetBytes(int64(len(body)))
			}
		})
	}
}

// BenchmarkTrigger makes signed events and sends them to a receiver in the same
// process, which discards them, as hooktape trigger --no-store does; and beside
// it net/http's client sends the same bytes, made and signed before.
func BenchmarkTrigger(b *testing.B) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.Copy(io.Discard, r.Body) }))
	defer srv.Close()
	const at = 16 // a time
	b.Run("hooktape", func(b *testing.B) {
		target, err := answer.ParseTarget(srv.URL)
		if err != nil {
			b.Fatal(err)
		}
		to := &answer.Forward{Target: target}
		defer to.Close()
		s := sampler(b, "stripe:invoice.paid")
		events := make(chan func(), at) // closed below
		var wg sync.WaitGroup
		for range at {
			wg.Go(func() {
				for send := range events {
					send()
				}
			})
		}
		b.ReportAllocs()
		n := 0
		for b.Loop() {
			e, body, err := s.Make("default")
			if err != nil {
				b.Fatal(err)
			}
			n++
			events <- func() {
				a := &capture.Attempt{Number: 1}
				if to.Send(context.Background(), e, body, a); a.Code != http.StatusOK {
					b.Error(a.Error)
				}
			}
		}
		close(events)
		wg.Wait()
		b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "events/s")
	})
	b.Run("net/http", func(b *testing.B) {
		_, body, err := sampler(b, "stripe:invoice.paid").Make("default")
		if err != nil {
			b.Fatal(err)
		}
		client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: at}}
		defer client.CloseIdleConnections()
		events := make(chan struct{}, at) // closed below
		var wg sync.WaitGroup
		for range at {
			wg.Go(func() {
				for range events {
					res, err := client.Post(srv.URL, "application/json", bytes.NewReader(body))
					if err != nil {
						b.Error(err)
						return
					}
					io.Copy(io.Discard, res.Body)
					res.Body.Close()
				}
			})
		}
		b.ReportAllocs()
		n := 0
		for b.Loop() {
			events <- struct{}{}
			n++
		}
		close(events)
		wg.Wait()
		b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "events/s")
	})
}
