package safe

import (
	"encoding/hex"
	"fmt"
	"strings"
)

// tabStop is how far apart Block's tab stops are.
const tabStop = 8

// Block is the lines of b, each as Line shows it but with tabs expanded to
// columns of 8. Only a newline ends a line, and the last one may lack it. A
// carriage return is shown as ␍ wherever it is, before a newline too: whoever
// looks for the reason why a signature does not match must see CRLF.
func Block(b []byte) []string {
	if len(b) == 0 {
		return nil
	}
	text := strings.TrimSuffix(string(b), "\n")
	lines := make([]string, 0, strings.Count(text, "\n")+1)
	for l := range strings.SplitSeq(text, "\n") {
		lines = append(lines, expand(l))
	}
	return lines
}

// expand is Line of s with its tabs as wide as they are after what precedes
// them.
func expand(s string) string {
	if !strings.Contains(s, "\t") {
		return Line(s)
	}
	out := make([]byte, 0, len(s)+4*tabStop)
	column := 0
	for {
		part, rest, tab := strings.Cut(s, "\t")
		if len(out) == 0 {
			part = Line(part)
		} else {
			part = Line(" " + part)[1:] // the tab is what a mark stands on
		}
		out = append(out, part...)
		if !tab {
			return string(out)
		}
		column += cells(part)
		n := tabStop - column%tabStop
		out = append(out, "        "[:n]...)
		column += n
		s = rest
	}
}

// Hex is at most rows lines of b from offset on, as `hexdump -C` prints
// them: offset, sixteen bytes, and the printable ASCII among them. Every line
// is 78 cells wide, or shorter where b ends.
func Hex(b []byte, offset int, rows int) []string {
	var lines []string
	for ; offset >= 0 && offset < len(b) && len(lines) < rows; offset += 16 {
		row := b[offset:min(offset+16, len(b))]
		var left, right strings.Builder
		for i, c := range row {
			if i == 8 {
				left.WriteByte(' ')
			}
			left.WriteString(hex.EncodeToString(row[i : i+1]))
			left.WriteByte(' ')
			if c < ' ' || c > '~' {
				c = '.'
			}
			right.WriteByte(c)
		}
		lines = append(lines, fmt.Sprintf("%08x  %-49s |%s|", offset, left.String(), right.String()))
	}
	return lines
}
