package api_test

import (
	"encoding/json"
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
