//go:build unix

package main

import (
	"encoding/json"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"code.hooktape.dev/hooktape/capture"
)

// TestAtLeastOnce_Kill9 kills the program again and again while registered
// endpoints are under load, each time with a request at an endpoint that has
// not been answered. What was acknowledged reaches every endpoint, and what
// reaches one twice says so by its ids.
func TestAtLeastOnce_Kill9(t *testing.T) {
	const lives = 6
	w := &witness{came: map[capture.ID][]arrival{}}
	srv := httptest.NewServer(w)
	defer srv.Close()
	dir := t.TempDir()
	env := append(os.Environ(), "GORACE=atexit_sleep_ms=0", "HOOKTAPE_STORE="+filepath.Join(dir, "store"))
	endpoints := map[string]capture.ID{} // by path
	for path, flags := range map[string][]string{
		"/in-order": {"--format", "standard"},
		"/at-once":  {"--format", "standard", "--concurrency", "4"},
		"/wacht":    {"--format", "wacht", "--concurrency", "2"},
	} {
		made := lines[capture.Endpoint](t, env, append([]string{"endpoints", "create", srv.URL + path, "--json", "--retry", "20ms,50ms,100ms", "--attempts", "20"}, flags...)...)
		for e := range made {
			endpoints[path] = e.ID
		}
	}
	listen := listenAgain(t, dir, env)

	load := &load{form: `{"event_type":"load","data":"%s"}`, sent: map[string]bool{}, acknowledged: map[capture.ID]string{}}
	for life := range lives {
		p, ready := listen(life)
		load.until(20+rand.IntN(40), ready.API+"/api/v1/apps/default/events", func() {
			w.onNext(p.kill)
			<-p.ended
		})
		if strings.Contains(p.diagnostics(), "DATA RACE") {
			t.Errorf("life %d: %s", life, p.diagnostics())
		}
	}
	p, ready := listen(lives)
	if !eventually(func() bool { return pending(t, ready.API) == 0 }) {
		t.Errorf("%d attempts still wait", pending(t, ready.API))
	}

	kept := map[capture.ID]bool{}
	for row := range lines[capture.Row](t, env, "events", "ls", "--json") {
		kept[row.ID] = true
		if row.Outcome.State != capture.OK {
			t.Errorf("%s: %+v", row.ID, row.Outcome)
		}
	}
	for id := range load.acknowledged {
		if !kept[id] {
			t.Errorf("%s was acknowledged and is missing", id)
		}
	}
	if len(w.came) != len(kept) {
		t.Errorf("%d events came to the endpoints, %d are kept", len(w.came), len(kept))
	}
	repeated := 0
	for path, endpoint := range endpoints {
		tries := map[capture.ID][]capture.Attempt{} // by event, the oldest first
		var ended [2]int64                          // how many succeeded, and failed
		for a := range lines[capture.Attempt](t, env, "attempts", "ls", "--endpoint", string(endpoint), "--json") {
			tries[a.Event] = slices.Insert(tries[a.Event], 0, a)
			if a.Status == capture.AttemptFailed {
				ended[1]++
			} else {
				ended[0]++
			}
		}
		h := answered[capture.EndpointRow](t, ready.API+"/api/v1/endpoints/"+string(endpoint)).Health
		sums := answered[capture.Stats](t, ready.API+"/api/v1/endpoints/"+string(endpoint)+"/stats")
		if got, counted := [...]int64{h.Succeeded, h.Failed}, [...]int64{sums.Succeeded, sums.Failed}; got != ended || counted != ended {
			t.Errorf("%s: %d attempts succeeded and failed, its health counts %d, its statistics %d", path, ended, got, counted)
		}
		for id := range kept {
			repeated += w.check(t, id, path, load.acknowledged[id], tries[id])
		}
	}
	if repeated < lives {
		t.Errorf("%d attempts came more than once, want at least one for each of %d kills", repeated, lives)
	}
	p.Process.Signal(os.Interrupt)
	<-p.ended
	if strings.Contains(p.diagnostics(), "DATA RACE") {
		t.Error(p.diagnostics())
	}
}

// witness answers for endpoints and remembers what came. It fails a third of
// what it gets, once.
type witness struct {
	mu   sync.Mutex // guards the fields below
	came map[capture.ID][]arrival
	next func() // called once, before an answer
}

// arrival is a request as an endpoint got it.
type arrival struct {
	path, id, body string
	attempt        int
}

func (w *witness) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	event := capture.ID(r.Header.Get("Hooktape-Event-Id"))
	attempt, _ := strconv.Atoi(r.Header.Get("Hooktape-Attempt"))
	w.mu.Lock()
	w.came[event] = append(w.came[event], arrival{r.URL.Path, r.Header.Get("Webhook-Id"), string(body), attempt})
	next := w.next
	w.next = nil
	w.mu.Unlock()
	if next != nil {
		next()
	}
	if attempt == 1 && len(body)%3 == 0 {
		rw.WriteHeader(http.StatusServiceUnavailable)
	}
}

func (w *witness) onNext(f func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.next = f
}

// check holds what came of an event to a path against what was sent (unless
// nobody was told that it was taken) and the attempts that are kept. It
// returns how many requests were repetitions.
func (w *witness) check(t *testing.T, event capture.ID, path, sent string, tries []capture.Attempt) (repeated int) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(tries) == 0 {
		t.Fatalf("%s was never sent to %s", event, path)
	}
	for i, a := range tries {
		if a.Number != i+1 || a.Delivery != tries[0].Delivery || a.Status == capture.AttemptPending {
			t.Errorf("%s, %s: attempt %d is %+v", event, path, i+1, a)
		}
	}
	id := string(event)
	if path == "/wacht" {
		id = "msg_" + strings.TrimPrefix(string(tries[0].Delivery), capture.DeliveryID)
	}
	times := map[int]int{} // an attempt came
	body := ""
	for _, a := range w.came[event] {
		if a.path != path {
			continue
		}
		var said struct{ Data string }
		if err := json.Unmarshal([]byte(a.body), &said); err != nil || sent != "" && said.Data != sent {
			t.Errorf("%s came to %s as %q, %v; want %q", event, path, a.body, err, sent)
		}
		if a.id != id || body != "" && a.body != body {
			t.Errorf("%s came to %s as %s with %q; want %s, and the same each time: %q", event, path, a.id, a.body, id, body)
		}
		body = a.body
		times[a.attempt]++
	}
	for number := range len(tries) {
		if times[number+1] == 0 {
			t.Errorf("attempt %d of %s is kept and never came to %s", number+1, event, path)
		}
		repeated += max(0, times[number+1]-1)
	}
	if len(times) > len(tries) {
		t.Errorf("%d attempts of %s came to %s, %d are kept", len(times), event, path, len(tries))
	}
	return repeated
}
