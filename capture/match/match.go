package match

import (
	"slices"
	"time"

	"code.hooktape.dev/hooktape/capture"
)

// Predicate is a compiled text, or what an endpoint subscribes to. The zero
// Predicate matches everything.
type Predicate struct {
	root  node // nil matches everything
	hints hints
	paths *paths
}

// Parse compiles text; the error is a *SyntaxError.
func Parse(text string) (*Predicate, error) { return ParseAt(text, time.Now()) }

// ParseAt is Parse at another time: what since: and before: count from, in
// whose location dates and times of day are.
func ParseAt(text string, now time.Time) (*Predicate, error) {
	p := parser{text: text, now: now, paths: new(paths)}
	root, err := p.parse()
	if err != nil {
		return nil, err
	}
	return compiled(root, p.paths), nil
}

func compiled(root node, paths *paths) *Predicate {
	if root == nil {
		return &Predicate{}
	}
	h := root.hint()
	for i, e := range h.exact {
		h.exact[i].Values = slices.Compact(slices.Sorted(slices.Values(e.Values)))
	}
	return &Predicate{root, h, paths}
}

// Subject is what a predicate is asked about.
type Subject struct {
	Row *capture.Row
	// Body gives the event's body; nil stands for none. It is called at most
	// once in a Match, and only if the row alone does not decide it. The bytes
	// must not change until Match returns.
	Body func() []byte
}

// Match reports whether the predicate matches s.
func (p *Predicate) Match(s Subject) bool {
	if p.root == nil {
		return true
	}
	in := input{row: s.row()}
	v := p.root.eval(in)
	if v == unknown {
		in.doc = open(s.body(), p.paths)
		v = p.root.eval(in)
		in.doc.close()
	}
	return v == yes
}

func (s Subject) row() *capture.Row {
	if s.Row == nil {
		return &noRow
	}
	return s.Row
}

func (s Subject) body() []byte {
	if s.Body == nil {
		return nil
	}
	return s.Body()
}

var noRow capture.Row

// Explain says why the predicate does not match s: nothing if it does. Of
// terms that must all match it lists each that does not, of alternatives one
// for each.
func (p *Predicate) Explain(s Subject) []Miss {
	if p.root == nil {
		return nil
	}
	var body []byte
	if p.hints.body {
		body = s.body()
	}
	in := input{s.row(), open(body, p.paths)}
	defer in.doc.close()
	return p.root.explain(in, true)
}

// String is a text that parses to an equivalent predicate. Times in it are
// absolute.
func (p *Predicate) String() string {
	if p.root == nil {
		return ""
	}
	return p.root.String()
}

// NeedsBody reports whether Match may ask for the body.
func (p *Predicate) NeedsBody() bool { return p.hints.body }

// Terms is how many terms the predicate has.
func (p *Predicate) Terms() int { return p.hints.terms }

// Since is a bound for readers of an ordered store: every match was received
// at or after it. It is zero if there is none.
func (p *Predicate) Since() time.Time { return p.hints.since }

// Exact lists what every match satisfies, all of it, for readers of an index.
// An event that satisfies it may still not match.
func (p *Predicate) Exact() []Exact { return p.hints.exact }

// Exact says that the field's stored value is one of Values.
//
// Fields "app", "type", "provider" and "method" match in either case, so their
// Values are in lower case, and an index must keep strings.ToLower of the
// stored value. Those of "state" are values of capture.State (Captured is ""),
// those of "status" decimal codes, and "pinned" has the one value "true".
type Exact struct {
	Field  string
	Values []string
}

// input is a Subject while it is looked at.
type input struct {
	row *capture.Row
	doc *document // nil: the body was not read, and asking for it may change an unknown verdict
}
