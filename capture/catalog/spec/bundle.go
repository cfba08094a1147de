package spec

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// dialect is what is peculiar to a schema before JSON Schema 2020-12.
type dialect struct {
	nullable bool // OpenAPI 3.0: nullable: true adds null
	alone    bool // what stands beside a $ref does not count
}

var errBudget = errors.New("the document's schemas are too large together to write each out with all that it refers to")

// mostSchema is how many values one schema may have, with what it refers to.
const mostSchema = 40_000

// bundle is a schema that stands alone: JSON Schema 2020-12, with all it
// refers to under $defs.
func (d *document) bundle(schema any, dial dialect) (any, error) {
	b := &bundler{document: d, dialect: dial, names: map[*object]string{}, taken: map[string]bool{}, left: max(0, min(d.values, mostSchema))}
	budget := b.left
	// What compiles it looks through all schemas within for each of them.
	defer func() { d.values -= budget - max(b.left, 0) + b.schemas*b.schemas/200 }()

	// A schema that is only a reference is what it refers to.
	for hops := 0; asObject(schema).has("$ref") && hops < 50; hops++ {
		ref, ok := asObject(schema).get("$ref").(string)
		if !ok || !dial.alone && len(asObject(schema).keys) > 1 {
			break
		}
		target, err := d.resolve(ref)
		if err != nil {
			return nil, err
		}
		schema = target
	}
	if o := asObject(schema); o != nil {
		b.names[o] = "#"
	}
	out, err := b.schema(schema)
	if err != nil {
		return nil, err
	}
	defs := new(object)
	for i := 0; i < len(b.queue); i++ {
		target := b.queue[i]
		def, err := b.schema(target)
		if err != nil {
			return nil, err
		}
		defs.set(strings.TrimPrefix(b.names[target], "#/$defs/"), def)
	}
	if len(defs.keys) > 0 {
		out.(*object).set("$defs", defs) // only an object refers to anything
	}
	return out, nil
}

type bundler struct {
	*document
	dialect
	names map[*object]string // what is referred to, and the reference to it in what is made
	taken map[string]bool
	queue []*object

	left    int // values that may still be written
	schemas int // that were
}

// schema is one schema in 2020-12.
func (b *bundler) schema(v any) (any, error) {
	if b.left--; b.left < 0 {
		return nil, errBudget
	}
	b.schemas++
	in, ok := v.(*object)
	if !ok {
		if keep, ok := v.(bool); ok {
			return keep, nil
		}
		return nil, errors.New("a schema is neither an object nor true or false")
	}
	out := new(object)
	for _, key := range in.keys {
		if b.alone && in.has("$ref") && key != "$ref" && key != "description" {
			continue
		}
		v := in.get(key)
		if key == "anyOf" && in.has("x-expansionResources") {
			v = unexpanded(v)
		}
		if err := b.keyword(out, key, v); err != nil {
			return nil, err
		}
	}
	modernise(out)
	if b.nullable && in.get("nullable") == true && !in.has("$ref") {
		return withNull(out), nil
	}
	return out, nil
}

// unexpanded leaves out what Stripe puts in an id's place where a caller asks
// for it. In an event nobody has, and with it each schema would be all of them.
func unexpanded(v any) any {
	ids := slices.DeleteFunc(slices.Clone(asList(v)), func(s any) bool { return asObject(s).has("$ref") })
	if len(ids) == 0 {
		return v
	}
	return ids
}

// Keywords that mean nothing once a schema stands alone, or nothing in JSON
// Schema.
var dropped = []string{"$id", "id", "$schema", "$anchor", "$dynamicAnchor", "$recursiveAnchor", "$vocabulary", "$comment",
	"$defs", "definitions", "discriminator", "xml", "externalDocs", "nullable"}

func (b *bundler) keyword(out *object, key string, v any) (err error) {
	var made any
	switch key {
	case "$ref", "$dynamicRef", "$recursiveRef":
		ref, ok := v.(string)
		if !ok {
			return fmt.Errorf("a %s is no string", key)
		}
		key = "$ref"
		made, err = b.reference(ref)
	case "properties", "patternProperties", "dependentSchemas":
		made, err = b.each(v)
	case "allOf", "anyOf", "oneOf", "prefixItems":
		made, err = b.list(v)
	case "not", "if", "then", "else", "contains", "propertyNames", "contentSchema", "additionalItems",
		"additionalProperties", "unevaluatedItems", "unevaluatedProperties":
		made, err = b.schema(v)
	case "items":
		if _, ok := v.([]any); ok {
			made, err = b.list(v)
		} else {
			made, err = b.schema(v)
		}
	case "dependencies":
		return b.dependencies(out, v)
	default:
		if slices.Contains(dropped, key) || strings.HasPrefix(key, "x-") {
			return nil
		}
		if b.left -= weight(v); b.left < 0 {
			return errBudget
		}
		made = v
	}
	if err != nil {
		return err
	}
	out.set(key, made)
	return nil
}

