package match

import (
	"cmp"
	"math"
	"slices"
	"strconv"
)

// object is a JSON object in the order it was written in. Of a name that is
// there twice it has the latest value in the first place.
type object []member

type member struct {
	name  string
	value any
}

// number is a JSON number as it was written.
type number string

// decode reads valid JSON into nil, bool, number, string, []any and object.
func decode(raw string) any {
	v, _ := decodeAt(raw, 0)
	return v
}

func decodeAt(doc string, i int) (v any, end int) {
	i = skipSpace(doc, i)
	switch doc[i] {
	case '{':
		return decodeObject(doc, i+1)
	case '[':
		list := []any{}
		for i = skipSpace(doc, i+1); doc[i] != ']'; i = skipComma(doc, i) {
			v, i = decodeAt(doc, i)
			list = append(list, v)
		}
		return list, i + 1
	}
	end = skipValue(doc, i)
	switch raw := doc[i:end]; raw[0] {
	case '"':
		s, _ := unquoted(raw)
		return s, end
	case 'n':
		return nil, end
	case 't', 'f':
		return raw == "true", end
	default:
		return number(raw), end
	}
}

func decodeObject(doc string, i int) (v any, end int) {
	members := object{}
	places := make(map[string]int)
	for i = skipSpace(doc, i); doc[i] != '}'; i = skipComma(doc, i) {
		end := skipString(doc, i)
		name, _ := unquoted(doc[i:end])
		v, i = decodeAt(doc, skipSpace(doc, end)+1)
		at, again := places[name]
		if !again {
			at = len(members)
			places[name] = at
			members = append(members, member{name: name})
		}
		members[at].value = v
	}
	return members, i + 1
}

func skipComma(doc string, i int) int {
	if i = skipSpace(doc, i); doc[i] == ',' {
		i = skipSpace(doc, i+1)
	}
	return i
}

// canonical is v so that equal values have equal text: members sorted by name,
// or in the order in which JavaScript has them.
func canonical(v any, order bool) string { return string(appendCanonical(nil, v, order)) }

func appendCanonical(b []byte, v any, order bool) []byte {
	switch v := v.(type) {
	case bool:
		return strconv.AppendBool(b, v)
	case number:
		if order && math.IsInf(float(string(v)), 0) {
			return append(b, "null"...) // as JSON.stringify writes it
		}
		return append(b, numeral(v)...)
	case string:
		return strconv.AppendQuote(b, v)
	case []any:
		b = append(b, '[')
		for i, e := range v {
			b = appendCanonical(appendComma(b, i), e, order)
		}
		return append(b, ']')
	case object:
		if order {
			slices.SortStableFunc(v, inJavaScript)
		} else {
			slices.SortFunc(v, func(x, y member) int { return cmp.Compare(x.name, y.name) })
		}
		b = append(b, '{')
		for i, m := range v {
			b = append(strconv.AppendQuote(appendComma(b, i), m.name), ':')
			b = appendCanonical(b, m.value, order)
		}
		return append(b, '}')
	}
	return append(b, "null"...)
}

// appendComma writes what stands before the ith of a list.
func appendComma(b []byte, i int) []byte {
	if i == 0 {
		return b
	}
	return append(b, ',')
}

// inJavaScript is the order of an object's members there: first those whose
// names are indexes, by number.
func inJavaScript(x, y member) int {
	index := func(m member) int {
		if n := newStep(m.name).index; n >= 0 && int64(n) < math.MaxUint32 {
			return n
		}
		return math.MaxInt
	}
	return cmp.Compare(index(x), index(y))
}

// depth is how many objects and arrays of doc are within one another.
func depth(doc string) (most int) {
	open := 0
	for i := 0; i < len(doc); i++ {
		switch doc[i] {
		case '"':
			i = skipString(doc, i) - 1
		case '{', '[':
			open++
			most = max(most, open)
		case '}', ']':
			open--
		}
	}
	return most
}
