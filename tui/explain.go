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
// what keeps it from the others.
type explained struct {
	base
	event capture.ID
	list  roll[capture.Explanation]
	asked bool
	gets  int
	h     int
}

func newExplain(k *kit, event capture.ID) *explained {
	x := &explained{base: newBase(k), event: event}
	x.list.key = func(e *capture.Explanation) capture.ID { return e.Endpoint }
	x.list.end = true
	return x
}

func (x *explained) Title() string { return "Who gets " + safe.Line(string(x.event)) }
func (x *explained) Place() place  { return inExplain }

// explaining is the question, explainedAll its answer.
type explaining struct {
	Endpoints
	ctx   context.Context
	event capture.ID
}

type explainedAll struct {
	rows []capture.Explanation
	err  error
}

func (q explaining) run() tea.Msg {
	rows, err := q.Explain(q.ctx, q.event)
	return explainedAll{rows, err}
}

func (x *explained) Update(msg tea.Msg) (screen, tea.Cmd) {
	switch msg := msg.(type) {
	case sizeMsg:
		x.h = msg.h
		_, x.list.height, _ = x.parts(msg.h)
		x.list.settle()
		if !x.asked {
			x.asked = true
			return x, x.ask(explaining{x.Endpoints, x.ctx, x.event}.run)
		}
	case explainedAll:
		if msg.err != nil {
			return x, tea.Sequence(send(popMsg{}), send(noteMsg{"not explained: " + msg.err.Error(), true}))
		}
		x.list.rows, x.list.loaded, x.gets = msg.rows, true, 0
		slices.SortStableFunc(x.list.rows, func(a, b capture.Explanation) int { return rank(a) - rank(b) })
		for i := range x.list.rows {
			x.gets += 1 - rank(x.list.rows[i])
		}
		x.list.settle()
	case action:
		switch {
		case x.list.act(msg):
		case msg == back:
			return x, send(popMsg{})
		case msg == open:
			return x, send(pushMsg{newEndpoint(x.kit, x.list.selected().Endpoint)})
		}
	}
	return x, nil
}

// rank is 0 for an endpoint that gets the event, else 1.
func rank(e capture.Explanation) int {
	if e.Matches {
		return 0
	}
	return 1
}

func (x *explained) Why(a action) string {
	if a == open && x.list.selected() == nil {
		return "no endpoint is selected"
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
		return "\n" + x.theme.line(w, span{plain, "  The event's app has no endpoints."})
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
	t.add(words, safe.Line(e.URL))
	if e.Matches {
		t.add(faint, "gets the event")
	}
	for _, why := range e.Why {
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
func explainColumns(w int) []column[capture.Explanation] {
	type row = capture.Explanation
	gets := column[row]{title: "GETS IT", width: 7, cell: func(e *row) (string, role) {
		if e.Matches {
			return "✓ yes", good
		}
		return "✗ no", dim
	}}
	endpoint := column[row]{title: "ENDPOINT", cut: middle, cell: func(e *row) (string, role) { return address(e.URL), plain }}
	if w < 60 {
		return []column[row]{gets, endpoint}
	}
	endpoint.width = max(34, w*2/5)
	return []column[row]{gets, endpoint,
		{title: "WHY NOT", cell: func(e *row) (string, role) { return safe.Line(strings.Join(e.Why, "; ")), dim }}}
}

// Tell says what keeps the event from the selected endpoint, where nothing
// else does.
func (x *explained) Tell() (left, right []span) {
	if _, _, below := x.parts(x.h); below > 0 || x.list.selected() == nil {
		return nil, nil
	}
	if why := x.list.selected().Why; len(why) > 0 {
		return []span{{warn, " " + safe.Line(strings.Join(why, "; "))}}, nil
	}
	return nil, nil
}

// State says how many get the event.
func (x *explained) State() []span {
	if !x.list.loaded {
		return nil
	}
	return []span{{title, comma(int64(x.gets)) + " of " + count(len(x.list.rows), "endpoint")}}
}
