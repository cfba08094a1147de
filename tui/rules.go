package tui

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/safe"
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
		_, l.list.height, _ = listParts(msg.w, msg.h)
		l.list.settle()
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

// What can be done to a rule, in the list as on its own screen. A screen gives
// the answer, a ruleChanged, what it wants of it.

// ruleDeed is a change of a rule.
type ruleDeed struct {
	Rules
	ctx   context.Context
	of    capture.RuleRow
	patch json.RawMessage
	place int
	done  string
}

// ruleChanged is what came of it.
type ruleChanged struct {
	name, done string
	gone       bool
	err        error
}

func (d ruleDeed) answer(gone bool, err error) tea.Msg {
	return ruleChanged{called(&d.of), d.done, gone, err}
}

func (d ruleDeed) update() tea.Msg {
	_, err := d.UpdateRule(d.ctx, d.of.ID, d.patch)
	return d.answer(false, err)
}

func (d ruleDeed) move() tea.Msg {
	_, err := d.MoveRule(d.ctx, d.of.ID, d.place)
	return d.answer(false, err)
}

func (d ruleDeed) reset() tea.Msg  { return d.answer(false, d.ResetRules(d.ctx, d.of.ID)) }
func (d ruleDeed) remove() tea.Msg { return d.answer(true, d.DeleteRule(d.ctx, d.of.ID)) }

// tell says how it went.
func (c ruleChanged) tell() tea.Cmd {
	if c.err != nil {
		return send(noteMsg{"not done: " + c.err.Error(), true})
	}
	return note(c.done + " " + c.name)
}

// called is what a rule is called: by its name, else by its id.
func called(r *capture.RuleRow) string { return or(r.Name, string(r.ID)) }

// ruleAct does what is done to one of all rules, or makes one.
func (b base) ruleAct(a action, r *capture.RuleRow, all []capture.RuleRow) tea.Cmd {
	if a == create {
		return send(pushMsg{newRuleForm(b.kit, nil)})
	}
	if r == nil {
		return nil
	}
	d := ruleDeed{Rules: b.Rules, ctx: b.ctx, of: *r}
	switch a {
	case edit:
		return send(pushMsg{newRuleForm(b.kit, &r.Rule)})
	case toggle:
		d.patch, d.done = json.RawMessage(`{"disabled":true}`), "disabled"
		if r.Disabled {
			d.patch, d.done = json.RawMessage(`{"disabled":false}`), "enabled"
		}
		return b.ask(d.update)
	case raise, lower:
		d.place, d.done = placeAmong(r.ID, all)-1, "is asked sooner:"
		if a == lower {
			d.place, d.done = d.place+2, "is asked later:"
		}
		return b.ask(d.move)
	case reset:
		d.done = "forgot what was done by"
		return b.ask(d.reset)
	case remove:
		d.done = "deleted"
		b.dialog = &confirm{"delete the rule " + safe.Cut(safe.Line(called(r)), 40) + "?", b.ask(d.remove)}
	}
	return nil
}

// placeAmong is where a rule is asked among those of no file, from 1.
func placeAmong(id capture.ID, all []capture.RuleRow) int {
	place := 0
	for i := range all {
		if all[i].File == "" {
			place++
		}
		if all[i].ID == id {
			return place
		}
	}
	return place
}

// ruleWhy says why something cannot be done to one of all rules.
func ruleWhy(a action, r *capture.RuleRow, all []capture.RuleRow) string {
	switch a {
	case edit, toggle, raise, lower, reset, remove:
	default:
		return ""
	}
	ofFile := func(r capture.RuleRow) bool { return r.File != "" }
	switch {
	case r == nil:
		return "no rule is selected"
	case r.File != "" && a != reset:
		return "it is from " + r.File + ": change it there, and it counts at once"
	case a == raise && placeAmong(r.ID, all) == 1 && slices.ContainsFunc(all, ofFile):
		return "it is the first already, but for those of files"
	case a == raise && placeAmong(r.ID, all) == 1:
		return "it is the first already"
	case a == lower && all[len(all)-1].ID == r.ID:
		return "it is the last already"
	}
	return ""
}

