package relay_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/relay"
	"code.hooktape.dev/hooktape/store"
)

// expecting is a registry over s of an app that checks, and a way to send it
// JSON, which returns how that compares.
func expecting(t testing.TB, s *store.Store, mode capture.CheckMode) (*relay.Registry, func(body string, headers ...string) *capture.Conformity) {
	t.Helper()
	r, err := relay.NewRegistry(t.Context(), s, relay.Hooks{Plan: func(*capture.Event, []byte) []*capture.Attempt { return nil }})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.CreateApp(t.Context(), "shop", capture.AppSpec{Check: mode}); err != nil {
		t.Fatal(err)
	}
	addr := serve(t, &relay.Ingest{Keep: s.Keep, Route: r.Route, Check: r.Check, SealTo: r.SealTo, Log: logs(t)})
	return r, func(body string, headers ...string) *capture.Conformity {
		t.Helper()
		lines := append([]string{"POST /in/shop HTTP/1.1", "Host: x", length(body)}, headers...)
		if got := send(t, addr, message(body, lines...)); got.status != 202 {
			t.Fatalf("%s was answered %d", body, got.status)
		}
		return newest(t, s).Conforms
	}
}

// typed is what an event type is made of: a body, and what else is set in it.
func typed(body string, and ...func(*capture.EventTypeSpec)) capture.EventTypeSpec {
	s := capture.EventTypeSpec{Sample: capture.Sample{Body: json.RawMessage(body)}}
	for _, f := range and {
		f(&s)
	}
	return s
}

func by(selector, value string) func(*capture.EventTypeSpec) {
	return func(s *capture.EventTypeSpec) { s.Selector, s.SelectorValue = selector, json.RawMessage(value) }
}

func hasType(t testing.TB, r *relay.Registry, tag string, spec capture.EventTypeSpec) {
	t.Helper()
	if _, err := r.CreateType(t.Context(), tag, spec, ""); err != nil {
		t.Fatal(err)
	}
}

// line is a conformity in a line.
func line(c *capture.Conformity) string {
	if c == nil {
		return "nothing"
	}
	return strings.TrimSpace(fmt.Sprintf("%s %s: %s", c.Verdict, c.Type, strings.Join(c.Problems, "; ")))
}

