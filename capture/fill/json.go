package fill

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// Document is a JSON document whose strings may hold templates, parsed. It is
// safe for concurrent use.
type Document struct {
	doc   []byte
	holes []hole
}

// hole is a string that a template fills.
type hole struct {
	begin, end int
	t          *Template
}

// ParseJSON parses the templates in the strings of a JSON document that are
// values. The error is a *SyntaxError or ErrTooLong, wrapped, or says that doc
// is no JSON. The Document keeps doc, which must not change.
func ParseJSON(doc []byte) (*Document, error) {
	if !json.Valid(doc) {
		return nil, errors.New("fill: the document is no JSON")
	}
	if len(doc) > maxOutput {
		return nil, tooLong("the document", maxOutput)
	}
	d, exprs := &Document{doc: doc}, 0
	for i := 0; i < len(doc); i++ {
		if doc[i] != '"' {
			continue
		}
		begin := i
		i = endOfString(doc, i)
		t, err := inString(doc[begin:i+1], doc[i+1:])
		if err != nil {
			return nil, fmt.Errorf("the string at byte %d: %w", begin, err)
		}
		if t == nil {
			continue
		}
		if exprs += t.exprs(); exprs > maxExprs {
			return nil, fmt.Errorf("the string at byte %d: %w of %d expressions", begin, ErrTooLong, maxExprs)
		}
		d.holes = append(d.holes, hole{begin, i + 1, t})
	}
	return d, nil
}

// Fill is the document with its templates filled in, and every other byte as
// it is. The error is ErrTooLong, wrapped. A nil Source is a zero one.
func (d *Document) Fill(s *Source) ([]byte, error) {
	f := newFilling(s)
	out := make([]byte, 0, len(d.doc)+64*len(d.holes))
	copied, nested := 0, false
	for _, h := range d.holes {
		v, err := f.whole(h.t)
		if err != nil {
			return nil, fmt.Errorf("the string at byte %d: %w", h.begin, err)
		}
		filled := v.json()
		nested = nested || strings.HasPrefix(filled, "{") || strings.HasPrefix(filled, "[")
		out = append(append(out, d.doc[copied:h.begin]...), filled...)
		if copied = h.end; len(out) > maxOutput {
			return nil, tooLong("the filled document", maxOutput)
		}
	}
	if out = append(out, d.doc[copied:]...); len(out) > maxOutput {
		return nil, tooLong("the filled document", maxOutput)
	}
	if nested && !json.Valid(out) {
		return nil, fmt.Errorf("fill: the filled document is nested too deep: %w", ErrTooLong)
	}
	return out, nil
}

// JSON is ParseJSON and Fill.
func JSON(doc []byte, s *Source) ([]byte, error) {
	d, err := ParseJSON(doc)
	if err != nil {
		return nil, err
	}
	return d.Fill(s)
}

// endOfString is where the closing quote is of the string at i, in a valid
// document.
func endOfString(doc []byte, i int) int {
	for i++; doc[i] != '"'; i++ {
		if doc[i] == '\\' {
			i++
		}
	}
	return i
}

// inString is the template in a string, with what follows it; nil for one that
// stays as it is.
func inString(quoted, rest []byte) (*Template, error) {
	if bytes.IndexByte(quoted, '{') < 0 && bytes.IndexByte(quoted, '\\') < 0 {
		return nil, nil
	}
	text := unquoted(quoted)
	name := bytes.HasPrefix(bytes.TrimLeft(rest, " \t\r\n"), []byte(":"))
	if name || !strings.Contains(text, "{{") {
		return nil, nil
	}
	return Parse(text)
}

// whole is the value of a template that is one expression, else its text.
func (f *filling) whole(t *Template) (value, error) {
	if len(t.parts) == 1 {
		return f.value(t.parts[0].expr)
	}
	s, err := f.text(t)
	return textual(s), err
}
