package tui

import (
	"context"
	"slices"
	"strings"

	tea "github.com/charmbracelet/bubbletea"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/safe"
)

// explained says which endpoints of its app get an event, those first, and
// what keeps it from the others; and below them which rule answers it, and how
// near the others came.
type explained struct {
	base
	event capture.ID
	list  roll[reason]
	asked bool
	gets  int // endpoints
	of    int
	rule  string // that applies
	h     int
}

// reason is what is said of one endpoint, or of one rule.
type reason struct {
	id   capture.ID
	name string
	rule bool
	says string
	look role
	full string // what it says where there is nothing to say why not
	why  []string
}

func newExplain(k *kit, event capture.ID) *explained {
	x := &explained{base: newBase(k), event: event}
	x.list.key = func(r *reason) capture.ID { return r.id }
	x.list.end = true
	return x
}

func (x *explained) Title() string { return "Who gets " + safe.Line(string(x.event)) }
func (x *explained) Place() place  { return inExplain }

// explaining is the question, explainedAll its answer.
type explaining struct {
	*Options
	ctx   context.Context
	event capture.ID
}

type explainedAll struct {
	endpoints []capture.Explanation
	rules     []capture.RuleExplanation
	err       error
}

func (q explaining) run() tea.Msg {
	var a explainedAll
	if q.Endpoints != nil {
		a.endpoints, a.err = q.Endpoints.Explain(q.ctx, q.event)
	}
	if q.Rules != nil && a.err == nil {
		a.rules, a.err = q.Rules.ExplainRules(q.ctx, q.event)
	}
	return a
}

func (x *explained) Update(msg tea.Msg) (screen, tea.Cmd) {
	switch msg := msg.(type) {
	case sizeMsg:
		x.h = msg.h
		_, x.list.height, _ = x.parts(msg.h)
		x.list.settle()
		if !x.asked {
			x.asked = true
			return x, x.ask(explaining{&x.Options, x.ctx, x.event}.run)
		}
	case explainedAll:
		if msg.err != nil {
			return x, tea.Sequence(send(popMsg{}), send(noteMsg{"not explained: " + msg.err.Error(), true}))
		}
		x.take(msg)
	case action:
		switch {
		case x.list.act(msg):
		case msg == back:
			return x, send(popMsg{})
		case msg == open && x.list.selected().rule:
			return x, send(pushMsg{newRule(x.kit, x.list.selected().id)})
		case msg == open:
			return x, send(pushMsg{newEndpoint(x.kit, x.list.selected().id)})
		}
	}
	return x, nil
}

func (x *explained) take(a explainedAll) {
	slices.SortStableFunc(a.endpoints, func(a, b capture.Explanation) int { return rank(a.Matches, nil) - rank(b.Matches, nil) })
	slices.SortStableFunc(a.rules, func(a, b capture.RuleExplanation) int { return rank(a.Applies, a.Why) - rank(b.Applies, b.Why) })
	x.gets, x.of, x.rule = 0, len(a.endpoints), ""
	x.list.rows, x.list.loaded = nil, true
	for _, e := range a.endpoints {
		r := reason{id: e.Endpoint, name: e.URL, says: "✗ no", look: dim, why: e.Why}
		if e.Matches {
			r.says, r.look, r.full = "✓ yes", good, "gets the event"
			x.gets++
		}
		x.list.rows = append(x.list.rows, r)
	}
	for _, e := range a.rules {
		r := reason{id: e.Rule, name: "rule " + or(e.Name, string(e.Rule)) + ", " + string(e.On), rule: true, says: "✗ no", look: dim, why: e.Why}
		switch {
		case e.Applies:
			r.says, r.look, r.full = "✓ rules", info, "answers the event"
			x.rule = or(x.rule, or(e.Name, string(e.Rule)))
		case e.Matches:
			r.says, r.look = "· match", warn
		}
		x.list.rows = append(x.list.rows, r)
	}
	x.list.settle()
}

// rank is 0 for what gets an event or answers it, and else the more the more
// keeps it from that.
func rank(does bool, why []string) int {
	if does {
		return 0
	}
	return 1 + len(why)
}

func (x *explained) Why(a action) string {
	if a == open && x.list.selected() == nil {
		return "nothing is selected"
	}
	return ""
}

// parts are how many of h lines titles, rows and the reasons in full take.
func (x *explained) parts(h int) (head, rows, below int) {
	if h >= 8 {
		head = 1
	}
	if h >= 14 {
		below = 5
	}
	return head, max(1, h-head-below), below
}

func (x *explained) View(w, h int) string {
	switch {
	case !x.list.loaded:
		return x.theme.line(w, span{dim, " reading…"})
	case len(x.list.rows) == 0:
		return "\n" + x.theme.line(w, span{plain, "  The event's app has no endpoints, and there are no rules."})
	}
	head, rows, below := x.parts(h)
	columns := explainColumns(w)
	var out []string
	if head > 0 {
		out = append(out, "  "+drawHead(x.theme, columns, w-2))
	}
	onView, sel := x.list.view(rows)
	for i := range onView {
		gutter := "  "
		if i == sel {
			gutter = "> "
		}
		out = append(out, rowLine(x.theme, columns, gutter, &onView[i], w, i == sel))
	}
	if below == 0 {
		return strings.Join(out, "\n")
	}
	out = append(exactly(out, head+rows), x.theme.rule(w, ""))
	e := x.list.selected()
	t := &text{}
	t.add(words, safe.Line(e.name))
	if e.full != "" {
		t.add(faint, e.full)
	}
	for _, why := range e.why {
		t.add(wrong, safe.Line(why))
	}
	t.fold(w - 1)
	for i := range min(t.len(), below-1) {
		out = append(out, " "+t.draw(x.theme, i, 0, w-1, nil))
	}
	return strings.Join(out, "\n")
}

// explainColumns are the columns for a list w cells wide. Where there is no
// room for reasons, the message line has the selected one's.
func explainColumns(w int) []column[reason] {
	gets := column[reason]{title: "GETS IT", width: 7, cell: func(r *reason) (string, role) { return r.says, r.look }}
	who := column[reason]{title: "ENDPOINT, RULE", cut: middle, cell: func(r *reason) (string, role) { return address(r.name), plain }}
	if w < 60 {
		return []column[reason]{gets, who}
	}
	who.width = max(34, w*2/5)
	return []column[reason]{gets, who,
		{title: "WHY NOT", cell: func(r *reason) (string, role) { return safe.Line(strings.Join(r.why, "; ")), dim }}}
}

// Tell says what keeps the event from the selected endpoint, where nothing
// else does.
func (x *explained) Tell() (left, right []span) {
	if _, _, below := x.parts(x.h); below > 0 || x.list.selected() == nil {
		return nil, nil
	}
	if why := x.list.selected().why; len(why) > 0 {
		return []span{{warn, " " + safe.Line(strings.Join(why, "; "))}}, nil
	}
	return nil, nil
}

// State says how many get the event, and which rule answers it.
func (x *explained) State() []span {
	if !x.list.loaded {
		return nil
	}
	s := []span{{plain, " "}}
	if x.of > 0 {
		s = append(s, span{title, comma(int64(x.gets)) + " of " + count(x.of, "endpoint")})
	}
	if x.of > 0 && x.rule != "" {
		s = append(s, span{dim, " · "})
	}
	if x.rule != "" {
		s = append(s, span{info, "rule " + safe.Cut(safe.Line(x.rule), 16)})
	}
	return s
}
