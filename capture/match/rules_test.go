package match_test

import (
	"encoding/json"
	"strings"
	"testing"

	"code.hooktape.dev/hooktape/capture"
)

func rules(text string) capture.Subscription {
	return capture.Subscription{Rules: json.RawMessage(text)}
}

func TestRules(t *testing.T) {
	const payload = `{"amount":1500,"currency":"eur","customer":{"tier":"gold","name":null,"tags":["a","b",{"x":[1,2]}],"0":{"k":1}},
 "list":[{"id":1}],"text":"Hello World","flag":true,"dotted.key":1,"dup":1,"dup":2,"big":9007199254740993,"empty":"","o":{"a":1,"b":{"c":[]}}}`
	for _, tt := range []struct {
		name    string
		yes, no string // rules a line
	}{
		{"literals", `{}
{"amount":1500}
{"amount":1500.0}
{"amount":15e2}
{"currency":"eur"}
{"customer.tier":"gold"}
{"customer.name":null}
{"customer.0.k":1}
{"flag":true}
{"dup":2}
{"empty":""}
{"customer.tags":["a","b",{"x":[1,2.0]}]}
{"o":{"$eq":{"b":{"c":[]},"a":1}}}
{"amount":1500,"currency":"eur"}`,
			`{"amount":"1500"}
{"amount":1501}
{"currency":"EUR"}
{"customer.name":false}
{"missing":null}
{"list.0.id":1}
{"customer.tags.0":"a"}
{"dotted.key":1}
{"flag":1}
{"flag":"true"}
{"dup":1}
{"customer.tags":["b","a",{"x":[1,2]}]}
{"o":{"$eq":{"a":1}}}
{"amount":1500,"currency":"usd"}`},
		{"$ne", `{"amount":{"$ne":1}}
{"amount":{"$ne":"1500"}}
{"customer.name":{"$ne":1}}`,
			`{"amount":{"$ne":1500}}
{"missing":{"$ne":1}}
{"customer.name":{"$ne":null}}`},
		{"order", `{"amount":{"$gt":1499.5}}
{"amount":{"$gte":1500}}
{"amount":{"$lt":2e3,"$gt":1e3}}
{"amount":{"$lte":1500}}
{"currency":{"$gt":"eua"}}
{"currency":{"$gte":"eur"}}
{"currency":{"$lte":"eur"}}
{"currency":{"$lt":"f"}}
{"empty":{"$lt":"a"}}
{"big":{"$gte":9007199254740992}}`,
			`{"amount":{"$gt":1500}}
{"amount":{"$gte":1500.01}}
{"amount":{"$lt":1500}}
{"amount":{"$gt":"1"}}
{"currency":{"$gt":1}}
{"currency":{"$gt":"eur"}}
{"currency":{"$lt":"eur"}}
{"currency":{"$lt":"EUR"}}
{"flag":{"$gte":0}}
{"customer.name":{"$lte":0}}
{"missing":{"$lt":5}}
{"list":{"$gte":""}}
{"amount":{"$gt":1000,"$lt":1200}}`},
		{"$in", `{"currency":{"$in":["usd","eur"]}}
{"amount":{"$in":[1.5e3]}}
{"customer.name":{"$in":[null]}}
{"currency":{"$nin":["usd"]}}
{"amount":{"$nin":[]}}
{"o":{"$in":[{"b":{"c":[]},"a":1}]}}`,
			`{"currency":{"$in":[]}}
{"amount":{"$in":["1500"]}}
{"missing":{"$in":[null]}}
{"missing":{"$nin":["x"]}}
{"currency":{"$nin":["eur"]}}`},
		{"$contains", `{"customer.tags":{"$contains":"a"}}
{"customer.tags":{"$contains":{"x":[1,2]}}}
{"text":{"$contains":"lo W"}}
{"text":{"$contains":""}}
{"list":{"$contains":{"id":1}}}`,
			`{"customer.tags":{"$contains":"c"}}
{"customer.tags":{"$contains":"x"}}
{"text":{"$contains":"hello"}}
{"text":{"$contains":1}}
{"amount":{"$contains":1}}
{"customer":{"$contains":"tier"}}
{"missing":{"$contains":""}}`},
		{"$exists", `{"amount":{"$exists":true}}
{"customer.name":{"$exists":true}}
{"missing":{"$exists":false}}
{"amount.deeper":{"$exists":false}}
{"list.0":{"$exists":false}}`,
			`{"amount":{"$exists":false}}
{"customer.name":{"$exists":false}}
{"missing":{"$exists":true}}`},
		{"groups", `{"$or":[{"amount":1},{"currency":"eur"}]}
{"$and":[{"amount":1500},{"currency":"eur"}]}
{"$or":[{},{"amount":1}]}
{"$and":[{}]}
{"amount":{"$gte":1000},"$or":[{"currency":"usd"},{"customer.tier":{"$in":["gold"]}}]}
{"$or":[{"$and":[{"amount":1},{"flag":true}]},{"$or":[{"flag":false},{"text":{"$contains":"World"}}]}]}`,
			`{"$or":[{"amount":1},{"currency":"usd"}]}
{"$and":[{"amount":1500},{"currency":"usd"}]}
{"amount":1,"$or":[{"currency":"eur"}]}
{"$and":[{},{"amount":1}]}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for want, lines := range map[bool]string{true: tt.yes, false: tt.no} {
				for line := range strings.SplitSeq(lines, "\n") {
					if got := asked(t, subscribe(t, rules(line)), subject(push(), payload)); got != want {
						t.Errorf("%s: %v, want %v", line, got, want)
					}
				}
			}
		})
	}
}

func TestRulesOnOtherBodies(t *testing.T) {
	for _, tt := range []struct {
		body        string
		there, gone bool // whether a exists, does not
	}{
		{``, false, false},
		{`{"a":1`, false, false},
		{`a=1`, false, false},
		{`null`, false, true},
		{`"a"`, false, true},
		{`[{"a":1}]`, false, true},
		{`{"a":null}`, true, false},
	} {
		s := subject(form(push()), tt.body)
		if got := asked(t, subscribe(t, rules(`{"a":{"$exists":true}}`)), s); got != tt.there {
			t.Errorf("%s: a exists: %v", tt.body, got)
		}
		if got := asked(t, subscribe(t, rules(`{"a":{"$exists":false}}`)), s); got != tt.gone {
			t.Errorf("%s: a does not exist: %v", tt.body, got)
		}
	}
}

func TestExplainRules(t *testing.T) {
	for _, tt := range []struct{ rules, body, want string }{
		{`{"amount":{"$gte":1000},"currency":"eur","b.c":{"$in":["x",null]}}`, `{"amount":5,"currency":"usd"}`,
			`amount $gte 1000: amount is 5 | currency $eq "eur": currency is "usd" | b.c $in ["x",null]: no b.c`},
		{`{"$or":[{"a":1,"b":2},{"c":{"$exists":true}}]}`, `{}`, `a $eq 1: no a | c $exists true: no c`},
		{`{"c":{"$exists":false}}`, `{"c":{"d":[]}}`, `c $exists false: c is {"d":[]}`},
		{`{"a":1}`, `{`, `a $eq 1: the body is not valid JSON`},
		{`{"a":1}`, ``, `a $eq 1: no body`},
	} {
		var got []string
		for _, m := range subscribe(t, rules(tt.rules)).Explain(subject(push(), tt.body)) {
			got = append(got, m.String())
		}
		if got, want := strings.Join(got, " | "), tt.want; got != want {
			t.Errorf("%s on %s:\n got %s\nwant %s", tt.rules, tt.body, got, want)
		}
	}
	long := strings.Repeat("é\u202e\x7f", 1000)
	short(t, subscribe(t, rules(`{"`+long+`":"`+long+`","b":1}`)).Explain(subject(push(), `{"b":"`+long+`"}`)))
}
