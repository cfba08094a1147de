package match

import (
	"encoding/json"
	"iter"
	"net/url"
	"slices"
	"strings"

	"code.hooktape.dev/hooktape/capture"
)

// bodyPath is what a term looks at in a body.
type bodyPath struct {
	number         int32 // in the predicate's paths
	steps          []step
	dotted, square string // as the name of a form field: a.b, a[b]
	rest           *paths // all but the first step, for JSON in a form field
}

func newBodyPath(in *paths, steps []step) *bodyPath {
	var keys []string
	for _, s := range steps {
		keys = append(keys, s.key)
	}
	p := &bodyPath{in.add(steps), steps, strings.Join(keys, "."), keys[0], nil}
	if len(keys) > 1 {
		p.square += "[" + strings.Join(keys[1:], "][") + "]"
		p.rest = new(paths)
		p.rest.add(steps[1:])
	}
	return p
}

// any reports whether one of the values there is among vs. The body is checked
// last: most have no such value, or another.
func (p *bodyPath) any(in input, n int32, vs values) bool {
	at := in.doc.at(n, p, in.row)
	for i := range at {
		if vs.is(&at[i]) {
			return !in.doc.json || in.doc.valid()
		}
	}
	return false
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

// unquoted is the text of a JSON string.
func unquoted(raw string) (string, bool) {
	if len(raw) < 2 || raw[0] != '"' {
		return "", false
	}
	if strings.IndexByte(raw, '\\') < 0 {
		return raw[1 : len(raw)-1], true
	}
	var s string
	err := json.Unmarshal([]byte(raw), &s)
	return s, err == nil
}

func skipSpace(doc string, i int) int {
	for i < len(doc) && (doc[i] == ' ' || doc[i] == '\n' || doc[i] == '\r' || doc[i] == '\t') {
		i++
	}
	return i
}

// skipValue is where the value at i ends.
func skipValue(doc string, i int) int {
	if i < len(doc) && doc[i] == '"' {
		return skipString(doc, i)
	}
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
			for i < len(doc) && !delimits[doc[i]] {
				i++
			}
		}
		if depth <= 0 {
			break
		}
	}
	return i
}

// delimits says which bytes end a number or word.
var delimits = [256]bool{'"': true, ',': true, ':': true, '{': true, '}': true, '[': true, ']': true,
	' ': true, '\n': true, '\r': true, '\t': true}

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

// fits reports whether a header or parameter is what v asks for.
func (v *value) fits(s string) bool {
	if v.within != nil {
		n, ok := parseDecimal(s)
		return ok && v.within.has(n, compareDecimals)
	}
	return v.any || v.whole(s)
}

// is reports whether f is what v asks for.
func (v *value) is(f *found) bool {
	if v.within != nil {
		n, ok := f.decimal()
		return ok && v.within.has(n, compareDecimals)
	}
	switch f.kind() {
	case '{', '[':
		return v.any
	case '"':
		s, ok := f.string()
		return ok && (v.any || v.whole(s))
	}
	if v.number != nil {
		n, ok := f.decimal()
		return ok && compareDecimals(n, *v.number) == 0
	}
	return !v.quote && (v.any || v.whole(f.raw))
}

type values []value

func (vs values) fit(s string) bool {
	return slices.ContainsFunc(vs, func(v value) bool { return v.fits(s) })
}

func (vs values) is(f *found) bool {
	for i := range vs {
		if vs[i].is(f) {
			return true
		}
	}
	return false
}
