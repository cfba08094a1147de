package rules_test

import (
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"code.hooktape.dev/hooktape/capture"
	. "code.hooktape.dev/hooktape/relay/rules"
)

// put makes a set of rules that are in order.
func put(t testing.TB, specs ...capture.RuleSpec) *Set {
	t.Helper()
	s := New(rand.New(rand.NewPCG(1, 2)))
	if err := s.Put(numbered(len(specs), func(i int) capture.RuleSpec { return specs[i] })); err != nil {
		t.Fatal(err)
	}
	return s
}

func says(body string) *capture.Mock { return &capture.Mock{Body: body} }

// told is what each of n events is answered, "-" where no rule answers.
func told(s *Set, n int, kind string) (all string) {
	for range n {
		if a, ok := s.Ingest(event(kind), []byte(`{"amount":7}`)); ok {
			all += string(a.Body) + " "
		} else {
			all += "- "
		}
	}
	return strings.TrimSpace(all)
}

func TestTheFirstThatApplies(t *testing.T) {
	for name, c := range map[string]struct {
		rules []capture.RuleSpec
		want  string // of four events
	}{
		"none":     {nil, "- - - -"},
		"match":    {[]capture.RuleSpec{{Match: "type:other", Mock: says("a")}, {Match: "body.amount:>5", Mock: says("b")}, {Mock: says("c")}}, "b b b b"},
		"disabled": {[]capture.RuleSpec{{Disabled: true, Mock: says("a")}, {Mock: says("b")}}, "b b b b"},
		"apps":     {[]capture.RuleSpec{{App: "other", Mock: says("a")}, {App: "shop", Times: 1, Mock: says("b")}, {Times: 1, Mock: says("c")}, {App: "shop", Mock: says("d")}}, "b c d d"},
		"side":     {[]capture.RuleSpec{{On: capture.OnDelivery, Mock: says("a")}}, "- - - -"},
		"pass":     {[]capture.RuleSpec{{Times: 2, Pass: true}, {Mock: says("a")}}, "- - a a"},
		"times":    {[]capture.RuleSpec{{Times: 1, Mock: says("a")}, {Times: 2, Mock: says("b")}}, "a b b -"},
		"never":    {[]capture.RuleSpec{{Probability: ptr(0.0), Mock: says("a")}, {Probability: ptr(1.0), Mock: says("b")}}, "b b b b"},
		"scenario": {[]capture.RuleSpec{
			{Scenario: &capture.Scenario{Name: "s", When: "paid", Then: "sent"}, Mock: says("a:{{rule.state}}")},
			{Scenario: &capture.Scenario{Name: "s", When: "started", Then: "paid"}, Mock: says("b:{{rule.state}}")},
			{Scenario: &capture.Scenario{Name: "s"}, Mock: says("c:{{rule.state}}")},
		}, "b:started a:paid c:sent c:sent"},
		"sequence": {[]capture.RuleSpec{{Mock: &capture.Mock{Body: "m{{n}}", Sequence: []capture.Mock{{Body: "a"}, {}, {Body: "c{{rule.hits}}"}}}}}, "a m1 c3 c4"},
		"cycle":    {[]capture.RuleSpec{{Mock: &capture.Mock{Cycle: true, Sequence: []capture.Mock{{Body: "a"}, {Body: "b"}}}}}, "a b a b"},
	} {
		if got := told(put(t, c.rules...), 4, "order.paid"); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

func TestOrderIsFilesThenPlace(t *testing.T) {
	s := New(nil)
	spec := func(body string) capture.RuleSpec { return capture.RuleSpec{Times: 1, Mock: says(body)} }
	if err := s.Put([]capture.Rule{{ID: "a", Place: 5, RuleSpec: spec("five")}, {ID: "b", Place: -1, RuleSpec: spec("minus")},
		{ID: "c", Place: 9, File: "hooktape.yaml", RuleSpec: spec("file9")}, {ID: "d", Place: 8, File: "hooktape.yaml", RuleSpec: spec("file8")}}); err != nil {
		t.Fatal(err)
	}
	if got := told(s, 5, "x"); got != "file8 file9 minus five -" {
		t.Errorf("asked as %s", got)
	}
	var ids []capture.ID
	for _, row := range s.Rows() {
		ids = append(ids, row.ID)
	}
	if !slices.Equal(ids, []capture.ID{"d", "c", "b", "a"}) {
		t.Errorf("listed as %v", ids)
	}
}

func TestProbability(t *testing.T) {
	s := put(t, capture.RuleSpec{Probability: ptr(0.3), Mock: says("a")})
	n := strings.Count(told(s, 1000, "x"), "a")
	if n < 250 || n > 350 {
		t.Errorf("applied %d times of 1000, want about 300", n)
	}
	if again := strings.Count(told(put(t, capture.RuleSpec{Probability: ptr(0.3), Mock: says("a")}), 1000, "x"), "a"); again != n {
		t.Errorf("the same seed applies it %d times and %d", n, again)
	}
}

func TestPutKeepsWhatStays(t *testing.T) {
	s := New(nil)
	scenario := &capture.Scenario{Name: "s", Then: "on"}
	both := numbered(2, func(i int) capture.RuleSpec { return capture.RuleSpec{Times: 2, Mock: says("a"), Scenario: scenario} })
	for _, rules := range [][]capture.Rule{both, both[:1], nil, both} {
		if err := s.Put(rules); err != nil {
			t.Fatal(err)
		}
		if len(rules) == 0 {
			if got := told(s, 1, "x"); got != "-" || s.Rows() != nil || s.Explain(event("x"), nil) != nil {
				t.Errorf("without rules: %s, %v", got, s.Rows())
			}
			continue
		}
		e := event("x")
		s.Ingest(e, nil)
		row := s.Rows()[0]
		if row.Event != e.ID || row.LastHit.IsZero() || row.State != "on" {
			t.Errorf("row %+v", row)
		}
	}
	rows := s.Rows()
	if rows[0].Hits != 1 || rows[1].Hits != 0 {
		t.Errorf("%d and %d hits: what goes begins anew", rows[0].Hits, rows[1].Hits)
	}
	if err := s.Put(both); err != nil || s.Rows()[0].Hits != 1 {
		t.Errorf("%d hits, want the 1 there was: %v", s.Rows()[0].Hits, err)
	}
}

func TestReset(t *testing.T) {
	specs := []capture.RuleSpec{
		{Scenario: &capture.Scenario{Name: "s", When: "started", Then: "on"}, Mock: &capture.Mock{Sequence: []capture.Mock{{Body: "a"}, {Body: "b"}}}},
		{Times: 1, Mock: says("c")},
	}
	s := put(t, specs...)
	told(s, 3, "x")
	if got := told(s, 1, "x"); got != "-" {
		t.Fatalf("not spent: %s", got)
	}
	if err := s.Reset("rul_0"); err != nil {
		t.Fatal(err)
	}
	if got := told(s, 2, "x"); got != "a -" {
		t.Errorf("one was reset: %s, want a -", got)
	}
	if err := s.Reset(""); err != nil {
		t.Fatal(err)
	}
	if got := told(s, 3, "x"); got != "a c -" {
		t.Errorf("all were reset: %s, want a c -", got)
	}
	if err := s.Reset("rul_9"); !errors.Is(err, capture.ErrNotFound) {
		t.Errorf("%v, want ErrNotFound", err)
	}
}

func TestTimesAreCountedOnce(t *testing.T) {
	s := put(t, capture.RuleSpec{Times: 500, Mock: says("{{rule.hits}}")}, capture.RuleSpec{Pass: true})
	var applied atomic.Int64
	var seen sync.Map
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 100 {
				if a, ok := s.Ingest(event("x"), nil); ok {
					applied.Add(1)
					if _, twice := seen.LoadOrStore(string(a.Body), true); twice {
						t.Errorf("hit %s came twice", a.Body)
					}
				}
				s.Rows()
				s.Explain(event("x"), nil)
			}
		})
	}
	wg.Go(func() {
		for range 100 {
			rules := numbered(2, func(i int) capture.RuleSpec {
				return []capture.RuleSpec{{Times: 500, Mock: says("{{rule.hits}}")}, {Pass: true}}[i]
			})
			if err := s.Put(rules); err != nil {
				t.Error(err)
			}
		}
	})
	wg.Wait()
	if applied.Load() != 500 {
		t.Errorf("applied %d times, want 500", applied.Load())
	}
}

