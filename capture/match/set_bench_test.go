package match_test

import (
	"encoding/json"
	"fmt"
	"runtime"
	"testing"

	"code.hooktape.dev/hooktape/capture"
	. "code.hooktape.dev/hooktape/capture/match"
)

// orderBody is about 1 KiB.
const orderBody = `{"id":"ord_01JQ5Z3V9N8M7K6H5G4F3D2S1A","object":"order","created":1773500966,"livemode":true,"amount":5000,
 "amount_text":"5000","currency":"eur","customer":{"id":"cus_9","name":"Jürgen B","tier":"gold","address":{"city":"Köln","zip":"50667",
 "country":"DE"}},"lines":[{"sku":"A-1","quantity":2,"price":1250,"tags":["new","sale"]},{"sku":"B-2","quantity":1,"price":2500,"tags":[]}],
 "tags":["a","b","c"],"metadata":{"campaign":"spring","note":"say \"hi\"","ref":null},"shipping":{"carrier":"dhl","tracking":"00340434161094042557",
 "status":"pending","history":[{"at":"2026-03-14T14:00:00Z","state":"created"},{"at":"2026-03-14T15:00:00Z","state":"labelled"}]},
 "payment":{"method":"card","brand":"visa","last4":"4242","three_d_secure":false,"risk":{"score":12,"level":"normal"}},
 "url":"https://shop.example.test/orders/ord_01JQ5Z3V9N8M7K6H5G4F3D2S1A","status":"paid","version":3}`

// kinds are the ways in which the nth of many endpoints may ask for amounts of
// its own: every other one matches an order of 5000.
var kinds = map[string]func(n int) capture.Subscription{
	"filter": func(n int) capture.Subscription {
		return capture.Subscription{Type: "order.paid", Filter: fmt.Sprintf("body.amount:>%d", n)}
	},
	"text": func(n int) capture.Subscription {
		return capture.Subscription{Filter: fmt.Sprintf("type:order.paid body.amount:>%d", n)}
	},
	"rows": func(n int) capture.Subscription {
		return capture.Subscription{Type: "order.paid", Exact: true, Conditions: []capture.Condition{
			{Key: "status", Condition: "eq", Value: json.RawMessage(`"open"`)},
			{Key: "amount_text", Condition: "gt", Value: json.RawMessage(fmt.Sprintf(`"%d"`, n))}}}
	},
	"rules": func(n int) capture.Subscription {
		return capture.Subscription{Type: "order.paid", Rules: json.RawMessage(fmt.Sprintf(`{"amount":{"$gt":%d},"currency":"eur"}`, n))}
	},
	"paths": func(n int) capture.Subscription {
		return capture.Subscription{Type: "order.paid", Rules: json.RawMessage(fmt.Sprintf(`{"$or":[{"key%d":true},{"amount":{"$gt":%d}}]}`, n, n))}
	},
	"mixed": func(n int) capture.Subscription {
		switch n % 4 {
		case 0:
			return capture.Subscription{Type: "order.*", Filter: fmt.Sprintf("body.amount:>%d", n)}
		case 1:
			return capture.Subscription{Type: "order.paid", Conditions: []capture.Condition{{Key: "amount", Condition: "gt", Value: json.RawMessage(fmt.Sprint(n))}}}
		case 2:
			return capture.Subscription{Type: "order.paid", Rules: json.RawMessage(fmt.Sprintf(`{"amount":{"$gt":%d},"customer.tier":{"$in":["gold"]}}`, n))}
		}
		return capture.Subscription{Filter: fmt.Sprintf("type:order.paid,order.sent body.amount:>%d", n)}
	},
}

func manySubscribed(t testing.TB, kind string) []*Predicate {
	t.Helper()
	var ps []*Predicate
	for n := range 10_000 {
		ps = append(ps, subscribe(t, kinds[kind](n)))
	}
	return ps
}

func order() *capture.Row {
	row := push()
	row.Type = "order.paid"
	return row
}

// BenchmarkSet10000 asks 10,000 endpoints about one event. "unmarshal" is the
// yardstick: what reading the body into any takes. In "few", ten of them have
// its type; "one by one" asks all as they were asked without a Set.
func BenchmarkSet10000(b *testing.B) {
	s := subject(order(), orderBody)
	b.Run("unmarshal", func(b *testing.B) {
		for b.Loop() {
			var v any
			if err := json.Unmarshal([]byte(orderBody), &v); err != nil {
				b.Fatal(err)
			}
		}
	})
	run := func(name string, want int, match func() int) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			runtime.GC() // of what was compiled for another
			for b.Loop() {
				if got := match(); got != want {
					b.Fatalf("%d match, want %d", got, want)
				}
			}
		})
	}
	for _, kind := range []string{"filter", "text", "rows", "rules", "paths", "mixed"} {
		set := NewSet(manySubscribed(b, kind))
		run(kind, 5000, func() int { return len(set.Match(s)) })
	}
	ps := manySubscribed(b, "mixed")
	run("one by one", 5000, func() (n int) {
		for _, p := range ps {
			if p.Match(s) {
				n++
			}
		}
		return n
	})
	var few []*Predicate
	for n := range 10_000 {
		sub := kinds["rules"](n)
		if n%1000 != 0 {
			sub.Type = fmt.Sprintf("order.kind%d", n%100)
		}
		few = append(few, subscribe(b, sub))
	}
	set := NewSet(few)
	run("few", 5, func() int { return len(set.Match(s)) })
}
