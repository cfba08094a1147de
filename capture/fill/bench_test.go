package fill_test

import (
	"encoding/json"
	"strings"
	"testing"

	. "code.hooktape.dev/hooktape/capture/fill"
)

// BenchmarkFill fills a mock's body from an event's of 1 KiB. "unmarshal" is
// the yardstick: what reading that body into any takes.
func BenchmarkFill(b *testing.B) {
	body := `{"id":"ord_1","pad":"` + strings.Repeat("x", 900) + `","data":{"object":{"id":"in_9","amount":1250}}}`
	s := source(body)
	b.Run("unmarshal", func(b *testing.B) {
		for b.Loop() {
			var v any
			if err := json.Unmarshal([]byte(body), &v); err != nil {
				b.Fatal(err)
			}
		}
	})
	run := func(name, text string) {
		tmpl, err := Parse(text)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := tmpl.Fill(s); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	run("text", `{"ok":true}`)
	run("made", `{"id":"{{uuid}}","at":{{now "unix"}},"name":"{{name}}"}`)
	run("body", `{"id":{{body.data.object.id | json}},"amount":{{body.data.object.amount}},"order":{{body.id | json}}}`)
}
