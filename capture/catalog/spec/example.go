package spec

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
)

// Example makes an example of a JSON Schema: 2020-12, earlier drafts, and
// OpenAPI 3.0's dialect. It takes what the schema says itself, in the order
// example, examples, default, const, enum, and makes up the rest by type,
// format, bounds and pattern, the same for the same seed. Optional members end
// a few levels down and where a schema refers to itself.
//
// An example that its schema does not allow is better than none, and is
// returned without an error; such schemas use not, if, contains or formats of
// their own, or allow nothing at all.
//
// Escape is done to each string of it; nil does nothing.
func Example(schema json.RawMessage, seed uint64, escape func(string) string) (json.RawMessage, error) {
	c, err := compile(schema)
	if err != nil {
		return nil, err
	}
	v, err := generate(c, seed)
	if err != nil {
		return nil, fmt.Errorf("spec: no example of the schema can be made: %w", err)
	}
	return encode(escaped(v, escape)), nil
}

// generate is the first of several examples that its schema allows, or the
// first of them.
func generate(c *checker, seed uint64) (first any, err error) {
	made := false
	for try := range 12 {
		g := &generator{
			root: c.schema, steps: min(20_000, c.effort.steps), open: map[string]int{"#": 1},
			rand:      rand.New(rand.NewPCG(seed, uint64(try))),
			published: try < 4,
			shuffle:   try%4 != 0,
			bare:      try%4 == 3,
			force:     try == 11,
		}
		before := g.steps
		v, tryErr := g.value(c.schema, 0)
		c.effort.steps -= before - max(g.steps, 0)
		if tryErr != nil {
			err = tryErr
			continue
		}
		if c.problem(v) == "" {
			return v, nil
		}
		if !made {
			first, made = v, true
		}
	}
	if made {
		return first, nil
	}
	return nil, err
}

// generator makes one example. Each try goes another way.
type generator struct {
	root      any
	rand      *rand.Rand
	published bool           // what the schema gives for an example is taken
	shuffle   bool           // any branch is taken, not the first that works
	bare      bool           // only what is required
	force     bool           // types that exclude each other are no reason to give up
	steps     int            // values that may still be made
	open      map[string]int // references that what is being made is within
}

// newGenerator makes what needs no schema.
func newGenerator(seed uint64) *generator {
	return &generator{rand: rand.New(rand.NewPCG(seed, 0))}
}

var (
	errTooLarge = errors.New("it would be too large")
	errEndless  = errors.New("it would have no end: a schema requires itself")
	errNothing  = errors.New("nothing satisfies it")
)

const (
	deepest   = 40 // levels of what is required
	deepExtra = 5  // levels of what is not
)

func (g *generator) value(schema any, depth int) (any, error) {
	if g.steps--; g.steps < 0 {
		return nil, errTooLarge
	}
	if depth > deepest {
		return nil, errEndless
	}
	if schema == false {
		return nil, errNothing
	}
	s := newShape()
	if err := s.add(g, schema, 0); err != nil {
		return nil, err
	}
	for _, ref := range s.refs {
		g.open[ref]++
		defer func() { g.open[ref]-- }()
	}
	if v, ok := g.given(s.object); ok {
		return v, nil
	}
	if len(s.choices) == 0 {
		return g.typed(s.object, depth)
	}
	return g.branch(s, depth)
}

// branch takes the first branch of the first choice that comes to something.
func (g *generator) branch(s *shape, depth int) (v any, err error) {
	rest := s.choices[1:]
	branches := slices.Clone(s.choices[0])
	if g.shuffle {
		g.rand.Shuffle(len(branches), func(i, j int) { branches[i], branches[j] = branches[j], branches[i] })
	}
	err = errNothing
	for _, b := range branches {
		if len(s.object.keys) == 0 && len(rest) == 0 {
			if v, err = g.value(b, depth+1); err == nil {
				return v, nil
			}
			continue
		}
		all := []any{s.object, b}
		for _, choice := range rest {
			all = append(all, &object{keys: []string{"anyOf"}, of: map[string]any{"anyOf": choice}})
		}
		if v, err = g.value(&object{keys: []string{"allOf"}, of: map[string]any{"allOf": all}}, depth+1); err == nil {
			return v, nil
		}
	}
	return nil, err
}

