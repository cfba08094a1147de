package fill_test

import (
	"encoding/json"
	"errors"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
	"time"

	"code.hooktape.dev/hooktape/capture"
	. "code.hooktape.dev/hooktape/capture/fill"
)

func filled(text string, s *Source) (string, error) {
	t, err := Parse(text)
	if err != nil {
		return "", err
	}
	return t.Fill(s)
}

var noon = time.Date(2026, 3, 14, 15, 9, 26, 535e6, time.FixedZone("", 3600))

const order = `{"id":"ord_1","amount":12.50,"big":12345678901234567890,"paid":true,"ref":null,"data":{"object":{"id":"in_9","tags":["a","b"]}},
 "a b":{"c.d":"odd"},"0":"zero","note":"say \"hi\"\nÜ","twice":1,"twice":2,"empty":"","html":"<&>"}`

// source is an event with a body, as rules see it.
func source(body string, headers ...capture.Header) *Source {
	return &Source{
		Event: &capture.Event{ID: "evt_1", Type: "order.paid", App: "shop", Method: "PUT", Target: "/a%20b/c?x=1&y=%C3%A9+2&x=3&my%20id=7&flag",
			Headers: headers, Received: noon},
		Body: []byte(body), Now: noon, Rand: rand.New(rand.NewPCG(1, 2)), N: 4,
		Rule: &Rule{Name: "first", Hits: 3, State: "paid"},
	}
}

