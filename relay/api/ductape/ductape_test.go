package ductape_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/relay"
	"code.hooktape.dev/hooktape/relay/api"
	"code.hooktape.dev/hooktape/relay/api/ductape"
	"code.hooktape.dev/hooktape/store"
)

// side is a management address that speaks Ductape's, over a store of its own.
type side struct {
	t        testing.TB
	url      string
	registry *relay.Registry
	server   *api.Server
	token    string
}

func open(t testing.TB, o ductape.Options) *side {
	t.Helper()
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	s, err := store.Open("", store.Options{Memory: true, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	r, err := relay.NewRegistry(t.Context(), s, relay.Hooks{Plan: func(*capture.Event, []byte) []*capture.Attempt { return nil },
		Changed: func(capture.Endpoint) {}, Check: func(capture.EndpointSpec) error { return nil }})
	if err != nil {
		t.Fatal(err)
	}
	server := &api.Server{Source: s, Registry: r, Ready: capture.Ready{Ingest: "http://ingest"}}
	server.Dialects = []api.Dialect{ductape.New(server.Engine, o)}
	srv := httptest.NewServer(server.Guard(server.Handler()))
	t.Cleanup(srv.Close)
	return &side{t, srv.URL, r, server, ""}
}

// said is an answer.
type said struct {
	Status  bool            `json:"status"`
	Data    json.RawMessage `json:"data"`
	Message string          `json:"message"`
	Code    string          `json:"code"`
	http    int
}

// ask makes a request. Whatever it is, it must be answered in Ductape's form, and
// never with what says that the fault is here.
func (s *side) ask(method, path, body string, headers ...string) said {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	if s.token != "" {
		req.Header.Set("Authorization", "Bearer "+s.token)
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	got := said{http: res.StatusCode}
	if err := json.Unmarshal(text, &got); err != nil || res.Header.Get("Content-Type") != "application/json" ||
		res.StatusCode >= 500 || got.Status != (res.StatusCode < 300) || !got.Status && (got.Message == "" || got.Code == "") {
		s.t.Errorf("%s %s %.200s: answered %d %s", method, path, body, res.StatusCode, text)
	}
	return got
}

// want asks, and wants that status and words in the answer.
func (s *side) want(method, path, body string, status int, words ...string) said {
	s.t.Helper()
	got := s.ask(method, path, body)
	for _, w := range words {
		if !strings.Contains(string(got.Data)+got.Message+" ("+got.Code+")", w) {
			s.t.Errorf("%s %s %.200s: got %s%s, want %q in it", method, path, body, got.Data, got.Message, w)
		}
	}
	if got.http != status {
		s.t.Errorf("%s %s %.200s: got %d %s, want %d", method, path, body, got.http, got.Message, status)
	}
	return got
}

const (
	webhooks = "/ductape/v1/webhooks"
	events   = "/ductape/v1/events"
)

func TestEventTag(t *testing.T) {
	for _, tt := range []struct{ parent, tag, want string }{
		{"", "new-webhook:new-event", "new-webhook:new-event"},
		{"", "0_a:1-b", "0_a:1-b"},
		{"orders", "paid", "orders:paid"},
		{"orders", "orders:paid", "orders:paid"},
		{"orders", "others:paid", ""},
		{"", "paid", ""},
		{"", "a:b:c", ""},
		{"orders", "paid:now", ""},
		{"", ":b", ""},
		{"", "a:", ""},
		{"", "A:b", ""},
		{"", "a:b c", ""},
		{"", "a:-b", ""},
		{"", "_a:b", ""},
		{"", "a:b.c", ""},
		{"", "ä:b", ""},
		{"", "ik_x:b", ""},
		{"", strings.Repeat("a", 64) + ":b", ""},
	} {
		if got, err := ductape.EventTag(tt.parent, tt.tag); got != tt.want || (err == nil) != (tt.want != "") {
			t.Errorf("%q of %q: got %q, %v, want %q", tt.tag, tt.parent, got, err, tt.want)
		}
	}
}

// The event of the document's example makes its webhook, which is an app that
// checks as it is set to.
func TestEventsMakeTheirWebhook(t *testing.T) {
	s := open(t, ductape.Options{Mode: ductape.Strict})
	s.want("POST", events, `{"name":"New Event","tag":"new-webhook:new-event","description":"d","sample":{"headers":{},"query":{},"body":{"event":"x"},"params":{}}}`,
		http.StatusCreated, `"tag":"new-webhook:new-event"`, `"sample":{"headers":{},"query":{},"body":{"event":"x"},"params":{}}`, `"type":"string"`)
	a, err := s.registry.App(t.Context(), "new-webhook")
	if err != nil || a.Check != capture.CheckStrict {
		t.Errorf("the webhook is %+v, %v", a.AppSpec, err)
	}
	s.want("GET", webhooks+"/new-webhook", "", http.StatusOK, `"mode":"strict"`, `"envs":[]`)
	// An app of somebody's own stays as it was.
	if _, err := s.registry.CreateApp(t.Context(), "own", capture.AppSpec{Name: "Own"}); err != nil {
		t.Fatal(err)
	}
	s.want("POST", webhooks+"/own/events", `{"name":"e","tag":"e","description":"d","sample":{}}`, http.StatusCreated, `"_id":"own:e"`)
	s.want("GET", webhooks+"/own", "", http.StatusOK, `"mode":"off"`, `"name":"Own"`)
	// One that nobody has made yet becomes a webhook.
	s.want("POST", events, `{"name":"e","tag":"default:e","description":"d","sample":{}}`, http.StatusCreated)
	s.want("GET", webhooks+"/default", "", http.StatusOK, `"mode":"strict"`)
	// What cannot be made makes none.
	s.want("POST", events, `{"name":"e","tag":"none:e","description":"d","sample":{},"selector":"$Event{"}`, http.StatusUnprocessableEntity, "selector")
	s.want("GET", webhooks+"/none", "", http.StatusNotFound)
}

// What is wrong is said in the dialect's form, and never an error of ours.
func TestFailures(t *testing.T) {
	s := open(t, ductape.Options{})
	for _, tt := range []struct {
		method, path, body string
		status             int
		words              string
	}{
		{"GET", "/ductape/v1/nothing", "", 404, "(not_found)"},
		{"GET", "/ductape/v1/", "", 404, "(not_found)"},
		{"GET", events, "", 405, "want POST"},
		{"POST", webhooks + "/x", "", 405, "want DELETE, GET, PATCH, PUT"},
		{"GET", "/proxy/v1/sdk-proxy/execute", "", 405, "want POST"},
		{"POST", webhooks, "", 400, "want a JSON object"},
		{"POST", webhooks, "[]", 400, "want a JSON object"},
		{"POST", webhooks, "{", 400, "(bad_request)"},
		{"POST", webhooks, `{"name":5}`, 422, "name: number"},
		{"POST", webhooks, `{"tag":"x"}`, 422, "name: it is required"},
		{"POST", webhooks, `{"tag":"x","name":"x","description":"d","envs":[5]}`, 422, "envs[0]: want an object"},
		{"POST", webhooks, `{"tag":"x","name":"x","description":"d","envs":[{"slug":"A"}]}`, 422, "envs[0].slug"},
		{"POST", webhooks, `{"tag":"x","name":"x","description":"d","envs":[{"slug":"a"}],"mode":"loose"}`, 422, "mode"},
		{"POST", webhooks, `{"tag":"x","name":"x","description":"d","envs":[{"slug":"a"}],"events":[{"tag":"y:a"}]}`, 422, "events[0].tag"},
		{"POST", webhooks, `{"tag":"x","name":"x","description":"d","envs":[{"slug":"a"}],"events":[{"tag":"a","name":"n","description":"d","sample":{}},{"tag":"x:a"}]}`, 422, "events[1].tag"},
		{"POST", webhooks, `{"tag":"x","name":"x","description":"d","envs":[{"slug":"a"}],"events":[{"tag":"a","name":"n","sample":{}}]}`, 422, "events[0].description"},
		{"POST", webhooks + "/import", `{"version":"2.0"}`, 422, "version"},
		{"POST", webhooks + "/import", `{"version":"1.0","webhooks":[]}`, 422, "webhooks"},
		{"POST", webhooks + "/import", `{"version":"1.0","webhooks":[{"tag":"a","name":"a","envs":[{"slug":"a"}]},{"tag":"a","name":"a","envs":[{"slug":"a"}]}]}`, 422, "webhooks[1].tag"},
		{"POST", webhooks + "/import", `{"version":"1.0","webhooks":[{"tag":"a","name":"a","envs":[]}]}`, 422, "webhooks[0].envs"},
		{"PUT", webhooks + "/nowhere", `{}`, 404, "no webhook"},
		{"PUT", webhooks + "/default", `{"tag":"other"}`, 422, "never changes"},
		{"PATCH", webhooks + "/default", `{"mode":""}`, 422, "mode"},
		{"DELETE", webhooks + "/nowhere", "", 404, "no webhook"},
		{"GET", webhooks + "/a:b", "", 422, "no colon"},
		{"GET", events + "/paid", "", 422, "want the webhook's tag"},
		{"GET", events + "/github:push", "", 404, "no event"},
		{"DELETE", events + "/github:push", "", 404, "no event"},
		{"PUT", events + "/orders:paid", `{}`, 404, "no event"},
		{"POST", events, `{"tag":"a:b","name":"n","description":"d","sample":{"body":{},"query":[]}}`, 422, "sample.query: want an object"},
		{"POST", "/ductape/v1/products/p/webhooks/generate-link", `{}`, 422, "webhook_tag"},
		{"POST", "/ductape/v1/products/p/webhooks/generate-link", `{"webhook_tag":"nowhere"}`, 404, "no webhook"},
		{"POST", events, `{"name":"` + strings.Repeat("x", 4<<20) + `"}`, 413, "(too_large)"},
		{"POST", events, `{"tag":"a:b","name":"n","description":"d","sample":{"x":"` + strings.Repeat("x", 1<<20) + `"}}`, 422, "sample.body"},
	} {
		s.want(tt.method, tt.path, tt.body, tt.status, tt.words)
	}
}

// A sample is the same on the way out as on the way in, and an update replaces
// it whole.
func TestSamples(t *testing.T) {
	s := open(t, ductape.Options{})
	s.want("POST", webhooks, `{"name":"w","tag":"w","description":"d","envs":[{"slug":"prd","sample":{"body":null,"x":[null,"{{url}}"]}}],"active":false}`,
		201, `"envs":[{"slug":"prd","sample":{"body":null,"x":[null,"{{url}}"]}}]`, `"active":false`)
	const whole = `{"headers":{"A":"{{a}}","B":"b"},"query":{"p":"1","q":[1]},"body":{"z":1,"a":null,"t":"{{t}} {{{"},"params":{"id":5}}`
	s.want("POST", events, `{"name":"e","tag":"w:e","description":"d","sample":`+whole+`}`, 201, `"sample":`+whole)
	s.want("GET", events+"/w:e", "", 200, `"sample":`+whole)
	s.want("PUT", events+"/w:e", `{"sample":{"body":{"b":[]},"headers":{"B":"c"},"query":{"p":2}}}`, 200, `"sample":{"headers":{"B":"c"},"query":{"p":2},"body":{"b":[]},"params":{}}`)
	s.want("PATCH", events+"/w:e", `{"name":"f","tag":"e","selector":"x","selectorValue":"y"}`, 200, `"name":"f"`, `"selector":"x","selectorValue":"y"`, `"body":{"b":[]}`)
	s.want("PUT", events+"/w:e", `{"selector":"","selectorValue":null,"_id":"anything"}`, 200, `"tag":"w:e"`)
	if got := s.ask("GET", events+"/w:e", ""); strings.Contains(string(got.Data), "selector") {
		t.Errorf("the selector stays: %s", got.Data)
	}
	s.want("PUT", events+"/w:e", `{"sample":{"body":null}}`, 200, `"sample":{"headers":{},"query":{},"body":null,"params":{}}`, `"sample_data":[]`)
	s.want("GET", webhooks, "", 200, `[{"_id":"w"`, `"tag":"w:e"`)
	s.want("DELETE", webhooks+"/w", "", 200, `{"tag":"w"}`)
	s.want("GET", webhooks+"/w/events", "", 404)
}

// Of a webhook that is an app of another's making, metadata stays what it is.
func TestEnvsAreKeptBesideOthers(t *testing.T) {
	s := open(t, ductape.Options{})
	if _, err := s.registry.CreateApp(t.Context(), "own", capture.AppSpec{Metadata: json.RawMessage(`{"team":"a","ductape":7}`)}); err != nil {
		t.Fatal(err)
	}
	s.want("GET", webhooks+"/own", "", 200, `"envs":[]`)
	s.want("PUT", webhooks+"/own", `{"envs":[{"slug":"prd"}]}`, 200, `"envs":[{"slug":"prd"}]`)
	a, err := s.registry.App(t.Context(), "own")
	if want := `{"ductape":{"envs":[{"slug":"prd"}]},"team":"a"}`; err != nil || string(a.Metadata) != want {
		t.Errorf("metadata is %s, %v, want %s", a.Metadata, err, want)
	}
}

// encrypted is a call as the newer tools make it.
func encrypted(t testing.TB, key, text string) string {
	t.Helper()
	digest := sha256.Sum256([]byte(key))
	block, err := aes.NewCipher(digest[:])
	if err != nil {
		t.Fatal(err)
	}
	pad := aes.BlockSize - len(text)%aes.BlockSize
	out := append([]byte(text), bytes.Repeat([]byte{byte(pad)}, pad)...)
	iv := make([]byte, aes.BlockSize)
	cipher.NewCBCEncrypter(block, iv).CryptBlocks(out, out)
	return hex.EncodeToString(iv) + ":" + base64.StdEncoding.EncodeToString(out)
}

func TestDecrypt(t *testing.T) {
	// Made by Ductape's own code.
	const made = "000102030405060708090a0b0c0d0e0f:xaKUyNPDoAkp97nlbpKZV7NZilxjZsrnbL9bRvJA+Kybmwo2LdTNUOsQCuVz6D++YgY7Me7Um04FQAqFYm5yUe4fY+WVHcDxXCzhuuMW+4hCCHxZwIz/Ix2Od4h4i5ic"
	got, err := ductape.Decrypt(made, "test-public")
	if want := `{"module":"webhooks","method":"events.list","params":["demo","orders"],"user_id":"u1"}`; err != nil || string(got) != want {
		t.Errorf("got %s, %v, want %s", got, err, want)
	}
	for _, payload := range []string{"", ":", "00:00", made[:32], made[:33], "zz" + made[2:], made + "!", made[:33] + "AAAA", made[2:]} {
		if got, err := ductape.Decrypt(payload, "test-public"); err == nil {
			t.Errorf("%s: got %q", payload, got)
		}
	}
	if got, err := ductape.Decrypt(made, "another"); err == nil && json.Valid(got) {
		t.Errorf("with another key it is %s", got)
	}
}

func FuzzDecrypt(f *testing.F) {
	f.Add("000102030405060708090a0b0c0d0e0f:xaKUyNPDoAkp97nlbpKZVw==", "key")
	f.Fuzz(func(t *testing.T, payload, key string) {
		if got, err := ductape.Decrypt(payload, key); err == nil && len(got) > len(payload) {
			t.Errorf("%q is %d bytes of %d", payload, len(got), len(payload))
		}
	})
}

func TestExecute(t *testing.T) {
	s := open(t, ductape.Options{})
	_, secret, err := s.registry.CreateToken(t.Context(), capture.TokenSpec{Name: "x", Scope: capture.ScopeManage})
	if err != nil {
		t.Fatal(err)
	}
	const at = "/proxy/v1/sdk-proxy/execute"
	run := func(order string, headers ...string) said {
		body := fmt.Sprintf(`{"encrypted_payload":%q,"workspace_id":"w","user_id":"u","public_key":"k"}`, encrypted(t, "k", order))
		return s.ask("POST", at, body, append(headers, "X-Access-Token", secret)...)
	}
	if got := s.ask("POST", at, "{}"); got.http != 401 {
		t.Errorf("without a token: %d", got.http)
	}
	got := run(`{"module":"webhooks","method":"events.create","params":["w:app",{"name":"n","tag":"a:b","description":"d","sample":{"headers":{"x":"y"},"body":{"p":1}}}]}`)
	if !got.Status || !strings.Contains(string(got.Data), `"sample":{"headers":{"x":"y"},`) {
		t.Errorf("made: %s %s", got.Data, got.Message)
	}
	got = run(`{"module":"webhooks","method":"events.update","params":["w:app","a:b",{"sample":{"body":{"p":1}}}]}`)
	if !strings.Contains(string(got.Data), `"sample":{"p":1}`) || !strings.Contains(string(got.Data), `"request_id":"req_`) {
		t.Errorf("changed: %s %s", got.Data, got.Message)
	}
	for order, status := range map[string]int{
		`{"module":"webhooks","method":"events.list","params":["w:app","a"]}`:     200,
		`{"module":"webhooks","method":"events.list","params":["w:app"]}`:         400,
		`{"module":"webhooks","method":"events.list","params":["w:app",5]}`:       400,
		`{"module":"webhooks","method":"events.create","params":["w:app"]}`:       400,
		`{"module":"webhooks","method":"events.create","params":["w:app",5]}`:     400,
		`{"module":"webhooks","method":"events.update","params":["w:app","a:b"]}`: 400,
		`{"module":"webhooks","method":"trigger","params":[]}`:                    404,
		`{"module":"product","method":"list","params":[]}`:                        404,
		`{"module":"webhooks","method":5}`:                                        422,
		`[]`:                                                                      400,
		`no JSON`:                                                                 400,
	} {
		if got := run(order); got.http != status {
			t.Errorf("%s: got %d %s, want %d", order, got.http, got.Message, status)
		}
	}
	var z bytes.Buffer
	w := gzip.NewWriter(&z)
	fmt.Fprintf(w, `{"encrypted_payload":%q,"public_key":"k"}`, encrypted(t, "k", `{"module":"webhooks","method":"list"}`))
	w.Close()
	if got := s.ask("POST", at, z.String(), "Content-Encoding", "gzip", "X-Access-Token", secret); got.http != 200 {
		t.Errorf("compressed: %d %s", got.http, got.Message)
	}
	if got := run(`{}`, "Content-Encoding", "gzip"); got.http != 400 {
		t.Errorf("said to be compressed, and not: %d", got.http)
	}
	z.Reset()
	w = gzip.NewWriter(&z)
	w.Write(bytes.Repeat([]byte(" "), 16<<20))
	w.Close()
	if got := s.ask("POST", at, z.String(), "Content-Encoding", "gzip", "X-Access-Token", secret); got.http != 413 {
		t.Errorf("16 MiB in %d bytes: %d", z.Len(), got.http)
	}
}

// A token that is bound to an app sees a webhook, and makes no other.
func TestBound(t *testing.T) {
	s := open(t, ductape.Options{})
	for _, tag := range []string{"shop:paid", "bank:paid"} {
		s.want("POST", events, fmt.Sprintf(`{"name":"n","tag":%q,"description":"d","sample":{}}`, tag), 201)
	}
	_, secret, err := s.registry.CreateToken(t.Context(), capture.TokenSpec{Name: "x", Scope: capture.ScopeManage, App: "shop"})
	if err != nil {
		t.Fatal(err)
	}
	if got := s.ask("GET", webhooks, ""); got.http != 401 || got.Code != "unauthorized" {
		t.Errorf("without a token: %d %s", got.http, got.Code)
	}
	s.token = secret
	for _, tt := range []struct {
		method, path, body string
		status             int
	}{
		{"GET", webhooks + "/shop/events", "", 200},
		{"GET", webhooks + "/bank", "", 404},
		{"GET", webhooks + "/bank/events", "", 404},
		{"GET", events + "/bank:paid", "", 404},
		{"PUT", events + "/bank:paid", `{"name":"x"}`, 404},
		{"DELETE", events + "/bank:paid", "", 404},
		{"DELETE", webhooks + "/bank", "", 404},
		{"POST", events, `{"name":"n","tag":"bank:more","description":"d","sample":{}}`, 404},
		{"POST", webhooks, `{"name":"n","tag":"more","description":"d","envs":[{"slug":"a"}]}`, 403},
		{"POST", "/ductape/v1/products/p/webhooks/generate-link", `{"webhook_tag":"bank"}`, 404},
		{"POST", "/ductape/v1/products/p/webhooks/generate-link", `{"event":"shop:paid"}`, 200},
		{"DELETE", webhooks + "/shop", "", 200},
	} {
		s.want(tt.method, tt.path, tt.body, tt.status)
	}
}

func TestLinks(t *testing.T) {
	s := open(t, ductape.Options{})
	s.want("POST", events, `{"name":"n","tag":"shop:paid","description":"d","sample":{}}`, 201)
	const at = "/ductape/v1/products/p/webhooks/generate-link"
	s.want("POST", at, `{"webhook_tag":"shop"}`, 200, `{"link":"http://ingest/in/shop"}`)
	s.want("POST", at, `{"app":"a","event":"shop:paid","env":"prd"}`, 200, `{"link":"http://ingest/in/shop"}`)
	s.want("POST", at, `{"webhook_tag":"default"}`, 200, `{"link":"http://ingest"}`)
	s.server.Ready.Ingest = ""
	s.want("POST", at, `{"webhook_tag":"shop"}`, 409, "no webhooks are taken here")
	s.server.Ingest = func(_ context.Context, app string) (string, error) { return "https://relay/in/ik_" + app, nil }
	s.want("POST", at, `{"webhook_tag":"shop"}`, 200, `{"link":"https://relay/in/ik_shop"}`)
}

// What a product registers is an endpoint like any other, and others' endpoints
// are none of its.
func TestProducts(t *testing.T) {
	s := open(t, ductape.Options{})
	s.want("POST", events, `{"name":"n","tag":"shop:paid","description":"d","sample":{}}`, 201)
	if _, err := s.registry.CreateEndpoint(t.Context(), "shop", capture.EndpointSpec{URL: "https://example.com/own", Metadata: json.RawMessage(`{"ductape":5}`)}); err != nil {
		t.Fatal(err)
	}
	const at = "/ductape/v1/products/p/webhooks"
	s.want("GET", at, "", 200, "[]")
	s.want("POST", at, `{"access_tag":"p:a","webhook_tag":"shop","envs":[{"url":"https://example.com/a"}]}`, 422, "env: it is required")
	s.want("POST", at, `{"access_tag":"p:a","webhook_tag":"shop","envs":[{"slug":"prd","url":"https://example.com/a","method":"POST"},{"slug":"dev","url":"https://example.com/b"}]}`, 200, `"productEnv":"dev"`)
	s.want("POST", at+"/generate-link", `{"access_tag":"p:a","webhook_tag":"shop","product_env":"dev","url":"https://example.com/c"}`, 200, "link")
	got := s.want("GET", at+"?access_tag=p:a", "", 200, `"tag":"shop"`, `"url":"https://example.com/c"`)
	if strings.Contains(string(got.Data), "/b") || strings.Contains(string(got.Data), "/own") {
		t.Errorf("registered are %s", got.Data)
	}
	s.want("GET", at+"?access_tag=p:b", "", 200, "[]")
	s.want("GET", "/ductape/v1/products/q/webhooks", "", 200, "[]")
	rows, err := s.registry.Endpoints(t.Context(), capture.EndpointQuery{App: "shop"})
	if err != nil || len(rows) != 3 {
		t.Errorf("the app has %d endpoints, %v, want 3", len(rows), err)
	}
}

func TestModuleIsServed(t *testing.T) {
	s := open(t, ductape.Options{})
	res, err := http.Get(s.url + "/ductape/v1/ductape.mjs")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil || !strings.Contains(string(text), "export default class Ductape") || !strings.HasPrefix(res.Header.Get("Content-Type"), "text/javascript") {
		t.Errorf("got %s %s, %v", res.Header.Get("Content-Type"), text, err)
	}
}
