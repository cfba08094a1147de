package match_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"code.hooktape.dev/hooktape/capture"
	. "code.hooktape.dev/hooktape/capture/match"
)

// conditions reads rows written as: key condition value; key condition.
func conditions(t testing.TB, text string) capture.Subscription {
	t.Helper()
	var sub capture.Subscription
	for line := range strings.SplitSeq(text, "; ") {
		key, rest, _ := strings.Cut(line, " ")
		name, value, _ := strings.Cut(rest, " ")
		c := capture.Condition{Key: key, Condition: name}
		if value != "" {
			c.Value = json.RawMessage(value)
		}
		sub.Conditions = append(sub.Conditions, c)
	}
	return sub
}

// asked reports whether p matches, and checks that Explain and a Set agree.
func asked(t testing.TB, p *Predicate, s Subject) bool {
	t.Helper()
	got := p.Match(s)
	if misses := p.Explain(s); (len(misses) == 0) != got {
		t.Errorf("%s: Match is %v, Explain %v", p, got, misses)
	}
	if in := NewSet([]*Predicate{p}).Match(s); (len(in) == 1) != got {
		t.Errorf("%s: Match is %v, a Set's %v", p, got, in)
	}
	return got
}

// What core-webhooks 3.9.1 delivered when it was run.
func TestARKLiveMatrix(t *testing.T) {
	const payload = `{"fee":"150","type":3,"asset":{"id":"z"},"a.b":1,"flag":"TRUE"}`
	for _, tt := range []struct {
		rows string
		want bool
	}{
		{`fee gt "100"; type eq 3`, true},
		{`fee gt "100"`, true},
		{`fee gt "150"; type eq 3`, true},
		{`fee gt "150"; type eq "3"`, false},
		{`a.b eq 1`, true},
		{`missing contains "x"; type eq 3`, false},
		{`type eq 3; missing contains "x"`, true},
		{`type eq 4; missing contains "x"; type eq 3`, false},
		{`fee notBetween {"min":1,"max":2}`, true},
		{`flag truthy`, true},
		{`missing eq`, true},
		{`missing eq null`, false},
		{`missing ne null`, true},
		// Unlike 3.9.1, on purpose: it does not walk into objects, and knows
		// no not-between.
		{`asset.id eq "z"`, true},
		{`fee not-between {"min":1,"max":2}`, true},
	} {
		if got := asked(t, subscribe(t, conditions(t, tt.rows)), subject(push(), payload)); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.rows, got, tt.want)
		}
	}
	if !asked(t, subscribe(t, capture.Subscription{Conditions: []capture.Condition{}}), subject(push(), payload)) {
		t.Error("no conditions do not match")
	}
}

