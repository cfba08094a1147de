package tui

import (
	"context"
	"encoding/json"
	"slices"

	tea "github.com/charmbracelet/bubbletea"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/safe"
)

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
