package spec

import (
	"fmt"
	"strings"
)

// asyncAPI reads the messages that an application sends: AsyncAPI 3's
// operations with the action send, and 2's channels that one can subscribe to.
// Where there are none, those it receives.
func (r *reader) asyncAPI(root any) error {
	doc := asObject(root)
	a := &asyncAPI{reader: r, doc: doc, seen: map[*object]bool{}}
	a.app = r.app(asText(asObject(doc.get("info")).get("title")))
	version := asString(doc.get("asyncapi"))
	read := a.operations
	switch {
	case strings.HasPrefix(version, "2."):
		read = a.channels
	case !strings.HasPrefix(version, "3."):
		return fmt.Errorf("version %q is not known: want 2 or 3", cut(version, 20))
	}
	for _, way := range []string{"send", "receive"} {
		if err := read(way); err != nil {
			return err
		}
		if len(r.types) > 0 {
			if way == "receive" {
				r.note("", "", "nothing is sent: these are what the application receives")
			}
			return nil
		}
	}
	return fmt.Errorf("a %s document with no messages: nothing here is a webhook", cut(version, 20))
}

type asyncAPI struct {
	*reader
	app  string
	doc  *object
	seen map[*object]bool // messages, which operations may share
}

func (a *asyncAPI) follow(v any, place string) (*object, string, error) {
	o := openAPI{reader: a.reader}
	return o.follow(v, place)
}

// channels are AsyncAPI 2's.
func (a *asyncAPI) channels(way string) error {
	verb := map[string]string{"send": "subscribe", "receive": "publish"}[way]
	channels := asObject(a.doc.get("channels"))
	for _, name := range channels.names() {
		channel, place, err := a.follow(channels.get(name), at("", "channels", name))
		if err != nil {
			return err
		}
		op := asObject(channel.get(verb))
		if op == nil {
			continue
		}
		message := op.get("message")
		place = at(place, verb, "message")
		all := asList(asObject(message).get("oneOf"))
		if all == nil {
			all = []any{message}
		}
		for _, m := range all {
			if err := a.message(strings.TrimPrefix(name, "/"), m, op, place, len(all) > 1); err != nil {
				return err
			}
		}
	}
	return nil
}

// operations are AsyncAPI 3's.
func (a *asyncAPI) operations(way string) error {
	operations := asObject(a.doc.get("operations"))
	for _, id := range operations.names() {
		op, place, err := a.follow(operations.get(id), at("", "operations", id))
		if err != nil {
			return err
		}
		if asText(op.get("action")) != way {
			continue
		}
		if all := asList(op.get("messages")); all != nil {
			for _, m := range all {
				if err := a.message(id, m, op, at(place, "messages"), len(all) > 1); err != nil {
					return err
				}
			}
			continue
		}
		channel, place, err := a.follow(op.get("channel"), at(place, "channel"))
		if err != nil {
			return err
		}
		messages := asObject(channel.get("messages"))
		for _, name := range messages.names() {
			if err := a.message(name, messages.get(name), op, at(place, "messages", name), true); err != nil {
				return err
			}
		}
	}
	return nil
}

// message makes an event type. It is called by its own name, else by that it
// is kept under, else by where it is sent.
func (a *asyncAPI) message(channel string, v any, op *object, place string, several bool) error {
	m, place, err := a.follow(v, place)
	if err != nil || m == nil || a.seen[m] {
		return err
	}
	a.seen[m] = true
	if m, err = a.traits(m, place); err != nil {
		return err
	}
	key := ""
	if strings.Contains(place, "/messages/") {
		key = unescaper.Replace(place[strings.LastIndexByte(place, '/')+1:])
	}
	if key == "" && !several {
		key = channel
	}
	w := webhook{place: place, dialect: dialect{alone: true}}
	w.event = orElse(asText(m.get("name")), asText(m.get("messageId")), key, channel)
	w.name = orElse(asText(m.get("title")), asText(m.get("summary")), asText(op.get("summary")), w.event)
	w.description = orElse(asText(m.get("description")), asText(op.get("description")))
	w.contentType = orElse(asText(m.get("contentType")), asText(a.doc.get("defaultContentType")))
	w.method = strings.ToUpper(orElse(asText(asObject(asObject(op.get("bindings")).get("http")).get("method")), "POST"))
	a.payload(&w, m, place)
	var given *object
	for i, v := range asList(m.get("examples")) {
		e := asObject(v)
		if given == nil {
			given = asObject(e.get("headers"))
		}
		if e.has("payload") {
			w.examples = append(w.examples, example{at(place, "examples", fmt.Sprint(i), "payload"), e.get("payload")})
		}
	}
	if err := a.headers(&w, m, given); err != nil {
		return err
	}
	return a.add(a.app, w)
}

// payload is a message's schema, unless it is of another kind than JSON's.
func (a *asyncAPI) payload(w *webhook, m *object, place string) {
	w.schema = m.get("payload")
	format := asText(m.get("schemaFormat"))
	if s := asObject(w.schema); s.has("schemaFormat") && s.has("schema") { // AsyncAPI 3
		format, w.schema = asText(s.get("schemaFormat")), s.get("schema")
	}
	switch {
	case strings.Contains(format, "openapi"):
		w.dialect.nullable = true
	case format != "" && !strings.Contains(format, "asyncapi") && !strings.Contains(format, "schema+"):
		a.note(a.app+":"+cleanEvent(w.event), place, "its schema is left out: %s is not JSON Schema", cut(format, 100))
		w.schema = nil
	}
}

// headers are those of the first example, and what the schema of them requires
// or gives itself.
func (a *asyncAPI) headers(w *webhook, m, given *object) error {
	schemas := []any{m.get("headers"), asObject(asObject(m.get("bindings")).get("http")).get("headers")}
	values := new(object)
	for _, schema := range schemas {
		if schema == nil {
			continue
		}
		c, err := a.schemaOf("", webhook{place: at(w.place, "headers"), schema: schema, dialect: w.dialect})
		if err != nil {
			return err
		}
		if c == nil {
			continue
		}
		v, err := generate(c, a.Seed)
		if err != nil {
			continue
		}
		for _, name := range asObject(v).names() {
			values.set(name, asObject(v).get(name))
		}
	}
	for _, name := range given.names() {
		values.set(name, given.get(name))
	}
	for _, name := range values.keys {
		if isToken(name) && !strings.EqualFold(name, "Content-Length") && !strings.EqualFold(name, "Host") {
			w.headers = append(w.headers, param{name, values.get(name)})
		}
	}
	return nil
}

// traits are merged in where the message does not say it itself.
func (a *asyncAPI) traits(m *object, place string) (*object, error) {
	traits := asList(m.get("traits"))
	if len(traits) == 0 {
		return m, nil
	}
	out := new(object)
	for _, key := range m.keys {
		out.set(key, m.get(key))
	}
	for _, v := range traits {
		t, _, err := a.follow(v, at(place, "traits"))
		if err != nil {
			return nil, err
		}
		for _, key := range t.names() {
			if !out.has(key) {
				out.set(key, t.get(key))
			}
		}
	}
	return out, nil
}