func TestConditions(t *testing.T) {
	for _, tt := range []struct {
		name    string
		yes, no string // a row a line, about the member a: its value, the condition
	}{
		{"between", `2 between {"min":1,"max":3}
"2" between {"min":"1","max":"3"}
"9007199254740993" between {"min":"9007199254740992","max":"9007199254740994"}`,
			`3 between {"min":1,"max":2}
1 between {"min":1,"max":2}
2 between {"min":1,"max":2}
2 between {"min":1}
2 between {"min":1,"max":null}
2 between {"max":3,"min":"x"}
2 between [1,3]
2 between 5
2 between null
2 between
null between {"min":1,"max":3}
- between {"min":1,"max":3}`},
		{"not-between", `3 not-between {"min":1,"max":2}
3 notBetween {"min":1,"max":2}
- not-between {"min":1,"max":2}
2 not-between "x"`,
			`2 not-between {"min":1,"max":3}
2 notBetween {"min":1,"max":3}
3 not-between null
3 not-between`},
		{"contains", `"Hello World" contains "Hello"
"a1b" contains 1
"x" contains ""
"an undefined" contains
"null" contains null
"x true" contains true
"[object Object]" contains {}
"1,2" contains [1,2]
[1,"b",null,true] contains 1
[1,"b"] contains "b"
[1.0] contains 1
[null] contains null
[true] contains true
["\u0062"] contains "b"`,
			`"Hello World" contains "invalid"
[1] contains "1"
["b"] contains 1
[{"x":1}] contains {"x":1}
[[1]] contains [1]
[[1]] contains 1
["abc"] contains "b"
[] contains
123 contains 1
{"x":1} contains "x"
null contains "x"
- contains "x"
true contains "true"`},
		{"eq", `1 eq 1
"1" eq "1"
1.0 eq 1
10 eq 1e1
"\u0031" eq "1"
{"x":1,"y":[2]} eq { "x" : 1, "y" : [2.0] }
{"y":0,"1":0} eq {"1":0,"y":0}
{"x":1,"x":2} eq {"x":2}
null eq null
1e999 eq null
- eq
[] eq []
-0 eq 0
9007199254740993 eq 9007199254740992`,
			`1 eq 2
1 eq "1"
"1" eq 1
{"x":1,"y":2} eq {"y":2,"x":1}
{} eq []
[1,2] eq [2,1]
- eq null
null eq
true eq 1
"null" eq null
{"x":1} eq {"x":1,"y":2}`},
		{"ne", "1 ne 2\n1 ne \"1\"\n- ne null\nnull ne", "1 ne 1\n- ne"},
		{"gt", `2 gt 1
"10" gt "2"
"9007199254740993" gt "9007199254740992"
"10" gt 9
true gt 0
" 7 " gt "+6"
"0x10" gt 15
"0b11" gt "0o2"
1 gt ""
[5] gt 4
["6"] gt [5]
1e21 gt "999999999999999999999"
-1 gt "-2"
1 gt []
1 gt [null]`,
			`1 gt 2
"2" gt "10"
1 gt 1
1.5 gt 1
"1.5" gt 1
"1e3" gt 1
"2n" gt 1
"5_0" gt 1
"-0x10" gt -100
"0x" gt -1
"+" gt -1
"abc" gt 1
"" gt 0
null gt -1
{} gt -1
[1,2] gt 0
- gt 1
2 gt
2 gt null
2 gt "NaN"
2 gt "null"
1e999 gt 1
2 gt {"min":1}
"0x5 " gt "0x5"`},
		{"gte", "2 gte 1\n2 gte 2\n\"2\" gte 2\n\"\" gte false", "1 gte 2\n- gte 1\n2 gte\n\"null\" gte \"null\""},
		{"lt", "1 lt 2\n\"2\" lt \"10\"\n-5 lt 0", "2 lt 1\n1 lt 1\n\"10\" lt \"2\"\n- lt 1\nnull lt 1"},
		{"lte", "1 lte 2\n1 lte 1\n\"-0\" lte 0", "2 lte 1\n- lte 1\n1 lte null"},
		{"truthy", "true truthy\n\"true\" truthy\n\"TrUe\" truthy\n\" TRUE\\n\" truthy\n[true] truthy\n[[\"true\"]] truthy\n\"\\uFEFFtrue\" truthy\ntrue truthy 5",
			"false truthy\n\"false\" truthy\n1 truthy\n\"yes\" truthy\n{} truthy\n[true,true] truthy\nnull truthy\n- truthy\n\"\\u0085true\" truthy"},
		{"falsy", "false falsy\n\"false\" falsy\n\"FaLsE\" falsy\n0 falsy\n1 falsy\n\"yes\" falsy\n\"\" falsy\n{} falsy\n[] falsy",
			"true falsy\n\"TrUe\" falsy\nnull falsy\n- falsy"},
		{"regexp", `"hello world!" regexp "hello"
- regexp "^undefined$"
null regexp "^null$"
"null" regexp null
12 regexp "^\\d+$"
1e3 regexp "^1000$"
1e21 regexp "^1e\\+21$"
0.0000001 regexp "^1e-7$"
[1,[2,null],{}] regexp "^1,2,,\\[object Object]$"
{"x":1} regexp "^\\[object Object\\]$"
"anything" regexp
"a/abc/i" regexp "/abc/i"
5 regexp 5`,
			`123 regexp "w+"
"ABC" regexp "abc"
"abc" regexp "/abc/i"
"x" regexp null`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for want, lines := range map[bool]string{true: tt.yes, false: tt.no} {
				for line := range strings.SplitSeq(lines, "\n") {
					i := strings.Index(line, " "+tt.name)
					if tt.name == "not-between" {
						i = max(i, strings.Index(line, " notBetween"))
					}
					body := `{"a":` + line[:i] + `}`
					if line[:i] == "-" {
						body = `{}`
					}
					if got := asked(t, subscribe(t, conditions(t, "a"+line[i:])), subject(push(), body)); got != want {
						t.Errorf("%s: %v, want %v", line, got, want)
					}
				}
			}
		})
	}
}

