package tui

import (
	tea "github.com/charmbracelet/bubbletea"

	"code.hooktape.dev/hooktape/capture/safe"
)

// A dialog is a question on the message line. It has all keys until it is
// done.
type dialog interface {
	// key takes a key; done closes the dialog and runs the command.
	key(tea.KeyMsg) (done bool, _ tea.Cmd)
	spans(w int) []span
}

// A tall dialog also covers the lower part of the screen.
type tall interface {
	panel(t *theme, w int) []string
}

// confirm asks before something that cannot be undone. Only y does it.
type confirm struct {
	question string
	yes      tea.Cmd
}

func (c *confirm) key(k tea.KeyMsg) (bool, tea.Cmd) {
	if k.String() == "y" {
		return true, c.yes
	}
	return true, note("nothing done")
}

func (c *confirm) spans(int) []span {
	return []span{{warn, " " + c.question}, {hint, " y"}, {plain, " yes "}, {hint, " n"}, {plain, " no"}}
}

// prompt asks for a line of text.
type prompt struct {
	label string
	field field
	done  func(string) tea.Cmd
}

func (p *prompt) key(k tea.KeyMsg) (bool, tea.Cmd) {
	switch k.Type {
	case tea.KeyEnter:
		return true, p.done(p.field.text())
	case tea.KeyEsc, tea.KeyCtrlC:
		return true, nil
	}
	p.field.typed(k)
	return false, nil
}

func (p *prompt) spans(w int) []span {
	label := " " + p.label + " "
	return append([]span{{hint, label}}, p.field.spans(w-len(label))...)
}

// menu asks which of a few things.
type menu struct {
	title string
	items []item
}

// item is one of them. Several keys may choose it; the first is shown.
type item struct {
	keys string
	name string
	do   tea.Cmd
}

func (m *menu) key(k tea.KeyMsg) (bool, tea.Cmd) {
	for _, it := range m.items {
		for _, r := range it.keys {
			if k.String() == string(r) {
				return true, it.do
			}
		}
	}
	return true, nil
}

func (m *menu) spans(int) []span {
	s := []span{{title, " " + m.title}}
	for _, it := range m.items {
		s = append(s, span{hint, "  " + it.keys[:1]}, span{plain, " " + it.name})
	}
	return append(s, span{hint, "  esc"}, span{plain, " none"})
}

// offer says something, and what enter does about it. Any other key is for
// whatever it would have been for.
type offer struct {
	says  string
	look  role
	does  string
	enter tea.Cmd
}

func (o *offer) key(k tea.KeyMsg) (bool, tea.Cmd) {
	if k.Type == tea.KeyEnter {
		return true, o.enter
	}
	return true, send(k)
}

func (o *offer) spans(w int) []span {
	tail := "  enter " + o.does
	return []span{{o.look, safe.Cut(" "+o.says, w-len(tail))}, {hint, "  enter"}, {plain, " " + o.does}}
}
