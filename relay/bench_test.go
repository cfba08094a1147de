package relay_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
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

// The benchmarks send what a provider sends: 8 KiB of JSON behind a handful
// of headers. Client and server share the machine, so the client is nothing
// but a write and a few reads on a connection that stays open.

var payload = `{"data":"` + strings.Repeat("0123456789abcdef", 511) + `"}`

// sender is one such connection.
type sender struct {
	c   net.Conn
	br  *bufio.Reader
	raw []byte
}

// dialSender makes a sender whose requests say which one it is.
func dialSender(addr string, n int) (*sender, error) {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	raw := message(payload, "POST /hooks/github HTTP/1.1", "Host: hooks.example", "X-Sender: "+strconv.Itoa(n),
		"User-Agent: GitHub-Hookshot/044aadd", "Content-Type: application/json", "X-GitHub-Event: push",
		"X-GitHub-Delivery: 72d3162e-cc78-11e3-81ab-4c9367dc0958", "X-Hub-Signature-256: sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17", length(payload))
	return &sender{c, bufio.NewReader(c), []byte(raw)}, nil
}

func (s *sender) write() error {
	_, err := s.c.Write(s.raw)
	return err
}

// read takes an answer in, and an error for any but a 2xx.
func (s *sender) read() error {
	body := 0
	for first := true; ; first = false {
		line, err := s.br.ReadSlice('\n')
		switch {
		case err != nil:
			return err
		case first && !bytes.HasPrefix(line, []byte("HTTP/1.1 2")):
			return fmt.Errorf("answered %s", line)
		case bytes.HasPrefix(line, []byte("Content-Length: ")):
			if body, err = strconv.Atoi(strings.TrimSpace(string(line[16:]))); err != nil {
				return err
			}
		case len(line) == 2:
			_, err := s.br.Discard(body)
			return err
		}
	}
}

// send runs b.N requests over n senders at once, each by do.
func benchSenders(b *testing.B, addr string, n int, do func(s *sender, n int) error) {
	b.Helper()
	senders := make([]*sender, n)
	for i := range senders {
		s, err := dialSender(addr, i)
		if err != nil {
			b.Fatal(err)
		}
		defer s.c.Close()
		senders[i] = s
	}
	var sent atomic.Int64
	var wg sync.WaitGroup
	b.SetBytes(int64(len(payload)))
	b.ReportAllocs()
	b.ResetTimer()
	for i, s := range senders {
		wg.Go(func() {
			for sent.Add(1) <= int64(b.N) {
				if err := do(s, i); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "req/s")
}

func exchange(s *sender, _ int) error { return errors.Join(s.write(), s.read()) }

// plain serves h by net/http alone.
func plain(b *testing.B, h http.Handler) (addr string) {
	l := listen(b)
	srv := &http.Server{Handler: h}
	go srv.Serve(l)
	b.Cleanup(func() { srv.Close() })
	return l.Addr().String()
}

func onDisk(b *testing.B) *store.Store {
	b.Helper()
	s, err := store.Open(b.TempDir(), store.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { s.Close() })
	return s
}

// BenchmarkIngest takes webhooks in and keeps them, durably, beside a handler
// that only reads them, and one sender beside one synced write to a file.
func BenchmarkIngest(b *testing.B) {
	reading := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		w.WriteHeader(http.StatusAccepted)
	})
	for _, n := range []int{1, 64} {
		b.Run(fmt.Sprintf("read/senders=%d", n), func(b *testing.B) { benchSenders(b, plain(b, reading), n, exchange) })
		b.Run(fmt.Sprintf("keep/senders=%d", n), func(b *testing.B) {
			benchSenders(b, serve(b, &relay.Ingest{Keep: onDisk(b).Keep}), n, exchange)
		})
	}
	// The same with senders as programs have them: net/http's client, whose
	// work on the same two cores both sides then bear.
	b.Run("read/clients=64", func(b *testing.B) { benchClients(b, plain(b, reading), 64) })
	b.Run("keep/clients=64", func(b *testing.B) { benchClients(b, serve(b, &relay.Ingest{Keep: onDisk(b).Keep}), 64) })
	// What the disk gives at best: the payloads of all senders in one write
	// and one sync.
	for _, n := range []int{1, 64} {
		b.Run(fmt.Sprintf("file/senders=%d", n), func(b *testing.B) {
			f, err := os.Create(filepath.Join(b.TempDir(), "file"))
			if err != nil {
				b.Fatal(err)
			}
			defer f.Close()
			all := strings.Repeat(payload, n)
			for b.Loop() {
				if _, err := f.WriteString(all); err != nil {
					b.Fatal(err)
				}
				if err := f.Sync(); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(n*b.N)/b.Elapsed().Seconds(), "req/s")
		})
	}
}

func benchClients(b *testing.B, addr string, n int) {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: n}}
	defer client.CloseIdleConnections()
	var sent atomic.Int64
	var wg sync.WaitGroup
	b.ResetTimer()
	for range n {
		wg.Go(func() {
			for sent.Add(1) <= int64(b.N) {
				res, err := client.Post("http://"+addr+"/hooks/github", "application/json", strings.NewReader(payload))
				if err != nil {
					b.Error(err)
					return
				}
				io.Copy(io.Discard, res.Body)
				res.Body.Close()
			}
		})
	}
	wg.Wait()
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "req/s")
}

