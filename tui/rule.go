package tui

import (
	"context"
	"fmt"
	"slices"
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
