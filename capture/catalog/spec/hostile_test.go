package spec_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"code.hooktape.dev/hooktape/capture/catalog/spec"
)

// openAPI is a document with one webhook of a schema.
func openAPI(schema, components string) string {
	return `{"openapi": "3.1.0", "info": {"title": "x"}, "webhooks": {"a": {"post": {"requestBody": {"content": {"application/json": {"schema": ` +
		schema + `}}}}}}, "components": {"schemas": {` + components + `}}}`
}

func TestNothingIsFetched(t *testing.T) {
	asked := 0
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked++ }))
	defer s.Close()
	for _, ref := range []string{s.URL + "/schema.json", s.URL + "/schema.json#/a", "file:///etc/hostname", "other.json#/a", "//" + s.Listener.Addr().String()} {
		for _, doc := range []string{
			openAPI(`{"$ref": "`+ref+`"}`, ""),
			openAPI(`{"properties": {"a": {"$ref": "`+ref+`"}}}`, ""),
			`{"openapi": "3.1.0", "webhooks": {"a": {"$ref": "` + ref + `"}}}`,
			`{"openapi": "3.1.0", "webhooks": {"a": {"post": {"parameters": [{"$ref": "` + ref + `"}]}}}}`,
			`{"asyncapi": "3.0.0", "operations": {"a": {"action": "send", "channel": {"$ref": "` + ref + `"}}}}`,
			`{"asyncapi": "2.0.0", "channels": {"a": {"subscribe": {"message": {"payload": {"$ref": "` + ref + `"}}}}}}`,
		} {
			_, err := spec.Read([]byte(doc), spec.Options{})
			if remote := (*spec.RemoteError)(nil); !errors.As(err, &remote) || remote.Ref != ref {
				t.Errorf("%s: got %v, want the reference %s refused", doc, err, ref)
			}
		}
		if _, err := spec.Example(json.RawMessage(`{"items": {"$ref": "`+ref+`"}}`), 1, nil); err == nil {
			t.Errorf("an example was made of %s", ref)
		}
	}
	for _, doc := range []string{
		openAPI(`{"$schema": "`+s.URL+`", "$id": "`+s.URL+`/x", "type": "object"}`, ""),
		`{"openapi": "3.1.0", "webhooks": {"a": {"post": {"requestBody": {"content": {"application/json": {"examples": {"x": {"externalValue": "` + s.URL + `"}}}}}}}}}`,
	} {
		if _, err := spec.Read([]byte(doc), spec.Options{}); err != nil {
			t.Error(err)
		}
	}
	if asked > 0 {
		t.Errorf("%d requests were made", asked)
	}
}

