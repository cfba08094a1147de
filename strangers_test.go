//go:build unix

package main

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// TestVersionsThatDoNotMatch has a listener meet relays of other versions, and
// a relay listeners of others. Each is told so, once, and nobody tries again.
func TestVersionsThatDoNotMatch(t *testing.T) {
	dir := t.TempDir()
	env := environ(dir)
	for _, relay := range []struct {
		name   string
		speaks []string
		polite bool // it says what is wrong
		says   string
	}{
		{"older", []string{"hooktape.0"}, true, "Update the older of the two"},
		{"newer", []string{"hooktape.2"}, true, "Update the older of the two"},
		{"rude", []string{"hooktape.2"}, false, "hooktape.1"},
		{"mute", nil, false, "hooktape.1"},
	} {
		t.Run(relay.name, func(t *testing.T) {
			var dials atomic.Int64
			upgrader := websocket.Upgrader{Subprotocols: relay.speaks}
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				dials.Add(1)
				if relay.polite {
					w.Header().Set("Content-Type", "application/problem+json")
					w.WriteHeader(http.StatusUpgradeRequired)
					json.NewEncoder(w).Encode(map[string]string{"detail": "This relay speaks " + relay.speaks[0] + ". Update the older of the two."})
					return
				}
				header := http.Header{}
				if relay.speaks != nil {
					header.Set("Sec-Websocket-Protocol", relay.speaks[0])
				}
				ws, err := upgrader.Upgrade(w, r, header)
				if err != nil {
					return
				}
				defer ws.Close()
				for err == nil {
					_, _, err = ws.ReadMessage()
				}
			}))
			defer srv.Close()
			p, err := begin(dir, relay.name, append(env, "HOOKTAPE_STORE="+filepath.Join(dir, relay.name)), "listen", "3000", "--relay", srv.URL, "--token", "x", "--json")
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(p.kill)
			select {
			case <-p.ended:
			case <-time.After(patience):
				t.Fatalf("it does not end: %s", p.diagnostics())
			}
			if code := p.ProcessState.ExitCode(); code != exitFailed || !strings.Contains(p.diagnostics(), relay.says) || dials.Load() != 1 {
				t.Errorf("it ended with %d after %d dials: %s", code, dials.Load(), p.diagnostics())
			}
		})
	}

	p, err := begin(dir, "relay", append(env, "HOOKTAPE_STORE="+filepath.Join(dir, "relay")), "relay", "--listen", "127.0.0.1:0", "--json")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.kill)
	ready, err := p.ready()
	if err != nil {
		t.Fatal(err)
	}
	for _, speaks := range []string{"hooktape.0", "hooktape.2"} {
		d := websocket.Dialer{Subprotocols: []string{speaks}}
		_, res, err := d.Dial("ws"+strings.TrimPrefix(ready.API, "http")+"/connect", http.Header{"Authorization": {"Bearer " + ready.Token}})
		if !errors.Is(err, websocket.ErrBadHandshake) || res.StatusCode != http.StatusUpgradeRequired {
			t.Fatalf("a listener that speaks %s: %v, %v", speaks, res, err)
		}
		var problem struct{ Detail string }
		if err := json.NewDecoder(res.Body).Decode(&problem); err != nil || !strings.Contains(problem.Detail, speaks) || !strings.Contains(problem.Detail, "hooktape.1") {
			t.Errorf("it is told %q, %v", problem.Detail, err)
		}
	}
}
