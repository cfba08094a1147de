package answer

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// object is a JSON object as JavaScript has it: each name once, where it was
// first, with the value it had last.
type object struct {
	members []member
	at      map[string]int // place in members
}

type member struct {
	name  string
	value any // *object, []any, string, json.Number, bool or nil
}

func (o *object) set(name string, value any) {
	if i, ok := o.at[name]; ok {
		o.members[i].value = value
		return
	}
	if o.at == nil {
		o.at = make(map[string]int)
	}
	o.at[name] = len(o.members)
	o.members = append(o.members, member{name, value})
}

// parseJS reads a text that json.Valid accepts, and which is therefore nested
// 10,000 deep at most.
func parseJS(text []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	return nextJS(d)
}

func nextJS(d *json.Decoder) (any, error) {
	t, err := d.Token()
	if err != nil {
		return nil, fmt.Errorf("JSON: %w", err)
	}
	switch t {
	case json.Delim('['):
		list := []any{}
		for d.More() {
			v, err := nextJS(d)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		_, err = d.Token()
		return list, err
	case json.Delim('{'):
		o := new(object)
		for d.More() {
			name, err := d.Token()
			if err != nil {
				return nil, fmt.Errorf("JSON: %w", err)
			}
			v, err := nextJS(d)
			if err != nil {
				return nil, err
			}
			o.set(name.(string), v)
		}
		_, err = d.Token()
		return o, err
	}
	return t, nil
}

// appendJS writes a value as JSON.stringify does: compact, names that are
// array indexes first and in their order, numbers as the doubles they are.
func appendJS(b []byte, value any) []byte {
	switch v := value.(type) {
	case *object:
		b = append(b, '{')
		for i, m := range v.inOrder() {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(append(b, quoted(m.name)...), ':')
			b = appendJS(b, m.value)
		}
		return append(b, '}')
	case []any:
		b = append(b, '[')
		for i, one := range v {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendJS(b, one)
		}
		return append(b, ']')
	case string:
		return append(b, quoted(v)...)
	case json.Number:
		return appendNumber(b, v)
	case bool:
		return strconv.AppendBool(b, v)
	}
	return append(b, "null"...)
}

func (o *object) inOrder() []member {
	ordered := slices.Clone(o.members)
	slices.SortStableFunc(ordered, func(a, b member) int {
		return cmp.Compare(arrayIndex(a.name), arrayIndex(b.name))
	})
	return ordered
}

// arrayIndex is the number that a name is, and that of none for other names
// (https://tc39.es/ecma262/#array-index).
func arrayIndex(name string) uint64 {
	const none = math.MaxUint32
	n, err := strconv.ParseUint(name, 10, 32)
	if err != nil || strconv.FormatUint(n, 10) != name {
		return none
	}
	return n
}

// appendNumber writes a number by https://tc39.es/ecma262/#sec-numeric-types-number-tostring.
// One that is over what a double holds is null.
func appendNumber(b []byte, n json.Number) []byte {
	f, err := n.Float64()
	if err != nil {
		return append(b, "null"...)
	}
	if f == 0 {
		return append(b, '0') // -0, too
	}
	if abs := math.Abs(f); abs >= 1e-6 && abs < 1e21 {
		return strconv.AppendFloat(b, f, 'f', -1, 64)
	}
	mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(f, 'e', -1, 64), "e")
	return append(append(append(b, mantissa...), 'e', exponent[0]), strings.TrimLeft(exponent[1:], "0")...)
}

// quoted is a JSON string with no more escapes than JavaScript writes. What is
// not UTF-8 becomes U+FFFD.
func quoted(s string) []byte {
	b := append(make([]byte, 0, len(s)+2), '"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b = append(b, '\\', byte(r))
		case r >= ' ':
			b = utf8.AppendRune(b, r)
		case strings.ContainsRune("\b\t\n\f\r", r):
			b = append(b, '\\', "btn_fr"[r-'\b'])
		default:
			b = fmt.Appendf(b, `\u%04x`, r)
		}
	}
	return append(b, '"')
}
