//go:build unix

package main

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/term"
	"github.com/creack/pty"
	"golang.org/x/sys/unix"
)

// TestLoginOnATerminal: the token is asked for, and not shown; ^C ends that.
func TestLoginOnATerminal(t *testing.T) {
	dir := t.TempDir()
	env := append(os.Environ(), "GORACE=atexit_sleep_ms=0", "HOME="+dir, "XDG_CONFIG_HOME="+dir, "HOOKTAPE_STORE="+dir+"/store", "HOOKTAPE_TOKEN=")
	relay, err := begin(dir, "relay", env, "relay", "--listen", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(relay.kill)
	ready, err := relay.ready()
	if err != nil {
		t.Fatal(err)
	}
	typed := func(text string) (out string, code int) {
		t.Helper()
		cmd := exec.Command("hooktape", "login", ready.API)
		cmd.Env = env
		terminal, err := pty.Start(cmd)
		if err != nil {
			t.Fatal(err)
		}
		defer terminal.Close()
		defer time.AfterFunc(patience, func() { cmd.Process.Kill() }).Stop()
		r := bufio.NewReader(terminal)
		for !strings.HasSuffix(out, "shown): ") {
			b, err := r.ReadByte()
			if err != nil {
				t.Fatalf("it ended with %q", out)
			}
			out += string(b)
		}
		if !eventually(func() bool { // a moment after the question
			state, err := term.GetState(terminal.Fd())
			return err == nil && state.Lflag&unix.ECHO == 0
		}) {
			t.Fatal("the terminal shows what is typed")
		}
		if _, err := io.WriteString(terminal, text); err != nil {
			t.Fatal(err)
		}
		rest, _ := io.ReadAll(r) // fails when the other side has closed
		cmd.Wait()
		return out + string(rest), cmd.ProcessState.ExitCode()
	}
	if out, code := typed("\x03"); code != exitInterrupted {
		t.Errorf("^C: exit code %d, want %d: %q", code, exitInterrupted, out)
	}
	out, code := typed(ready.Token + "\n")
	if code != exitOK || !strings.Contains(out, `as "first start" of scope manage`) || strings.Contains(out, ready.Token) {
		t.Errorf("exit code %d: %q", code, out)
	}
}

// Tokens are kept by address: however it is spelt, and for no other.
func TestRelayName(t *testing.T) {
	for given, want := range map[string]string{
		"https://Hooks.example/":     "https://hooks.example",
		"https://hooks.example:443":  "https://hooks.example",
		"https://hooks.example:8443": "https://hooks.example:8443",
		"http://hooks.example:80/a/": "http://hooks.example/a",
		"http://[::1]:8080":          "http://[::1]:8080",
		"http://[::1]":               "http://[::1]",
		"hooks.example":              "",
		"ftp://hooks.example":        "",
		"https://a:b@hooks.example":  "",
		"https://hooks.example?a=b":  "",
	} {
		got, err := relayName(given)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%s is %q, %v; want %q", given, got, err, want)
		}
	}
	c := &credentials{Current: "https://a.example", Relays: map[string]login{"https://a.example": {Token: "a", App: "shop"}}}
	for _, tt := range []struct {
		flag    string
		takesIn bool
		given   map[string]string
		want    string
	}{
		{"relay", true, nil, "https://a.example"},
		{"relay", false, nil, ""},
		{"relay", true, map[string]string{"ingest": "127.0.0.1:0"}, ""},
		{"relay", true, map[string]string{"relay": "off"}, ""},
		{"token", true, map[string]string{"relay": "off"}, ""},
		{"token", true, nil, "a"},
		{"token", false, map[string]string{"relay": "https://A.example/"}, "a"},
		{"token", true, map[string]string{"relay": "https://b.example"}, ""},
		{"token", true, map[string]string{"relay": "http://a.example"}, ""},
		{"token", true, map[string]string{"token": "b"}, ""},
		{"app", true, nil, "shop"},
		{"app", false, map[string]string{"relay": "https://a.example"}, ""},
	} {
		if got := c.value(tt.flag, tt.takesIn, func(name string) string { return tt.given[name] }); got != tt.want {
			t.Errorf("--%s with %v is %q, want %q", tt.flag, tt.given, got, tt.want)
		}
	}
}
