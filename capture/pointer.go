package capture

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"iter"
	"strconv"
	"strings"
)

// Pointer names a value in a JSON document (RFC 6901): "" is all of it,
// /a/0/b~1c the member "b/c" of the first element of the member a.
type Pointer string

// Read is the value that p names in doc, as it is written there. It is false
// where there is none, or where doc is no JSON.
func (p Pointer) Read(doc []byte) (value json.RawMessage, ok bool) {
	if !json.Valid(doc) {
		return nil, false
	}
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
	if !json.Valid(doc) {
		return nil, &PointerError{Pointer: p, Problem: "the document is no JSON"}
	}
	if !json.Valid(value) {
		return nil, &PointerError{Pointer: p, Problem: "the value is no JSON"}
	}
	value = bytes.TrimSpace(value)
	v, rest, err := p.find(doc)
	if err == nil {
		return splice(doc, v, value), nil
	}
	if len(rest) != 1 || doc[v.start] != '{' && doc[v.start] != '[' {
		return nil, err
	}
	in, n := doc[v.start:v.end], 0
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

// Pointers are those of all values in doc but itself, in their order and none
// of more than 4 KiB; up to most. Where doc is no JSON there are none.
func Pointers(doc []byte, most int) (all []Pointer) {
	if !json.Valid(doc) {
		return nil
	}
	var walk func(doc []byte, at Pointer)
	walk = func(doc []byte, at Pointer) {
		for _, m := range below(doc) {
			p := at + "/" + Pointer(escaper.Replace(m.name))
			if len(all) >= most || len(p) > 4<<10 {
				return
			}
			all = append(all, p)
			walk(doc[m.value.start:m.value.end], p)
		}
	}
	start := space(doc, 0)
	walk(doc[start:], "")
	return all
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

// find is where p points to in a valid document; else the deepest value on its
// way that is there, and the names that lead on from it.
func (p Pointer) find(doc []byte) (at span, rest []string, err error) {
	at.start = space(doc, 0)
	at.end = skip(doc, at.start)
	if p != "" && p[0] != '/' {
		return at, nil, &PointerError{Pointer: p, Problem: "want a JSON Pointer, such as /data/object/id"}
	}
	tokens := p.tokens()
	var within Pointer
	for i, name := range tokens {
		next, found := span{}, false
		for _, m := range below(doc[at.start:at.end]) {
			if m.name == name { // of a name that is there twice the last counts
				next, found = span{at.start + m.value.start, at.start + m.value.end}, true
			}
		}
		if !found {
			problem := fmt.Sprintf("there is no %q in %s", name, cmp.Or(string(within), "the document"))
			if c := doc[at.start]; c != '{' && c != '[' {
				problem = fmt.Sprintf("%s is no object and no array", cmp.Or(string(within), "the document"))
			}
			return at, tokens[i:], &PointerError{Pointer: p, Within: within, Problem: problem}
		}
		at = next
		within += "/" + Pointer(escaper.Replace(name))
	}
	return at, nil, nil
}

type jsonMember struct {
	name  string
	value span
}

// below are the members of a valid object, or the elements of an array by
// their numbers, each with where it begins.
func below(doc []byte) iter.Seq2[int, jsonMember] {
	return func(yield func(int, jsonMember) bool) {
		if len(doc) == 0 || doc[0] != '{' && doc[0] != '[' {
			return
		}
		i := space(doc, 1)
		for n := 0; doc[i] != '}' && doc[i] != ']'; n++ {
			m, start := jsonMember{name: strconv.Itoa(n)}, i
			if doc[0] == '{' {
				end := skip(doc, i)
				if raw := doc[i+1 : end-1]; bytes.IndexByte(raw, '\\') < 0 {
					m.name = string(raw)
				} else if err := json.Unmarshal(doc[i:end], &m.name); err != nil {
					return
				}
				i = space(doc, space(doc, end)+1)
			}
			m.value = span{i, skip(doc, i)}
			if !yield(start, m) {
				return
			}
			if i = space(doc, m.value.end); doc[i] == ',' {
				i = space(doc, i+1)
			}
		}
	}
}

// skip is where the value that begins at doc[i] ends, in a valid document.
func skip(doc []byte, i int) int {
	for depth := 0; i < len(doc); i++ {
		switch doc[i] {
		case '"':
			for i++; doc[i] != '"'; i++ {
				if doc[i] == '\\' {
					i++
				}
			}
		case '{', '[':
			depth++
			continue
		case '}', ']':
			depth--
		case ' ', '\t', '\r', '\n', ',', ':':
			continue
		default: // a number or a word
			for i+1 < len(doc) && !bytes.ContainsRune([]byte(" \t\r\n,:]}"), rune(doc[i+1])) {
				i++
			}
		}
		if depth == 0 {
			return i + 1
		}
	}
	return len(doc)
}

func space(doc []byte, i int) int {
	for i < len(doc) && (doc[i] == ' ' || doc[i] == '\t' || doc[i] == '\r' || doc[i] == '\n') {
		i++
	}
	return i
}
