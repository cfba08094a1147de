package tui

// The list's lines are, from the top: titles, rows, and on narrow windows the
// selected row in short.

// listParts are how many of h lines each has, in a window w cells wide.
func listParts(w, h int) (head, rows, below int) {
	if h >= 10 {
		head = 1
	}
	if h >= 19 && w < 120 {
		below = 4
	}
	return head, max(1, h-head-below), below
}

// listView is how a screen draws its list.
type listView[T any] struct {
	list    *roll[T]
	columns func(w int) []column[T]
	nothing func(w int) []string    // there are no rows
	below   func(w, h int) []string // the selected row in short
	beside  func(w, h int) []string // and at length
}

// draw draws the list, and beside it what is selected where there is room.
func (v listView[T]) draw(th *theme, w, h int) string {
	list := func(listW int) []string { return v.lines(th, listW, w, h) }
	return withBeside(th, w, h, list, v.beside)
}

func (v listView[T]) lines(th *theme, w, window, h int) []string {
	if len(v.list.rows) == 0 {
		return v.nothing(w)
	}
	head, rows, below := listParts(window, h)
	columns := v.columns(w - 2)
	var out []string
	if head > 0 {
		out = append(out, "  "+drawHead(th, columns, w-2))
	}
	onView, sel := v.list.view(rows)
	out = append(out, drawRows(th, columns, onView, sel, w)...)
	if below > 0 {
		out = append(exactly(out, head+rows), v.below(w, below)...)
	}
	return out
}

// fit has the list fill a window.
func (l *roll[T]) fit(window sizeMsg) {
	_, l.height, _ = listParts(window.w, window.h)
	l.settle()
}

// unread says why a list has no rows, before there was anything to read them
// of; nil: it was read.
func (l *roll[T]) unread(th *theme, w int) []string {
	switch {
	case l.broken:
		return []string{"", th.line(w, span{bad, "  not read"}, span{dim, ": any key tries again"})}
	case !l.loaded:
		return []string{"", th.line(w, span{dim, "  reading…"})}
	}
	return nil
}
