package tui

import (
	"context"
	"fmt"
	"strings"

	tea "github.com/charmbracelet/bubbletea"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/safe"
)

// endpoint is one endpoint: what was sent to it, what is due, and all of it.
type endpoint struct {
	base
	of      capture.ID
	row     capture.EndpointRow
	known   bool // row has been read
	stale   bool // and is to be read again
	busy    bool
	tab     endpointTab
	tries   [detailsTab]*tries
	replays replays
	top     int // of the details
	clock   clock
	w, h    int
}

type endpointTab uint8

const (
	historyTab endpointTab = iota
	queueTab
	detailsTab
	endpointTabs
)

func newEndpoint(k *kit, id capture.ID) *endpoint {
	e := &endpoint{base: newBase(k), of: id, stale: true}
	e.tries[historyTab] = newTries(e.base, capture.AttemptQuery{Endpoint: id})
	e.tries[queueTab] = newTries(e.base, capture.AttemptQuery{Endpoint: id, Status: capture.AttemptPending, ByDue: true})
	e.replays.base = e.base
	return e
}

func (e *endpoint) Title() string {
	if !e.known {
		return "Endpoint"
	}
	return address(e.row.URL)
}

func (e *endpoint) Place() place { return inEndpoint }

// endpointRead is a question for an endpoint, endpointNow its answer.
type endpointRead struct {
	Endpoints
	ctx context.Context
	id  capture.ID
}

type endpointNow struct {
	capture.EndpointRow
	err error
}

func (r endpointRead) run() tea.Msg {
	row, err := r.Endpoint(r.ctx, r.id)
	return endpointNow{row, err}
}

func (e *endpoint) Update(msg tea.Msg) (screen, tea.Cmd) {
	var cmd tea.Cmd
	switch msg := msg.(type) {
	case action:
		cmd = e.act(msg)
	case sizeMsg:
		e.w, e.h = msg.w, msg.h
		for _, t := range e.tries {
			t.resize(e.room(msg.h))
		}
	case changedMsg:
		e.stale = true
		for _, t := range e.tries {
			t.list.stale = true
		}
		cmd = e.replays.check()
	case clockMsg:
		e.clock.ticking = false
	case endpointNow:
		if e.busy = false; msg.err != nil {
			cmd = send(noteMsg{msg.err.Error(), true})
			break
		}
		e.row, e.known = msg.EndpointRow, true
		e.tries[queueTab].held = e.row.Status == capture.EndpointDisabled
	case triesLoaded:
		cmd = msg.of.take(msg)
	default:
		var ok bool
		if cmd, ok = e.replays.update(msg); !ok {
			cmd = e.endpointAnswer(msg)
		}
	}
	return e, tea.Batch(cmd, e.read(), e.wind(&e.clock, e.known))
}

// read asks for what the tab shows, if it is on view.
func (e *endpoint) read() tea.Cmd {
	if !e.showing(e.id) {
		return nil
	}
	var cmd tea.Cmd
	if e.stale && !e.busy {
		e.stale, e.busy = false, true
		cmd = e.ask(endpointRead{e.Endpoints, e.ctx, e.of}.run)
	}
	if t := e.shown(); t != nil {
		return tea.Batch(cmd, t.read())
	}
	return cmd
}

// shown is the list of the tab, nil where it has none.
func (e *endpoint) shown() *tries {
	if e.tab == detailsTab {
		return nil
	}
	return e.tries[e.tab]
}

// selected is the attempt under the cursor.
func (e *endpoint) selected() *capture.Attempt {
	if t := e.shown(); t != nil {
		return t.list.selected()
	}
	return nil
}

func (e *endpoint) act(a action) tea.Cmd {
	if t := e.shown(); t != nil && t.list.act(a) {
		return nil
	}
	switch a {
	case back:
		return send(popMsg{})
	case nextTab:
		e.tab = (e.tab + 1) % endpointTabs
	case prevTab:
		e.tab = (e.tab + endpointTabs - 1) % endpointTabs
	case open:
		at := e.selected()
		return send(pushMsg{newOpened(e.kit, at.Event, at.ID)})
	case retry:
		return e.replays.retry(e.selected())
	case goDown, goUp, goHalfDown, goHalfUp, goPageDown, goPageUp, goTop, goBottom:
		e.scroll(a)
	default:
		return e.endpointAct(a, e.current())
	}
	return nil
}