// BenchmarkArrival is how long a webhook is on its way from its sender to the
// app, through ingest, store, dispatcher and forward, beside a reverse proxy
// that syncs it to a file first. Each of 64 senders waits for the answer and
// for the arrival before it sends the next, so as many are on their way.
func BenchmarkArrival(b *testing.B) {
	const senders = 64
	run := func(b *testing.B, addr string, app *noting) {
		var mu sync.Mutex // guards all
		all := make([]time.Duration, 0, b.N)
		benchSenders(b, addr, senders, func(s *sender, n int) error {
			begun := time.Now()
			if err := s.write(); err != nil {
				return err
			}
			at := <-app.arrived[n]
			mu.Lock()
			all = append(all, at.Sub(begun))
			mu.Unlock()
			return s.read()
		})
		slices.Sort(all)
		b.ReportMetric(float64(all[len(all)/2].Microseconds())/1e3, "p50-ms")
		b.ReportMetric(float64(all[len(all)*99/100].Microseconds())/1e3, "p99-ms")
	}
	b.Run("proxy", func(b *testing.B) {
		app := newNoting(b, senders)
		to, err := url.Parse("http://" + app.addr)
		if err != nil {
			b.Fatal(err)
		}
		f, err := os.Create(filepath.Join(b.TempDir(), "file"))
		if err != nil {
			b.Fatal(err)
		}
		defer f.Close()
		proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(to) }, Transport: &http.Transport{MaxIdleConnsPerHost: senders}}
		run(b, plain(b, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			if err == nil {
				_, err = f.Write(body)
			}
			if err = errors.Join(err, f.Sync()); err != nil {
				b.Error(err)
			}
			r.Body = io.NopCloser(bytes.NewReader(body))
			proxy.ServeHTTP(w, r)
		})), app)
	})
	for _, concurrency := range []int{1, 8, 64} {
		b.Run(fmt.Sprintf("hooktape/concurrency=%d", concurrency), func(b *testing.B) {
			app := newNoting(b, senders)
			s := onDisk(b)
			d := &dispatch.Dispatcher{Store: s, History: s, Concurrency: concurrency,
				Open: func(e capture.Endpoint) (dispatch.Sender, error) {
					target, err := answer.ParseTarget(e.URL)
					return &answer.Forward{Target: target}, err
				}}
			e, err := s.Endpoint(b.Context(), capture.Endpoint{Listener: true, EndpointSpec: capture.EndpointSpec{URL: "http://" + app.addr}})
			if err != nil {
				b.Fatal(err)
			}
			if err := d.Add(e); err != nil {
				b.Fatal(err)
			}
			during(b, d.Run)
			run(b, serve(b, &relay.Ingest{Keep: s.Keep, Plan: d.Plan}), app)
		})
	}
}

// noting is an app that says when a sender's request has come whole, and
// answers it.
type noting struct {
	addr    string
	arrived []chan time.Time
}

func newNoting(b *testing.B, senders int) *noting {
	l := listen(b)
	a := &noting{l.Addr().String(), make([]chan time.Time, senders)}
	for i := range a.arrived {
		a.arrived[i] = make(chan time.Time, 1)
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go a.serve(c)
		}
	}()
	return a
}

func (a *noting) serve(c net.Conn) {
	defer c.Close()
	br := bufio.NewReaderSize(c, 16<<10)
	answer := []byte("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
	for {
		from := 0
		for {
			line, err := br.ReadSlice('\n')
			if err != nil {
				return
			}
			if bytes.HasPrefix(line, []byte("X-Sender: ")) {
				from, _ = strconv.Atoi(strings.TrimSpace(string(line[10:])))
			}
			if len(line) == 2 {
				break
			}
		}
		if _, err := br.Discard(len(payload)); err != nil {
			return
		}
		a.arrived[from] <- time.Now()
		if _, err := c.Write(answer); err != nil {
			return
		}
	}
}
