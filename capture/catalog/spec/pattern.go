package spec

import (
	"regexp"
	"regexp/syntax"
	"strings"
	"unicode"
	"unicode/utf8"
)

// pattern makes a string that a regular expression matches, with at least so
// many characters and at most most (-1: any number). Where it finds none of
// that length, any that matches; where Go cannot read the expression, a word.
func (g *generator) pattern(expr string, least, most int) string {
	parsed, err := syntax.Parse(expr, syntax.Perl)
	if err != nil {
		return g.word()
	}
	re, err := regexp.Compile(expr)
	if err != nil {
		return g.word()
	}
	fits := func(s string) bool {
		n := utf8.RuneCountInString(s)
		return n >= least && (most < 0 || n <= most) && re.MatchString(s)
	}
	var first string
	for more := 0; more <= min(least, 4096)+8; more = more*5/4 + 1 {
		w := patternWriter{generator: g, more: more, left: 100_000}
		w.write(parsed)
		s := w.String()
		if more == 0 {
			first = s
		}
		if pad := least - utf8.RuneCountInString(s); pad > 0 && fits(s+strings.Repeat("x", pad)) {
			return s + strings.Repeat("x", pad)
		}
		if fits(s) {
			return s
		}
	}
	return first
}

// patternWriter writes a match; what repeats does so as seldom as it may, and
// more times where it may.
type patternWriter struct {
	*generator
	strings.Builder
	more int
	left int // nodes that may still be written
}

func (w *patternWriter) write(re *syntax.Regexp) {
	if w.left--; w.left < 0 || w.Len() > mostText {
		return
	}
	switch re.Op {
	case syntax.OpLiteral:
		for _, c := range re.Rune {
			w.WriteRune(c)
		}
	case syntax.OpCharClass:
		w.WriteRune(w.oneOf(re.Rune))
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		w.WriteByte('x')
	case syntax.OpCapture, syntax.OpConcat:
		for _, sub := range re.Sub {
			w.write(sub)
		}
	case syntax.OpAlternate:
		w.write(re.Sub[w.rand.IntN(len(re.Sub))])
	case syntax.OpStar:
		w.repeat(re.Sub[0], 0, -1)
	case syntax.OpPlus:
		w.repeat(re.Sub[0], 1, -1)
	case syntax.OpQuest:
		w.repeat(re.Sub[0], 0, 1)
	case syntax.OpRepeat:
		w.repeat(re.Sub[0], re.Min, re.Max)
	}
}

func (w *patternWriter) repeat(re *syntax.Regexp, least, most int) {
	n := least + w.more
	if most >= 0 {
		n = min(n, most)
	}
	for i := 0; i < n && w.left > 0; i++ {
		w.write(re)
	}
}

// oneOf is a character of a class: a letter or a digit if there is one.
func (w *patternWriter) oneOf(ranges []rune) rune {
	var good []rune
	for c := rune('!'); c <= '~'; c++ {
		if inRanges(ranges, c) {
			good = append(good, c)
		}
	}
	nice := make([]rune, 0, len(good))
	for _, c := range good {
		if unicode.IsLetter(c) || unicode.IsDigit(c) {
			nice = append(nice, c)
		}
	}
	switch {
	case len(nice) > 0:
		return nice[w.rand.IntN(len(nice))]
	case len(good) > 0:
		return good[w.rand.IntN(len(good))]
	case len(ranges) > 0:
		return ranges[0]
	}
	return 'x'
}

func inRanges(ranges []rune, c rune) bool {
	for i := 0; i+1 < len(ranges); i += 2 {
		if c >= ranges[i] && c <= ranges[i+1] {
			return true
		}
	}
	return false
}
