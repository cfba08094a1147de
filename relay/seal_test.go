package relay_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"strings"
	"testing"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/seal"
	"code.hooktape.dev/hooktape/relay"
	"code.hooktape.dev/hooktape/store"
)

// sealed is an Ingest over s as a relay has it, with an app "shop" whose
// webhooks are sealed to keys. Nobody but the store may be shown one.
func sealed(t *testing.T, s *store.Store) (in *relay.Ingest, r *relay.Registry, keys seal.Keys) {
	t.Helper()
	file, err := seal.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	if keys, err = seal.ReadKeys(bytes.NewReader(file)); err != nil {
		t.Fatal(err)
	}
	if r, err = relay.NewRegistry(t.Context(), s, relay.Hooks{Check: func(capture.EndpointSpec) error { return nil }, Changed: func(capture.Endpoint) {}}); err != nil {
		t.Fatal(err)
	}
	if _, err := r.CreateApp(t.Context(), "shop", capture.AppSpec{SealTo: keys.Recipients(), Answer: capture.Answer{Status: 200, Body: "null"}}); err != nil {
		t.Fatal(err)
	}
	return &relay.Ingest{
		Keep: s.Keep, SealTo: r.SealTo, MaxBody: 1000, Log: logs(t),
		Route: func(name string) (string, capture.Answer, bool) {
			app, answer, ok := r.Route(name)
			answer.Mode = capture.AnswerSync
			return app, answer, ok
		},
		Plan:  func(e *capture.Event, _ []byte) []*capture.Attempt { t.Errorf("planned %s", e.ID); return nil },
		Claim: func(e *capture.Event, _ []byte) capture.ID { t.Errorf("claimed %s", e.ID); return "" },
		Challenge: func(e *capture.Event, _ []byte) (a capture.Answer, _ string, _ bool) {
			t.Errorf("challenged by %s", e.ID)
			return a, "", false
		},
		Sync: func(_ context.Context, c *capture.Change) (*capture.Response, error) {
			t.Errorf("%s was sent on", c.Event.ID)
			return nil, nil
		},
	}, r, keys
}

// A relay keeps what it cannot read, whatever comes, and says nothing of it;
// whoever has the key reads what came.
func TestSealed(t *testing.T) {
	s := memory(t)
	in, _, keys := sealed(t, s)
	var log bytes.Buffer
	in.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	kept := make(chan *capture.Event, 4)
	in.Keep = func(ctx context.Context, cs ...*capture.Change) error {
		err := s.Keep(ctx, cs...)
		kept <- cs[0].Event
		return err
	}
	addr := serve(t, in)
	const body = `{"challenge":"canary","action":"canary"}`
	whole := send(t, addr, message(body, "POST /in/shop/canary?canary HTTP/1.1", "Host: x", "X-GitHub-Event: canary", "x-Canary: 1", length(body)))
	if whole.status != 200 || whole.body != "null" {
		t.Errorf("answered %d %s", whole.status, whole.body)
	}
	for want, raw := range map[int]string{
		413: message("", "POST /in/shop/canary HTTP/1.1", "Host: x", "X-Canary: canary", "Content-Length: 1001"),
		431: message("", "POST /in/shop/canary HTTP/1.1", "Host: x", "X-Canary: "+strings.Repeat("canary", 20_000), "Content-Length: 0"),
	} {
		if res := send(t, addr, raw); res.status != want {
			t.Errorf("answered %d %s, want %d", res.status, res.body, want)
		}
	}
	// This one net/http answers by itself, before there is a stub.
	if _, err := io.WriteString(dial(t, addr), message("", "POST /in/shop/canary HTTP/1.1", "Host: x", "X-Canary: canary\x01")); err != nil {
		t.Fatal(err)
	}
	for range 4 {
		<-kept
	}

	page, err := s.Events(t.Context(), capture.Query{Ascending: true, Limit: 10})
	if err != nil || len(page.Rows) != 4 {
		t.Fatalf("%d events, %v, want 4", len(page.Rows), err)
	}
	for i, row := range page.Rows {
		body, err := s.Body(t.Context(), row.ID)
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(row)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(bytes.ToLower(append(text, body...)), []byte("canary")) || row.Remote != "" || row.Provider != "" || !row.Sealed || (row.Refused == nil) != (i == 0) {
			t.Errorf("kept %s", text)
		}
	}
	if strings.Contains(strings.ToLower(log.String()), "canary") {
		t.Errorf("logged %s", log.String())
	}

	first := page.Rows[0]
	ciphertext, err := s.Body(t.Context(), first.ID)
	if err != nil {
		t.Fatal(err)
	}
	e, plain, err := seal.Open(&first.Event, ciphertext, keys)
	if err != nil || string(plain) != body || e.Target != "/canary?canary" || e.Headers[2] != (capture.Header{"x-Canary", "1"}) || e.Remote == "" {
		t.Errorf("opened %+v %q, %v", e, plain, err)
	}
}

