package fill_test

import (
	"encoding/json"
	"fmt"
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

// BenchmarkPaths reads a thousand values of a body of 1 MiB, and one of them:
// it is read once for all.
func BenchmarkPaths(b *testing.B) {
	var body, text strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&body, `,"k%d":{"v":%d,"pad":"%s"}`, i, i, strings.Repeat("x", 900))
		fmt.Fprintf(&text, "{{body.k%d.v}},", i)
	}
	s := source("{" + body.String()[1:] + "}")
	for name, text := range map[string]string{"one": "{{body.k999.v}}", "a thousand": text.String()} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := filled(text, s); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
