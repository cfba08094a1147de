package tui

import (
	"math"
	"slices"
)

// list is a window on rows that live in a source and are too many to hold. It
// keeps a run of consecutive rows around what is on view, and remembers what
// is selected by key, never by number: rows that come and go elsewhere do not
// move what is being read. It reads nothing itself; next says what it wants
// read, merge takes the answer.
//
// The zero list, given key, wants the newest rows and follows them.
type list[T any] struct {
	key func(*T) uint64 // a row's place; higher is newer

	rows        []T    // the run, oldest first
	older       uint64 // the cursor behind which older rows are read
	newer       uint64 // the same for newer ones
	first, last bool   // the run begins with the oldest, ends with the newest

	cursor, top uint64 // keys of the selected row and of the topmost on view
	paused      bool   // not following the newest
	gone        bool   // the selected row is in the source no more; it stays until the cursor moves
	height      int    // rows on view

	told  uint64 // the place up to which rows that came while paused are counted
	fresh int    // how many those are

	jump   how  // wanted: head or tail or around, before anything else
	stale  bool // the source has changed since the run was read
	halted bool // do not search further for rows above
	broken bool // the last window could not be read
	busy   how  // the window being read, none when none is
	owed   int  // moves to make once there are rows
	gen    int  // of the newest question; answers to older ones are late
}

// how a window of rows lies in the source, and what becomes of it.
type how uint8

const (
	none   how = iota
	tail       // the newest: they replace the run
	head       // the oldest: they replace the run
	around     // from the selected on: they replace the run
	older      // to be put before the run
	newer      // to be put behind the run
	again      // the run itself
	tally      // newer ones, only counted
)

// window is a question for rows.
type window struct {
	how  how
	from uint64 // the cursor
	n    int
	gen  int
}

func (w window) ascending() bool { return w.how != tail && w.how != older }

// page is how many rows are read at least.
func (l *list[T]) page() int { return max(l.height, 10) }

// reset forgets the rows, for another filter, and asks for them anew.
func (l *list[T]) reset(j how) {
	l.rows, l.first, l.last, l.gone = nil, false, false, false
	l.told, l.fresh = 0, 0
	if j == tail {
		l.cursor, l.top = math.MaxUint64, math.MaxUint64
	}
	l.want(j)
}

// want asks for the run to be replaced.
func (l *list[T]) want(j how) {
	l.jump, l.busy, l.halted, l.broken, l.owed = j, none, false, false, 0
	l.gen++
}

// next is the window to read now, if any. refresh says how a run is brought
// up to date after a change.
func (l *list[T]) next(refresh how) (window, bool) {
	if l.busy != none || l.broken && !l.stale {
		return window{}, false
	}
	w := window{gen: l.gen, n: 2 * l.page()}
	i := l.index()
	switch {
	case l.jump != none:
		w.how = l.jump
		if w.how == around {
			w.from = max(l.cursor, 1) - 1
		}
	case l.stale:
		l.stale = false
		w.how = refresh
		switch {
		case refresh == again && len(l.rows) == 0:
			w.how = tail
		case refresh == again:
			w.from, w.n = l.key(&l.rows[0])-1, len(l.rows)
		case refresh == newer:
			w.from = l.newer
		case refresh == tally:
			w.from, w.n = l.told, 500
		}
	case !l.first && !l.halted && (i < l.page() || l.topIndex() < l.page()):
		w.how, w.from = older, l.older
	case !l.last && len(l.rows)-i < 2*l.page():
		w.how, w.from = newer, l.newer
	default:
		return window{}, false
	}
	l.busy = w.how
	return w, true
}

