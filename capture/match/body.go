package match

import (
	"encoding/json"
	"iter"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"code.hooktape.dev/hooktape/capture"
)

// step is one key of a path into a body, and the index it is in an array.
type step struct {
	key   string
	index int // -1: none
}

func newStep(key string) step {
	n, err := strconv.Atoi(key)
	if err != nil || n < 0 || strconv.Itoa(n) != key {
		n = -1
	}
	return step{key, n}
}

// bodyPath is what a term looks at in a body.
type bodyPath struct {
	steps          []step
	dotted, square string // as the name of a form field: a.b, a[b]
}

func newBodyPath(steps []step) bodyPath {
	var keys []string
	for _, s := range steps {
		keys = append(keys, s.key)
	}
	p := bodyPath{steps, strings.Join(keys, "."), keys[0]}
	if len(keys) > 1 {
		p.square += "[" + strings.Join(keys[1:], "][") + "]"
	}
	return p
}

// any reports whether one of the values there fits: raw JSON, or text from a form.
func (p *bodyPath) any(in input, json func(raw string) bool, text func(string) bool) bool {
	body := in.text()
	if isJSON(body) {
		return jsonAny(body, p.steps, json)
	}
	if !isForm(in.row) {
		return false
	}
	for name, value := range pairs(body) {
		if (name == p.dotted || name == p.square) && text(value) {
			return true
		}
		if len(p.steps) > 1 && name == p.steps[0].key && jsonAny(value, p.steps[1:], json) {
			return true
		}
	}
	return false
}

// jsonAny checks doc last: most documents have no such value, or another.
func jsonAny(doc string, path []step, fits func(raw string) bool) bool {
	raw, ok := lookup(doc, path)
	return ok && fits(raw) && json.Valid([]byte(doc))
}

// isJSON reports whether a body begins as an object or array does.
func isJSON(body string) bool {
	i := skipSpace(body, 0)
	return i < len(body) && (body[i] == '{' || body[i] == '[')
}

func isForm(row *capture.Row) bool {
	media, _, _ := strings.Cut(row.Headers.First("Content-Type"), ";")
	return strings.EqualFold(strings.TrimSpace(media), "application/x-www-form-urlencoded")
}

// pairs yields the names and values of a query or form, decoded where they
// can be.
func pairs(query string) iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		for pair := range strings.SplitSeq(query, "&") {
			if pair == "" {
				continue
			}
			name, value, _ := strings.Cut(pair, "=")
			if !yield(decoded(name), decoded(value)) {
				return
			}
		}
	}
}

func decoded(s string) string {
	if d, err := url.QueryUnescape(s); err == nil {
		return d
	}
	return s
}

// lookup is the raw JSON value at path, of the last such if keys repeat. It
// reads doc once, keeps no more than an index for each step, and takes a doc
// that is not JSON for whatever it looks like.
func lookup(doc string, path []step) (raw string, found bool) {
	var room [16]int
	open := room[:0] // the containers along path: the next index, or -1 in an object
	enter := func(i int) int {
		switch {
		case i < len(doc) && doc[i] == '{':
			open = append(open, -1)
		case i < len(doc) && doc[i] == '[':
			open = append(open, 0)
		default:
			return skipValue(doc, i)
		}
		return i + 1
	}

	i := enter(skipSpace(doc, 0))
	for len(open) > 0 {
		i = skipSpace(doc, i)
		if i >= len(doc) {
			return "", false
		}
		switch doc[i] {
		case ',':
			i++
			continue
		case '}', ']':
			open = open[:len(open)-1]
			i++
			continue
		}
		want, here := path[len(open)-1], &open[len(open)-1]
		hit := *here == want.index
		if *here >= 0 {
			*here++
		} else {
			end := skipValue(doc, i)
			hit = isKey(doc[i:end], want.key)
			i = skipSpace(doc, end)
			if i >= len(doc) || doc[i] != ':' {
				return "", false
			}
			i = skipSpace(doc, i+1)
		}
		switch {
		case !hit:
			i = skipValue(doc, i)
		case len(open) < len(path):
			raw, found = "", false
			i = enter(i)
		default:
			end := skipValue(doc, i)
			raw, found = doc[i:end], end > i
			i = end
		}
	}
	return raw, found
}

func isKey(raw, key string) bool {
	if len(raw) < 2 || raw[0] != '"' {
		return false
	}
	if strings.IndexByte(raw, '\\') < 0 {
		return raw[1:len(raw)-1] == key
	}
	s, ok := unquoted(raw)
	return ok && s == key
}

// unquoted is the text of a JSON string.
func unquoted(raw string) (s string, ok bool) {
	if len(raw) >= 2 && strings.IndexByte(raw, '\\') < 0 {
		return raw[1 : len(raw)-1], true
	}
	return s, json.Unmarshal([]byte(raw), &s) == nil
}

func skipSpace(doc string, i int) int {
	for i < len(doc) && (doc[i] == ' ' || doc[i] == '\n' || doc[i] == '\r' || doc[i] == '\t') {
		i++
	}
	return i
}

// skipValue is where the value at i ends.
func skipValue(doc string, i int) int {
	for depth := 0; i < len(doc); {
		switch doc[i] {
		case '"':
			i = skipString(doc, i)
		case '{', '[':
			depth++
			i++
		case '}', ']':
			depth--
			i++
		case ',', ':', ' ', '\n', '\r', '\t':
			i++
		default:
			for i < len(doc) && strings.IndexByte("\",:{}[] \n\r\t", doc[i]) < 0 {
				i++
			}
		}
		if depth <= 0 {
			break
		}
	}
	return i
}

// skipString is where the string at i ends.
func skipString(doc string, i int) int {
	for i++; i < len(doc); i++ {
		switch doc[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(doc)
}

// value is one of the alternatives behind header.x:, query.x: or body.x:.
type value struct {
	pattern
	number *decimal           // the pattern is a number and not quoted
	within *interval[decimal] // a comparison or range, and no pattern
}

// fits reports whether a header, parameter or string is what v asks for.
func (v *value) fits(s string) bool {
	if v.within != nil {
		n, ok := parseDecimal(s)
		return ok && v.within.has(n, compareDecimals)
	}
	return v.any || v.whole(s)
}

// fitsJSON reports whether a raw JSON value is what v asks for.
func (v *value) fitsJSON(raw string) bool {
	switch raw[0] {
	case '"':
		s, ok := unquoted(raw)
		return ok && v.fits(s)
	case '{', '[':
		return v.any
	}
	if v.number != nil {
		n, ok := parseDecimal(raw)
		return ok && compareDecimals(n, *v.number) == 0
	}
	return !v.quote && v.fits(raw)
}

type values []value

func (vs values) fit(s string) bool {
	return slices.ContainsFunc(vs, func(v value) bool { return v.fits(s) })
}

func (vs values) fitJSON(raw string) bool {
	return slices.ContainsFunc(vs, func(v value) bool { return v.fitsJSON(raw) })
}