func TestDelivery(t *testing.T) {
	s := put(t, capture.RuleSpec{On: capture.OnDelivery, Match: "try:<2", Fault: &capture.Fault{Kind: capture.FaultReset}},
		capture.RuleSpec{On: capture.OnDelivery, Match: "is:retry", Mock: says("again")})
	for try, want := range map[int]string{1: "reset", 2: "reset", 3: "again", 4: "again"} {
		a, ok := s.Delivery(event("x"), nil, try)
		if got := string(a.Fault); !ok || got != want && string(a.Body) != want || a.Send != (got != "") {
			t.Errorf("try %d: %+v, want %s", try, a, want)
		}
	}
}

func TestAnswersAreFilled(t *testing.T) {
	s := put(t, capture.RuleSpec{Name: "pay", Mock: &capture.Mock{
		Status: 201, Headers: map[string]string{"X-Amount": "{{body.amount}} {{body.note}}", "X-Plain": "1"},
		Body: `{"id":"{{event.id}}","n":{{n}}}`, Delay: &capture.Delay{Fixed: second},
		Sequence: []capture.Mock{{}, {Status: 204, Headers: map[string]string{"x-other": "2"}, Delay: &capture.Delay{}}},
	}})
	e := event("x")
	a, _ := s.Ingest(e, []byte(`{"amount":7,"note":"a\r\nSet-Cookie: b\u0000"}`))
	want := Act{Rule: "rul_0", Name: "pay", Status: 201, Delay: time.Second, Body: []byte(`{"id":"` + string(e.ID) + `","n":0}`),
		Headers: capture.Headers{{"X-Amount", "7 a  Set-Cookie: b"}, {"X-Plain", "1"}, {"Content-Type", "application/json"}}}
	if a.Rule != want.Rule || a.Name != want.Name || a.Status != want.Status || a.Delay != want.Delay || string(a.Body) != string(want.Body) || !slices.Equal(a.Headers, want.Headers) {
		t.Errorf("got  %+v\nwant %+v", *a, want)
	}
	a, _ = s.Ingest(e, nil)
	if a.Status != 204 || len(a.Body) > 0 || a.Delay != 0 || !slices.Equal(a.Headers, capture.Headers{{"x-other", "2"}}) {
		t.Errorf("the second is %+v", *a)
	}
	s = put(t, capture.RuleSpec{Name: "long", Mock: says("{{body}}{{body}}")})
	if a, _ = s.Ingest(e, []byte(`"`+strings.Repeat("x", 1<<19+1)+`"`)); a.Status != 500 || !strings.HasPrefix(string(a.Body), "rule long: fill: ") {
		t.Errorf("a template that cannot be filled answers %d %.60s", a.Status, a.Body)
	}
}

