package api_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os/user"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/sign"
	"code.hooktape.dev/hooktape/relay"
	"code.hooktape.dev/hooktape/relay/answer"
	"code.hooktape.dev/hooktape/relay/api"
	"code.hooktape.dev/hooktape/relay/dispatch"
	"code.hooktape.dev/hooktape/relay/rules"
	"code.hooktape.dev/hooktape/relay/tunnel"
	"code.hooktape.dev/hooktape/store"
)

// owner is what has a store, as package main joins it, and an app that its
// endpoints are at, which answers 500 below /down and else 200.
type owner struct {
	store    *store.Store
	registry *relay.Registry
	server   *api.Server
	app      *httptest.Server
}

func owned(t testing.TB) *owner {
	t.Helper()
	s := memory(t)
	o := &owner{store: s, app: httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/down") {
			w.WriteHeader(http.StatusInternalServerError)
		}
	}))}
	t.Cleanup(o.app.Close)
	d := &dispatch.Dispatcher{Store: s, History: s, Log: logs(t), Open: func(e capture.Endpoint) (dispatch.Sender, error) {
		if e.Trigger() {
			return &answer.Trigger{Of: o.registry.FiredBy}, nil
		}
		target, err := answer.ParseTarget(e.URL)
		return &answer.Forward{Target: target}, err
	}}
	r, err := relay.NewRegistry(t.Context(), s, relay.Hooks{Plan: d.Plan, Resend: d.Resend, Changed: d.Put, Target: d.Target, Rules: &book{rules.New(nil)},
		Secrets: func() map[string]string { return map[string]string{"stripe": "whsec_of_the_test"} }, Check: func(e capture.EndpointSpec) error {
			if _, err := answer.ParseTarget(e.URL); err != nil {
				return &capture.FieldError{Field: "url", Problem: err.Error()}
			}
			return nil
		}})
	if err != nil {
		t.Fatal(err)
	}
	d.Delivers, d.Disable, d.Follow = r.Delivers, r.Disable, r.Follow
	o.registry = r
	o.server = &api.Server{Source: s, Registry: r, Resend: d.Resend, Version: "test", Ready: capture.Ready{Ingest: "http://ingest", Targets: []string{}}}
	o.server.Replays = relay.NewReplays(relay.Again{Deliveries: s.Deliveries, Delivery: s.Delivery, Resend: d.Resend, Log: logs(t)})
	o.server.Listeners = &tunnel.Hub{Log: s, Roster: s}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { d.Run(ctx) })
	wg.Go(func() { o.server.Replays.Run(ctx) })
	t.Cleanup(func() {
		cancel()
		wg.Wait()
	})
	return o
}

// book is the rules that were made, and no others.
type book struct{ *rules.Set }

func (b *book) Check(spec *capture.RuleSpec) error { return rules.Check(spec) }

// tcp serves the owner on loopback, with the guard and a token, and returns
// the client that has it. What it answers is held against the document.
func (o *owner) tcp(t testing.TB, token string) *api.Client {
	t.Helper()
	o.server.Token = token
	srv := httptest.NewServer(o.server.Guard(watched(t, o.server.Handler())))
	c := api.DialURL(srv.URL+"/", token)
	t.Cleanup(func() {
		c.Close()
		srv.Close()
	})
	return c
}

// each runs f over a registry, and over clients of one, each with an owner of
// its own.
func each(t *testing.T, f func(t *testing.T, o *owner, r api.Registry)) {
	t.Run("registry", func(t *testing.T) {
		o := owned(t)
		f(t, o, o.registry)
	})
	t.Run("socket", func(t *testing.T) {
		o := owned(t)
		c, _ := far(t, o.store, func(s *api.Server) { *s = *o.server })
		f(t, o, c)
	})
	t.Run("tcp", func(t *testing.T) {
		o := owned(t)
		f(t, o, o.tcp(t, "s3cret"))
	})
}

// wantField wants an error about that member.
func wantField(t testing.TB, err error, field string) {
	t.Helper()
	var wrong *capture.FieldError
	if !errors.As(err, &wrong) || wrong.Field != field || wrong.Problem == "" {
		t.Errorf("got %v, want an error about %s", err, field)
	}
}

// wantConflict wants an error that names what is there.
func wantConflict(t testing.TB, err error, field, with string) {
	t.Helper()
	var clash *capture.ConflictError
	if !errors.As(err, &clash) || clash.Field != field || clash.With != with || clash.What == "" {
		t.Errorf("got %v, want a conflict of %s with %s", err, field, with)
	}
}

