package spec_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"code.hooktape.dev/hooktape/capture/catalog/spec"
)

// schemas are what an example must come of that satisfies them; "want" where
// only one does.
var schemas = []struct{ schema, want string }{
	{`{"example": {"a": 1}, "examples": [2], "default": 3}`, `2`},
	{`{"example": {"b": 1, "a": 1.50}}`, `{"b":1,"a":1.50}`},
	{`{"default": 3, "const": 3}`, `3`},
	{`{"const": null}`, `null`},
	{`{"enum": [null, "a"]}`, `"a"`},
	{`true`, `{}`},
	{`{}`, `{}`},
	{`{"type": "null"}`, `null`},
	{`{"type": "integer", "minimum": 7, "exclusiveMaximum": 8}`, `7`},
	{`{"type": "integer", "minimum": -3, "maximum": -3}`, `-3`},
	{`{"type": "integer", "multipleOf": 2.5, "minimum": 1, "maximum": 5}`, `5`},
	{`{"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 0.001}`, `0.0005`},
	{`{"type": "number", "maximum": -1e20}`, ``},
	{`{"minimum": 5, "exclusiveMinimum": true, "maximum": 6, "type": "integer"}`, `6`},
	{`{"type": "string", "minLength": 30, "maxLength": 31}`, ``},
	{`{"type": "string", "maxLength": 0}`, `""`},
	{`{"type": "string", "pattern": "^[A-Z]{2}\\d{4}$"}`, ``},
	{`{"type": "string", "pattern": "^(a|b)+$", "minLength": 12, "maxLength": 12}`, ``},
	{`{"type": "string", "pattern": "x", "minLength": 5}`, ``},
	{`{"type": "string", "pattern": "^\\p{L}é*$"}`, ``},
	{`{"type": "array", "items": {"type": "boolean"}, "minItems": 3}`, `[true,true,true]`},
	{`{"type": "array", "items": {"enum": [1, 2, 3]}, "minItems": 3, "uniqueItems": true}`, ``},
	{`{"type": "array", "prefixItems": [{"const": 1}], "items": false}`, `[1]`},
	{`{"type": "array", "contains": {"const": "x"}, "minContains": 2}`, `["x","x"]`},
	{`{"type": "object", "required": ["b"], "properties": {"a": {"const": 1}}, "additionalProperties": {"const": 2}}`, `{"a":1,"b":2}`},
	{`{"type": "object", "additionalProperties": {"const": 2}, "minProperties": 2}`, `{"key1":2,"key2":2}`},
	{`{"type": "object", "propertyNames": {"pattern": "^[a-f]{8}$"}, "minProperties": 2}`, ``},
	{`{"type": "object", "patternProperties": {"^x_": {"const": 1}}, "required": ["x_a"]}`, `{"x_a":1}`},
	{`{"properties": {"a": {"const": 1}}, "dependentRequired": {"a": ["b"], "b": ["c"]}}`, ``},
	{`{"allOf": [{"properties": {"a": {"const": 1}}}, {"properties": {"b": {"const": 2}}, "required": ["b"]}]}`, `{"a":1,"b":2}`},
	{`{"allOf": [{"type": ["string", "null"]}, {"type": ["null", "integer"]}]}`, `null`},
	{`{"allOf": [{"type": "number"}, {"type": "integer", "minimum": 2}, {"maximum": 2}]}`, `2`},
	{`{"oneOf": [{"type": "integer"}, {"type": "number", "multipleOf": 0.5, "maximum": 0.5, "minimum": 0.5}]}`, ``},
	{`{"anyOf": [false, {"const": 1}]}`, `1`},
	{`{"if": {"properties": {"k": {"const": "a"}}}, "then": {"required": ["x"]}, "properties": {"k": {"enum": ["a"]}, "x": {"const": 1}}}`, `{"k":"a","x":1}`},
	{`{"not": {"type": "string"}, "enum": ["a", 1]}`, ``},
	{`{"$ref": "#/$defs/a", "$defs": {"a": {"type": "object", "required": ["a"], "properties": {"a": {"anyOf": [{"$ref": "#/$defs/a"}, {"type": "null"}]}}}}}`, ``},
	{`{"$defs": {"n": {"$anchor": "here", "const": 4}}, "$ref": "#here"}`, `4`},
	{`{"type": "string", "nullable": true, "enum": ["a"]}`, `"a"`},
	{`{"type": "object", "example": {"a": 1}, "properties": {"a": {"type": "string"}}}`, ``},
}

