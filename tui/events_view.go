package tui

import (
	"fmt"
	"strings"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/safe"
)

// The list's lines are, from the top: scope, titles, rows, preview.

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
	lines = exactly(append(lines, e.rows(columns, w, rows)...), head+rows)
	if preview > 0 {
		lines = append(lines, e.inspect.preview(w, preview)...)
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
	if sel && e.list.gone {
		deleted := *r
		deleted.Type = "(deleted) " + r.Type
		r = &deleted
	}
	return rowLine(e.theme, columns, string(gutter), r, w, sel)
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
