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

// Nearest is the word that a person may have meant by s, or "".
func Nearest(s string, words []string) string {
	if s = strings.ToLower(s); len(s) < 2 || len(s) > 20 {
		return ""
	}
	best, least := "", 1+min(2, len(s)/3)
	for _, w := range words {
		if strings.HasPrefix(w, s) || len(w) > 2 && strings.HasPrefix(s, w) {
			return w
		}
		if d := distance(s, w); d < least {
			best, least = w, d
		}
	}
	return best
}

// distance is how many letters to add, drop, change or swap with their
// neighbour to get from a to b.
func distance(a, b string) int {
	var older []int
	old := make([]int, len(b)+1)
	for j := range old {
		old[j] = j
	}
	for i := range len(a) {
		row := append(make([]int, 0, len(b)+1), i+1)
		for j := range len(b) {
			d := min(old[j+1], row[j]) + 1
			if a[i] == b[j] {
				d = min(d, old[j])
			}
			d = min(d, old[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				d = min(d, older[j-1]+1)
			}
			row = append(row, d)
		}
		older, old = old, row
	}
	return old[len(b)]
}
