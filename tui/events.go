package tui

import (
	"context"
	"slices"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"code.hooktape.dev/hooktape/capture"
)

// events is the list of events and, beside it or in its place, the one that
// is selected.
type events struct {
	base
	list    list[capture.Row]
	filter  filter
	marked  map[capture.ID]bool
	inspect *inspect
	open    bool // the keyboard is in the inspector
	share   int  // of the width that the list has beside the inspector, in percent
	w, h    int

	totals  capture.Counts
	atPause int64 // events there were when following paused
	rate    rate
	gaps    gaps
	paused  bool      // as the list was after the last message
	loaded  bool      // something has been read
	down    bool      // the source could not be read
	back    time.Time // searched back to
	replays replays

	// What reads for the filter in force, and its end. Bubble Tea gives
	// commands no context, so it is kept here.
	search context.Context
	cancel context.CancelFunc
}

func newEvents(k *kit) *events {
	e := &events{base: newBase(k), marked: map[capture.ID]bool{}, share: 50}
	e.list.key = func(r *capture.Row) uint64 { return r.Seq }
	e.inspect = newInspect(e.base)
	e.replays.base = e.base
	e.restart(tail)
	return e
}

// restart reads the list anew, under another filter.
func (e *events) restart(j how) {
	if e.cancel != nil {
		e.cancel()
	}
	e.search, e.cancel = context.WithCancel(e.ctx)
	e.list.reset(j)
	e.back = time.Time{}
}

func (e *events) Title() string {
	if e.open && !e.wide() {
		return e.inspect.Title()
	}
	return ""
}

func (e *events) Typing() bool { return e.filter.typing || e.inspect.find.typing }

func (e *events) Place() place {
	if e.open {
		return e.inspect.place()
	}
	return inList
}

// wide reports whether list and inspector are side by side.
func (e *events) wide() bool { return e.w >= 120 }

func (e *events) Update(msg tea.Msg) (screen, tea.Cmd) {
	var cmd tea.Cmd
	switch msg := msg.(type) {
	case tea.KeyMsg:
		cmd = e.typed(msg)
	case action:
		cmd = e.act(msg)
	case sizeMsg:
		e.w, e.h = msg.w, msg.h
		e.resize()
		cmd = tea.Batch(e.inspect.resize(), e.readGaps())
	case changedMsg:
		e.list.stale = true
		cmd = tea.Batch(e.replays.check(), e.inspect.retry(), e.readGaps())
	case rateMsg:
		cmd = tea.Batch(e.after(e.rate.tick()), e.readGaps())
	case gapsLoaded:
		e.gaps.take(msg)
	case loaded:
		cmd = e.take(msg)
	case found:
		cmd = e.jump(msg)
	case removed:
		cmd = e.forget(msg)
	case goToMsg:
		e.goTo(msg.event)
	default:
		var ok bool
		if cmd, ok = e.replays.update(msg); !ok {
			cmd = e.inspect.update(msg)
		}
	}
	if e.list.paused && !e.paused {
		e.atPause = e.totals.Events
	}
	e.paused = e.list.paused
	return e, tea.Batch(cmd, e.read(), e.show())
}

// goTo selects an event, which a list that follows the newest does anyway.
func (e *events) goTo(event capture.Event) {
	e.open = false
	if e.filter.clear() {
		e.restart(tail)
	}
	if e.list.stale = true; e.list.paused {
		e.list.to(event.Seq)
	}
}

// show has the inspector show the selected event. While the list alone is on
// view it needs no more of it than the preview does.
func (e *events) show() tea.Cmd {
	row := e.list.selected()
	if row == nil {
		return e.inspect.show(capture.Row{}, false)
	}
	return e.inspect.show(*row, e.open || e.wide())
}

func (e *events) typed(k tea.KeyMsg) tea.Cmd {
	if e.inspect.find.typing {
		return e.inspect.typed(k)
	}
	if k.Type == tea.KeyEsc {
		e.clearFilter()
		return nil
	}
	if e.filter.typed(k) {
		e.list.pause()
		e.restart(tail)
	}
	return nil
}

// clearFilter shows every event again, around the one that was selected.
func (e *events) clearFilter() {
	if !e.filter.clear() {
		return
	}
	if e.list.paused && e.list.selected() != nil {
		e.restart(around)
		return
	}
	e.restart(tail)
}

