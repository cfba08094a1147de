package match

import (
	"regexp"
	"regexp/syntax"
	"strings"
	"unicode"
	"unicode/utf8"
	"unique"
)

// pattern is a text to be found within another, or to stand for the whole of it.
type pattern struct {
	text  string // lowered if fold; "" for an expression
	fold  bool   // any case matches
	quote bool   // was in quotes
	glob  bool   // * and ? are wildcards
	any   bool   // a lone *: there is a value
	re    *regexp.Regexp

	// For within, if fold: Knuth, Morris and Pratt's. next[i] is how much of
	// runes is still matched when the rune behind the first i does not.
	runes []rune
	next  []int
}

func (p *pattern) literal() bool { return p.re == nil && !p.glob && !p.any }

// fold makes lower-case patterns match any case.
func newPattern(text string) *pattern {
	low := lowered(text)
	return &pattern{text: shared(text), fold: low == text}
}

// shared is s, in the memory that all who ask for the same share: thousands of
// endpoints want the type, or the same few values.
func shared(s string) string { return unique.Make(s).Value() }

// whole reports whether the pattern stands for all of s.
func (p *pattern) whole(s string) bool {
	switch {
	case p.re != nil:
		return p.re.MatchString(s)
	case p.any:
		return s != ""
	case p.glob:
		return glob(p.text, s, p.fold)
	case s == p.text:
		return true
	case p.fold:
		rest, ok := cutFold(s, p.text)
		return ok && rest == ""
	}
	return false
}

// prepare makes within possible.
func (p *pattern) prepare() {
	if p.re != nil || !p.fold {
		return
	}
	p.runes = []rune(p.text)
	p.next = make([]int, len(p.runes)+1)
	for i, k := 1, 0; i < len(p.runes); i++ {
		for k > 0 && p.runes[i] != p.runes[k] {
			k = p.next[k]
		}
		if p.runes[i] == p.runes[k] {
			k++
		}
		p.next[i+1] = k
	}
}

// within reports whether s contains the pattern.
func (p *pattern) within(s string) bool {
	if p.re != nil {
		return p.re.MatchString(s)
	}
	if !p.fold {
		return strings.Contains(s, p.text)
	}
	if len(p.runes) == 0 {
		return true
	}
	first, k := p.runes[0], 0
	lo, up := -1, -1 // the next places of first, in either case, once looked for
	for i := 0; i < len(s); {
		if k == 0 && first < utf8.RuneSelf {
			lo = indexFrom(s, byte(first), i, lo)
			up = indexFrom(s, byte(unicode.ToUpper(first)), i, up)
			if i = min(lo, up); i == len(s) {
				return false
			}
		}
		r, size := rune(s[i]), 1
		if r >= utf8.RuneSelf {
			r, size = utf8.DecodeRuneInString(s[i:])
		}
		r = lower(r)
		for k > 0 && r != p.runes[k] {
			k = p.next[k]
		}
		if r == p.runes[k] {
			if k++; k == len(p.runes) {
				return true
			}
		}
		i += size
	}
	return false
}

// indexFrom is where c is in s at or after i, len(s) if nowhere; known is the
// last answer, so that no byte is looked at twice.
func indexFrom(s string, c byte, i, known int) int {
	if known >= i {
		return known
	}
	if n := strings.IndexByte(s[i:], c); n >= 0 {
		return i + n
	}
	return len(s)
}

// lower is unicode.ToLower, except that what is not ASCII stays so (the Kelvin
// sign is no k): a pattern in ASCII can be compared byte by byte, and values
// that are equal here are equal under strings.ToLower, which Exact promises.
func lower(r rune) rune {
	if r < utf8.RuneSelf {
		if 'A' <= r && r <= 'Z' {
			r += 'a' - 'A'
		}
		return r
	}
	if l := unicode.ToLower(r); l >= utf8.RuneSelf {
		return l
	}
	return r
}

func lowered(s string) string {
	for i, r := range s {
		if r != utf8.RuneError && lower(r) != r {
			return s[:i] + strings.Map(lower, s[i:])
		}
	}
	return s
}

// cutFold is what follows low in s, whatever the case of s.
func cutFold(s, low string) (rest string, ok bool) {
	for _, want := range low {
		r, size := utf8.DecodeRuneInString(s)
		if size == 0 || lower(r) != want {
			return "", false
		}
		s = s[size:]
	}
	return s, true
}

// glob reports whether pat stands for all of s. It goes back to the latest *
// only, so it takes len(pat)*len(s) steps at worst.
func glob(pat, s string, fold bool) bool {
	p, i := 0, 0
	star, mark := -1, 0 // behind the latest *, and where in s what it stands for ends
	for i < len(s) {
		r, size := utf8.DecodeRuneInString(s[i:])
		if fold {
			r = lower(r)
		}
		if p < len(pat) {
			want, n := utf8.DecodeRuneInString(pat[p:])
			if want == '*' {
				p++
				star, mark = p, i
				continue
			}
			if want == '?' || want == r {
				p, i = p+n, i+size
				continue
			}
		}
		if star < 0 {
			return false
		}
		_, n := utf8.DecodeRuneInString(s[mark:])
		mark += n
		p, i = star, mark
	}
	return strings.Trim(pat[p:], "*") == ""
}

// cost is about how many instructions an expression compiles to: (x{99}){99}
// is short to write.
func cost(re *syntax.Regexp) int {
	n := 1 + len(re.Rune)
	if re.Op == syntax.OpCharClass {
		n = 1
	}
	for _, sub := range re.Sub {
		n += cost(sub)
	}
	if re.Op == syntax.OpRepeat {
		n *= max(re.Min, re.Max, 1)
	}
	return min(n, 1<<30)
}

// hasUpper is smart case for expressions.
func hasUpper(expr string) bool {
	escaped := false
	for _, r := range expr {
		if !escaped && lower(r) != r {
			return true
		}
		escaped = !escaped && r == '\\'
	}
	return false
}
