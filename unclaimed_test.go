//go:build unix

package main

import (
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestOfflineIsADelay_Unclaimed has a listener with a claim come first. What
// it does not claim waits for the first that claims nothing, be it another one
// or the same without its claim.
func TestOfflineIsADelay_Unclaimed(t *testing.T) {
	dir := t.TempDir()
	env := environ(dir)
	start := func(name, store string, args ...string) *process {
		t.Helper()
		p, err := begin(dir, name, append(env, "HOOKTAPE_STORE="+filepath.Join(dir, store)), append(args, "--json", "--heartbeat", "200ms")...)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(p.kill)
		return p
	}
	relay, err := start("relay", "relay", "relay", "--listen", "127.0.0.1:0").ready()
	if err != nil {
		t.Fatal(err)
	}
	listen := func(name, store string, args ...string) *process {
		t.Helper()
		p := start(name, store, append([]string{"listen", "--relay", relay.API, "--token", relay.Token}, args...)...)
		if _, err := p.ready(); err != nil {
			t.Fatal(err)
		}
		return p
	}
	send := func(paths ...string) {
		t.Helper()
		for _, path := range paths {
			res, err := http.Post(relay.Ingest+path, "text/plain", strings.NewReader(path))
			if err != nil {
				t.Fatal(err)
			}
			res.Body.Close()
		}
	}
	event := regexp.MustCompile(`"type":"event".*"target":"(/\w+)"`)
	sees := func(p *process, want string) {
		t.Helper()
		var got []string
		if !eventually(func() bool {
			out, _ := os.ReadFile(p.files + ".out")
			got = nil
			for _, m := range event.FindAllStringSubmatch(string(out), -1) {
				got = append(got, m[1])
			}
			return regexp.MustCompile(want).MatchString(strings.Join(got, " "))
		}) {
			t.Fatalf("%s has %q, want %q", filepath.Base(p.files), got, want)
		}
	}

	picky := listen("picky", "one", "--only", "path:/mine")
	send("/a", "/mine", "/b")
	sees(picky, "^/mine$")
	sees(listen("open", "two"), "^/a /b$")
	picky.kill()
	send("/c", "/mine")
	sees(listen("generous", "one"), "/c /mine$") // and maybe /b, which it had not passed over for certain
}