func (e *events) act(a action) tea.Cmd {
	if e.open {
		if cmd, ok := e.actOpen(a); ok {
			return cmd
		}
	}
	e.list.stale = e.list.stale || e.down // any key tries again
	if e.list.act(a) {
		return nil
	}
	switch a {
	case open, otherPane:
		e.list.pause()
		e.open = true
	case back:
		e.escape()
	case find:
		e.filter.edit()
	case otherDown:
		e.inspect.scroll(1)
	case otherUp:
		e.inspect.scroll(-1)
	case nextFailed, prevFailed:
		return e.seek(a == nextFailed)
	case grow, shrink:
		e.resharea(a)
		return e.inspect.resize()
	case mark:
		e.toggleMark()
	case unmark:
		clear(e.marked)
	case pin:
		return e.pinThem()
	case replay:
		return e.replays.again(e.these(), capture.Resend{})
	case replayAs:
		return e.replays.askAs(e.these())
	case retry:
		return e.replays.retry(e.inspect.selected())
	case replayTo:
		e.replays.askWhere(e.these())
	case explain:
		return send(pushMsg{newExplain(e.kit, e.list.selected().ID)})
	case makeSample:
		e.askSample(e.list.selected())
	case remove:
		e.askRemove()
	case copyMenu:
		e.inspect.copyMenu()
	case judge:
		return e.inspect.act(a)
	case showSecrets:
		return e.inspect.remake()
	}
	return nil
}

// actOpen does what is different while the keyboard is in the inspector; the
// rest is done as in the list.
func (e *events) actOpen(a action) (tea.Cmd, bool) {
	switch a {
	case back:
		if e.inspect.find.text != "" {
			return e.inspect.clearFind(), true
		}
		e.open = false
	case otherDown:
		e.list.move(1)
	case otherUp:
		e.list.move(-1)
	case pin, replay, replayTo, replayAs, retry, explain, makeSample, remove, grow, shrink:
		return nil, false
	default:
		return e.inspect.act(a), true
	}
	return nil, true
}

// escape ends what was begun last: the search, the filter, the marks.
func (e *events) escape() {
	switch {
	case e.searching():
		e.list.halted = true
		e.cancel()
		e.search, e.cancel = context.WithCancel(e.ctx)
	case e.filter.text != "":
		e.clearFilter()
	default:
		clear(e.marked)
	}
}

// searching reports whether events are being looked through for the filter.
func (e *events) searching() bool {
	return e.filter.text != "" && (e.list.busy == older || e.list.busy == tail)
}

func (e *events) resharea(a action) {
	shares := []int{30, 50, 70}
	i := slices.Index(shares, e.share)
	if a == grow {
		i++
	} else {
		i--
	}
	e.share = shares[min(max(i, 0), len(shares)-1)]
	e.resize()
}

func (e *events) toggleMark() {
	id := e.list.selected().ID
	if e.marked[id] {
		delete(e.marked, id)
		return
	}
	e.marked[id] = true
}

// these are the events an action is for: the marked ones while the keyboard
// is in the list, else the selected one.
func (e *events) these() []capture.ID {
	if len(e.marked) > 0 && !e.open {
		ids := make([]capture.ID, 0, len(e.marked))
		for id := range e.marked {
			ids = append(ids, id)
		}
		slices.Sort(ids)
		return ids
	}
	if row := e.list.selected(); row != nil {
		return []capture.ID{row.ID}
	}
	return nil
}

func (e *events) Why(a action) string {
	switch a {
	case replay, replayTo, replayAs, explain, remove, pin, copyMenu, mark, open, otherPane, nextFailed, prevFailed:
		if e.list.selected() == nil {
			return "no event is selected"
		}
	}
	switch {
	case (a == replay || a == replayTo || a == replayAs) && e.Resend == nil:
		return "cannot replay here: nothing delivers events"
	case a == retry:
		return e.replays.whyNot(e.inspect.selected())
	case a == explain && e.Endpoints == nil && e.Rules == nil:
		return "no endpoints can be registered here"
	case a == makeSample:
		return e.whyNoSample(e.list.selected())
	case a == remove && e.Remove == nil:
		return "cannot delete here: this source is read only"
	case a == pin && e.Pin == nil:
		return "cannot pin here: this source is read only"
	case (a == otherPane || a == grow || a == shrink || (a == otherDown || a == otherUp) && !e.open) && !e.wide():
		return "one pane only: the window is narrower than 120"
	}
	if e.open || a == judge {
		return e.inspect.why(a)
	}
	return ""
}