func wantError(t testing.TB, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("got %v, want %v", err, want)
	}
}

func must[T any](t testing.TB) func(v T, err error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func TestApps(t *testing.T) {
	each(t, func(t *testing.T, _ *owner, r api.Registry) {
		ctx, app := t.Context(), must[capture.App](t)
		made := app(r.CreateApp(ctx, "shop", capture.AppSpec{Name: "Shop", Answer: capture.Answer{Status: 204}}))
		if made.Slug != "shop" || made.Name != "Shop" || made.Answer.Status != 204 || made.CreatedBy == "" || made.Created.IsZero() ||
			!strings.HasPrefix(made.SigningSecret.Key, "whsec_") || len(made.SigningSecret.Key) < 40 || !strings.HasPrefix(made.IngestKey.Key, "ik_") {
			t.Errorf("made %+v", made)
		}
		read := app(r.App(ctx, "shop"))
		if read.SigningSecret.Key != made.SigningSecret.Masked() || read.IngestKey.Key != made.IngestKey.Masked() || read.SigningSecret.Key == made.SigningSecret.Key {
			t.Errorf("read secrets %q and %q, want them masked", read.SigningSecret.Key, read.IngestKey.Key)
		}
		_, err := r.CreateApp(ctx, "shop", capture.AppSpec{})
		wantConflict(t, err, "slug", "shop")
		_, err = r.CreateApp(ctx, "Shop & Co", capture.AppSpec{})
		wantField(t, err, "slug")
		_, err = r.CreateApp(ctx, "bad", capture.AppSpec{Answer: capture.Answer{Status: 99}})
		wantField(t, err, "answer.status")

		changed := app(r.UpdateApp(ctx, "shop", json.RawMessage(`{"name":null,"answer":{"body":"<ok>","status":200}}`)))
		if changed.Name != "" || changed.Answer.Body != "<ok>" || changed.Answer.Status != 200 || changed.SigningSecret.Key != read.SigningSecret.Key {
			t.Errorf("changed %+v", changed)
		}
		_, err = r.UpdateApp(ctx, "shop", json.RawMessage(`{"nmae":"x"}`))
		wantField(t, err, "nmae")

		signing := app(r.RotateSecret(ctx, "shop", time.Hour))
		ingest := app(r.RotateIngestKey(ctx, "shop", -1))
		if signing.SigningSecret.Key == made.SigningSecret.Key || len(signing.SigningSecret.Key) < 40 || signing.IngestKey.Key != read.IngestKey.Key {
			t.Errorf("rotated the signing secret: %q and %q", signing.SigningSecret.Key, signing.IngestKey.Key)
		}
		if ingest.IngestKey.Key == made.IngestKey.Key || len(ingest.IngestKey.Key) < 30 || ingest.SigningSecret.Key != signing.SigningSecret.Masked() {
			t.Errorf("rotated the ingest key: %q and %q", ingest.SigningSecret.Key, ingest.IngestKey.Key)
		}

		var slugs []string
		for _, a := range must[[]capture.App](t)(r.Apps(ctx)) {
			slugs = append(slugs, a.Slug)
		}
		if !slices.Equal(slugs, []string{"default", "shop"}) {
			t.Errorf("apps %v", slugs)
		}
		if err := r.DeleteApp(ctx, "shop"); err != nil {
			t.Fatal(err)
		}
		for _, slug := range []string{"shop", "none", "", "..", "a/b", "no such", "%2e"} {
			_, err1 := r.App(ctx, slug)
			_, err2 := r.UpdateApp(ctx, slug, json.RawMessage(`{}`))
			_, err3 := r.RotateSecret(ctx, slug, 0)
			_, err4 := r.RotateIngestKey(ctx, slug, 0)
			_, _, err5 := r.Emit(ctx, slug, capture.Emission{Type: "a"})
			for i, err := range []error{err1, err2, err3, err4, err5, r.DeleteApp(ctx, slug)} {
				if !errors.Is(err, capture.ErrNotFound) {
					t.Errorf("app %q, call %d: %v, want ErrNotFound", slug, i, err)
				}
			}
		}
	})
}

// The secrets of challenges are hidden wherever they are read, and what was
// read can be sent back.
func TestAppChallenges(t *testing.T) {
	each(t, func(t *testing.T, _ *owner, r api.Registry) {
		ctx, app := t.Context(), must[capture.App](t)
		made := app(r.CreateApp(ctx, "shop", capture.AppSpec{Challenges: capture.Challenges{Enabled: true, Secrets: map[string]string{"zoom": "z1"}}}))
		for _, a := range []capture.App{made, app(r.App(ctx, "shop")), app(r.RotateSecret(ctx, "shop", 0)), must[[]capture.App](t)(r.Apps(ctx))[1]} {
			if !a.Challenges.Enabled || len(a.Challenges.Secrets) != 1 || a.Challenges.Secrets["zoom"] != capture.HiddenSecret {
				t.Errorf("got %+v", a.Challenges)
			}
		}
		changed := app(r.UpdateApp(ctx, "shop", json.RawMessage(`{"challenges":{"secrets":{"zoom":"`+capture.HiddenSecret+`","meta":"v"}}}`)))
		if len(changed.Challenges.Secrets) != 2 || !changed.Challenges.Enabled {
			t.Errorf("changed to %+v", changed.Challenges)
		}
		_, err := r.UpdateApp(ctx, "shop", json.RawMessage(`{"challenges":{"secrets":{"slcak":"s"}}}`))
		wantField(t, err, "challenges.secrets.slcak")
		if changed = app(r.UpdateApp(ctx, "shop", json.RawMessage(`{"challenges":null}`))); changed.Challenges.Enabled || changed.Challenges.Secrets != nil {
			t.Errorf("cleared to %+v", changed.Challenges)
		}
	})
}

// What overlap is asked for is what the registry is asked for.
func TestOverlap(t *testing.T) {
	each(t, func(t *testing.T, o *owner, r api.Registry) {
		app := must[capture.App](t)
		old := app(r.CreateApp(t.Context(), "shop", capture.AppSpec{})).IngestKey.Key
		for _, tt := range []struct {
			overlap time.Duration
			counts  bool
		}{{0, true}, {time.Hour, true}, {time.Millisecond * 999_500, true}, {-1, false}} {
			now := app(r.RotateIngestKey(t.Context(), "shop", tt.overlap)).IngestKey.Key
			slug, _, _ := o.registry.Route(old)
			if counts := slug == "shop"; counts != tt.counts {
				t.Errorf("rotated with an overlap of %s: the old key counts: %v", tt.overlap, counts)
			}
			old = now
		}
	})
}

func TestEmit(t *testing.T) {
	each(t, func(t *testing.T, o *owner, r api.Registry) {
		ctx := t.Context()
		must[capture.App](t)(r.CreateApp(ctx, "shop", capture.AppSpec{}))
		for i, data := range []string{`{ "b":1.0,  "a":"<é>","a":2e400 }`, "null", `"x"`, "[1, 2]", ""} {
			what := capture.Emission{Type: "order.created", Source: "till", Data: json.RawMessage(data), Metadata: map[string]string{"a": "<b>"}, Key: fmt.Sprint("key ", i)}
			e, fresh, err := r.Emit(ctx, "shop", what)
			if err != nil || !fresh || e.App != "shop" || e.Type != "order.created" || e.Source != "till" || e.Metadata["a"] != "<b>" {
				t.Fatalf("emitted %q: %+v, %v, %v", data, e, fresh, err)
			}
			want := data
			if data == "" {
				want = "{}"
			}
			if body, err := o.store.Body(ctx, e.ID); err != nil || string(body) != want {
				t.Errorf("the body is %q, %v; want %q", body, err, want)
			}
			again, fresh, err := r.Emit(ctx, "shop", what)
			if err != nil || fresh || again.ID != e.ID {
				t.Errorf("emitted %q again: %s, %v, %v; want %s, there already", data, again.ID, fresh, err, e.ID)
			}
		}
		_, _, err := r.Emit(ctx, "shop", capture.Emission{})
		wantField(t, err, "event_type")
		_, _, err = r.Emit(ctx, "shop", capture.Emission{Type: "a", Data: json.RawMessage(`{}, "source":"x"`)})
		wantField(t, err, "data")
		must[capture.App](t)(r.UpdateApp(ctx, "shop", json.RawMessage(`{"inactive":true}`)))
		_, _, err = r.Emit(ctx, "shop", capture.Emission{Type: "a"})
		wantError(t, err, capture.ErrDisabled)
	})
}

// What an endpoint is, and whether it gets anything, is set at once: in none of
// the calls is it anything in between.
func TestEndpointsAreSetUpAtOnce(t *testing.T) {
	each(t, func(t *testing.T, o *owner, r api.Registry) {
		ctx, endpoint := t.Context(), must[capture.Endpoint](t)
		made := endpoint(r.CreateDisabled(ctx, "", capture.EndpointSpec{URL: o.app.URL + "/a"}, "not yet"))
		if made.App != capture.DefaultApp || made.Status != capture.EndpointDisabled || made.DisabledBy != capture.ByUser || made.DisabledAs != "not yet" || made.DisabledAt.IsZero() || len(made.Secret.Key) < 40 {
			t.Errorf("made %+v", made)
		}
		_, _, err := r.Emit(ctx, capture.DefaultApp, capture.Emission{Type: "a"})
		attempts := must[[]capture.Attempt](t)(o.store.Attempts(ctx, capture.AttemptQuery{Endpoint: made.ID}))
		if err != nil || len(attempts) > 0 {
			t.Errorf("a disabled one has %d attempts, %v", len(attempts), err)
		}
		for _, tt := range []struct{ patch, want string }{
			{`{"status":"enabled","description":"x"}`, "enabled x "},
			{`{"status":"disabled","description":"y","disabled_reason":"a pause"}`, "disabled y a pause"},
			{`{"disabled_reason":"a long pause"}`, "disabled y a long pause"},
			{`{"status":"disabled"}`, "disabled y a long pause"},
			{`{"status":"enabled","url":"gopher://x"}`, "url"},
			{`{"status":"deleted","description":"z"}`, "status"},
			{`{"status":null}`, "status"},
			{`{"disabled_reason":"` + strings.Repeat("x", 501) + `"}`, "disabled_reason"},
			{`{"description":null}`, "disabled  a long pause"},
		} {
			e, err := r.UpdateEndpoint(ctx, made.ID, json.RawMessage(tt.patch))
			if !strings.Contains(tt.want, " ") {
				wantField(t, err, tt.want)
				continue
			}
			if got := fmt.Sprint(e.Status, " ", e.Description, " ", e.DisabledAs); err != nil || got != tt.want {
				t.Errorf("%s: %q, %v; want %q", tt.patch, got, err, tt.want)
			}
		}
		_, err = r.CreateDisabled(ctx, "none", capture.EndpointSpec{URL: o.app.URL}, "")
		wantError(t, err, capture.ErrNotFound)
		_, err = r.CreateDisabled(ctx, "", capture.EndpointSpec{URL: o.app.URL}, strings.Repeat("x", 501))
		wantField(t, err, "disabled_reason")
	})
}

// Webhooks of ARK's are of one event each, so an app has many of one URL.
// Others have it to themselves.
func TestManyOfOneURL(t *testing.T) {
	each(t, func(t *testing.T, o *owner, r api.Registry) {
		ctx, endpoint := t.Context(), must[capture.Endpoint](t)
		plain := capture.EndpointSpec{URL: o.app.URL + "/a"}
		spec := plain
		spec.Format = capture.FormatARK
		first, second := endpoint(r.CreateEndpoint(ctx, "", spec)), endpoint(r.CreateEndpoint(ctx, "", spec))
		only := endpoint(r.CreateEndpoint(ctx, "", plain))
		_, err := r.CreateEndpoint(ctx, "", plain)
		wantConflict(t, err, "url", string(only.ID))
		endpoint(r.UpdateEndpoint(ctx, first.ID, json.RawMessage(`{"url":"`+o.app.URL+`/b"}`)))
		endpoint(r.UpdateEndpoint(ctx, first.ID, json.RawMessage(`{"url":"`+plain.URL+`"}`)))
		endpoint(r.SetEndpoint(ctx, first.ID, capture.EndpointDeleted, ""))
		if e := must[capture.EndpointRow](t)(r.Endpoint(ctx, second.ID)); e.Status != capture.EndpointEnabled || e.URL != plain.URL {
			t.Errorf("the other of the two is %s at %s", e.Status, e.URL)
		}
		_, err = r.CreateEndpoint(ctx, "", plain)
		wantConflict(t, err, "url", string(only.ID))
		endpoint(r.SetEndpoint(ctx, only.ID, capture.EndpointDeleted, ""))
		endpoint(r.CreateEndpoint(ctx, "", plain))
	})
}

func TestEndpoints(t *testing.T) {
	each(t, func(t *testing.T, o *owner, r api.Registry) {
		ctx, endpoint, row := t.Context(), must[capture.Endpoint](t), must[capture.EndpointRow](t)
		must[capture.App](t)(r.CreateApp(ctx, "shop", capture.AppSpec{}))
		spec := capture.EndpointSpec{
			URL: o.app.URL + "/hook", Description: "till <1>", Filter: "type:order.*", Subscriptions: []capture.Subscription{{Type: "order.created"}},
			Headers: map[string]string{"X-A": "b"}, Metadata: json.RawMessage(`{"a":[1,null]}`), Timeout: capture.Duration(3 * time.Second), Concurrency: 2,
			RateLimit: &capture.RateLimit{Max: 5, Per: capture.Duration(time.Minute)}, Retry: &capture.RetryPolicy{Preset: "none", Jitter: -1},
		}
		made := endpoint(r.CreateEndpoint(ctx, "shop", spec))
		if made.App != "shop" || made.Status != capture.EndpointEnabled || len(made.Secret.Key) < 40 || made.CreatedBy == "" || same(t, made.EndpointSpec, spec) {
			t.Errorf("made %+v of %+v", made, spec)
		}
		read := row(r.Endpoint(ctx, made.ID))
		if read.Secret.Key != made.Secret.Masked() || same(t, read.EndpointSpec, spec) {
			t.Errorf("read %+v", read)
		}
		_, err := r.CreateEndpoint(ctx, "shop", spec)
		wantConflict(t, err, "url", string(made.ID))
		_, err = r.CreateEndpoint(ctx, "none", spec)
		wantError(t, err, capture.ErrNotFound)
		_, err = r.CreateEndpoint(ctx, "shop", capture.EndpointSpec{URL: "gopher://x"})
		wantField(t, err, "url")
		_, err = r.CreateEndpoint(ctx, "shop", capture.EndpointSpec{URL: o.app.URL, Retry: &capture.RetryPolicy{Preset: "nnoe"}})
		wantField(t, err, "retry.preset")

		changed := endpoint(r.UpdateEndpoint(ctx, made.ID, json.RawMessage(`{"description":null,"retry":{"preset":"wacht"},"headers":{"X-C":"d"}}`)))
		if changed.Description != "" || changed.Retry.Preset != "wacht" || changed.Retry.Jitter != -1 || changed.Headers["X-A"] != "b" || changed.Headers["X-C"] != "d" || changed.Secret.Key != read.Secret.Key {
			t.Errorf("changed %+v", changed)
		}
		_, err = r.UpdateEndpoint(ctx, made.ID, json.RawMessage(`{"concurency":3}`))
		wantField(t, err, "concurency")
		masked := endpoint(r.UpdateEndpoint(ctx, made.ID, json.RawMessage(`{"headers":{"X-Password":"hush","X-Auth":"hush"}}`)))
		again := endpoint(r.UpdateEndpoint(ctx, made.ID, must[[]byte](t)(json.Marshal(map[string]any{"headers": masked.Headers}))))
		for _, headers := range []map[string]string{masked.Headers, again.Headers, row(r.Endpoint(ctx, made.ID)).Headers} {
			if headers["X-A"] != "b" || strings.Contains(fmt.Sprint(headers), "hush") {
				t.Errorf("read the headers %v", headers)
			}
		}
		if kept := must[capture.EndpointRow](t)(o.store.EndpointRow(ctx, made.ID)); kept.Headers["X-Password"] != "hush" || kept.Headers["X-Auth"] != "hush" {
			t.Errorf("kept the headers %v", kept.Headers)
		}
		off := endpoint(r.SetEndpoint(ctx, made.ID, capture.EndpointDisabled, "a <pause>"))
		if off.Status != capture.EndpointDisabled || off.DisabledAs != "a <pause>" || off.DisabledBy != capture.ByUser || off.DisabledAt.IsZero() {
			t.Errorf("disabled %+v", off)
		}
		on := endpoint(r.SetEndpoint(ctx, made.ID, capture.EndpointEnabled, ""))
		if on.Status != capture.EndpointEnabled || on.DisabledAs != "" {
			t.Errorf("enabled %+v", on)
		}
		_, err = r.SetEndpoint(ctx, made.ID, "asleep", "")
		wantField(t, err, "status")
		if next := endpoint(r.RotateEndpointSecret(ctx, made.ID, time.Hour)); next.Secret.Key == made.Secret.Key || len(next.Secret.Key) < 40 {
			t.Errorf("rotated to %q", next.Secret.Key)
		}

		var all []capture.ID
		for i := range 3 {
			all = append(all, endpoint(r.CreateEndpoint(ctx, capture.DefaultApp, capture.EndpointSpec{URL: fmt.Sprint(o.app.URL, "/", i)})).ID)
		}
		rows := func(q capture.EndpointQuery) (found []capture.ID) {
			t.Helper()
			for _, e := range must[[]capture.EndpointRow](t)(r.Endpoints(ctx, q)) {
				found = append(found, e.ID)
			}
			return found
		}
		endpoint(r.SetEndpoint(ctx, all[1], capture.EndpointDisabled, ""))
		gone := endpoint(r.SetEndpoint(ctx, all[2], capture.EndpointDeleted, "moved & gone"))
		if gone.Status != capture.EndpointDeleted || gone.DisabledAs != "moved & gone" {
			t.Errorf("deleted %+v", gone)
		}
		for _, tt := range []struct {
			q    capture.EndpointQuery
			want []capture.ID
		}{
			{capture.EndpointQuery{}, []capture.ID{made.ID, all[0], all[1]}},
			{capture.EndpointQuery{App: "shop"}, []capture.ID{made.ID}},
			{capture.EndpointQuery{Limit: 2}, []capture.ID{made.ID, all[0]}},
			{capture.EndpointQuery{Limit: 5000}, []capture.ID{made.ID, all[0], all[1]}},
			{capture.EndpointQuery{Cursor: made.ID}, []capture.ID{all[0], all[1]}},
			{capture.EndpointQuery{Status: capture.EndpointDisabled}, []capture.ID{all[1]}},
			{capture.EndpointQuery{Status: capture.EndpointDeleted}, []capture.ID{all[2]}},
		} {
			if got := rows(tt.q); !slices.Equal(got, tt.want) {
				t.Errorf("%+v: %v, want %v", tt.q, got, tt.want)
			}
		}
		for _, id := range []capture.ID{capture.NewID(capture.EndpointID), "", "wh_../../status", capture.NewID(capture.EventID)} {
			_, err1 := r.Endpoint(ctx, id)
			_, err2 := r.UpdateEndpoint(ctx, id, json.RawMessage(`{}`))
			_, err3 := r.SetEndpoint(ctx, id, capture.EndpointDisabled, "")
			_, err4 := r.RotateEndpointSecret(ctx, id, 0)
			_, err5 := r.TestEndpoint(ctx, id, capture.Emission{})
			_, err6 := r.Explain(ctx, "evt_"+id[min(len(id), 4):]+"X")
			for i, err := range []error{err1, err2, err3, err4, err5, err6} {
				if !errors.Is(err, capture.ErrNotFound) {
					t.Errorf("endpoint %q, call %d: %v, want ErrNotFound", id, i, err)
				}
			}
		}
	})
}

// Attempts of one endpoint, and those that wait, are the same from near and
// far.
func TestAttemptsOfAnEndpoint(t *testing.T) {
	each(t, func(t *testing.T, o *owner, r api.Registry) {
		src := api.Reader(o.store)
		if c, ok := r.(*api.Client); ok {
			src = c
		}
		ctx := t.Context()
		e := must[capture.Endpoint](t)(r.CreateEndpoint(ctx, capture.DefaultApp, capture.EndpointSpec{URL: o.app.URL + "/down"}))
		c := event(nil)
		keep(t, o.store, c)
		var made []capture.ID
		for _, wait := range []time.Duration{2 * time.Hour, time.Hour, 0} {
			a := finished(c.Event, 500).Attempts[0]
			if a.Endpoint = e.ID; wait > 0 {
				a.Status, a.NotBefore, a.Code, a.Error, a.Response = capture.AttemptPending, time.Now().Add(wait), 0, nil, nil
			}
			keep(t, o.store, finished(c.Event, 500), &capture.Change{Attempts: []*capture.Attempt{a}})
			made = append(made, a.ID)
		}
		for _, tt := range []struct {
			q    capture.AttemptQuery
			want []capture.ID
		}{
			{capture.AttemptQuery{Endpoint: e.ID}, []capture.ID{made[2], made[1], made[0]}},
			{capture.AttemptQuery{Endpoint: e.ID, Limit: 1}, []capture.ID{made[2]}},
			{capture.AttemptQuery{Endpoint: e.ID, Event: c.Event.ID, Cursor: made[2]}, []capture.ID{made[1], made[0]}},
			{capture.AttemptQuery{Endpoint: e.ID, Status: capture.AttemptFailed}, []capture.ID{made[2]}},
			{capture.AttemptQuery{Endpoint: e.ID, ByDue: true}, []capture.ID{made[1], made[0]}},
			{capture.AttemptQuery{ByDue: true, Limit: 1}, []capture.ID{made[1]}},
		} {
			var got []capture.ID
			for _, a := range must[[]capture.Attempt](t)(src.Attempts(ctx, tt.q)) {
				got = append(got, a.ID)
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("%+v: %v, want %v", tt.q, got, tt.want)
			}
		}
	})
}

func TestTestAndExplain(t *testing.T) {
	each(t, func(t *testing.T, o *owner, r api.Registry) {
		ctx, endpoint := t.Context(), must[capture.Endpoint](t)
		up := endpoint(r.CreateEndpoint(ctx, capture.DefaultApp, capture.EndpointSpec{URL: o.app.URL + "/up", Subscriptions: []capture.Subscription{{Type: "order.*"}}}))
		down := endpoint(r.CreateEndpoint(ctx, capture.DefaultApp, capture.EndpointSpec{URL: o.app.URL + "/down"}))
		a := must[capture.Attempt](t)(r.TestEndpoint(ctx, up.ID, capture.Emission{}))
		if a.Status != capture.AttemptSucceeded || a.Code != 200 || a.Endpoint != up.ID || a.Type != "test.webhook" || a.Request == nil || a.Response == nil {
			t.Errorf("tested: %+v", a)
		}
		a = must[capture.Attempt](t)(r.TestEndpoint(ctx, down.ID, capture.Emission{Type: "x", Data: json.RawMessage(`{"a":1}`)}))
		if a.Status != capture.AttemptFailed || a.Code != 500 || a.Type != "x" {
			t.Errorf("tested what is down: %+v", a)
		}
		all := must[[]capture.Explanation](t)(r.Explain(ctx, a.Event))
		if len(all) != 2 || all[0].Endpoint != up.ID || all[0].Matches || len(all[0].Why) == 0 || all[1].Endpoint != down.ID || !all[1].Matches || len(all[1].Why) != 0 {
			t.Errorf("explained: %+v", all)
		}
	})
}

func TestTokens(t *testing.T) {
	each(t, func(t *testing.T, o *owner, r api.Registry) {
		ctx := t.Context()
		expires := time.Now().Add(time.Hour).UTC().Round(time.Second)
		made, secret, err := r.CreateToken(ctx, capture.TokenSpec{Name: "ci <1>", Scope: capture.ScopeRead, App: capture.DefaultApp, Expires: expires})
		if err != nil || made.Name != "ci <1>" || made.Scope != capture.ScopeRead || made.App != capture.DefaultApp || !made.Expires.Equal(expires) || !strings.HasPrefix(secret, "htk_") || strings.Contains(made.Hint, secret) {
			t.Fatalf("made %+v %q, %v", made, secret, err)
		}
		if _, known, _ := o.registry.Bearer(ctx, secret); !known {
			t.Error("the token does not count")
		}
		_, _, err = r.CreateToken(ctx, capture.TokenSpec{Scope: capture.ScopeRead})
		wantField(t, err, "name")
		_, _, err = r.CreateToken(ctx, capture.TokenSpec{Name: "x", Scope: "all"})
		wantField(t, err, "scope")
		_, _, err = r.CreateToken(ctx, capture.TokenSpec{Name: "x", Scope: capture.ScopeRead, Expires: time.Now().Add(-time.Hour)})
		wantField(t, err, "expires_at")
		_, _, err = r.CreateToken(ctx, capture.TokenSpec{Name: "x", Scope: capture.ScopeRead, App: "none"})
		wantField(t, err, "app")
		wantError(t, r.RevokeToken(ctx, capture.NewID(capture.TokenID)), capture.ErrNotFound)
		wantError(t, r.RevokeToken(ctx, "tok_x/y"), capture.ErrNotFound)
		if err := r.RevokeToken(ctx, made.ID); err != nil {
			t.Fatal(err)
		}
		all := must[[]capture.Token](t)(r.Tokens(ctx))
		if len(all) != 1 || all[0].ID != made.ID || all[0].Revoked.IsZero() {
			t.Errorf("tokens %+v", all)
		}
	})
}

func TestStats(t *testing.T) {
	each(t, func(t *testing.T, o *owner, r api.Registry) {
		ctx := t.Context()
		e := must[capture.Endpoint](t)(r.CreateEndpoint(ctx, capture.DefaultApp, capture.EndpointSpec{URL: o.app.URL + "/down"}))
		must[capture.Attempt](t)(r.TestEndpoint(ctx, e.ID, capture.Emission{}))
		q := capture.StatsQuery{Endpoint: e.ID, Since: time.Now().Add(-time.Hour), Interval: capture.ByHour}
		s := must[capture.Stats](t)(r.Stats(ctx, q))
		if s.Attempts != 1 || s.Failed != 1 || s.SuccessRate == nil || *s.SuccessRate != 0 || len(s.Reasons) != 1 {
			t.Errorf("stats %+v", s)
		}
		series := must[capture.Timeseries](t)(r.Timeseries(ctx, q))
		if series.Interval != capture.ByHour || len(series.Points) != 1 || series.Points[0].Failed != 1 {
			t.Errorf("timeseries %+v", series)
		}
		for _, id := range []capture.ID{capture.NewID(capture.EndpointID), "wh_", "x"} {
			_, err1 := r.Stats(ctx, capture.StatsQuery{Endpoint: id})
			_, err2 := r.Timeseries(ctx, capture.StatsQuery{Endpoint: id})
			if !errors.Is(err1, capture.ErrNotFound) || !errors.Is(err2, capture.ErrNotFound) {
				t.Errorf("stats of endpoint %q: %v, %v; want ErrNotFound", id, err1, err2)
			}
		}
		_, err := r.Timeseries(ctx, capture.StatsQuery{Interval: "moment"})
		wantField(t, err, "interval")
		if s = must[capture.Stats](t)(r.Stats(ctx, capture.StatsQuery{App: "none"})); s.Attempts != 0 || s.SuccessRate != nil {
			t.Errorf("stats of nothing %+v", s)
		}
	})
}

// Who made something is noted: by the name of their token, or of the process's
// user.
func TestWho(t *testing.T) {
	o := owned(t)
	ctx := t.Context()
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	by := func(want string, c api.Registry) {
		t.Helper()
		a, err := c.CreateApp(ctx, strings.ToLower(fmt.Sprint("a", capture.NewID("")))[:20], capture.AppSpec{})
		if err != nil || a.CreatedBy != want || a.UpdatedBy != want {
			t.Errorf("made by %q, %v; want %q", a.CreatedBy, err, want)
		}
	}
	c, _ := far(t, o.store, func(s *api.Server) { *s = *o.server })
	by(me.Username, c)
	by("local", o.tcp(t, ""))
	by("token", o.tcp(t, "s3cret"))
	_, secret, err := c.CreateToken(ctx, capture.TokenSpec{Name: "ci", Scope: capture.ScopeManage})
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(o.server.Guard(o.server.Handler()))
	defer srv.Close()
	named := api.DialURL(srv.URL, secret)
	defer named.Close()
	by("token:ci", named)
}

func TestSignature(t *testing.T) {
	each(t, func(t *testing.T, o *owner, r api.Registry) {
		fired := must[capture.Fired](t)(r.Fire(t.Context(), "stripe:invoice.paid", capture.Firing{}))
		event := fired.Events[0]
		for _, tt := range []struct {
			at     time.Time
			secret string
			want   capture.Verdict
		}{
			{want: capture.Valid},
			{at: event.Received.Add(time.Hour), want: capture.Stale},
			{secret: "whsec_another", want: capture.Invalid},
		} {
			x := must[sign.Explanation](t)(r.Signature(t.Context(), event.ID, tt.at, tt.secret))
			at := tt.at
			if at.IsZero() {
				at = event.Received
			}
			if x.Verdict != tt.want || x.Scheme != "stripe" || !x.Checked.Equal(at) {
				t.Errorf("at %v with %q: got %+v, want %s", tt.at, tt.secret, x, tt.want)
			}
		}
		_, err := r.Signature(t.Context(), capture.NewID(capture.EventID), time.Time{}, "")
		wantError(t, err, capture.ErrNotFound)
	})
}
