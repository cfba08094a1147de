package relay_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/seal"
	"code.hooktape.dev/hooktape/relay"
	"code.hooktape.dev/hooktape/relay/answer"
	"code.hooktape.dev/hooktape/relay/dispatch"
	"code.hooktape.dev/hooktape/store"
)

// stage is where samples are fired: a registry over a store whose keeping is
// seen, with a dispatcher that sends.
type stage struct {
	*relay.Registry
	store *store.Store
	keeps [][]*capture.Change // each call of Keep
}

func (s *stage) Keep(ctx context.Context, changes ...*capture.Change) error {
	if len(changes) > 0 && changes[0].Event != nil {
		s.keeps = append(s.keeps, changes)
	}
	return s.store.Keep(ctx, changes...)
}

// counted is the store, whose keeping is seen.
type counted struct {
	*store.Store
	stage *stage
}

func (c counted) Keep(ctx context.Context, changes ...*capture.Change) error {
	return c.stage.Keep(ctx, changes...)
}

func newStage(t testing.TB) *stage {
	t.Helper()
	s := memory(t)
	g := &stage{store: s}
	d := &dispatch.Dispatcher{Store: s, History: s, Log: logs(t)}
	r, err := relay.NewRegistry(t.Context(), counted{s, g}, relay.Hooks{Plan: d.Plan, Resend: d.Resend, Target: d.Target, Changed: d.Put,
		Secrets: func() map[string]string { return map[string]string{"github": "hush", "stripe": "whsec_x"} },
		Check:   func(capture.EndpointSpec) error { return nil }})
	if err != nil {
		t.Fatal(err)
	}
	g.Registry = r
	d.Delivers, d.Disable = r.Delivers, r.Disable
	d.Open = func(e capture.Endpoint) (dispatch.Sender, error) {
		target, err := answer.ParseTarget(e.URL)
		return r.Stamped(&answer.Forward{Target: target}, func(ev *capture.Event) bool { return answer.AsCaught(&e, ev) }), err
	}
	during(t, d.Run)
	return g
}

// A firing goes where it says, else to whom it may concern.
func TestFireGoesToWhom(t *testing.T) {
	g, app := newStage(t), newRawApp(t)
	key, err := seal.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	keys, err := seal.ReadKeys(bytes.NewReader(key))
	if err != nil {
		t.Fatal(err)
	}
	for slug, spec := range map[string]capture.AppSpec{"on": {}, "off": {Inactive: true}, "sealed": {SealTo: keys.Recipients()}} {
		if _, err := g.CreateApp(t.Context(), slug, spec); err != nil {
			t.Fatal(err)
		}
		if slug == "sealed" {
			continue
		}
		if _, err := g.CreateEndpoint(t.Context(), slug, capture.EndpointSpec{URL: "http://" + app.addr + "/" + slug, Format: capture.FormatRaw}); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		f    capture.Firing
		want string // the line that the app gets; "": none
		err  error
	}{
		{capture.Firing{App: "on"}, "POST /on HTTP/1.1", nil},
		{capture.Firing{App: "on", To: "http://" + app.addr + "/there"}, "POST /there HTTP/1.1", nil},
		{capture.Firing{App: "off"}, "", nil},
		{capture.Firing{App: "off", To: "http://" + app.addr + "/there"}, "POST /there HTTP/1.1", nil},
		{capture.Firing{To: "http://" + app.addr + "/there"}, "POST /there HTTP/1.1", nil},
		{capture.Firing{App: "sealed"}, "", capture.ErrSealed},
		{capture.Firing{App: "sealed", To: "http://" + app.addr}, "", capture.ErrSealed},
		{capture.Firing{App: "none"}, "", capture.ErrNotFound},
	} {
		fired, err := g.Fire(t.Context(), "github:push", c.f)
		if !errors.Is(err, c.err) {
			t.Errorf("%+v: %v, want %v", c.f, err, c.err)
		}
		if c.err != nil {
			if len(fired.Events)+len(fired.Attempts) > 0 {
				t.Errorf("%+v: %+v was made", c.f, fired)
			}
			continue
		}
		if len(fired.Events) != 1 || (len(fired.Attempts) == 1) != (c.want != "") {
			t.Fatalf("%+v: %d events, %d attempts", c.f, len(fired.Events), len(fired.Attempts))
		}
		if e := fired.Events[0]; e.Signature.Verdict != capture.Valid || e.Signature.Secret != "github" || e.Type != "push" || e.Origin != capture.FromSample {
			t.Errorf("%+v: %+v", c.f, e)
		}
		if c.want == "" {
			continue
		}
		if line, _, _ := strings.Cut(app.next(t), "\r\n"); line != c.want {
			t.Errorf("%+v: the app got %q", c.f, line)
		}
	}
}

