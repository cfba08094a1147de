package tui

import (
	"context"
	"fmt"
	"strings"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/safe"
)

// rule is all of one rule, read again every two seconds while it is on view.
type rule struct {
	base
	of    capture.ID
	all   []capture.RuleRow // as they were read last
	clock clock
	asked time.Time
	busy  bool
	sheet sheet
}

func newRule(k *kit, of capture.ID) *rule {
	return &rule{base: newBase(k), of: of}
}

func (r *rule) Place() place { return inRule }

func (r *rule) Title() string {
	if row := r.current(); row != nil {
		return "Rule " + safe.Line(called(row))
	}
	return "Rule"
}

// current is the rule, nil while it has not been read.
func (r *rule) current() *capture.RuleRow {
	for i := range r.all {
		if r.all[i].ID == r.of {
			return &r.all[i]
		}
	}
	return nil
}

// ruleRead is a question for it and its neighbours, rulesNow its answer.
type ruleRead struct {
	Rules
	ctx context.Context
}

type rulesNow struct {
	rows []capture.RuleRow
	err  error
}

func (q ruleRead) run() tea.Msg {
	rows, err := q.Rules.Rules(q.ctx, "")
	return rulesNow{rows, err}
}

func (r *rule) Update(msg tea.Msg) (screen, tea.Cmd) {
	var cmd tea.Cmd
	switch msg := msg.(type) {
	case action:
		cmd = r.act(msg)
	case sizeMsg:
		r.sheet.size(msg.w, msg.h)
		r.asked = time.Time{}
	case clockMsg:
		r.clock.ticking = false
	case rulesNow:
		cmd = r.take(msg)
	case ruleChanged:
		r.asked = time.Time{}
		cmd = msg.tell()
		if msg.gone && msg.err == nil {
			return r, tea.Sequence(send(popMsg{}), cmd)
		}
	}
	return r, tea.Batch(cmd, r.read(), r.wind(&r.clock, true))
}

// read asks for it, if it is on view and was read two seconds ago.
func (r *rule) read() tea.Cmd {
	if !r.showing(r.id) || r.busy || r.now().Sub(r.asked) < polled {
		return nil
	}
	r.asked, r.busy = r.now(), true
	return r.ask(ruleRead{r.Rules, r.ctx}.run)
}

func (r *rule) take(a rulesNow) tea.Cmd {
	r.busy = false
	if a.err != nil {
		return send(noteMsg{a.err.Error(), true})
	}
	if r.all = a.rows; r.current() == nil {
		return tea.Sequence(send(popMsg{}), send(noteMsg{fmt.Sprintf("the rule %s is gone", r.of), true}))
	}
	r.sheet.show(describeRule(r.current(), r.now()))
	return nil
}

func (r *rule) act(a action) tea.Cmd {
	switch {
	case r.sheet.act(a):
		return nil
	case a == back:
		return send(popMsg{})
	case a == open:
		return send(pushMsg{newOpened(r.kit, r.current().Event, "")})
	}
	return r.ruleAct(a, r.current(), r.all)
}

func (r *rule) Why(a action) string {
	if a == open && (r.current() == nil || r.current().Event == "") {
		return "it has not been applied to an event yet"
	}
	return ruleWhy(a, r.current(), r.all)
}

func (r *rule) View(w, h int) string {
	return strings.Join(r.sheet.lines(r.theme, w, h), "\n")
}
