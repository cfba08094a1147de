package tui

import (
	"context"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/safe"
)

// listeners is who listens, or has listened, through a relay, the oldest
// first. Who comes and goes is no fact in the store, so while it is on view it
// is read again every two seconds.
type listeners struct {
	base
	list  roll[listenerRow]
	clock clock
	read  time.Time // when it was asked for last
	w, h  int
}

// listenerRow is a listener with how many webhooks wait for it.
type listenerRow struct {
	capture.ListenerRow
	waiting int
	more    bool // than were looked at
}

func newListeners(k *kit) *listeners {
	l := &listeners{base: newBase(k)}
	l.list.key = func(r *listenerRow) capture.ID { return r.ID }
	l.list.new = newAny
	return l
}

func (l *listeners) Title() string { return "" }
func (l *listeners) Place() place  { return inListeners }

// polled is how often the list is read again.
const polled = 2 * time.Second

func (l *listeners) Update(msg tea.Msg) (screen, tea.Cmd) {
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
	case listenersLoaded:
		if l.list.merge(msg.rolled) && msg.err != nil {
			cmd = send(noteMsg{msg.err.Error(), true})
		}
	case listenerRemoved:
		cmd = l.removed(msg)
	}
	return l, tea.Batch(cmd, l.load(), l.wind(&l.clock, true))
}

func (l *listeners) act(a action) tea.Cmd {
	if l.list.act(a) {
		return nil
	}
	switch a {
	case back:
		return send(popMsg{})
	case remove:
		r := l.list.selected()
		end := "its place is forgotten"
		if r.Connected {
			end += ", and it is disconnected"
		}
		l.dialog = &confirm{"remove " + safe.Cut(safe.Line(r.Name), 24) + "? " + end, l.ask(removal{l.Listeners, l.ctx, r.Listener}.run)}
	}
	return nil
}

func (l *listeners) Why(a action) string {
	if a == remove && l.list.selected() == nil {
		return "no listener is selected"
	}
	return ""
}

// removal is a question to remove a listener.
type removal struct {
	Listeners
	ctx context.Context
	of  capture.Listener
}

// listenerRemoved is its answer.
type listenerRemoved struct {
	name string
	err  error
}

func (r removal) run() tea.Msg { return listenerRemoved{r.of.Name, r.RemoveListener(r.ctx, r.of.ID)} }

func (l *listeners) removed(r listenerRemoved) tea.Cmd {
	l.list.stale = true
	if r.err != nil {
		return send(noteMsg{"not removed: " + r.err.Error(), true})
	}
	return note("removed " + r.name)
}

// listenersLoad is a question for all listeners.
type listenersLoad struct {
	stretch
	*Options
	ctx context.Context
}

// listenersLoaded is its answer.
type listenersLoaded struct{ rolled[listenerRow] }

// load asks for the list, if it is on view and old.
func (l *listeners) load() tea.Cmd {
	if !l.showing(l.id) || l.list.height == 0 {
		return nil
	}
	s, ok := l.list.next()
	if !ok {
		return nil
	}
	l.read = l.now()
	return l.ask(listenersLoad{s, &l.Options, l.ctx}.run)
}

func (l listenersLoad) run() tea.Msg {
	a := rolled[listenerRow]{stretch: l.stretch, end: true}
	all, err := l.Listeners.Listeners(l.ctx, "")
	a.err = err
	newest := map[string]capture.Page{}
	for _, r := range all {
		page, known := newest[r.App]
		if !known && a.err == nil {
			page, a.err = l.Source.Events(l.ctx, capture.Query{App: r.App, Limit: mostWaiting})
			newest[r.App] = page
		}
		row := listenerRow{ListenerRow: r}
		for i := range page.Rows {
			if e := &page.Rows[i]; e.Seq > r.Cursor && isFor(e, &r) {
				row.waiting++
			}
		}
		if n := len(page.Rows); n > 0 {
			row.more = page.Next != 0 && page.Rows[n-1].Seq > r.Cursor
		}
		a.rows = append(a.rows, row)
	}
	a.looked = len(a.rows)
	return listenersLoaded{a}
}

// mostWaiting is how many of an app's newest events are looked at for those
// that wait for a listener.
const mostWaiting = 100

// isFor reports whether an event is for a listener: one that is claimed for
// the one who claims it alone, and any other for all who claim nothing.
func isFor(e *capture.Row, l *capture.ListenerRow) bool {
	if e.Claimed != "" {
		return e.Claimed == l.ID
	}
	return l.Only == ""
}
