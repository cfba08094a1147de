package tui

import (
	"github.com/charmbracelet/bubbles/textinput"
	tea "github.com/charmbracelet/bubbletea"

	"code.hooktape.dev/hooktape/capture/safe"
)

// field is a line of text being typed. The editing is that of
// bubbles/textinput; the drawing is ours, for what is pasted is not to be
// trusted either.
type field struct{ in textinput.Model }

func newField(text string) field {
	in := textinput.New()
	in.KeyMap.Paste.SetEnabled(false) // it would read the clipboard of the machine we run on
	in.SetValue(text)
	in.CursorEnd()
	in.Focus()
	return field{in}
}

func (f *field) text() string { return f.in.Value() }

// typed takes a key or a paste, and reports whether the text is another now.
func (f *field) typed(k tea.KeyMsg) bool {
	before := f.in.Value()
	f.in, _ = f.in.Update(k)
	return f.in.Value() != before
}

// spans draws the text with its cursor in about w cells, scrolled so that
// the cursor is among them.
func (f *field) spans(w int) []span {
	runes, at := []rune(f.in.Value()), f.in.Position()
	under, after := " ", ""
	if at < len(runes) {
		under, after = safe.Line(string(runes[at])), safe.Line(string(runes[at+1:]))
	}
	if safe.Width(under) == 0 {
		under = " "
	}
	before := runes[:at]
	for len(before) > 0 && safe.Width(safe.Line(string(before))) > max(1, w-2) {
		before = before[max(1, len(before)/4):]
	}
	head := safe.Line(string(before))
	return []span{{plain, head}, {selected, under}, {plain, safe.Cut(after, w-safe.Width(head)-safe.Width(under))}}
}
