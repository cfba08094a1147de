package relay_test

import (
	"context"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/relay"
	"code.hooktape.dev/hooktape/store"
)

// challenged is an Ingest over s with an app "shop" that has challenges
// answered, and one "mute" that has not.
func challenged(t *testing.T, s *store.Store) (in *relay.Ingest, r *relay.Registry) {
	t.Helper()
	r, err := relay.NewRegistry(t.Context(), s, relay.Hooks{})
	if err != nil {
		t.Fatal(err)
	}
	for slug, c := range map[string]capture.Challenges{"shop": {Enabled: true}, "mute": {}} {
		if _, err := r.CreateApp(t.Context(), slug, capture.AppSpec{Challenges: c}); err != nil {
			t.Fatal(err)
		}
	}
	return &relay.Ingest{Keep: s.Keep, Route: r.Route, Challenge: r.Challenge, Log: logs(t)}, r
}

// monday asks for its challenge back, in JSON.
const monday = `{"challenge":"3eZbrw1a"}`

// A challenge is answered in the app's place, and is an event like any other
// that says so.
func TestChallenge(t *testing.T) {
	s := memory(t)
	in, _ := challenged(t, s)
	addr := serve(t, in)
	for _, tt := range []struct {
		target, body string
		status       int
		noted        string
	}{
		{"/in/shop/hooks", monday, 200, "monday"},
		{"/in/shop/hooks", `{"order":1}`, 202, ""},
		{"/in/mute/hooks", monday, 202, ""},
		{"/hooks", monday, 202, ""},
	} {
		res := send(t, addr, post(tt.target, tt.body))
		if res.status != tt.status || (tt.noted != "") != (res.body == monday) {
			t.Errorf("%s %s: answered %d %s", tt.target, tt.body, res.status, res.body)
		}
		page, err := s.Events(t.Context(), capture.Query{Limit: 1})
		if err != nil || len(page.Rows) != 1 {
			t.Fatalf("%d events, %v", len(page.Rows), err)
		}
		if e := page.Rows[0]; e.Metadata["challenge"] != tt.noted || e.Size != int64(len(tt.body)) {
			t.Errorf("%s %s: kept %d bytes with %q, want the challenge of %q", tt.target, tt.body, e.Size, e.Metadata, tt.noted)
		}
	}
}

// Who cannot keep a challenge does not answer it.
func TestChallengeIsKeptBeforeAnswered(t *testing.T) {
	in, _ := challenged(t, memory(t))
	in.Keep = func(context.Context, ...*capture.Change) error { return errors.New("no disk") }
	if res := send(t, serve(t, in), post("/in/shop/hooks", monday)); res.status != 503 {
		t.Errorf("answered %d %s", res.status, res.body)
	}
}

// Secrets are never read, and survive being sent back as they are read, and a
// restart.
func TestChallengeSecrets(t *testing.T) {
	s := memory(t)
	_, r := challenged(t, s)
	update := func(patch string) (capture.Challenges, error) {
		a, err := r.UpdateApp(t.Context(), "shop", json.RawMessage(`{"challenges":`+patch+`}`))
		return a.Challenges, err
	}
	asks := func() string {
		e := &capture.Event{App: "shop", Method: "GET", Target: "/?hub.mode=subscribe&hub.verify_token=v1&hub.challenge=7"}
		a, _, _ := r.Challenge(e, nil)
		return a.Body
	}
	read, err := update(`{"secrets":{"meta":"v1","zoom":"z1"}}`)
	if err != nil || !read.Enabled || len(read.Secrets) != 2 || read.Secrets["meta"] != capture.HiddenSecret || read.Secrets["zoom"] != capture.HiddenSecret {
		t.Fatalf("read %+v, %v", read, err)
	}
	back, err := json.Marshal(read)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := update(string(back)); err != nil || asks() != "7" {
		t.Errorf("sent back: %v; answered %q", err, asks())
	}
	if r, err = relay.NewRegistry(t.Context(), s, relay.Hooks{}); err != nil || asks() != "7" {
		t.Errorf("read again: %v; answered %q", err, asks())
	}
	if read, err = update(`{"secrets":{"meta":"v2","zoom":null}}`); err != nil || len(read.Secrets) != 1 || asks() != "" {
		t.Errorf("changed to %+v, %v; answered %q", read, err, asks())
	}
	for patch, want := range map[string]string{
		`{"secrets":{"zom":"s"}}`: `challenges.secrets.zom: did you mean "zoom"? those whose challenges need a secret are ` +
			`discord, fitbit, linkedin, meta, oura, slack, strava, twitch, websub, x, xero, zoom`,
		`{"secrets":{"zoom":""}}`:                                  "challenges.secrets.zoom: it is empty; null takes it away",
		`{"secrets":{"zoom":"` + capture.HiddenSecret + `"}}`:      "challenges.secrets.zoom: there is no secret yet that this could stand for",
		`{"secrets":{"discord":"key"}}`:                            "challenges.secrets.discord: want the application's public key, 64 hexadecimal digits",
		`{"secrets":{"meta":"` + strings.Repeat("x", 1025) + `"}}`: "challenges.secrets.meta: 1025 bytes: want 1024 at most",
		`{"enabeld":true}`:                                         `enabeld: there is no such member; did you mean "enabled"?`,
	} {
		if _, err := update(patch); err == nil || err.Error() != want {
			t.Errorf("%.60s: got %v, want %s", patch, err, want)
		}
	}
}

