package match

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"code.hooktape.dev/hooktape/capture"
)

const (
	maxSubscriptions = 100
	maxRows          = 100
	maxOperand       = 64 << 10 // bytes of rules, or of a condition's value
	maxLevels        = 32       // of objects and arrays in these
	maxSteps         = 100      // keys in a path of rules
	maxAsked         = 10_000   // terms, conditions and rules of all subscriptions
)

// Subscribe compiles what an endpoint subscribes to: its Filter, and any of
// its Subscriptions if it has some. The error is a *capture.FieldError.
//
// The String of the predicate, and that of its misses, is for people: what
// vendors ask has no text in the predicate language.
func Subscribe(spec *capture.EndpointSpec) (*Predicate, error) {
	c := compiler{now: time.Now()}
	filter, err := c.filter("filter", spec.Filter)
	if err != nil {
		return nil, err
	}
	if len(spec.Subscriptions) > maxSubscriptions {
		return nil, wrong("subscriptions", "there are %d: want at most %d", len(spec.Subscriptions), maxSubscriptions)
	}
	var choices []node
	for i := range spec.Subscriptions {
		n, err := c.subscription(nth("subscriptions", i), &spec.Subscriptions[i])
		if err != nil {
			return nil, err
		}
		choices = append(choices, n)
	}
	return compiled(allOf([]node{filter, anyOf(choices)}), &c.paths), nil
}

// compiler holds what the parts of a subscription share.
type compiler struct {
	now   time.Time
	paths paths
	terms int
	cost  int // of expressions
}

func (c *compiler) subscription(field string, s *capture.Subscription) (node, error) {
	var nodes []node
	for _, f := range []struct {
		field   *nameField
		pattern string
	}{{typeName, s.Type}, {sourceName, s.Source}} {
		if len(f.pattern) > maxPattern {
			return nil, wrong(field+"."+f.field.name, "%d bytes: want at most %d", len(f.pattern), maxPattern)
		}
		if f.pattern != "" {
			nodes = append(nodes, newName(f.field, f.pattern, s.Exact))
		}
	}
	filter, err := c.filter(field+".filter", s.Filter)
	if err != nil {
		return nil, err
	}
	rows, err := c.rows(field+".conditions", s.Conditions)
	if err != nil {
		return nil, err
	}
	if rows != nil {
		nodes = append(nodes, rows)
	}
	var rules node
	if len(s.Rules) > 0 {
		field += ".filter_rules"
		if problem := operandProblem(s.Rules); problem != "" {
			return nil, wrong(field, "%s", problem)
		}
		if rules, err = c.rules(field, decode(string(s.Rules))); err != nil {
			return nil, err
		}
	}
	n := allOf(append(nodes, filter, rules))
	if n != nil {
		c.terms += n.hint().terms
	}
	if c.terms > maxAsked {
		return nil, wrong("subscriptions", "they ask more than %d things: leave out some, or use another endpoint", maxAsked)
	}
	return n, nil
}

// filter compiles a text; nil matches everything.
func (c *compiler) filter(field, text string) (node, error) {
	p := parser{text: text, now: c.now, paths: &c.paths, cost: c.cost}
	n, err := p.parse()
	if err != nil {
		return nil, wrong(field, "%s", err)
	}
	c.cost = p.cost
	return n, nil
}

// name asks for a type or source, in the very case.
type name struct {
	pattern string
	parts   []string // around the *s in it, nil: it has none
	field   *nameField
	text    string
}

type nameField struct {
	name string
	of   func(*capture.Row) string
	hint bool // stores have an index of it
}

var (
	typeName   = &nameField{"type", func(r *capture.Row) string { return r.Type }, true}
	sourceName = &nameField{"source", func(r *capture.Row) string { return r.Source }, false}
)

func newName(field *nameField, pattern string, exact bool) *name {
	n := &name{pattern: shared(pattern), field: field, text: readable(field.name + ":" + pattern)}
	switch {
	case exact:
		n.text = readable(field.name + ":" + quote(pattern))
	case strings.Contains(pattern, "*"):
		n.parts = strings.Split(pattern, "*")
	}
	return n
}

