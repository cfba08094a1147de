package match

import (
	"encoding/json"
	"maps"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"

	"code.hooktape.dev/hooktape/capture"
)

// rows are ARK's conditions, as its version 3.9.1 takes them: the first that
// holds is enough, and one that throws before that is the end of it.
type rows []row

type row struct {
	here, deep int32 // paths: the member called key, and where its dots lead; -1: it has none
	check      condition
	said       *said
}

// condition is asked about a value, nil if there is none.
type condition func(a *found) outcome

type outcome int8

const (
	fails outcome = iota
	holds
	throws
)

func holdsIf(b bool) outcome {
	if b {
		return holds
	}
	return fails
}

func (rs rows) eval(in input) verdict {
	if in.doc == nil {
		return unknown
	}
	if !isPayload(in.doc) {
		return no
	}
	for i := range rs {
		if o := rs[i].eval(in.doc); o != fails {
			return is(o == holds)
		}
	}
	return no
}

// isPayload reports whether d is something of which a member can be asked: an
// object or array, or a string, which has none. Of all else every row throws.
func isPayload(d *document) bool {
	return d.valid() && (d.json || d.text[skipSpace(d.text, 0)] == '"')
}

func (r *row) eval(d *document) outcome {
	a := d.one(r.here)
	if a == nil && r.deep >= 0 {
		a = d.one(r.deep)
	}
	return r.check(a)
}

func (rs rows) explain(in input, want bool) []Miss {
	if rs.eval(in) == is(want) {
		return nil
	}
	if !want {
		return []Miss{{readable("!(" + rs.String() + ")"), "one of them holds"}}
	}
	var misses []Miss
	for i := range rs {
		got, o := rs[i].got(in.doc)
		misses = append(misses, Miss{rs[i].said.text, readable(got)})
		if o == throws {
			break
		}
	}
	return misses
}

func (r *row) got(d *document) (string, outcome) {
	n := r.here
	if r.deep >= 0 && d.one(n) == nil {
		n = r.deep
	}
	got, o := d.got(n, r.said.name), throws
	if isPayload(d) {
		o = r.eval(d)
	} else if d.valid() {
		got = "the body is " + clip(d.text, maxGot)
	}
	if o == throws {
		const stops = ", which throws: that stops all rows"
		got = clip(got, maxGot-len(stops)) + stops
	}
	return got, o
}

func (rs rows) hint() hints { return hints{body: true, terms: len(rs)} }

func (rs rows) String() string {
	var all []string
	for i := range rs {
		all = append(all, rs[i].said.text)
	}
	return strings.Join(all, " or ")
}

// rows compiles conditions; field is what they are called.
func (c *compiler) rows(field string, conditions []capture.Condition) (rows, error) {
	if len(conditions) > maxRows {
		return nil, wrong(field, "there are %d: want at most %d", len(conditions), maxRows)
	}
	var rs rows
	for i, cond := range conditions {
		r, err := c.row(nth(field, i), cond)
		if err != nil {
			return nil, err
		}
		rs = append(rs, *r)
	}
	return rs, nil
}

func (c *compiler) row(field string, cond capture.Condition) (*row, error) {
	if cond.Key == "" {
		return nil, wrong(field+".key", "it is empty: name a member of the body, such as fee")
	}
	if len(cond.Key) > maxPattern {
		return nil, wrong(field+".key", "%d bytes: want at most %d", len(cond.Key), maxPattern)
	}
	compile, ok := operators[cond.Condition]
	if !ok {
		return nil, wrong(field+".condition", "%s", unknownOperator(cond.Condition, "", operatorNames))
	}
	var e *found
	if len(cond.Value) > 0 {
		if problem := operandProblem(cond.Value); problem != "" {
			return nil, wrong(field+".value", "%s", problem)
		}
		e = &found{raw: strings.TrimSpace(string(cond.Value))}
	}
	check, problem := compile(c, e)
	if problem != "" {
		return nil, wrong(field+".value", "%s", problem)
	}
	text := cond.Key + " " + cond.Condition
	if e != nil {
		text += " " + e.raw
	}
	r := &row{c.paths.add([]step{newStep(cond.Key)}), -1, check, &said{cond.Key, readable(text)}}
	if keys := strings.Split(cond.Key, "."); len(keys) > 1 {
		var steps []step
		for _, key := range keys {
			steps = append(steps, newStep(key))
		}
		r.deep = c.paths.add(steps)
	}
	return r, nil
}

