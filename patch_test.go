package main

import (
	"encoding/json"
	"flag"
	"strings"
	"testing"

	"code.hooktape.dev/hooktape/capture"
)

// given is what the flags of an endpoint make of a command line.
func given(t *testing.T, line string, old ...capture.Subscription) (string, error) {
	t.Helper()
	p, chosen, set := patch{}, new(choice), flag.NewFlagSet("", flag.ContinueOnError)
	set.SetOutput(t.Output())
	for _, f := range endpointFlags(&env{stdin: strings.NewReader("{}")}, p, chosen) {
		if err := f.Apply(set); err != nil {
			t.Fatal(err)
		}
	}
	var args []string
	if line != "" {
		args = strings.Split(line, "|")
	}
	if err := set.Parse(args); err != nil {
		return "", err
	}
	if err := chosen.into(p, old); err != nil {
		return "", err
	}
	b, err := p.json()
	return string(b), err
}

func TestEndpointFlags(t *testing.T) {
	for _, tt := range []struct{ line, want string }{
		{"", `{}`},
		{"--description|x|--description|y", `{"description":"y"}`},
		{"--description|", `{"description":null}`},
		{"--header|A: 1|--header|B:|--header|a-b: c:d", `{"headers":{"A":"1","B":null,"a-b":"c:d"}}`},
		{"--header|", `{"headers":null}`},
		{"--timeout|1500ms|--concurrency|4", `{"concurrency":4,"timeout_ms":1500}`},
		{"--rate-limit|10/1m", `{"rate_limit":{"max":10,"per_ms":60000}}`},
		{"--rate-limit|10/s", `{"rate_limit":{"max":10,"per_ms":1000}}`},
		{"--retry|wacht", `{"retry":{"attempts":null,"preset":"wacht","waits_ms":null}}`},
		{"--retry|5s,1m", `{"retry":{"attempts":null,"preset":null,"waits_ms":[5000,60000]}}`},
		{"--attempts|3|--retry|wacht", `{"retry":{"attempts":3,"preset":"wacht","waits_ms":null}}`},
		{"--retry|wacht|--attempts|3", `{"retry":{"attempts":3,"preset":"wacht","waits_ms":null}}`},
		{"--attempts|3", `{"retry":{"attempts":3}}`},
		{"--retry|", `{"retry":null}`},
		{"--metadata|{\"a\":1}", `{"metadata":{"a":1}}`},
		{"--metadata|-", `{"metadata":{}}`},
		{"--type|a,b.*|--type|c", `{"subscriptions":[{"type":"a"},{"type":"b.*"},{"type":"c"}]}`},
		{"--type|", `{"subscriptions":null}`},
		{"--source|s|--condition|k eq \"1\"|--condition|k truthy|--condition|k contains two words", `{"subscriptions":[{"source":"s","conditions":[` +
			`{"key":"k","condition":"eq","value":"1"},{"key":"k","condition":"truthy"},{"key":"k","condition":"contains","value":"two words"}]}]}`},
		{"--rules|{\"$and\":[]}|--type|a", `{"subscriptions":[{"type":"a","filter_rules":{"$and":[]}}]}`},
	} {
		got, err := given(t, tt.line)
		if err != nil || got != tt.want {
			t.Errorf("%s\ngot  %s, %v\nwant %s", tt.line, got, err, tt.want)
		}
	}
	for _, line := range []string{"--rate-limit|10", "--rate-limit|x/1s", "--retry|wachd", "--retry|5s,x", "--header|A", "--format|plain",
		"--concurrency|many", "--timeout|soon", "--metadata|{", "--condition|k", "--rules|x"} {
		if got, err := given(t, line); err == nil {
			t.Errorf("%s made %s, want an error", line, got)
		}
	}
}

// What a flag does not name stays as it was.
func TestChoiceKeepsTheRest(t *testing.T) {
	when := []capture.Condition{{Key: "k", Condition: "gt", Value: json.RawMessage("1")}}
	old := []capture.Subscription{{Type: "a", Source: "s", Conditions: when}, {Type: "b", Source: "s", Conditions: when}}
	for _, tt := range []struct{ line, want string }{
		{"", `{}`},
		{"--type|c", `{"subscriptions":[{"type":"c","source":"s","conditions":[{"key":"k","condition":"gt","value":1}]}]}`},
		{"--source|", `{"subscriptions":[{"type":"a","conditions":[{"key":"k","condition":"gt","value":1}]},{"type":"b","conditions":[{"key":"k","condition":"gt","value":1}]}]}`},
		{"--condition|", `{"subscriptions":[{"type":"a","source":"s"},{"type":"b","source":"s"}]}`},
		{"--condition||--type||--source|", `{"subscriptions":null}`},
	} {
		got, err := given(t, tt.line, old...)
		if err != nil || got != tt.want {
			t.Errorf("%s\ngot  %s, %v\nwant %s", tt.line, got, err, tt.want)
		}
	}
	old[1].Source = "other"
	if got, err := given(t, "--type|c", old...); err == nil {
		t.Errorf("subscriptions that differ became %s, want an error", got)
	}
}
