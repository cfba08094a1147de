package tui

import (
	"encoding/json"
	"strings"

	tea "github.com/charmbracelet/bubbletea"
)

// entry is a screen that is a form, but for what it is called and what saving
// does.
type entry struct {
	base
	form
	in   place
	busy string // what it does just now, as people read it; "": it waits for keys
	// asks has it asked before changes are discarded.
	asks bool
}

func (f *entry) Place() place { return f.in }
func (f *entry) Typing() bool { return true }

// key does what a key means in a form, or takes it as text.
func (f *entry) key(k tea.KeyMsg, save func() tea.Cmd) tea.Cmd {
	if c, ok := press(f.table, k, f.in); ok && c.in&f.in != 0 && !k.Paste {
		switch {
		case c.action == back && f.asks && f.changed():
			f.dialog = &confirm{"discard what was changed?", send(popMsg{})}
			return nil
		case c.action == back:
			return send(popMsg{})
		case c.action == saveForm:
			return save()
		case f.act(c.action):
			return nil
		}
	}
	f.typed(k)
	return nil
}

func (f *entry) View(w, h int) string {
	return strings.Join(f.lines(f.theme, w, h), "\n")
}

// Tell is what the message line says of the field.
func (f *entry) Tell() (left, right []span) {
	if f.busy != "" {
		return []span{{info, " " + f.busy + "…"}}, nil
	}
	return f.tell()
}

// keep asks for what the form says to be kept, as ask makes a question of: with
// a JSON merge patch of what was changed where there is something already, and
// with none where patch is nil. ok is false where a field cannot be read.
func (f *entry) keep(ok bool, patch func() map[string]any, ask func(json.RawMessage) func() tea.Msg) tea.Cmd {
	if !ok {
		return send(noteMsg{"not saved: " + f.inputs[f.at].label + ": " + f.inputs[f.at].bad, true})
	}
	var changes json.RawMessage
	if patch != nil {
		var err error
		if changes, err = json.Marshal(patch()); err != nil {
			return send(noteMsg{"not saved: " + err.Error(), true})
		}
		if string(changes) == "{}" {
			return tea.Sequence(send(popMsg{}), note("nothing was changed"))
		}
	}
	f.busy = "saving"
	return f.ask(ask(changes))
}
