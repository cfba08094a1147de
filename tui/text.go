package tui

import (
	"bytes"
	"strings"
	"unicode"
	"unicode/utf8"

	"code.hooktape.dev/hooktape/capture/safe"
)

// text is lines to look at: a body, a head. It does not change once made.
type text struct {
	lines  []textLine
	hex    []byte // instead of lines: bytes, sixteen a line
	number bool   // lines are numbered
	rows   []textRow
}

// textLine is a line, safe for a terminal, and what it is.
type textLine struct {
	kind kind
	text string
}

type kind uint8

const (
	words  kind = iota
	asJSON      // coloured as such
	header      // Name: value
	faint
	wrong // an error
)

// textRow is a piece of a line that was folded.
type textRow struct {
	line     int
	from, to int
	inString bool
}

func (t *text) add(k kind, lines ...string) {
	for _, l := range lines {
		t.lines = append(t.lines, textLine{k, l})
	}
}

// fold makes rows of at most w cells.
func (t *text) fold(w int) {
	if t.hex != nil || w < 1 {
		return
	}
	t.rows = make([]textRow, 0, len(t.lines))
	for i, l := range t.lines {
		from, in := 0, false
		for len(l.text)-from > w {
			n := prefix(l.text[from:], w)
			if from+n >= len(l.text) {
				break
			}
			t.rows = append(t.rows, textRow{i, from, from + n, in})
			in = l.kind == asJSON && inString(l.text[from:from+n], in)
			from += n
		}
		t.rows = append(t.rows, textRow{i, from, len(l.text), in})
	}
}

// prefix is how many bytes of s fill w cells, at least one character's.
func prefix(s string, w int) int {
	n := 0
	for n < len(s) {
		_, size := utf8.DecodeRuneInString(s[n:])
		if size > 1 { // its cells may hang together with the next
			size = max(size, cluster(s[n:]))
		}
		cells := safe.Width(s[n : n+size])
		if cells > w && n > 0 {
			break
		}
		w -= cells
		n += size
		if w <= 0 {
			break
		}
	}
	for n < len(s) { // what combines with the last one stays with it
		r, size := utf8.DecodeRuneInString(s[n:])
		if !unicode.Is(unicode.M, r) {
			break
		}
		n += size
	}
	return n
}

// cluster is the length of the first character of s with what combines with
// it.
func cluster(s string) int {
	_, n := utf8.DecodeRuneInString(s)
	for n < len(s) {
		r, size := utf8.DecodeRuneInString(s[n:])
		if !unicode.Is(unicode.M, r) {
			break
		}
		n += size
	}
	return n
}

// len is how many rows there are.
func (t *text) len() int {
	switch {
	case t == nil:
		return 0
	case t.hex != nil:
		return (len(t.hex) + 15) / 16
	case t.rows != nil:
		return len(t.rows)
	}
	return len(t.lines)
}

// row is a row's place in its line.
func (t *text) row(i int) textRow {
	if t.rows != nil {
		return t.rows[i]
	}
	return textRow{line: i, to: len(t.lines[i].text)}
}

// rowOf is the row that shows byte at of a line.
func (t *text) rowOf(line, at int) int {
	if t.rows == nil {
		return line
	}
	lo, hi := 0, len(t.rows)-1
	for lo < hi { // the last row that begins at or before it
		mid := (lo + hi + 1) / 2
		if r := t.rows[mid]; r.line < line || r.line == line && r.from <= at {
			lo = mid
		} else {
			hi = mid - 1
		}
	}
	return lo
}

// hit is where a text was found.
type hit struct{ line, at, n int }

const maxHits = 100_000

// search finds what in every line, or in the bytes, in upper or lower case unless it has an
// upper case letter itself.
func (t *text) search(what string) []hit {
	if what == "" || t == nil {
		return nil
	}
	var hits []hit
	for at := 0; t.hex != nil && len(hits) < maxHits; at += len(what) {
		j := bytes.Index(t.hex[at:], []byte(what))
		if j < 0 {
			return hits
		}
		at += j
		hits = append(hits, hit{at / 16, at % 16, len(what)})
	}
	lower := strings.ToLower(what) == what
	for i, l := range t.lines {
		s := l.text
		if low := strings.ToLower(s); lower && len(low) == len(s) {
			s = low
		}
		for at := 0; len(hits) < maxHits; {
			j := strings.Index(s[at:], what)
			if j < 0 {
				break
			}
			hits = append(hits, hit{i, at + j, len(what)})
			at += j + len(what)
		}
	}
	return hits
}

// draw draws a row in w cells, from column left on.
func (t *text) draw(th *theme, i, left, w int, hits []hit) string {
	if t.hex != nil {
		s := span{plain, strings.Join(safe.Hex(t.hex, i*16, 1), "")}
		for _, h := range hits {
			if h.line == i {
				s.role = matched
			}
		}
		return th.line(w, skip([]span{s}, left)...)
	}
	r := t.row(i)
	l := t.lines[r.line]
	s := l.text[r.from:r.to]
	if most := 4*(left+w) + 64; len(s) > most {
		s = strings.ToValidUTF8(s[:most], "")
	}
	spans := highlight(l.kind, s, r.inString)
	for _, h := range hits {
		if h.line == r.line && h.at < r.to && h.at+h.n > r.from {
			spans = overlay(spans, h.at-r.from, h.at-r.from+h.n)
		}
	}
	return th.line(w, skip(spans, left)...)
}

func highlight(k kind, s string, in bool) []span {
	switch k {
	case asJSON:
		return jsonSpans(s, in)
	case header:
		if name, value, ok := strings.Cut(s, ": "); ok {
			return []span{{jsonKey, name + ": "}, {plain, value}}
		}
	case faint:
		return []span{{dim, s}}
	case wrong:
		return []span{{bad, s}}
	}
	return []span{{plain, s}}
}

// overlay marks the bytes from begin to end of spans as a match.
func overlay(spans []span, begin, end int) []span {
	var out []span
	at := 0
	for _, s := range spans {
		b := min(max(begin-at, 0), len(s.text))
		e := min(max(end-at, 0), len(s.text))
		at += len(s.text)
		out = append(out, span{s.role, s.text[:b]}, span{matched, s.text[b:e]}, span{s.role, s.text[e:]})
	}
	return out
}

// skip leaves the first cells of spans out.
func skip(spans []span, cells int) []span {
	for cells > 0 && len(spans) > 0 {
		s := &spans[0]
		if w := safe.Width(s.text); w <= cells {
			cells -= w
			spans = spans[1:]
			continue
		}
		s.text = s.text[prefix(s.text, cells):]
		break
	}
	return spans
}