// As many as one firing may make are kept at once, each an event of its own.
func TestFireMany(t *testing.T) {
	g := newStage(t)
	for _, tag := range []string{"github:push", "stripe:invoice.paid"} {
		g.keeps = nil
		fired, err := g.Fire(t.Context(), tag, capture.Firing{Count: capture.MostFired})
		if err != nil || len(fired.Events) != capture.MostFired || len(g.keeps) != 1 {
			t.Fatalf("%s: %d events in %d keeps, %v", tag, len(fired.Events), len(g.keeps), err)
		}
		ids, own := map[capture.ID]bool{}, map[string]bool{}
		for _, e := range fired.Events {
			ids[e.ID], own[e.ProviderID] = true, true
			if e.Seq == 0 || e.Signature.Verdict != capture.Valid {
				t.Fatalf("%s: %+v", tag, e)
			}
		}
		if len(ids) != capture.MostFired || len(own) != capture.MostFired || own[""] {
			t.Errorf("%s: %d ids, %d of the provider", tag, len(ids), len(own))
		}
	}
	for _, n := range []int{-1, capture.MostFired + 1, 1e9} {
		var wrong *capture.FieldError
		if _, err := g.Fire(t.Context(), "github:push", capture.Firing{Count: n}); !errors.As(err, &wrong) || wrong.Field != "count" {
			t.Errorf("%d: %v", n, err)
		}
	}
}

// However large, what is made and not kept yet is never more than some.
func TestFireLarge(t *testing.T) {
	g := newStage(t)
	big, err := json.Marshal(strings.Repeat("x", 1<<20-100))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := g.CreateType(t.Context(), "shop:big", capture.EventTypeSpec{Sample: capture.Sample{Body: big}}, ""); err != nil {
		t.Fatal(err)
	}
	fired, err := g.Fire(t.Context(), "shop:big", capture.Firing{Count: 20})
	if err != nil || len(fired.Events) != 20 {
		t.Fatalf("%d events, %v", len(fired.Events), err)
	}
	for _, changes := range g.keeps {
		size := 0
		for _, c := range changes {
			size += len(c.Body)
		}
		if size > 17<<20 {
			t.Errorf("%d bytes at once", size)
		}
	}
}

// A seed makes the same again, in every event of a firing, and another another.
func TestFireSeeds(t *testing.T) {
	g := newStage(t)
	sample := capture.Sample{Path: "/{id}", Headers: map[string]string{"X-A": "{{uuid}}", "X-B": "{{int 1 100000}}"}, Params: map[string]json.RawMessage{"id": json.RawMessage(`"{{uuid}}"`)},
		Query: map[string]json.RawMessage{"a": json.RawMessage(`"{{email}}"`), "b": json.RawMessage(`"{{uuid}}"`)}, Body: json.RawMessage(`{"a":"{{uuid}}","b":["{{email}}"]}`)}
	if _, err := g.CreateType(t.Context(), "shop:x", capture.EventTypeSpec{Sample: sample}, ""); err != nil {
		t.Fatal(err)
	}
	fire := func(seed int64) (all []string) {
		fired, err := g.Fire(t.Context(), "shop:x", capture.Firing{Seed: seed, Count: 5})
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range fired.Events {
			body, err := g.store.Body(t.Context(), e.ID)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, fmt.Sprintf("%s %q %s", e.Target, e.Headers, body))
		}
		return all
	}
	first, same, other, random := fire(7), fire(7), fire(8), fire(0)
	if !slices.Equal(first, same) {
		t.Errorf("the same seed made\n%q and\n%q", first, same)
	}
	seen := map[string]bool{}
	for _, text := range slices.Concat(first, other, random, fire(0)) {
		seen[text] = true
	}
	if len(seen) != 20 {
		t.Errorf("%d of 20 differ", len(seen))
	}
}

