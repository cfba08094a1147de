package match_test

import (
	"encoding/json"
	"errors"
	"slices"
	"testing"
	"unicode/utf8"

	"code.hooktape.dev/hooktape/capture"
	. "code.hooktape.dev/hooktape/capture/match"
)

// FuzzSubscribe compiles or refuses whatever a caller sends, and asks what
// compiles about any body: alone, explained, and in a set with others.
func FuzzSubscribe(f *testing.F) {
	bodies := []string{orderBody, pushBody, `{"a":{"b":[1,"x"]}}`, `[[[[`, `{"a":`, "a=1&a.b=%7B%22c%22:1%7D", `{"a":"\ud800"}`, `{"a":1e99999}`, "null", `"x"`, "\xff{", `{"a":-0,"a":[{"a":null}]}`, ""}
	for i, spec := range []string{
		`{}`, `{"filter":"body.a:>1 or type:push","subscriptions":[{"type":"a*b","source":"*","exact":true},{"filter":"!x"}]}`,
		`{"subscriptions":[{"conditions":[{"key":"a.b","condition":"between","value":{"min":"0x1","max":1e3}},{"key":"a","condition":"regexp","value":"^[\\s-z]\\u0041.{2}(?<n>x)*$"}]}]}`,
		`{"subscriptions":[{"conditions":[{"key":"a","condition":"contains","value":[1]},{"key":"0","condition":"not-between"},{"key":"b","condition":"falsy"},{"key":"c","condition":"eq","value":{"b":1,"1":null}}]}]}`,
		`{"subscriptions":[{"filter_rules":{"a.b":{"$in":[1,"x"],"$exists":true},"$or":[{"a":{"$gte":"x"}},{"$and":[{"b":{"$contains":{"c":[]}}}]}]}}]}`,
		`{"subscriptions":[{"filter_rules":{"a":{"$ne":-0.0},"b":null,"c":{"$nin":[]},"d":{"$lt":1e999}}},{"filter_rules":{"a":{"$eg":1}}}]}`,
	} {
		for j := range bodies {
			f.Add([]byte(spec), []byte(bodies[(i+j)%len(bodies)]))
		}
	}
	others := []*Predicate{subscribe(f, kinds["rows"](1)), subscribe(f, kinds["rules"](1)), parse(f, `body.a:1 or body."0":x or body.a.b.c:*`)}
	f.Fuzz(func(t *testing.T, text, body []byte) {
		var spec capture.EndpointSpec
		if json.Unmarshal(text, &spec) != nil {
			return
		}
		p, err := Subscribe(&spec)
		if err != nil {
			var e *capture.FieldError
			if !errors.As(err, &e) || e.Field == "" || e.Problem == "" || !utf8.ValidString(err.Error()) {
				t.Fatalf("error %#v", err)
			}
			return
		}
		for _, row := range []*capture.Row{push(), form(stray())} {
			s := subject(row, string(body))
			got := p.Match(s)
			misses := p.Explain(s)
			if got != (len(misses) == 0) {
				t.Fatalf("%s: Match %v, Explain %v", p, got, misses)
			}
			for _, m := range misses {
				if utf8.RuneCountInString(m.Got) > 80 {
					t.Fatalf("%s: %q", p, m.Got)
				}
			}
			if got {
				sound(t, p, row)
			}
			in := NewSet(slices.Insert(slices.Clone(others), 1, p)).Match(s)
			if slices.Contains(in, 1) != got {
				t.Fatalf("%s: Match %v, a Set's %v", p, got, in)
			}
		}
	})
}
