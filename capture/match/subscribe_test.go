package match_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"code.hooktape.dev/hooktape/capture"
	. "code.hooktape.dev/hooktape/capture/match"
)

func subscribe(t testing.TB, subs ...capture.Subscription) *Predicate {
	t.Helper()
	p, err := Subscribe(&capture.EndpointSpec{Subscriptions: subs})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// short checks that what a person is shown is short and has no control
// characters.
func short(t *testing.T, misses []Miss) {
	t.Helper()
	for _, m := range misses {
		if utf8.RuneCountInString(m.Got) > 80 || utf8.RuneCountInString(m.Term) > 81 || strings.ContainsAny(m.String(), "\x1b\x7f\u202e\n") {
			t.Errorf("%q", m)
		}
	}
}

func TestSubscribe(t *testing.T) {
	paid := capture.Subscription{Type: "order.paid"}
	for _, tt := range []struct {
		name   string
		filter string
		subs   []capture.Subscription
		types  string // of those below, which match
	}{
		{"everything", "", nil, "order.paid order.sent user.made -"},
		{"one", "", []capture.Subscription{paid}, "order.paid"},
		{"any of two", "", []capture.Subscription{paid, {Type: "user.*"}}, "order.paid user.made"},
		{"an empty one", "", []capture.Subscription{paid, {}}, "order.paid order.sent user.made -"},
		{"empty rules", "", []capture.Subscription{paid, rules("{}")}, "order.paid order.sent user.made -"},
		{"a filter", "!type:user.*", nil, "order.paid order.sent -"},
		{"a filter and two", "body.a:1 type:order.*", []capture.Subscription{paid, {Type: "user.*"}}, "order.paid"},
		{"all of one", "", []capture.Subscription{{Type: "order.*", Filter: "type:*paid", Source: "s*", Rules: json.RawMessage(`{"a":1}`),
			Conditions: []capture.Condition{{Key: "a", Condition: "gt", Value: json.RawMessage("0")}}}}, "order.paid"},
		{"another source", "", []capture.Subscription{{Type: "order.*", Source: "S1"}}, ""},
		{"another body", "", []capture.Subscription{{Type: "order.*", Filter: "body.a:2"}}, ""},
	} {
		p, err := Subscribe(&capture.EndpointSpec{Filter: tt.filter, Subscriptions: tt.subs})
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		var got []string
		for _, name := range []string{"order.paid", "order.sent", "user.made", ""} {
			row := push()
			row.Type, row.Source = name, "s1"
			if asked(t, p, subject(row, `{"a":1}`)) {
				sound(t, p, row)
				if name == "" {
					name = "-"
				}
				got = append(got, name)
			}
		}
		if got := strings.Join(got, " "); got != tt.types {
			t.Errorf("%s: matches %q, want %q", tt.name, got, tt.types)
		}
	}
}

func TestNames(t *testing.T) {
	for _, tt := range []struct{ pattern, yes, no string }{
		{"order.paid", "order.paid", "order.Paid|order_paid|order.paid.|"},
		{"order.*", "order.|order.paid|order.a.b", "order|Order.paid|xorder.a"},
		{"*", "|a|a.b", ""},
		{"*.paid", ".paid|a.b.paid", "paid|a.paidx"},
		{"a*b*c", "abc|a.b.c|abbcc|abcbc", "ab|acb|abca|bc"},
		{"a**b", "ab|axb", "a|b"},
		{"*a*", "a|bab", "|b"},
		{"aa*aa", "aaaa|aabaa", "aaa|aa"},
		{"a?[x].+", "a?[x].+", "ab[x].+|a?x.+"},
	} {
		for _, sub := range []capture.Subscription{{Type: tt.pattern}, {Source: tt.pattern}} {
			p := subscribe(t, sub)
			check := func(name string, want bool) {
				row := push()
				row.Type, row.Source = name, name
				if got := asked(t, p, Subject{Row: row}); got != want {
					t.Errorf("%s on %q: %v, want %v", p, name, got, want)
				}
				if p.Match(Subject{Row: row}) {
					sound(t, p, row)
				}
			}
			for name := range strings.SplitSeq(tt.yes, "|") {
				check(name, true)
			}
			for name := range strings.SplitSeq(tt.no, "|") {
				check(name, name == "" && tt.no == "")
			}
		}
	}
	exact := subscribe(t, capture.Subscription{Type: "a.*", Source: "*", Exact: true})
	for name, want := range map[string]bool{"a.*": true, "a.b": false} {
		row := push()
		row.Type, row.Source = name, "*"
		if got := asked(t, exact, Subject{Row: row}); got != want {
			t.Errorf("exact a.* on %s: %v", name, got)
		}
	}
}

func TestSubscribeHints(t *testing.T) {
	for _, tt := range []struct {
		subs []capture.Subscription
		want string
	}{
		{[]capture.Subscription{{Type: "Order.Paid"}}, "[{type [order.paid]}]"},
		{[]capture.Subscription{{Type: "b"}, {Type: "a", Filter: "x"}, {Type: "b", Source: "s"}}, "[{type [a b]}]"},
		{[]capture.Subscription{{Type: "*", Exact: true}}, "[{type [*]}]"},
		{[]capture.Subscription{{Type: "a"}, {Type: "b*"}}, "[]"},
		{[]capture.Subscription{{Type: "a"}, {Source: "s", Exact: true}}, "[]"},
		{[]capture.Subscription{{Filter: "type:B,a"}}, "[{type [a b]}]"},
		{nil, "[]"},
	} {
		if got := fmt.Sprint(subscribe(t, tt.subs...).Exact()); got != tt.want {
			t.Errorf("%+v: %s, want %s", tt.subs, got, tt.want)
		}
	}
}

func TestExplainSubscriptions(t *testing.T) {
	p, err := Subscribe(&capture.EndpointSpec{Filter: "is:ok", Subscriptions: []capture.Subscription{
		{Type: "order.*", Source: "billing", Rules: json.RawMessage(`{"id":1}`)}, {Type: "user.made", Exact: true}}})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, m := range p.Explain(subject(push(), pushBody)) {
		got = append(got, m.String())
	}
	if got, want := strings.Join(got, " | "), `is:ok: it is retry, pinned | type:order.*: type is "push" | type:"user.made": type is "push"`; got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
	got = nil
	for _, m := range subscribe(t, capture.Subscription{Type: "order.*", Source: "billing", Rules: json.RawMessage(`{"id":1}`)}).Explain(subject(push(), pushBody)) {
		got = append(got, m.String())
	}
	if got, want := strings.Join(got, " | "), `type:order.*: type is "push" | source:billing: no source | id $eq 1: id is 42`; got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
}

func TestSubscribeErrors(t *testing.T) {
	row := func(key, name, value string) []capture.Subscription {
		return []capture.Subscription{{}, {Conditions: []capture.Condition{{Key: "ok", Condition: "truthy"}, {Key: key, Condition: name, Value: json.RawMessage(value)}}}}
	}
	rule := func(text string) []capture.Subscription { return []capture.Subscription{rules(text)} }
	const rowField, ruleField = "subscriptions[1].conditions[1].", "subscriptions[0].filter_rules"
	deep := strings.Repeat("[", 33) + strings.Repeat("]", 33)
	for _, tt := range []struct {
		filter       string
		subs         []capture.Subscription
		field, wants string // "…" stands for any text
	}{
		{"typ:x", nil, "filter", `unknown field "typ" at column 1: did you mean type:?`},
		{"", make([]capture.Subscription, 101), "subscriptions", "there are 101: want at most 100"},
		{"", []capture.Subscription{{}, {Filter: "(a"}}, "subscriptions[1].filter", `"(" is not closed at column 1: add ")", or quote it to search for it`},
		{"type:/.{900}/", []capture.Subscription{{Filter: "/.{900}/"}, {Filter: "/.{900}/"}}, "subscriptions[1].filter", "regular expressions too large at column 2: repeat less often"},
		{"", []capture.Subscription{{Type: strings.Repeat("x", 1025)}}, "subscriptions[0].type", "1025 bytes: want at most 1024"},
		{"", []capture.Subscription{{Source: strings.Repeat("*", 1025)}}, "subscriptions[0].source", "1025 bytes: want at most 1024"},
		{"", []capture.Subscription{{Conditions: make([]capture.Condition, 101)}}, "subscriptions[0].conditions", "there are 101: want at most 100"},

		{"", row("", "eq", "1"), rowField + "key", "it is empty: name a member of the body, such as fee"},
		{"", row(strings.Repeat("k", 1025), "eq", "1"), rowField + "key", "1025 bytes: want at most 1024"},
		{"", row("a", "gtt", "1"), rowField + "condition", `"gtt" is unknown: did you mean "gt"?`},
		{"", row("a", "not_between", "1"), rowField + "condition", `"not_between" is unknown: did you mean "not-between"?`},
		{"", row("a", ">=", "1"), rowField + "condition", `">=" is unknown: did you mean "gte"?`},
		{"", row("a", "equals", "1"), rowField + "condition", `"equals" is unknown: did you mean "eq"?`},
		{"", row("a", "regex", `"x"`), rowField + "condition", `"regex" is unknown: did you mean "regexp"?`},
		{"", row("a", "EQ", "1"), rowField + "condition", `"EQ" is unknown: did you mean "eq"?`},
		{"", row("a", "", "1"), rowField + "condition", `"" is unknown: want one of between, contains, eq, falsy, gt, gte, lt, lte, ne, not-between, regexp, truthy`},
		{"", row("a", "xyzzy", "1"), rowField + "condition", `"xyzzy" is unknown: want one of …`},
		{"", row("a", "eq", "x"), rowField + "value", "it is not valid JSON: write a number, a string in quotes, true, false, null, an array or an object"},
		{"", row("a", "eq", deep), rowField + "value", "it is nested deeper than 32 levels: write it flatter"},
		{"", row("a", "eq", `"`+strings.Repeat("x", 64<<10)+`"`), rowField + "value", "it has 65538 bytes: want at most 65536"},

		{"", row("a", "regexp", `"(?i)x"`), rowField + "value", "JavaScript does not know (?i)x: to match in either case write classes such as [Aa]"},
		{"", row("a", "regexp", `"(?P<n>x)"`), rowField + "value", "JavaScript does not know (?P<n>x): …"},
		{"", row("a", "regexp", `"a(?=b)"`), rowField + "value", "it cannot look ahead or behind: write what must be there without (?=b)"},
		{"", row("a", "regexp", `"(?<!b)a"`), rowField + "value", "it cannot look ahead or behind: …"},
		{"", row("a", "regexp", `"(a)\\1"`), rowField + "value", `it cannot refer back: write what \1 stands for`},
		{"", row("a", "regexp", `"a\\"`), rowField + "value", "it ends in a backslash: write two for one"},
		{"", row("a", "regexp", `"^*"`), rowField + "value", "there is nothing to repeat behind ^"},
		{"", row("a", "regexp", `"\\b{2}"`), rowField + "value", `there is nothing to repeat behind \b`},
		{"", row("a", "regexp", `"*a"`), rowField + "value", "regular expression: missing argument to repetition operator"},
		{"", row("a", "regexp", `"a**"`), rowField + "value", "regular expression: invalid nested repetition operator"},
		{"", row("a", "regexp", `"(a"`), rowField + "value", "regular expression: missing closing )"},
		{"", row("a", "regexp", `"a)"`), rowField + "value", "regular expression: unexpected )"},
		{"", row("a", "regexp", `"[a"`), rowField + "value", `a "[" is not closed: write \[ to match one`},
		{"", row("a", "regexp", `"[b-a]"`), rowField + "value", "the range b-a is backwards"},
		{"", row("a", "regexp", `"\\01"`), rowField + "value", `it has a character in octal: write it as \x00`},
		{"", row("a", "regexp", `"\\ud800"`), rowField + "value", "half of a surrogate pair matches nothing: write the character"},
		{"", row("a", "regexp", `"a{01}"`), rowField + "value", "write the counts in {01} without leading zeros"},
		{"", row("a", "regexp", `"a{1001}"`), rowField + "value", "regular expression: invalid repeat count"},
		{"", row("a", "regexp", `"`+strings.Repeat(`.{900}`, 6)+`"`), rowField + "value", "the regular expressions of this endpoint are too large: repeat less often"},
		{"", row("a", "regexp", `"`+strings.Repeat(`x`, 1025)+`"`), rowField + "value", "the expression is too long: want at most 1 KiB"},

		{"", rule(`[]`), ruleField, `it is an empty array: write an object of paths, such as {"amount":{"$gte":1000}}`},
		{"", rule(`null`), ruleField, `it is null: write an object of paths, such as {"amount":{"$gte":1000}}`},
		{"", rule(`{"a":`), ruleField, "it is not valid JSON: …"},
		{"", rule(`{"a":` + deep[1:len(deep)-1] + `}`), ruleField, "it is nested deeper than 32 levels: write it flatter"},
		{"", rule(`{"a":{"$eq":` + strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000) + `}}`), ruleField, "…"},
		{"", rule(`{"a":"` + strings.Repeat("x", 64<<10) + `"}`), ruleField, "it has 65544 bytes: want at most 65536"},
		{"", rule(`{"amount":{"$gtt":1}}`), ruleField + ".amount.$gtt", `"$gtt" is unknown: did you mean "$gt"?`},
		{"", rule(`{"amount":{"gte":1}}`), ruleField + ".amount.gte", `"gte" is unknown: did you mean "$gte"?`},
		{"", rule(`{"amount":{"$notin":[]}}`), ruleField + ".amount.$notin", `"$notin" is unknown: did you mean "$nin"?`},
		{"", rule(`{"amount":{"city":"x"}}`), ruleField + ".amount.city", `"city" is unknown: want one of $contains, $eq, $exists, $gt, $gte, $in, $lt, $lte, $ne, $nin`},
		{"", rule(`{"amount":{}}`), ruleField + ".amount", `no operator: write one, such as {"$exists":true}`},
		{"", rule(`{"amount":{"$gt":true}}`), ruleField + ".amount.$gt", "it is true: write a number or a string"},
		{"", rule(`{"amount":{"$lte":null}}`), ruleField + ".amount.$lte", "it is null: write a number or a string"},
		{"", rule(`{"a":{"$gte":1,"$in":"x"}}`), ruleField + ".a.$in", "it is a string: write an array"},
		{"", rule(`{"a":{"$nin":{}}}`), ruleField + ".a.$nin", "it is an object: write an array"},
		{"", rule(`{"a":{"$exists":1}}`), ruleField + ".a.$exists", "it is a number: write true or false"},
		{"", rule(`{"$or":[]}`), ruleField + ".$or", `it is an empty array: write an array of rules, such as [{"currency":"eur"}]`},
		{"", rule(`{"$and":{"a":1}}`), ruleField + ".$and", `it is an object: write an array of rules, such as [{"currency":"eur"}]`},
		{"", rule(`{"$or":[{"a":1},5]}`), ruleField + ".$or[1]", `it is a number: write an object of paths, such as {"amount":{"$gte":1000}}`},
		{"", rule(`{"$or":[{"b":{"$and":[{"c":{"$x":1}}]}}]}`), ruleField + ".$or[0].b.$and", `"$and" is unknown: want one of …`},
		{"", rule(`{"$and":[{"$or":[{"customer.tier":{"$in":5}}]}]}`), ruleField + ".$and[0].$or[0].customer.tier.$in", "it is a number: write an array"},
		{"", rule(`{"$adn":[{}]}`), ruleField + ".$adn", `"$adn" is unknown: did you mean "$and"?`},
		{"", rule(`{"$gt":5}`), ruleField + ".$gt", `an operator needs a path around it: write {"path":{"$gt":…}}`},
		{"", rule(`{"` + strings.Repeat("a.", 100) + `b":1}`), "…", "the path has 101 keys: want at most 100"},
		{"", slicesOf(100, rules(`{"$or":[`+strings.Repeat(`{"a":1},`, 100)+`{"b":1}]}`)), "subscriptions", "they ask more than 10000 things: leave out some, or use another endpoint"},
	} {
		_, err := Subscribe(&capture.EndpointSpec{Filter: tt.filter, Subscriptions: tt.subs})
		var e *capture.FieldError
		if !errors.As(err, &e) {
			t.Errorf("%s: error %v", tt.field, err)
			continue
		}
		if !reads(e.Field, tt.field) || !reads(e.Problem, tt.wants) {
			t.Errorf("\n got %s\nwant %s: %s", e, tt.field, tt.wants)
		}
	}
}

