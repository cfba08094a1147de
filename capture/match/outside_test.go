package match_test

import (
	"encoding/json"
	"testing"

	"code.hooktape.dev/hooktape/capture"
	. "code.hooktape.dev/hooktape/capture/match"
)

const invoiceSchema = `{"type":"object","properties":{
	"amount":{"type":"number"},"any":true,"none":false,"lines":{"type":"array","items":{"properties":{"sku":{}}}},
	"customer":{"type":"object","properties":{"tier":{},"address":{"properties":{"city":{"type":"string"}}}}}}}`

func TestOutside(t *testing.T) {
	for _, tt := range []struct{ rules, schema, want string }{
		{`{}`, invoiceSchema, ""},
		{`{"amount":1}`, invoiceSchema, ""},
		{`{"amount":{"$gte":1},"customer.tier":"gold"}`, invoiceSchema, ""},
		{`{"customer.address.city":{"$exists":true}}`, invoiceSchema, ""},
		{`{"any":1,"lines":{"$contains":1}}`, invoiceSchema, ""},
		{`{"any.below":1}`, invoiceSchema, "any.below"},
		{`{"none":1}`, invoiceSchema, "none"},
		{`{"lines.sku":1}`, invoiceSchema, "lines.sku"},
		{`{"Amount":1}`, invoiceSchema, "Amount"},
		{`{"customer.address.zip":1}`, invoiceSchema, "customer.address.zip"},
		{`{"amount.cents":1}`, invoiceSchema, "amount.cents"},
		{`{"$or":[{"amount":1},{"$and":[{"any":1},{"plum":2}]}]}`, invoiceSchema, "plum"},
		{`{"properties.amount":1}`, invoiceSchema, "properties.amount"},
		{`{"a":1}`, `{}`, "a"}, // a schema without properties allows none
		{`{"a":1}`, `{"properties":[]}`, "a"},
		{`{"a":1}`, `true`, ""},
		{`{"a":1}`, `null`, ""},
		{`{"a":1}`, ``, ""},
		{``, invoiceSchema, ""},
		{`[1]`, invoiceSchema, ""}, // no rules, which Subscribe says
	} {
		path, outside := Outside(json.RawMessage(tt.rules), json.RawMessage(tt.schema))
		if path != tt.want || outside != (tt.want != "") {
			t.Errorf("%s in %.40s: got %q %v, want %q", tt.rules, tt.schema, path, outside, tt.want)
		}
	}
}

func TestNamesOfAnEvent(t *testing.T) {
	e := &capture.Event{Type: "invoice.paid", Source: "billing"}
	for _, tt := range []struct {
		sub  string
		want bool
	}{
		{`{"type":"invoice.paid","exact":true,"filter_rules":{"no":1}}`, true},
		{`{"type":"invoice.*","filter":"body.no:1"}`, true},
		{`{"type":"invoice.*","exact":true}`, false},
		{`{"type":"invoice.paid","source":"shop"}`, false},
		{`{"type":"invoice.paid","source":"b*"}`, true},
		{`{"type":"invoice.voided"}`, false},
		{`{"filter":"body.no:1"}`, false}, // it names none
	} {
		var s capture.Subscription
		if err := json.Unmarshal([]byte(tt.sub), &s); err != nil {
			t.Fatal(err)
		}
		if got := Names(&capture.Endpoint{EndpointSpec: capture.EndpointSpec{Subscriptions: []capture.Subscription{s}}}, e); got != tt.want {
			t.Errorf("%s: got %v, want %v", tt.sub, got, tt.want)
		}
	}
}

func FuzzOutside(f *testing.F) {
	f.Add([]byte(`{"$or":[{"amount":1},{"$and":[{"any":1},{"plum":2}]}]}`), []byte(invoiceSchema))
	f.Add([]byte(`{"a.b":{"$in":[1]}}`), []byte(`{"properties":{"a":{"properties":{"b":true}}}}`))
	f.Fuzz(func(t *testing.T, rules, schema []byte) {
		path, outside := Outside(rules, schema)
		if outside && path == "" && !json.Valid(rules) {
			t.Errorf("%q of %q: got %q", rules, schema, path)
		}
	})
}
