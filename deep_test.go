//go:build unix

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"code.hooktape.dev/hooktape/capture"
)

// TestDeepJSON makes and catches a megabyte that is nested as deep as JSON is
// read, and deeper, in front of endpoints whose conditions look into it.
func TestDeepJSON(t *testing.T) {
	const promptly = 5 * time.Second // hundreds of times what it takes
	deep := func(levels int) string {
		pad := strings.Repeat("x", max(0, 1_000_000-6*levels))
		return strings.Repeat(`{"a":`, levels) + `"` + pad + `"` + strings.Repeat("}", levels)
	}
	var mu sync.Mutex // guards came
	came := map[string]int{}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		text := strings.ReplaceAll(string(body), `\"`, `"`) // what is too deep to be JSON comes as a string
		for _, levels := range []int{9_999, 10_000, 100_000} {
			if strings.Contains(text, strings.TrimSuffix(deep(levels), "}")) { // Blocklet adds members
				mu.Lock()
				defer mu.Unlock()
				came[fmt.Sprintf("%s %d", r.URL.Path[:4], levels)]++
				return
			}
		}
		t.Errorf("%s got %d bytes, %v: %.80s", r.URL, len(body), err, body)
	}))
	defer srv.Close()

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
	for path, spec := range map[string]string{
		"/std": `"format":"standard","filter":"body` + strings.Repeat(".a", 60) + `:* or !body.a.b:*"`,
		"/ark": `"format":"ark","timeout_ms":30000,"subscriptions":[{"conditions":[{"key":"nope","condition":"eq","value":1},{"key":"nope","condition":"ne","value":1}]}]`,
		"/wac": `"format":"wacht","subscriptions":[{"filter_rules":{"a.a.a":{"$exists":true}}}]`,
		"/blk": `"format":"blocklet","filter":"body.a.a.a:*"`,
		"/raw": `"format":"raw","filter":"!body.a.b:*"`,
	} {
		posted[capture.Endpoint](t, ready.API+"/api/v1/endpoints", fmt.Sprintf(`{"url":%q,%s}`, srv.URL+path, spec))
	}

	ask := func(url, body string) (status int, answer []byte) {
		t.Helper()
		res, err := (&http.Client{Timeout: promptly}).Post(url, "application/json", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		answer, err = io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return res.StatusCode, answer
	}
	emit := func(levels int) (int, []byte) {
		return ask(ready.API+"/api/v1/apps/default/events", `{"event_type":"deep","data":`+deep(levels)+`}`)
	}
	status, answer := emit(9_999)
	var made capture.Event
	if err := json.Unmarshal(answer, &made); err != nil || status != http.StatusCreated {
		t.Errorf("%d: %.200s", status, answer)
	}
	for _, levels := range []int{10_000, 100_000} { // in the request they are one level deeper
		if status, answer := emit(levels); status != http.StatusBadRequest || !strings.Contains(string(answer), "depth") {
			t.Errorf("%d levels: %d: %.200s", levels, status, answer)
		}
		if status, answer := ask(ready.Ingest+"/", deep(levels)); status != http.StatusAccepted {
			t.Errorf("%d levels: %d: %.200s", levels, status, answer)
		}
	}
	if !eventually(func() bool { return pending(t, ready.API) == 0 }) {
		t.Errorf("%d attempts still wait", pending(t, ready.API))
	}
	// What is too deep to be read as JSON matches what says that something is
	// not so, and what rows or rules ask is not so.
	want := map[string]int{}
	for _, path := range []string{"/std", "/ark", "/wac", "/blk", "/raw"} {
		want[path+" 9999"], want[path+" 10000"] = 1, 1
	}
	want["/std 100000"], want["/raw 100000"] = 1, 1
	mu.Lock()
	defer mu.Unlock()
	if !maps.Equal(came, want) {
		t.Errorf("came %v\nwant %v", came, want)
	}
	for _, x := range answered[struct{ Data []capture.Explanation }](t, ready.API+"/api/v1/events/"+string(made.ID)+"/endpoints").Data {
		if !x.Matches {
			t.Errorf("%s: %q", x.URL, x.Why)
		}
	}
	p.Process.Signal(os.Interrupt)
	<-p.ended
	if strings.Contains(p.diagnostics(), "DATA RACE") || p.ProcessState.ExitCode() != exitInterrupted {
		t.Errorf("%v: %s", p.ProcessState, p.diagnostics())
	}
}