// What cannot be made is said, and nothing is kept.
func TestFireMistakes(t *testing.T) {
	g := newStage(t)
	deep := capture.Pointer(strings.Repeat("/a", 100_000))
	for want, f := range map[string]capture.Firing{
		"set[0].value": {Set: []capture.Setting{{Pointer: "/ref", Value: json.RawMessage("{")}}},
		"set[0]":       {Set: []capture.Setting{{Pointer: deep, Value: json.RawMessage("1")}}},
		"set[1]":       {Set: []capture.Setting{{Pointer: "/ref", Value: json.RawMessage("1")}, {Pointer: "/commits/99999999999999999999", Value: json.RawMessage("1")}}},
		"headers.X":    {Headers: capture.Headers{{"X", "a\r\nEvil: b"}}},
		"headers.X\nY": {Headers: capture.Headers{{"X\nY", "a"}}},
		"headers.":     {Headers: capture.Headers{{"", "a"}}},
		"secret":       {App: capture.DefaultApp, Secret: strings.Repeat("\x00", 1<<20)},
	} {
		tag := "github:push"
		if want == "secret" {
			tag = "discord:PING"
		}
		begun := time.Now()
		_, err := g.Fire(t.Context(), tag, f)
		var wrong *capture.FieldError
		if !errors.As(err, &wrong) || wrong.Field != want && tag == "github:push" {
			t.Errorf("%q: %.200v", want, err)
		}
		if took := time.Since(begun); took > 5*time.Second {
			t.Errorf("%q: it took %s", want, took)
		}
	}
	if len(g.keeps) > 0 {
		t.Errorf("%d were kept", len(g.keeps))
	}
	// Several new members that are like one another are no mistake.
	if _, err := g.Fire(t.Context(), "github:push", capture.Firing{Set: []capture.Setting{
		{Pointer: "/line1", Value: json.RawMessage("{}")}, {Pointer: "/line2", Value: json.RawMessage("2")}, {Pointer: "/line1/a", Value: json.RawMessage("3")}}}); err != nil {
		t.Error(err)
	}
	// What the connection decides is left out, as it is of a sample.
	fired, err := g.Fire(t.Context(), "github:push", capture.Firing{Headers: capture.Headers{{"Content-Length", "5"}, {"transfer-encoding", "chunked"}, {"Host", "evil"}, {"X-Own", "1"}}})
	if err != nil {
		t.Fatal(err)
	}
	if h := fired.Events[0].Headers; h.Has("Content-Length") || h.Has("Transfer-Encoding") || h.Has("Host") || h.First("X-Own") != "1" {
		t.Errorf("made with %q", h)
	}
}

// A type of one's own is signed as its tag says, if nothing else does, and
// reads as it was written.
func TestOwnTypes(t *testing.T) {
	g := newStage(t)
	for _, tag := range []string{"stripe:of.mine", "stripe:a/b", "stripe:..", "stripe:a%2fb"} {
		if _, err := g.CreateType(t.Context(), tag, capture.EventTypeSpec{Sample: capture.Sample{Body: json.RawMessage(`{"id":"evt_1"}`)}}, ""); err != nil {
			t.Fatal(err)
		}
		fired, err := g.Fire(t.Context(), tag, capture.Firing{})
		if err != nil || len(fired.Events) != 1 {
			t.Fatalf("%s: %v", tag, err)
		}
		if e := fired.Events[0]; e.Provider != "stripe" || e.Signature.Verdict != capture.Valid {
			t.Errorf("%s: made of %q, %+v", tag, e.Provider, e.Signature)
		}
		got, err := g.Type(t.Context(), tag)
		if err != nil || got.Sample.Headers == nil || got.Sample.Query == nil || got.Sample.Params == nil {
			t.Errorf("%s: %v, %+v", tag, err, got.Sample)
		}
	}
	all, err := g.Types(t.Context(), "stripe")
	for _, got := range all {
		if got.Sample.Headers == nil || got.Sample.Query == nil || got.Sample.Params == nil {
			t.Errorf("%s: %+v, %v", got.Tag, got.Sample, err)
		}
	}
}
