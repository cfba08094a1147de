package tui

import (
	"slices"

	"code.hooktape.dev/hooktape/capture"
)

// roll is a list that can only be read from its beginning on, a stretch at a
// time: endpoints, the attempts at one of them, what is due. It reads no
// further than was looked at, and after a change again only what is on view.
// Like list it reads nothing itself, and knows rows by key, not by number.
type roll[T any] struct {
	key func(*T) capture.ID
	new side

	rows   []T
	behind capture.ID // what was looked at last: the next stretch begins behind it
	end    bool       // there is nothing behind it
	sparse bool       // rows of the source between those here were left out
	looked int        // rows of the source looked at

	at, first int // the selected row, and the topmost on view
	height    int // rows on view

	loaded bool // something has been read
	stale  bool // the source has changed since
	missed bool // rows came in before the first that are not here
	toEnd  bool // the end is wanted
	busy   bool // a stretch is being read
	broken bool // the last one could not be read
	gen    int  // of the list; answers to an older one are late
}

// side is where in a source new rows come in.
type side uint8

const (
	newLast  side = iota // oldest first
	newFirst             // newest first; the first row is followed while it is selected
	newAny               // anywhere, and the source has no cursor: all is read again
)

// stretch is a question for rows.
type stretch struct {
	after capture.ID   // the row before the first; "": the beginning
	n     int          // rows at most
	again bool         // they take the place of those that are here
	these []capture.ID // only these, again
	gen   int
}

// rolled is its answer.
type rolled[T any] struct {
	stretch
	rows   []T
	behind capture.ID
	end    bool
	looked int
	err    error
}

// Of a source without a cursor no more than so many rows are read.
const mostWithoutCursor = 1000

// reset forgets all rows, for another question.
func (l *roll[T]) reset() {
	gen := l.gen + 1
	*l = roll[T]{key: l.key, new: l.new, height: l.height, gen: gen}
}

// next is the stretch to read now, if any.
func (l *roll[T]) next() (stretch, bool) {
	if l.busy || l.broken && !l.stale {
		return stretch{}, false
	}
	q := stretch{gen: l.gen, n: max(2*l.height, 50)}
	switch {
	case !l.loaded:
		l.stale = false
	case l.stale && l.new == newAny:
		q.again, q.n = true, max(q.n, len(l.rows))
		l.stale = false
	case l.stale && l.sparse:
		l.stale, l.end = false, false
		onView, _ := l.view(l.height)
		if len(onView) == 0 {
			return l.next()
		}
		for i := range onView {
			q.these = append(q.these, l.key(&onView[i]))
		}
	case l.stale, l.missed && l.first == 0:
		l.missed = l.new == newFirst && l.first > 0
		l.stale, q.again = false, true
		l.end = l.end && l.new != newLast
		if l.first > 0 {
			q.after = l.key(&l.rows[l.first-1])
		}
	case l.end || !l.toEnd && len(l.rows)-l.at > l.height:
		return stretch{}, false
	case l.new == newAny:
		q.again, q.n = true, min(len(l.rows)+q.n, mostWithoutCursor)
	default:
		q.after = l.behind
		if l.toEnd {
			q.n = 500
		}
	}
	l.busy = true
	return q, true
}

// merge takes an answer, and reports whether it was still wanted.
func (l *roll[T]) merge(a rolled[T]) bool {
	if a.gen != l.gen {
		return false
	}
	l.busy, l.broken = false, a.err != nil
	if a.err != nil {
		l.toEnd = false
		return true
	}
	cursor, top := l.keyAt(l.at), l.keyAt(l.first)
	follow := l.new == newFirst && l.at == 0
	switch {
	case a.these != nil:
		l.put(a)
	case l.new == newAny:
		l.rows, l.end = a.rows, a.end || a.n >= mostWithoutCursor
	case a.again:
		l.splice(a)
	default:
		l.rows = append(l.rows, a.rows...)
		l.behind, l.end, l.looked = a.behind, a.end, l.looked+a.looked
	}
	l.loaded = true
	if !follow {
		l.first, l.at = l.where(top, l.first), l.where(cursor, l.at)
	}
	if l.toEnd {
		l.at, l.toEnd = len(l.rows)-1, !l.end
	}
	l.settle()
	return true
}

