package match

import (
	"encoding/json"
	"sync"
	"unsafe"

	"code.hooktape.dev/hooktape/capture"
)

// document is a body while it is looked at, and what predicates that look at
// it share: it is read, checked and taken apart once, when first asked for.
type document struct {
	body    []byte
	text    string // the same bytes; they must not outlive the document
	json    bool   // they begin as an object or array does
	paths   *paths
	numbers []int32 // by what the predicate calls a path: the number in paths; nil: the same

	state  verdict // whether body is JSON; unknown: not asked yet
	walked bool
	places []place // by the number of a branch
	spots  []spot  // by the number of a path
	found  []found // of all spots
	levels []level
	active []*branch // by level, and of these the ones that the value read now may be on
}

// place is where the latest value of a branch is: it begins before begin, so
// that 0 is nowhere.
type place struct{ begin, end int }

// level is an object or array that is being read because of the branches that
// are active from there.
type level struct {
	from  int
	index int // the next in an array; -1: it is an object
}

// spot is which of the found are at a path, once that is known.
type spot struct {
	known    bool
	from, to int32
}

var documents = sync.Pool{New: func() any { return new(document) }}

// open begins to look at a body. It must be closed.
func open(body []byte, p *paths) *document {
	d := documents.Get().(*document)
	d.body, d.paths = body, p
	d.text = unsafe.String(unsafe.SliceData(body), len(body))
	d.json = isJSON(d.text)
	d.places = resized(d.places, len(p.up))
	d.spots = resized(d.spots, len(p.ends))
	return d
}

// close gives d back, and nothing of the body with it.
func (d *document) close() {
	clear(d.places)
	clear(d.spots)
	clear(d.found)
	d.body, d.text, d.paths, d.numbers = nil, "", nil, nil
	d.state, d.walked = unknown, false
	d.found, d.levels, d.active = d.found[:0], d.levels[:0], d.active[:0]
	documents.Put(d)
}

// resized is s, all of it zero, with n elements.
func resized[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}

// valid reports whether the body is JSON.
func (d *document) valid() bool {
	if d.state == unknown {
		d.check()
	}
	return d.state == yes
}

func (d *document) check() { d.state = is(json.Valid(d.body)) }

// at is what the body has at path n: nothing, a value in JSON, or some in a
// form. What it finds in JSON holds only if the body is valid.
func (d *document) at(n int32, form *bodyPath, row *capture.Row) []found {
	if d.numbers != nil {
		n = d.numbers[n]
	}
	s := &d.spots[n]
	if !s.known {
		d.find(s, n, form, row)
	}
	return d.found[s.from:s.to]
}

func (d *document) find(s *spot, n int32, form *bodyPath, row *capture.Row) {
	s.known, s.from = true, int32(len(d.found))
	if d.json {
		d.member(n)
	} else if isForm(row) {
		d.field(form)
	}
	s.to = int32(len(d.found))
}

// one is the value at path n of a body in JSON, nil if there is none.
func (d *document) one(n int32) *found {
	if !d.json {
		return nil
	}
	if at := d.at(n, nil, nil); len(at) > 0 {
		return &at[0]
	}
	return nil
}

// member finds the value at path n of a body in JSON.
func (d *document) member(n int32) {
	if !d.walked {
		d.walked = true
		d.walk()
	}
	end := d.paths.ends[n]
	at := d.places[end]
	if at.begin == 0 || at.end < at.begin { // it is not there, or does not end
		return
	}
	// Of a key that is there twice only what is in the last counts.
	for b := d.paths.up[end]; b != 0; b = d.paths.up[b] {
		if d.places[b].begin > at.begin {
			return
		}
	}
	d.found = append(d.found, found{raw: d.text[at.begin-1 : at.end]})
}

// walk notes the places of all branches. It goes through the text once, and
// takes what is not JSON for whatever it looks like.
func (d *document) walk() {
	d.active = append(d.active, &d.paths.root)
	for i := d.enter(skipSpace(d.text, 0), 0); len(d.levels) > 0; {
		if i = skipSpace(d.text, i); i >= len(d.text) {
			return
		}
		switch d.text[i] {
		case ',':
			i++
			continue
		case '}', ']':
			i++
			last := len(d.levels) - 1
			d.leave(i, d.levels[last].from)
			d.levels = d.levels[:last]
			continue
		}
		l := &d.levels[len(d.levels)-1]
		mark := len(d.active)
		if l.index >= 0 {
			for _, b := range d.active[l.from:mark] {
				d.index(b, l.index)
			}
			l.index++
		} else {
			end := skipValue(d.text, i)
			if key, ok := unquoted(d.text[i:end]); ok {
				for _, b := range d.active[l.from:mark] {
					d.key(b, key)
				}
			}
			if i = skipSpace(d.text, end); i >= len(d.text) || d.text[i] != ':' {
				return
			}
			i = skipSpace(d.text, i+1)
		}
		if len(d.active) == mark {
			i = skipValue(d.text, i)
		} else {
			i = d.enter(i, mark)
		}
	}
}

// enter begins to read the value at i, where the branches are that are active
// from mark: up to its first member, or all of it if they lead no further.
func (d *document) enter(i, mark int) (next int) {
	l := level{mark, -1}
	deeper := false
	for _, b := range d.active[mark:] {
		d.places[b.number].begin = i + 1
		switch {
		case b.kids == nil || i >= len(d.text):
		case d.text[i] == '{':
			deeper = true
		case d.text[i] == '[' && b.indexed:
			deeper, l.index = true, 0
		}
	}
	if deeper {
		d.levels = append(d.levels, l)
		return i + 1
	}
	end := skipValue(d.text, i)
	d.leave(end, mark)
	return end
}

// leave ends the value of the branches that are active from mark.
func (d *document) leave(end, mark int) {
	for _, b := range d.active[mark:] {
		d.places[b.number].end = end
	}
	d.active = d.active[:mark]
}

// key makes the kids of b active that are called key.
func (d *document) key(b *branch, key string) {
	if b.keys != nil {
		d.active = append(d.active, b.keys[key]...)
		return
	}
	for _, k := range b.kids {
		if k.key == key {
			d.active = append(d.active, k)
		}
	}
}

// index makes the kid of b active that is the nth.
func (d *document) index(b *branch, n int) {
	if b.indexes != nil {
		if k := b.indexes[n]; k != nil {
			d.active = append(d.active, k)
		}
		return
	}
	for _, k := range b.kids {
		if k.index == n {
			d.active = append(d.active, k)
		}
	}
}

// field finds the values that a path has in a form.
func (d *document) field(p *bodyPath) {
	for name, value := range pairs(d.text) {
		if name == p.dotted || name == p.square {
			d.found = append(d.found, found{raw: value, form: true})
		}
		if len(p.steps) > 1 && name == p.steps[0].key {
			within := open([]byte(value), p.rest)
			if within.member(0); len(within.found) > 0 && within.valid() {
				d.found = append(d.found, found{raw: within.found[0].raw})
			}
			within.close()
		}
	}
}