// given is what the schema itself has for an example.
func (g *generator) given(o *object) (any, bool) {
	if g.published {
		if all := asList(o.get("examples")); len(all) > 0 {
			return all[0], true
		}
		if o.has("default") {
			return o.get("default"), true
		}
	}
	if o.has("const") {
		return o.get("const"), true
	}
	enum := asList(o.get("enum"))
	if len(enum) == 0 {
		return nil, false
	}
	for _, e := range enum {
		if e != nil && !g.shuffle {
			return e, true
		}
	}
	return enum[g.rand.IntN(len(enum))], true
}

// typed makes a value of one of the schema's types.
func (g *generator) typed(o *object, depth int) (any, error) {
	types := typesIn(o.get("type"))
	if o.has("type") && len(types) == 0 {
		return nil, errNothing
	}
	if len(types) == 0 {
		types = []string{guessType(o, depth)}
	}
	if g.shuffle {
		types = slices.Clone(types)
		g.rand.Shuffle(len(types), func(i, j int) { types[i], types[j] = types[j], types[i] })
	}
	err := errNothing
	for _, t := range types {
		if t == "null" && len(types) > 1 {
			continue
		}
		var v any
		if v, err = g.of(t, o, depth); err == nil {
			return v, nil
		}
	}
	if slices.Contains(types, "null") {
		return nil, nil
	}
	return nil, err
}

func (g *generator) of(t string, o *object, depth int) (any, error) {
	switch t {
	case "object":
		return g.members(o, depth)
	case "array":
		return g.elements(o, depth)
	case "string":
		return g.text(o)
	case "integer", "number":
		return g.number(o, t == "integer")
	case "boolean":
		return true, nil
	case "null":
		return nil, nil
	}
	return nil, fmt.Errorf("there is no type %q", cut(t, 40))
}

// guessType is the type that a schema's keywords are about.
func guessType(o *object, depth int) string {
	for _, g := range []struct {
		t    string
		keys []string
	}{
		{"object", []string{"properties", "required", "additionalProperties", "patternProperties", "minProperties", "maxProperties", "propertyNames", "dependentRequired"}},
		{"array", []string{"items", "prefixItems", "minItems", "maxItems", "contains", "uniqueItems"}},
		{"string", []string{"format", "pattern", "minLength", "maxLength", "contentEncoding"}},
		{"number", []string{"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"}},
	} {
		if slices.ContainsFunc(g.keys, o.has) {
			return g.t
		}
	}
	if depth == 0 {
		return "object"
	}
	return "string"
}

// members makes an object.
func (g *generator) members(o *object, depth int) (any, error) {
	out, properties := new(object), asObject(o.get("properties"))
	required := map[string]bool{}
	for _, name := range texts(o.get("required")) {
		required[name] = true
	}
	most, bounded := count(o, "maxProperties")
	for _, name := range properties.names() {
		schema := properties.get(name)
		if !required[name] && (g.bare || depth >= deepExtra || g.within(schema) || bounded && len(out.keys)+len(required) >= most) {
			continue
		}
		v, err := g.value(schema, depth+1)
		if err != nil && required[name] {
			return nil, inMember(name, err)
		}
		if err == nil {
			out.set(name, v)
		}
	}
	if err := g.need(o, out, texts(o.get("required")), depth); err != nil {
		return nil, err
	}
	for i := 0; i < len(out.keys); i++ { // it grows
		names := texts(asObject(o.get("dependentRequired")).get(out.keys[i]))
		if err := g.need(o, out, names, depth); err != nil {
			return nil, err
		}
	}
	return out, g.more(o, out, depth)
}

// need adds members that are not there.
func (g *generator) need(o, out *object, names []string, depth int) error {
	for _, name := range names {
		if out.has(name) {
			continue
		}
		v, err := g.value(memberSchema(o, name), depth+1)
		if err != nil {
			return inMember(name, err)
		}
		out.set(name, v)
	}
	return nil
}

// inMember says of an error where it is; of one without an end, there is no
// use in that.
func inMember(name string, err error) error {
	if err == errEndless || err == errTooLarge {
		return err
	}
	return fmt.Errorf("%s: %w", cut(name, 60), err)
}

