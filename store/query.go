package store

import (
	"context"
	"fmt"
	"time"

	"github.com/dgraph-io/badger/v4"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/match"
)

// slack is by how much an event may have been received after it was kept:
// clocks differ.
const slack = time.Minute

// Events is a window of events. What it costs is the window and what has to be
// looked at to fill it, not the store: a window by cursor is read where it
// lies, and of a predicate's terms those that are indexed choose what is
// looked at.
func (s *Store) Events(ctx context.Context, q capture.Query) (page capture.Page, err error) {
	p, err := match.Parse(q.Filter)
	if err != nil {
		return page, err
	}
	err = s.view(ctx, func(txn *badger.Txn) error {
		w := &window{store: s, txn: txn, query: q, filter: p}
		if w.query.Limit <= 0 {
			w.query.Limit = 50
		}
		page, err = w.read(ctx)
		return err
	})
	if err != nil {
		return capture.Page{}, fmt.Errorf("store: events: %w", err)
	}
	return page, nil
}

// window reads one Page.
type window struct {
	store  *Store
	txn    *badger.Txn
	query  capture.Query
	filter *match.Predicate

	since uint64 // nothing kept before this, in milliseconds, matches
	from  uint64 // the first seq to look at
}

func (w *window) read(ctx context.Context) (page capture.Page, err error) {
	w.from = newest
	if w.query.Cursor > 0 {
		w.from = w.query.Cursor - 1
	}
	if w.query.Ascending {
		w.from = w.query.Cursor + 1
	}
	if t := w.filter.Since(); !t.IsZero() {
		w.since = uint64(max(0, t.Add(-slack).UnixMilli()))
		if w.query.Ascending {
			w.from = max(w.from, firstKept(w.txn, w.since, w.store.lastSeq()))
		}
	}

	next, done := w.scan()
	if hints := w.hints(); len(hints) > 0 {
		done()
		next, done = w.merge(hints)
	}
	defer done()

	looked, last := 0, uint64(0)
	for {
		k, ok := next()
		if !ok || !w.query.Ascending && len(k.record) > 0 && keptAt(k.record) < w.since {
			return page, nil
		}
		if len(page.Rows) == w.query.Limit || w.query.Scan > 0 && looked == w.query.Scan {
			page.Next = last
			return page, nil
		}
		if looked%64 == 0 {
			if err := w.store.stop(ctx); err != nil {
				return page, err
			}
		}
		looked++
		last = k.seq
		if k.record == nil {
			continue // the index still lists what was removed while it was damaged
		}
		row := new(capture.Row)
		if err := decodeRow(k, row); err != nil {
			w.store.damaged(k.seq, err)
			continue
		}
		if w.matches(row) {
			page.Rows = append(page.Rows, *row)
		}
	}
}

func (w *window) matches(row *capture.Row) bool {
	if w.query.App != "" && row.App != w.query.App {
		return false
	}
	return w.filter.Match(match.Subject{Row: row, Body: func() []byte {
		body, err := readBody(w.txn, &row.Event)
		if err != nil {
			return nil // what is damaged says nothing
		}
		return body
	}})
}

// scan yields every event.
func (w *window) scan() (next func() (kept, bool), done func()) {
	walk := newWalk(w.txn, !w.query.Ascending)
	walk.seek(w.from)
	return walk.next, walk.close
}

// hints are the lists of which an event must be in one each.
func (w *window) hints() (hints [][][]byte) {
	if app := (entry{fieldApp, w.query.App}); app.indexed() {
		hints = append(hints, [][]byte{keyIndex(app.field, app.value)})
	}
	for _, x := range w.filter.Exact() {
		if l := lists(x); l != nil {
			hints = append(hints, l)
		}
	}
	return hints
}

// merge yields the events that are in one list of each hint: it lets the
// lists overtake one another until all stand on the same event.
func (w *window) merge(hints [][][]byte) (next func() (kept, bool), done func()) {
	desc := !w.query.Ascending
	var all []*list
	unions := make([]union, len(hints))
	for i, prefixes := range hints {
		for _, prefix := range prefixes {
			l := newList(w.txn, prefix, desc)
			all = append(all, l)
			unions[i] = append(unions[i], l)
		}
	}
	at := w.from
	next = func() (k kept, ok bool) {
		for i, agreed := 0, 0; agreed < len(unions); i = (i + 1) % len(unions) {
			seq, ok := unions[i].seek(at)
			if !ok {
				return kept{}, false
			}
			if seq != at {
				at, agreed = seq, 0
			}
			agreed++
		}
		k = w.fetch(at)
		if desc {
			at--
		} else {
			at++
		}
		return k, true
	}
	return next, func() {
		for _, l := range all {
			l.close()
		}
	}
}

// fetch is the event at seq. Where it cannot be read its record is empty.
func (w *window) fetch(seq uint64) kept {
	k := kept{seq: seq}
	k.record, _ = readParts(w.txn, keyEvent(seq))
	k.tally, _ = readParts(w.txn, keyTally(seq))
	return k
}

// union is lists read as one.
type union []*list

func (u union) seek(seq uint64) (best uint64, found bool) {
	for _, l := range u {
		at, ok := l.seek(seq)
		if ok && (!found || l.desc && at > best || !l.desc && at < best) {
			best, found = at, true
		}
	}
	return best, found
}

// decodeRow reads a stored event.
func decodeRow(k kept, row *capture.Row) error {
	if err := decodeEvent(k.seq, k.record, &row.Event); err != nil {
		return err
	}
	if k.tally != nil {
		var t tally
		if err := decode(keyTally(k.seq), k.tally, &t); err != nil {
			return err
		}
		row.Outcome, row.Pinned = t.Outcome, t.Pinned
	}
	if row.Refused != nil {
		row.Outcome.State = capture.Rejected
	}
	return nil
}

// firstKept is the seq of the first event kept at or after the given moment,
// found by halving.
func firstKept(txn *badger.Txn, moment, last uint64) uint64 {
	walk := newWalk(txn, false)
	defer walk.close()
	low, high := uint64(1), last+1
	for low < high {
		mid := low + (high-low)/2
		walk.seek(mid)
		k, ok := walk.next()
		switch {
		case !ok || k.seq >= high:
			high = mid
		case keptAt(k.record) < moment:
			low = k.seq + 1
		default:
			high = mid
		}
	}
	return low
}
