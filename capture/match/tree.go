package match

import (
	"slices"
	"strings"
	"time"
)

// node is a part of a predicate. Terms of this language are one kind of leaf;
// a leaf with other semantics needs the same four methods and no more.
type node interface {
	eval(input) verdict
	// explain lists what keeps eval from the wanted result; none if nothing
	// does. The body is read.
	explain(in input, want bool) []Miss
	hint() hints
	// String is parseable text, without parentheses around it.
	String() string
}

// verdict is ordered: "and" takes the least, "or" the greatest.
type verdict int8

const (
	no      verdict = -1
	unknown verdict = 0 // depends on the body, which was not read
	yes     verdict = 1
)

func is(b bool) verdict {
	if b {
		return yes
	}
	return no
}

// hints are what is known of a node before it is evaluated.
type hints struct {
	exact []Exact
	since time.Time
	body  bool
	terms int
}

// term is a leaf: one condition as a person typed it.
type term struct {
	text  string
	test  func(input) verdict
	got   func(input) string // what was there instead
	hints hints
}

func (t *term) eval(in input) verdict { return t.test(in) }
func (t *term) hint() hints           { return t.hints }
func (t *term) String() string        { return t.text }

type not struct{ node }

func (n not) eval(in input) verdict              { return -n.node.eval(in) }
func (n not) explain(in input, want bool) []Miss { return n.node.explain(in, !want) }

func (n not) hint() hints {
	h := n.node.hint()
	return hints{body: h.body, terms: h.terms}
}

func (n not) String() string { return "!" + group(n.node, true) }

// and has two kids at least, as has or.
type and []node

func (n and) eval(in input) verdict {
	v := yes
	for _, kid := range n {
		if v = min(v, kid.eval(in)); v == no {
			break
		}
	}
	return v
}

func (n and) explain(in input, want bool) []Miss { return explain(n, in, want, want) }

func (n and) hint() hints {
	var all hints
	for _, kid := range n {
		h := kid.hint()
		all.exact = append(all.exact, h.exact...)
		if h.since.After(all.since) {
			all.since = h.since
		}
		all.body = all.body || h.body
		all.terms += h.terms
	}
	return all
}

func (n and) String() string {
	var parts []string
	for _, kid := range n {
		parts = append(parts, group(kid, false))
	}
	return strings.Join(parts, " ")
}

type or []node

func (n or) eval(in input) verdict {
	v := no
	for _, kid := range n {
		if v = max(v, kid.eval(in)); v == yes {
			break
		}
	}
	return v
}

func (n or) explain(in input, want bool) []Miss { return explain(n, in, want, !want) }

func (n or) hint() hints {
	all := n[0].hint()
	for _, kid := range n[1:] {
		h := kid.hint()
		var both []Exact
		for _, e := range all.exact {
			i := slices.IndexFunc(h.exact, func(k Exact) bool { return k.Field == e.Field })
			if i >= 0 {
				both = append(both, Exact{e.Field, slices.Concat(e.Values, h.exact[i].Values)})
			}
		}
		all.exact = both
		if h.since.Before(all.since) {
			all.since = h.since
		}
		all.body = all.body || h.body
		all.terms += h.terms
	}
	return all
}

func (n or) String() string {
	var parts []string
	for _, kid := range n {
		parts = append(parts, kid.String())
	}
	return strings.Join(parts, " or ")
}

// group is a node's text as part of a tighter binding one.
func group(n node, tight bool) string {
	_, isOr := n.(or)
	_, isAnd := n.(and)
	if isOr || isAnd && tight {
		return "(" + n.String() + ")"
	}
	return n.String()
}

// explain lists the misses of kids: of all of them, or, where one kid without
// a miss is enough, the first of each.
func explain(kids []node, in input, want, all bool) []Miss {
	var misses []Miss
	for _, kid := range kids {
		m := kid.explain(in, want)
		if all {
			misses = append(misses, m...)
			continue
		}
		if len(m) == 0 {
			return nil
		}
		misses = append(misses, m[0])
	}
	return misses
}
