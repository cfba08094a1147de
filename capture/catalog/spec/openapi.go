package spec

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// openAPI reads webhooks (3.1), x-webhooks (Redoc's, for 3.0) and the
// callbacks of operations. See the OpenAPI Specification 3.0.4 and 3.1.1.
func (r *reader) openAPI(root any) error {
	doc := asObject(root)
	version := asString(doc.get("openapi"))
	if !strings.HasPrefix(version, "3.") {
		return fmt.Errorf("version %q is not known: want 3.0 or 3.1", cut(version, 20))
	}
	o := &openAPI{reader: r, seen: map[*object]bool{}}
	o.dialect = dialect{nullable: strings.HasPrefix(version, "3.0"), alone: strings.HasPrefix(version, "3.0")}
	o.app = r.app(asText(asObject(doc.get("info")).get("title")))
	for _, key := range []string{"webhooks", "x-webhooks"} {
		hooks := asObject(doc.get(key))
		for _, event := range hooks.names() {
			if err := o.item(strings.TrimPrefix(event, "/"), hooks.get(event), at("", key, event), ""); err != nil {
				return err
			}
		}
	}
	if err := o.callbacks(doc); err != nil {
		return err
	}
	if err := o.stripeEvents(doc); err != nil {
		return err
	}
	if len(r.types) == 0 {
		return fmt.Errorf("a %s document with no webhooks and no callbacks: nothing here is a webhook", cut(version, 20))
	}
	return nil
}

type openAPI struct {
	*reader
	app     string
	dialect dialect
	seen    map[*object]bool // callbacks, which operations may share
}

var methods = []string{"post", "put", "patch", "delete", "get", "head", "options", "trace"}

// follow is deref, where what is not there is noted and only what leads out of
// the document is an error.
func (o *openAPI) follow(v any, place string) (*object, string, error) {
	v, to, err := o.doc.deref(v, place)
	var remote *RemoteError
	if errors.As(err, &remote) {
		return nil, "", fmt.Errorf("%s: %w", place, err)
	}
	if err != nil {
		o.note("", place, "%v", err)
	}
	return asObject(v), to, nil
}

// item makes an event type of each method of a path item.
func (o *openAPI) item(event string, v any, place, path string) error {
	item, place, err := o.follow(v, place)
	if err != nil {
		return err
	}
	more := false // methods after the first say so
	for _, method := range methods {
		op := asObject(item.get(method))
		if op == nil {
			continue
		}
		name := event
		if more {
			name += "." + method
		}
		more = true
		if err := o.operation(name, method, item, op, at(place, method), path); err != nil {
			return err
		}
	}
	if !more && item != nil {
		o.note("", place, "it has no operation")
	}
	return nil
}

func (o *openAPI) operation(event, method string, item, op *object, place, path string) error {
	w := webhook{place: place, event: event, method: strings.ToUpper(method), path: path, dialect: o.dialect}
	w.name = orElse(asText(op.get("summary")), asText(item.get("summary")), event)
	w.description = orElse(asText(op.get("description")), asText(item.get("description")))
	var params []any
	params = append(append(params, asList(item.get("parameters"))...), asList(op.get("parameters"))...)
	if err := o.parameters(&w, params, at(place, "parameters")); err != nil {
		return err
	}
	if err := o.requestBody(&w, op.get("requestBody"), at(place, "requestBody")); err != nil {
		return err
	}
	app := o.app
	if category := asText(asObject(op.get("x-github")).get("subcategory")); category != "" {
		app = orElse(o.App, "github")
		o.githubOperation(&w, category)
	}
	return o.add(app, w)
}

func (o *openAPI) parameters(w *webhook, params []any, place string) error {
	for _, v := range params {
		p, place, err := o.follow(v, place)
		if err != nil {
			return err
		}
		name, in := asText(p.get("name")), asText(p.get("in"))
		// The specification leaves these to others, and those are not ours to say.
		reserved := slices.Contains([]string{"accept", "authorization", "content-type", "content-length", "host"}, strings.ToLower(name))
		if name == "" || in == "header" && (reserved || !isToken(name)) {
			continue
		}
		value, ok, err := o.parameter(p, place)
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		switch in {
		case "header":
			w.headers = append(w.headers, param{name, value})
		case "query":
			w.query = append(w.query, param{name, value})
		case "path":
			w.params = append(w.params, param{name, value})
		}
	}
	return nil
}

