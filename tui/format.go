package tui

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"code.hooktape.dev/hooktape/capture/safe"
)

const blanks = "                                                                                                                                "

// spaces is n spaces, none for a negative n.
func spaces(n int) string {
	if n <= 0 {
		return ""
	}
	if n <= len(blanks) {
		return blanks[:n]
	}
	return strings.Repeat(" ", n)
}

// pad is safe text in exactly w cells.
func pad(s string, w int) string {
	s = safe.Cut(s, w)
	return s + spaces(w-safe.Width(s))
}

// padLeft is pad with the text at the right.
func padLeft(s string, w int) string {
	s = safe.Cut(s, w)
	return spaces(w-safe.Width(s)) + s
}

// middle is safe text with what is too much for w cells taken out of its
// middle: of a URL, host and the end of the path tell most.
func middle(s string, w int) string {
	if safe.Width(s) <= w || w < 8 {
		return safe.Cut(s, w)
	}
	head := prefix(s, w/2-1)
	tail := len(s)
	for room := w - 1 - safe.Width(s[:head]); tail > head; {
		_, n := utf8.DecodeLastRuneInString(s[:tail])
		if room -= safe.Width(s[tail-n : tail]); room < 0 {
			break
		}
		tail -= n
	}
	return s[:head] + "…" + s[tail:]
}

// exactly makes lines h lines, no more and no fewer.
func exactly(lines []string, h int) []string {
	h = max(0, h)
	if len(lines) > h {
		return lines[:h]
	}
	for len(lines) < h {
		lines = append(lines, "")
	}
	return lines
}

// comma is n with its thousands apart: 12,408.
func comma(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// count is a number of things: 1 event, 3 events.
func count[N int | int64](n N, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return comma(int64(n)) + " " + thing + "s"
}

// size is a number of bytes in at most 8 cells.
func size(n int64) string {
	switch {
	case n < 10_000:
		return comma(n) + " B"
	case n < 1000<<10:
		return fmt.Sprintf("%.1f KiB", float64(n)/(1<<10))
	case n < 1000<<20:
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	}
	return fmt.Sprintf("%.1f GiB", float64(n)/(1<<30))
}

// short is a duration in at most 6 cells.
func short(d time.Duration) string {
	switch {
	case d <= 0:
		return "-"
	case d < 10*time.Millisecond:
		return fmt.Sprintf("%.1fms", float64(d)/1e6)
	case d < time.Second:
		return fmt.Sprintf("%dms", d.Milliseconds())
	case d < 10*time.Second:
		return fmt.Sprintf("%.2fs", d.Seconds())
	case d < 100*time.Second:
		return fmt.Sprintf("%.1fs", d.Seconds())
	case d < 100*time.Minute:
		return fmt.Sprintf("%dm%02ds", d/time.Minute, d%time.Minute/time.Second)
	}
	return fmt.Sprintf("%dh%02dm", d/time.Hour, d%time.Hour/time.Minute)
}

// lasts is a time to wait in words of at most 6 cells, to the second: 42s, 4m12s, 3h04m, 2d03h.
func lasts(d time.Duration) string {
	d = max(0, d).Round(time.Second)
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%ds", d/time.Second)
	case d < time.Hour:
		return fmt.Sprintf("%dm%02ds", d/time.Minute, d%time.Minute/time.Second)
	case d < 24*time.Hour:
		return fmt.Sprintf("%dh%02dm", d/time.Hour, d%time.Hour/time.Minute)
	case d < 100*24*time.Hour:
		return fmt.Sprintf("%dd%02dh", d/(24*time.Hour), d%(24*time.Hour)/time.Hour)
	}
	return fmt.Sprintf("%dd", d/(24*time.Hour))
}

// age is how long ago something was, roughly: 3s, 4m, 2h, 5d; - when never.
func age(now, then time.Time) string {
	if then.IsZero() {
		return "-"
	}
	d := max(0, now.Sub(then))
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%ds", d/time.Second)
	case d < time.Hour:
		return fmt.Sprintf("%dm", d/time.Minute)
	case d < 24*time.Hour:
		return fmt.Sprintf("%dh", d/time.Hour)
	}
	return fmt.Sprintf("%dd", d/(24*time.Hour))
}

// or is a, or b where a is nothing.
func or[T comparable](a, b T) T {
	var zero T
	if a != zero {
		return a
	}
	return b
}