// An app is sealed from when it says so until it says so no more, and others
// are not.
func TestSealingBeginsAndEnds(t *testing.T) {
	s := memory(t)
	in, r, keys := sealed(t, s)
	in.Plan, in.Claim, in.Challenge, in.Sync = nil, nil, nil, nil
	addr := serve(t, in)
	is := func(target string, want bool) {
		t.Helper()
		if row, err := s.Event(t.Context(), eventOf(t, s, send(t, addr, post(target, "{}")))); err != nil || row.Sealed != want {
			t.Errorf("%s: sealed %v %v, want %v", target, row.Sealed, err, want)
		}
	}
	is("/in/shop/", true)
	is("/in/other/", false)
	is("/", false)
	if _, err := r.UpdateApp(t.Context(), "shop", json.RawMessage(`{"seal_to":null}`)); err != nil {
		t.Fatal(err)
	}
	is("/in/shop/", false)
	on, err := json.Marshal(map[string][]string{"seal_to": keys.Recipients()})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.UpdateApp(t.Context(), "shop", on); err != nil {
		t.Fatal(err)
	}
	is("/in/shop/", true)

	for _, patch := range []string{`{"seal_to":["age1"]}`, `{"challenges":{"enabled":true}}`, `{"answer":{"mode":"sync","body":null}}`} {
		var field *capture.FieldError
		if _, err := r.UpdateApp(t.Context(), "shop", json.RawMessage(patch)); !errors.As(err, &field) || field.Field != "seal_to" {
			t.Errorf("%s: %v", patch, err)
		}
	}
}

// eventOf is the newest event: the answers of the app shop name none.
func eventOf(t *testing.T, s *store.Store, res reply) capture.ID {
	t.Helper()
	page, err := s.Events(t.Context(), capture.Query{Limit: 1})
	if err != nil || len(page.Rows) != 1 || res.status/100 != 2 {
		t.Fatalf("answered %d, %d events, %v", res.status, len(page.Rows), err)
	}
	return page.Rows[0].ID
}

// Who cannot seal or keep takes nothing.
func TestUnsealableIsNotTaken(t *testing.T) {
	s := memory(t)
	in, _, _ := sealed(t, s)
	in.SealTo = func(string) []string { return []string{"age1nobody"} }
	if res := send(t, serve(t, in), post("/in/shop/", "{}")); res.status != 503 {
		t.Errorf("answered %d %s", res.status, res.body)
	}
	if counts, err := s.Counts(t.Context()); err != nil || counts.Events != 0 {
		t.Errorf("%d events were kept, %v", counts.Events, err)
	}
}

// A sealed app's endpoints get nothing, and whoever asks is told why.
func TestSealedAppHasNoDeliveries(t *testing.T) {
	s := memory(t)
	in, r, _ := sealed(t, s)
	made, err := r.CreateEndpoint(t.Context(), "shop", capture.EndpointSpec{URL: "https://hooks.example"})
	if err != nil {
		t.Fatal(err)
	}
	id := eventOf(t, s, send(t, serve(t, in), post("/in/shop/", "{}")))
	if why, err := r.Explain(t.Context(), id); err != nil || len(why) != 1 || why[0].Matches || !strings.Contains(strings.Join(why[0].Why, " "), "sealed") {
		t.Errorf("explained %+v, %v", why, err)
	}
	if _, _, err := r.Emit(t.Context(), "shop", capture.Emission{Type: "a"}); !errors.Is(err, capture.ErrSealed) {
		t.Errorf("emitted: %v", err)
	}
	if _, err := r.TestEndpoint(t.Context(), made.ID, capture.Emission{}); !errors.Is(err, capture.ErrSealed) {
		t.Errorf("tested: %v", err)
	}
}
