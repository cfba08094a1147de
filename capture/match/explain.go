package match

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// Miss is a term that kept a predicate from matching.
type Miss struct {
	Term string // as Predicate.String writes it
	// Got is what was there instead, in words: "status is 200". It is at most
	// 80 runes, and what came with the event is quoted and has no control
	// characters.
	Got string
}

// String is both: "status:5xx: status is 200".
func (m Miss) String() string { return m.Term + ": " + m.Got }

const maxGot = 80

func (t *term) explain(in input, want bool) []Miss {
	return missed(t, in, want, func() string { return t.got(in) })
}

// missed is the miss of a leaf that may have one.
func missed(leaf node, in input, want bool, got func() string) []Miss {
	if leaf.eval(in) == is(want) {
		return nil
	}
	text := leaf.String()
	if !want {
		text = "!" + text
	}
	return []Miss{{text, readable(got())}}
}

// readable is the beginning of s, without control characters.
func readable(s string) string { return strings.Map(printable, clip(s, maxGot)) }

// isWhat says what values something has.
func isWhat(name string, values ...string) string {
	if len(values) == 0 || len(values) == 1 && values[0] == "" && !strings.Contains(name, ".") {
		return "no " + name
	}
	s := name + " is "
	for i, v := range values {
		if i > 0 {
			s += ", "
		}
		if s += strconv.Quote(clip(v, maxGot)); len(s) > 4*maxGot {
			break
		}
	}
	return s
}

// clip cuts s to n runes, the last of them … where something was cut.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	end := 0 // behind n-1 runes
	for i := range s {
		if n--; n == 0 {
			end = i
		}
		if n < 0 {
			return s[:end] + "…"
		}
	}
	return s
}

func printable(r rune) rune {
	if strconv.IsPrint(r) {
		return r
	}
	return utf8.RuneError
}
