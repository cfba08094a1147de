package sign

import (
	"bytes"
	"encoding/json"
	"fmt"
	"iter"
	"strings"
	"unicode/utf8"

	"code.hooktape.dev/hooktape/capture"
)

// otherBodies are those that may have been signed where the one that came was
// not, with what is different about them.
func otherBodies(r *Request) iter.Seq2[[]byte, finding] {
	return func(yield func([]byte, finding) bool) {
		body := r.Body
		try := func(other []byte, cause capture.Cause, detail string) bool {
			return bytes.Equal(other, body) || yield(other, finding{cause: cause, detail: detail})
		}
		if cut := bytes.TrimRight(body, "\r\n"); !try(cut, capture.CauseNewline, "this body without the line end that it came with") ||
			!try(join(cut, "\n"), capture.CauseNewline, `this body with "\n" at its end`) ||
			!try(join(cut, "\r\n"), capture.CauseNewline, `this body with "\r\n" at its end`) ||
			!try(bytes.TrimSpace(body), capture.CauseNewline, "this body without the blanks around it") ||
			!try(nil, capture.CauseRewrite, "no body at all, so it was read before, or not sent") {
			return
		}
		if json.Valid(body) {
			for i := range styles {
				s := &styles[i]
				if !try(s.write(body), capture.CauseRewrite, "this JSON "+s.says+", so something parsed and wrote it again") {
					return
				}
			}
			for _, end := range []string{"\r\n", "\n"} { // SendGrid's, which parsers drop
				if !try(join(styles[0].write(body), end), capture.CauseRewrite, fmt.Sprintf("this JSON %s and with %q at its end, so something parsed and wrote it again", styles[0].says, end)) {
					return
				}
			}
		}
		if isForm(r) {
			for _, f := range formStyles {
				if !try(f.write(body), capture.CauseRewrite, "this form "+f.says+", so something parsed and wrote it again") {
					return
				}
			}
		}
		for _, c := range charsets {
			if other, ok := c.write(body); ok && !try(other, capture.CauseCharset, "this body "+c.says) {
				return
			}
		}
	}
}

func join(body []byte, after string) []byte {
	return append(bytes.Clone(body), after...)
}

// formStyles are ways to write what a form has to escape.
var formStyles = []struct {
	says  string
	write func([]byte) []byte
}{
	{"with %20 for blanks", func(b []byte) []byte { return bytes.ReplaceAll(b, []byte("+"), []byte("%20")) }},
	{"with + for blanks", func(b []byte) []byte { return bytes.ReplaceAll(b, []byte("%20"), []byte("+")) }},
	{"with its asterisks as they are", func(b []byte) []byte { return bytes.ReplaceAll(b, []byte("%2A"), []byte("*")) }},
	{"with its asterisks escaped", func(b []byte) []byte { return bytes.ReplaceAll(b, []byte("*"), []byte("%2A")) }},
	{"with its tildes as they are", func(b []byte) []byte { return bytes.ReplaceAll(b, []byte("%7E"), []byte("~")) }},
	{"with its tildes escaped", func(b []byte) []byte { return bytes.ReplaceAll(b, []byte("~"), []byte("%7E")) }},
	{"with its escapes in lower case", func(b []byte) []byte { return escapes(b, bytes.ToLower) }},
	{"with its escapes in upper case", func(b []byte) []byte { return escapes(b, bytes.ToUpper) }},
}

// escapes is the form with the digits of its escapes in another case.
func escapes(b []byte, to func([]byte) []byte) []byte {
	out := bytes.Clone(b)
	for i := 0; i+2 < len(out); i++ {
		if out[i] == '%' {
			copy(out[i+1:i+3], to(out[i+1:i+3]))
		}
	}
	return out
}

// charsets are ways in which text loses its encoding.
var charsets = []struct {
	says  string
	write func([]byte) ([]byte, bool)
}{
	{"without the byte order mark that it came with", func(b []byte) ([]byte, bool) { return bytes.CutPrefix(b, []byte("\ufeff")) }},
	{"with a byte order mark before it", func(b []byte) ([]byte, bool) { return append([]byte("\ufeff"), b...), true }},
	{"in UTF-8, and it came in Latin-1", fromLatin1},
	{"in Latin-1, or in UTF-8 that something took for Latin-1", toLatin1},
}

func fromLatin1(b []byte) ([]byte, bool) {
	out := make([]byte, 0, len(b)+len(b)/4)
	for _, c := range b {
		out = utf8.AppendRune(out, rune(c))
	}
	return out, !utf8.Valid(b)
}

