package blocklet_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/relay"
	"code.hooktape.dev/hooktape/relay/answer"
	"code.hooktape.dev/hooktape/relay/api"
	"code.hooktape.dev/hooktape/relay/api/blocklet"
	"code.hooktape.dev/hooktape/relay/dispatch"
	"code.hooktape.dev/hooktape/store"
)

// patience is how long a test waits for what must happen.
const patience = 10 * time.Second

// rig is all that is behind the dialect, as package main joins it, the dialect
// behind the guard on a socket, and a receiver whose answers are the test's.
type rig struct {
	t        testing.TB
	store    *store.Store
	registry *relay.Registry
	url      string
	token    string // sent with every question

	receiver *httptest.Server
	mu       sync.Mutex // guards the two below
	status   int        // of what is answered; 0: 200
	body     string
	got      chan string // bodies it was sent
}

func newRig(t testing.TB, o blocklet.Options) *rig {
	t.Helper()
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	s, err := store.Open("", store.Options{Memory: true, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t, store: s, got: make(chan string, 1000)}
	r.receiver = httptest.NewServer(http.HandlerFunc(r.receive))
	d := &dispatch.Dispatcher{Store: s, History: s, Log: log}
	guard := &answer.Guard{Loopback: true}
	r.registry, err = relay.NewRegistry(t.Context(), s, relay.Hooks{
		Plan: d.Plan, Resend: d.Resend, Changed: d.Put, Target: d.Target,
		Check: func(e capture.EndpointSpec) error { return guard.URL(e.URL) },
	})
	if err != nil {
		t.Fatal(err)
	}
	d.Delivers, d.Disable = r.registry.Delivers, r.registry.Disable
	d.Open = func(e capture.Endpoint) (dispatch.Sender, error) {
		return &answer.Delivery{Endpoint: e, Guard: guard, AppKeys: func() []string { return r.registry.Keys(e.App) }}, nil
	}
	server := &api.Server{Source: s, Registry: r.registry, Resend: d.Resend}
	server.Dialects = []api.Dialect{blocklet.New(server.Engine, o)}
	front := httptest.NewServer(server.Guard(server.Handler()))
	r.url = front.URL
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { d.Run(ctx) })
	t.Cleanup(func() {
		front.Close()
		cancel()
		wg.Wait()
		r.receiver.Close()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

func (r *rig) receive(w http.ResponseWriter, req *http.Request) {
	body, _ := io.ReadAll(req.Body)
	r.mu.Lock()
	status, text := max(r.status, 200), r.body
	r.mu.Unlock()
	w.WriteHeader(status)
	io.WriteString(w, text)
	r.got <- string(body)
}

// answers has the receiver answer so from now on.
func (r *rig) answers(status int, body string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.status, r.body = status, body
}

// next is the body of the next delivery.
func (r *rig) next() string {
	r.t.Helper()
	select {
	case body := <-r.got:
		return body
	case <-time.After(patience):
		r.t.Fatal("nothing was delivered")
	}
	return ""
}

// do makes a request and returns the status and the JSON that came.
func (r *rig) do(method, path string, body []byte) (int, any) {
	r.t.Helper()
	req, err := http.NewRequestWithContext(r.t.Context(), method, r.url+path, bytes.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	if r.token != "" {
		req.Header.Set("Authorization", "Bearer "+r.token)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	var out any
	if json.Unmarshal(raw, &out) != nil {
		r.t.Fatalf("%s %s: %d %q, want JSON", method, path, res.StatusCode, raw)
	}
	return res.StatusCode, out
}

// post asks a query, with variables.
func (r *rig) post(query string, variables map[string]any) (int, any) {
	r.t.Helper()
	body, err := json.Marshal(map[string]any{"query": query, "variables": variables})
	if err != nil {
		r.t.Fatal(err)
	}
	return r.do("POST", "/api/gql", body)
}

// ask wants an answer without errors, and returns what is in it at the path.
func (r *rig) ask(query string, path ...any) any {
	r.t.Helper()
	status, out := r.post(query, nil)
	if status != 200 || at(out, "errors") != nil {
		r.t.Fatalf("%s\n%d %v", query, status, out)
	}
	return at(out, append([]any{"data"}, path...)...)
}

// refused wants an error within a 200, and returns its message.
func (r *rig) refused(query string) string {
	r.t.Helper()
	status, out := r.post(query, nil)
	message, _ := at(out, "errors", 0, "message").(string)
	if status != 200 || message == "" {
		r.t.Errorf("%s\n%d %v, want an error within a 200", query, status, out)
	}
	return message
}

// at is a value within others, nil where there is none.
func at(v any, path ...any) any {
	for _, step := range path {
		switch step := step.(type) {
		case string:
			object, _ := v.(map[string]any)
			v = object[step]
		case int:
			list, _ := v.([]any)
			if step >= len(list) {
				return nil
			}
			v = list[step]
		}
	}
	return v
}

// same wants JSON that says what is wanted.
func same(t testing.TB, what string, got, want any) {
	t.Helper()
	var as any
	b, err := json.Marshal(want)
	if err != nil || json.Unmarshal(b, &as) != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, as) {
		t.Errorf("%s: got %v, want %v", what, got, as)
	}
}

// create registers an endpoint of the team T for events a of source s, with
// more of its input.
func (r *rig) create(path, more string) string {
	r.t.Helper()
	q := fmt.Sprintf(`mutation{createWebhookEndpoint(input: {teamDid: "T", input: {url: "%s%s", enabledEvents: [{type: "a", source: "s"}] %s}}){data{id}}}`, r.receiver.URL, path, more)
	return r.ask(q, "createWebhookEndpoint", "data", "id").(string)
}

// get is the endpoint as it is now.
func (r *rig) get(id string) any {
	r.t.Helper()
	return r.ask(fmt.Sprintf(`{getWebhookEndpoint(input: {teamDid: "T", id: %q}){data{%s}}}`, id, wholeEndpoint), "getWebhookEndpoint", "data")
}

const (
	wholeEndpoint = `apiVersion createdAt description id metadata secret status updatedAt url enabledEvents{source type}`
	wholeAttempt  = `createdAt eventId id responseBody responseStatus retryCount status triggeredBy triggeredFrom updatedAt webhookId`
	wholeEvent    = `apiVersion createdAt data id metadata objectId objectType pendingWebhooks request source type updatedAt`
)

// emit makes an event of the team T.
func (r *rig) emit(kind, source, data string) capture.Event {
	r.t.Helper()
	e, _, err := r.registry.Emit(r.t.Context(), "t", capture.Emission{Type: kind, Source: source, Data: json.RawMessage(data)})
	if err != nil {
		r.t.Fatal(err)
	}
	return e
}

// attempts asks for a page of them.
func (r *rig) attempts(args string) any {
	r.t.Helper()
	q := fmt.Sprintf(`{getWebhookAttempts(input: {teamDid: "T" %s}){list{%s endpoint{%s} event{%s}} paging{page pageCount pageSize total}}}`, args, wholeAttempt, wholeEndpoint, wholeEvent)
	return r.ask(q, "getWebhookAttempts")
}

// until asks for a page of attempts until its first has the status.
func (r *rig) until(args, status string) any {
	r.t.Helper()
	for end := time.Now().Add(patience); ; {
		page := r.attempts(args)
		if at(page, "list", 0, "status") == status {
			return page
		}
		if time.Now().After(end) {
			r.t.Fatalf("the newest attempt is not %s: %v", status, page)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func contains(t testing.TB, got, want string) {
	t.Helper()
	if !strings.Contains(got, want) {
		t.Errorf("got %q, want %q in it", got, want)
	}
}
