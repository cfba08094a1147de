package spec

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// checker validates against one bundled schema.
type checker struct {
	schema   any
	text     json.RawMessage
	compiled *jsonschema.Schema
	effort   *effort
}

// compile makes a checker of a schema that is a document of its own.
func compile(schema json.RawMessage) (*checker, error) {
	if len(schema) > MostBytes {
		return nil, fmt.Errorf("spec: the schema has %d MiB; the most is %d", len(schema)>>20, MostBytes>>20)
	}
	roots, err := decodeJSON(schema)
	if err != nil {
		return nil, fmt.Errorf("spec: %w", err)
	}
	d := newDocument(roots[0])
	bundled, err := d.bundle(roots[0], dialectOf(roots[0]))
	if err != nil {
		return nil, fmt.Errorf("spec: the schema: %w", err)
	}
	c, err := d.check(bundled)
	if err != nil {
		return nil, fmt.Errorf("spec: the schema: %w", err)
	}
	return c, nil
}

// check makes a checker. The error says what is wrong with the schema.
func (d *document) check(schema any) (*checker, error) {
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.UseLoader(refuse{})
	c.UseRegexpEngine(patternOf)
	const url = "schema:body"
	if err := c.AddResource(url, plain(schema)); err != nil {
		return nil, err
	}
	compiled, err := c.Compile(url)
	if invalid := (*jsonschema.SchemaValidationError)(nil); errors.As(err, &invalid) {
		err = errors.New("it is no JSON Schema: " + first(invalid.Err))
	}
	if err != nil {
		return nil, err
	}
	return &checker{schema, encode(schema), compiled, d.effort}, nil
}

// refuse loads nothing.
type refuse struct{}

func (refuse) Load(url string) (any, error) { return nil, &RemoteError{Ref: url} }

// patternOf is a pattern as Go reads it. One that it cannot read, with a
// lookahead say, matches everything.
func patternOf(s string) (jsonschema.Regexp, error) {
	if re, err := regexp.Compile(s); err == nil {
		return re, nil
	}
	return anyPattern(s), nil
}

type anyPattern string

func (anyPattern) MatchString(string) bool { return true }
func (p anyPattern) String() string        { return string(p) }

// mostVisits is how often a validator may ask a schema about a value. There
// are small schemas that ask 2^100 times.
const mostVisits = 200_000

// problem is the first thing that is wrong with v, or "".
func (c *checker) problem(v any) string {
	before := min(mostVisits, c.effort.visits)
	n := visits{root: c.schema, left: before}
	n.visit(c.schema, v, 0)
	if c.effort.visits -= before - max(n.left, 0); n.left < 0 {
		return "it was not checked: the schema has too many branches"
	}
	err := c.compiled.Validate(plain(v))
	if err == nil {
		return ""
	}
	return first(err)
}

// first is the innermost of the first of a validation's errors.
func first(err error) string {
	var e *jsonschema.ValidationError
	if !errors.As(err, &e) {
		return cut(err.Error(), 300)
	}
	for len(e.Causes) > 0 {
		e = e.Causes[0]
	}
	return cut(problemOf(e).String(), 300)
}

// problemOf is an innermost error of a validation.
func problemOf(e *jsonschema.ValidationError) Problem {
	_, what, ok := strings.Cut(e.Error(), "': ") // at '/a/b': got string, want integer
	if !ok {
		what = e.Error()
	}
	return Problem{At: at("", e.InstanceLocation...), What: what}
}

// visits counts what a validator would do, as if all branches were taken.
type visits struct {
	root any
	left int
}

func (n *visits) visit(schema, v any, depth int) {
	o := asObject(schema)
	if n.left -= 1 + len(asList(o.get("enum"))); n.left < 0 || o == nil {
		return
	}
	if depth > 2000 { // a reference to itself
		n.left = -1
		return
	}
	if ref, ok := o.get("$ref").(string); ok {
		n.visit(target(n.root, ref), v, depth+1)
	}
	for _, key := range []string{"allOf", "anyOf", "oneOf"} {
		for _, s := range asList(o.get(key)) {
			n.visit(s, v, depth+1)
		}
	}
	for _, key := range []string{"not", "if", "then", "else"} {
		n.visit(o.get(key), v, depth+1)
	}
	deps := asObject(o.get("dependentSchemas"))
	for _, name := range deps.names() {
		n.visit(deps.get(name), v, depth+1)
	}
	switch v := v.(type) {
	case *object:
		n.members(o, v, depth+1)
	case []any:
		n.elements(o, v, depth+1)
	}
}

func (n *visits) members(o, v *object, depth int) {
	properties, patterns := asObject(o.get("properties")), asObject(o.get("patternProperties"))
	for _, name := range v.keys {
		n.visit(properties.get(name), v.get(name), depth)
		for _, pattern := range patterns.names() {
			n.visit(patterns.get(pattern), v.get(name), depth)
		}
		n.visit(o.get("additionalProperties"), v.get(name), depth)
		n.visit(o.get("unevaluatedProperties"), v.get(name), depth)
		n.visit(o.get("propertyNames"), name, depth)
	}
}

func (n *visits) elements(o *object, v []any, depth int) {
	prefix := asList(o.get("prefixItems"))
	for i, e := range v {
		if i < len(prefix) {
			n.visit(prefix[i], e, depth)
		}
		n.visit(o.get("items"), e, depth)
		n.visit(o.get("contains"), e, depth)
		n.visit(o.get("unevaluatedItems"), e, depth)
	}
}

// target is what a reference within a bundled schema leads to.
func target(root any, ref string) any {
	name, ok := strings.CutPrefix(ref, "#/$defs/")
	if !ok {
		return root
	}
	return asObject(asObject(root).get("$defs")).get(name)
}
