//go:build unix

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/sign"
	"code.hooktape.dev/hooktape/relay"
	"code.hooktape.dev/hooktape/relay/dispatch"
	"code.hooktape.dev/hooktape/store"
)

// TestFailingEndpoint_HoursLater follows an endpoint through a schedule of
// hours, in synthetic time, until it is disabled. Then the program runs on the
// store that this has left behind: command, API and interface tell the same
// story, and once the endpoint is enabled again it gets the next event.
func TestFailingEndpoint_HoursLater(t *testing.T) {
	came := make(chan error, 10)
	var secret string
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err == nil {
			err = verifyStandard(capture.FromHTTP(r.Header), body, time.Now(), secret)
		}
		if err == nil && !strings.Contains(string(body), `"data":{"n":3}`) {
			err = fmt.Errorf("it got %s", body)
		}
		came <- err
	}))
	defer srv.Close()

	dir := t.TempDir()
	at := filepath.Join(dir, "store")
	waits := []time.Duration{5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour}
	var e capture.Endpoint
	before := time.Now().Add(-4 * time.Hour)
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(before)) // nothing ticks yet: the years since 2000 cost nothing
		e = failFor(t, at, srv.URL+"/hook", waits)
	})
	secret = e.Secret.Key

	env := append(os.Environ(), "GORACE=atexit_sleep_ms=0", "TZ=UTC", "HOME="+dir, "XDG_CONFIG_HOME="+dir,
		"HOOKTAPE_STORE="+at, "HOOKTAPE_INGEST=127.0.0.1:0", "HOOKTAPE_API=127.0.0.1:0")
	p, err := begin(dir, "listen", env, "listen", "--json")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.kill)
	ready, err := p.ready()
	if err != nil {
		t.Fatal(err)
	}
	id := string(e.ID)

	// The command lists every attempt, each as long after the one before as
	// the schedule says.
	tries := map[capture.ID][]capture.Attempt{} // by delivery, the oldest first
	var listed []capture.ID
	for a := range lines[capture.Attempt](t, env, "attempts", "ls", "--endpoint", id, "--json") {
		tries[a.Delivery] = append([]capture.Attempt{a}, tries[a.Delivery]...)
		listed = append(listed, a.ID)
	}
	if len(tries) != 2 {
		t.Errorf("%d deliveries, want 2", len(tries))
	}
	for delivery, as := range tries {
		if len(as) != len(waits)+1 {
			t.Fatalf("delivery %s has %d attempts, want %d", delivery, len(as), len(waits)+1)
		}
		for i, a := range as {
			if a.Status != capture.AttemptFailed || a.Code != 503 || a.Number != i+1 || a.Final != (i == len(waits)) || a.Event != as[0].Event {
				t.Errorf("attempt %d of %s is %+v", i+1, delivery, a)
			}
			if i > 0 && a.Started.Sub(as[i-1].Started).Round(time.Second) != waits[i-1] {
				t.Errorf("attempt %d of %s came %s after the one before, want %s", i+1, delivery, a.Started.Sub(as[i-1].Started), waits[i-1])
			}
		}
	}
	shown := command(t, env, "endpoints", "get", id)
	for _, want := range []string{`state +disabled by the system since .*: 2 deliveries in a row were given up`,
		`attempts +0 succeeded, 10 failed, 0 pending; 10 failed in a row`, `last +status: busy in 80ms`} {
		if !regexp.MustCompile(want).MatchString(shown) {
			t.Errorf("endpoints get does not say %q:\n%s", want, shown)
		}
	}

	// The API has the same attempts and has counted them.
	row := answered[capture.EndpointRow](t, ready.API+"/api/v1/endpoints/"+id)
	if row.Status != capture.EndpointDisabled || row.DisabledBy != capture.BySystem || row.Health.Failed != 10 || row.Health.Exhausted != 2 || row.Health.Pending != 0 {
		t.Errorf("the API says %+v", row)
	}
	var overHTTP []capture.ID
	for _, a := range answered[struct{ Data []capture.Attempt }](t, ready.API+"/api/v1/endpoints/"+id+"/attempts").Data {
		overHTTP = append(overHTTP, a.ID)
	}
	if !slices.Equal(overHTTP, listed) {
		t.Errorf("the API lists %s, the command %s", overHTTP, listed)
	}
	sums := answered[capture.Stats](t, ready.API+"/api/v1/endpoints/"+id+"/stats")
	if sums.Attempts != 10 || sums.Failed != 10 || sums.Deliveries != 2 || sums.Exhausted != 2 || len(sums.Reasons) != 1 || sums.Reasons[0].Count != 10 ||
		sums.Latency == nil || sums.Latency.Max != capture.Duration(80*time.Millisecond) {
		t.Errorf("its statistics are %+v", sums)
	}
	if all := answered[capture.Stats](t, ready.API+"/api/v1/stats"); all.Events != 3 || all.Attempts != 10 {
		t.Errorf("all statistics are %+v, want 3 events and 10 attempts", all)
	}

	// The interface, beside the process that owns the store.
	s := newScreen(t, env...)
	for _, step := range []struct{ keys, sees string }{
		{"exec hooktape\r", `fail\.late`},
		{"2", `OFF .*/hook .*503`},
		{"\r", `OFF.* by the system.*2 deliveries in a row were given up(?s:.*)10 failed in a row`},
		{"", `(?s)(503.*){10}`},
		{"\t", `(?i)nothing`},
	} {
		if err := s.send(step.keys); err != nil {
			t.Fatal(err)
		}
		if err := s.wait(step.sees); err != nil {
			t.Fatalf("after %q: %q: %v\n%s", step.keys, step.sees, err, s.text())
		}
	}

	// Enabled again, it gets what is made from now on.
	if out := command(t, env, "endpoints", "reactivate", id); !regexp.MustCompile(`state +enabled`).MatchString(out) {
		t.Errorf("endpoints reactivate: %s", out)
	}
	made := slices.Collect(lines[capture.Event](t, env, "events", "create", "--type", "fail.over", "--data", `{"n":3}`, "--json"))
	if err := <-came; err != nil {
		t.Error(err)
	}
	command(t, env, "wait", "id:"+string(made[0].ID)+" is:ok", "--since", "1h", "--timeout", "30s")
	if err := s.wait(`✓ ON(?s:.*)nothing waits`); err != nil {
		t.Errorf("%v\n%s", err, s.text())
	}
	if h := answered[capture.EndpointRow](t, ready.API+"/api/v1/endpoints/"+id).Health; h.Succeeded != 1 || h.Failed != 10 || h.InARow != 0 || h.Exhausted != 0 {
		t.Errorf("its health is %+v", h)
	}
	p.Process.Signal(os.Interrupt)
	<-p.ended
	if strings.Contains(p.diagnostics(), "DATA RACE") {
		t.Error(p.diagnostics())
	}
	if len(came) > 0 {
		t.Errorf("%d more requests came", len(came))
	}
}

