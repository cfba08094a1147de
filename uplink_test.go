//go:build unix

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestLinkOnScreen is a listener's interface while its relay stalls, and after
// it was away: what proves the link is on the screen, it asks what to deliver,
// and the gap is shown.
func TestLinkOnScreen(t *testing.T) {
	dir := t.TempDir()
	env := append(os.Environ(), "GORACE=atexit_sleep_ms=0", "NO_COLOR=1", "HOME="+dir, "XDG_CONFIG_HOME="+dir, "XDG_DATA_HOME="+dir)
	relay, err := begin(dir, "relay", env, "relay", "--listen", "127.0.0.1:0", "--store", filepath.Join(dir, "relay"), "--heartbeat", "300ms")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(relay.kill)
	ready, err := relay.ready()
	if err != nil {
		t.Fatal(err)
	}
	env = append(env, "HOOKTAPE_TOKEN="+ready.Token)
	listen := []string{"listen", "--relay", ready.API, "--store", filepath.Join(dir, "laptop"), "--api", "127.0.0.1:0"}
	catch := func(n int) {
		t.Helper()
		for range n {
			path := strings.TrimPrefix(ready.Ingest, ready.API)
			if _, err := send(strings.TrimPrefix(ready.API, "http://"), request("POST "+path+"/hook HTTP/1.1\nHost: x\n\n")); err != nil {
				t.Fatal(err)
			}
		}
	}

	s := interfaceOf(t, env, listen...)
	s.sees("", "relay ● connected", "rtt ", "heard 0s ago")
	catch(1)
	s.sees("", "1 event", "seq ")
	if err := relay.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	s.sees("", "relay ✗ down")
	if err := relay.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	s.sees("", "relay ● connected")
	s.quits()

	catch(25)
	beside := interfaceOf(t, env, "--relay", ready.API)
	beside.sees("5", "0 of 1 connected", "25 webhooks wait for it")
	s = interfaceOf(t, env, listen...)
	s.sees("", "25 webhooks came while you were away", "relay ● connected", "1 event")
	s.sees("l", "how many of the newest? 10") // it takes no keys at once
	s.types("\x1b")
	s.sees("", "or a letter chooses")
	s.types("n")
	s.sees("", "25 missed: none is delivered", "26 events")
	s.types("g")
	s.sees("", "··· 25 missed", "kept, not delivered")
	beside.sees("", "1 of 1 connected", "nothing waits for it")
	s.quits()
	beside.sees("1", "1·Events")
	beside.quits()
}

// window is the interface on a terminal of 80 by 24.
type window struct {
	*screen
	t   *testing.T
	cmd *exec.Cmd
}

func interfaceOf(t *testing.T, env []string, args ...string) *window {
	t.Helper()
	cmd := exec.Command("hooktape", args...)
	cmd.Env = env
	return &window{onScreen(t, cmd, 24, 80), t, cmd}
}

func (w *window) types(keys string) {
	w.t.Helper()
	if err := w.send(keys); err != nil {
		w.t.Fatal(err)
	}
}

// sees waits until all texts were on the screen, and types keys meanwhile.
func (w *window) sees(keys string, texts ...string) {
	w.t.Helper()
	for _, text := range texts {
		if !eventually(func() bool {
			w.types(keys)
			return strings.Contains(w.text(), text)
		}) {
			w.t.Fatalf("waited in vain for %q; on the screen:\n%s", text, w.text())
		}
	}
}

// quits leaves the interface.
func (w *window) quits() {
	w.t.Helper()
	w.types("q")
	if err := w.cmd.Wait(); err != nil {
		w.t.Errorf("it ended with %v; on the screen:\n%s", err, w.text())
	}
}
