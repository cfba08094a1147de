package tui

import (
	"context"
	"strings"

	tea "github.com/charmbracelet/bubbletea"

	"code.hooktape.dev/hooktape/capture"
)

// endpoints is the list of registered endpoints, oldest first, and on wide
// windows the selected one beside it.
type endpoints struct {
	base
	list   roll[capture.EndpointRow]
	terms  terms
	field  field
	typing bool
	clock  clock
	w, h   int
}

func newEndpoints(k *kit) *endpoints {
	e := &endpoints{base: newBase(k)}
	e.list.key = func(r *capture.EndpointRow) capture.ID { return r.ID }
	return e
}

func (e *endpoints) Title() string { return "" }
func (e *endpoints) Place() place  { return inEndpoints }
func (e *endpoints) Typing() bool  { return e.typing }

func (e *endpoints) Update(msg tea.Msg) (screen, tea.Cmd) {
	var cmd tea.Cmd
	switch msg := msg.(type) {
	case tea.KeyMsg:
		e.typed(msg)
	case action:
		cmd = e.act(msg)
	case sizeMsg:
		e.w, e.h = msg.w, msg.h
		e.list.fit(msg)
	case changedMsg:
		e.list.stale = true
	case clockMsg:
		e.clock.ticking = false
	case endpointsLoaded:
		if e.list.merge(msg.rolled) && msg.err != nil {
			cmd = send(noteMsg{msg.err.Error(), true})
		}
	default:
		cmd = e.endpointAnswer(msg)
	}
	return e, tea.Batch(cmd, e.read(), e.wind(&e.clock, len(e.list.rows) > 0))
}

func (e *endpoints) act(a action) tea.Cmd {
	if e.list.act(a) {
		return nil
	}
	switch a {
	case back:
		if e.terms.text == "" {
			return send(popMsg{})
		}
		e.filter("")
	case find:
		e.field, e.typing = newField(e.terms.text), true
	case open:
		return send(pushMsg{newEndpoint(e.kit, e.list.selected().ID)})
	default:
		return e.endpointAct(a, e.list.selected())
	}
	return nil
}

func (e *endpoints) typed(k tea.KeyMsg) {
	switch k.Type {
	case tea.KeyEsc:
		e.typing = false
		e.filter("")
	case tea.KeyEnter:
		e.typing = false
	default:
		if e.field.typed(k) {
			e.filter(e.field.text())
		}
	}
}

// filter narrows the list, which is read anew.
func (e *endpoints) filter(text string) {
	if text = strings.TrimSpace(text); text == e.terms.text {
		return
	}
	e.terms = readTerms(text)
	e.list.reset()
	e.list.sparse = text != ""
}

func (e *endpoints) Why(a action) string {
	if a == open && e.list.selected() == nil {
		return "no endpoint is selected"
	}
	return e.endpointWhy(a, e.list.selected())
}

// terms is a filter of endpoints and of samples: every word must be somewhere
// in what a row says, and none that has a ! before it. The predicate language
// of events knows nothing of these.
type terms struct {
	text       string
	with, none []string
}

func readTerms(text string) terms {
	w := terms{text: text}
	for word := range strings.FieldsSeq(strings.ToLower(text)) {
		if rest, no := strings.CutPrefix(word, "!"); no && rest != "" {
			w.none = append(w.none, rest)
			continue
		}
		w.with = append(w.with, word)
	}
	return w
}

func (w terms) match(r *capture.EndpointRow) bool {
	_, state, _ := standing(r)
	says := []string{string(r.ID), r.App, r.URL, r.Description, state, r.DisabledAs, subscribed(r.Subscriptions), r.Filter, string(r.Format)}
	return w.in(says...)
}

// in reports whether it matches what says it.
func (w terms) in(says ...string) bool {
	all := strings.ToLower(strings.Join(says, "\n"))
	for _, word := range w.with {
		if !strings.Contains(all, word) {
			return false
		}
	}
	for _, word := range w.none {
		if strings.Contains(all, word) {
			return false
		}
	}
	return true
}

// endpointsLoad is a question for a stretch of the list. The filter is applied
// here, so that nothing is held that is not shown, and finds what lies
// anywhere among ten thousand.
type endpointsLoad struct {
	stretch
	Endpoints
	ctx   context.Context
	terms terms
}

// endpointsLoaded is its answer.
type endpointsLoaded struct{ rolled[capture.EndpointRow] }

// read asks for what the list wants, if it is on view and wants anything.
func (e *endpoints) read() tea.Cmd {
	if !e.showing(e.id) || e.list.height == 0 {
		return nil
	}
	s, ok := e.list.next()
	if !ok {
		return nil
	}
	return e.ask(endpointsLoad{s, e.Endpoints, e.ctx, e.terms}.run)
}

func (l endpointsLoad) run() tea.Msg {
	a := rolled[capture.EndpointRow]{stretch: l.stretch, behind: l.after}
	for _, id := range l.these {
		r, err := l.Endpoint(l.ctx, id)
		if err == nil && l.terms.match(&r) && r.Status != capture.EndpointDeleted {
			a.rows = append(a.rows, slim(r))
		}
	}
	if l.these != nil {
		return endpointsLoaded{a}
	}
	n := l.n
	if l.terms.text != "" {
		n = 500
	}
	for !a.end && len(a.rows) < l.n && a.looked < scanStep && a.err == nil {
		var rows []capture.EndpointRow
		rows, a.err = l.Endpoints.Endpoints(l.ctx, capture.EndpointQuery{Cursor: a.behind, Limit: n})
		for _, r := range rows {
			a.behind = r.ID
			if l.terms.match(&r) {
				a.rows = append(a.rows, slim(r))
			}
		}
		a.looked += len(rows)
		a.end = len(rows) < n
	}
	return endpointsLoaded{a}
}

// slim is a row without what lists do not show and may be large.
func slim(r capture.EndpointRow) capture.EndpointRow {
	r.Metadata = nil
	return r
}
