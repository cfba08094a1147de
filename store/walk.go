package store

import (
	"encoding/binary"
	"math"

	"github.com/dgraph-io/badger/v4"
)

// list reads keys that are a prefix and a seq, in one direction.
type list struct {
	it     *badger.Iterator
	prefix []byte
	desc   bool
	at     uint64 // where it stands,
	ok     bool   // unless it is past the end
	begun  bool
}

func newList(txn *badger.Txn, prefix []byte, desc bool) *list {
	return &list{it: iterate(txn, prefix, desc), prefix: prefix, desc: desc}
}

// iterate opens an iterator over the keys that begin with prefix.
func iterate(txn *badger.Txn, prefix []byte, desc bool) *badger.Iterator {
	o := badger.DefaultIteratorOptions
	o.PrefetchValues = false // keys are what is looked at; values of few
	o.Prefix = prefix
	o.Reverse = desc
	return txn.NewIterator(o)
}

func (l *list) close() { l.it.Close() }

// seek is the first seq at or after the given one, in the list's direction.
// It must not go back.
func (l *list) seek(seq uint64) (uint64, bool) {
	for range 4 { // the next few are cheaper to step to than to look up
		if !l.begun {
			break
		}
		if !l.ok || l.reached(seq) {
			return l.at, l.ok
		}
		l.it.Next()
		l.read()
	}
	if l.begun && (!l.ok || l.reached(seq)) {
		return l.at, l.ok
	}
	key := binary.BigEndian.AppendUint64(append([]byte(nil), l.prefix...), seq)
	if l.desc {
		key = append(key, 0xff) // a reverse seek finds what sorts before
	}
	l.it.Seek(key)
	l.begun = true
	l.read()
	return l.at, l.ok
}

func (l *list) reached(seq uint64) bool {
	if l.desc {
		return l.at <= seq
	}
	return l.at >= seq
}

func (l *list) read() {
	if l.ok = l.it.ValidForPrefix(l.prefix); l.ok {
		l.at = seqOf(l.it.Item().Key()[len(l.prefix):])
	}
}

// value is that of the key the list stands on.
func (l *list) value() ([]byte, error) { return l.it.Item().ValueCopy(nil) }

// walk reads events and their tallies in one pass, in one direction.
type walk struct {
	it   *badger.Iterator
	desc bool
	cur  kept
}

// kept is an event as it is stored.
type kept struct {
	seq    uint64
	record []byte // sealed; nil when it is missing
	tally  []byte // sealed; nil when there is none
}

func newWalk(txn *badger.Txn, desc bool) *walk {
	return &walk{it: iterate(txn, []byte{prefixEvent}, desc), desc: desc}
}

func (w *walk) close() { w.it.Close() }

// seek goes to the first event at or after seq.
func (w *walk) seek(seq uint64) {
	key := keySeq(prefixEvent, seq)
	if w.desc {
		key = append(key, 0xff)
	}
	w.it.Seek(key)
}

// next is the next event.
func (w *walk) next() (kept, bool) {
	if !w.it.ValidForPrefix([]byte{prefixEvent}) {
		return kept{}, false
	}
	w.cur.seq = seqOf(w.it.Item().Key()[1:])
	w.cur.record, w.cur.tally = nil, nil
	for ; w.it.ValidForPrefix([]byte{prefixEvent}); w.it.Next() {
		item := w.it.Item()
		key := item.Key()
		if seqOf(key[1:]) != w.cur.seq {
			break
		}
		what := &w.cur.record
		if key[9] == partTally {
			what = &w.cur.tally
		}
		v, err := item.ValueCopy(nil)
		switch {
		case err != nil: // the seal will say so
		case *what == nil:
			*what = v
		case w.desc:
			*what = append(v, *what...)
		default:
			*what = append(*what, v...)
		}
	}
	return w.cur, true
}

// newest is the seq that a descending walk or list begins at.
const newest = math.MaxUint64