func TestConditionsOnOtherBodies(t *testing.T) {
	for _, tt := range []struct {
		body string
		want string // of the rows a falsy, a eq, 0 eq 7
	}{
		{`null`, "no no no"},
		{``, "no no no"},
		{`{"a":`, "no no no"},
		{`a=1`, "no no no"},
		{`5`, "no no no"},
		{`true`, "no no no"},
		{`"dummy"`, "no yes no"}, // has members in no object
		{`[7]`, "no yes yes"},
		{`{"0":7,"a":0}`, "yes no yes"},
		{` {"a":false} `, "yes no no"},
	} {
		var got []string
		for _, row := range []string{"a falsy", "a eq", "0 eq 7"} {
			s := subject(form(push()), tt.body)
			got = append(got, map[bool]string{true: "yes", false: "no"}[asked(t, subscribe(t, conditions(t, row)), s)])
		}
		if got := strings.Join(got, " "); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.body, got, tt.want)
		}
	}
}

func TestConditionKeys(t *testing.T) {
	for _, tt := range []struct {
		key, body string
		want      bool
	}{
		{"a.b", `{"a.b":1,"a":{"b":2}}`, true},
		{"a.b", `{"a":{"b":1}}`, true},
		{"a.b", `{"a.b":2,"a":{"b":1}}`, false},
		{"a.b", `{"a":{"b":1},"a":{}}`, false},
		{"a.b", `{"a":{},"a":{"b":2,"b":1}}`, true},
		{"list.1", `{"list":[0,1]}`, true},
		{"a.b.c", `{"a.b":{"c":1}}`, false},
		{"a..b", `{"a":{"":{"b":1}}}`, true},
		{".", `{".":1}`, true},
	} {
		p := subscribe(t, capture.Subscription{Conditions: []capture.Condition{{Key: tt.key, Condition: "eq", Value: json.RawMessage("1")}}})
		if got := asked(t, p, subject(push(), tt.body)); got != tt.want {
			t.Errorf("%s in %s: %v, want %v", tt.key, tt.body, got, tt.want)
		}
	}
}

