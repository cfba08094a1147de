package capture

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Raw is text that may hold any byte, because a stranger sent it. In JSON it
// is a string; a byte that is not part of valid UTF-8 is written as the lone
// surrogate \udc80 to \udcff, as Python's surrogateescape has it (PEP 383),
// so that nothing is lost and a record's members never change their type.
type Raw string

// MarshalJSON implements json.Marshaler.
func (r Raw) MarshalJSON() ([]byte, error) {
	s := string(r)
	if utf8.ValidString(s) {
		return json.Marshal(s)
	}
	out := []byte{'"'}
	for s != "" {
		n := validPrefix(s)
		valid, err := json.Marshal(s[:n])
		if err != nil {
			return nil, err
		}
		out = append(out, valid[1:len(valid)-1]...)
		if s = s[n:]; s != "" {
			out = fmt.Appendf(out, `\udc%02x`, s[0])
			s = s[1:]
		}
	}
	return append(out, '"'), nil
}

// validPrefix is how many bytes of s are valid UTF-8, from its beginning.
func validPrefix(s string) int {
	for i, c := range s {
		if c == utf8.RuneError {
			if _, n := utf8.DecodeRuneInString(s[i:]); n == 1 {
				return i
			}
		}
	}
	return len(s)
}

// UnmarshalJSON implements json.Unmarshaler.
func (r *Raw) UnmarshalJSON(b []byte) error {
	text := string(b)
	if !strings.Contains(strings.ToLower(text), `\udc`) {
		var s string
		err := json.Unmarshal(b, &s)
		*r = Raw(s)
		return err
	}
	var out strings.Builder
	add := func(inside string) error {
		var s string
		err := json.Unmarshal([]byte(`"`+inside+`"`), &s)
		out.WriteString(s)
		return err
	}
	text = text[1 : len(text)-1]
	begin := 0 // of what is not yet decoded
	for i := 0; i < len(text); {
		if text[i] != '\\' {
			i++
			continue
		}
		if i+6 > len(text) || text[i+1] != 'u' {
			i += 2
			continue
		}
		code, err := strconv.ParseUint(text[i+2:i+6], 16, 16)
		if err != nil {
			return fmt.Errorf("escape %q: %w", text[i:i+6], err)
		}
		i += 6
		switch {
		case code >= 0xd800 && code < 0xdc00: // the first half of a pair: the second belongs to it
			i += 6
		case code >= 0xdc80 && code <= 0xdcff:
			if err := add(text[begin : i-6]); err != nil {
				return err
			}
			out.WriteByte(byte(code))
			begin = i
		}
	}
	err := add(text[begin:])
	*r = Raw(out.String())
	return err
}
