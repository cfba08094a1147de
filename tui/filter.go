package tui

import (
	"errors"
	"strings"

	tea "github.com/charmbracelet/bubbletea"

	"code.hooktape.dev/hooktape/capture/match"
	"code.hooktape.dev/hooktape/capture/safe"
)

// filter is the predicate a list is narrowed by, while it is typed and
// after. What is in force is the last text that could be read.
type filter struct {
	field  field
	typing bool
	text   string // in force
	terms  int
	bad    error // why what is typed is not in force
}

// edit begins typing.
func (f *filter) edit() {
	f.field, f.typing = newField(f.text), true
}

// typed takes a key and reports whether another text is in force.
func (f *filter) typed(k tea.KeyMsg) bool {
	if k.Type == tea.KeyEnter {
		f.typing, f.bad = false, nil
		return false
	}
	return f.field.typed(k) && f.set(f.field.text())
}

// set puts text in force if it can be read.
func (f *filter) set(text string) bool {
	text = strings.TrimSpace(text)
	var p *match.Predicate
	if p, f.bad = match.Parse(text); f.bad != nil {
		return false
	}
	changed := text != f.text
	f.text, f.terms = text, p.Terms()
	return changed
}

// clear takes the filter away.
func (f *filter) clear() bool {
	changed := f.text != ""
	*f = filter{}
	return changed
}

// verdict says whether what is typed can be read.
func (f *filter) verdict() span {
	if f.bad == nil {
		if f.text == "" {
			return span{dim, "words, type:invoice.* status:5xx is:failed …"}
		}
		return span{good, "ok: " + count(f.terms, "term")}
	}
	var at *match.SyntaxError
	if !errors.As(f.bad, &at) {
		return span{bad, "bad: " + safe.Line(f.bad.Error())}
	}
	begin := min(max(at.Pos, 0), len(at.Text))
	end := min(begin+max(at.Len, 0), len(at.Text))
	begin = strings.LastIndexByte(at.Text[:begin], ' ') + 1 // the whole term: status:5z
	says := at.Hint
	if says == "" {
		says = at.Msg
	}
	return span{bad, "bad: " + safe.Line(strings.TrimSpace(at.Text[begin:end]+" — "+says))}
}