// merge takes the rows of a window, in the order they were read. next is
// where to read on, 0 at the end; seen the place up to which the source was
// read when it was read to its end. It reports whether the answer was still
// wanted.
func (l *list[T]) merge(w window, rows []T, next, seen uint64) bool {
	if w.gen != l.gen {
		return false
	}
	l.busy, l.broken = none, false
	if !w.ascending() {
		slices.Reverse(rows)
	}
	switch w.how {
	case tail:
		l.rows, l.older, l.first = rows, next, next == 0
		l.newer, l.last = seen, true
	case head, around:
		l.rows, l.newer, l.last = rows, or(next, seen), next == 0
		l.older, l.first = w.from+1, w.how == head
	case older:
		l.rows = append(rows, l.rows...)
		l.older, l.first = next, next == 0
	case newer:
		if n := len(l.rows); n > 0 { // what came in while the source's end was looked up is here already
			have := l.key(&l.rows[n-1])
			rows = slices.DeleteFunc(rows, func(r T) bool { return l.key(&r) <= have })
		}
		l.rows = append(l.rows, rows...)
		l.newer, l.last = or(next, seen), next == 0
	case tally:
		l.fresh += len(rows)
		l.told, l.stale = or(next, seen), l.stale || next != 0
		l.last = l.last && len(rows) == 0
	case again:
		l.rows = l.keepGone(rows)
		l.last = next == 0
		if n := len(l.rows); n > 0 {
			l.newer = l.key(&l.rows[n-1])
		}
	}
	if w.how == l.jump {
		l.jump = none
		if w.how == head {
			l.cursor = 0
		}
	}
	if l.told == 0 {
		l.told = l.newer
	}
	l.settle()
	if n := l.owed; n != 0 {
		l.owed = 0
		l.move(n)
	}
	l.trim()
	return true
}

// fail ends a window that was not read. A broken source is not asked again
// before something has changed.
func (l *list[T]) fail(w window, broken bool) {
	if w.gen == l.gen {
		l.busy, l.broken = none, broken
		l.stale = l.stale && !broken
	}
}

// keepGone puts the selected row back into rows that lack it.
func (l *list[T]) keepGone(rows []T) []T {
	sel := l.selected()
	if sel == nil {
		return rows
	}
	i, there := l.find(rows, l.cursor)
	l.gone = !there
	if l.gone {
		rows = slices.Insert(rows, i, *sel)
	}
	return rows
}

// put replaces rows of the run by newer readings of them.
func (l *list[T]) put(rows []T) {
	for _, r := range rows {
		if i, ok := l.find(l.rows, l.key(&r)); ok {
			l.rows[i] = r
		}
	}
}

// drop takes rows out of the run, those that were deleted on purpose; the
// cursor goes to the next row.
func (l *list[T]) drop(which func(*T) bool) {
	i := l.index()
	for i < len(l.rows)-1 && which(&l.rows[i]) {
		i++
	}
	for i > 0 && which(&l.rows[i]) {
		i--
	}
	if i < len(l.rows) {
		l.cursor = l.key(&l.rows[i])
	}
	l.rows = slices.DeleteFunc(l.rows, func(r T) bool { return which(&r) })
	l.settle()
}

// move moves the cursor by n rows. Moving down past the newest row follows.
func (l *list[T]) move(n int) {
	if n < 0 {
		l.pause()
	}
	if l.jump != none { // the rows there are will be replaced
		l.owed += n
		return
	}
	if len(l.rows) == 0 {
		return
	}
	i := l.index()
	if l.gone && n != 0 && len(l.rows) > 1 {
		l.gone = false
		l.rows = slices.Delete(l.rows, i, i+1)
		if n > 0 {
			i--
		}
	}
	if n > 0 && i == len(l.rows)-1 && l.last {
		l.resume()
	}
	to := i + n
	switch {
	case to < 0 && !l.first:
		l.owed = min(l.owed, 0) + to
		l.halted = false
	case to >= len(l.rows) && !l.last:
		l.owed = max(l.owed, 0) + to - len(l.rows) + 1
	default:
		l.owed = 0
	}
	l.cursor = l.key(&l.rows[min(max(to, 0), len(l.rows)-1)])
	l.settle()
}