// ruleState is the glyph, the word and the role of how a rule is.
func ruleState(r *capture.RuleRow) (string, string, role) {
	switch {
	case r.Disabled:
		return "○", "OFF", dim
	case r.Times > 0 && r.Hits >= int64(r.Times):
		return "·", "SPENT", warn
	}
	return "●", "ON", good
}

// describeRule is all there is to say of a rule, as of a time.
func describeRule(r *capture.RuleRow, now time.Time) *text {
	t := &text{}
	when := func(at time.Time) string {
		if at.IsZero() {
			return ""
		}
		return at.Local().Format(time.DateTime) + ", " + age(now, at) + " ago"
	}
	glyph, word, _ := ruleState(r)
	of := "was made here"
	if r.File != "" {
		of = r.File
	}
	for _, s := range slices.Concat([][2]string{{"state", glyph + " " + word}, {"name", r.Name}, {"id", string(r.ID)}, {"from", of},
		{"app", or(r.App, "every one")}, {"answers", sideOf(r)}, {"match", or(r.Match, "everything")}, {"does", r.Does()}},
		ruleAnswer(&r.RuleSpec), ruleLimits(r), [][2]string{{"", ""},
			{"hits", comma(r.Hits)}, {"last", when(r.LastHit)}, {"last event", string(r.Event)}, {"", ""},
			{"made", when(r.Created)}, {"by", r.CreatedBy}, {"changed", when(r.Updated)}, {"changed by", r.UpdatedBy}}) {
		switch {
		case s[0] == "":
			t.add(faint, "")
		case s[1] != "":
			t.add(header, s[0]+": "+safe.Line(s[1]))
		}
	}
	return t
}

// sideOf says whom a rule answers.
func sideOf(r *capture.RuleRow) string {
	if r.On == capture.OnDelivery {
		return "delivery: in the app's place"
	}
	return "ingest: who sent the webhook"
}

// ruleAnswer is what a rule answers with.
func ruleAnswer(s *capture.RuleSpec) (out [][2]string) {
	if f := s.Fault; f != nil {
		out = append(out, [2]string{"delay", delayText(f.Delay)})
	}
	if m := s.Mock; m != nil {
		out = append(out, [2]string{"delay", delayText(m.Delay)})
		for _, name := range sorted(m.Headers) {
			out = append(out, [2]string{"header " + name, capture.Header{name, m.Headers[name]}.Masked()})
		}
		out = append(out, [2]string{"body", m.Body})
		for i, next := range m.Sequence {
			out = append(out, [2]string{fmt.Sprintf("answer %d", i+1), fmt.Sprint(or(next.Status, m.Status), " ", or(next.Body, m.Body))})
		}
		if m.Cycle {
			out = append(out, [2]string{"after the last", "the first again"})
		}
	}
	if s.Send != nil {
		out = append(out, [2]string{"the app", map[bool]string{true: "gets the request all the same", false: "does not get the request"}[*s.Send]})
	}
	return out
}

// ruleLimits is what keeps a rule from applying to all that matches.
func ruleLimits(r *capture.RuleRow) (out [][2]string) {
	if r.Probability != nil {
		out = append(out, [2]string{"applies to", fmt.Sprintf("%g %% of what matches", *r.Probability*100)})
	}
	if r.Times > 0 {
		out = append(out, [2]string{"is spent after", comma(int64(r.Times)) + " times"})
	}
	if s := r.Scenario; s != nil {
		out = append(out, [2]string{"scenario", fmt.Sprintf("%s: in %s, then %s; now in %s", s.Name, or(s.When, "any state"), or(s.Then, "the same"), or(r.State, "started"))})
	}
	return out
}

// delayText is how long an answer waits.
func delayText(d *capture.Delay) string {
	switch {
	case d == nil:
		return ""
	case d.Median > 0:
		return fmt.Sprintf("about %s, at random (sigma %g)", d.Median.Short(), d.Sigma)
	case d.Max > 0:
		return d.Min.Short() + " to " + d.Max.Short()
	}
	return d.Fixed.Short()
}
