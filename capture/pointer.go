package capture

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"strconv"
	"strings"
)

// Pointer names a value in a JSON document (RFC 6901): "" is all of it,
// /a/0/b~1c the member "b/c" of the first element of the member a.
//
// Its methods look at no more of a document than they must. Of one that is no
// JSON they may find what stands before its mistake, and what they make of it
// is no JSON either.
type Pointer string

// Read is the value that p names in doc, as it is written there. It is false
// where there is none.
func (p Pointer) Read(doc []byte) (value json.RawMessage, ok bool) {
	v, _, err := p.find(doc)
	if err != nil {
		return nil, false
	}
	return doc[v.start:v.end], true
}

// Set is doc with value where p points to, and every other byte as it was. A
// member that is not there is added to its object, and so is an element behind
// the last of an array, also called "-". The error is a *PointerError where
// that cannot be done.
func (p Pointer) Set(doc []byte, value json.RawMessage) ([]byte, error) {
	if !json.Valid(value) {
		return nil, &PointerError{Pointer: p, Problem: "the value is no JSON"}
	}
	value = bytes.TrimSpace(value)
	v, rest, err := p.find(doc)
	if err == nil {
		return splice(doc, v, value), nil
	}
	in, n := doc[v.start:v.end], 0
	if len(rest) != 1 || len(in) < 2 || in[0] != '{' && in[0] != '[' || in[len(in)-1] != in[0]+2 { // } and ] are two behind { and [
		return nil, err
	}
	for range below(in) {
		n++
	}
	if in[0] == '[' && rest[0] != "-" && rest[0] != strconv.Itoa(n) {
		return nil, err
	}
	var more []byte
	if n > 0 {
		more = append(more, ',')
	}
	if in[0] == '{' {
		name, err := json.Marshal(rest[0])
		if err != nil {
			return nil, err
		}
		more = append(append(more, name...), ':')
	}
	end := v.start + len(bytes.TrimRight(in[:len(in)-1], " \t\r\n"))
	return splice(doc, span{end, end}, append(more, value...)), nil
}

// Near is the pointer to what is there that p may have been meant to be: the same
// up to the first name that is not there, and from then on as far as the names
// are alike. "" if p names something, or nothing like it is there.
func (p Pointer) Near(doc []byte) (near Pointer) {
	at, rest, err := p.find(doc)
	var wrong *PointerError
	if !errors.As(err, &wrong) || len(rest) == 0 {
		return ""
	}
	near = wrong.Within
	doc = doc[at.start:at.end]
	for _, name := range rest {
		values := make(map[string]span)
		var names []string
		for m := range below(doc) {
			if m.quoted != nil {
				names = append(names, m.name())
				values[m.name()] = m.value
			}
		}
		like := name
		if _, there := values[name]; !there {
			like = Nearest(name, names)
		}
		v, there := values[like]
		if !there {
			return ""
		}
		near += "/" + Pointer(escaper.Replace(like))
		doc = doc[v.start:v.end]
	}
	return near
}

// PointerError says why a document has nothing where a Pointer points to.
type PointerError struct {
	Pointer Pointer
	Problem string
	// Within is how far it leads: the longest beginning that names something.
	Within Pointer
}

func (e *PointerError) Error() string { return fmt.Sprintf("%s: %s", e.Pointer, e.Problem) }

var (
	escaper   = strings.NewReplacer("~", "~0", "/", "~1")
	unescaper = strings.NewReplacer("~1", "/", "~0", "~")
)

func (p Pointer) tokens() []string {
	if p == "" {
		return nil
	}
	tokens := strings.Split(string(p[1:]), "/")
	for i := range tokens {
		tokens[i] = unescaper.Replace(tokens[i])
	}
	return tokens
}

// span is where a value stands in a document.
type span struct{ start, end int }

func splice(doc []byte, at span, value []byte) []byte {
	out := make([]byte, 0, len(doc)-(at.end-at.start)+len(value))
	return append(append(append(out, doc[:at.start]...), value...), doc[at.end:]...)
}

