// Package safe turns what somebody else sent into text that may be written
// to a terminal or a log. It is the only way from a payload, a path, a
// header, a file name or a target's error text to a screen.
//
// It promises that nothing it returns can move the cursor, ring, set the
// clipboard or the title, or turn text around. Every string is valid UTF-8
// and holds graphic characters only, in the sense of Go's Unicode tables: no
// C0, C1 or DEL, no format, private or unassigned characters, and no line
// ends. Applied to its own output, each function changes nothing.
//
//	control characters, DEL       their pictures: ␀ … ␊ ␍ ␛ ␡
//	tab                           two spaces (Block: up to the next column of 8)
//	invalid UTF-8                 U+FFFD a byte
//	C1, bidi controls, tags, zero-width space and other invisible
//	characters, U+2028, U+2029, private use, unassigned
//	                              U+FFFD
//	joiners, soft hyphen, byte order mark, variation selectors, skin tones
//	                              dropped: ordinary text has them, and
//	                              terminals disagree about their width
//	combining marks               at most 6 on a character; U+FFFD where
//	                              there is none for them to stand on
//
// It does not decide what is secret, and it adds no colour: style comes after.
package safe

import (
	"unicode"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"
)

// MaxBytes is how much LineBytes reads.
const MaxBytes = 64 << 10

// maxMarks keeps a stack of combining marks from painting over its
// neighbours. Hebrew with cantillation needs five.
const maxMarks = 6

// dropped are characters that only shape what is beside them.
var dropped = &unicode.RangeTable{
	R16: []unicode.Range16{
		{Lo: 0x00ad, Hi: 0x00ad, Stride: 1}, // soft hyphen
		{Lo: 0x180b, Hi: 0x180d, Stride: 1}, // Mongolian variation selectors
		{Lo: 0x180f, Hi: 0x180f, Stride: 1},
		{Lo: 0x200c, Hi: 0x200d, Stride: 1}, // joiners
		{Lo: 0xfe00, Hi: 0xfe0f, Stride: 1}, // variation selectors
		{Lo: 0xfeff, Hi: 0xfeff, Stride: 1}, // byte order mark
	},
	R32: []unicode.Range32{
		{Lo: 0x1f3fb, Hi: 0x1f3ff, Stride: 1}, // skin tones
		{Lo: 0xe0100, Hi: 0xe01ef, Stride: 1}, // variation selectors
	},
	LatinOffset: 1,
}

// Line is s on one line. It returns s itself when all of it is printable
// ASCII, and is never longer than three times s.
func Line(s string) string {
	if printable(s) {
		return s
	}
	return string(appendLine(make([]byte, 0, len(s)+len(s)/8), s))
}

// LineBytes is the first MaxBytes of b as Line shows them, with … behind
// them when b is longer.
func LineBytes(b []byte) string {
	if len(b) <= MaxBytes {
		return Line(string(b))
	}
	return Line(head(string(b[:MaxBytes]))) + "…"
}

// Cut is Line of s in at most width cells, ending in … when that is not all
// of it. However long s is, it reads no more than it needs.
func Cut(s string, width int) string {
	if len(s) <= width && printable(s) {
		return s
	}
	width = max(width, 0)
	// 32 bytes a cell leave room for marks and for what is dropped.
	more := len(s) > 32*(width+1)
	if more {
		s = head(s[:32*(width+1)])
	}
	line := Line(s)
	fits, cells := 0, 0 // bytes of line that leave a cell for …
	for at := 0; at < len(line) && cells <= width; {
		w, n := first(line[at:])
		cells += w
		if at += n; cells < width {
			fits = at
		}
	}
	switch {
	case cells <= width && !more:
		return line
	case width == 0:
		return ""
	}
	return line[:fits] + "…"
}

// Width is how many cells of a terminal Line of s takes.
//
// It is the sum of its characters' widths, as terminals and tmux count unless
// told otherwise. ansi.StringWidth counts clusters, which makes any number of
// joined Indic syllables or Hangul letters as wide as one.
func Width(s string) int {
	if printable(s) {
		return len(s)
	}
	return cells(Line(s))
}

// cells is the width of what Line made.
func cells(line string) int {
	sum := 0
	for at := 0; at < len(line); {
		w, n := first(line[at:])
		sum += w
		at += n
	}
	return sum
}

// first is the width and the length of the first character of what Line made.
func first(line string) (width, bytes int) {
	r, n := utf8.DecodeRuneInString(line)
	switch {
	case above(r) && !unicode.Is(unicode.Mc, r):
		return 0, n
	case r < 0x1100 || r >= 0x1f1e6 && r <= 0x1f1ff: // nothing wide; half a flag
		return 1, n
	}
	return ansi.StringWidth(line[:n]), n
}

// above reports whether r stands on the character before it: combining marks,
// and the vowels and finals of Hangul written in single letters.
func above(r rune) bool {
	return r >= 0x300 && (unicode.Is(unicode.M, r) || r >= 0x1160 && r <= 0x11ff || r >= 0xd7b0 && r <= 0xd7fb)
}

// printable reports whether all of s is printable ASCII.
func printable(s string) bool {
	for i := range len(s) {
		if s[i]-0x20 > 0x7e-0x20 {
			return false
		}
	}
	return true
}

// head is s without the character that a cut through its bytes left
// unfinished at the end.
func head(s string) string {
	for i := 1; i < utf8.UTFMax && i <= len(s); i++ {
		if c := s[len(s)-i]; utf8.RuneStart(c) {
			if !utf8.FullRuneInString(s[len(s)-i:]) {
				return s[:len(s)-i]
			}
			break
		}
	}
	return s
}

func appendLine(b []byte, s string) []byte {
	marks := 0 // on the last character
	start := len(b)
	for _, r := range s { // invalid bytes come as U+FFFD
		switch {
		case r == '\t':
			b = append(b, "  "...)
			marks = 0
		case r < ' ':
			b = utf8.AppendRune(b, 0x2400+r)
			marks = 0
		case r < 0x7f:
			b = append(b, byte(r))
			marks = 0
		case r == 0x7f:
			b = append(b, "␡"...)
			marks = 0
		case unicode.Is(dropped, r):
		case !unicode.IsGraphic(r) || unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r):
			b = append(b, "\uFFFD"...)
			marks = 0
		case above(r) && len(b) > start:
			if marks++; marks <= maxMarks {
				b = utf8.AppendRune(b, r)
			}
		case above(r):
			b = append(b, "\uFFFD"...)
		default:
			b = utf8.AppendRune(b, r)
			marks = 0
		}
	}
	return b
}
