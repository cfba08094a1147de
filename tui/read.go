package tui

import (
	"context"
	"errors"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"code.hooktape.dev/hooktape/capture"
)

// How many events one read looks at for a filter before it shows what it has
// found and how far it came.
const scanStep = 2000

// load is a question for a window of the list of events. It is a value: the
// command that asks it shares nothing with the screen.
type load struct {
	*Options
	ctx context.Context
	window
	filter string
	fresh  []capture.ID // rows to be read again, those a filtered window does not
	totals bool         // read the totals too
}

// loaded is its answer.
type loaded struct {
	window
	page   capture.Page
	seen   uint64    // the place up to which the source was read
	back   time.Time // when the event was received that a search came back to
	fresh  []capture.Row
	totals *capture.Counts
	err    error
}

// read asks for what the list wants, if anything.
func (e *events) read() tea.Cmd {
	if e.w == 0 {
		return nil
	}
	q := load{Options: &e.Options, ctx: e.search, filter: e.filter.text, totals: e.list.stale || !e.loaded}
	refresh := again
	switch {
	case !e.list.paused && q.filter == "":
		refresh = tail
	case !e.list.paused:
		refresh = newer
	case q.filter != "":
		refresh = tally
	}
	if e.list.stale && q.filter != "" {
		q.fresh = e.unfinished()
	}
	var ok bool
	if q.window, ok = e.list.next(refresh); !ok {
		return nil
	}
	return e.ask(q.run)
}

// unfinished are the rows on view whose outcome may yet change.
func (e *events) unfinished() []capture.ID {
	var ids []capture.ID
	onView, _ := e.list.view(e.list.height)
	for i := range onView {
		r := &onView[i]
		if s := r.Outcome.State; s == capture.Pending || s == capture.Retrying || r.Seq == e.list.cursor {
			ids = append(ids, r.ID)
		}
	}
	return ids
}

// run reads.
func (l load) run() tea.Msg {
	a := loaded{window: l.window, seen: l.from}
	if l.filter != "" { // what the filter does not match has been seen too
		if a.seen, a.err = l.newest(); a.err != nil {
			return a
		}
	}
	q := capture.Query{Filter: l.filter, Cursor: l.from, Ascending: l.ascending(), Limit: l.n}
	if l.filter != "" {
		q.Scan = scanStep
	}
	if a.page, a.err = l.Source.Events(l.ctx, q); a.err != nil {
		return a
	}
	for _, r := range a.page.Rows {
		a.seen = max(a.seen, r.Seq)
	}
	if l.filter != "" && a.page.Next != 0 && !l.ascending() {
		if p, err := l.Source.Events(l.ctx, capture.Query{Cursor: a.page.Next, Limit: 1}); err == nil && len(p.Rows) > 0 {
			a.back = p.Rows[0].Received
		}
	}
	for _, id := range l.fresh {
		if r, err := l.Source.Event(l.ctx, id); err == nil {
			a.fresh = append(a.fresh, r)
		}
	}
	if l.totals {
		if c, err := l.counts(l.ctx); err == nil {
			a.totals = &c
		}
	}
	return a
}

// newest is the place of the newest event.
func (l load) newest() (uint64, error) {
	p, err := l.Source.Events(l.ctx, capture.Query{Limit: 1})
	if err != nil || len(p.Rows) == 0 {
		return 0, err
	}
	return p.Rows[0].Seq, nil
}

// take puts an answer into the list.
func (e *events) take(a loaded) tea.Cmd {
	if a.err != nil {
		broken := !errors.Is(a.err, context.Canceled)
		e.list.fail(a.window, broken)
		if !broken {
			return nil
		}
		e.down = true
		return send(lostMsg{a.err})
	}
	if !e.list.merge(a.window, a.page.Rows, a.page.Next, a.seen) {
		return nil
	}
	e.list.put(a.fresh)
	if !a.back.IsZero() {
		e.back = a.back
	}
	var cmds []tea.Cmd
	if e.down {
		e.down = false
		cmds = append(cmds, send(lostMsg{}))
	}
	if a.totals != nil {
		e.totals = *a.totals
		if !e.loaded {
			e.atPause = e.totals.Events // restored as paused
		}
		cmds = append(cmds, e.after(e.rate.note(e.totals.Events)))
	}
	e.loaded = true
	return tea.Batch(cmds...)
}

// seek looks for the next failed event, newer or older than the selected.
type seek struct {
	*Options
	ctx   context.Context
	query capture.Query
	newer bool
}

// found is its answer; no row when there is none.
type found struct {
	row   *capture.Row
	newer bool
	err   error
}

func (e *events) seek(newer bool) tea.Cmd {
	filter := "is:failed"
	if e.filter.text != "" {
		filter = "(" + e.filter.text + ") " + filter
	}
	return e.ask(seek{&e.Options, e.search, capture.Query{Filter: filter, Cursor: e.list.cursor, Ascending: newer, Limit: 1, Scan: 10 * scanStep}, newer}.run)
}

func (s seek) run() tea.Msg {
	for {
		p, err := s.Source.Events(s.ctx, s.query)
		switch {
		case err != nil:
			return found{newer: s.newer, err: err}
		case len(p.Rows) > 0:
			return found{row: &p.Rows[0], newer: s.newer}
		case p.Next == 0:
			return found{newer: s.newer}
		}
		s.query.Cursor = p.Next
	}
}

// jump goes to what seek found.
func (e *events) jump(f found) tea.Cmd {
	switch {
	case f.err != nil:
		return send(noteMsg{f.err.Error(), true})
	case f.row == nil && f.newer:
		return note("no newer event failed")
	case f.row == nil:
		return note("no older event failed")
	}
	e.list.to(f.row.Seq)
	return nil
}
