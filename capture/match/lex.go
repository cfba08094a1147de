package match

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// kind is how a text was written: bare, "quoted", or as an /expression/.
type kind byte

const (
	bare   kind = 0
	quoted kind = '"'
	expr   kind = '/'
)

// item is a text and how and where it was written.
type item struct {
	kind kind
	text string
	span
}

// String is the item as it may be written.
func (t item) String() string {
	switch t.kind {
	case quoted:
		return quote(t.text)
	case expr:
		return "/" + t.text + "/"
	}
	return t.text
}

func quote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

func (p *parser) done() bool { return p.pos >= len(p.text) }

func (p *parser) skipSpace() {
	rest := strings.TrimLeftFunc(p.text[p.pos:], unicode.IsSpace)
	p.pos = len(p.text) - len(rest)
}

// ends reports whether a word that reaches up to i ends there.
func (p *parser) ends(i int, comma bool) bool {
	if i >= len(p.text) {
		return true
	}
	r, _ := utf8.DecodeRuneInString(p.text[i:])
	return r == '(' || r == ')' || comma && r == ',' || unicode.IsSpace(r)
}

func (p *parser) wordEnd(i int) int {
	for !p.ends(i, false) {
		i++
	}
	return i
}

// fieldEnd is where the colon of the word that begins here is, -1 if it has
// none. Keys in a body or query may be quoted or escaped; the end of the text
// stands for a quote among them that is not closed.
func (p *parser) fieldEnd() int {
	base := p.pos // where what the field is called ends
	keys := false
	for i := p.pos; !p.ends(i, false); i++ {
		switch c := p.text[i]; {
		case c == ':':
			return i
		case base == p.pos && (c == '.' || c == '['):
			base = i
			keys = fields[strings.ToLower(p.text[p.pos:i])].keys
		case c == '\\' && keys:
			i++
		case c == '"' && keys && strings.IndexByte(".[", p.text[i-1]) >= 0:
			_, end, ok := unquote(p.text, i)
			if !ok {
				return len(p.text)
			}
			i = end - 1
		}
	}
	return -1
}

// items reads a list of values.
func (p *parser) items() ([]item, error) {
	var list []item
	for {
		t, err := p.item(true)
		if err != nil {
			return nil, err
		}
		list = append(list, t)
		if p.done() || p.text[p.pos] != ',' {
			return list, nil
		}
		p.pos++
	}
}

// item reads a text, quotes and slashes taken off. In a list it ends at a
// comma too, and an expression holds no bare space: in "path:/a or path:/" is
// none.
func (p *parser) item(list bool) (item, error) {
	begin := p.pos
	if !p.done() && p.text[p.pos] == '"' {
		s, end, ok := unquote(p.text, p.pos)
		if !ok {
			return item{}, p.fail(span{begin, len(p.text)}, `add "`, `the quote is not closed`)
		}
		if !p.ends(end, list) {
			return item{}, p.fail(span{end, p.wordEnd(end)}, `put all of it in quotes, and \" for a quote within`, `text right behind a quote`)
		}
		p.pos = end
		return item{quoted, s, span{begin, end}}, nil
	}
	if end := p.exprEnd(list); end > 0 {
		p.pos = end
		return item{expr, p.text[begin+1 : end-1], span{begin, end}}, nil
	}
	for !p.ends(p.pos, list) {
		p.pos++
	}
	return item{bare, p.text[begin:p.pos], span{begin, p.pos}}, nil
}

// exprEnd is where the expression that begins here ends, 0 if none does: if
// something follows the closing slash, it is a path.
func (p *parser) exprEnd(list bool) int {
	if p.done() || p.text[p.pos] != '/' {
		return 0
	}
	for i := p.pos + 1; i < len(p.text); i++ {
		switch c := p.text[i]; {
		case c == '\\':
			i++
		case c == '/':
			empty := i == p.pos+1
			if empty || !p.ends(i+1, list) || list && p.text[i-1] == ',' {
				return 0
			}
			return i + 1
		case list && c != '(' && c != ')' && p.ends(i, false):
			return 0
		}
	}
	return 0
}

// unquote reads the quoted text that begins at i, in which \" and \\ stand
// for " and \.
func unquote(s string, i int) (text string, end int, ok bool) {
	var b strings.Builder
	for i++; i < len(s); i++ {
		switch {
		case s[i] == '"':
			return b.String(), i + 1, true
		case s[i] == '\\' && i+1 < len(s) && (s[i+1] == '"' || s[i+1] == '\\'):
			i++
		}
		b.WriteByte(s[i])
	}
	return "", i, false
}