func (n *name) eval(in input) verdict {
	s := n.field.of(in.row)
	if n.parts == nil {
		return is(s == n.pattern)
	}
	return is(hasParts(s, n.parts))
}

func (n *name) explain(in input, want bool) []Miss {
	return missed(n, in, want, func() string { return isWhat(n.field.name, n.field.of(in.row)) })
}

func (n *name) hint() hints {
	if n.parts != nil || !n.field.hint {
		return hints{terms: 1}
	}
	return hints{exact: []Exact{{n.field.name, []string{strings.ToLower(n.pattern)}}}, terms: 1}
}

func (n *name) String() string { return n.text }

// hasParts reports whether s is the parts, two at least, with any text between
// them.
func hasParts(s string, parts []string) bool {
	last := len(parts) - 1
	s, ok := strings.CutPrefix(s, parts[0])
	for _, part := range parts[1:last] {
		if !ok {
			return false
		}
		_, s, ok = strings.Cut(s, part)
	}
	return ok && strings.HasSuffix(s, parts[last])
}

// allOf matches what all nodes do, of which nil matches everything.
func allOf(nodes []node) node {
	nodes = slices.DeleteFunc(nodes, func(n node) bool { return n == nil })
	switch len(nodes) {
	case 0:
		return nil
	case 1:
		return nodes[0]
	}
	all := nodes[0]
	for _, n := range nodes[1:] {
		all = join[and](all, n)
	}
	return all
}

// anyOf matches what any of the nodes does; if there are none, everything.
func anyOf(nodes []node) node {
	switch {
	case len(nodes) == 0 || slices.Contains(nodes, nil):
		return nil
	case len(nodes) == 1:
		return nodes[0]
	}
	return or(nodes)
}

// operandProblem says what is wrong with JSON that may be of any kind.
func operandProblem(raw []byte) string {
	switch {
	case len(raw) > maxOperand:
		return fmt.Sprintf("it has %d bytes: want at most %d", len(raw), maxOperand)
	case !json.Valid(raw):
		return "it is not valid JSON: write a number, a string in quotes, true, false, null, an array or an object"
	case depth(string(raw)) > maxLevels:
		return fmt.Sprintf("it is nested deeper than %d levels: write it flatter", maxLevels)
	}
	return ""
}

// unknownOperator is what to write instead of name. prefix is how all begin.
func unknownOperator(name, prefix string, names []string) string {
	plain := strings.TrimPrefix(name, prefix)
	meant := synonyms[plain]
	if meant == "" {
		var words []string
		for _, n := range names {
			words = append(words, strings.TrimPrefix(n, prefix))
		}
		meant = capture.Nearest(plain, words)
	}
	if slices.Contains(names, prefix+meant) {
		return fmt.Sprintf("%q is unknown: did you mean %q?", clip(name, 40), prefix+meant)
	}
	return fmt.Sprintf("%q is unknown: want one of %s", clip(name, 40), strings.Join(names, ", "))
}

// synonyms are what people write for operators elsewhere.
var synonyms = map[string]string{"=": "eq", "==": "eq", "===": "eq", "equals": "eq", "is": "eq",
	"!=": "ne", "!==": "ne", "<>": "ne", "neq": "ne", "not": "ne", ">": "gt", ">=": "gte", "ge": "gte", "<": "lt", "<=": "lte", "le": "lte",
	"includes": "contains", "match": "regexp", "matches": "regexp", "regex": "regexp", "like": "contains", "one_of": "in",
	"notin": "nin", "not_in": "nin", "not-in": "nin"}

// wrong is the error of one member of a spec.
func wrong(field, format string, args ...any) error {
	return &capture.FieldError{Field: strings.Map(printable, clip(field, 200)), Problem: strings.Map(printable, fmt.Sprintf(format, args...))}
}

func nth(field string, i int) string { return fmt.Sprintf("%s[%d]", field, i) }
