package api_test

import (
	"encoding/json"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"code.hooktape.dev/hooktape/capture"
)

// FuzzPatch: no body makes the server fail, whatever it is a patch of, and
// every answer is as the document says.
func FuzzPatch(f *testing.F) {
	for _, s := range []string{
		"", "{}", "null", "[]", "1", `"x"`, "{", `{"a":`, `{"name":"x"}`, `{"name":5}`, `{"name":null,"answer":{"status":1e99}}`, `{"answer":{"headers":{"":"\n"}}}`,
		`{"url":"http://localhost","retry":{"waits_ms":[1,-1,null]},"rate_limit":{"max":-1}}`, `{"status":"enabled","status":5}`, `{"status":null,"disabled_reason":[]}`,
		`{"subscriptions":[{"type":"*","conditions":[{"key":"a","condition":"eq","value":1}],"filter_rules":{"a":{"$gt":1}}}]}`, `{"metadata":{"a":1e400}}`, `{"timeout_ms":1e400}`,
		`{"filter":"a (b"}`, "{\"description\":\"\xff\\ud800\"}", strings.Repeat(`{"answer":`, 50), `{"concurrency":1.5}`,
	} {
		f.Add(s)
	}
	o := owned(f)
	e, err := o.registry.CreateEndpoint(f.Context(), capture.DefaultApp, capture.EndpointSpec{URL: o.app.URL})
	if err != nil {
		f.Fatal(err)
	}
	w := watched(f, o.server.Handler())
	w.lenient = true // encoding/json takes members in any case
	f.Fuzz(func(t *testing.T, body string) {
		w.t = t
		for _, target := range []string{"/api/v1/apps/default", "/api/v1/endpoints/" + string(e.ID)} {
			want(t, w, "PATCH", target, body)
		}
	})
}

// FuzzEmission: no body makes the server fail, and what is kept of one is its
// data to the byte.
func FuzzEmission(f *testing.F) {
	for _, s := range []string{
		"", "{}", "null", "[]", `{"type":"a"}`, `{"event_type":"a","data":{ "b" : 1.0 }}`, `{"type":"a","data":null}`, `{"type":"a","event_type":"b"}`, `{"type":"a","type":"b"}`,
		`{"type":"a","metadata":{"a":1}}`, `{"type":"a","idempotency_key":"k"}`, `{"type":"a","idempotency_key":""}`, `{"type":"\u0000"}`, "{\"type\":\"\xff\"}", `{"type":"a"} {}`,
		`{"type":"a","data":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + `}`, `{"type":"a","Data":1}`, `{"TYPE":"a"}`, `{"type":"a","source":"\u202e"}`,
	} {
		f.Add(s)
	}
	o := owned(f)
	w := watched(f, o.server.Handler())
	w.lenient = true // encoding/json takes members in any case
	f.Fuzz(func(t *testing.T, body string) {
		w.t = t
		got := want(t, w, "POST", "/api/v1/apps/default/events", body)
		if got.ID == "" {
			return
		}
		kept, err := o.store.Body(t.Context(), got.ID)
		if err != nil || !json.Valid(kept) || string(kept) != "{}" && !strings.Contains(body, string(kept)) {
			t.Errorf("of %q is kept %q, %v", body, kept, err)
		}
	})
}

// want wants a success, or an error of the caller's.
func want(t *testing.T, w *witness, method, target, body string) (got struct{ ID capture.ID }) {
	res := ask(w, method, target, body)
	if res.Code >= 500 {
		t.Errorf("%s %s %q answered %d %s", method, target, body, res.Code, res.Body)
	}
	if err := json.Unmarshal(res.Body.Bytes(), &got); err != nil && res.Code < 300 {
		t.Errorf("%s %s %q answered %s: %v", method, target, body, res.Body, err)
	}
	return got
}

// FuzzBound: no path and no query lets who is bound to an app read another's.
func FuzzBound(f *testing.F) {
	const vault = "gold-in-the-vault"
	o := owned(f)
	secrets := event([]byte(vault), func(e *capture.Event) { e.App, e.Type = "bank", vault })
	sent := finished(secrets.Event, 200)
	sent.Attempts[0].App, sent.Attempts[0].URL = "bank", "http://"+vault
	keep(f, o.store, secrets, sent)
	for _, app := range []string{"bank", "shop"} {
		if _, err := o.registry.CreateApp(f.Context(), app, capture.AppSpec{Name: map[string]string{"bank": vault}[app]}); err != nil {
			f.Fatal(err)
		}
	}
	e, err := o.registry.CreateEndpoint(f.Context(), "bank", capture.EndpointSpec{URL: "http://" + vault})
	if err != nil {
		f.Fatal(err)
	}
	_, token, err := o.registry.CreateToken(f.Context(), capture.TokenSpec{Name: "x", Scope: capture.ScopeRead, App: "shop"})
	if err != nil {
		f.Fatal(err)
	}
	for _, s := range []string{
		"/api/v1/events?app=shop&app=bank", "/api/v1/events?filter=app:bank&scan=1", "/api/v1/apps/bank", "/api/v1/apps/shop/../bank", "/api/v1/apps/shop%2f..%2fbank/events",
		"/api/v1/events/" + string(secrets.Event.ID) + "/body", "/api/v1/events/" + strings.ToLower(string(secrets.Event.ID)) + "?app=bank", "/api/v1/events/" + string(secrets.Event.ID) + "/endpoints",
		"/api/v1/attempts/" + string(sent.Attempts[0].ID), "/api/v1/attempts?event=" + string(secrets.Event.ID) + ";app=bank", "/api/v1/attempts?order=due&%61pp=bank",
		"/api/v1/endpoints/" + string(e.ID) + "?app=shop", "/api/v1/stats?endpoint=" + string(e.ID), "/api/v1/timeseries?app=", "/api/v1/tokens?app=%zz", "/metrics", "/api/v1/status?app=bank",
	} {
		f.Add(s)
	}
	h := o.server.Guard(o.server.Handler())
	f.Fuzz(func(t *testing.T, target string) {
		u, err := url.ParseRequestURI(target)
		if err != nil || strings.Contains(target, vault) {
			return
		}
		r := httptest.NewRequest("GET", "http://localhost/", nil)
		r.Header.Set("Authorization", "Bearer "+token)
		r.URL, r.RequestURI = u, target
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code >= 500 || strings.Contains(w.Body.String(), vault) {
			t.Errorf("%s answered %d %s", target, w.Code, w.Body)
		}
	})
}