// operators make a condition of the value in it, nil if there is none, or say
// what is wrong with that.
var operators = map[string]func(c *compiler, e *found) (check condition, problem string){
	"eq":          equal(true),
	"ne":          equal(false),
	"gt":          compared(func(c int) bool { return c > 0 }),
	"gte":         compared(func(c int) bool { return c >= 0 }),
	"lt":          compared(func(c int) bool { return c < 0 }),
	"lte":         compared(func(c int) bool { return c <= 0 }),
	"between":     between(true),
	"not-between": between(false),
	"notBetween":  between(false), // what 3.9.1 understands
	"contains":    contains,
	"regexp":      expression,
	"truthy":      truth(true),
	"falsy":       truth(false),
}

var operatorNames = slices.DeleteFunc(slices.Sorted(maps.Keys(operators)), func(s string) bool { return s == "notBetween" })

// equal compares JSON text: of the same type, in the same order.
func equal(want bool) func(*compiler, *found) (condition, string) {
	written := func(f *found) string {
		if f == nil {
			return ""
		}
		return f.canonical(true)
	}
	return func(_ *compiler, e *found) (condition, string) {
		text := shared(written(e))
		return func(a *found) outcome { return holdsIf((written(a) == text) == want) }, ""
	}
}

// integer is of nothing if there is no value.
func integer(f *found) (decimal, bool) {
	if f == nil {
		return decimal{}, false
	}
	return f.integer()
}

func compared(ok func(c int) bool) func(*compiler, *found) (condition, string) {
	return func(_ *compiler, e *found) (condition, string) {
		than, can := integer(e)
		return func(a *found) outcome {
			n, good := integer(a)
			return holdsIf(can && good && ok(compareDecimals(n, than)))
		}, ""
	}
}

func between(want bool) func(*compiler, *found) (condition, string) {
	return func(_ *compiler, e *found) (condition, string) {
		if e == nil || e.kind() == 'n' {
			return func(*found) outcome { return throws }, ""
		}
		var bounds map[string]json.RawMessage
		_ = json.Unmarshal([]byte(e.raw), &bounds) // what is no object has no bounds
		bound := func(name string) (decimal, bool) {
			raw, ok := bounds[name]
			if !ok {
				return decimal{}, false
			}
			return (&found{raw: string(raw)}).integer()
		}
		lo, hasLo := bound("min")
		hi, hasHi := bound("max")
		return func(a *found) outcome {
			n, ok := integer(a)
			in := ok && hasLo && hasHi && compareDecimals(n, lo) > 0 && compareDecimals(n, hi) < 0
			return holdsIf(in == want)
		}, ""
	}
}

func contains(_ *compiler, e *found) (condition, string) {
	text, element := "undefined", ""
	if e != nil {
		text = e.javascript()
		if k := e.kind(); k != '{' && k != '[' { // no two of those are the same
			element = e.canonical(false)
		}
	}
	return func(a *found) outcome {
		switch {
		case a != nil && a.kind() == '"':
			return holdsIf(strings.Contains(a.javascript(), text))
		case a != nil && a.kind() == '[':
			return holdsIf(a.has(element))
		}
		return throws
	}, ""
}

func truth(want bool) func(*compiler, *found) (condition, string) {
	return func(*compiler, *found) (condition, string) {
		return func(a *found) outcome {
			if a == nil || a.kind() == 'n' {
				return throws
			}
			return holdsIf(a.isTrue() == want)
		}, ""
	}
}

func expression(c *compiler, e *found) (condition, string) {
	text := ""
	if e != nil {
		text = e.javascript()
	}
	if len(text) > maxPattern {
		return nil, "the expression is too long: want at most 1 KiB"
	}
	re, problem := c.expression(text)
	return func(a *found) outcome {
		if a == nil {
			return holdsIf(re.MatchString("undefined"))
		}
		return holdsIf(re.MatchString(a.javascript()))
	}, problem
}

// expression compiles one of JavaScript's.
func (c *compiler) expression(text string) (*regexp.Regexp, string) {
	text, err := translate(text)
	if err != nil {
		return nil, err.Error()
	}
	tree, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		return nil, "regular expression: " + string(err.(*syntax.Error).Code)
	}
	if c.cost += cost(tree); c.cost > maxCost {
		return nil, "the regular expressions of this endpoint are too large: repeat less often"
	}
	re, err := regexp.Compile(text)
	if err != nil {
		return nil, "the regular expression is too large: repeat less often"
	}
	return re, ""
}
