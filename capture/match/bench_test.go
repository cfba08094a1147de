package match_test

import (
	"strings"
	"testing"

	"code.hooktape.dev/hooktape/capture"
	. "code.hooktape.dev/hooktape/capture/match"
)

// BenchmarkMatch looks at one row; "contains" is the yardstick, a search of
// the same texts with the standard library.
func BenchmarkMatch(b *testing.B) {
	row, body := push(), []byte(pushBody)
	body = append(body, strings.Repeat(" ", 2048-len(body))...)
	s := Subject{row, func() []byte { return body }}
	b.Run("contains", func(b *testing.B) {
		b.ReportAllocs()
		text := string(body)
		for b.Loop() {
			if contains(row, "nowhere") || strings.Contains(text, "nowhere") {
				b.Fatal("found")
			}
		}
	})
	for _, bench := range []struct {
		name, text string
		want       bool
	}{
		{"row", "type:push status:5xx is:pending since:1h", true},
		{"glob", "path:/hooks/* type:p?s*", true},
		{"header", "header.x-tag:green*", true},
		{"query", "query.a:two", true},
		{"text", "nowhere", false},
		{"Text", "Nowhere", false},
		{"expression", "/no+where/", false},
		{"body-miss", "body.msg:bye", false},
		{"body-hit", "body.msg:hello*", true},
	} {
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			p := parse(b, bench.text)
			for b.Loop() {
				if p.Match(s) != bench.want {
					b.Fatal("wrong")
				}
			}
		})
	}
}

func contains(row *capture.Row, text string) bool {
	for _, h := range row.Headers {
		if strings.Contains(h[1], text) {
			return true
		}
	}
	return strings.Contains(row.Type, text) || strings.Contains(string(row.Target), text) || strings.Contains(string(row.ID), text)
}

// BenchmarkHostile shows what is made to be slow, in bytes of body a second.
func BenchmarkHostile(b *testing.B) {
	const size = 1 << 20
	for _, bench := range []struct{ name, text, body string }{
		{"text", strings.Repeat("a", 1000) + "b", strings.Repeat("a", size)},
		{"cases", "ab", strings.Repeat("A", size)},
		{"brackets", "body.0:1", strings.Repeat("[", size)},
		{"path", "body" + strings.Repeat(".a", 9_000) + ":1", strings.Repeat(`{"a":`, size/5)},
		{"escapes", "body.a:x", `{"` + strings.Repeat(`\\`, size/2) + `":1}`},
		{"glob", "body.a:*" + strings.Repeat("a?", 50) + "b", `{"a":"` + strings.Repeat("a", size) + `"}`},
	} {
		b.Run(bench.name, func(b *testing.B) {
			p := parse(b, bench.text)
			s := subject(push(), bench.body)
			b.SetBytes(size)
			for b.Loop() {
				p.Match(s)
			}
		})
	}
	b.Run("parse", func(b *testing.B) {
		b.SetBytes(64 << 10)
		for b.Loop() {
			for _, unit := range []string{"(", "!", ".", "body.", "a,", `\`, "/", `"`, "a or ", "/\\", "body.\"", "([", "x:", "type:a,"} {
				_, _ = Parse(strings.Repeat(unit, (64<<10)/len(unit)))
			}
			_, _ = Parse("type:" + strings.Repeat("a,", 32<<10-5) + "a")
		}
	})
}
