package provider

import (
	"bytes"
	"encoding/json"
	"iter"
	"strconv"
)

// The JSON read here may be cut off anywhere or be no JSON at all. Nothing is
// copied before it is known to be wanted, and nothing recurses.

// members are the names and raw values of the JSON object that b begins with,
// or the first element of an array, named 0. A name or a value that touches
// the end of b has lost its own, and is left out unless it is an object or an
// array: their members may be whole.
func members(b []byte) iter.Seq2[[]byte, []byte] {
	return func(yield func(name, value []byte) bool) {
		i := space(b, 0)
		if i == len(b) {
			return
		}
		if b[i] == '[' {
			if v := value(b, space(b, i+1)); v != nil {
				yield([]byte{'0'}, v)
			}
			return
		}
		for open := byte('{'); i < len(b) && b[i] == open; open = ',' {
			i = space(b, i+1)
			name := value(b, i)
			if name == nil || name[0] != '"' {
				return
			}
			i = space(b, i+len(name))
			if i == len(b) || b[i] != ':' {
				return
			}
			i = space(b, i+1)
			v := value(b, i)
			if v == nil || !yield(name[1:len(name)-1], v) {
				return
			}
			i = space(b, i+len(v))
		}
	}
}

// member is the raw value of one member, or nil.
func member(b []byte, name string) []byte {
	for n, v := range members(b) {
		if string(n) == name {
			return v
		}
	}
	return nil
}

// value is the raw value that begins at b[i], or nil when there is none.
func value(b []byte, i int) []byte {
	if i == len(b) {
		return nil
	}
	end := i
	switch b[i] {
	case '{', '[':
		for depth := 0; end < len(b); end++ {
			switch b[end] {
			case '"':
				end = quoted(b, end) - 1
			case '{', '[':
				depth++
			case '}', ']':
				if depth--; depth == 0 {
					return b[i : end+1]
				}
			}
		}
		return b[i:]
	case '"':
		end = quoted(b, i)
	default:
		for end < len(b) && b[end] > ' ' && b[end] != ',' && b[end] != ']' && b[end] != '}' {
			end++
		}
	}
	if end == i || end >= len(b) {
		return nil
	}
	return b[i:end]
}

// quoted is where the string that begins at b[i] has ended, or len(b).
func quoted(b []byte, i int) int {
	for i++; i < len(b); i++ {
		switch b[i] {
		case '"':
			return i + 1
		case '\\':
			i++
		}
	}
	return len(b)
}

func space(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\t' || b[i] == '\r' || b[i] == '\n') {
		i++
	}
	return i
}

// text is what a raw string, number or word says; "" for anything else.
func text(v []byte) string {
	switch {
	case v[0] == '{' || v[0] == '[' || string(v) == "null":
		return ""
	case v[0] != '"':
		return string(cut(v))
	case bytes.IndexByte(cut(v), '\\') >= 0 && len(v) <= 6*maxValue:
		var s string
		if json.Unmarshal(v, &s) == nil {
			return cut(s)
		}
	}
	return string(cut(v[1 : len(v)-1]))
}

// fields are the names and raw values of a form.
func fields(b []byte) iter.Seq2[[]byte, []byte] {
	return func(yield func(name, value []byte) bool) {
		for pair := range bytes.SplitSeq(b, []byte("&")) {
			if name, value, ok := bytes.Cut(pair, []byte("=")); ok && !yield(name, value) {
				return
			}
		}
	}
}

// unescape decodes as much of a form's value as fits into dst, and says how
// much that is.
func unescape(dst, src []byte) (n int) {
	for i := 0; i < len(src) && n < len(dst); i++ {
		c := src[i]
		switch c {
		case '+':
			c = ' '
		case '%':
			if i+2 < len(src) {
				if x, err := strconv.ParseUint(string(src[i+1:i+3]), 16, 8); err == nil {
					c, i = byte(x), i+2
				}
			}
		}
		dst[n] = c
		n++
	}
	return n
}