func TestExample(t *testing.T) {
	for _, c := range schemas {
		got, err := spec.Example(json.RawMessage(c.schema), 1, nil)
		if err != nil {
			t.Errorf("%s: %v", c.schema, err)
			continue
		}
		if c.want != "" && string(got) != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.schema, got, c.want)
		}
		if problem := invalid(t, []byte(c.schema), got); c.want == "" && problem != nil {
			t.Errorf("%s: %s: %v", c.schema, got, problem)
		}
	}
}

func TestExampleOfFormats(t *testing.T) {
	for _, format := range []string{"date-time", "date", "time", "duration", "email", "hostname", "ipv4", "ipv6", "uri", "uri-reference", "iri", "uri-template", "uuid", "json-pointer", "relative-json-pointer", "regex"} {
		schema := []byte(fmt.Sprintf(`{"type": "string", "format": %q}`, format))
		for seed := range uint64(50) {
			got, err := spec.Example(schema, seed, nil)
			if err != nil {
				t.Fatal(err)
			}
			if problem := invalid(t, schema, got); problem != nil {
				t.Errorf("%s: %s: %v", format, got, problem)
			}
		}
	}
}

func TestExampleIsSeeded(t *testing.T) {
	schema := json.RawMessage(`{"type": "array", "minItems": 5, "items": {"type": "string", "format": "uuid"}}`)
	var all [3]string
	for i, seed := range []uint64{1, 1, 2} {
		got, err := spec.Example(schema, seed, nil)
		if err != nil {
			t.Fatal(err)
		}
		all[i] = string(got)
	}
	if all[0] != all[1] || all[0] == all[2] {
		t.Errorf("seeds 1, 1, 2 gave %v", all)
	}
}

func TestNoExample(t *testing.T) {
	for schema, want := range map[string]string{
		`false`: "nothing satisfies it",
		`{"required": ["a"], "properties": {"a": {"type": "integer", "minimum": 2, "maximum": 1}}}`:              "a: nothing satisfies it",
		`{"$ref": "#/$defs/a", "$defs": {"a": {"required": ["a"], "properties": {"a": {"$ref": "#/$defs/a"}}}}}`: "requires itself",
		`{"type": "string", "minLength": 1000000}`:                                                               "too large",
		`{"$ref": "#/$defs/nowhere"}`: `nothing at "#/$defs/nowhere"`,
		`{"type": 1}`:                 "no JSON Schema",
		`"text"`:                      "neither an object nor true or false",
		`{`:                           "no JSON",
	} {
		got, err := spec.Example(json.RawMessage(schema), 1, nil)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %s, %v; want %q", schema, got, err, want)
		}
	}
}

// invalid is what another reading of the schema, with formats, has against v.
func invalid(t *testing.T, schema, v []byte) error {
	t.Helper()
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	s, err := jsonschema.UnmarshalJSON(bytes.NewReader(schema))
	if err != nil {
		t.Fatal(err)
	}
	if o, ok := s.(map[string]any); ok && o["exclusiveMinimum"] == true {
		return nil // OpenAPI 3.0's
	}
	if err := c.AddResource("schema:it", s); err != nil {
		t.Fatal(err)
	}
	compiled, err := c.Compile("schema:it")
	if err != nil {
		t.Fatal(err)
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(v))
	if err != nil {
		t.Fatalf("%s is no JSON: %v", v, err)
	}
	return compiled.Validate(value)
}

// FuzzExample makes schemas of the keywords that Example supports, out of
// bytes, and holds what comes of them against another reading of the schema.
func FuzzExample(f *testing.F) {
	f.Add([]byte("0123456789abcdefghij"), uint64(1))
	f.Add([]byte{0, 200, 3, 4, 5, 6, 7, 8, 9, 10, 99, 98, 97}, uint64(2))
	f.Fuzz(func(t *testing.T, choices []byte, seed uint64) {
		m := maker{left: choices}
		schema, err := json.Marshal(m.schema(4))
		if err != nil {
			t.Fatal(err)
		}
		got, err := spec.Example(schema, seed, nil)
		if err != nil {
			t.Fatalf("%s: %v", schema, err)
		}
		if problem := invalid(t, schema, got); problem != nil {
			t.Fatalf("%s:\n%s: %v", schema, got, problem)
		}
	})
}

