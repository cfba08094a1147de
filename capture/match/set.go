package match

import (
	"slices"
	"strings"
)

// Set is many predicates that are asked at once, such as those of an app's
// endpoints. What they look at is looked up once, and those that name types are
// asked about no other events. It is never changed and safe for concurrent use.
// The zero Set has no predicates.
type Set struct {
	all    []candidate
	byType map[string][]int32 // those that match no other types, by their lower case
	rest   []int32

	// What is looked at for every event lies close together.
	nodes   []asked // those of a predicate must all match
	numbers []int32 // of a predicate's paths, in the set's
	paths   paths
}

// asked is what a Set needs of a node.
type asked interface{ eval(input) verdict }

// test is a term without what explains it.
type test func(input) verdict

func (t test) eval(in input) verdict { return t(in) }

// candidate is where a predicate's nodes and numbers are.
type candidate struct{ from, to, numbers int32 }

// NewSet makes a set of ps.
func NewSet(ps []*Predicate) *Set {
	s := &Set{byType: make(map[string][]int32)}
	seen := make(map[any]asked)
	for i, p := range ps {
		c := candidate{from: int32(len(s.nodes)), numbers: int32(len(s.numbers))}
		all, ok := p.root.(and)
		if !ok && p.root != nil {
			all = and{p.root}
		}
		for _, n := range all {
			s.nodes = append(s.nodes, known(seen, n))
		}
		if p.paths != nil {
			for _, steps := range p.paths.all {
				s.numbers = append(s.numbers, s.paths.add(steps))
			}
		}
		c.to = int32(len(s.nodes))
		s.all = append(s.all, c)
		types := p.types()
		if types == nil {
			s.rest = append(s.rest, int32(i))
		}
		for _, t := range types {
			s.byType[t] = append(s.byType[t], int32(i))
		}
	}
	return s
}

// known is the first that was seen of leaves that ask the same of a row:
// thousands name one type.
func known(seen map[any]asked, n node) asked {
	var key any
	var leaf asked = n
	switch n := n.(type) {
	case *name:
		key = [3]any{n.field, n.pattern, n.parts != nil}
	case *term:
		if leaf = test(n.test); n.hints.body {
			return leaf
		}
		key = n.text
	default:
		return leaf
	}
	if seen[key] == nil {
		seen[key] = leaf
	}
	return seen[key]
}

// types are the only ones that p may match, nil: any.
func (p *Predicate) types() []string {
	i := slices.IndexFunc(p.hints.exact, func(e Exact) bool { return e.Field == "type" })
	if i < 0 {
		return nil
	}
	return p.hints.exact[i].Values
}

// Match is which of the predicates match subject: their places in what NewSet
// was given, in ascending order.
func (s *Set) Match(subject Subject) []int {
	var matched []int
	in := input{row: subject.row()}
	named, rest := s.byType[strings.ToLower(in.row.Type)], s.rest
	for len(named) > 0 || len(rest) > 0 {
		from := &named
		if len(named) == 0 || len(rest) > 0 && rest[0] < named[0] {
			from = &rest
		}
		i := (*from)[0]
		*from = (*from)[1:]
		if s.match(s.all[i], &in, subject) {
			matched = append(matched, int(i))
		}
	}
	if in.doc != nil {
		in.doc.close()
	}
	return matched
}

// match reads the body for the first that asks for it.
func (s *Set) match(c candidate, in *input, subject Subject) bool {
	all := s.nodes[c.from:c.to]
	if in.doc != nil {
		in.doc.numbers = s.numbers[c.numbers:]
	}
	v := evalAll(all, *in)
	if v == unknown {
		in.doc = open(subject.body(), &s.paths)
		in.doc.numbers = s.numbers[c.numbers:]
		v = evalAll(all, *in)
	}
	return v == yes
}

func evalAll(all []asked, in input) verdict {
	v := yes
	for _, n := range all {
		if v = min(v, n.eval(in)); v == no {
			break
		}
	}
	return v
}
