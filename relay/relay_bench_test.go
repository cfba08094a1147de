//go:build unix

package relay_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"code.hooktape.dev/hooktape/capture"
)

// program is a hooktape in a process of its own.
func program(b *testing.B, bin string, args ...string) (ready capture.Ready, pid int) {
	b.Helper()
	home := b.TempDir()
	cmd := exec.Command(bin, append(args, "--json", "--store", filepath.Join(home, "tape"))...)
	cmd.Env = append(os.Environ(), "HOME="+home, "XDG_CONFIG_HOME="+home, "XDG_DATA_HOME="+home)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGTERM)
		cmd.Wait()
	})
	r := bufio.NewReaderSize(out, 1<<20)
	line, err := r.ReadBytes('\n')
	var first capture.Record
	if err != nil || json.Unmarshal(line, &first) != nil || first.Ready == nil {
		b.Fatalf("%v began with %q, %v", args, line, err)
	}
	go r.WriteTo(nowhere{})
	return *first.Ready, cmd.Process.Pid
}

type nowhere struct{}

func (nowhere) Write(p []byte) (int, error) { return len(p), nil }

var idle = flag.Int("idle", 1000, "idle listeners of BenchmarkIdleListeners")

// BenchmarkIdleListeners has so many listeners connected to a relay, with
// nothing to do but to prove that they are there: what memory that takes.
func BenchmarkIdleListeners(b *testing.B) {
	beat := 5 * time.Second
	if testing.Short() { // that it runs is what counts
		beat = 0
	}
	bin := build(b)
	far, pid := program(b, bin, "relay", "--listen", "127.0.0.1:0")
	before := resident(b, pid)
	var conns []*websocket.Conn
	var mu sync.Mutex // guards conns
	var wg sync.WaitGroup
	slots := make(chan bool, 64)
	for range *idle {
		slots <- true
		wg.Go(func() {
			defer func() { <-slots }()
			ws, err := idleListener(far)
			if err != nil {
				b.Error(err)
				return
			}
			mu.Lock()
			conns = append(conns, ws)
			mu.Unlock()
		})
	}
	wg.Wait()
	most := int64(0)
	for b.Loop() { // two beats each
		for range 4 {
			time.Sleep(beat)
			for _, ws := range conns {
				ws.WriteControl(websocket.PingMessage, nil, time.Now().Add(time.Second))
			}
			most = max(most, resident(b, pid))
		}
	}
	b.ReportMetric(float64(most)/(1<<20), "MB")
	b.ReportMetric(float64(most-before)/float64(*idle)/(1<<10), "KB/listener")
	for _, ws := range conns {
		ws.Close()
	}
}

// idleListener subscribes, and reads what comes without an end. It is as
// little as can be: there are ten thousand of them in this process.
func idleListener(far capture.Ready) (*websocket.Conn, error) {
	d := websocket.Dialer{Subprotocols: []string{"hooktape.1"}, ReadBufferSize: 512, WriteBufferSize: 512}
	ws, _, err := d.Dial("ws"+strings.TrimPrefix(far.API, "http")+"/connect", http.Header{"Authorization": {"Bearer " + far.Token}})
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	out.WriteString(http2.ClientPreface)
	f := http2.NewFramer(&out, nil)
	f.WriteSettings()
	f.WriteSettingsAck()
	var head bytes.Buffer
	h := hpack.NewEncoder(&head)
	for _, l := range [][2]string{{":method", "POST"}, {":scheme", "http"}, {":authority", "relay"}, {":path", "/log"}} {
		h.WriteField(hpack.HeaderField{Name: l[0], Value: l[1]})
	}
	f.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: head.Bytes(), EndHeaders: true})
	f.WriteData(1, true, []byte(`{"listener":"`+string(capture.NewID(capture.ListenerID))+`","name":"idle","app":"default"}`))
	stream := append([]byte{0}, out.Bytes()...)
	if err := ws.WriteMessage(websocket.BinaryMessage, stream); err != nil {
		return nil, err
	}
	got := make(chan error, 1)
	go func() {
		for n := 0; ; n++ {
			_, _, err := ws.ReadMessage()
			if n == 1 || err != nil && n < 1 {
				got <- err // behind the settings comes the answer
			}
			if err != nil {
				return
			}
		}
	}()
	return ws, <-got
}

