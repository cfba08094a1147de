package blocklet

import "strings"

// document is what there is to know of a GraphQL document before it is parsed.
type document struct {
	// plain is the document without the quotes around keys of objects, at the
	// same length: a published client puts JSON that it was given as a text into
	// its queries as it stands.
	plain     string
	mutations int // it defines
	names     int // in it, of whatever kind
	fragments int // it spreads
}

func scan(query string) (d document) {
	out := []byte(query)
	depth := 0
	for at := 0; at < len(query); {
		end := at + 1
		switch c := query[at]; {
		case c == '#':
			end = at + line(query[at:])
		case c == '"':
			end = at + quoted(query[at:])
			next := strings.TrimLeft(query[end:], " \t\r\n,\ufeff")
			if end-at > 2 && query[end-1] == '"' && isName(query[at+1:end-1]) && strings.HasPrefix(next, ":") {
				out[at], out[end-1] = ' ', ' '
			}
		case strings.HasPrefix(query[at:], "..."):
			d.fragments++
			end = at + 3
		case c == '{' || c == '(' || c == '[':
			depth++
		case c == '}' || c == ')' || c == ']':
			depth--
		case nameChar(c):
			for end < len(query) && nameChar(query[end]) {
				end++
			}
			d.names++
			if depth == 0 && query[at:end] == "mutation" {
				d.mutations++
			}
		}
		at = end
	}
	d.plain = string(out)
	return d
}

// line is how long a comment is.
func line(s string) int {
	if i := strings.IndexAny(s, "\r\n"); i >= 0 {
		return i
	}
	return len(s)
}

// quoted is how long the string, or block string, is with which s begins.
func quoted(s string) int {
	if rest, block := strings.CutPrefix(s, `"""`); block {
		for from := 0; ; {
			i := strings.Index(rest[from:], `"""`)
			if i < 0 {
				return len(s)
			}
			if from += i; from == 0 || rest[from-1] != '\\' {
				return from + 6
			}
			from += 3
		}
	}
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		case '\n', '\r': // it ends with its line, unfinished
			return i
		}
	}
	return len(s)
}

func isName(s string) bool {
	for i := range len(s) {
		if !nameChar(s[i]) {
			return false
		}
	}
	return s != "" && (s[0] < '0' || s[0] > '9')
}

func nameChar(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}