// Each was asked of Node 20.
func TestExpressionsMeanWhatTheyMeanInJavaScript(t *testing.T) {
	for _, tt := range []struct{ expr, yes, no string }{
		{`a.c`, "abc|a😀c", "a\nc|a\rc|a\u2028c"},
		{`^\s$`, " |\v|\u00a0|\ufeff|\u2003", "\u0085|a"},
		{`^\S$`, "a|\u0085|é", " |\ufeff"},
		{`^[\s-x]$`, " |-|x", "a"},
		{`^[^\s]$`, "a", "\u3000"},
		{`^[a-]$`, "a|-", "b"},
		{`^\a\z$`, "az", "a"},
		{`^\u0041\x42\cM?$`, "AB|AB\r", "A"},
		{`^\u{2}$`, "uu", "u"},
		{`^\ud83d\ude00$`, "😀", "x"},
		{`^[\ud83d\ude00-\ud83d\ude02]$`, "😁", "😃"},
		{`^\xZ$`, "xZ", "Z"},
		{`^[\b]$`, "\b", "b"},
		{`\bfoo\b`, "a foo b", "afoob"},
		{`^[^]$`, "\n|a", "ab"},
		{`[]`, "", "|a"},
		{`^a{,2}$`, "a{,2}", "aa"},
		{`^a{2}$`, "aa", "a{2}"},
		{`^{$`, "{", "a"},
		{`^a{$`, "a{", "a"},
		{`^]}$`, "]}", "]"},
		{`^[[:alpha:]]$`, "[]|:]|h]", "b|x"},
		{`^\pL$`, "pL", "x"},
		{`^(?<year>\d{4})$`, "2026", "x"},
		{`^(?:a|b)+?$`, "abab", "abc"},
		{`^\0$`, "\x00", "0"},
		{`^\/\-\_\.$`, "/-_.", "/-_x"},
		{`a$`, "ba", "a\n|ab"},
		{`\Qa.b\E`, "Qa.bE|QaxbE", "a.b"},
		{`^[\w-.]$`, "a|-|.", "+"},
		{`^[+--]$`, "+|,|-", "."},
		{`^[\d\-x]$`, "3|-|x", "a"},
	} {
		value, _ := json.Marshal(tt.expr)
		p, err := Subscribe(&capture.EndpointSpec{Subscriptions: []capture.Subscription{
			{Conditions: []capture.Condition{{Key: "a", Condition: "regexp", Value: value}}}}})
		if err != nil {
			t.Errorf("%s: %v", tt.expr, err)
			continue
		}
		for want, texts := range map[bool]string{true: tt.yes, false: tt.no} {
			for text := range strings.SplitSeq(texts, "|") {
				if text == "" && tt.yes == "" && want {
					continue
				}
				body, _ := json.Marshal(map[string]string{"a": text})
				if got := p.Match(subject(push(), string(body))); got != want {
					t.Errorf("%s on %q: %v, want %v", tt.expr, text, got, want)
				}
			}
		}
	}
}

func TestExplainConditions(t *testing.T) {
	for _, tt := range []struct{ rows, body, want string }{
		{`fee gt "100"; type eq 3`, `{"fee":"50","type":"3"}`, `fee gt "100": fee is "50" | type eq 3: type is "3"`},
		{`a.b eq 3; c truthy`, `{"a":{"b":[1]},"c":0}`, `a.b eq 3: a.b is [1] | c truthy: c is 0`},
		{`a eq 1; b contains "x"; c eq 1`, `{"b":5,"c":1}`, `a eq 1: no a | b contains "x": b is 5, which throws: that stops all rows`},
		{`b contains "x"`, `{}`, `b contains "x": no b, which throws: that stops all rows`},
		{`b eq 1; c eq 2`, `null`, `b eq 1: the body is null, which throws: that stops all rows`},
		{`b eq 1`, `{`, `b eq 1: the body is not valid JSON, which throws: that stops all rows`},
		{`b eq 1`, ``, `b eq 1: no body, which throws: that stops all rows`},
		{`b eq 1`, `"x"`, `b eq 1: no b`},
	} {
		var got []string
		for _, m := range subscribe(t, conditions(t, tt.rows)).Explain(subject(push(), tt.body)) {
			got = append(got, m.String())
		}
		if got, want := strings.Join(got, " | "), tt.want; got != want {
			t.Errorf("%s on %s:\n got %s\nwant %s", tt.rows, tt.body, got, want)
		}
	}
	long := strings.Repeat("é\u202e\x7f", 1000)
	for _, op := range []string{"eq", "contains"} {
		p := subscribe(t, capture.Subscription{Conditions: []capture.Condition{{Key: "a", Condition: op, Value: json.RawMessage(fmt.Sprintf("%q", "x"))}}})
		for _, body := range []string{`{"a":"` + long + `"}`, `{"a":{"b":"` + long + `"}}`} {
			short(t, p.Explain(subject(push(), body)))
		}
	}
}
