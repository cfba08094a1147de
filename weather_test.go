//go:build unix

package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"code.hooktape.dev/hooktape/capture"
)

// TestBadWeather puts endpoints that do everything wrong beside one that does
// not. That one gets its events in order and never more than a few late, each
// of the others leaves attempts that say what it did and is disabled for it,
// and the program is no larger afterwards.
func TestBadWeather(t *testing.T) {
	const events, window, given = 200, 10, 4 // given: up on so many deliveries, an endpoint is disabled
	flood := new(atomic.Int64)
	weathers := []struct {
		name, format string
		play         func(net.Conn)
		error        string // its attempts' class and message
	}{
		{"mute", "standard", func(c net.Conn) { io.Copy(io.Discard, c) }, `^timeout: .*within 500ms`},
		{"dribble", "standard", func(c net.Conn) {
			io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
			tick := time.NewTicker(5 * time.Millisecond)
			defer tick.Stop()
			for range tick.C {
				if _, err := c.Write([]byte("x")); err != nil {
					return
				}
			}
		}, `^timeout: .*within 500ms`},
		{"flood", "standard", func(c net.Conn) {
			io.WriteString(c, "HTTP/1.1 500 Oh\r\nContent-Length: 1073741824\r\n\r\n")
			n, _ := io.Copy(c, io.LimitReader(xs{}, 1<<30))
			flood.Add(n)
		}, `^status: .*500`},
		{"reset", "standard", func(c net.Conn) { c.(*net.TCPConn).SetLinger(0) }, `^reset: `},
		{"garbage", "blocklet", func(c net.Conn) { io.WriteString(c, "220 mail.test ESMTP\r\n") }, `^protocol: .*malformed`},
		{"circle", "wacht", func(c net.Conn) {
			io.WriteString(c, "HTTP/1.1 307 There\r\nLocation: /round\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
		}, `^protocol: .*more than 5`},
	}

	dir := t.TempDir()
	env := append(os.Environ(), "GORACE=atexit_sleep_ms=0", "HOOKTAPE_STORE="+filepath.Join(dir, "store"))
	p, err := begin(dir, "listen", env, "listen", "--json", "--ingest", "127.0.0.1:0", "--api", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.kill)
	ready, err := p.ready()
	if err != nil {
		t.Fatal(err)
	}
	api := ready.API + "/api/v1"
	register := func(spec string) capture.ID {
		t.Helper()
		return posted[capture.Endpoint](t, api+"/endpoints", spec).ID
	}
	came := make(chan int, 10*events)
	neighbour := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var said struct{ Data struct{ N int } }
		if err := json.NewDecoder(r.Body).Decode(&said); err != nil {
			t.Error(err)
		}
		came <- said.Data.N
	}))
	defer neighbour.Close()
	healthy := register(fmt.Sprintf(`{"url":%q}`, neighbour.URL))
	emit := func(n int) {
		posted[capture.Event](t, api+"/apps/default/events", fmt.Sprintf(`{"event_type":"weather","data":{"n":%d}}`, n))
	}
	emit(-1)
	if n := <-came; n != -1 {
		t.Fatalf("it got %d", n)
	}
	goroutines, memory := gauge(t, ready.API, "go_goroutines"), gauge(t, ready.API, "process_resident_memory_bytes")

	// One holds its first attempt for as long as all the neighbour's take.
	silent, spoke := new(atomic.Int64), make(chan struct{})
	speak := sync.OnceFunc(func() { close(spoke) })
	defer speak()
	held := register(fmt.Sprintf(`{"url":%q,"timeout_ms":600000}`, weather(t, func(net.Conn) {
		silent.Add(1)
		<-spoke
	})))
	ids := make([]capture.ID, len(weathers))
	for i, w := range weathers {
		url := weather(t, w.play)
		ids[i] = register(fmt.Sprintf(`{"url":%q,"format":%q,"timeout_ms":500,"retry":{"preset":"none","disable_after_exhausted":%d}}`, url, w.format, given))
	}
	for n := range events {
		emit(n)
		if n%window != window-1 {
			continue
		}
		for want := n - window + 1; want <= n; want++ {
			if got := <-came; got != want {
				t.Fatalf("the neighbour got %d, want %d", got, want)
			}
		}
	}
	if n := silent.Load(); n != 1 {
		t.Errorf("%d attempts were made meanwhile at one that keeps silent, want 1", n)
	}
	deleted(t, api+"/endpoints/"+string(held))
	speak()

	for i, w := range weathers {
		var row capture.EndpointRow
		if !eventually(func() bool {
			row = answered[capture.EndpointRow](t, api+"/endpoints/"+string(ids[i]))
			return row.Status == capture.EndpointDisabled
		}) {
			t.Errorf("%s is %s: %+v", w.name, row.Status, row.Health)
			continue
		}
		says := regexp.MustCompile(w.error)
		failed := slices.Collect(lines[capture.Attempt](t, env, "attempts", "ls", "--endpoint", string(ids[i]), "--status", "failed", "--json"))
		for _, a := range failed {
			if a.Error == nil || !says.MatchString(a.Error.Class+": "+a.Error.Message) || !a.Final || a.Duration <= 0 || a.Duration > capture.Duration(patience) {
				t.Errorf("%s: attempt %+v, %+v; want %q", w.name, a, a.Error, w.error)
			}
		}
		if len(failed) != given || row.Health.Failed != given || row.Health.Succeeded != 0 || !says.MatchString(row.Health.LastError) {
			t.Errorf("%s has %d failed attempts, want %d; its health is %+v", w.name, len(failed), given, row.Health)
		}
	}
	if sent := flood.Load(); sent > given<<26 {
		t.Errorf("%d bytes were taken of %d answers", sent, given)
	}
	if h := func() capture.Health { return answered[capture.EndpointRow](t, api+"/endpoints/"+string(held)).Health }; !eventually(func() bool { return h().Pending == 0 }) ||
		h().Failed != 1 || !strings.HasPrefix(h().LastError, "reset: ") {
		t.Errorf("the silent one's health is %+v", h())
	}
	if row := answered[capture.EndpointRow](t, api+"/endpoints/"+string(healthy)); row.Health.Succeeded != events+1 || row.Health.Failed+row.Health.Pending != 0 {
		t.Errorf("the neighbour's health is %+v", row.Health)
	}
	if !eventually(func() bool { return gauge(t, ready.API, "go_goroutines") <= goroutines+2 }) {
		t.Errorf("there are %v goroutines, there were %v", gauge(t, ready.API, "go_goroutines"), goroutines)
	}
	if m := gauge(t, ready.API, "process_resident_memory_bytes"); m > memory+256<<20 {
		t.Errorf("it takes up %v bytes, and took up %v", m, memory)
	}
	p.Process.Signal(os.Interrupt)
	<-p.ended
	if strings.Contains(p.diagnostics(), "DATA RACE") {
		t.Error(p.diagnostics())
	}
}