func slicesOf[T any](n int, v T) (s []T) {
	for range n {
		s = append(s, v)
	}
	return s
}

// reads reports whether got is what was wanted, up to a last "…".
func reads(got, want string) bool {
	begin, open := strings.CutSuffix(want, "…")
	return got == want || open && strings.HasPrefix(got, begin)
}

func TestSubscribeErrorsAreHarmless(t *testing.T) {
	nasty := "\x1b[2J\u202e\n" + strings.Repeat("é", 100_000)
	quoted, _ := json.Marshal(nasty)
	for _, sub := range []capture.Subscription{
		{Conditions: []capture.Condition{{Key: nasty[:50], Condition: nasty}}},
		{Conditions: []capture.Condition{{Key: "a", Condition: "regexp", Value: json.RawMessage(`"(?\u202e\u001b"`)}}},
		rules(`{` + string(quoted[:20_000]) + `":{"$x":1}}`),
		rules(`{"a":{` + string(quoted[:20_000]) + `":1}}`),
	} {
		_, err := Subscribe(&capture.EndpointSpec{Subscriptions: []capture.Subscription{sub}})
		if err == nil || len(err.Error()) > 1000 || strings.ContainsAny(err.Error(), "\x1b\u202e\n") {
			t.Errorf("%.2000q", err)
		}
	}
}
