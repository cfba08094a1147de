package tui

import (
	tea "github.com/charmbracelet/bubbletea"

	"code.hooktape.dev/hooktape/capture/safe"
)

// finder is the search inside what is shown.
type finder struct {
	field  field
	typing bool
	text   string
	hits   []hit
	at     int
}

// foundIn is where a text was found in another.
type foundIn struct {
	in   *text
	what string
	hits []hit
}

func (f foundIn) run() tea.Msg {
	f.hits = f.in.search(f.what)
	return f
}

func (i *inspect) typed(k tea.KeyMsg) tea.Cmd {
	switch k.Type {
	case tea.KeyEsc:
		return i.clearFind()
	case tea.KeyEnter:
		i.find.typing = false
		return nil
	}
	if !i.find.field.typed(k) {
		return nil
	}
	i.find.text = safe.Line(i.find.field.text())
	return i.search()
}

func (i *inspect) clearFind() tea.Cmd {
	i.find = finder{}
	return nil
}

func (i *inspect) search() tea.Cmd {
	i.find.hits = nil
	if i.find.text == "" || i.text == nil {
		return nil
	}
	return i.ask(foundIn{in: i.text, what: i.find.text}.run)
}

// found takes the hits, and goes to the first one on view or below.
func (i *inspect) found(hits []hit) {
	i.find.hits, i.find.at = hits, 0
	for n, h := range hits {
		if i.text.rowOf(h.line, h.at) >= i.top() {
			i.find.at = n
			break
		}
	}
	i.step(0)
}

// step goes n matches on, around the end.
func (i *inspect) step(n int) {
	f := &i.find
	if len(f.hits) == 0 {
		return
	}
	f.at = (f.at + n + len(f.hits)) % len(f.hits)
	row := i.text.rowOf(f.hits[f.at].line, f.hits[f.at].at)
	if room := i.room(i.h); row < i.top() || row >= i.top()+room {
		i.tops[i.tab] = row - room/2
		i.scroll(0)
	}
}
