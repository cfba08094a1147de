package ark_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/relay"
	"code.hooktape.dev/hooktape/relay/answer"
	"code.hooktape.dev/hooktape/relay/api"
	"code.hooktape.dev/hooktape/relay/api/ark"
	"code.hooktape.dev/hooktape/relay/dispatch"
	"code.hooktape.dev/hooktape/store"
)

// rig is a hooktape on a socket, as package main joins it, and a receiver: it
// redirects below /moved, fails below /down, does not answer below /asleep, and
// else answers 200.
type rig struct {
	store    *store.Store
	registry *relay.Registry
	server   *api.Server
	url      string // of the management address
	receiver string
	got      chan *received
}

type received struct {
	*http.Request
	body string
}

func newRig(t testing.TB, o ark.Options) *rig {
	t.Helper()
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	s, err := store.Open("", store.Options{Memory: true, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	r := &rig{store: s, got: make(chan *received, 100)}
	asleep := make(chan struct{})
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		select {
		case r.got <- &received{req, string(body)}:
		default: // nobody looks at so many
		}
		switch place, _, _ := strings.Cut(req.URL.Path[1:], "/"); place {
		case "moved":
			http.Redirect(w, req, "/ok", http.StatusFound)
		case "down":
			w.WriteHeader(http.StatusInternalServerError)
		case "asleep":
			<-asleep
		}
	}))
	t.Cleanup(receiver.Close)
	t.Cleanup(func() { close(asleep) })
	r.receiver = receiver.URL
	guard := &answer.Guard{Loopback: true}
	d := &dispatch.Dispatcher{Store: s, History: s, Log: log, Open: func(e capture.Endpoint) (dispatch.Sender, error) {
		return &answer.Delivery{Endpoint: e, Guard: guard, AppKeys: func() []string { return nil }}, nil
	}}
	r.registry, err = relay.NewRegistry(t.Context(), s, relay.Hooks{
		Plan: d.Plan, Resend: d.Resend, Changed: d.Put, Check: func(e capture.EndpointSpec) error { return guard.URL(e.URL) },
	})
	if err != nil {
		t.Fatal(err)
	}
	d.Delivers, d.Disable = r.registry.Delivers, r.registry.Disable
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { d.Run(ctx) })
	t.Cleanup(func() {
		cancel()
		wg.Wait()
	})
	r.server = &api.Server{Source: s, Registry: r.registry, Resend: d.Resend}
	r.server.Dialects = []api.Dialect{ark.New(r.server.Engine, o)}
	management := httptest.NewServer(r.server.Guard(r.server.Handler()))
	t.Cleanup(management.Close)
	r.url = management.URL
	return r
}

// answered is an answer of the management address.
type answered struct {
	status int
	header http.Header
	text   string
}

// ask makes a request of JSON, unless a header says otherwise.
func (r *rig) ask(t testing.TB, method, target, body string, headers ...string) answered {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, r.url+target, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	for _, line := range headers {
		name, value, _ := strings.Cut(line, ": ")
		req.Header.Set(name, value)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answered{res.StatusCode, res.Header, strings.TrimSuffix(string(text), "\n")}
}

// want wants this status and, unless it is "", text.
func (a answered) want(t testing.TB, what string, status int, text string) {
	t.Helper()
	if a.status != status || text != "" && a.text != text {
		t.Errorf("%s: answered %d %s, want %d %s", what, a.status, a.text, status, text)
	}
}

// webhook is one as it is answered. Members of another name would be an error.
type webhook struct {
	ID         capture.ID          `json:"id"`
	Event      string              `json:"event"`
	Target     string              `json:"target"`
	Token      string              `json:"token"`
	Enabled    bool                `json:"enabled"`
	Conditions []capture.Condition `json:"conditions"`
}

func (a answered) webhook(t testing.TB) webhook {
	t.Helper()
	var v struct{ Data webhook }
	if err := capture.Decode([]byte(a.text), &v); err != nil {
		t.Fatalf("%d %s: %v", a.status, a.text, err)
	}
	return v.Data
}

// hooks is a list, and the rest of its page.
func (a answered) hooks(t testing.TB) (meta string, all []webhook) {
	t.Helper()
	var v struct {
		Meta json.RawMessage
		Data []webhook
	}
	if err := capture.Decode([]byte(a.text), &v); err != nil {
		t.Fatalf("%d %s: %v", a.status, a.text, err)
	}
	return string(v.Meta), v.Data
}

// hook creates a webhook of an event, at a path of the receiver, on
// conditions.
func (r *rig) hook(t testing.TB, event, path, conditions string) webhook {
	t.Helper()
	a := r.ask(t, "POST", "/api/webhooks", `{"event":"`+event+`","target":"`+r.receiver+path+`","enabled":true,"conditions":[`+conditions+`]}`)
	if a.status != 201 {
		t.Fatalf("created %d %s", a.status, a.text)
	}
	return a.webhook(t)
}

// emit makes an event and waits until all attempts are over. It returns them
// by endpoint.
func (r *rig) emit(t testing.TB, event, data string) map[capture.ID]capture.Attempt {
	t.Helper()
	changed := r.store.Watch(t.Context())
	e, _, err := r.registry.Emit(t.Context(), capture.DefaultApp, capture.Emission{Type: event, Data: json.RawMessage(data)})
	if err != nil {
		t.Fatal(err)
	}
	for {
		counts, err := r.store.Counts(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if counts.Pending == 0 {
			break
		}
		<-changed
	}
	all, err := r.store.Attempts(t.Context(), capture.AttemptQuery{Event: e.ID, Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	by := map[capture.ID]capture.Attempt{}
	for _, a := range all {
		if _, twice := by[a.Endpoint]; twice {
			t.Errorf("%s: more than one attempt at %s", event, a.URL)
		}
		by[a.Endpoint] = a
	}
	return by
}

// refusal is an error as ARK writes it.
func refusal(status int, message string) string {
	return fmt.Sprintf(`{"statusCode":%d,"error":%q,"message":%q}`, status, http.StatusText(status), message)
}