// maker makes schemas that something satisfies.
type maker struct{ left []byte }

func (m *maker) n(n int) int {
	if len(m.left) == 0 {
		return 0
	}
	c := int(m.left[0])
	m.left = m.left[1:]
	return c % n
}

func (m *maker) schema(depth int) map[string]any {
	kinds := 4
	if depth > 0 {
		kinds = 9
	}
	switch m.n(kinds) {
	case 0:
		low := m.n(200) - 100
		return map[string]any{"type": []string{"integer", "number"}[m.n(2)], "minimum": low, "maximum": low + m.n(50)}
	case 1:
		least := m.n(40)
		return map[string]any{"type": "string", "minLength": least, "maxLength": least + m.n(5)}
	case 2:
		return map[string]any{"enum": []any{m.n(5), "a", nil}}
	case 3:
		return map[string]any{"type": "string", "pattern": []string{"^[a-z]{3,9}$", "^v\\d+(\\.\\d+)*$", "a|b"}[m.n(3)]}
	case 4:
		return map[string]any{"type": "array", "items": m.schema(depth - 1), "minItems": m.n(3)}
	case 5:
		return map[string]any{"type": "array", "prefixItems": []any{m.schema(depth - 1), m.schema(depth - 1)}, "minItems": 2}
	case 6:
		return map[string]any{"anyOf": []any{m.schema(depth - 1), m.schema(depth - 1)}}
	case 7:
		return map[string]any{"allOf": []any{
			map[string]any{"type": "object", "required": []string{"a"}, "properties": map[string]any{"a": m.schema(depth - 1)}},
			map[string]any{"properties": map[string]any{"b": m.schema(depth - 1)}}}}
	}
	return map[string]any{"type": "object", "required": []string{"a", "c"}, "properties": map[string]any{"a": m.schema(depth - 1), "b": m.schema(depth - 1)},
		"additionalProperties": m.schema(depth - 1)}
}

// FuzzRead reads anything; what comes of it is event types that can be kept.
func FuzzRead(f *testing.F) {
	for _, doc := range documents {
		f.Add([]byte(doc))
	}
	for _, c := range schemas {
		f.Add([]byte(c.schema))
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		got, err := spec.Read(doc, spec.Options{})
		if err == nil && len(got.Types) == 0 {
			t.Fatal("neither event types nor an error")
		}
		for _, e := range got.Types {
			b, err := json.Marshal(e)
			if err != nil {
				t.Fatalf("%s: %v", e.Tag, err)
			}
			if again, err := spec.Read(b, spec.Options{Kind: spec.Types}); err != nil || again.Types[0].Tag != e.Tag {
				t.Fatalf("%q cannot be read again: %v", e.Tag, err)
			}
		}
	})
}

// BenchmarkRead has as its yardstick what encoding/json takes for the same.
func BenchmarkRead(b *testing.B) {
	var hooks []string
	for i := range 200 {
		hooks = append(hooks, fmt.Sprintf(`"w%d": {"post": {"requestBody": {"content": {"application/json": {"schema": {"type": "object", "properties": {"n": {"const": %d}, "o": {"$ref": "#/components/schemas/A"}}}}}}}}`, i, i))
	}
	doc := []byte(`{"openapi": "3.1.0", "webhooks": {` + strings.Join(hooks, ",") + `}, "components": {"schemas": {"A": {"type": "object", "properties": {"id": {"type": "string", "format": "uuid"}, "a": {"$ref": "#/components/schemas/A"}}}}}}`)
	b.Run("read", func(b *testing.B) {
		for b.Loop() {
			if _, err := spec.Read(doc, spec.Options{}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("json", func(b *testing.B) {
		for b.Loop() {
			var v any
			if err := json.Unmarshal(doc, &v); err != nil {
				b.Fatal(err)
			}
		}
	})
}
