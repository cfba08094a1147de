package match

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// rules compiles Wacht's filter rules, all of which must hold; nil: none is
// asked. field is what they are called.
func (c *compiler) rules(field string, v any) (node, error) {
	all, ok := v.(object)
	if !ok {
		return nil, wrong(field, `it is %s: write an object of paths, such as {"amount":{"$gte":1000}}`, typeOf(v))
	}
	var nodes []node
	for _, m := range all {
		n, err := c.rule(field+"."+m.name, m)
		if err != nil {
			return nil, err
		}
		nodes = append(nodes, n)
	}
	return allOf(nodes), nil
}

// rule compiles one member of rules.
func (c *compiler) rule(field string, m member) (node, error) {
	if m.name == "$and" || m.name == "$or" {
		return c.group(field, m)
	}
	if strings.HasPrefix(m.name, "$") {
		if _, ok := ruleOperators[m.name]; ok {
			return nil, wrong(field, `an operator needs a path around it: write {"path":{%q:…}}`, m.name)
		}
		return nil, wrong(field, "%s", unknownOperator(m.name, "$", []string{"$and", "$or"}))
	}
	var steps []step
	for _, key := range strings.Split(m.name, ".") {
		steps = append(steps, step{key, -1})
	}
	if len(steps) > maxSteps {
		return nil, wrong(field, "the path has %d keys: want at most %d", len(steps), maxSteps)
	}
	n := c.paths.add(steps)
	operands, ok := m.value.(object)
	if !ok {
		operands = object{{"$eq", m.value}}
	}
	if len(operands) == 0 {
		return nil, wrong(field, `no operator: write one, such as {"$exists":true}`)
	}
	var nodes []node
	for _, o := range operands {
		compile, ok := ruleOperators[o.name]
		if !ok {
			return nil, wrong(field+"."+o.name, "%s", unknownOperator(o.name, "$", ruleOperatorNames))
		}
		holds, problem := compile(o.value)
		if problem != "" {
			return nil, wrong(field+"."+o.name, "it is %s: %s", typeOf(o.value), problem)
		}
		text := readable(m.name + " " + o.name + " " + canonical(o.value, false))
		nodes = append(nodes, &rule{n, holds, &said{m.name, text}})
	}
	return allOf(nodes), nil
}

// group compiles what $and and $or list.
func (c *compiler) group(field string, m member) (node, error) {
	list, ok := m.value.([]any)
	if !ok || len(list) == 0 {
		return nil, wrong(field, `it is %s: write an array of rules, such as [{"currency":"eur"}]`, typeOf(m.value))
	}
	var nodes []node
	for i, v := range list {
		n, err := c.rules(nth(field, i), v)
		if err != nil {
			return nil, err
		}
		nodes = append(nodes, n)
	}
	if m.name == "$or" {
		return anyOf(nodes), nil
	}
	return allOf(nodes), nil
}

// rule is an operator that is asked of the value at path n.
type rule struct {
	n     int32
	holds func(*found) bool // of nil if there is none
	said  *said
}

// said is how something was written, to explain it.
type said struct{ name, text string }

func (r *rule) eval(in input) verdict {
	if in.doc == nil {
		return unknown
	}
	return is(in.doc.valid() && r.holds(in.doc.one(r.n)))
}

func (r *rule) explain(in input, want bool) []Miss {
	return missed(r, in, want, func() string { return in.doc.got(r.n, r.said.name) })
}

func (r *rule) hint() hints    { return hints{body: true, terms: 1} }
func (r *rule) String() string { return r.said.text }

// got says what a body in JSON has at path n.
func (d *document) got(n int32, name string) string {
	switch {
	case len(d.body) == 0:
		return "no body"
	case !d.valid():
		return "the body is not valid JSON"
	}
	f := d.one(n)
	if f == nil {
		return isWhat(name)
	}
	return name + " is " + clip(f.raw, maxGot)
}

// ruleOperators make a test of their operand, or say what that should be. What
// is not there is nil, and passes none of them but $exists.
var ruleOperators = map[string]func(operand any) (holds func(*found) bool, problem string){
	"$eq": func(o any) (func(*found) bool, string) {
		want := shared(canonical(o, false))
		return func(f *found) bool { return f != nil && f.canonical(false) == want }, ""
	},
	"$ne": func(o any) (func(*found) bool, string) {
		want := shared(canonical(o, false))
		return func(f *found) bool { return f != nil && f.canonical(false) != want }, ""
	},
	"$gt":       ordered(func(c int) bool { return c > 0 }),
	"$gte":      ordered(func(c int) bool { return c >= 0 }),
	"$lt":       ordered(func(c int) bool { return c < 0 }),
	"$lte":      ordered(func(c int) bool { return c <= 0 }),
	"$in":       listed(true),
	"$nin":      listed(false),
	"$contains": holding,
	"$exists": func(o any) (func(*found) bool, string) {
		want, ok := o.(bool)
		if !ok {
			return nil, "write true or false"
		}
		return func(f *found) bool { return (f != nil) == want }, ""
	},
}

var ruleOperatorNames = slices.Sorted(maps.Keys(ruleOperators))

// ordered compares numbers with numbers and strings with strings, byte by byte.
func ordered(ok func(c int) bool) func(any) (func(*found) bool, string) {
	return func(o any) (func(*found) bool, string) {
		switch o := o.(type) {
		case number:
			than := float(string(o))
			return func(f *found) bool {
				if f == nil {
					return false
				}
				n, is := f.float()
				return is && ok(cmp.Compare(n, than))
			}, ""
		case string:
			return func(f *found) bool {
				if f == nil || f.kind() != '"' {
					return false
				}
				s, is := f.string()
				return is && ok(strings.Compare(s, o))
			}, ""
		}
		return nil, "write a number or a string"
	}
}

func listed(want bool) func(any) (func(*found) bool, string) {
	return func(o any) (func(*found) bool, string) {
		list, ok := o.([]any)
		if !ok {
			return nil, "write an array"
		}
		in := make(map[string]bool)
		for _, v := range list {
			in[canonical(v, false)] = true
		}
		return func(f *found) bool { return f != nil && in[f.canonical(false)] == want }, ""
	}
}

// holding is $contains: an element of an array, or a part of a string.
func holding(o any) (func(*found) bool, string) {
	element := shared(canonical(o, false))
	part, isString := o.(string)
	return func(f *found) bool {
		if f == nil {
			return false
		}
		switch f.kind() {
		case '[':
			return f.has(element)
		case '"':
			s, ok := f.string()
			return ok && isString && strings.Contains(s, part)
		}
		return false
	}, ""
}

// typeOf names what a value is, for an error.
func typeOf(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case bool:
		return fmt.Sprint(v)
	case number:
		return "a number"
	case string:
		return "a string"
	case []any:
		if len(v) == 0 {
			return "an empty array"
		}
		return "an array"
	}
	return "an object"
}