// act does the actions that move about a list, and reports whether a is one.
func (l *list[T]) act(a action) bool {
	page := max(1, l.height-1)
	switch a {
	case goDown:
		l.move(1)
	case goUp:
		l.move(-1)
	case goHalfDown:
		l.move(max(1, page/2))
	case goHalfUp:
		l.move(-max(1, page/2))
	case goPageDown:
		l.move(page)
	case goPageUp:
		l.move(-page)
	case goTop:
		l.toTop()
	case goBottom:
		l.toBottom()
	case follow:
		if l.paused {
			l.toBottom()
		} else {
			l.pause()
		}
	default:
		return false
	}
	return true
}

// pause stops following; what comes from now on is new.
func (l *list[T]) pause() {
	if !l.paused {
		l.paused, l.told, l.fresh = true, l.newer, 0
	}
}

// resume follows the newest row, from where the run ends.
func (l *list[T]) resume() { l.paused, l.gone, l.fresh = false, false, 0 }

// toTop goes to the oldest row.
func (l *list[T]) toTop() {
	l.pause()
	if l.first {
		l.move(-len(l.rows))
		return
	}
	l.want(head)
}

// toBottom goes to the newest row and follows.
func (l *list[T]) toBottom() {
	l.resume()
	l.stale = true // for what the source has no more
	if !l.last {
		l.want(tail)
	}
	l.settle()
}

// settle brings cursor and top back among the rows after anything changed.
func (l *list[T]) settle() {
	if len(l.rows) == 0 {
		return
	}
	i := l.index()
	if !l.paused && l.last {
		i = len(l.rows) - 1
		l.gone = false
	}
	l.cursor = l.key(&l.rows[i])
	l.top = l.key(&l.rows[l.topFor(l.height)])
}

// trim forgets rows far from the cursor.
func (l *list[T]) trim() {
	most := 3 * l.page()
	i := l.index()
	if n := i - most; n > 0 {
		l.rows = slices.Delete(l.rows, 0, n)
		l.older, l.first = l.key(&l.rows[0]), false
		i -= n
	}
	if n := i + most; n < len(l.rows) {
		l.rows = slices.Delete(l.rows, n, len(l.rows))
		l.newer, l.last = l.key(&l.rows[n-1]), false
	}
}

// find is where the row with a key is in rows, or would be.
func (l *list[T]) find(rows []T, key uint64) (int, bool) {
	return slices.BinarySearchFunc(rows, key, func(r T, k uint64) int {
		switch have := l.key(&r); {
		case have < k:
			return -1
		case have > k:
			return 1
		}
		return 0
	})
}

// index is where the cursor is among the rows, 0 when there are none.
func (l *list[T]) index() int {
	i, _ := l.find(l.rows, l.cursor)
	return max(0, min(i, len(l.rows)-1))
}

func (l *list[T]) topIndex() int {
	i, _ := l.find(l.rows, l.top)
	return max(0, min(i, len(l.rows)-1))
}

// topFor is which row is topmost when h rows are on view: the one that was,
// unless the cursor would be out of sight or rows below it would be missing.
func (l *list[T]) topFor(h int) int {
	h = max(h, 1)
	i, top := l.index(), l.topIndex()
	top = max(min(top, i), i-h+1)
	return max(0, min(top, len(l.rows)-h))
}

// view is the rows on view when h are, and which of them is selected.
func (l *list[T]) view(h int) ([]T, int) {
	top := l.topFor(h)
	return l.rows[top:min(top+max(h, 1), len(l.rows))], l.index() - top
}

// selected is the row under the cursor, nil when there are none.
func (l *list[T]) selected() *T {
	if len(l.rows) == 0 {
		return nil
	}
	return &l.rows[l.index()]
}

// to selects the row with a key, and reads around it when it is not in the
// run.
func (l *list[T]) to(key uint64) {
	l.pause()
	l.gone = false
	l.cursor = key
	if _, ok := l.find(l.rows, key); !ok {
		l.want(around)
		return
	}
	l.settle()
}
