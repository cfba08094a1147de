package catalog_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"code.hooktape.dev/hooktape/capture/catalog"
)

func TestInfer(t *testing.T) {
	const head = `{"$schema":"https://json-schema.org/draft/2020-12/schema",`
	for body, want := range map[string]string{
		`1`:                                      `"type":"integer"}`,
		`1.0`:                                    `"type":"number"}`,
		`1e3`:                                    `"type":"number"}`,
		`null`:                                   `"type":"null"}`,
		`"a"`:                                    `"type":"string"}`,
		`"2026-11-22T09:11:49.123Z"`:             `"type":"string","format":"date-time"}`,
		`"2026-11-22"`:                           `"type":"string"}`,
		`"https://example.com/a?b"`:              `"type":"string","format":"uri"}`,
		`"note: this"`:                           `"type":"string"}`,
		`"https://example.com/a b"`:              `"type":"string"}`,
		`"ada@example.com"`:                      `"type":"string","format":"email"}`,
		`"Ada <ada@example.com>"`:                `"type":"string"}`,
		`"ada@localhost"`:                        `"type":"string"}`,
		`"0F3c2a5e-7d4b-4c1a-9e8f-2b6d5a4c3e1f"`: `"type":"string","format":"uuid"}`,
		`[]`:                                     `"type":"array"}`,
		`[1,2.5]`:                                `"type":"array","items":{"type":"number"}}`,
		`["ada@example.com","bea"]`:              `"type":"array","items":{"type":"string"}}`,
		`[null,"ada@example.com"]`:               `"type":"array","items":{"type":["null","string"],"format":"email"}}`,
		`{"b":1,"a":{}}`:                         `"type":"object","properties":{"a":{"type":"object"},"b":{"type":"integer"}},"required":["a","b"]}`,
		`[{"a":1,"b":[]},{"a":"x","b":[true]}]`:  `"type":"array","items":{"type":"object","properties":{"a":{"type":["integer","string"]},"b":{"type":"array","items":{"type":"boolean"}}},"required":["a","b"]}}`,
		`[{"a":1},{"b":1},5]`:                    `"type":"array","items":{"type":["integer","object"],"properties":{"a":{"type":"integer"},"b":{"type":"integer"}}}}`,
	} {
		got, err := catalog.Infer(json.RawMessage(body))
		if err != nil || string(got) != head+want {
			t.Errorf("%s: %v\n got %s\nwant %s%s", body, err, got, head, want)
		}
	}
	for _, body := range []string{``, `{`, `1 2`, `1 }`} {
		if got, err := catalog.Infer(json.RawMessage(body)); err == nil {
			t.Errorf("%q: %s", body, got)
		}
	}
}

// What a schema is inferred from fits it, formats too.
func TestInferredSchemasHold(t *testing.T) {
	for _, e := range catalog.Builtin() {
		if s := fill(t, e.Sample); len(s.Body) > 0 {
			fits(t, e.Tag, s.Body)
		}
	}
}

func fits(t *testing.T, name string, body []byte) {
	t.Helper()
	schema, err := catalog.Infer(body)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(string(schema)))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("schema.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("schema.json")
	if err != nil {
		t.Fatalf("%s: %v in %s", name, err, schema)
	}
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(string(body)))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Validate(value); err != nil {
		t.Errorf("%s: %v", name, err)
	}
}

func FuzzInfer(f *testing.F) {
	f.Add([]byte(`[{"a":1,"b":["x@example.com"]},{"a":null},[],"2026-11-22T09:11:49Z"]`))
	f.Add([]byte(`{"":{"$ref":"#"},"a":1e400}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		if len(body) < 1<<10 && json.Valid(body) {
			fits(t, "fuzz", body)
		}
	})
}
