package provider

import (
	"strings"
	"sync"
)

// The table's columns are written in a small language. A column is a list of
// alternatives, the first that holds counts; an alternative is one term, or
// several joined by + that must all be there.
//
//	Stripe-Signature   a header that is not empty (:method is the method)
//	.data.id           a member of the JSON body or the field of a form; in an
//	                   array .0 is the first element; JSON in a form's field
//	                   is looked into
//	?hub.mode          a parameter of the query
//	!update_id         the name of the first top-level member that is none of
//	                   these, parted by commas
//	=verification      the word itself
//
// Behind the first three, =word asks for this value (in any case), ^word for
// one that begins with it, and #32 for one of 32 hexadecimal digits.
type term struct {
	from byte     // first character of the term; 0 for a header
	name string   // of the header; or the path or word
	slot int      // where request has the header or the top-level member
	path []string // below that member; or the names behind !
	op   byte     // '=', '^', '#', or 0: there is one
	want string
}

// A column is a list of alternatives.
type column [][]term

// slots numbers the names that the table asks for, so that a request is read
// only once.
type slots map[string]int

func (s slots) of(name string) int {
	n, ok := s[name]
	if !ok {
		n = len(s)
		s[name] = n
	}
	return n
}

// Filled by prepare.
var (
	headerSlots = slots{}
	memberSlots = slots{}
	rows        []compiled
	guesses     compiled
)

// prepare compiles the table when it is first asked: most commands never do.
var prepare = sync.OnceFunc(func() { rows, guesses = compile(table), compile(generic)[0] })

type compiled struct {
	name                   string
	known, typ, id, signed column
}

func compile(table []row) []compiled {
	out := make([]compiled, 0, len(table))
	for _, r := range table {
		out = append(out, compiled{r.name, parse(r.known), parse(r.typ), parse(r.id), parse(r.signed)})
	}
	return out
}

func parse(text string) (c column) {
	for alternative := range strings.FieldsSeq(text) {
		var all []term
		for t := range strings.SplitSeq(alternative, "+") {
			all = append(all, parseTerm(t))
		}
		c = append(c, all)
	}
	return c
}

func parseTerm(s string) (t term) {
	if strings.IndexByte(".?!=", s[0]) >= 0 {
		t.from, s = s[0], s[1:]
	}
	if i := strings.IndexAny(s, "=^#"); i >= 0 && t.from != '=' {
		s, t.op, t.want = s[:i], s[i], s[i+1:]
	}
	t.name = s
	switch t.from {
	case 0:
		t.slot = headerSlots.of(strings.ToLower(s))
	case '!':
		t.path = strings.Split(s, ",")
	case '.':
		t.path = strings.Split(s, ".")
		t.slot, t.path = memberSlots.of(t.path[0]), t.path[1:]
	}
	return t
}