func (b *bundler) each(v any) (any, error) {
	in, out := asObject(v), new(object)
	if in == nil {
		return nil, errors.New("properties are no object")
	}
	for _, name := range in.keys {
		made, err := b.schema(in.get(name))
		if err != nil {
			return nil, err
		}
		out.set(name, made)
	}
	return out, nil
}

func (b *bundler) list(v any) (any, error) {
	in, ok := v.([]any)
	if !ok {
		return nil, errors.New("a list of schemas is no array")
	}
	out := make([]any, 0, len(in))
	for _, e := range in {
		made, err := b.schema(e)
		if err != nil {
			return nil, err
		}
		out = append(out, made)
	}
	return out, nil
}

// dependencies were what are two keywords now.
func (b *bundler) dependencies(out *object, v any) error {
	required, schemas := new(object), new(object)
	for _, name := range asObject(v).names() {
		dep := asObject(v).get(name)
		if _, ok := dep.([]any); ok {
			required.set(name, dep)
			continue
		}
		made, err := b.schema(dep)
		if err != nil {
			return err
		}
		schemas.set(name, made)
	}
	if len(required.keys) > 0 {
		out.set("dependentRequired", required)
	}
	if len(schemas.keys) > 0 {
		out.set("dependentSchemas", schemas)
	}
	return nil
}

// reference is where a reference's target stands in what is made; its turn
// comes when it is the first.
func (b *bundler) reference(ref string) (string, error) {
	target, err := b.resolve(ref)
	if err != nil {
		return "", err
	}
	o := asObject(target)
	if o == nil {
		if target == false {
			o = neverSchema
		} else {
			o = new(object)
		}
	}
	if name, ok := b.names[o]; ok {
		return name, nil
	}
	name := defName(ref)
	for i := 2; b.taken[name]; i++ {
		name = fmt.Sprintf("%s_%d", defName(ref), i)
	}
	b.taken[name] = true
	b.names[o] = "#/$defs/" + name
	b.queue = append(b.queue, o)
	return b.names[o], nil
}

var neverSchema = &object{keys: []string{"not"}, of: map[string]any{"not": true}}

// defName is a name that needs no escapes in a reference.
func defName(ref string) string {
	name := ref[strings.LastIndexAny(ref, "/#")+1:]
	name = strings.Map(func(c rune) rune {
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-' || c == '.' {
			return c
		}
		return '_'
	}, name)
	if name == "" {
		return "root"
	}
	return name[:min(len(name), 100)]
}

// modernise puts what older drafts wrote into 2020-12's words.
func modernise(o *object) {
	for _, key := range []string{"Minimum", "Maximum"} {
		exclusive, plain := "exclusive"+key, strings.ToLower(key)
		is, ok := o.get(exclusive).(bool)
		if !ok {
			continue
		}
		o.remove(exclusive)
		if is && o.has(plain) {
			o.set(exclusive, o.get(plain))
			o.remove(plain)
		}
	}
	if items, ok := o.get("items").([]any); ok {
		o.remove("items")
		if len(items) > 0 {
			o.set("prefixItems", items)
		}
		if o.has("additionalItems") {
			o.set("items", o.get("additionalItems"))
		}
	}
	o.remove("additionalItems")
	if _, ok := o.get("examples").([]any); !ok {
		o.remove("examples")
	}
	if o.has("example") && !o.has("examples") {
		o.set("examples", []any{o.get("example")})
	}
	o.remove("example")
}

func (o *object) remove(key string) {
	if o.has(key) {
		delete(o.of, key)
		o.keys = slices.DeleteFunc(o.keys, func(k string) bool { return k == key })
	}
}

// withNull is a schema that null satisfies too.
func withNull(o *object) any {
	t, ok := o.get("type").(string)
	if !ok {
		if !o.has("allOf") && !o.has("anyOf") && !o.has("oneOf") {
			return o // of any type already
		}
		null := &object{keys: []string{"type"}, of: map[string]any{"type": "null"}}
		return &object{keys: []string{"anyOf"}, of: map[string]any{"anyOf": []any{o, null}}}
	}
	o.set("type", []any{t, "null"})
	if enum, ok := o.get("enum").([]any); ok && !slices.Contains(enum, any(nil)) {
		o.set("enum", append(slices.Clip(enum), nil))
	}
	return o
}

// weight is how many values v has.
func weight(v any) int {
	n := 1
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			n += weight(e)
		}
	case *object:
		for _, e := range v.of {
			n += weight(e)
		}
	}
	return n
}

// dialectOf is that of a schema that stands alone, by what it says it is.
func dialectOf(schema any) dialect {
	says := asText(asObject(schema).get("$schema"))
	old := strings.Contains(says, "draft-0")
	return dialect{nullable: says == "", alone: old}
}

// plain is v as encoding/json would decode it with UseNumber.
func plain(v any) any {
	switch v := v.(type) {
	case *object:
		m := make(map[string]any, len(v.keys))
		for key, e := range v.of {
			m[key] = plain(e)
		}
		return m
	case []any:
		l := make([]any, len(v))
		for i, e := range v {
			l[i] = plain(e)
		}
		return l
	case json.Number, string, bool:
		return v
	}
	return nil
}
