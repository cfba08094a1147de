package tui

import "strings"

// jsonSpans colours a piece of a line of JSON; in says that it begins inside
// a string. Indented JSON has no string across lines, so that a line can be
// coloured without those before it. Text that is no JSON comes out as it
// went in.
func jsonSpans(s string, in bool) []span {
	var out []span
	if in {
		n := stringEnd(s)
		out, s = append(out, span{jsonString, s[:n]}), s[n:]
	}
	for len(s) > 0 {
		n, r := 1, plain
		switch c := s[0]; {
		case c == '"':
			n, r = 1+stringEnd(s[1:]), jsonString
			if strings.HasPrefix(s[n:], ":") {
				r = jsonKey
			}
		case c == '-' || c >= '0' && c <= '9':
			n, r = run(s, "+-.eE0123456789"), jsonNumber
		case c >= 'a' && c <= 'z':
			n, r = run(s, "abcdefghijklmnopqrstuvwxyz"), jsonWord
		default:
			if n = strings.IndexAny(s, `"-0123456789abcdefghijklmnopqrstuvwxyz`); n < 0 {
				n = len(s)
			}
		}
		out, s = append(out, span{r, s[:n]}), s[n:]
	}
	return out
}

// stringEnd is the length of the rest of a JSON string, its quote included.
func stringEnd(s string) int {
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(s)
}

// run is how many of the first bytes of s are among set.
func run(s, set string) int {
	for i := range len(s) {
		if strings.IndexByte(set, s[i]) < 0 {
			return i
		}
	}
	return len(s)
}

// inString reports whether JSON text ends inside a string.
func inString(s string, in bool) bool {
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			in = !in
		}
	}
	return in
}
