package tunnel_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/relay/answer"
	"code.hooktape.dev/hooktape/relay/dispatch"
	"code.hooktape.dev/hooktape/store"
)

// BenchmarkTunnel keeps events at a relay, 64 at a time, each until it has come
// to the app of who listens: hub, tunnel, both stores on disk and dispatcher.
func BenchmarkTunnel(b *testing.B) {
	came := map[string]chan bool{}
	var mu sync.Mutex // guards came
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		mu.Lock()
		c := came[r.URL.Path]
		mu.Unlock()
		select {
		case c <- true:
		default:
		}
	}))
	b.Cleanup(target.Close)
	r := newRelay(b)
	l := &listenEnd{t: b, store: onDisk(b), app: &app{}}
	l.dispatch = &dispatch.Dispatcher{Store: l.store, History: l.store, Log: quiet, Open: func(e capture.Endpoint) (dispatch.Sender, error) {
		to, err := answer.ParseTarget(e.URL)
		return &answer.Forward{Target: to}, err
	}}
	e, err := l.store.Endpoint(b.Context(), capture.Endpoint{Listener: true, EndpointSpec: capture.EndpointSpec{URL: target.URL}})
	if err == nil {
		err = l.dispatch.Add(e)
	}
	if err != nil {
		b.Fatal(err)
	}
	during(b, l.dispatch.Run)
	l.run(r)
	body := make([]byte, 8<<10)
	b.SetBytes(int64(len(body)))
	var wg sync.WaitGroup
	next := make(chan int)
	b.ResetTimer()
	for n := range 64 {
		wg.Go(func() {
			path, c := fmt.Sprint("/", n), make(chan bool, 1)
			mu.Lock()
			came[path] = c
			mu.Unlock()
			for range next {
				r.catch("shop", path, body)
				<-c
			}
		})
	}
	for i := range b.N {
		next <- i
	}
	close(next)
	wg.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
}

func onDisk(b *testing.B) *store.Store {
	s, err := store.Open(b.TempDir(), store.Options{Log: quiet})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { s.Close() })
	return s
}
