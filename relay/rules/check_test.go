package rules_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"code.hooktape.dev/hooktape/capture"
	. "code.hooktape.dev/hooktape/relay/rules"
)

func ptr[T any](v T) *T { return &v }

const second = capture.Duration(time.Second)

func TestCheck(t *testing.T) {
	mock := func(m capture.Mock) capture.RuleSpec { return capture.RuleSpec{Mock: &m} }
	fault := func(f capture.Fault) capture.RuleSpec { return capture.RuleSpec{Fault: &f} }
	delay := func(d capture.Delay) capture.RuleSpec { return mock(capture.Mock{Delay: &d}) }
	many := make([]capture.Mock, 1001)
	large := make([]capture.Mock, 17)
	for i := range large {
		large[i].Body = strings.Repeat("x", 64<<10)
	}
	for _, c := range []struct {
		spec capture.RuleSpec
		want string // "" is right
	}{
		{capture.RuleSpec{Pass: true}, ""},
		{capture.RuleSpec{}, "mock: want exactly one"},
		{capture.RuleSpec{Pass: true, Mock: &capture.Mock{}}, "mock: want exactly one"},
		{capture.RuleSpec{Fault: &capture.Fault{Kind: "reset"}, Mock: &capture.Mock{}}, "mock: want exactly one"},
		{capture.RuleSpec{Pass: true, Name: strings.Repeat("ü", 200)}, ""},
		{capture.RuleSpec{Pass: true, Name: strings.Repeat("ü", 201)}, "name: "},
		{capture.RuleSpec{Pass: true, App: "Shop"}, "app: "},
		{capture.RuleSpec{Pass: true, On: "both"}, `on: "both"`},
		{capture.RuleSpec{Pass: true, Match: "tpye:x"}, "match: "},
		{capture.RuleSpec{Pass: true, Match: "type:invoice.* body.amount:>5"}, ""},
		{capture.RuleSpec{Pass: true, Probability: ptr(1.5)}, "probability: "},
		{capture.RuleSpec{Pass: true, Probability: ptr(math.NaN())}, "probability: "},
		{capture.RuleSpec{Pass: true, Probability: ptr(0.0)}, ""},
		{capture.RuleSpec{Pass: true, Times: -1}, "times: "},
		{capture.RuleSpec{Pass: true, Scenario: &capture.Scenario{When: "x"}}, "scenario.name: "},
		{capture.RuleSpec{Pass: true, Scenario: &capture.Scenario{Name: "x", Then: strings.Repeat("x", 201)}}, "scenario.then: "},
		{capture.RuleSpec{Mock: &capture.Mock{}, Send: ptr(true)}, "send: only rules on delivery"},
		{capture.RuleSpec{Mock: &capture.Mock{}, Send: ptr(true), On: capture.OnDelivery}, ""},
		{capture.RuleSpec{Pass: true, Send: ptr(false), On: capture.OnDelivery}, "send: what passes"},

		{mock(capture.Mock{Status: 199}), "mock.status: 199"},
		{mock(capture.Mock{Status: 600}), "mock.status: 600"},
		{mock(capture.Mock{Body: "{{uid}}"}), "mock.body: line 1, column 3: unknown word"},
		{mock(capture.Mock{Body: strings.Repeat("x", 64<<10+1)}), "mock.body: want at most 64 KiB"},
		{mock(capture.Mock{Headers: map[string]string{"X-A": "{{n", "X-B": "1"}}), "mock.headers.X-A: "},
		{mock(capture.Mock{Headers: map[string]string{"X A": "1"}}), "mock.headers.X A: want a name"},
		{mock(capture.Mock{Headers: map[string]string{"": "1"}}), "mock.headers.: want a name"},
		{mock(capture.Mock{Headers: map[string]string{"content-Length": "1"}}), "mock.headers.content-Length: is decided"},
		{mock(capture.Mock{Headers: map[string]string{"X-A": "1", "x-a": "2"}}), "mock.headers.x-a: is there twice"},
		{mock(capture.Mock{Headers: map[string]string{"X-A": "1\r\nSet-Cookie: x"}}), "mock.headers.X-A: want a value of one line"},
		{mock(capture.Mock{Headers: map[string]string{"X-A": strings.Repeat("x", 16<<10)}}), "mock.headers.X-A: want at most 16 KiB"},
		{mock(capture.Mock{Sequence: []capture.Mock{{}, {Status: 99}}}), "mock.sequence[1].status: 99"},
		{mock(capture.Mock{Sequence: []capture.Mock{{Sequence: []capture.Mock{{}}}}}), "mock.sequence[0].sequence: "},
		{mock(capture.Mock{Sequence: many}), "mock.sequence: 1001 answers"},
		{mock(capture.Mock{Sequence: many[:1000]}), ""},
		{mock(capture.Mock{Sequence: large}), "mock.sequence: want at most 1 MiB"},
		{mock(capture.Mock{Cycle: true}), "mock.cycle: "},

		{fault(capture.Fault{}), "fault.kind: "},
		{fault(capture.Fault{Kind: "resett"}), `fault.kind: "resett": did you mean "reset"?`},
		{fault(capture.Fault{Kind: capture.FaultReset, Status: 500}), "fault.status: only"},
		{fault(capture.Fault{Kind: capture.FaultStatus, Status: 200}), "fault.status: 200"},
		{fault(capture.Fault{Kind: capture.FaultStatus, Status: 429}), ""},
		{fault(capture.Fault{Kind: capture.FaultDrip, Delay: &capture.Delay{Fixed: -1}}), "fault.delay.fixed_ms: "},

		{delay(capture.Delay{}), ""},
		{delay(capture.Delay{Fixed: 60 * second}), ""},
		{delay(capture.Delay{Fixed: 61 * second}), "mock.delay.fixed_ms: "},
		{delay(capture.Delay{Min: second, Max: 2 * second}), ""},
		{delay(capture.Delay{Min: 2 * second, Max: second}), "mock.delay.max_ms: "},
		{delay(capture.Delay{Median: second, Sigma: 0.5, Max: 5 * second}), ""},
		{delay(capture.Delay{Median: second, Sigma: 4}), "mock.delay.sigma: "},
		{delay(capture.Delay{Median: second, Sigma: math.NaN()}), "mock.delay.sigma: "},
		{delay(capture.Delay{Fixed: second, Sigma: 1}), "mock.delay.sigma: "},
		{delay(capture.Delay{Fixed: second, Max: second}), "mock.delay: want fixed_ms, or"},
		{delay(capture.Delay{Median: second, Min: second, Max: second}), "mock.delay: want fixed_ms, or"},
	} {
		err := Check(&c.spec)
		var field *capture.FieldError
		if c.want == "" && err != nil || c.want != "" && (!errors.As(err, &field) || !strings.HasPrefix(err.Error(), c.want)) {
			t.Errorf("%+v: %v; want %q", c.spec, err, c.want)
		}
	}
}

