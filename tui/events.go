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
	paused  bool      // as the list was after the last message
	loaded  bool      // something has been read
	down    bool      // the source could not be read
	back    time.Time // searched back to
	waiting []sent    // replays whose outcome is to be told

	// What reads for the filter in force, and its end. Bubble Tea gives
	// commands no context, so it is kept here.
	search context.Context
	cancel context.CancelFunc
}

func newEvents(k *kit) *events {
	e := &events{base: newBase(k), marked: map[capture.ID]bool{}, share: 50}
	e.list.key = func(r *capture.Row) uint64 { return r.Seq }
	e.inspect = newInspect(e.base)
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
		return inBody
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
		cmd = e.inspect.resize()
	case changedMsg:
		e.list.stale = true
		cmd = e.check()
	case rateMsg:
		cmd = e.after(e.rate.tick())
	case loaded:
		cmd = e.take(msg)
	case found:
		cmd = e.jump(msg)
	case resent:
		e.waiting = append(e.waiting, msg.sent...)
		cmd = e.check()
	case outcomes:
		cmd = e.tell(msg)
	case removed:
		cmd = e.forget(msg)
	case told:
		cmd = note(string(msg))
	default:
		cmd = e.inspect.update(msg)
	}
	if e.list.paused && !e.paused {
		e.atPause = e.totals.Events
	}
	e.paused = e.list.paused
	return e, tea.Batch(cmd, e.read(), e.show())
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
	page := max(1, e.list.height-1)
	switch a {
	case goDown:
		e.list.move(1)
	case goUp:
		e.list.move(-1)
	case goHalfDown:
		e.list.move(max(1, page/2))
	case goHalfUp:
		e.list.move(-max(1, page/2))
	case goPageDown:
		e.list.move(page)
	case goPageUp:
		e.list.move(-page)
	case goTop:
		e.list.toTop()
	case goBottom:
		e.list.toBottom()
	case follow:
		if e.list.paused {
			e.list.toBottom()
		} else {
			e.list.pause()
		}
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
	case nextFailed:
		return e.seek(true)
	case prevFailed:
		e.list.pause()
		return e.seek(false)
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
		return e.replayTo("")
	case replayTo:
		return e.askWhere()
	case remove:
		return e.askRemove()
	case copyMenu:
		return e.inspect.copyMenu()
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
	case pin, replay, replayTo, remove, grow, shrink:
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
	case replay, replayTo, remove, pin, copyMenu, mark, open, otherPane, nextFailed, prevFailed:
		if e.list.selected() == nil {
			return "no event is selected"
		}
	}
	switch {
	case (a == replay || a == replayTo) && e.Resend == nil:
		return "cannot replay here: nothing delivers events"
	case a == remove && e.Remove == nil:
		return "cannot delete here: this source is read only"
	case a == pin && e.Pin == nil:
		return "cannot pin here: this source is read only"
	case (a == otherPane || a == grow || a == shrink) && !e.wide():
		return "one pane only: the window is narrower than 120"
	}
	if e.open {
		return e.inspect.why(a)
	}
	return ""
}

// Geometry. The list's lines are, from the top: scope, titles, rows, preview.

// panes are the widths of list and inspector beside it, 0 when it is not.
func (e *events) panes(w int) (list, inspect int) {
	if w < 120 {
		return w, 0
	}
	list = w * e.share / 100
	return list, w - list - 3
}

// parts are how many lines of h each part of the list has.
func (e *events) parts(w, h int) (scope, head, rows, preview int) {
	if h >= 16 {
		scope = 1
	}
	if h >= 10 {
		head = 1
	}
	if h >= 19 && w < 120 {
		preview = 4
	}
	return scope, head, max(1, h-scope-head-preview), preview
}

func (e *events) resize() {
	_, _, e.list.height, _ = e.parts(e.w, e.h)
	e.list.settle()
	_, e.inspect.w = e.panes(e.w)
	e.inspect.h, e.inspect.beside = e.h-1, e.wide()
	if !e.wide() {
		e.inspect.w, e.inspect.h = e.w, e.h
	}
}

func (e *events) View(w, h int) string {
	if e.open && w < 120 {
		return strings.Join(e.inspect.lines(w, h, true), "\n")
	}
	scope, _, _, _ := e.parts(w, h)
	var lines []string
	if scope > 0 {
		lines = append(lines, e.scope(w))
	}
	listW, inspectW := e.panes(w)
	list := exactly(e.lines(listW, w, h), h-scope)
	if inspectW > 0 {
		bar := e.theme.line(3, span{dim, " │ "})
		for i, l := range exactly(e.inspect.lines(inspectW, h-scope, e.open), h-scope) {
			list[i] += spaces(listW-printed(list[i])) + bar + l
		}
	}
	return strings.Join(append(lines, list...), "\n")
}

// lines draws the list below its scope.
func (e *events) lines(w, window, h int) []string {
	_, head, rows, preview := e.parts(window, h)
	if len(e.list.rows) == 0 {
		return e.nothing(w)
	}
	const gutter = 4
	columns := eventColumns(w - gutter)
	var lines []string
	if head > 0 {
		lines = append(lines, spaces(gutter)+drawHead(e.theme, columns, w-gutter))
	}
	top, cursor := e.list.topFor(rows), e.list.index()
	for i := top; i < min(top+rows, len(e.list.rows)); i++ {
		lines = append(lines, e.row(columns, &e.list.rows[i], w, i == cursor))
	}
	if preview > 0 {
		lines = append(exactly(lines, head+rows), e.inspect.preview(w, preview)...)
	}
	return lines
}