func TestCyclesEnd(t *testing.T) {
	for name, doc := range map[string]string{
		"itself":    openAPI(`{"$ref": "#/components/schemas/A"}`, `"A": {"$ref": "#/components/schemas/A"}`),
		"two":       openAPI(`{"$ref": "#/components/schemas/A"}`, `"A": {"$ref": "#/components/schemas/B"}, "B": {"allOf": [{"$ref": "#/components/schemas/A"}]}`),
		"required":  openAPI(`{"$ref": "#/components/schemas/A"}`, `"A": {"type": "object", "required": ["a"], "properties": {"a": {"$ref": "#/components/schemas/A"}}}`),
		"wide":      openAPI(`{"$ref": "#/components/schemas/A"}`, `"A": {"type": "array", "minItems": 9, "items": {"$ref": "#/components/schemas/A"}}`),
		"path item": `{"openapi": "3.1.0", "webhooks": {"a": {"$ref": "#/webhooks/a"}, "b": {"post": {}}}}`,
		"message":   `{"asyncapi": "2.0.0", "channels": {"a": {"subscribe": {"message": {"$ref": "#/channels/a/subscribe/message"}}}, "b": {"subscribe": {"message": {}}}}}`,
	} {
		got, err := spec.Read([]byte(doc), spec.Options{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if len(got.Notes) == 0 {
			t.Errorf("%s: nothing is said of it", name)
		}
		for _, e := range got.Types {
			if e.Sample.Body != nil {
				t.Errorf("%s: a body came of it: %.100s", name, e.Sample.Body)
			}
		}
	}
	list := openAPI(`{"$ref": "#/components/schemas/A"}`, `"A": {"type": "object", "properties": {"v": {"const": 1}, "next": {"$ref": "#/components/schemas/A"}, "all": {"type": "array", "items": {"$ref": "#/components/schemas/A"}}}}`)
	got, err := spec.Read([]byte(list), spec.Options{})
	if err != nil || string(got.Types[0].Sample.Body) != `{"v":1}` {
		t.Errorf("got %s, %v; want a tree's root", got.Types[0].Sample.Body, err)
	}
}

// TestHostileDocuments reads documents that are small and mean much.
func TestHostileDocuments(t *testing.T) {
	deep := func(n int) string { return strings.Repeat(`{"items":`, n) + `{}` + strings.Repeat(`}`, n) }
	laughs := "openapi: 3.1.0\nx0: &x0 [lol, lol]\n"
	for i := range 40 {
		laughs += fmt.Sprintf("x%d: &x%d [*x%d, *x%d]\n", i+1, i+1, i, i)
	}
	doubles := `"S50": {"type": "string"}`
	for i := range 50 {
		doubles += fmt.Sprintf(`, "S%d": {"allOf": [{"$ref": "#/components/schemas/S%d"}, {"$ref": "#/components/schemas/S%d"}]}`, i, i+1, i+1)
	}
	fork := `"F50": {"type": "string"}`
	for i := range 50 {
		fork += fmt.Sprintf(`, "F%d": {"properties": {"a": {"$ref": "#/components/schemas/F%d"}, "b": {"$ref": "#/components/schemas/F%d"}}, "required": ["a", "b"]}`, i, i+1, i+1)
	}
	merges := "openapi: 3.1.0\nx0: &x0 {a: 1}\n"
	for i := range 40 {
		merges += fmt.Sprintf("x%d: &x%d {<<: [*x%d, *x%d]}\n", i+1, i+1, i, i)
	}
	for _, c := range []struct{ name, doc, want string }{
		{"deep", openAPI(deep(100_000), ""), "nested more than 200"},
		{"deep arrays", strings.Repeat("[", 1_000_000), "nested more than 200"},
		{"deep yaml", "a: " + strings.Repeat("[", 100_000), "max depth"},
		{"deep yaml flow", "a: " + strings.Repeat("[", 500) + strings.Repeat("]", 500), "nested more than 200"},
		{"laughs", laughs, "two million values"},
		{"merges", merges, "two million values"},
		{"its own alias", "a: &a [*a]", "nested more than 200"},
		{"many values", "[" + strings.Repeat("1,", 3_000_000) + "1]", "two million values"},
		{"many nodes", "a:\n" + strings.Repeat("- 1\n", 2_500_000), "two million values"},
		{"a large number", openAPI(`{"minimum": 1e999999999}`, ""), "too large"},
		{"too large", strings.Repeat(" ", spec.MostBytes+1), "the most is 32"},
		{"doubles", openAPI(`{"$ref": "#/components/schemas/S0"}`, doubles), ""},
		{"forks", openAPI(`{"$ref": "#/components/schemas/F0"}`, fork), ""},
		{"patterns", openAPI(`{"type": "string", "minLength": 50000, "pattern": "^((((a*)*)*)*|(b{1,900}){1}|[^\\x00-\\x{10FFFF}])$"}`, ""), ""},
		{"a long text", openAPI(`{"type": "string", "minLength": 1e300}`, ""), ""},
		{"a long list", openAPI(`{"type": "array", "minItems": 1000000, "uniqueItems": true}`, ""), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			start := time.Now()
			_, err := spec.Read([]byte(c.doc), spec.Options{})
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("got %v, want %q", err, c.want)
			}
			if d := time.Since(start); d > time.Minute {
				t.Errorf("it took %v", d)
			}
		})
	}
}

// TestManySchemas reads a document whose webhooks all refer to one large
// schema, each in words of its own: what is written out must not grow with their product.
func TestManySchemas(t *testing.T) {
	var properties, hooks []string
	for i := range 4000 {
		properties = append(properties, fmt.Sprintf(`"p%d": {"type": "string"}`, i))
	}
	for i := range 1000 {
		hooks = append(hooks, fmt.Sprintf(`"w%d": {"post": {"requestBody": {"content": {"application/json": {"schema": {"title": "%d", "allOf": [{"$ref": "#/components/schemas/A"}]}}}}}}`, i, i))
	}
	doc := `{"openapi": "3.1.0", "webhooks": {` + strings.Join(hooks, ",") + `}, "components": {"schemas": {"A": {"type": "object", "properties": {` + strings.Join(properties, ",") + `}}}}}`
	got, err := spec.Read([]byte(doc), spec.Options{})
	if err != nil {
		t.Fatal(err)
	}
	size := 0
	for _, e := range got.Types {
		size += len(e.Schema) + len(e.Sample.Body)
	}
	if len(got.Types) != 1000 || size > 64<<20 {
		t.Errorf("got %d types of %d MiB", len(got.Types), size>>20)
	}
	if len(got.Notes) == 0 || !strings.Contains(fmt.Sprint(got.Notes), "too large together") {
		t.Errorf("nothing is said of the schemas that are left out: %.300s", fmt.Sprint(got.Notes))
	}
}
