package match_test

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestExplain(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"type:push", ""},
		{"type:pull", `type:pull: type is "push"`},
		{"STATUS:2xx", "status:2xx: status is 503"},
		{"type:pull and try:9 blue app:x", `type:pull: type is "push" | try:9: try is 2 | app:x: app is "shop"`},
		{"(type:pull app:x) or is:ok", `type:pull: type is "push" | is:ok: it is retry, pinned`},
		{"type:push or is:ok", ""},
		{"!type:push", `!type:push: type is "push"`},
		{"!(type:push blue)", `!type:push: type is "push" | !blue: it is in the headers`},
		{"!(type:push or hello or nowhere)", `!type:push: type is "push" | !hello: it is in the body`},
		{"nowhere", "nowhere: not in type, target, id, headers or body"},
		{"source:x", "source:x: no source"},
		{"dur:<1s size:1", "dur:<1s: dur is 1.5s | size:1: size is 2048"},
		{"sig:valid origin:import", "sig:valid: sig is invalid | origin:import: origin is ingress"},
		{"before:2026-01-02", "before:2026-01-01T23:00:00Z: received 2026-03-14T15:04:26+01:00"},
		{"header.X-Tag:red header.x:*", `header.x-tag:red: header.x-tag is "blue", "Green, dark" | header.x:*: no header.x`},
		{"query.a:9", `query.a:9: query.a is "1", "two"`},
		{"body.id:9 body.sid:9 body.x:*", `body.id:9: body.id is 42 | body.sid:9: body.sid is "42" | body.x:*: no body.x`},
	} {
		var got []string
		for _, m := range parse(t, tt.text).Explain(subject(push(), pushBody)) {
			got = append(got, m.String())
		}
		if got, want := strings.Join(got, " | "), tt.want; got != want {
			t.Errorf("%s:\n got %s\nwant %s", tt.text, got, want)
		}
	}
}

func TestExplainSaysWhatIsWrongWithABody(t *testing.T) {
	for body, want := range map[string]string{
		"":         "no body",
		"<xml/>":   "the body is neither a JSON object or array nor a form",
		`{"a":1`:   "the body is not valid JSON",
		`{"a":{}}`: "body.a is {}",
	} {
		misses := parse(t, "body.a:2").Explain(subject(push(), body))
		if len(misses) != 1 || misses[0].Got != want {
			t.Errorf("%s: got %v, want %s", body, misses, want)
		}
	}
	misses := parse(t, "body.a:2").Explain(subject(form(push()), "a=1&a=x"))
	if len(misses) != 1 || misses[0].Got != `body.a is "1", "x"` {
		t.Errorf("form: got %v", misses)
	}
}

func TestExplainIsShortAndSafe(t *testing.T) {
	row := push()
	row.Type = strings.Repeat("é\x1b[2J\u202e", 1000)
	for _, text := range []string{"type:x", "body.a:x"} {
		got := parse(t, text).Explain(subject(row, `{"a":"`+row.Type+`"}`+"\n"))[0].Got
		if utf8.RuneCountInString(got) > 80 || strings.ContainsAny(got, "\x1b\u202e") {
			t.Errorf("%s: %q", text, got)
		}
	}
}
