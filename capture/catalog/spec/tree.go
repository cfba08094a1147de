package spec

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// A value of a document is an *object, []any, string, json.Number, bool or
// nil. Values that were decoded are shared and never changed.

// object is a JSON object that knows the order of its members.
type object struct {
	keys []string
	of   map[string]any
}

func (o *object) get(key string) any {
	if o == nil {
		return nil
	}
	return o.of[key]
}

func (o *object) has(key string) bool {
	if o == nil {
		return false
	}
	_, ok := o.of[key]
	return ok
}

func (o *object) set(key string, v any) {
	if _, ok := o.of[key]; !ok {
		o.keys = append(o.keys, key)
	}
	if o.of == nil {
		o.of = make(map[string]any, 4)
	}
	o.of[key] = v
}

// names are the keys of an object, in their order; of nil there are none.
func (o *object) names() []string {
	if o == nil {
		return nil
	}
	return o.keys
}

func asObject(v any) *object { o, _ := v.(*object); return o }
func asList(v any) []any     { l, _ := v.([]any); return l }
func asText(v any) string    { s, _ := v.(string); return s }

// The bounds of what is decoded, whatever it is written in.
const (
	mostValues = 2_000_000
	mostDepth  = 200
	mostDigits = 400 // of a number, and its exponent: what reads it may write it out
)

var (
	errValues = errors.New("it holds more than two million values: split it")
	errNumber = errors.New("a number is too large or too long")
	errDepth  = fmt.Errorf("it is nested more than %d levels deep", mostDepth)
)

// decode reads JSON, several JSON documents one after another, or YAML.
func decode(doc []byte) ([]any, error) {
	doc = bytes.TrimPrefix(doc, []byte("\ufeff"))
	trimmed := bytes.TrimSpace(doc)
	if len(trimmed) == 0 {
		return nil, errors.New("the document is empty")
	}
	if !utf8.Valid(doc) {
		return nil, errors.New("the document is no text in UTF-8")
	}
	if trimmed[0] != '{' && trimmed[0] != '[' {
		return decodeYAML(doc)
	}
	roots, err := decodeJSON(doc)
	for _, final := range []error{nil, errValues, errDepth, errNumber} {
		if errors.Is(err, final) {
			return roots, err
		}
	}
	// YAML may begin with { too, and then is more than JSON.
	if roots, yamlErr := decodeYAML(doc); yamlErr == nil {
		return roots, nil
	}
	return nil, err
}

func decodeJSON(doc []byte) (roots []any, err error) {
	d := &jsonDecoder{Decoder: json.NewDecoder(bytes.NewReader(doc)), left: mostValues}
	d.UseNumber()
	for {
		v, err := d.value(0)
		if err == io.EOF && len(roots) > 0 {
			return roots, nil
		}
		if err != nil {
			if err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			line := 1 + bytes.Count(doc[:min(int(d.InputOffset()), len(doc))], []byte("\n"))
			return nil, fmt.Errorf("no JSON: line %d: %w", line, err)
		}
		roots = append(roots, v)
	}
}

type jsonDecoder struct {
	*json.Decoder
	left int
}

func (d *jsonDecoder) value(depth int) (any, error) {
	if d.left--; d.left < 0 {
		return nil, errValues
	}
	t, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch t := t.(type) {
	case json.Delim:
		if depth >= mostDepth {
			return nil, errDepth
		}
		if t == '[' {
			return d.list(depth)
		}
		return d.object(depth)
	case json.Number:
		return t, checkNumber(string(t))
	}
	return t, nil
}

func (d *jsonDecoder) list(depth int) (any, error) {
	list := []any{}
	for d.More() {
		v, err := d.value(depth + 1)
		if err != nil {
			return nil, inside(err)
		}
		list = append(list, v)
	}
	_, err := d.Token()
	return list, inside(err)
}

func (d *jsonDecoder) object(depth int) (any, error) {
	o := new(object)
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return nil, inside(err)
		}
		key, ok := t.(string)
		if !ok {
			return nil, errors.New("a member's name is no string")
		}
		v, err := d.value(depth + 1)
		if err != nil {
			return nil, inside(err)
		}
		o.set(key, v)
	}
	_, err := d.Token()
	return o, inside(err)
}

// inside is err where a value has begun: there, the end comes too early.
func inside(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// checkNumber refuses what would be gigabytes written out: 1e999999999.
func checkNumber(s string) error {
	mantissa, exponent, _ := strings.Cut(strings.ToLower(s), "e")
	exponent = strings.TrimLeft(strings.TrimLeft(exponent, "+-"), "0")
	if len(mantissa) > mostDigits || len(exponent) > 3 || len(exponent) == 3 && exponent > fmt.Sprint(mostDigits) {
		return fmt.Errorf("%w: %s", errNumber, cut(s, 40))
	}
	return nil
}

// encode is v as JSON.
func encode(v any) json.RawMessage { return appendValue(nil, v) }

func appendValue(b []byte, v any) []byte {
	switch v := v.(type) {
	case *object:
		b = append(b, '{')
		for i, key := range v.keys {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(appendText(b, key), ':')
			b = appendValue(b, v.of[key])
		}
		return append(b, '}')
	case []any:
		b = append(b, '[')
		for i, e := range v {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendValue(b, e)
		}
		return append(b, ']')
	case string:
		return appendText(b, v)
	case json.Number:
		return append(b, v...)
	case bool:
		return fmt.Append(b, v)
	}
	return append(b, "null"...)
}

func appendText(b []byte, s string) []byte {
	plain := func(c rune) bool { return c < ' ' || c == '"' || c == '\\' || c > '~' }
	if !strings.ContainsFunc(s, plain) {
		b = append(b, '"')
		b = append(b, s...)
		return append(b, '"')
	}
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		panic(err) // a string is always JSON
	}
	return append(b, bytes.TrimSuffix(out.Bytes(), []byte("\n"))...)
}

// cut is s, or its beginning and an ellipsis: at most n bytes and three.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + "…"
}
