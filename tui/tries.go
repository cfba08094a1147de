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

// tries is a list of attempts beyond one event's: those at an endpoint, or
// what is due. It is a part of another screen, to whom its answers go.
type tries struct {
	base
	query capture.AttemptQuery
	list  roll[capture.Attempt]
	where bool // say which endpoint each is at
	held  bool // nothing is sent, whenever it is due
}

func newTries(b base, q capture.AttemptQuery) *tries {
	t := &tries{base: b, query: q, where: q.Endpoint == ""}
	t.list.key = func(a *capture.Attempt) capture.ID { return a.ID }
	t.list.new = newFirst
	if q.ByDue {
		t.list.new = newAny
	}
	return t
}

// triesLoad is a question for a stretch of attempts.
type triesLoad struct {
	stretch
	Source
	ctx   context.Context
	of    *tries // who asks
	query capture.AttemptQuery
}

// triesLoaded is its answer.
type triesLoaded struct {
	rolled[capture.Attempt]
	of *tries
}

// read asks for what the list wants, if it is on view and wants anything.
func (t *tries) read() tea.Cmd {
	if !t.showing(t.id) || t.list.height == 0 {
		return nil
	}
	s, ok := t.list.next()
	if !ok {
		return nil
	}
	return t.ask(triesLoad{s, t.Source, t.ctx, t, t.query}.run)
}

func (l triesLoad) run() tea.Msg {
	a := triesLoaded{rolled[capture.Attempt]{stretch: l.stretch, behind: l.after}, l.of}
	q := l.query
	q.Cursor, q.Limit = l.after, l.n
	if a.rows, a.err = l.Attempts(l.ctx, q); a.err != nil {
		return a
	}
	if n := len(a.rows); n > 0 {
		a.behind = a.rows[n-1].ID
	}
	a.end = len(a.rows) < l.n
	return a
}

func (t *tries) take(a triesLoaded) tea.Cmd {
	if t.list.merge(a.rolled) && a.err != nil {
		return send(noteMsg{a.err.Error(), true})
	}
	return nil
}

// lines draws titles and rows in h lines, as of a time.
func (t *tries) lines(w, h int, now time.Time) []string {
	switch {
	case len(t.list.rows) == 0 && t.list.broken:
		return []string{"", t.theme.line(w, span{bad, "  not read"}, span{dim, ": any key tries again"})}
	case !t.list.loaded:
		return []string{"", t.theme.line(w, span{dim, "  reading…"})}
	case len(t.list.rows) == 0 && t.query.ByDue:
		return []string{"", t.theme.line(w, span{dim, "  nothing waits to be sent"})}
	case len(t.list.rows) == 0:
		return []string{"", t.theme.line(w, span{dim, "  nothing has been sent yet"})}
	}
	columns := fitting(t.columns(w, now), w-2, 12)
	var out []string
	if h >= 4 {
		out = append(out, "  "+drawHead(t.theme, columns, w-2))
	}
	onView, sel := t.list.view(h - len(out))
	out = append(out, drawRows(t.theme, columns, onView, sel, w)...)
	return out
}

// resize says in how many lines it will be drawn.
func (t *tries) resize(h int) {
	if h >= 4 {
		h--
	}
	t.list.height = max(1, h)
	t.list.settle()
}

func (t *tries) columns(w int, now time.Time) []column[capture.Attempt] {
	var cs []column[capture.Attempt]
	if t.query.ByDue {
		cs = append(cs, column[capture.Attempt]{title: "DUE", width: 9, cell: func(a *capture.Attempt) (string, role) {
			if t.held {
				return "held", warn
			}
			return countdown(a, now), info
		}})
	} else {
		cs = append(cs, column[capture.Attempt]{title: "STARTED", width: 12, cell: func(a *capture.Attempt) (string, role) { return began(a, now), plain }})
	}
	if t.where {
		cs = append(cs, column[capture.Attempt]{title: "APP", width: 10, rank: 3, cell: func(a *capture.Attempt) (string, role) { return safe.Line(a.App), plain }})
	}
	kind := column[capture.Attempt]{title: "TYPE", cell: func(a *capture.Attempt) (string, role) {
		if a.Type == "" {
			return safe.Line(string(a.Event)), dim
		}
		return safe.Line(a.Type), plain
	}}
	if t.where {
		kind.width, kind.rank = 20, 4
	}
	cs = append(cs, kind)
	switch {
	case !t.where && w >= 110:
		cs = append(cs, column[capture.Attempt]{title: "EVENT", width: 30, cell: func(a *capture.Attempt) (string, role) { return safe.Line(string(a.Event)), dim }})
	case t.where:
		cs = append(cs, column[capture.Attempt]{title: "ENDPOINT", cut: middle, cell: func(a *capture.Attempt) (string, role) { return address(a.URL), plain }})
	}
	cs = append(cs,
		column[capture.Attempt]{title: "TRY", width: 3, right: true, rank: 1, cell: func(a *capture.Attempt) (string, role) { return fmt.Sprint(a.Number), plain }},
		column[capture.Attempt]{title: "CAUSE", width: 7, rank: 5, cell: func(a *capture.Attempt) (string, role) { return cause(a), plain }})
	if t.query.ByDue {
		return cs
	}
	return append(cs,
		column[capture.Attempt]{title: "RESULT", width: 11, cell: result},
		column[capture.Attempt]{title: "CODE", width: 4, right: true, rank: 2, cell: answered},
		column[capture.Attempt]{title: "TOTAL", width: 6, right: true, rank: 6, cell: func(a *capture.Attempt) (string, role) { return short(time.Duration(a.Duration)), plain }})
}

// countdown says how long a pending attempt still waits.
func countdown(a *capture.Attempt, now time.Time) string {
	if left := a.NotBefore.Sub(now); left > 0 {
		return "in " + lasts(left)
	}
	return "now"
}

// began says when an attempt was made: the time of today, else the day.
func began(a *capture.Attempt, now time.Time) string {
	at := a.Started.Local()
	switch {
	case a.Status == capture.AttemptPending:
		return countdown(a, now)
	case at.IsZero():
		return "-"
	case now.Sub(at) < 20*time.Hour:
		return at.Format("15:04:05.000")
	}
	return at.Format("Jan _2 15:04")
}

// answered is the status of an attempt's response.
func answered(a *capture.Attempt) (string, role) {
	if a.Code == 0 {
		return "-", plain
	}
	return fmt.Sprint(a.Code), plain
}

// address is a URL as lists show it.
func address(url string) string { return safe.Line(strings.TrimPrefix(url, "https://")) }