// What is sent is held against the sample of its event type, and in the strict
// mode must be no more than it.
func TestCheckedAgainstSamples(t *testing.T) {
	for mode, unknown := range map[capture.CheckMode]string{capture.CheckLenient: "warning", capture.CheckStrict: "invalid"} {
		t.Run(string(mode), func(t *testing.T) {
			r, send := expecting(t, memory(t), mode)
			if got := send(`{"event":"order.paid"}`); got != nil {
				t.Errorf("without event types: %s, want nothing", line(got))
			}
			hasType(t, r, "shop:paid", typed(`{"event":"order.paid","order":{"id":"{{uuid}}","total":12,"note":null},"lines":[{"sku":"a"}]}`, by("$Event{event}}", "")))
			hasType(t, r, "shop:sent", typed(`{"event":"order.sent","by":"post"}`, by("event,by", "")))
			hasType(t, r, "shop:order.left", typed(`{"event":"order.gone"}`))
			hasType(t, r, "shop:form", typed(`{"event":"form","a":"b"}`, func(s *capture.EventTypeSpec) {
				s.Sample.Headers = map[string]string{"Content-Type": "application/x-www-form-urlencoded"}
			}))
			hasType(t, r, "other:unseen", typed(`{"event":"unseen"}`))
			for _, tt := range []struct{ body, want string }{
				{`{"event":"order.paid","order":{"id":"x","total":12.5,"note":{"any":1}},"lines":[]}`, "valid shop:paid:"},
				{`{"lines":[{"sku":"b"},{"sku":"c"}],"order":{"total":0,"note":"","id":""},"event":"order.paid"}`, "valid shop:paid:"},
				{`{"event":"order.paid","order":{"id":"x","total":12,"note":1,"vat":2},"lines":[],"at":"now"}`, unknown + " shop:paid: /at: not known; /order/vat: not known"},
				{`{"event":"order.paid","order":{"id":5,"total":"12","note":1},"lines":[{}],"at":1}`,
					"invalid shop:paid: /lines/0/sku: missing; /order/id: got number, want string; /order/total: got string, want number; /at: not known"},
				{`{"event":"order.paid"}`, "invalid shop:paid: /lines: missing; /order: missing"},
				{`{"event":"order.sent","by":"post"}`, "valid shop:sent:"},
				{`{"event":"order.sent","by":"bike"}`, "unmatched :"},
				{`{"event":"order.left"}`, "valid shop:order.left:"}, // its type is the tag's second half,
				{`{"event":"order.gone"}`, "valid shop:order.left:"}, // or the sample's own type
				{`{"event":"unseen"}`, "unmatched :"},
				{`{"event":"order.paid"`, "unmatched :"},
				{`not JSON at all`, "unmatched :"},
				{``, "unmatched :"},
				{`{"event":"order.left","x":"` + strings.Repeat("x", 1<<20) + `"}`, "unchecked : the body is over 1048576 bytes"},
			} {
				if got := line(send(tt.body)); got != tt.want {
					t.Errorf("%.200s:\n got %s\nwant %s", tt.body, got, tt.want)
				}
			}
			if got := line(send("event=form&a=c", "Content-Type: application/x-www-form-urlencoded")); got != "valid shop:form:" {
				t.Errorf("a form: %s", got)
			}
			if got := line(send("event=form", "Content-Type: application/x-www-form-urlencoded")); got != "invalid shop:form: /a: missing" {
				t.Errorf("half a form: %s", got)
			}
			if got := line(send(`{"a":`, "Content-Type: application/json", "X-Event-Type: order.left")); !strings.HasPrefix(got, "invalid shop:order.left: body:") {
				t.Errorf("half a document: %s", got)
			}
			if got := line(send(``, "X-Event-Type: order.left")); got != "invalid shop:order.left: the body is empty" {
				t.Errorf("no body: %s", got)
			}
			var many []string
			for i := range 30 {
				many = append(many, fmt.Sprintf(`"%s%d":1`, strings.Repeat("ä", 150), i))
			}
			got := send(`{"event":"order.left",` + strings.Join(many, ",") + `}`)
			if len(got.Problems) != 10 || got.Problems[9] != "and 21 more" || len(got.Problems[0]) > 200 {
				t.Errorf("of many problems it says %d: %q", len(got.Problems), got.Problems)
			}
		})
	}
}

