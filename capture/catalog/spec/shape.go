package spec

import (
	"encoding/json"
	"math/big"
	"slices"
)

// shape is what a schema asks of a value in one object: what $ref and allOf
// bring is merged into it, and what is left to choose is in choices.
type shape struct {
	object  *object
	choices [][]any
	refs    []string
}

func newShape() *shape { return &shape{object: new(object)} }

// add merges a schema in. Examples are only those of the whole: a part's are
// of that part, and count where it is all there is.
func (s *shape) add(g *generator, schema any, depth int) error {
	if g.steps--; g.steps < 0 {
		return errTooLarge
	}
	if depth > deepest {
		return errEndless
	}
	if schema == false {
		return errNothing
	}
	o := asObject(schema)
	alone := len(s.object.keys) == 0
	for _, key := range o.names() {
		v := o.get(key)
		switch key {
		case "$ref", "allOf", "$defs", "then", "else":
		case "anyOf", "oneOf":
			s.choices = append(s.choices, asList(v))
		case "if":
			s.choices = append(s.choices, conditional(o))
		case "examples", "default":
			if alone {
				s.object.set(key, v)
			}
		default:
			if s.constrain(key, v, g.force); g.steps < len(asObject(v).names())/20 {
				return errTooLarge
			}
			g.steps -= len(asObject(v).names()) / 20
		}
	}
	if ref, ok := o.get("$ref").(string); ok {
		s.refs = append(s.refs, ref)
		if err := s.part(g, target(g.root, ref), depth, len(o.keys) > 1); err != nil {
			return err
		}
	}
	all := asList(o.get("allOf"))
	for _, part := range all {
		if err := s.part(g, part, depth, len(all) > 1 || len(o.keys) > 1); err != nil {
			return err
		}
	}
	return nil
}

func (s *shape) part(g *generator, schema any, depth int, one bool) error {
	if !one {
		return s.add(g, schema, depth+1)
	}
	had := len(s.object.keys) > 0
	if !had {
		s.object.set("examples", []any(nil)) // so that it is not alone
	}
	err := s.add(g, schema, depth+1)
	if !had && len(asList(s.object.get("examples"))) == 0 {
		s.object.remove("examples")
	}
	return err
}

// conditional is if, then and else as branches.
func conditional(o *object) []any {
	then := []any{o.get("if")}
	if o.has("then") {
		then = append(then, o.get("then"))
	}
	branches := []any{any(&object{keys: []string{"allOf"}, of: map[string]any{"allOf": then}})}
	if o.has("else") {
		return append(branches, o.get("else"))
	}
	return append(branches, true)
}

// constrain adds a keyword to those that are there. By force, types that
// exclude each other leave the one that is more than null.
func (s *shape) constrain(key string, v any, force bool) {
	o := s.object
	if !o.has(key) {
		o.set(key, v)
		return
	}
	have := o.get(key)
	switch key {
	case "type":
		common := commonTypes(have, v)
		switch {
		case len(common) > 0 || !force:
			o.set(key, common)
		case slices.Equal(typesIn(have), []string{"null"}):
			o.set(key, v)
		}
	case "required":
		o.set(key, append(slices.Clone(asList(have)), asList(v)...))
	case "enum":
		in := map[string]bool{}
		for _, e := range asList(v) {
			in[string(encode(e))] = true
		}
		o.set(key, slices.DeleteFunc(slices.Clone(asList(have)), func(e any) bool { return !in[string(encode(e))] }))
	case "minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties", "minContains":
		o.set(key, larger(have, v, 1))
	case "maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties", "maxContains":
		o.set(key, larger(have, v, -1))
	case "properties", "patternProperties":
		o.set(key, mergeMembers(asObject(have), asObject(v)))
	case "items", "additionalProperties", "propertyNames":
		o.set(key, both(have, v))
	}
}

func mergeMembers(a, b *object) *object {
	out := new(object)
	for _, name := range a.names() {
		out.set(name, a.get(name))
	}
	for _, name := range b.names() {
		if out.has(name) {
			out.set(name, both(out.get(name), b.get(name)))
		} else {
			out.set(name, b.get(name))
		}
	}
	return out
}

// both is a schema of two.
func both(a, b any) any {
	if a == false || b == false {
		return false
	}
	return &object{keys: []string{"allOf"}, of: map[string]any{"allOf": []any{a, b}}}
}

// typesIn are those that a type keyword names.
func typesIn(v any) []string {
	if t, ok := v.(string); ok {
		return []string{t}
	}
	return texts(v)
}

// commonTypes are the types that both allow; an integer is a number.
func commonTypes(a, b any) []any {
	as, bs := typesIn(a), typesIn(b)
	common := []any{}
	for _, t := range as {
		switch {
		case slices.Contains(bs, t), t == "integer" && slices.Contains(bs, "number"):
			common = append(common, t)
		case t == "number" && slices.Contains(bs, "integer"):
			common = append(common, "integer")
		}
	}
	return common
}

func larger(a, b any, sign int) any {
	x, y := rat(a), rat(b)
	if x == nil || y != nil && y.Cmp(x)*sign > 0 {
		return b
	}
	return a
}

// rat is a number, or nil. What was decoded is never too large for it.
func rat(v any) *big.Rat {
	n, ok := v.(json.Number)
	if !ok {
		return nil
	}
	r, _ := new(big.Rat).SetString(string(n))
	return r
}

// count is a keyword's number, up to a million.
func count(o *object, key string) (int, bool) {
	r := rat(o.get(key))
	if r == nil || r.Sign() < 0 {
		return 0, false
	}
	if r.Cmp(big.NewRat(1e6, 1)) > 0 {
		return 1e6, true
	}
	f, _ := r.Float64()
	return int(f), true
}