func TestFilledHeadersAreBounded(t *testing.T) {
	s := put(t, capture.RuleSpec{Mock: &capture.Mock{Headers: map[string]string{"X-A": "{{body}}", "X-B": "{{body}}"}}})
	for size, want := range map[int]int{8 << 10: 500, 8<<10 - 3: 200} {
		if a, _ := s.Ingest(event("x"), []byte(strings.Repeat("x", size))); a.Status != want {
			t.Errorf("two headers of %d bytes: %d %s, want %d", size, a.Status, a.Body, want)
		}
	}
}

func TestDelaysAreDrawn(t *testing.T) {
	for name, c := range map[string]struct {
		delay    capture.Delay
		min, max time.Duration
	}{
		"none":       {capture.Delay{}, 0, 0},
		"fixed":      {capture.Delay{Fixed: second}, time.Second, time.Second},
		"even":       {capture.Delay{Min: second, Max: 2 * second}, time.Second, 2 * time.Second},
		"up to":      {capture.Delay{Max: second}, 0, time.Second},
		"log-normal": {capture.Delay{Median: second, Sigma: 0.5}, 100 * time.Millisecond, time.Minute},
		"cut":        {capture.Delay{Median: second, Sigma: 3, Max: 2 * second}, 0, 2 * time.Second},
		"a minute":   {capture.Delay{Median: 60 * second, Sigma: 3}, 0, time.Minute},
	} {
		s := put(t, capture.RuleSpec{Mock: &capture.Mock{Delay: &c.delay}})
		var all []time.Duration
		for range 999 {
			a, _ := s.Ingest(event("x"), nil)
			all = append(all, a.Delay)
		}
		slices.Sort(all)
		if all[0] < c.min || all[998] > c.max {
			t.Errorf("%s: from %v to %v, want %v to %v", name, all[0], all[998], c.min, c.max)
		}
		if mid := all[499]; c.delay.Sigma == 0.5 && (mid < 800*time.Millisecond || mid > 1200*time.Millisecond) {
			t.Errorf("%s: the median is %v, want about 1s", name, mid)
		}
	}
}

