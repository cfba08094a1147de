package spec_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"code.hooktape.dev/hooktape/capture/catalog"
	"code.hooktape.dev/hooktape/capture/catalog/spec"
)

func TestCheck(t *testing.T) {
	const schema = `{"type":"object","additionalProperties":false,"required":["id","lines"],"properties":{
		"id":{"type":"string"},"total":{"type":"number"},
		"lines":{"type":"array","items":{"type":"object","additionalProperties":false,"properties":{"sku":{"type":"string"}},"required":["sku"]}}}}`
	c, err := spec.Compile(json.RawMessage(schema))
	if err != nil {
		t.Fatal(err)
	}
	for body, want := range map[string]string{
		`{"id":"a","total":1.5,"lines":[{"sku":"x"}]}`: ``,
		`{"id":1,"lines":[]}`:                          `/id: got number, want string`,
		`{"lines":[{}]}`:                               `/id: missing; /lines/0/sku: missing`,
		`{"id":"a","lines":[],"b/c":1,"a":2}`:          `/a: not known?; /b~1c: not known?`,
		`{"new":1,"id":2,"lines":[{"sku":"x","y":1}]}`: `/id: got number, want string; /lines/0/y: not known?; /new: not known?`,
		`[]`:      `got array, want object`,
		`"a': b"`: `got string, want object`,
	} {
		problems, err := c.Check(json.RawMessage(body))
		var said []string
		for _, p := range problems {
			said = append(said, p.String()+map[bool]string{true: "?"}[p.Unknown])
		}
		if got := strings.Join(said, "; "); got != want || err != nil {
			t.Errorf("%s:\n got %s, %v\nwant %s", body, got, err, want)
		}
	}
	open, err := spec.Compile(json.RawMessage(`{"allOf":[{"properties":{"a":true}}],"unevaluatedProperties":false,"properties":{"b":false}}`))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := open.Check(json.RawMessage(`{"a":1,"b":2,"c":3}`)); len(got) != 2 || got[0].Unknown || got[1].String() != "/c: not known" || !got[1].Unknown {
		t.Errorf("what nothing evaluated: %+v, %v", got, err)
	}
	for _, body := range []string{``, `{`, `{} {}`, `{"id":}`} {
		if got, err := c.Check(json.RawMessage(body)); err == nil || errors.Is(err, spec.ErrEffort) {
			t.Errorf("%q: got %v, %v, want an error about its JSON", body, got, err)
		}
	}
}

// Schemas and bodies that would take long to compare are not compared.
func TestCheckIsBounded(t *testing.T) {
	branches := `{"type":"object"}`
	for range 40 {
		branches = `{"anyOf":[` + branches + `,{"type":"array"}]}`
	}
	doubled := `{"$defs":{"a0":{"type":"string"}`
	for i := range 40 {
		doubled += fmt.Sprintf(`,"a%d":{"allOf":[{"$ref":"#/$defs/a%d"},{"$ref":"#/$defs/a%d"}]}`, i+1, i, i)
	}
	doubled += `},"$ref":"#/$defs/a40"}`
	for name, tt := range map[string]struct {
		schema, body string
		want         error
	}{
		"branches": {branches, `{}`, nil},
		"doubled":  {doubled, `"x"`, spec.ErrEffort},
		"deep":     {`{}`, strings.Repeat("[", 5000) + strings.Repeat("]", 5000), spec.ErrEffort},
		"digits":   {`{}`, strings.Repeat("9", 5000), spec.ErrEffort},
	} {
		c, err := spec.Compile(json.RawMessage(tt.schema))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if _, err := c.Check(json.RawMessage(tt.body)); !errors.Is(err, tt.want) {
			t.Errorf("%s: got %v, want %v", name, err, tt.want)
		}
	}
	if _, err := spec.Compile(json.RawMessage(`{"$ref":"https://example.com/schema.json"}`)); err == nil {
		t.Error("a schema that refers to another document was read")
	}
}

// Whatever a sample is, it is what is expected of its like, or too much to say.
func FuzzExpected(f *testing.F) {
	f.Add(`{"a":[1,null,{"b":"x"}],"c":{"d":{}},"e":1e3}`)
	f.Add(`[{"a":1},{"a":"x","b":[]}, 5]`)
	f.Add(`{"$ref":"#","type":"object","":{"/~":0}}`)
	f.Fuzz(func(t *testing.T, body string) {
		schema, err := catalog.Expect(json.RawMessage(body))
		if err != nil || len(body) > 1<<12 {
			return
		}
		c, err := spec.Compile(schema)
		if err != nil {
			return
		}
		if problems, err := c.Check(json.RawMessage(body)); len(problems) > 0 || err != nil && !errors.Is(err, spec.ErrEffort) {
			t.Errorf("%s: %v, %v by %s", body, problems, err, schema)
		}
	})
}
