package tui

import (
	"strings"
	"time"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/safe"
)

// column is a column of a list: how wide, and what a row has there.
type column[T any] struct {
	title string
	width int // 0: what the others leave
	right bool
	rank  int // of the columns that do not fit, the highest goes first
	cell  func(*T) (string, role)
	cut   func(string, int) string // nil: its end is cut off
}

// fitting are the columns that leave the one without a width at least room
// cells of w.
func fitting[T any](columns []column[T], w, room int) []column[T] {
	columns = append([]column[T](nil), columns...)
	for {
		need, worst := room, -1
		for i, c := range columns {
			if c.width > 0 {
				need += c.width + 1
			}
			if c.rank > 0 && (worst < 0 || c.rank > columns[worst].rank) {
				worst = i
			}
		}
		if need <= w || worst < 0 {
			return columns
		}
		columns = append(columns[:worst], columns[worst+1:]...)
	}
}

// rest is the width of the column that has none.
func rest[T any](columns []column[T], w int) int {
	for _, c := range columns {
		if c.width > 0 {
			w -= c.width
		}
	}
	return max(1, w-len(columns)+1)
}

// drawHead draws the titles of columns.
func drawHead[T any](t *theme, columns []column[T], w int) string {
	var b strings.Builder
	for i, c := range columns {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(c.fit(c.title, rest(columns, w)))
	}
	return t.line(w, span{dim, b.String()})
}

// rowLine draws a row behind its gutter in exactly w cells. The selected one
// is plain text in the colour of the selection: colours inside would end it.
func rowLine[T any](t *theme, columns []column[T], gutter string, row *T, w int, sel bool) string {
	var b strings.Builder
	b.WriteString(gutter)
	left := w - len(gutter)
	flex := rest(columns, left)
	for i, c := range columns {
		if i > 0 && left > 0 {
			b.WriteByte(' ')
			left--
		}
		text, r := c.cell(row)
		text = safe.Cut(c.fit(text, flex), left)
		left -= safe.Width(text)
		if sel {
			r = plain
		}
		t.paint(&b, r, text)
	}
	b.WriteString(spaces(left))
	if !sel {
		return b.String()
	}
	return t.line(w, span{selected, b.String()})
}

// drawRows draws rows, the selected one behind a >.
func drawRows[T any](t *theme, columns []column[T], rows []T, sel, w int) []string {
	out := make([]string, len(rows))
	for i := range rows {
		gutter := "  "
		if i == sel {
			gutter = "> "
		}
		out[i] = rowLine(t, columns, gutter, &rows[i], w, i == sel)
	}
	return out
}

// withBeside draws a list in h lines and, where there is room, what is selected
// beside it.
func withBeside(t *theme, w, h int, list func(w int) []string, beside func(w, h int) []string) string {
	listW := w
	if w >= 120 {
		listW = w * 65 / 100
	}
	lines := exactly(list(listW), h)
	if listW < w {
		bar := t.line(3, span{dim, " │ "})
		for i, l := range exactly(beside(w-listW-3, h), h) {
			lines[i] += spaces(listW-printed(lines[i])) + bar + l
		}
	}
	return strings.Join(lines, "\n")
}

func (c *column[T]) fit(text string, flex int) string {
	w := c.width
	if w == 0 {
		w = flex
	}
	if c.cut != nil {
		text = c.cut(text, w)
	}
	if c.right {
		return padLeft(text, w)
	}
	return pad(text, w)
}

// The columns of events.
var (
	colTime = column[capture.Row]{title: "TIME", width: 8, cell: func(r *capture.Row) (string, role) {
		return r.Received.Local().Format(time.TimeOnly), plain
	}}
	colMillis = column[capture.Row]{title: "TIME", width: 12, cell: func(r *capture.Row) (string, role) {
		return r.Received.Local().Format("15:04:05.000"), plain
	}}
	colFrom = column[capture.Row]{title: "FROM", width: 10, rank: 1, cell: func(r *capture.Row) (string, role) {
		return safe.Line(from(r)), plain
	}}
	colFromShort = column[capture.Row]{width: 7, rank: 2, cell: colFrom.cell}
	colMethod    = column[capture.Row]{title: "METH", width: 5, rank: 3, cell: func(r *capture.Row) (string, role) {
		return safe.Line(r.Method), plain
	}}
	colType = column[capture.Row]{title: "TYPE", cell: func(r *capture.Row) (string, role) {
		if r.Sealed {
			return "(sealed)", dim
		}
		if r.Type == "" {
			return safe.Line(r.Path()), dim
		}
		return safe.Line(r.Type), plain
	}}
	colState = column[capture.Row]{title: "STATE", width: 9, cell: func(r *capture.Row) (string, role) {
		glyph, word, role := look(r.Outcome.State)
		return glyph + " " + word, role
	}}
	colGlyph = column[capture.Row]{width: 1, cell: func(r *capture.Row) (string, role) {
		glyph, _, role := look(r.Outcome.State)
		return glyph, role
	}}
	colCode = column[capture.Row]{title: "CODE", width: 4, right: true, rank: 2, cell: func(r *capture.Row) (string, role) {
		return code(r), plain
	}}
	colCodeShort = column[capture.Row]{width: 3, rank: 3, cell: colCode.cell}
	colTry       = column[capture.Row]{title: "TRY", width: 3, right: true, rank: 4, cell: func(r *capture.Row) (string, role) {
		return comma(int64(r.Outcome.Tries)), plain
	}}
	colTook = column[capture.Row]{title: "DUR", width: 6, right: true, rank: 5, cell: func(r *capture.Row) (string, role) {
		return short(time.Duration(r.Outcome.Duration)), plain
	}}
)

var (
	narrowColumns = []column[capture.Row]{colTime, colGlyph, colCodeShort, colFromShort, colType}
	usualColumns  = []column[capture.Row]{colTime, colFrom, colMethod, colType, colState, colCode, colTry, colTook}
	wideColumns   = []column[capture.Row]{colMillis, colFrom, colMethod, colType, colState, colCode, colTry, colTook}
)

// eventColumns are the columns of events for a list w cells wide.
func eventColumns(w int) []column[capture.Row] {
	switch {
	case w < 46:
		return fitting(narrowColumns, w, 8)
	case w < 90:
		return fitting(usualColumns, w, 14)
	}
	return fitting(wideColumns, w, 24)
}

// from is whose event it is: the provider when it is known, else the app.
func from(r *capture.Row) string {
	if r.Provider != "" {
		return r.Provider
	}
	return r.App
}

// code is the status that answered the event last: the target's, or ours
// when it was refused.
func code(r *capture.Row) string {
	switch {
	case r.Refused != nil:
		return comma(int64(r.Refused.Status))
	case r.Outcome.Status != 0:
		return comma(int64(r.Outcome.Status))
	}
	return "-"
}