// more adds members that have no name of their own.
func (g *generator) more(o, out *object, depth int) error {
	least, _ := count(o, "minProperties")
	if extra := asObject(o.get("additionalProperties")); extra != nil && len(out.keys) == 0 && least == 0 && depth < deepExtra && !g.bare && !g.within(extra) {
		least = 1
		if most, ok := count(o, "maxProperties"); ok {
			least = min(least, most)
		}
	}
	for i := 1; len(out.keys) < least; i++ {
		if g.steps--; g.steps < 0 || i > 2*least+100 {
			return errTooLarge
		}
		name := fmt.Sprintf("key%d", i)
		if names := o.get("propertyNames"); names != nil {
			made, err := g.value(&object{keys: []string{"allOf"}, of: map[string]any{"allOf": []any{names, typeSchema("string")}}}, depth+1)
			if err != nil {
				return err
			}
			name = asText(made)
		} else if patterns := asObject(o.get("patternProperties")); len(patterns.names()) > 0 {
			name = g.pattern(patterns.keys[0], 0, -1)
		}
		if out.has(name) {
			continue
		}
		v, err := g.value(memberSchema(o, name), depth+1)
		if err != nil {
			return err
		}
		out.set(name, v)
	}
	return nil
}

// within is whether a schema refers to one that is being made.
func (g *generator) within(schema any) bool {
	o := asObject(schema)
	if g.opened(o) || g.opened(o.get("items")) {
		return true
	}
	for _, key := range []string{"allOf", "anyOf", "oneOf"} {
		if slices.ContainsFunc(asList(o.get(key)), g.opened) {
			return true
		}
	}
	return false
}

func (g *generator) opened(schema any) bool {
	ref, ok := asObject(schema).get("$ref").(string)
	return ok && g.open[ref] > 0
}

// memberSchema is that of a member.
func memberSchema(o *object, name string) any {
	if s := asObject(o.get("properties")); s.has(name) {
		return s.get(name)
	}
	patterns := asObject(o.get("patternProperties"))
	for _, p := range patterns.names() {
		if re, err := patternOf(p); err == nil && re.MatchString(name) {
			return patterns.get(p)
		}
	}
	if s := o.get("additionalProperties"); s != nil {
		return s
	}
	return typeSchema("string")
}

// elements makes an array.
func (g *generator) elements(o *object, depth int) (any, error) {
	out := []any{}
	least, _ := count(o, "minItems")
	most, bounded := count(o, "maxItems")
	if n, ok := count(o, "minContains"); o.has("contains") && (!ok || n > 0) {
		least = max(least, n, 1)
	}
	prefix, items := asList(o.get("prefixItems")), o.get("items")
	want := max(least, len(prefix))
	if items != nil && items != false && !g.bare && depth < deepExtra && !g.within(items) {
		want = max(want, len(prefix)+1)
	}
	if bounded {
		want = min(want, most)
	}
	unique, seen := o.get("uniqueItems") == true, map[string]bool{}
	for tries := 0; len(out) < want; tries++ {
		schema := items
		if i := len(out); i < len(prefix) {
			schema = prefix[i]
		} else if schema == nil {
			schema = typeSchema("string")
			if o.has("contains") {
				schema = o.get("contains")
			}
		} else if o.has("contains") && asObject(schema) != nil {
			schema = &object{keys: []string{"allOf"}, of: map[string]any{"allOf": []any{schema, o.get("contains")}}}
		}
		v, err := g.value(schema, depth+1)
		if err != nil && len(out) >= least {
			break
		}
		if err != nil {
			return nil, err
		}
		if text := string(encode(v)); unique && tries < 20*want && seen[text] {
			if len(out) >= least {
				break
			}
			g.published, g.shuffle = false, true // the next is to be another
			continue
		} else if unique {
			seen[text] = true
		}
		out = append(out, v)
	}
	return out, nil
}

func typeSchema(t string) *object {
	return &object{keys: []string{"type"}, of: map[string]any{"type": t}}
}

// texts are the strings of an array.
func texts(v any) (all []string) {
	for _, e := range asList(v) {
		if s, ok := e.(string); ok {
			all = append(all, s)
		}
	}
	return all
}