// weather is the URL of somebody who reads a request and then plays.
func weather(t *testing.T, play func(net.Conn)) (url string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				defer c.Close()
				if _, _, err := readRequest(bufio.NewReader(c)); err == nil {
					play(c)
				}
			})
		}
	})
	t.Cleanup(func() { // every attempt ends in time, and its connection with it
		l.Close()
		wg.Wait()
	})
	return "http://" + l.Addr().String() + "/"
}

// xs reads as x without end.
type xs struct{}

func (xs) Read(b []byte) (int, error) { return copy(b, bytes.Repeat([]byte("x"), len(b))), nil }

// gauge is the value of a metric; NaN, which is never too much, where the
// system does not tell it.
func gauge(t *testing.T, api, name string) float64 {
	t.Helper()
	for line := range strings.Lines(get(t, api+"/metrics")) {
		if text, ok := strings.CutPrefix(line, name+" "); ok {
			v, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
			if err != nil {
				t.Fatal(err)
			}
			return v
		}
	}
	return math.NaN()
}

func deleted(t *testing.T, url string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), "DELETE", url, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	if res.Body.Close(); res.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s", url, res.Status)
	}
}

// posted is what the API answers to a body with 201.
func posted[T any](t *testing.T, url, body string) (v T) {
	t.Helper()
	res, err := http.Post(url, "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusCreated || json.Unmarshal(answer, &v) != nil {
		t.Fatalf("%s: %s, %v: %s", url, res.Status, err, answer)
	}
	return v
}
