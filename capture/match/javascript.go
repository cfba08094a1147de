package match

import (
	"math"
	"math/big"
	"strconv"
	"strings"
	"unicode"
)

// What ARK's conditions make of values, they make in JavaScript: this is how.

// javascript is the value as text: String(f).
func (f *found) javascript() string {
	if !f.first(madeJS) {
		return f.js
	}
	switch f.kind() {
	case '"':
		f.js, _ = f.string()
	case '{':
		f.js = "[object Object]"
	case '0', '[':
		f.js = string(appendText(nil, decode(f.raw)))
	default:
		f.js = f.raw
	}
	return f.js
}

func appendText(b []byte, v any) []byte {
	switch v := v.(type) {
	case nil:
		return append(b, "null"...)
	case bool:
		return strconv.AppendBool(b, v)
	case number:
		return append(b, numeral(v)...)
	case string:
		return append(b, v...)
	case []any:
		for i, e := range v {
			b = appendComma(b, i)
			if e != nil {
				b = appendText(b, e)
			}
		}
		return b
	}
	return append(b, "[object Object]"...)
}

// numeral is how a number is written.
func numeral(n number) string {
	f := float(string(n))
	switch size := math.Abs(f); {
	case f == 0:
		return "0" // never -0
	case size > math.MaxFloat64:
		return strings.TrimPrefix(strconv.FormatFloat(f, 'f', 0, 64)+"inity", "+")
	case 1e-6 <= size && size < 1e21:
		return strconv.FormatFloat(f, 'f', -1, 64)
	}
	return strings.Replace(strconv.FormatFloat(f, 'e', -1, 64), "e-0", "e-", 1)
}

// maxHex bounds the digits of an integer that is not written in tens.
const maxHex = 4 << 10

// integer is BigInt(f), which not everything can be.
func (f *found) integer() (decimal, bool) {
	if f.first(madeWhole) {
		var ok bool
		f.whole, ok = f.toInteger()
		f.keep(madeWhole, ok)
	}
	return f.whole, f.failed&madeWhole == 0
}

func (f *found) toInteger() (decimal, bool) {
	switch f.kind() {
	case '0':
		n := float(f.raw)
		if n != math.Trunc(n) || math.IsInf(n, 0) {
			return decimal{}, false
		}
		return parseDecimal(strconv.FormatFloat(n, 'f', 0, 64))
	case 't':
		return parseDecimal("1")
	case 'f':
		return decimal{}, true
	case '"', '[':
		return parseInteger(f.javascript())
	}
	return decimal{}, false
}

func parseInteger(s string) (d decimal, ok bool) {
	s = strings.TrimFunc(s, isSpace)
	if len(s) > 2 && s[0] == '0' && len(s) <= maxHex {
		base := map[byte]int{'x': 16, 'o': 8, 'b': 2}[s[1]|' ']
		if base > 0 {
			n, ok := new(big.Int).SetString(s[2:], base)
			if !ok || strings.ContainsAny(s[2:3], "+-") {
				return d, false
			}
			return parseDecimal(n.String())
		}
	}
	digits := s
	if s != "" && (s[0] == '-' || s[0] == '+') {
		digits = s[1:]
	}
	if strings.Trim(digits, "0123456789") != "" || digits == "" && s != "" {
		return d, false
	}
	if s == "" {
		return d, true
	}
	return parseDecimal(s)
}

// isTrue reports whether the value's text says so.
func (f *found) isTrue() bool {
	return strings.EqualFold(strings.TrimFunc(f.javascript(), isSpace), "true")
}

// isSpace is what String.prototype.trim takes away.
func isSpace(r rune) bool { return r == '\uFEFF' || r != '\u0085' && unicode.IsSpace(r) }
