package sign

import (
	"bytes"
	"slices"
	"strings"
)

// deep is how far down members are sorted: each level writes them once more.
const deep = 64

// A rewriter writes a valid JSON document again.
type rewriter struct {
	*style
	doc []byte
	i   int // in doc
	out []byte
}

// space passes the white space that is next, and writes it where it is kept.
func (r *rewriter) space() {
	start := r.i
	for r.i < len(r.doc) && strings.IndexByte(" \t\r\n", r.doc[r.i]) >= 0 {
		r.i++
	}
	if r.keep {
		r.out = append(r.out, r.doc[start:r.i]...)
	}
}

// scalar is the string, number or word that is next.
func (r *rewriter) scalar() []byte {
	start := r.i
	if r.doc[r.i] == '"' {
		for r.i++; r.doc[r.i] != '"'; r.i++ {
			if r.doc[r.i] == '\\' {
				r.i++
			}
		}
		r.i++
		return r.doc[start:r.i]
	}
	for r.i < len(r.doc) && strings.IndexByte(" \t\r\n,:]}", r.doc[r.i]) < 0 {
		r.i++
	}
	return r.doc[start:r.i]
}

func (r *rewriter) value(depth int) {
	switch r.doc[r.i] {
	case '{', '[':
		r.nested(depth)
	case '"':
		r.out = r.text(r.out, r.scalar())
	default:
		r.out = append(r.out, r.scalar()...)
	}
}

// nested writes an object or an array, at the end of which r.i stands then.
func (r *rewriter) nested(depth int) {
	end := byte('}')
	if r.doc[r.i] == '[' {
		end = ']'
	}
	r.out = append(r.out, r.doc[r.i])
	r.i++
	r.space()
	if r.doc[r.i] == end {
		r.i++
		r.out = append(r.out, end)
		return
	}
	sorts := r.sorted && end == '}' && depth < deep
	var members []member
	first := len(r.out)
	for n := 0; ; n++ {
		if n > 0 && !sorts {
			r.out = append(r.out, ',')
		}
		if !sorts {
			r.between(n, depth+1)
		}
		if n > 0 {
			r.space() // behind the comma
		}
		m := member{start: len(r.out)}
		if end == '}' {
			m.name = r.scalar()
			r.out = r.text(r.out, m.name)
			r.space()
			r.i++
			r.out = append(append(r.out, ':'), r.colon...)
			r.space()
		}
		r.value(depth + 1)
		if m.end = len(r.out); sorts {
			members = append(members, m)
		}
		r.space()
		r.i++
		if r.doc[r.i-1] == end {
			break
		}
	}
	if sorts {
		r.sort(first, members, depth+1)
	}
	if r.indent != "" {
		r.between(0, depth)
	}
	r.out = append(r.out, end)
}

// member is a member as it was written.
type member struct {
	name       []byte
	start, end int
}

// between writes what the style has before the nth element.
func (r *rewriter) between(n, depth int) {
	if r.indent != "" && len(r.out) < 4*len(r.doc)+1024 { // beyond, nobody's indented JSON
		r.out = append(r.out, '\n')
		for range depth {
			r.out = append(r.out, r.indent...)
		}
		return
	}
	if n > 0 {
		r.out = append(r.out, r.comma...)
	}
}

// sort puts what was written since first in the order of the names.
func (r *rewriter) sort(first int, members []member, depth int) {
	written := bytes.Clone(r.out[first:])
	slices.SortStableFunc(members, func(a, b member) int { return bytes.Compare(a.name, b.name) })
	r.out = r.out[:first]
	for n, m := range members {
		if n > 0 {
			r.out = append(r.out, ',')
		}
		r.between(n, depth)
		r.out = append(r.out, written[m.start-first:m.end-first]...)
	}
}