// row draws a row behind its gutter: > selected, * marked, m pinned.
func (e *events) row(columns []column[capture.Row], r *capture.Row, w int, sel bool) string {
	gutter := []byte("    ")
	if sel {
		gutter[0] = '>'
	}
	if r.Pinned {
		gutter[1] = 'm'
	}
	if e.marked[r.ID] {
		gutter[2] = '*'
	}
	var b strings.Builder
	b.Grow(2 * w)
	if sel {
		body := *r
		if e.list.gone {
			body.Type = "(deleted) " + body.Type
		}
		var line strings.Builder
		line.Write(gutter)
		drawRow(&line, e.theme, columns, &body, w-len(gutter), true)
		e.theme.paint(&b, selected, line.String())
		return b.String()
	}
	b.Write(gutter)
	drawRow(&b, e.theme, columns, r, w-len(gutter), false)
	return b.String()
}

// scope draws where events come from, where they go and how many there are.
func (e *events) scope(w int) string {
	left := []span{{plain, " " + safe.Line(e.Ready.Ingest)}}
	for i, t := range e.Ready.Targets {
		arrow := " → "
		if i > 0 {
			arrow = ", "
		}
		left = append(left, span{dim, arrow}, span{plain, safe.Line(strings.TrimPrefix(t, "http://"))})
	}
	right := []span{{title, count(e.totals.Events, "event")}}
	if e.totals.Pending > 0 {
		right = append(right, span{info, "  " + comma(e.totals.Pending) + " pending"})
	}
	if now, bars := e.rate.draw(); bars != "" {
		right = append(right, span{plain, fmt.Sprintf("  %s/s ", comma(now))}, span{info, bars})
	}
	return e.theme.spread(w, append(left, span{plain, "  "}), append(right, span{plain, " "}))
}

// State says whether the newest event is being followed.
func (e *events) State() []span {
	if e.open && !e.wide() {
		return nil
	}
	var s []span
	if e.h < 16 {
		s = append(s, span{plain, comma(e.totals.Events) + " "})
	}
	if !e.list.paused {
		return append(s, span{good, "FOLLOW ●"})
	}
	text := "PAUSED ‖"
	if n := e.fresh(); n > 0 {
		text += " " + comma(n) + " new"
	}
	return append(s, span{warn, text})
}

// fresh is how many events came since following paused, of those the filter
// is for.
func (e *events) fresh() int64 {
	if e.filter.text != "" || e.Counts == nil {
		return int64(e.list.fresh)
	}
	return max(0, e.totals.Events-e.atPause)
}

// Tell is what the message line says of filter, search and marks.
func (e *events) Tell() (left, right []span) {
	if e.open {
		return e.inspect.tell()
	}
	if e.filter.typing {
		left = append([]span{{hint, " / "}}, e.filter.field.spans(e.w/2)...)
		right = append(right, e.filter.verdict())
	} else if e.filter.text != "" {
		left = []span{{hint, " / "}, {plain, safe.Line(e.filter.text)}}
		right = append(right, e.filter.verdict())
	}
	switch {
	case e.searching():
		right = append(right, span{info, " · searched" + e.backTo() + " (esc stops)"})
	case e.list.halted && e.filter.text != "":
		right = append(right, span{warn, " · stopped, searched" + e.backTo()})
	}
	if n := len(e.marked); n > 0 {
		right = append(right, span{plain, " · " + comma(int64(n)) + " marked (*)"})
	}
	if len(right) > 0 {
		right = append(right, span{plain, " "})
	}
	return left, right
}

func (e *events) backTo() string {
	if e.back.IsZero() {
		return "…"
	}
	return " back to " + e.back.Local().Format("15:04")
}

// nothing is what is on view when there are no rows.
func (e *events) nothing(w int) []string {
	switch {
	case !e.loaded:
		return []string{"", e.theme.line(w, span{dim, "  reading…"})}
	case e.filter.text != "" && e.searching():
		return []string{"", e.theme.line(w, span{dim, "  no match so far"})}
	case e.filter.text != "":
		return []string{"", e.theme.line(w, span{plain, "  no event matches "}, span{title, safe.Line(e.filter.text)}),
			e.theme.line(w, span{hint, "  esc"}, span{plain, " shows all events"})}
	}
	lines := []string{"", e.theme.line(w, span{title, "  No events yet."})}
	url := safe.Line(e.Ready.Ingest)
	if url == "" {
		return append(lines, e.theme.line(w, span{plain, "  They appear here as they arrive."}))
	}
	lines = append(lines, e.theme.line(w, span{plain, "  Send webhooks to "}, span{info, url}),
		"", e.theme.line(w, span{plain, "  or try it from another terminal:"}), "")
	for _, l := range []string{"curl " + url + `/hello \`, `  -H 'Content-Type: application/json' \`, `  -d '{"hello":"world"}'`} {
		lines = append(lines, e.theme.line(w, span{info, "    " + l}))
	}
	return lines
}