// failFor registers an endpoint in a new store at dir, as node does, and makes
// two events that it fails through the whole schedule, and one it does not get
// because it is disabled by then.
func failFor(t *testing.T, dir, url string, waits []time.Duration) capture.Endpoint {
	t.Helper()
	kept, err := store.Open(dir, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer kept.Close()
	d := &dispatch.Dispatcher{Store: kept, History: kept, Open: func(capture.Endpoint) (dispatch.Sender, error) { return busy{}, nil }}
	r, err := relay.NewRegistry(t.Context(), kept, relay.Hooks{Plan: d.Plan, Resend: d.Resend, Changed: d.Put, Check: func(capture.EndpointSpec) error { return nil }})
	if err != nil {
		t.Fatal(err)
	}
	d.Delivers, d.Disable = r.Delivers, r.Disable
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- d.Run(ctx) }()

	policy := &capture.RetryPolicy{Jitter: -1, DisableExhausted: 2}
	whole := time.Hour
	for _, w := range waits {
		policy.Waits = append(policy.Waits, capture.Duration(w))
		whole += w
	}
	e, err := r.CreateEndpoint(ctx, capture.DefaultApp, capture.EndpointSpec{URL: url, Retry: policy})
	if err != nil {
		t.Fatal(err)
	}
	for _, pause := range []time.Duration{time.Minute, whole, time.Second} {
		if _, _, err := r.Emit(ctx, capture.DefaultApp, capture.Emission{Type: "fail.late", Data: json.RawMessage(`{"n":0}`)}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(pause)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	return e
}

// busy is an endpoint that has no time.
type busy struct{}

func (busy) Send(_ context.Context, _ *capture.Event, _ []byte, a *capture.Attempt) {
	a.Started = time.Now().UTC()
	time.Sleep(80 * time.Millisecond)
	a.Status, a.Code, a.Duration = capture.AttemptFailed, 503, capture.Duration(time.Since(a.Started))
	a.Error = &capture.Failure{Class: capture.FailStatus, Message: "busy"}
	a.Response = &capture.Response{Status: 503, Proto: "HTTP/1.1", Body: []byte("busy")}
}

func (busy) Reachable(context.Context) error { return nil }
func (busy) Close()                          {}

// answered is what the API says at url.
func answered[T any](t *testing.T, url string) (v T) {
	t.Helper()
	if err := json.Unmarshal([]byte(get(t, url)), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// verifyStandard is nil for what is signed by Standard Webhooks with the secret.
func verifyStandard(h capture.Headers, body []byte, now time.Time, secret string) error {
	standard, _ := sign.Lookup("standard-webhooks")
	v := standard.Verify(&sign.Request{Headers: h, Body: body}, now, sign.Secret{Text: secret})
	if v.Verdict != capture.Valid {
		return fmt.Errorf("%s: %s", v.Verdict, v.Detail)
	}
	return nil
}