func resident(b *testing.B, pid int) int64 {
	b.Helper()
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	fields := strings.Fields(string(data))
	if err != nil || len(fields) < 2 {
		b.Skip("no /proc to read memory from")
	}
	pages, err := strconv.ParseInt(fields[1], 10, 64)
	if err != nil {
		b.Fatal(err)
	}
	return pages * int64(os.Getpagesize())
}

func build(b *testing.B) (bin string) {
	b.Helper()
	bin = filepath.Join(b.TempDir(), "hooktape")
	if out, err := exec.Command("go", "build", "-o", bin, "..").CombinedOutput(); err != nil {
		b.Fatalf("%v %s", err, out)
	}
	return bin
}

// BenchmarkRelay has 64 senders send webhooks to `hooktape listen`, and to
// `hooktape relay` with a listener in a third process: how many are taken in a
// second, and how long one takes to arrive at the app.
func BenchmarkRelay(b *testing.B) {
	const senders = 64
	bin := build(b)
	ways := []struct {
		name  string
		begin func(b *testing.B, target string) (ingest string)
	}{
		{"local", func(b *testing.B, target string) string {
			near, _ := program(b, bin, "listen", target, "--ingest", "127.0.0.1:0", "--api", "127.0.0.1:0")
			return near.Ingest
		}},
		{"relay", func(b *testing.B, target string) string {
			far, _ := program(b, bin, "relay", "--listen", "127.0.0.1:0")
			near, _ := program(b, bin, "listen", target, "--relay", far.API, "--token", far.Token, "--api", "127.0.0.1:0")
			return near.Ingest
		}},
	}
	for _, way := range ways {
		begin := func(b *testing.B) (addr, path string, app *noting) {
			app = newNoting(b, senders)
			addr, path, _ = strings.Cut(strings.TrimPrefix(way.begin(b, "http://"+app.addr), "http://"), "/")
			return addr, "/" + path, app
		}
		to := func(path string, do func(s *sender, n int) error) func(s *sender, n int) error {
			return func(s *sender, n int) error {
				s.raw = []byte(strings.Replace(string(s.raw), "POST /hooks", "POST "+strings.TrimSuffix(path, "/")+"/hooks", 1))
				return do(s, n)
			}
		}
		b.Run("accept/"+way.name, func(b *testing.B) {
			addr, path, app := begin(b)
			for _, c := range app.arrived {
				go func() {
					for range c {
					}
				}()
			}
			aimed := make([]bool, senders)
			benchSenders(b, addr, senders, func(s *sender, n int) error {
				if !aimed[n] {
					aimed[n] = true
					return to(path, exchange)(s, n)
				}
				return exchange(s, n)
			})
		})
		b.Run("arrival/"+way.name, func(b *testing.B) {
			addr, path, app := begin(b)
			var mu sync.Mutex // guards all
			all := make([]time.Duration, 0, b.N)
			aimed := make([]bool, senders)
			send := func(s *sender, n int) error {
				begun := time.Now()
				if err := s.write(); err != nil {
					return err
				}
				at := <-app.arrived[n]
				mu.Lock()
				all = append(all, at.Sub(begun))
				mu.Unlock()
				return s.read()
			}
			benchSenders(b, addr, senders, func(s *sender, n int) error {
				if !aimed[n] {
					aimed[n] = true
					return to(path, send)(s, n)
				}
				return send(s, n)
			})
			slices.Sort(all)
			b.ReportMetric(float64(all[len(all)/2].Microseconds())/1e3, "p50-ms")
			b.ReportMetric(float64(all[len(all)*99/100].Microseconds())/1e3, "p99-ms")
		})
	}
}
