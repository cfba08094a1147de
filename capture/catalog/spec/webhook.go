package spec

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"code.hooktape.dev/hooktape/capture"
)

// webhook is what a document says of one, whatever the document is.
type webhook struct {
	place             string
	event             string
	name, description string
	provider          string
	method, path      string
	contentType       string // "": application/json
	headers           []param
	query, params     []param
	examples          []example // of the body; the first becomes the sample's
	schema            any       // of the body, as the document has it; nil: none
	dialect           dialect
}

// param is a header, a query parameter or a part of the path.
type param struct {
	name  string
	value any
}

// example is one that a document gives.
type example struct {
	place string
	value any
}

// add makes an event type of a webhook.
func (r *reader) add(app string, w webhook) error {
	if len(r.types) == mostTypes {
		return fmt.Errorf("it has more than %d webhooks: split it", mostTypes)
	}
	t := capture.EventType{Tag: r.tag(app, w)}
	t.Name, t.Description, t.Provider = oneLine(w.name, 190), cut(strings.TrimSpace(w.description), mostDescription), w.provider
	c, err := r.schemaOf(t.Tag, w)
	if err != nil {
		return err
	}
	if c != nil {
		t.Schema = c.text
	}
	t.Sample = capture.Sample{Method: w.method, Path: w.path, Headers: map[string]string{}, Query: r.values(w.query), Params: r.values(w.params)}
	for _, h := range w.headers {
		t.Sample.Headers[http.CanonicalHeaderKey(h.name)] = r.escape(asString(h.value))
	}
	if body, ok := r.body(t.Tag, w, c); ok {
		t.Sample.Body = encode(escaped(body, r.Escape))
		t.Sample.Headers["Content-Type"] = r.escape(orElse(w.contentType, "application/json"))
	}
	r.types = append(r.types, t)
	return nil
}

const mostDescription = 10_000

// schemaOf is the body's schema and what checks against it; nil where there is
// none that can be read.
func (r *reader) schemaOf(tag string, w webhook) (*checker, error) {
	if w.schema == nil {
		return nil, nil
	}
	only := "" // the reference that is all there is
	if o := asObject(w.schema); o != nil && len(o.keys) == 1 && asText(o.get("$ref")) != "" {
		only = fmt.Sprint(w.dialect, asText(o.get("$ref")))
	}
	if c, ok := r.checkers[only]; ok {
		return c, nil
	}
	bundled, err := r.doc.bundle(w.schema, w.dialect)
	var remote *RemoteError
	if errors.As(err, &remote) {
		return nil, fmt.Errorf("%s: %w", w.place, err)
	}
	if err == nil {
		var c *checker
		if c, err = r.doc.check(bundled); err == nil {
			if only != "" {
				r.checkers[only] = c
			}
			return c, nil
		}
	}
	r.note(tag, w.place, "its schema is left out: %v", err)
	return nil, nil
}

// body is the sample's: the first of the document's examples, else one that is
// made up. Each example is held against the schema.
func (r *reader) body(tag string, w webhook, c *checker) (any, bool) {
	if c != nil {
		for _, e := range w.examples {
			if p := c.problem(e.value); p != "" {
				r.note(tag, e.place, "the document's example does not satisfy its own schema: %s", p)
			}
		}
	}
	if len(w.examples) > 0 {
		if n := len(w.examples) - 1; n > 0 {
			r.note(tag, w.place, "the first of %d examples is the sample", n+1)
		}
		return w.examples[0].value, true
	}
	if c == nil {
		return nil, false
	}
	v, err := generate(c, r.Seed)
	if err != nil {
		r.note(tag, w.place, "the sample has no body, as no example of the schema can be made: %v", err)
		return nil, false
	}
	if p := c.problem(v); p != "" {
		r.note(tag, w.place, "the sample is made up, and does not satisfy the schema: %s", p)
	}
	return v, true
}

// tag is a webhook's, and nobody else's in the document.
func (r *reader) tag(app string, w webhook) string {
	event := cleanEvent(w.event)
	if event != w.event {
		r.note(app+":"+event, w.place, "the event is called %q in the document", cut(w.event, 200))
	}
	tag := app + ":" + event
	for n := 2; r.tags[tag]; n++ {
		suffix := fmt.Sprintf(".%d", n)
		tag = app + ":" + event[:min(len(event), 128-len(suffix))] + suffix
	}
	r.tags[tag] = true
	return tag
}

// cleanEvent is the second half of a tag, made of any text.
func cleanEvent(s string) string {
	s = strings.Map(func(c rune) rune {
		if c <= ' ' || c >= 0x7f && c < 0xa0 || c == '\ufffd' {
			return '-'
		}
		return c
	}, s)
	if len(s) > 128 {
		s = strings.TrimSuffix(cut(s, 128), "…")
	}
	return orElse(s, "event")
}

// app is the first half of the tags, by the document's title.
func (r *reader) app(title string) string {
	return orElse(r.App, slug(title), slug(stem(r.Name)), "imported")
}

// slug is what of a text can name an app.
func slug(s string) string {
	s = strings.Map(func(c rune) rune {
		switch {
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9', c == '_':
			return c
		case c >= 'A' && c <= 'Z':
			return c + 'a' - 'A'
		case c == '\'', c == '’':
			return -1
		}
		return '-'
	}, s)
	parts := strings.FieldsFunc(s, func(c rune) bool { return c == '-' })
	s = strings.Trim(strings.Join(parts, "-"), "-_")
	return strings.TrimRight(s[:min(len(s), 63)], "-_")
}

// stem is a file's name without its folders and endings.
func stem(name string) string {
	name = name[strings.LastIndexAny(name, `/\`)+1:]
	for _, ending := range []string{".gz", ".json", ".yaml", ".yml", ".payload", ".schema", ".openapi", ".asyncapi"} {
		name = strings.TrimSuffix(name, ending)
	}
	return name
}

func (r *reader) values(params []param) map[string]json.RawMessage {
	if len(params) == 0 {
		return nil
	}
	m := map[string]json.RawMessage{}
	for _, p := range params {
		m[p.name] = encode(escaped(p.value, r.Escape))
	}
	return m
}

func (r *reader) escape(s string) string {
	if r.Escape == nil {
		return s
	}
	return r.Escape(s)
}

// escaped is v with all its strings escaped; by nil they stay.
func escaped(v any, escape func(string) string) any {
	if escape == nil {
		return v
	}
	switch v := v.(type) {
	case string:
		return escape(v)
	case []any:
		l := make([]any, len(v))
		for i, e := range v {
			l[i] = escaped(e, escape)
		}
		return l
	case *object:
		o := new(object)
		for _, key := range v.keys {
			o.set(key, escaped(v.get(key), escape))
		}
		return o
	}
	return v
}

// asString is a header's value. An array is a list (OpenAPI's style simple).
func asString(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case nil:
		return ""
	case []any:
		var parts []string
		for _, e := range v {
			parts = append(parts, asString(e))
		}
		return strings.Join(parts, ",")
	}
	return string(encode(v))
}

func oneLine(s string, n int) string { return cut(strings.Join(strings.Fields(s), " "), n) }

// orElse is the first that is not empty.
func orElse(all ...string) string {
	for _, s := range all {
		if s != "" {
			return s
		}
	}
	return ""
}
