package fill

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// JSON fills the strings of a JSON document that are values, and leaves every
// other byte as it is. The error is a *SyntaxError or ErrTooLong, wrapped, or
// says that doc is no JSON. A nil Source is a zero one.
func JSON(doc []byte, s *Source) ([]byte, error) {
	if !json.Valid(doc) {
		return nil, errors.New("fill: the document is no JSON")
	}
	if len(doc) > maxOutput {
		return nil, tooLong("the document", maxOutput)
	}
	f := newFilling(s)
	var out bytes.Buffer
	copied := 0
	for i := 0; i < len(doc); i++ {
		if doc[i] != '"' {
			continue
		}
		begin := i
		i = endOfString(doc, i)
		filled, ok, err := f.jsonString(doc[begin:i+1], doc[i+1:])
		if err != nil {
			return nil, fmt.Errorf("the string at byte %d: %w", begin, err)
		}
		if !ok {
			continue
		}
		out.Write(doc[copied:begin])
		out.WriteString(filled)
		copied = i + 1
		if out.Len() > maxOutput {
			return nil, tooLong("the filled document", maxOutput)
		}
	}
	out.Write(doc[copied:])
	if out.Len() > maxOutput {
		return nil, tooLong("the filled document", maxOutput)
	}
	if !json.Valid(out.Bytes()) {
		return nil, fmt.Errorf("fill: the filled document is nested too deep: %w", ErrTooLong)
	}
	return out.Bytes(), nil
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

// jsonString is what becomes of a string, with what follows it; ok is false
// for one that stays as it is.
func (f *filling) jsonString(quoted, rest []byte) (filled string, ok bool, err error) {
	if bytes.IndexByte(quoted, '{') < 0 && bytes.IndexByte(quoted, '\\') < 0 {
		return "", false, nil
	}
	text := unquoted(quoted)
	name := bytes.HasPrefix(bytes.TrimLeft(rest, " \t\r\n"), []byte(":"))
	if name || !strings.Contains(text, "{{") {
		return "", false, nil
	}
	t, err := Parse(text)
	if err != nil {
		return "", false, err
	}
	if f.exprs += t.exprs(); f.exprs > maxExprs {
		return "", false, fmt.Errorf("%w of %d expressions", ErrTooLong, maxExprs)
	}
	v, err := f.whole(t)
	return v.json(), err == nil, err
}

// whole is the value of a template that is one expression, else its text.
func (f *filling) whole(t *Template) (value, error) {
	if len(t.parts) == 1 {
		return f.value(t.parts[0].expr)
	}
	s, err := f.text(t)
	return textual(s), err
}
