package spec

import (
	"encoding/json"
	"fmt"

	"code.hooktape.dev/hooktape/capture"
)

// own reads event types as "hooktape types ls --json" prints them. Templates
// in them are left as they are.
func (r *reader) own(roots []any) error {
	if list, ok := roots[0].([]any); ok && len(roots) == 1 {
		roots = list
	}
	if len(roots) > mostTypes {
		return fmt.Errorf("it has more than %d event types: split it", mostTypes)
	}
	for i, v := range roots {
		place := at("", fmt.Sprint(i))
		var t capture.EventType
		if err := json.Unmarshal(encode(v), &t); err != nil {
			r.note(asText(asObject(v).get("tag")), place, "it is no event type: %v", err)
			continue
		}
		if _, _, ok := capture.SplitTag(t.Tag); !ok {
			r.note(cut(t.Tag, 200), place, "it is left out: a tag is an app's slug, a colon and an event, such as shop:order.paid")
			continue
		}
		if r.tags[t.Tag] {
			r.note(t.Tag, place, "it is there twice, and the first is taken")
			continue
		}
		r.tags[t.Tag] = true
		t.Builtin = false
		if schema := asObject(v).get("schema"); schema != nil {
			r.checkOwn(t, schema, asObject(asObject(v).get("sample")), place)
		}
		r.types = append(r.types, t)
	}
	if len(r.types) == 0 {
		return errNoTypes
	}
	return nil
}

func (r *reader) checkOwn(t capture.EventType, schema any, sample *object, place string) {
	d := &document{root: schema, effort: r.doc.effort}
	bundled, err := d.bundle(schema, dialectOf(schema))
	var c *checker
	if err == nil {
		c, err = d.check(bundled)
	}
	if err != nil {
		r.note(t.Tag, at(place, "schema"), "%v", err)
		return
	}
	if !sample.has("body") {
		return
	}
	if p := c.problem(sample.get("body")); p != "" {
		r.note(t.Tag, at(place, "sample", "body"), "the sample does not satisfy its own schema: %s", p)
	}
}

// schema reads a JSON Schema: one event type, called by the file or the title.
func (r *reader) schema(root any) error {
	o := asObject(root)
	title := asText(o.get("title"))
	err := r.add(r.app(title), webhook{
		event: orElse(stem(r.Name), slug(title), "event"), name: orElse(title, stem(r.Name)),
		description: asText(o.get("description")), method: "POST",
		schema: root, dialect: dialectOf(root),
	})
	if err != nil || r.types[0].Schema != nil {
		return err
	}
	return fmt.Errorf("%s", r.notes[len(r.notes)-1].Text)
}