func TestValues(t *testing.T) {
	s := source(order, capture.Header{"X-Y", "one"}, capture.Header{"x-y", "two"}, capture.Header{"Empty", ""})
	for _, c := range []struct{ text, want string }{
		{"", ""},
		{"plain } }} { text", "plain } }} { text"},
		{"{{'{{'}}n}}", "{{n}}"},
		{`a{{ "q\"\\'" }}b{{'\''}}c`, `aq"\'b'c`},
		{"{{5}} {{-1.50}} {{true}} {{null}}.", "5 -1.50 true ."},
		{"{{n}}{{n}}", "44"},
		{"{{now}}", "2026-03-14T14:09:26Z"},
		{`{{now "unix"}} {{now 'ms'}}`, "1773497366 1773497366535"},
		{`{{now "http"}}`, "Sat, 14 Mar 2026 14:09:26 GMT"},
		{`{{now "2006-01-02" "-1d"}} {{now "unix" "-3h"}} {{now "+1w"}}`, "2026-03-13 1773486566 2026-03-21T14:09:26Z"},
		{`{{now "unix" "-1.5h30m"}}`, "1773490166"},
		{"{{method}} {{path}}", "PUT /a%20b/c"},
		{`{{query.x}} {{query.y}} {{query."my id"}} [{{query.flag}}] [{{query.z}}]`, "1 é 2 7 [] []"},
		{"{{header.X-y}} [{{header.none}}] [{{header.empty | default 'no'}}]", "one [] []"},
		{"{{event.id}} {{event.type}} {{event.app}} {{event.received}} [{{event.source}}]", "evt_1 order.paid shop 2026-03-14T14:09:26Z []"},
		{"{{rule.name}} {{rule.hits}} {{rule.state}}", "first 3 paid"},
		{"{{body.id}} {{body.amount}} {{body.big}} {{body.paid}} [{{body.ref}}]", "ord_1 12.50 12345678901234567890 true []"},
		{"{{body.data.object.tags.1}} {{body.data.object.tags[0]}} {{body.data.object.tags}}", `b a ["a","b"]`},
		{`{{body."a b"["c.d"]}} {{body.a\ b.c\.d}} {{body.0}} {{body["0"]}}`, "odd odd zero zero"},
		{`[{{body.data.object.tags."0"}}] [{{body.data.object.tags.2}}] [{{body.id.x}}] [{{body.nope.x}}]`, "[] [] [] []"},
		{"{{body.twice}}", "2"},
		{"{{body.note}}", "say \"hi\"\nÜ"},
		{"{{body.note | json}} {{body.nope|json}} {{body.amount|json}} {{body.html|json}}", `"say \"hi\"\nÜ" null 12.50 "<&>"`},
		{"{{body}}", order},
		{"{{body.ref | default 'none'}} {{body.nope | default 7}} {{body.empty | default 'x'}}", "none 7 "},
		{"{{body.nope | upper | default 'low'}} {{'a' | upper | lower | upper}}", "low A"},
		{"{{' a ' | trim}} {{'a b&ü' | urlencode}} {{'hi' | base64}}", "a a+b%26%C3%BC aGk="},
		{"{{'abc' | sha256}}", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
	} {
		got, err := filled(c.text, s)
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		if got != c.want {
			t.Errorf("%s\n got %q\nwant %q", c.text, got, c.want)
		}
	}
}

func TestMadeValuesLookAsTheyShould(t *testing.T) {
	for text, want := range map[string]string{
		"{{uuid}}":           `[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}`,
		"{{ulid}}":           `01KKPAWE07[0-9A-HJKMNP-TV-Z]{16}`,
		"{{hex 16}}":         `[0-9a-f]{16}`,
		"{{digits 12}}":      `[0-9]{12}`,
		"{{alnum 24}}":       `[0-9A-Za-z]{24}`,
		"{{int -3 3}}":       `-[123]|[0123]`,
		"{{int 5 5}}":        `5`,
		"{{amount 1 999}}":   `[1-9][0-9]{0,2}\.[0-9]{2}`,
		"{{amount 2.5 2.5}}": `2\.50`,
		"{{bool}}":           `true|false`,
		"{{oneof 'a' 2}}":    `a|2`,
		"{{name}}":           `\p{Lu}\p{L}+ \p{Lu}[\p{L}']+`,
		"{{first}}":          `\p{Lu}\p{L}+`,
		"{{last}}":           `\p{Lu}[\p{L}']+`,
		"{{email}}":          `[a-z]+\.[a-z]+@example\.(com|net|org)`,
		"{{phone}}":          `\+1-[2-6]0[2-6]-555-01[0-9]{2}`,
		"{{company}}":        `[A-Z][a-z]+ Example [&A-Za-z ]+`,
		"{{city}}":           `\p{Lu}[\p{L}]+`,
		"{{country}}":        `[A-Z]{2}`,
		"{{currency}}":       `[A-Z]{3}`,
		"{{word}}":           `[a-z]+`,
		"{{sentence}}":       `The [a-z]+ [a-z]+ the [a-z]+\.`,
		"{{url}}":            `https://example\.(com|net|org)/[a-z]+/[a-z]+`,
		"{{ip}}":             `(192\.0\.2|198\.51\.100|203\.0\.113)\.[1-9][0-9]{0,2}`,
		"{{date}}":           `202[56]-[01][0-9]-[0-3][0-9]`,
	} {
		whole := regexp.MustCompile("^(" + want + ")$")
		tmpl, err := Parse(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		s := &Source{Now: noon}
		for range 200 {
			if got, err := tmpl.Fill(s); err != nil || !whole.MatchString(got) {
				t.Errorf("%s is %q, %v; want %s", text, got, err, want)
				break
			}
		}
	}
}

func TestSeedsRepeat(t *testing.T) {
	const text = "{{uuid}} {{ulid}} {{name}} {{email}} {{int 1 1000000}} {{amount 0 1000}} {{sentence}} {{date}}"
	fill := func(seed uint64) string {
		got, err := filled(text, &Source{Now: noon, Rand: rand.New(rand.NewPCG(seed, 0))})
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	first := fill(1)
	if again := fill(1); again != first {
		t.Errorf("the same seed makes %q and %q", first, again)
	}
	if other := fill(2); other == first {
		t.Errorf("two seeds make the same: %q", first)
	}
	a, _ := filled("{{uuid}}", nil)
	if b, _ := filled("{{uuid}}", nil); a == b || a == "" {
		t.Errorf("without a seed twice %q", a)
	}
}

func TestWithoutAnEventNothingIsThere(t *testing.T) {
	for _, word := range []string{"method", "path", "query.a", "header.a", "body", "body.a", "body[0]", "event.id", "event.received", "rule.name", "rule.hits"} {
		if got, err := filled("[{{"+word+"}}][{{"+word+" | default 'none'}}]", nil); err != nil || got != "[][none]" {
			t.Errorf("%s: %q, %v", word, got, err)
		}
	}
}

func TestForms(t *testing.T) {
	form := capture.Header{"content-type", "application/x-www-form-urlencoded; charset=utf-8"}
	const body = "From=%2B1555&a.b=dotted&c[d][e]=square&payload=%7B%22x%22%3A%7B%22y%22%3A[1,2]%7D%7D&From=second&bad=%zz"
	for text, want := range map[string]string{
		"{{body.From}} {{body.a.b}} {{body.c.d.e}}":      "+1555 dotted square",
		"{{body.payload.x.y}} {{body.payload.x.y.1}}":    "[1,2] 2",
		"[{{body.none}}] [{{body.From.x}}] {{body.bad}}": "[] [] %zz",
	} {
		if got, err := filled(text, source(body, form)); err != nil || got != want {
			t.Errorf("%s: %q, %v; want %q", text, got, err, want)
		}
	}
	if got, _ := filled("{{body.From}}", source(body)); got != "" {
		t.Errorf("a body that says it is no form has the field %q", got)
	}
	if got, _ := filled("{{body.a}}", source(`{"a":1}x`, form)); got != "" {
		t.Errorf("a body that is no JSON has the member %q", got)
	}
}

func TestTheBodyIsEchoed(t *testing.T) {
	for _, body := range []string{` "a\u0062" `, " [1, 2]\n", "plain \xff", order} {
		if got, err := filled("{{body}}", source(body)); err != nil || got != body {
			t.Errorf("%q became %q, %v", body, got, err)
		}
	}
	if got, err := JSON([]byte(`["{{body}}","<{{body}}>"]`), source(`"a"`)); err != nil || string(got) != `["a","<\"a\">"]` {
		t.Errorf("%s %v", got, err)
	}
}

func TestSyntaxErrors(t *testing.T) {
	for text, want := range map[string]string{
		"a {{uid}}":              `line 1, column 5: unknown word "uid": did you mean`,
		"a\nü {{emial}}":         `line 2, column 5: unknown word "emial": did you mean email?`,
		"{{bdy.id}}":             `unknown word "bdy.id"`,
		"{{Uuid}}":               `did you mean uuid?`,
		"{{time}}":               `unknown word "time"`,
		"{{n":                    `line 1, column 1: the expression is not closed: add }}`,
		"{{":                     `a word is missing`,
		"{{}}":                   `a word is missing`,
		"{{n}":                   `"}" is in the way`,
		"{{n {}}":                `"{" is in the way`,
		"{{n |}}":                `a word is missing`,
		"{{'a}}":                 `the quote is not closed: add '`,
		"{{body.'a}}":            `the quote is not closed: add '`,
		"{{n 5}}":                `n wants no such argument`,
		"{{2fa}}":                `"2fa" is no number`,
		"{{oneof a b}}":          `"a" is no number and not in quotes`,
		"{{hex}}":                `hex wants an argument more: such as {{hex 16}}`,
		"{{hex 1e9}}":            `hex wants a whole number from 1 to 4096`,
		"{{hex 1000000000}}":     `hex wants a whole number from 1 to 4096`,
		"{{hex 0}}":              `hex wants a whole number from 1 to 4096`,
		"{{hex '5'}}":            `hex wants a whole number from 1 to 4096`,
		"{{int 5 1}}":            `int wants a whole number from 5 to`,
		"{{int 1}}":              `int wants an argument more`,
		"{{amount 5 1}}":         `the first is more than the second`,
		"{{amount -5 1}}":        `amount wants a number from 0`,
		"{{now 5}}":              `now wants text in quotes`,
		"{{now 'unix' '3h'}}":    `"3h" is no offset`,
		"{{now 'unixx'}}":        `"unixx" has no part of a time: want "unix"`,
		"{{now '2006' 'b' 'c'}}": `now wants no such argument`,
		"{{oneof}}":              `oneof wants an argument more`,
		"{{header.}}":            `the name of a header is missing`,
		"{{header[0]}}":          `the name of a header is missing`,
		"{{query.}}":             `names no parameter`,
		"{{query.'a'b}}":         `names no parameter`,
		"{{body.}}":              `a key is missing`,
		"{{body..a}}":            `a key is missing`,
		"{{body[a]}}":            `brackets hold an index`,
		"{{body[0}}":             `the bracket is not closed`,
		"{{body[0]a}}":           `text right behind a quote or bracket`,
		"{{n | default}}":        `default wants an argument more`,
		"{{n | uper}}":           `unknown pipe "uper": did you mean upper?`,
		"{{n | 5}}":              `a pipe is a word`,
		"{{n | upper 5}}":        `upper wants no such argument`,
		"{{body" + strings.Repeat(".a", 33) + "}}":    `over 32 steps`,
		"{{n" + strings.Repeat(" | upper", 11) + "}}": `over 10 pipes`,
		strings.Repeat("{{n}}", 1001):                 `over 1000 expressions`,
		strings.Repeat("x", 64<<10) + "x":             `over 64 KiB`,
	} {
		_, err := Parse(text)
		var syntax *SyntaxError
		if !errors.As(err, &syntax) || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: %v\nwant %s", text, err, want)
		}
	}
}

func TestJSON(t *testing.T) {
	s := source(order, capture.Header{"Quote", `"<`})
	for _, c := range []struct{ doc, want string }{
		{`1`, `1`},
		{`"plain"`, `"plain"`},
		{` { "{{n}}" : "{{n}}", "a\u0062" : [ "x{{n}}y" , 1.0, null ] } `, ` { "{{n}}" : 4, "a\u0062" : [ "x4y" , 1.0, null ] } `},
		{`["{{n | text}}","{{bool}}","{{body.paid}}","{{body.amount}}","{{body.nope}}","{{body.ref}}","-{{body.ref}}-"]`, `["4",true,true,12.50,null,null,"--"]`},
		{`{"o":"{{body.data.object}}","n":"{{body.note}}","m":"a {{body.note}}"}`, `{"o":{"id":"in_9","tags":["a","b"]},"n":"say \"hi\"\nÜ","m":"a say \"hi\"\nÜ"}`},
		{`["\u007b\u007bn}}","\u007b","{{'{{'}}n}}","{{now \"unix\"}}","{{header.quote}}"]`, `[4,"\u007b","{{n}}",1773497366,"\"<"]`},
		{`["{{body.data.object.tags | json}}","{{null}}","{{'a'}}","{{body.big}}"]`, `["[\"a\",\"b\"]",null,"a",12345678901234567890]`},
	} {
		got, err := JSON([]byte(c.doc), s)
		if err != nil {
			t.Errorf("%s: %v", c.doc, err)
			continue
		}
		if want := c.want; string(got) != want && !(strings.Contains(c.doc, "bool") && string(got) == strings.Replace(want, "true", "false", 1)) {
			t.Errorf("%s\n got %s\nwant %s", c.doc, got, want)
		}
	}
	for doc, want := range map[string]string{
		`{`:                          "no JSON",
		``:                           "no JSON",
		`{"a":["ok {{n}}","{{x}}"]}`: `the string at byte 17: line 1, column 3: unknown word "x"`,
		`[` + strings.Repeat(`"{{n}}",`, 1000) + `"{{n}}"]`: "over the limit of 1000 expressions",
	} {
		if _, err := JSON([]byte(doc), s); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40s: %v, want %s", doc, err, want)
		}
	}
}

func TestLimits(t *testing.T) {
	long := source(`{"a":"` + strings.Repeat("%", 400<<10) + `"}`)
	for _, text := range []string{
		"{{body.a}}{{body.a}}{{body.a}}",
		"{{body.a | urlencode | urlencode}}",
		strings.Repeat("{{body.a | sha256}}", 100),
		"{{body.a" + strings.Repeat(" | urlencode", 10) + "}}",
	} {
		if _, err := filled(text, long); err == nil {
			t.Errorf("%.60s: filled, want an error", text)
		}
	}
	if _, err := filled("{{body.a}}{{body.a}}{{body.a}}", long); !errors.Is(err, ErrTooLong) {
		t.Errorf("%v, want ErrTooLong", err)
	}
	if _, err := JSON([]byte(`["{{body.a}}","{{body.a}}","{{body.a}}"]`), long); !errors.Is(err, ErrTooLong) {
		t.Errorf("a document: %v, want ErrTooLong", err)
	}
	if _, err := JSON([]byte(`"`+strings.Repeat("x", 1<<20)+`"`), nil); !errors.Is(err, ErrTooLong) {
		t.Errorf("a long document: %v, want ErrTooLong", err)
	}
	deep := source(strings.Repeat("[", 9_000) + strings.Repeat("]", 9_000))
	if _, err := JSON([]byte(strings.Repeat("[", 9_000)+`"{{body}}"`+strings.Repeat("]", 9_000)), deep); !errors.Is(err, ErrTooLong) {
		t.Errorf("a document nested too deep: %v, want ErrTooLong", err)
	}
	huge := source(`{"a":"` + strings.Repeat("x", 1<<20) + `"}`)
	if got, err := filled("{{body.a | default 'none'}} {{body | default 'none'}}", huge); err != nil || got != "none none" {
		t.Errorf("a body over 1 MiB: %.20q, %v", got, err)
	}
}

func FuzzFill(f *testing.F) {
	for _, seed := range []string{"{{n}}", "a {{body.a | json}} {{'{{'}}", "{{now 'unix' '-3h'}}", "{{body[0].\"x y\" | default null | upper}}",
		"{{hex 4096}}", "{{oneof 1 'b' true}}", "{{query.\"a\"}}{{header.x}}", "{{'\\''}}", "{{{", "}}"} {
		f.Add(seed, order)
	}
	f.Fuzz(func(t *testing.T, text, body string) {
		if got, err := filled(Escape(text), nil); err != nil && len(Escape(text)) <= 64<<10 && strings.Count(text, "{{") <= 1000 || err == nil && got != text {
			t.Errorf("Escape(%q) gives %q, %v", text, got, err)
		}
		s := source(body)
		got, err := filled(text, s)
		if len(got) > 1<<20 {
			t.Errorf("%d bytes were filled", len(got))
		}
		if err == nil && !strings.Contains(text, "{{") && got != text {
			t.Errorf("%q became %q", text, got)
		}
	})
}

func FuzzJSON(f *testing.F) {
	for _, seed := range []string{order, `{"a":"{{body}}","b":["{{n}}","x{{body.id}}"]}`, `"\u007b{n}}"`, `"{{body.note}}"`, `["{{'\\ud800'}}"]`} {
		f.Add(seed, order)
	}
	f.Fuzz(func(t *testing.T, doc, body string) {
		got, err := JSON([]byte(doc), source(body))
		if err != nil {
			return
		}
		if !json.Valid(got) || len(got) > 1<<20 {
			t.Errorf("%q with %q became %q", doc, body, got)
		}
		if !strings.Contains(doc, "{{") && !strings.Contains(doc, `\u`) && string(got) != doc {
			t.Errorf("%q became %q", doc, got)
		}
	})
}
