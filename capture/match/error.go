package match

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// SyntaxError says what is wrong with a text, where, and what to try instead.
type SyntaxError struct {
	Text     string // all of it
	Pos, Len int    // the spot, in bytes
	Msg      string
	Hint     string // what to try; may be empty
}

// Error is one line: what, where, and the hint.
func (e *SyntaxError) Error() string {
	before, _, _ := e.cut()
	s := fmt.Sprintf("%s at column %d", e.Msg, utf8.RuneCountInString(before)+1)
	if e.Hint != "" {
		s += ": " + e.Hint
	}
	return s
}

// Caret is two lines: the text around the spot, and ^~~~ under it. What a
// terminal would not print stands there as U+FFFD.
func (e *SyntaxError) Caret() string {
	before, spot, after := e.cut()
	b, s, a := visible(before), visible(spot), visible(after)
	if len(b) > 40 {
		b = append([]rune("…"), b[len(b)-39:]...)
	}
	if len(s) > 40 {
		s, a = s[:40], []rune("…")
	}
	if len(a) > 20 {
		a = append(a[:19:19], '…')
	}
	return string(b) + string(s) + string(a) + "\n" +
		strings.Repeat(" ", len(b)) + "^" + strings.Repeat("~", max(len(s)-1, 0))
}

func (e *SyntaxError) cut() (before, spot, after string) {
	pos := min(max(e.Pos, 0), len(e.Text))
	end := min(pos+max(e.Len, 0), len(e.Text))
	return e.Text[:pos], e.Text[pos:end], e.Text[end:]
}

func visible(s string) []rune { return []rune(strings.Map(printable, s)) }
