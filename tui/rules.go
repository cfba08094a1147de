package tui

import (
	"context"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"code.hooktape.dev/hooktape/capture"
)

// rules is the list of rules in the order they are asked. What they have done
// is no fact in the store, so while it is on view it is read again every two
// seconds.
type rules struct {
	base
	list  roll[capture.RuleRow]
	clock clock
	read  time.Time // when it was asked for last
	w, h  int
}

func newRules(k *kit) *rules {
	l := &rules{base: newBase(k)}
	l.list.key = func(r *capture.RuleRow) capture.ID { return r.ID }
	l.list.new = newAny
	return l
}

func (l *rules) Title() string { return "" }
func (l *rules) Place() place  { return inRules }

func (l *rules) Update(msg tea.Msg) (screen, tea.Cmd) {
	var cmd tea.Cmd
	switch msg := msg.(type) {
	case action:
		cmd = l.act(msg)
	case sizeMsg:
		l.w, l.h = msg.w, msg.h
		l.list.fit(msg)
		l.list.stale = true
	case clockMsg:
		l.clock.ticking = false
		l.list.stale = l.list.stale || l.now().Sub(l.read) >= polled
	case rulesLoaded:
		if l.list.merge(msg.rolled) && msg.err != nil {
			cmd = send(noteMsg{msg.err.Error(), true})
		}
	case ruleChanged:
		l.list.stale = true
		cmd = msg.tell()
	}
	return l, tea.Batch(cmd, l.load(), l.wind(&l.clock, true))
}

func (l *rules) act(a action) tea.Cmd {
	if l.list.act(a) {
		return nil
	}
	switch a {
	case back:
		return send(popMsg{})
	case open:
		return send(pushMsg{newRule(l.kit, l.list.selected().ID)})
	}
	return l.ruleAct(a, l.list.selected(), l.list.rows)
}

func (l *rules) Why(a action) string {
	if a == open && l.list.selected() == nil {
		return "no rule is selected"
	}
	return ruleWhy(a, l.list.selected(), l.list.rows)
}

// rulesLoad is a question for all rules.
type rulesLoad struct {
	stretch
	Rules
	ctx context.Context
}

// rulesLoaded is its answer.
type rulesLoaded struct{ rolled[capture.RuleRow] }

// load asks for the list, if it is on view and old.
func (l *rules) load() tea.Cmd {
	if !l.showing(l.id) || l.list.height == 0 {
		return nil
	}
	s, ok := l.list.next()
	if !ok {
		return nil
	}
	l.read = l.now()
	return l.ask(rulesLoad{s, l.Rules, l.ctx}.run)
}

func (q rulesLoad) run() tea.Msg {
	a := rolled[capture.RuleRow]{stretch: q.stretch, end: true}
	a.rows, a.err = q.Rules.Rules(q.ctx, "")
	a.looked = len(a.rows)
	return rulesLoaded{a}
}
