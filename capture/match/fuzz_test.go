package match_test

import (
	"encoding/json"
	"errors"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"code.hooktape.dev/hooktape/capture"
	. "code.hooktape.dev/hooktape/capture/match"
)

func FuzzParse(f *testing.F) {
	for _, text := range []string{
		"type:a,b !(x or \"y \\\" z\") /re x/ status:5xx", `body.a."b c"[0]:>1e9 header.x:* query."q r":/x\/y/`, "path:/a,/b/ (path:/a or path:/)",
		"since:1h before:2026-01-02 since:14:00", "a or b and not c || d && e", "/a (b/(c))", `body.\ (type:1)`, "http://x.test/ is:failed,ok sig:valid id:evt_",
		"dur:1s..2s size:<1.5kb try:..3", "type:/a\\ b/ path:/a,x/(b)", "\xff type:\xff \"\xff\"", "((a b) c) or (d or e)", "!!!not a", "BodY\x82.0:0",
	} {
		f.Add(text)
	}
	rows := []*capture.Row{push(), stray(), form(push())}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := ParseAt(text, now)
		if err != nil {
			var e *SyntaxError
			if !errors.As(err, &e) || e.Pos < 0 || e.Len < 0 || e.Pos+e.Len > len(text) {
				t.Fatalf("error %#v", err)
			}
			_, _ = e.Error(), e.Caret()
			return
		}
		again, err := ParseAt(p.String(), now)
		if err != nil {
			t.Fatalf("%q is written %q: %v", text, p, err)
		}
		if again.String() != p.String() || again.Terms() != p.Terms() || again.NeedsBody() != p.NeedsBody() {
			t.Fatalf("%q is written %q and that %q", text, p, again)
		}
		for _, row := range rows {
			s := subject(row, pushBody)
			got := p.Match(s)
			if again.Match(s) != got || (len(p.Explain(s)) == 0) != got {
				t.Fatalf("%q: Match %v, as written %v, Explain %v", text, got, again.Match(s), p.Explain(s))
			}
			if got {
				sound(t, p, row)
			}
		}
	})
}

// sound checks that the hints of p hold for row, which it matches.
func sound(t *testing.T, p *Predicate, row *capture.Row) {
	t.Helper()
	stored := map[string]string{"app": row.App, "type": row.Type, "provider": row.Provider, "method": row.Method,
		"state": string(row.Outcome.State), "status": strconv.Itoa(row.Outcome.Status), "pinned": strconv.FormatBool(row.Pinned)}
	for _, e := range p.Exact() {
		if !slices.Contains(e.Values, strings.ToLower(stored[e.Field])) {
			t.Errorf("%s matches a row whose %s is %q, its hint is %q", p, e.Field, stored[e.Field], e.Values)
		}
	}
	if row.Received.Before(p.Since()) {
		t.Errorf("%s matches a row received %v, its hint is %v", p, row.Received, p.Since())
	}
}

func TestHintsHoldForWhateverMatches(t *testing.T) {
	names := []string{"", "push", "Push", "PUSH", "straße", "STRASSE", "\u212aelvin", "kelvin", "ſ", "s", "İ", "i", "ǅ", "ǆ", "\xff", "\uFFFD", "a*", "Ünder"}
	terms := []string{"is:pinned", "is:failed", "is:pending,ok", "is:captured", "is:retry,pinned", "status:200", "status:>1", "status:0,404", "since:1h", "before:2h", "since:3h"}
	for _, n := range names[1:] {
		for _, f := range []string{"type:", "app:", "provider:", "method:"} {
			terms = append(terms, f+n, f+strings.ToLower(n)+",x", f+`"`+n+`"`)
		}
	}
	rng := rand.New(rand.NewPCG(1, 2))
	pick := func(from []string) string { return from[rng.IntN(len(from))] }
	matched := 0
	for range 20_000 {
		text := pick(terms) + pick([]string{" ", " or ", " !", " or not "}) + pick(terms) + pick([]string{" ", " or "}) + "(" + pick(terms) + " or " + pick(terms) + ")"
		p := parse(t, text)
		for range 20 {
			row := stray()
			row.App, row.Type, row.Provider, row.Method = pick(names), pick(names), pick(names), pick(names)
			row.Pinned = rng.IntN(2) == 0
			row.Outcome.State = capture.State(pick([]string{"", "ok", "failed", "pending", "retry"}))
			row.Outcome.Status = []int{0, 200, 404}[rng.IntN(3)]
			row.Received = now.Add(-time.Duration(rng.IntN(4)) * time.Hour)
			if p.Match(Subject{Row: row}) {
				matched++
				sound(t, p, row)
			}
		}
	}
	if matched < 1000 {
		t.Errorf("only %d matches", matched)
	}
}

func FuzzMatchBody(f *testing.F) {
	for _, body := range []string{pushBody, `{"a":{"b":[1,"x"]}}`, `[[[[`, `{"a":`, "a=1&a.b=%7B%22c%22:1%7D", `{"a":"\ud800"}`, `{"a":,"b":]}`, `{"a":1e99999}`, "\xff{", `{"\u0061":{"b":2}}`, `{"a":{"b":1},"a":{"c":[]}}`} {
		f.Add([]byte(body))
	}
	var all []*Predicate
	for _, text := range []string{"body.a:1", "body.a.b:*", "body[0][0]:>1", "body.a.0:x,y or body.a.b.1:/x/", "body.a:\"1\"", "!body.a:<=5", "hello", "/h.*o/", "hellö", `body."a.b".c:n?ll`} {
		all = append(all, parse(f, text))
	}
	rows := []*capture.Row{push(), form(push())}
	there := parse(f, "body.a.b:*")
	f.Fuzz(func(t *testing.T, body []byte) {
		var m map[string]any
		if json.Unmarshal(body, &m) == nil {
			b, _ := m["a"].(map[string]any)
			if _, want := b["b"]; there.Match(subject(push(), string(body))) != want {
				t.Fatalf("%s: Match is not %v", there, want)
			}
		}
		for _, p := range all {
			for _, row := range rows {
				s := subject(row, string(body))
				if got := p.Match(s); (len(p.Explain(s)) == 0) != got {
					t.Fatalf("%s: Match %v, Explain %v", p, got, p.Explain(s))
				}
			}
		}
	})
}
