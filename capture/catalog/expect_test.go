package catalog_test

import (
	"encoding/json"
	"testing"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/catalog"
	escaping "code.hooktape.dev/hooktape/capture/fill"
)

func TestExpect(t *testing.T) {
	const head = `{"$schema":"https://json-schema.org/draft/2020-12/schema"`
	for body, want := range map[string]string{
		`1`:                            `,"type":"number"}`,
		`1.5`:                          `,"type":"number"}`,
		`null`:                         `}`,
		`"ada@example.com"`:            `,"type":"string"}`,
		`[]`:                           `,"type":"array"}`,
		`[1,"a"]`:                      `,"type":"array","items":{"type":["number","string"]}}`,
		`[1,null]`:                     `,"type":"array","items":{}}`,
		`{"a":null,"b":{}}`:            `,"type":"object","properties":{"a":{},"b":{"type":"object","additionalProperties":false}},"required":["a","b"],"additionalProperties":false}`,
		`[{"a":1},{"a":"x","b":true}]`: `,"type":"array","items":{"type":"object","properties":{"a":{"type":["number","string"]},"b":{"type":"boolean"}},"required":["a"],"additionalProperties":false}}`,
	} {
		got, err := catalog.Expect(json.RawMessage(body))
		if err != nil || string(got) != head+want {
			t.Errorf("%s: %v\n got %s\nwant %s%s", body, err, got, head, want)
		}
	}
	if got, err := catalog.Expect(json.RawMessage(`{`)); err == nil {
		t.Errorf("of half a document it makes %s", got)
	}
}

// A sample that is taken literally is what it was once it is filled in, and
// once it is read again.
func TestTexts(t *testing.T) {
	var literal capture.Sample
	const whole = `{"headers":{"X":"{{url}}"},"query":{"q":["{{a}}",1]},"body":{"{{name}}":"{{'x'}} {{{","n":null,"o":{"b":"\u007b{"}},"params":{"p":"{{"}}`
	if err := json.Unmarshal([]byte(whole), &literal); err != nil {
		t.Fatal(err)
	}
	escaped := catalog.Texts(literal, escaping.Escape)
	filled, err := escaping.JSON(escaped.Body, nil)
	if want := `{"{{name}}":"{{'x'}} {{{","n":null,"o":{"b":"{{"}}`; err != nil || string(filled) != want {
		t.Errorf("filled in: %s, %v, want %s", filled, err, want)
	}
	back, err := json.Marshal(catalog.Texts(escaped, escaping.Literal))
	if want := `{"headers":{"X":"{{url}}"},"query":{"q":["{{a}}",1]},"body":{"{{name}}":"{{'x'}} {{{","n":null,"o":{"b":"{{"}},"params":{"p":"{{"}}`; err != nil || string(back) != want {
		t.Errorf("read again: %s, %v, want %s", back, err, want)
	}
	if got := escaping.Literal("{{uuid}} and {{'{{'}}"); got != "{{uuid}} and {{'{{'}}" {
		t.Errorf("a template is read as %q", got)
	}
}