// A provider that signs its challenges like its events needs its secret once:
// with the app's events, or the process's. One that is for challenges alone goes
// first.
func TestChallengeWithWhatSignsEvents(t *testing.T) {
	const asks = `{"event":"endpoint.url_validation","payload":{"plainToken":"q"}}`
	proof := func(secret string) string {
		mac := hmac.New(sha256.New, []byte(secret))
		mac.Write([]byte("q"))
		return hex.EncodeToString(mac.Sum(nil))
	}
	r, err := relay.NewRegistry(t.Context(), memory(t), relay.Hooks{Secrets: func() map[string]string { return map[string]string{"zoom": "process"} }})
	if err != nil {
		t.Fatal(err)
	}
	for slug, c := range map[string]struct {
		events, challenges map[string]string
		want               string
	}{
		"own":   {map[string]string{"zoom/live": "live"}, nil, "live"},
		"none":  {nil, nil, "process"},
		"apart": {map[string]string{"zoom": "live"}, map[string]string{"zoom": "apart"}, "apart"},
	} {
		if _, err := r.CreateApp(t.Context(), slug, capture.AppSpec{Secrets: c.events, Challenges: capture.Challenges{Enabled: true, Secrets: c.challenges}}); err != nil {
			t.Fatal(err)
		}
		e := &capture.Event{App: slug, Method: "POST", Target: "/", Provider: "zoom", Headers: capture.Headers{{"Content-Type", "application/json"}}}
		if a, _, ok := r.Challenge(e, []byte(asks)); !ok || !strings.Contains(a.Body, proof(c.want)) {
			t.Errorf("%s: answered %v %q, want the proof by %q", slug, ok, a.Body, c.want)
		}
	}
}

// An event that is no challenge, of an app that has challenges answered.
func BenchmarkChallenge(b *testing.B) {
	_, discord, err := ed25519.GenerateKey(nil)
	if err != nil {
		b.Fatal(err)
	}
	for name, secrets := range map[string]map[string]string{
		"no secrets": nil,
		"secrets":    {"discord": hex.EncodeToString(discord), "slack": "s1", "zoom": "z1", "stripe": "whsec_1"},
	} {
		b.Run(name, func(b *testing.B) {
			r, err := relay.NewRegistry(b.Context(), memory(b), relay.Hooks{})
			if err != nil {
				b.Fatal(err)
			}
			if _, err := r.CreateApp(b.Context(), "shop", capture.AppSpec{Secrets: secrets, Challenges: capture.Challenges{Enabled: true}}); err != nil {
				b.Fatal(err)
			}
			e := &capture.Event{App: "shop", Method: "POST", Target: "/", Headers: capture.Headers{{"Content-Type", "application/json"}}}
			body := []byte(`{"type":"invoice.paid","id":"evt_1","data":{"object":{"amount":1}}}`)
			b.ReportAllocs()
			for b.Loop() {
				if _, _, ok := r.Challenge(e, body); ok {
					b.Fatal("it is a challenge")
				}
			}
		})
	}
}
