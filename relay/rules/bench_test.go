package rules_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"code.hooktape.dev/hooktape/capture"
	. "code.hooktape.dev/hooktape/relay/rules"
)

// BenchmarkIngest asks 1,000 rules about an event of 1 KiB, of which none
// matches but the last. "unmarshal" is the yardstick: what reading the body
// into any takes.
func BenchmarkIngest(b *testing.B) {
	body := []byte(`{"id":"ord_1","pad":"` + strings.Repeat("x", 900) + `","data":{"object":{"id":"in_9","amount":1250}}}`)
	b.Run("unmarshal", func(b *testing.B) {
		for b.Loop() {
			var v any
			if err := json.Unmarshal(body, &v); err != nil {
				b.Fatal(err)
			}
		}
	})
	for name, match := range map[string]func(i int) string{
		"0 rules":    nil,
		"1000 types": func(i int) string { return fmt.Sprintf("type:order.kind%d", i) },
		"1000 body":  func(i int) string { return fmt.Sprintf("type:order.* body.data.object.amount:>%d", 2000+i) },
		"1000 paths": func(i int) string { return fmt.Sprintf("body.data.object.key%d:1", i) },
		"1000 texts": func(i int) string { return fmt.Sprintf("path:/other/%d/* header.x-kind:%d", i, i) },
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			s := New(nil)
			if match != nil {
				all := numbered(1001, func(i int) capture.RuleSpec { return capture.RuleSpec{Match: match(i), Mock: says("ok")} })
				all[1000].Match = ""
				if err := s.Put(all); err != nil {
					b.Fatal(err)
				}
			}
			e := event("order.paid")
			for b.Loop() {
				if _, ok := s.Ingest(e, body); ok != (match != nil) {
					b.Fatal("another rule applies")
				}
			}
		})
	}
}
