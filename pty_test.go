//go:build unix

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"
)

// TestMuteTerminal starts commands on a terminal that answers no question,
// as there are over serial lines, in CI and in editors. None may wait for it.
func TestMuteTerminal(t *testing.T) {
	dir := t.TempDir()
	env := append(os.Environ(), "GORACE=atexit_sleep_ms=0", "TERM=xterm-256color", "NO_COLOR=", "COLORTERM=", "CI=",
		"HOOKTAPE_STORE="+filepath.Join(dir, "store"), "HOOKTAPE_INGEST=127.0.0.1:0", "HOOKTAPE_API=127.0.0.1:0",
		"HOME="+dir, "XDG_CONFIG_HOME="+dir)
	record, err := begin(dir, "record", env, "record", "--count", "1")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(record.kill)
	ready, err := record.ready()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := send(strings.TrimPrefix(ready.Ingest, "http://"), request("POST /seen HTTP/1.1\nHost: x\n\n")); err != nil {
		t.Fatal(err)
	}
	<-record.ended

	for _, c := range []struct {
		args, first string // first: what the first output holds
		asks        bool   // an interface may ask, if it does not wait
		fits        bool   // no line is wider than the terminal
	}{
		{args: "version", first: "hooktape"},
		{args: "--help", first: "NAME"},
		{args: "events ls", first: "/seen", fits: true},
		{args: "listen", first: "\x1b", asks: true},
		{args: "listen --plain", first: "Ready"},
	} {
		t.Run(c.args, func(t *testing.T) {
			const limit = 300 * time.Millisecond
			best := time.Hour
			for range 3 {
				took, out := firstOutput(t, env, strings.Fields(c.args)...)
				best = min(best, took)
				if !strings.Contains(out, c.first) {
					t.Errorf("the first output is %q, want %q in it", out, c.first)
				}
				for line := range strings.Lines(out) {
					if w := len(strings.TrimRight(line, "\r\n")); c.fits && w > 80 {
						t.Errorf("a line is %d wide on a terminal of 80: %q", w, line)
					}
				}
				if question := firstQuestion(out); question != "" && !c.asks {
					t.Errorf("it asks the terminal %q", question)
				}
			}
			if best > limit {
				t.Errorf("the first output came after %s, want %s at most", best, limit)
			}
		})
	}
}

// firstOutput runs hooktape args on a terminal of its own, and ends it once
// it has written something.
func firstOutput(t *testing.T, env []string, args ...string) (took time.Duration, out string) {
	t.Helper()
	cmd := exec.Command("hooktape", args...)
	cmd.Env = env
	began := time.Now()
	terminal, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 24, Cols: 80})
	if err != nil {
		t.Fatal(err)
	}
	defer terminal.Close()
	defer cmd.Wait()
	defer cmd.Process.Kill()
	hung := time.AfterFunc(patience, func() { cmd.Process.Kill() })
	defer hung.Stop()
	buf := make([]byte, 64<<10)
	n, err := terminal.Read(buf)
	if err != nil {
		return patience, fmt.Sprint("nothing: ", err)
	}
	return time.Since(began), string(buf[:n])
}

// firstQuestion is the first sequence in out that a terminal would answer:
// colours, the cursor's place, what it is.
func firstQuestion(out string) string {
	for _, q := range []string{"\x1b]10;?", "\x1b]11;?", "\x1b[6n", "\x1b[c", "\x1b[>", "\x1b[?u"} {
		if strings.Contains(out, q) {
			return q
		}
	}
	return ""
}
