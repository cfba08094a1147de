package wacht_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/relay"
	"code.hooktape.dev/hooktape/relay/answer"
	"code.hooktape.dev/hooktape/relay/api"
	"code.hooktape.dev/hooktape/relay/api/wacht"
	"code.hooktape.dev/hooktape/relay/dispatch"
	"code.hooktape.dev/hooktape/relay/rules"
	"code.hooktape.dev/hooktape/store"
)

// rig is the dialect over real parts, on a socket, and an app on another that
// notes what it is sent: below /down it answers 500, and where codes has one,
// as that says.
type rig struct {
	t        testing.TB
	registry *relay.Registry
	url      string
	token    string
	app      string
	got      chan delivered
	codes    sync.Map // path → status; below 0 it waits for the end of the test
}

type delivered struct {
	header http.Header
	path   string
	body   string
}

func newRig(t testing.TB, o wacht.Options) *rig {
	t.Helper()
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	s, err := store.Open("", store.Options{Memory: true, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	g, ended := &rig{t: t, got: make(chan delivered, 1024)}, make(chan struct{})
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		g.got <- delivered{r.Header, r.URL.Path, string(body)}
		code, ok := g.codes.Load(r.URL.Path)
		switch {
		case ok && code.(int) < 0:
			<-ended
		case ok:
			w.WriteHeader(code.(int))
		case strings.HasPrefix(r.URL.Path, "/down"):
			w.WriteHeader(http.StatusInternalServerError)
		}
		io.WriteString(w, "thanks")
	}))
	g.app = app.URL
	guard := &answer.Guard{Loopback: true}
	d := &dispatch.Dispatcher{Store: s, History: s, Log: log}
	r, err := relay.NewRegistry(t.Context(), s, relay.Hooks{Plan: d.Plan, Resend: d.Resend, Changed: d.Put, Target: d.Target, Rules: &book{rules.New(nil)},
		Check: func(e capture.EndpointSpec) error {
			if err := guard.URL(e.URL); err != nil {
				return err
			}
			return answer.CheckHeaders(e.Headers)
		}})
	if err != nil {
		t.Fatal(err)
	}
	d.Delivers, d.Disable = r.Delivers, r.Disable
	d.Open = func(e capture.Endpoint) (dispatch.Sender, error) {
		return &answer.Delivery{Endpoint: e, Guard: guard, AppKeys: func() []string { return r.Keys(e.App) }}, nil
	}
	replays := relay.NewReplays(relay.Again{Deliveries: s.Deliveries, Delivery: s.Delivery, Resend: d.Resend, Log: log})
	server := &api.Server{Source: s, Registry: r, Resend: d.Resend, Replays: replays, Version: "test"}
	server.Dialects = []api.Dialect{wacht.New(server.Engine, o)}
	srv := httptest.NewServer(server.Guard(server.Handler()))
	g.registry, g.url = r, srv.URL
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	var wg sync.WaitGroup
	wg.Go(func() { d.Run(ctx) })
	wg.Go(func() { replays.Run(ctx) })
	t.Cleanup(func() {
		srv.Close()
		close(ended)
		cancel()
		wg.Wait()
		app.Close()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return g
}

// book is the rules that were made, and no others.
type book struct{ *rules.Set }

func (b *book) Check(spec *capture.RuleSpec) error { return rules.Check(spec) }

// ask makes a request and returns the status and the body.
func (g *rig) ask(method, path, body string) (int, string) {
	g.t.Helper()
	r, err := http.NewRequestWithContext(g.t.Context(), method, g.url+path, strings.NewReader(body))
	if err != nil {
		g.t.Fatal(err)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if g.token != "" {
		r.Header.Set("Authorization", "Bearer "+g.token)
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		g.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		g.t.Fatal(err)
	}
	if got := res.Header.Get("Content-Type"); got != "application/json" {
		g.t.Errorf("%s %s: got content type %q with %d, want application/json", method, path, got, res.StatusCode)
	}
	return res.StatusCode, string(text)
}

// object is an answer in JSON.
type object = map[string]any

// ok makes a request that must be answered 200.
func (g *rig) ok(method, path, body string) object {
	g.t.Helper()
	status, text := g.ask(method, path, body)
	out := object{}
	if err := json.Unmarshal([]byte(text), &out); err != nil || status != http.StatusOK {
		g.t.Fatalf("%s %s: got %d %s, want 200", method, path, status, text)
	}
	return out
}

// refused makes a request that must be answered with that status, in both
// forms of an error, in words that begin so.
func (g *rig) refused(method, path, body string, status int, begins string) {
	g.t.Helper()
	got, text := g.ask(method, path, body)
	var e struct {
		Message string
		Errors  []struct {
			Message string
			Code    int
		}
	}
	if err := json.Unmarshal([]byte(text), &e); err != nil || got != status || !strings.HasPrefix(e.Message, begins) {
		g.t.Errorf("%s %s %.200s:\ngot  %d %s\nwant %d %s…", method, path, body, got, text, status, begins)
		return
	}
	if len(e.Errors) != 1 || e.Errors[0].Message != e.Message || e.Errors[0].Code != status {
		g.t.Errorf("%s %s: got %s, want the message and the code in errors too", method, path, text)
	}
}

// next is the next request that reached the app.
func (g *rig) next() delivered {
	g.t.Helper()
	select {
	case d := <-g.got:
		return d
	case <-time.After(10 * time.Second):
		g.t.Fatal("no request reached the app")
		return delivered{}
	}
}

// shop makes a catalog "billing" and an app "shop" that points to it.
func (g *rig) shop() *rig {
	g.t.Helper()
	g.ok("POST", "/webhooks/event-catalogs", `{"slug":"billing","name":"Billing","events":[
		{"name":"invoice.paid","description":"An invoice was paid","group":"invoices","example_payload":{"amount":4200},
		 "schema":{"type":"object","properties":{"amount":{"type":"number"},"currency":{"type":"string"},"customer":{"type":"object","properties":{"tier":{"type":"string"}}}}}},
		{"name":"invoice.voided","description":"One was voided"},
		{"name":"invoice.old","description":"No longer sent","is_archived":true}]}`)
	g.ok("POST", "/webhooks/apps", `{"name":"Shop","app_slug":"shop","event_catalog_slug":"billing"}`)
	return g
}

// same compares JSON.
func same(t testing.TB, got any, want string) {
	t.Helper()
	var w any
	if err := json.Unmarshal([]byte(want), &w); err != nil {
		t.Fatal(err)
	}
	a, b := jsonOf(t, got), jsonOf(t, w)
	if !bytes.Equal(a, b) {
		t.Errorf("got  %s\nwant %s", a, b)
	}
}

func jsonOf(t testing.TB, v any) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