// parameter is its example. One that is neither required nor has one is left
// out.
func (o *openAPI) parameter(p *object, place string) (any, bool, error) {
	examples, err := o.examples(p, place)
	if err != nil {
		return nil, false, err
	}
	if len(examples) > 0 {
		return examples[0].value, true, nil
	}
	schema := p.get("schema")
	if schema == nil {
		return nil, false, nil
	}
	c, err := o.schemaOf("", webhook{place: place, schema: schema, dialect: o.dialect})
	if err != nil || c == nil {
		return nil, false, err
	}
	given := slices.ContainsFunc([]string{"examples", "default", "const", "enum"}, asObject(c.schema).has)
	if p.get("required") != true && !given {
		return nil, false, nil
	}
	value, err := generate(c, o.Seed)
	return value, err == nil, nil
}

func (o *openAPI) requestBody(w *webhook, v any, place string) error {
	if v == nil {
		return nil
	}
	body, place, err := o.follow(v, place)
	if err != nil {
		return err
	}
	content := asObject(body.get("content"))
	w.contentType = bestType(content.names())
	if n := len(content.names()); n > 1 {
		o.note(o.app+":"+cleanEvent(w.event), at(place, "content"), "of its %d content types the sample is of %s", n, w.contentType)
	}
	media := asObject(content.get(w.contentType))
	place = at(place, "content", w.contentType)
	if strings.Contains(w.contentType, "*") {
		w.contentType = ""
	}
	w.schema = media.get("schema")
	w.examples, err = o.examples(media, place)
	return err
}

// bestType is the content type that a sample is made of: JSON if there is any.
func bestType(types []string) string {
	for _, good := range []func(string) bool{
		func(s string) bool { return s == "application/json" },
		func(s string) bool { return strings.HasPrefix(s, "application/json") || strings.Contains(s, "+json") },
		func(s string) bool { return s == "application/x-www-form-urlencoded" },
		func(s string) bool { return true },
	} {
		if i := slices.IndexFunc(types, good); i >= 0 {
			return types[i]
		}
	}
	return ""
}

// examples are example and examples of a media type or a parameter.
func (o *openAPI) examples(in *object, place string) ([]example, error) {
	if in.has("example") {
		return []example{{at(place, "example"), in.get("example")}}, nil
	}
	var all []example
	named := asObject(in.get("examples"))
	for _, name := range named.names() {
		e, place, err := o.follow(named.get(name), at(place, "examples", name))
		if err != nil {
			return nil, err
		}
		switch {
		case e.has("value"):
			all = append(all, example{at(place, "value"), e.get("value")})
		case e.has("externalValue"):
			o.note("", place, "an example that is elsewhere is not fetched: %s", cut(asText(e.get("externalValue")), 200))
		}
	}
	return all, nil
}

// callbacks are what the API calls in the course of its operations.
func (o *openAPI) callbacks(doc *object) error {
	paths := asObject(doc.get("paths"))
	for _, path := range paths.names() {
		item := asObject(paths.get(path)) // a path elsewhere has no callbacks of ours
		for _, method := range methods {
			callbacks := asObject(asObject(item.get(method)).get("callbacks"))
			for _, name := range callbacks.names() {
				if err := o.callback(name, callbacks.get(name), at("/paths", path, method, "callbacks", name)); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (o *openAPI) callback(name string, v any, place string) error {
	callback, place, err := o.follow(v, place)
	if err != nil || o.seen[callback] {
		return err
	}
	o.seen[callback] = true
	for i, expression := range callback.names() {
		if strings.HasPrefix(expression, "x-") {
			continue
		}
		event := strings.TrimPrefix(name, "/")
		path := pathOf(expression)
		if i > 0 {
			event += orElse(path, fmt.Sprintf(".%d", i+1))
		}
		if err := o.item(event, callback.get(expression), at(place, expression), path); err != nil {
			return err
		}
	}
	return nil
}

// pathOf is what stands behind the address in a callback's URL:
// {$request.body#/url}/paid has /paid. It is "" where that is not plain.
func pathOf(expression string) string {
	_, path, ok := strings.Cut(expression, "}")
	path, _, _ = strings.Cut(path, "?")
	if !ok || !strings.HasPrefix(expression, "{$") || !strings.HasPrefix(path, "/") || strings.Contains(path, "{$") {
		return ""
	}
	return path
}

// isToken is whether s can name a header (RFC 9110).
func isToken(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(c rune) bool {
		return c <= ' ' || c >= 0x7f || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, c)
	})
}