func toLatin1(b []byte) ([]byte, bool) {
	if !utf8.Valid(b) {
		return nil, false
	}
	out := make([]byte, 0, len(b))
	for _, c := range string(b) {
		if c > 0xff {
			return nil, false
		}
		out = append(out, byte(c))
	}
	return out, true
}

// spaces are how JSON is laid out, and escaping how its strings are.
type (
	spaces   struct{ indent, comma, colon, says string }
	escaping struct {
		ascii, slash, html, asIs bool
		says                     string
	}
)

// A style is a way to write JSON. Numbers stay as they are.
type style struct {
	spaces
	escaping
	keep   bool // the spaces that are there
	sorted bool
	says   string
}

// styles are the common ones, the likely first: those of JavaScript, Python,
// PHP, Go and Ruby.
var styles = func() (all []style) {
	compact := spaces{says: "without spaces"}
	python := spaces{comma: " ", colon: " ", says: "with a space behind every comma and colon, as Python writes it"}
	layouts := []spaces{compact, python, {indent: "  ", colon: " ", says: "indented by 2 spaces"},
		{indent: "    ", colon: " ", says: "indented by 4 spaces"}, {indent: "\t", colon: " ", says: "indented by tabs"}}
	asIs := escaping{asIs: true}
	raw := escaping{says: "with letters in place of escapes"}
	ascii := escaping{ascii: true, says: `with \u escapes in place of letters`}
	others := []escaping{raw, ascii, {ascii: true, slash: true, says: `with \u and \/ escapes, as PHP writes it`},
		{slash: true, says: `with \/ escapes`}, {html: true, says: `with \u003c in place of <, as Go writes it`}}
	for _, l := range layouts {
		all = append(all, style{spaces: l, escaping: asIs, says: l.says})
	}
	for _, e := range others {
		all = append(all, style{escaping: e, keep: true, says: e.says}, style{spaces: compact, escaping: e, says: compact.says + " and " + e.says})
	}
	for _, l := range layouts[1:4] {
		all = append(all, style{spaces: l, escaping: raw, says: l.says + " and " + raw.says}, style{spaces: l, escaping: ascii, says: l.says + " and " + ascii.says})
	}
	const sorted = " and with its members in order of their names"
	return append(all, style{spaces: compact, escaping: asIs, sorted: true, says: compact.says + sorted},
		style{spaces: compact, escaping: raw, sorted: true, says: compact.says + sorted},
		style{spaces: python, escaping: ascii, sorted: true, says: python.says + sorted},
		style{spaces: python, escaping: asIs, sorted: true, says: python.says + sorted})
}()

// write is the valid document in that style.
func (s *style) write(doc []byte) []byte {
	r := rewriter{style: s, doc: doc, out: make([]byte, 0, len(doc)+len(doc)/4)}
	r.space()
	r.value(0)
	r.space()
	return r.out
}

// hexDigits are in the case in which most write them.
const hexDigits = "0123456789abcdef"

// text appends a JSON string in the style's escapes; raw has the quotes.
func (s *style) text(dst, raw []byte) []byte {
	if s.asIs || bytes.IndexByte(raw, '\\') < 0 && !strings.ContainsFunc(string(raw), func(c rune) bool { return c >= 0x80 || c == '/' || c == '<' || c == '>' || c == '&' }) {
		return append(dst, raw...)
	}
	var text string
	if json.Unmarshal(raw, &text) != nil {
		return append(dst, raw...)
	}
	dst = append(dst, '"')
	for _, c := range text {
		dst = s.letter(dst, c)
	}
	return append(dst, '"')
}

func (s *style) letter(dst []byte, c rune) []byte {
	switch c {
	case '"', '\\':
		return append(dst, '\\', byte(c))
	case '\n':
		return append(dst, '\\', 'n')
	case '\r':
		return append(dst, '\\', 'r')
	case '\t':
		return append(dst, '\\', 't')
	case '\b':
		return append(dst, '\\', 'b')
	case '\f':
		return append(dst, '\\', 'f')
	}
	switch {
	case c == '/' && s.slash:
		return append(dst, '\\', '/')
	case c < ' ', s.ascii && c >= 0x80 && c < 0x10000, s.html && (c == '<' || c == '>' || c == '&' || c == 0x2028 || c == 0x2029):
		return unicodeEscape(dst, c)
	case s.ascii && c >= 0x10000:
		c -= 0x10000
		return unicodeEscape(unicodeEscape(dst, 0xd800+c>>10), 0xdc00+c&0x3ff)
	}
	return utf8.AppendRune(dst, c)
}

func unicodeEscape(dst []byte, c rune) []byte {
	return append(dst, '\\', 'u', hexDigits[c>>12&15], hexDigits[c>>8&15], hexDigits[c>>4&15], hexDigits[c&15])
}
