package tui

import (
	"strings"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/safe"
)

// role is what a piece of text is for; a theme says how that looks.
type role uint8

const (
	plain role = iota
	dim
	title
	good
	bad
	warn
	info
	selected
	hint // a key, in hints and help
	matched
	jsonKey
	jsonString
	jsonNumber
	jsonWord
	roles
)

// theme is how everything looks: for each role the parameters of an SGR
// sequence, "" for none.
type theme struct {
	name string
	sgr  [roles]string
}

// themes, in the order T cycles through them. ansi uses the terminal's own
// sixteen colours, cvd never sets red against green, mono has no colour.
var themes = []theme{
	{"ansi", [roles]string{dim: "90", title: "1", good: "32", bad: "31", warn: "33", info: "36", selected: "7", hint: "36", matched: "30;43",
		jsonKey: "34", jsonString: "32", jsonNumber: "33", jsonWord: "35"}},
	{"dark", [roles]string{dim: "38;5;245", title: "1;38;5;255", good: "38;5;114", bad: "38;5;210", warn: "38;5;221", info: "38;5;117", selected: "48;5;238;38;5;255;1", hint: "38;5;117", matched: "48;5;221;38;5;16",
		jsonKey: "38;5;117", jsonString: "38;5;150", jsonNumber: "38;5;216", jsonWord: "38;5;183"}},
	{"light", [roles]string{dim: "38;5;243", title: "1;38;5;16", good: "38;5;28", bad: "38;5;160", warn: "38;5;130", info: "38;5;25", selected: "48;5;253;38;5;16;1", hint: "38;5;25", matched: "48;5;220;38;5;16",
		jsonKey: "38;5;25", jsonString: "38;5;28", jsonNumber: "38;5;130", jsonWord: "38;5;90"}},
	{"cvd", [roles]string{dim: "38;5;245", title: "1", good: "38;5;75", bad: "1;38;5;208", warn: "38;5;228", info: "38;5;159", selected: "7", hint: "38;5;159", matched: "48;5;228;38;5;16",
		jsonKey: "38;5;159", jsonString: "38;5;75", jsonNumber: "38;5;228", jsonWord: "38;5;208"}},
	{"mono", [roles]string{dim: "2", title: "1", bad: "1", warn: "4", selected: "7", hint: "1", matched: "7", jsonKey: "1"}},
}

// themeNamed is the theme of that name, the first one when there is none.
func themeNamed(name string) *theme {
	for i := range themes {
		if themes[i].name == name {
			return &themes[i]
		}
	}
	return &themes[0]
}

// paint writes text, which must be safe for a terminal, as its role looks.
func (t *theme) paint(b *strings.Builder, r role, text string) {
	if t.sgr[r] == "" || text == "" {
		b.WriteString(text)
		return
	}
	b.WriteString("\x1b[")
	b.WriteString(t.sgr[r])
	b.WriteByte('m')
	b.WriteString(text)
	b.WriteString("\x1b[m")
}

// span is a piece of a line.
type span struct {
	role role
	text string
}

// line draws spans, cut to w cells.
func (t *theme) line(w int, spans ...span) string {
	var b strings.Builder
	t.draw(&b, w, spans)
	return b.String()
}

// draw is line into a builder; it returns the cells that were left over.
func (t *theme) draw(b *strings.Builder, w int, spans []span) int {
	for _, s := range spans {
		if w <= 0 {
			return 0
		}
		text := safe.Cut(s.text, w)
		t.paint(b, s.role, text)
		w -= safe.Width(text)
	}
	return w
}

// spread draws a line of exactly w cells with right at its right edge. The
// right side is the one that stays whole.
func (t *theme) spread(w int, left, right []span) string {
	room := max(0, w-width(right))
	var b strings.Builder
	left2 := t.draw(&b, room, left)
	b.WriteString(spaces(left2))
	t.draw(&b, w, right)
	return b.String()
}

// rule draws a horizontal line with a text in it.
func (t *theme) rule(w int, text string) string {
	if text != "" {
		text = "── " + safe.Cut(text, max(0, w-6)) + " "
	}
	return t.line(w, span{dim, text + strings.Repeat("─", max(0, w-safe.Width(text)))})
}

func width(spans []span) (w int) {
	for _, s := range spans {
		w += safe.Width(s.text)
	}
	return w
}

// look is the glyph, the word and the role of an event's state. The words
// alone tell the states apart.
func look(s capture.State) (glyph, word string, r role) {
	switch s {
	case capture.Captured:
		return "·", "KEPT", dim
	case capture.Pending:
		return "…", "PEND", info
	case capture.Retrying:
		return "↻", "RETRY", warn
	case capture.OK:
		return "✓", "OK", good
	case capture.Failed:
		return "✗", "FAIL", bad
	case capture.Rejected:
		return "!", "REFUSED", bad
	}
	return "?", strings.ToUpper(safe.Line(string(s))), plain
}

// asciiGlyphs are what our own glyphs become on terminals that have only
// ASCII. Every one is a single cell wide, and stays so.
var asciiGlyphs = strings.NewReplacer("✓", "+", "✗", "x", "↻", "~", "…", ".", "‖", "=", "·", "-", "●", "*", "│", "|", "─", "-",
	"‹", "<", "›", ">", "→", ">", "↑", "^", "↓", "v", "←", "<", "█", "#", "▏", "|", "▁", "_", "▂", ".", "▃", ":", "▄", "-", "▅", "=", "▆", "+", "▇", "*", "•", "*", "—", "-", "–", "-", "○", "o")

// toASCII makes a drawn frame ASCII without moving a cell.
func toASCII(frame string) string {
	frame = asciiGlyphs.Replace(frame)
	var b strings.Builder
	for _, r := range frame {
		if r < 0x80 {
			b.WriteRune(r)
			continue
		}
		b.WriteString(strings.Repeat("?", safe.Width(string(r))))
	}
	return b.String()
}