// find is where p points to; else the deepest value on its way that is there,
// and the names that lead on from it.
func (p Pointer) find(doc []byte) (at span, rest []string, err error) {
	at.start = space(doc, 0)
	at.end = skip(doc, at.start)
	switch {
	case at.end == at.start:
		return at, nil, &PointerError{Pointer: p, Problem: "the document is no JSON"}
	case p != "" && p[0] != '/':
		return at, nil, &PointerError{Pointer: p, Problem: "want a JSON Pointer, such as /data/object/id"}
	}
	tokens := p.tokens()
	var within Pointer
	for i, name := range tokens {
		next, found := span{}, false
		for m := range below(doc[at.start:at.end]) {
			if m.is(name) { // of a name that is there twice the last counts
				next, found = span{at.start + m.value.start, at.start + m.value.end}, true
			}
		}
		if !found {
			where := cmp.Or(string(within), "the document")
			problem := fmt.Sprintf("there is no %q in %s", name, where)
			if c := doc[at.start]; c != '{' && c != '[' {
				problem = where + " is no object and no array"
			}
			return at, tokens[i:], &PointerError{Pointer: p, Within: within, Problem: problem}
		}
		at = next
		within += "/" + Pointer(escaper.Replace(name))
	}
	return at, nil, nil
}

// jsonMember is a member of an object by its name in quotes, or an element of
// an array by its number.
type jsonMember struct {
	quoted []byte // nil: of an array
	number int
	value  span
}

// is compares without making the name.
func (m *jsonMember) is(name string) bool {
	if m.quoted != nil && bytes.IndexByte(m.quoted, '\\') < 0 {
		return string(m.quoted[1:len(m.quoted)-1]) == name
	}
	return m.name() == name
}

func (m *jsonMember) name() string {
	if m.quoted == nil {
		return strconv.Itoa(m.number)
	}
	name := string(m.quoted[1 : len(m.quoted)-1])
	if strings.Contains(name, `\`) && json.Unmarshal(m.quoted, &name) != nil {
		return string(m.quoted)
	}
	return name
}

// below are the members of an object, or the elements of an array, as far as
// doc is JSON.
func below(doc []byte) iter.Seq[jsonMember] {
	return func(yield func(jsonMember) bool) {
		if len(doc) == 0 || doc[0] != '{' && doc[0] != '[' {
			return
		}
		i := space(doc, 1)
		for n := 0; i < len(doc) && doc[i] != '}' && doc[i] != ']'; n++ {
			m := jsonMember{number: n}
			if doc[0] == '{' {
				end := skip(doc, i)
				if doc[i] != '"' || end == i {
					return
				}
				m.quoted = doc[i:end]
				if i = space(doc, end); i == len(doc) || doc[i] != ':' {
					return
				}
				i = space(doc, i+1)
			}
			m.value = span{i, skip(doc, i)}
			if m.value.start == m.value.end || !yield(m) {
				return
			}
			if i = space(doc, m.value.end); i < len(doc) && doc[i] == ',' {
				i = space(doc, i+1)
			}
		}
	}
}

// skip is where the value that begins at doc[i] ends; i itself where none does.
func skip(doc []byte, i int) int {
	begin, depth := i, 0
	for i < len(doc) {
		switch c := doc[i]; c {
		case '"':
			if i = endOfString(doc, i); i < 0 {
				return begin
			}
		case '{', '[':
			depth++
			i++
		case '}', ']':
			if depth == 0 {
				return begin
			}
			depth--
			i++
		case ' ', '\t', '\r', '\n', ',', ':':
			if depth == 0 {
				return begin
			}
			i++
			continue
		default: // a number or a word
			for i < len(doc) && !endsWord[doc[i]] {
				i++
			}
		}
		if depth == 0 {
			return i
		}
	}
	return begin
}

// endOfString is where the string that begins at doc[i] has ended; -1: it does
// not.
func endOfString(doc []byte, i int) int {
	for i++; i < len(doc); i++ {
		n := bytes.IndexByte(doc[i:], '"')
		if n < 0 {
			return -1
		}
		escapes := 0
		for j := i + n - 1; j >= i && doc[j] == '\\'; j-- {
			escapes++
		}
		if i += n; escapes%2 == 0 {
			return i + 1
		}
	}
	return -1
}

// endsWord are the bytes that a number or a word ends before.
var endsWord = [256]bool{' ': true, '\t': true, '\r': true, '\n': true, ',': true, ':': true, ']': true, '}': true, '[': true, '{': true, '"': true}

func space(doc []byte, i int) int {
	for i < len(doc) && (doc[i] == ' ' || doc[i] == '\t' || doc[i] == '\r' || doc[i] == '\n') {
		i++
	}
	return i
}
