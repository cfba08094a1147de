package api_test

import (
	"bytes"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"code.hooktape.dev/hooktape/relay/api"
)

// witness holds every answer of a handler against the document it serves: the
// status and media type must be described, and the body must be as described,
// with no member beside.
type witness struct {
	t      testing.TB
	next   http.Handler
	doc    map[string]any
	schema *jsonschema.Compiler

	lenient bool // what is asked may succeed though it is not as described

	mu   sync.Mutex      // guards the field below, and schema
	seen map[string]bool // operation and status
}

func watched(t testing.TB, next http.Handler) *witness {
	t.Helper()
	w := &witness{t: t, next: next, schema: jsonschema.NewCompiler(), seen: map[string]bool{}}
	doc, err := jsonschema.UnmarshalJSON(ask(next, "GET", "/openapi.json", "").Body)
	if err != nil {
		t.Fatal(err)
	}
	strict(doc)
	w.doc = doc.(map[string]any)
	w.schema.AssertFormat()
	if err := w.schema.AddResource("file:///openapi.json", doc); err != nil {
		t.Fatal(err)
	}
	return w
}

// strict forbids what a schema does not name.
func strict(v any) {
	switch v := v.(type) {
	case map[string]any:
		if _, open := v["additionalProperties"]; v["type"] == "object" && v["properties"] != nil && !open {
			v["additionalProperties"] = false
		}
		for _, below := range v {
			strict(below)
		}
	case []any:
		for _, below := range v {
			strict(below)
		}
	}
}

func (w *witness) ServeHTTP(to http.ResponseWriter, r *http.Request) {
	path, op := w.operation(r)
	if r.Header.Get("Upgrade") != "" { // it takes the connection
		w.mark(path, 101)
		w.next.ServeHTTP(to, r)
		return
	}
	sent, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(sent))
	got := httptest.NewRecorder()
	w.next.ServeHTTP(got, r)
	if op == nil {
		if got.Code != 404 && got.Code != 405 && got.Code != 307 {
			w.t.Errorf("%s %s answered %d and is no operation", r.Method, r.URL.Path, got.Code)
		}
	} else {
		w.mark(path, got.Code)
		w.check(path, op, r, sent, got)
	}
	for name, values := range got.Header() {
		to.Header()[name] = values
	}
	to.WriteHeader(got.Code)
	to.Write(got.Body.Bytes())
}

// operation is a pointer into the document, and what is there.
func (w *witness) operation(r *http.Request) (pointer string, op map[string]any) {
	method := strings.ToLower(strings.Replace(r.Method, "HEAD", "GET", 1))
	best := ""
	paths := w.doc["paths"].(map[string]any)
	for path, item := range paths {
		like := regexp.MustCompile(`\{\w+\}`).ReplaceAllString(path, "[^/]+")
		if at, _ := regexp.MatchString("^"+like+"$", r.URL.EscapedPath()); at && item.(map[string]any)[method] != nil {
			best = path
		}
	}
	if best == "" {
		return "", nil
	}
	return "/paths/" + escape(best) + "/" + method, paths[best].(map[string]any)[method].(map[string]any)
}

func escape(s string) string { return strings.NewReplacer("~", "~0", "/", "~1").Replace(s) }

func (w *witness) mark(pointer string, status int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.seen[fmt.Sprint(pointer, " ", status)] = true
}

func (w *witness) check(pointer string, op map[string]any, r *http.Request, sent []byte, got *httptest.ResponseRecorder) {
	call := fmt.Sprintf("%s %s %.200s", r.Method, r.URL, sent)
	responses := op["responses"].(map[string]any)
	status := fmt.Sprint(got.Code)
	if responses[status] == nil && got.Code >= 500 {
		status = "5XX"
	}
	res, ok := responses[status].(map[string]any)
	if !ok {
		w.t.Errorf("%s: answers %d, which is not described: %s", call, got.Code, got.Body)
		return
	}
	pointer, below := pointer, "/responses/"+status
	if ref, ok := res["$ref"].(string); ok {
		pointer, below = "", strings.TrimPrefix(ref, "#")
		res = w.doc["components"].(map[string]any)["responses"].(map[string]any)["Problem"].(map[string]any)
	}
	content, _ := res["content"].(map[string]any)
	media, _, _ := mime.ParseMediaType(got.Header().Get("Content-Type"))
	switch {
	case r.Method == "HEAD":
	case content == nil && got.Body.Len() > 0:
		w.t.Errorf("%s: %d has a body, which is not described: %s", call, got.Code, got.Body)
	case content != nil && content[media] == nil:
		w.t.Errorf("%s: %d is %q, which is not described", call, got.Code, media)
	case content != nil && content[media].(map[string]any)["schema"] != nil:
		w.valid(call, pointer+below+"/content/"+escape(media)+"/schema", got.Body.Bytes())
	}
	if body := op["requestBody"]; body != nil && !w.lenient && got.Code < 300 && len(sent) > 0 {
		pointer, _ := w.operation(r)
		w.valid(call, pointer+"/requestBody/content/application~1json/schema", sent)
	}
}

