package match

import "strconv"

// found is a value of a body, and what was made of it so far: thousands of
// predicates may ask the same of it.
type found struct {
	raw  string // JSON, but for
	form bool   // a text from a form

	made   made
	failed made // cannot be made

	text    string
	exact   decimal
	whole   decimal
	approx  float64
	js      string
	written [2]string // see canonical
	members map[string]bool
}

// made is a set of what was made of a value.
type made uint16

const (
	madeText made = 1 << iota
	madeExact
	madeWhole
	madeApprox
	madeJS
	madeInOrder
	madeSorted
	madeMembers
)

// first reports whether what was not asked for before.
func (f *found) first(what made) bool {
	again := f.made&what != 0
	f.made |= what
	return !again
}

// keep notes whether it can be made.
func (f *found) keep(what made, ok bool) {
	if !ok {
		f.failed |= what
	}
}

// kind is how the value's JSON begins: " { [ t f n, and 0 for a number.
func (f *found) kind() byte {
	if f.form {
		return '"'
	}
	if c := f.raw[0]; c != '-' && (c < '0' || c > '9') {
		return c
	}
	return '0'
}

// string is the text of a string.
func (f *found) string() (string, bool) {
	if f.form {
		return f.raw, true
	}
	if f.first(madeText) {
		var ok bool
		f.text, ok = unquoted(f.raw)
		f.keep(madeText, ok)
	}
	return f.text, f.failed&madeText == 0
}

// decimal is the number that is there or that a string is, to the last digit.
func (f *found) decimal() (decimal, bool) {
	if f.first(madeExact) {
		s, ok := f.raw, true
		switch f.kind() {
		case '{', '[':
			ok = false
		case '"':
			s, ok = f.string()
		}
		if ok {
			f.exact, ok = parseDecimal(s)
		}
		f.keep(madeExact, ok)
	}
	return f.exact, f.failed&madeExact == 0
}

// float is a number as most readers of JSON have it.
func (f *found) float() (float64, bool) {
	if f.first(madeApprox) {
		f.approx = float(f.raw)
		f.keep(madeApprox, f.kind() == '0')
	}
	return f.approx, f.failed&madeApprox == 0
}

// float is infinite where the number is too large for a float64.
func float(raw string) float64 {
	n, _ := strconv.ParseFloat(raw, 64)
	return n
}

// canonical is the same text for values that are equal in JSON, and another
// for those that are not. Numbers are equal if they are as float64, objects if
// they have the same members: in whatever order, or in the same one.
func (f *found) canonical(order bool) string {
	what, i := madeSorted, 0
	if order {
		what, i = madeInOrder, 1
	}
	if f.first(what) {
		f.written[i] = canonical(decode(f.raw), order)
	}
	return f.written[i]
}

// has reports whether an array has an element of that canonical text.
func (f *found) has(element string) bool {
	if f.first(madeMembers) {
		f.members = make(map[string]bool)
		for _, e := range decode(f.raw).([]any) {
			f.members[canonical(e, false)] = true
		}
	}
	return f.members[element]
}