// A schema goes before the sample, several event types share what is said of
// them, and a change of one counts at once.
func TestCheckedAgainstWhatIsThere(t *testing.T) {
	s := memory(t)
	r, send := expecting(t, s, capture.CheckLenient)
	ctx := t.Context()
	hasType(t, r, "shop:a", typed(`{"type":"x","n":1}`, by("type", ""), func(s *capture.EventTypeSpec) {
		s.Schema = json.RawMessage(`{"properties":{"n":{"minimum":5}}}`)
	}))
	want := func(body, what string) {
		t.Helper()
		if got := line(send(body)); got != what {
			t.Errorf("%s:\n got %s\nwant %s", body, got, what)
		}
	}
	want(`{"type":"x","n":7,"more":1}`, "valid shop:a:")
	want(`{"type":"x","n":3}`, "invalid shop:a: /n: minimum: got 3, want 5")
	hasType(t, r, "shop:b", typed(`{"type":"x","n":3}`, by("type", "")))
	want(`{"type":"x","n":3}`, "valid shop:b:")
	if _, err := r.UpdateType(ctx, "shop:b", json.RawMessage(`{"selector_value":"y"}`)); err != nil {
		t.Fatal(err)
	}
	want(`{"type":"x","n":3}`, "invalid shop:a: /n: minimum: got 3, want 5")
	want(`{"type":"y","n":3}`, "valid shop:b:")
	if err := r.DeleteType(ctx, "shop:b"); err != nil {
		t.Fatal(err)
	}
	want(`{"type":"y","n":3}`, "unmatched :")
	in := []capture.EventType{{Tag: "shop:c", EventTypeSpec: typed(`{"type":"y","n":3}`, by("type", ""))}}
	if _, err := r.CreateCatalog(ctx, "shop", capture.CatalogSpec{}, in); err != nil {
		t.Fatal(err)
	}
	want(`{"type":"y","n":3}`, "valid shop:c:")
	if _, err := r.UpdateType(ctx, "shop:a", json.RawMessage(`{"schema":{"$ref":"https://example.com/other.json"}}`)); err != nil {
		t.Fatal(err)
	}
	if got := line(send(`{"type":"x"}`)); !strings.HasPrefix(got, "unchecked shop:a: ") {
		t.Errorf("a schema that cannot be used: %s", got)
	}
	if _, err := r.UpdateApp(ctx, "shop", json.RawMessage(`{"check":null}`)); err != nil {
		t.Fatal(err)
	}
	want(`{"type":"x"}`, "nothing")

	// What is kept can be asked for, and is checked whichever way it comes.
	if _, err := r.UpdateApp(ctx, "shop", json.RawMessage(`{"check":"strict"}`)); err != nil {
		t.Fatal(err)
	}
	if page, err := s.Events(ctx, capture.Query{Filter: "schema:invalid", Limit: 10}); err != nil || len(page.Rows) != 2 {
		t.Errorf("schema:invalid finds %d events, %v, want 2", len(page.Rows), err)
	}
	hasType(t, r, "shop:made", typed(`{"id":1}`))
	e, _, err := r.Emit(ctx, "shop", capture.Emission{Type: "made", Data: json.RawMessage(`{"id":"1"}`)})
	if got := line(e.Conforms); err != nil || got != "invalid shop:made: /id: got string, want number" {
		t.Errorf("emitted: %s, %v", got, err)
	}
	fired, err := r.Fire(ctx, "shop:made", capture.Firing{App: "shop", Set: []capture.Setting{{Pointer: "/id", Value: json.RawMessage("null")}}})
	if err != nil || line(fired.Events[0].Conforms) != "invalid shop:made: /id: got null, want number" {
		t.Errorf("fired: %+v, %v", fired, err)
	}
}

// What could not be checked by is refused.
func TestSelectorsAreChecked(t *testing.T) {
	r, _ := expecting(t, memory(t), "")
	for field, spec := range map[string]capture.EventTypeSpec{
		"selector":        typed(`{"a":{}}`, by("a", "")),
		"selector ":       typed(`{"a":1}`, by("$Event{}", "")),
		"selector_value":  typed(`{"a":1}`, by("a", `{"x":1}`)),
		"selector_value ": typed(`{"a":1}`, by("", `1`)),
	} {
		var wrong *capture.FieldError
		if _, err := r.CreateType(t.Context(), "shop:x", spec, ""); !errors.As(err, &wrong) || wrong.Field != strings.TrimSpace(field) {
			t.Errorf("%+v: got %v, want an error about %s", spec, err, field)
		}
	}
	// Without a sample it cannot tell yet.
	if _, err := r.CreateType(t.Context(), "shop:x", typed("", by("a,b.c", "")), ""); err != nil {
		t.Error(err)
	}
	for field, patch := range map[string]string{"check": `{"check":"loose"}`, "metadata": `{"metadata":[]}`} {
		var wrong *capture.FieldError
		if _, err := r.UpdateApp(t.Context(), "shop", json.RawMessage(patch)); !errors.As(err, &wrong) || wrong.Field != field {
			t.Errorf("%s: got %v, want an error about %s", patch, err, field)
		}
	}
}

// An app that does not check pays for a look into a map.
func BenchmarkCheckOff(b *testing.B) {
	r, _ := expecting(b, memory(b), "")
	e := &capture.Event{App: "shop", Headers: capture.Headers{{"Content-Type", "application/json"}}}
	for b.Loop() {
		r.Check(e, []byte(`{"event":"order.paid"}`))
	}
}

func BenchmarkCheck(b *testing.B) {
	r, _ := expecting(b, memory(b), capture.CheckLenient)
	const body = `{"event":"order.paid","order":{"id":"x","total":12,"note":null},"lines":[{"sku":"a"}]}`
	hasType(b, r, "shop:paid", typed(body, by("event", "")))
	e := &capture.Event{App: "shop", Headers: capture.Headers{{"Content-Type", "application/json"}}}
	for b.Loop() {
		r.Check(e, []byte(body))
	}
}
