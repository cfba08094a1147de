package capture

import (
	"fmt"
	"strings"
)

// Meant says, in a format with one verb, the word that a person may have meant
// by s: "; did you mean %q?". It is "" where there is none.
func Meant(format, s string, words []string) string {
	if near := Nearest(s, words); near != "" {
		return fmt.Sprintf(format, near)
	}
	return ""
}

// Nearest is the word that a person may have meant by s, or "".
func Nearest(s string, words []string) string {
	if s = strings.ToLower(s); len(s) < 2 || len(s) > 64 {
		return ""
	}
	best, least := "", 1+min(2, len(s)/3)
	for _, w := range words {
		if strings.HasPrefix(w, s) || len(w) > 2 && strings.HasPrefix(s, w) {
			return w
		}
		if d := Edits(s, w); d < least {
			best, least = w, d
		}
	}
	return best
}

// Edits is how many letters to add, drop, change or swap with their
// neighbour to get from a to b.
func Edits(a, b string) int {
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
