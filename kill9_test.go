//go:build unix

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"code.hooktape.dev/hooktape/capture"
)

// TestKeptBeforeAnswered_Kill9 kills the program under load, again and again.
// Nothing that it acknowledged is missing afterwards, nothing is kept twice,
// and every delivery goes on to its end.
func TestKeptBeforeAnswered_Kill9(t *testing.T) {
	const lives = 5
	app := &moody{seen: map[string]int{}}
	srv := httptest.NewServer(app)
	defer srv.Close()

	dir := t.TempDir()
	env := append(os.Environ(), "GORACE=atexit_sleep_ms=0", "HOOKTAPE_STORE="+filepath.Join(dir, "store"))
	listen := listenAgain(t, dir, env, srv.URL, "--backoff", "50ms")

	load := &load{form: "%s", sent: map[string]bool{}, acknowledged: map[capture.ID]string{}}
	for life := range lives {
		p, ready := listen(life)
		load.until(20+rand.IntN(60), ready.Ingest+"/load", p.kill)
		if strings.Contains(p.diagnostics(), "DATA RACE") {
			t.Errorf("life %d: %s", life, p.diagnostics())
		}
	}
	if len(load.acknowledged) < 20*lives {
		t.Fatalf("only %d webhooks were acknowledged", len(load.acknowledged))
	}

	p, ready := listen(lives)
	if !eventually(func() bool { return pending(t, ready.API) == 0 }) {
		t.Errorf("%d attempts still wait", pending(t, ready.API))
	}
	kept := map[string]capture.ID{} // by body
	for row := range lines[capture.Row](t, env, "events", "ls", "--json") {
		body := get(t, ready.API+"/api/v1/events/"+string(row.ID)+"/body")
		if !load.sent[body] {
			t.Errorf("%s: nobody sent %q", row.ID, body)
		}
		if twin, ok := kept[body]; ok {
			t.Errorf("%q is kept twice: %s and %s", body, row.ID, twin)
		}
		kept[body] = row.ID
		if row.Outcome.State != capture.OK {
			t.Errorf("%s: %+v", row.ID, row.Outcome)
		}
	}
	for id, body := range load.acknowledged {
		if kept[body] != id {
			t.Errorf("%s was acknowledged for %q and is missing; kept is %q", id, body, kept[body])
		}
	}
	for body, id := range kept {
		if app.seen[body] == 0 {
			t.Errorf("%s never reached the app", id)
		}
	}
	numbers := map[capture.ID]int{}
	for a := range lines[capture.Attempt](t, env, "attempts", "ls", "--json") { // newest first
		if a.Status != capture.AttemptSucceeded && a.Status != capture.AttemptFailed {
			t.Errorf("attempt %s is %s", a.ID, a.Status)
		}
		if after := numbers[a.Delivery]; after != 0 && a.Number != after-1 {
			t.Errorf("delivery %s has attempt %d before %d", a.Delivery, a.Number, after)
		}
		numbers[a.Delivery] = a.Number
	}
	if len(numbers) != len(kept) {
		t.Errorf("%d deliveries of %d events", len(numbers), len(kept))
	}
	p.Process.Signal(os.Interrupt)
	<-p.ended
	if report := command(t, env, "doctor", "--verify", "--ingest", "127.0.0.1:0", "--api", "127.0.0.1:0"); !strings.Contains(report, "all whole") {
		t.Error(report)
	}
}

// listenAgain begins hooktape listen anew, on the same store each time.
func listenAgain(t *testing.T, dir string, env []string, args ...string) func(life int) (*process, capture.Ready) {
	args = append([]string{"listen", "--json", "--ingest", "127.0.0.1:0", "--api", "127.0.0.1:0"}, args...)
	return func(life int) (*process, capture.Ready) {
		t.Helper()
		p, err := begin(dir, fmt.Sprint("life", life), env, args...)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(p.kill)
		ready, err := p.ready()
		if err != nil {
			t.Fatal(err)
		}
		return p, ready
	}
}

// moody is an app that fails a third of what it gets, once.
type moody struct {
	mu   sync.Mutex // guards seen
	seen map[string]int
}

func (m *moody) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	m.mu.Lock()
	m.seen[string(body)]++
	first := m.seen[string(body)] == 1
	m.mu.Unlock()
	if first && len(body)%3 == 0 {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
}

// load is what several clients send at once, each body once.
type load struct {
	form         string     // of a request, with %s for the body
	mu           sync.Mutex // guards the fields below
	sent         map[string]bool
	acknowledged map[capture.ID]string // bodies
}

// until sends to url until so many more were acknowledged; then, with
// requests under way, it calls kill, and returns when nobody answers any more.
func (l *load) until(count int, url string, kill func()) {
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	enough := make(chan struct{})
	var once sync.Once
	l.mu.Lock()
	goal := len(l.acknowledged) + count
	l.mu.Unlock()
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for {
				body := l.body()
				res, err := client.Post(url, "application/json", strings.NewReader(fmt.Sprintf(l.form, body)))
				if err != nil {
					return // it is dead
				}
				var answer struct{ ID capture.ID }
				err = json.NewDecoder(res.Body).Decode(&answer)
				res.Body.Close()
				if err != nil || res.StatusCode/100 != 2 {
					continue // nothing was promised
				}
				l.mu.Lock()
				l.acknowledged[answer.ID] = body
				if len(l.acknowledged) >= goal {
					once.Do(func() { close(enough) })
				}
				l.mu.Unlock()
			}
		})
	}
	<-enough
	kill()
	wg.Wait()
}

func (l *load) body() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	body := fmt.Sprintf("webhook %d %s", len(l.sent), strings.Repeat("x", rand.IntN(200)))
	l.sent[body] = true
	return body
}

func pending(t *testing.T, api string) (attempts int64) {
	t.Helper()
	var counts capture.Counts
	if err := json.Unmarshal([]byte(get(t, api+"/api/v1/status")), &counts); err != nil {
		t.Fatal(err)
	}
	return counts.Pending
}

func get(t *testing.T, url string) string {
	t.Helper()
	res, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s, %v", url, res.Status, err)
	}
	return string(body)
}

// command is what hooktape args writes to stdout.
func command(t *testing.T, env []string, args ...string) string {
	t.Helper()
	cmd := exec.Command("hooktape", args...)
	var stderr bytes.Buffer
	cmd.Env, cmd.Stderr = env, &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("hooktape %s: %v\n%s%s", strings.Join(args, " "), err, out, &stderr)
	}
	return string(out)
}

// lines decodes what hooktape args writes, a record a line.
func lines[T any](t *testing.T, env []string, args ...string) func(yield func(T) bool) {
	t.Helper()
	out := command(t, env, args...)
	return func(yield func(T) bool) {
		for line := range strings.Lines(out) {
			var v T
			if err := json.Unmarshal([]byte(line), &v); err != nil {
				t.Fatalf("%v: %s", err, line)
			}
			if !yield(v) {
				return
			}
		}
	}
}
