//go:build unix

package relay_test

import (
	"bufio"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"code.hooktape.dev/hooktape/capture"
)

// program is a hooktape in a process of its own.
func program(b *testing.B, bin string, args ...string) capture.Ready {
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
	return *first.Ready
}

type nowhere struct{}

func (nowhere) Write(p []byte) (int, error) { return len(p), nil }

// BenchmarkRelay has 64 senders send webhooks to `hooktape listen`, and to
// `hooktape relay` with a listener in a third process: how many are taken in a
// second, and how long one takes to arrive at the app.
func BenchmarkRelay(b *testing.B) {
	const senders = 64
	bin := filepath.Join(b.TempDir(), "hooktape")
	if out, err := exec.Command("go", "build", "-o", bin, "..").CombinedOutput(); err != nil {
		b.Fatalf("%v %s", err, out)
	}
	ways := []struct {
		name  string
		begin func(b *testing.B, target string) (ingest string)
	}{
		{"local", func(b *testing.B, target string) string {
			return program(b, bin, "listen", target, "--ingest", "127.0.0.1:0", "--api", "127.0.0.1:0").Ingest
		}},
		{"relay", func(b *testing.B, target string) string {
			far := program(b, bin, "relay", "--listen", "127.0.0.1:0")
			return program(b, bin, "listen", target, "--relay", far.API, "--token", far.Token, "--api", "127.0.0.1:0").Ingest
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