func TestExplain(t *testing.T) {
	s := put(t,
		capture.RuleSpec{Match: "type:other body.amount:>10", Mock: says("a")},
		capture.RuleSpec{Disabled: true, Mock: says("b")},
		capture.RuleSpec{App: "till", Mock: says("c")},
		capture.RuleSpec{Times: 1, Mock: says("d")},
		capture.RuleSpec{Scenario: &capture.Scenario{Name: "s", When: "on"}, Mock: says("e")},
		capture.RuleSpec{Probability: ptr(0.25), Mock: says("f")},
		capture.RuleSpec{On: capture.OnDelivery, Match: "is:pending", Pass: true},
		capture.RuleSpec{Name: "this", Mock: says("g")},
		capture.RuleSpec{Mock: says("h")},
	)
	if got := told(s, 1, "order.paid"); got != "d" {
		t.Fatal(got)
	}
	before := s.Rows()
	all := s.Explain(event("order.paid"), []byte(`{"amount":7}`))
	for i, want := range []string{
		`type:other: type is "order.paid"|body.amount:>10: body.amount is 7`, "it is disabled", `it is for the app "till", and the event is of "shop"`,
		"it is spent: it has applied as often as it may (times: 1)", `its scenario is in the state "started", and it applies in "on"`,
		"it is left to chance: it applies to 25 % of what matches", "", "", `rule "this" applies before it`,
	} {
		x := all[i]
		if got := strings.Join(x.Why, "|"); got != want || x.Applies != (want == "") || x.Matches != (i > 0) {
			t.Errorf("rule %d: %+v, want %s", i, x, want)
		}
	}
	if after := s.Rows(); !slices.EqualFunc(before, after, func(a, b capture.RuleRow) bool { return a.Hits == b.Hits }) {
		t.Error("explaining counts")
	}
}

// A wait ends when it is over, or with what it is for.
func TestSenderWaits(t *testing.T) {
	for name, c := range map[string]struct {
		delay   *capture.Delay
		kind    capture.FaultKind
		timeout time.Duration
		want    time.Duration
		class   string
	}{
		"mock":          {&capture.Delay{Fixed: 3 * second}, "", 0, 3 * time.Second, ""},
		"mock too late": {&capture.Delay{Fixed: 3 * second}, "", 2 * time.Second, 2 * time.Second, capture.FailTimeout},
		"timeout":       {nil, capture.FaultTimeout, 15 * time.Second, 15 * time.Second, capture.FailTimeout},
		"long timeout":  {nil, capture.FaultTimeout, 0, 60 * time.Second, capture.FailTimeout},
		"short timeout": {&capture.Delay{Fixed: second}, capture.FaultTimeout, 0, time.Second, capture.FailTimeout},
		"drip":          {nil, capture.FaultDrip, 0, 10 * time.Second, ""},
		"late reset":    {&capture.Delay{Fixed: second}, capture.FaultReset, 0, time.Second, capture.FailReset},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				spec := capture.RuleSpec{On: capture.OnDelivery, Send: ptr(false), Mock: &capture.Mock{Delay: c.delay}}
				if c.kind != "" {
					spec.Mock, spec.Fault = nil, &capture.Fault{Kind: c.kind, Delay: c.delay}
				}
				sender := &Sender{Rules: put(t, spec), Timeout: c.timeout}
				a, begun := &capture.Attempt{Number: 1}, time.Now()
				sender.Send(t.Context(), event("x"), nil, a)
				if got := time.Since(begun); got != c.want || time.Duration(a.Duration) != got {
					t.Errorf("took %v, and says %v; want %v", got, a.Duration, c.want)
				}
				if got := class(a); got != c.class || a.Rule != "rul_0" {
					t.Errorf("%+v: failed as %q, want %q", a, got, c.class)
				}
			})
		})
	}
}

func class(a *capture.Attempt) string {
	if a.Error == nil {
		return ""
	}
	return a.Error.Class
}