// splice puts rows in the place of those read before.
func (l *roll[T]) splice(a rolled[T]) {
	from := 0
	for from < len(l.rows) && a.after != "" && !l.before(a.after, l.key(&l.rows[from])) {
		from++
	}
	to := from
	for to < len(l.rows) && (a.end || !l.before(a.behind, l.key(&l.rows[to]))) {
		to++
	}
	if l.new == newFirst && from == 0 && to == 0 { // so many are new that some between are not known
		to = len(l.rows)
	}
	if to == len(l.rows) {
		l.behind, l.end = a.behind, a.end
	}
	l.rows = slices.Replace(l.rows, from, to, a.rows...)
	l.looked = len(l.rows)
}

// put replaces single rows, and drops those that are no more.
func (l *roll[T]) put(a rolled[T]) {
	fresh := make(map[capture.ID]*T, len(a.rows))
	for i := range a.rows {
		fresh[l.key(&a.rows[i])] = &a.rows[i]
	}
	l.rows = slices.DeleteFunc(l.rows, func(r T) bool {
		id := l.key(&r)
		return fresh[id] == nil && slices.Contains(a.these, id)
	})
	for i := range l.rows {
		if r := fresh[l.key(&l.rows[i])]; r != nil {
			l.rows[i] = *r
		}
	}
}

// before reports whether a row stands before another. Ids sort by time.
func (l *roll[T]) before(a, b capture.ID) bool {
	if l.new == newFirst {
		a, b = b, a
	}
	return a < b
}

func (l *roll[T]) keyAt(i int) capture.ID {
	if i >= len(l.rows) {
		return ""
	}
	return l.key(&l.rows[i])
}

// where is the row with a key, or was when it is there no more.
func (l *roll[T]) where(id capture.ID, was int) int {
	for i := range l.rows {
		if l.key(&l.rows[i]) == id {
			return i
		}
	}
	return was
}

// act does the actions that move about a list, and reports whether a is one.
func (l *roll[T]) act(a action) bool {
	l.stale = l.stale || l.broken // any key tries again
	page := max(1, l.height-1)
	switch a {
	case goDown:
		l.at++
	case goUp:
		l.at--
	case goHalfDown:
		l.at += max(1, page/2)
	case goHalfUp:
		l.at -= max(1, page/2)
	case goPageDown:
		l.at += page
	case goPageUp:
		l.at -= page
	case goTop:
		l.at = 0
	case goBottom:
		// To the end of what may be millions of attempts one goes by steps.
		l.at, l.toEnd = len(l.rows)-1, l.new == newLast && !l.end
	default:
		return false
	}
	l.settle()
	return true
}

// settle brings cursor and top back among the rows.
func (l *roll[T]) settle() {
	l.at = max(0, min(l.at, len(l.rows)-1))
	l.first = l.firstFor(l.height)
}

// firstFor is which row is topmost when h rows are on view.
func (l *roll[T]) firstFor(h int) int {
	h = max(h, 1)
	first := max(min(l.first, l.at), l.at-h+1)
	return max(0, min(first, len(l.rows)-h))
}

// view is the rows on view when h are, and which of them is selected.
func (l *roll[T]) view(h int) ([]T, int) {
	first := l.firstFor(h)
	return l.rows[first:min(first+max(h, 1), len(l.rows))], l.at - first
}

// selected is the row under the cursor, nil when there are none.
func (l *roll[T]) selected() *T {
	if len(l.rows) == 0 {
		return nil
	}
	return &l.rows[l.at]
}