// valid checks a body against the schema at a place of the document.
func (w *witness) valid(call, pointer string, body []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	schema, err := w.schema.Compile("file:///openapi.json#" + (&url.URL{Path: pointer}).EscapedPath())
	if err != nil {
		w.t.Errorf("%s: %v", pointer, err)
		return
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err == nil {
		err = schema.Validate(v)
	}
	if err != nil {
		w.t.Errorf("%s: %s is not as described: %v", call, body, err)
	}
}

// missed are the documented successes that nothing answered with.
func (w *witness) missed() (missed []string) {
	for path, item := range w.doc["paths"].(map[string]any) {
		for method, op := range item.(map[string]any) {
			for status := range op.(map[string]any)["responses"].(map[string]any) {
				at := fmt.Sprintf("/paths/%s/%s %s", escape(path), method, status)
				if status < "400" && !w.seen[at] {
					missed = append(missed, at)
				}
			}
		}
	}
	slices.Sort(missed)
	return missed
}

// TestDocument checks the description against the rules of OpenAPI 3.1.
func TestDocument(t *testing.T) {
	w := watched(t, (&api.Server{}).Handler())
	only := func(where string, v any, required string, optional ...string) map[string]any {
		object, ok := v.(map[string]any)
		if !ok {
			t.Fatalf("%s is %v, want an object", where, v)
		}
		need := strings.Fields(required)
		for _, name := range need {
			if object[name] == nil {
				t.Errorf("%s lacks %s", where, name)
			}
		}
		for name := range object {
			if !slices.Contains(append(need, optional...), name) && !strings.HasPrefix(name, "x-") {
				t.Errorf("%s has %s, which OpenAPI has not", where, name)
			}
		}
		return object
	}
	doc := only("the document", w.doc, "openapi info paths components")
	if doc["openapi"] != "3.1.0" {
		t.Errorf("it is of version %v", doc["openapi"])
	}
	only("info", doc["info"], "title version", "description")
	components := only("components", doc["components"], "schemas responses securitySchemes")
	for name := range components["schemas"].(map[string]any) {
		if !regexp.MustCompile(`^[A-Z][A-Za-z0-9]+$`).MatchString(name) {
			t.Errorf("a schema is named %q", name)
		}
		if _, err := w.schema.Compile("file:///openapi.json#/components/schemas/" + name); err != nil {
			t.Errorf("schema %s: %v", name, err)
		}
	}
	ids := map[any]string{}
	for path, item := range doc["paths"].(map[string]any) {
		for method, v := range item.(map[string]any) {
			where := method + " " + path
			op := only(where, v, "operationId summary responses security", "tags", "parameters", "requestBody")
			if other := ids[op["operationId"]]; other != "" {
				t.Errorf("%s and %s are both %s", where, other, op["operationId"])
			}
			ids[op["operationId"]] = where
			inPath := map[any]bool{}
			list, _ := op["parameters"].([]any)
			given := map[string]bool{}
			for _, v := range list {
				p := only(where+" parameter", v, "name in schema", "required", "description")
				if key := fmt.Sprint(p["in"], p["name"]); given[key] {
					t.Errorf("%s has %s twice", where, key)
				} else {
					given[key] = true
				}
				if p["in"] == "path" {
					inPath["{"+p["name"].(string)+"}"] = p["required"] == true
				}
			}
			for _, segment := range regexp.MustCompile(`\{\w+\}`).FindAllString(path, -1) {
				if !inPath[segment] {
					t.Errorf("%s: %s is not described as required", where, segment)
				}
				delete(inPath, segment)
			}
			if len(inPath) > 0 {
				t.Errorf("%s: %v are not in the path", where, inPath)
			}
			if body := op["requestBody"]; body != nil {
				only(where+" body", body, "content required")
			}
			for status, v := range op["responses"].(map[string]any) {
				if !regexp.MustCompile(`^[1-5](\d\d|XX)$`).MatchString(status) {
					t.Errorf("%s answers %q", where, status)
				}
				if v.(map[string]any)["$ref"] == nil {
					only(where+" "+status, v, "description", "content")
				} else if v.(map[string]any)["$ref"] != "#/components/responses/Problem" {
					t.Errorf("%s %s: %v", where, status, v)
				}
			}
		}
	}
	if len(ids) < 40 {
		t.Errorf("only %d operations are described", len(ids))
	}
	references(t, w, w.doc)
}

// references compiles what every reference to a schema names.
func references(t *testing.T, w *witness, v any) {
	switch v := v.(type) {
	case map[string]any:
		if ref, ok := v["$ref"].(string); ok && strings.Contains(ref, "/schemas/") {
			if _, err := w.schema.Compile("file:///openapi.json" + ref); err != nil {
				t.Errorf("%s: %v", ref, err)
			}
		}
		for _, below := range v {
			references(t, w, below)
		}
	case []any:
		for _, below := range v {
			references(t, w, below)
		}
	}
}