// current is the endpoint, nil while it has not been read.
func (e *endpoint) current() *capture.EndpointRow {
	if !e.known {
		return nil
	}
	return &e.row
}

// scroll moves about the details.
func (e *endpoint) scroll(a action) {
	t, page := e.details(e.w), max(1, e.room(e.h)-1)
	by := map[action]int{goDown: 1, goUp: -1, goHalfDown: max(1, page/2), goHalfUp: -max(1, page/2),
		goPageDown: page, goPageUp: -page, goTop: -t.len(), goBottom: t.len()}
	e.top = max(0, min(e.top+by[a], t.len()-e.room(e.h)))
}

func (e *endpoint) Why(a action) string {
	switch a {
	case open:
		if e.selected() == nil {
			return "no attempt is selected"
		}
	case retry:
		return e.replays.whyNot(e.selected())
	}
	return e.endpointWhy(a, e.current())
}

// room is how many of h lines are below the tabs.
func (e *endpoint) room(h int) int {
	if h >= 10 {
		h -= 2
	}
	return max(1, h-1)
}

func (e *endpoint) View(w, h int) string {
	if !e.known {
		return e.theme.line(w, span{dim, " reading…"})
	}
	room := e.room(h)
	var out []string
	if h >= 10 {
		out = append(out, e.state(w))
	}
	names := []string{"Attempts", "Queue", "Details"}
	if n := e.row.Health.Pending; n > 0 {
		names[queueTab] += " " + comma(n)
	}
	out = append(out, e.theme.tabs(w, int(e.tab), true, names...))
	if h >= 10 {
		out = append(out, e.theme.rule(w, e.about()))
	}
	if t := e.shown(); t != nil {
		return strings.Join(append(out, t.lines(w, room, e.clock.at)...), "\n")
	}
	t := e.details(w)
	top := max(0, min(e.top, t.len()-room))
	for n := top; n < min(top+room, t.len()); n++ {
		out = append(out, " "+t.draw(e.theme, n, 0, w-1, nil))
	}
	return strings.Join(out, "\n")
}

func (e *endpoint) details(w int) *text {
	t := describe(&e.row, e.clock.at)
	t.fold(w - 1)
	return t
}

// state draws in a line how the endpoint is.
func (e *endpoint) state(w int) string {
	h := &e.row.Health
	glyph, word, look := standing(&e.row)
	s := []span{{look, " " + glyph + " " + word}}
	if e.row.DisabledBy != "" {
		s = append(s, span{look, safe.Line(" " + blame(&e.row))})
	}
	if last, look := newest(h, e.clock.at); last != "-" {
		s = append(s, span{dim, " · last "}, span{look, last + " ago"})
	}
	if h.InARow > 0 {
		s = append(s, span{dim, " · "}, span{bad, comma(int64(h.InARow)) + " failed in a row"})
	}
	if h.Succeeded+h.Failed > 0 {
		s = append(s, span{dim, " · "}, span{plain, fmt.Sprintf("%s %% of %s ok", rateOf(h), comma(h.Succeeded+h.Failed))})
	}
	return e.theme.line(w, append(s, span{dim, " · "}, span{plain, safe.Line(e.row.App)})...)
}

// about says what the tab shows.
func (e *endpoint) about() string {
	switch {
	case e.tab == historyTab:
		return "attempts, newest first"
	case e.tab == detailsTab:
		return "as it is now"
	case e.row.Status == capture.EndpointDisabled:
		return "held until the endpoint is enabled again: p does"
	}
	return "the next first"
}

// State says that newer attempts are above.
func (e *endpoint) State() []span {
	if t := e.shown(); t != nil && t.list.missed {
		return []span{{warn, "newer ↑ (g)"}}
	}
	return nil
}