func TestPutRefusesAllForOne(t *testing.T) {
	s := New(nil)
	good := capture.Rule{ID: "rul_1", RuleSpec: capture.RuleSpec{Mock: &capture.Mock{Body: "old"}}}
	if err := s.Put([]capture.Rule{good}); err != nil {
		t.Fatal(err)
	}
	for want, rules := range map[string][]capture.Rule{
		"rules[1].match: ":     {good, {ID: "rul_2", RuleSpec: capture.RuleSpec{Pass: true, Match: "("}}},
		"rules[0].mock.body: ": {{ID: "rul_2", RuleSpec: capture.RuleSpec{Mock: &capture.Mock{Body: "{{"}}}},
		"rules[1].id: ":        {good, good},
		"rules[0].id: ":        {{RuleSpec: good.RuleSpec}},
		"rules: 10001: ":       numbered(10_001, func(int) capture.RuleSpec { return good.RuleSpec }),
	} {
		var field *capture.FieldError
		if err := s.Put(rules); !errors.As(err, &field) || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	if a, ok := s.Ingest(event("x"), nil); !ok || string(a.Body) != "old" {
		t.Errorf("what was there before has gone: %+v", a)
	}
}

// numbered are n rules, in order.
func numbered(n int, spec func(i int) capture.RuleSpec) []capture.Rule {
	rules := make([]capture.Rule, n)
	for i := range rules {
		rules[i] = capture.Rule{ID: capture.ID(fmt.Sprintf("rul_%d", i)), Place: int64(i), RuleSpec: spec(i)}
	}
	return rules
}

func event(kind string) *capture.Event {
	return &capture.Event{ID: capture.NewID(capture.EventID), App: "shop", Type: kind, Method: "POST", Target: "/hook?a=1",
		Headers: capture.Headers{{"Host", "x"}, {"Content-Type", "application/json"}}}
}

// What Check lets through can be put and asked.
func FuzzCheck(f *testing.F) {
	for _, seed := range []string{
		`{"match":"body.a:1","mock":{"status":201,"headers":{"X-A":"{{body.a}}"},"body":"{{uuid}}","delay":{"median_ms":5,"sigma":0.5}}}`,
		`{"on":"delivery","send":true,"fault":{"kind":"drip","delay":{"min_ms":1,"max_ms":2}},"probability":0.5,"times":3}`,
		`{"mock":{"sequence":[{"body":"a"},{"status":500}],"cycle":true},"scenario":{"name":"s","when":"started","then":"x"}}`,
		`{"pass":true,"app":"shop"}`,
	} {
		f.Add(seed, `{"a":1}`)
	}
	f.Fuzz(func(t *testing.T, text, body string) {
		var spec capture.RuleSpec
		if json.Unmarshal([]byte(text), &spec) != nil {
			return
		}
		s, checked := New(nil), Check(&spec)
		if err := s.Put([]capture.Rule{{ID: "rul_1", RuleSpec: spec}}); (err == nil) != (checked == nil) {
			t.Fatalf("Check: %v, Put: %v", checked, err)
		}
		s.Explain(event("x"), []byte(body))
		for try := range 3 {
			for _, ask := range []func() (*Act, bool){
				func() (*Act, bool) { return s.Ingest(event("x"), []byte(body)) },
				func() (*Act, bool) { return s.Delivery(event("x"), []byte(body), try) },
			} {
				a, ok := ask()
				if ok && (checked != nil || a.Status < 200 || a.Status > 599 || a.Delay < 0 || a.Delay > time.Minute) {
					t.Errorf("%s does %+v", text, a)
				}
			}
		}
	})
}
