package store

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"github.com/dgraph-io/badger/v4"
)

// batch is the transaction being filled. What a plan stages joins it when the
// plan has succeeded and still fits.
type batch struct {
	db     *badger.DB
	txn    *badger.Txn
	now    uint64 // milliseconds
	totals totals // as they will be
	memory bool
	queued [][]byte // keys of the queue that have joined
	stats  folding

	staged      []change       // of one write; a later one of the same key counts
	index       map[string]int // into staged, once it is too long to look through
	size, count int64          // as Badger reckons them
	maxSize     int64
	maxCount    int64
	extra       int64 // of what is staged
}

// change is a key to be written, or deleted.
type change struct {
	key, value []byte
	deletes    bool
}

var (
	errNoFit = errors.New("does not fit this transaction")
	// ErrTooLarge is returned by Keep for a change that no transaction can
	// hold, not even one of its own.
	ErrTooLarge = errors.New("too large to be kept in one piece")
)

// get is the value of key as the batch leaves it; nil where there is none.
func (b *batch) get(key []byte) ([]byte, error) {
	if len(b.staged) > 32 {
		if i, ok := b.index[string(key)]; ok {
			return b.staged[i].value, nil
		}
		return read(b.txn, key)
	}
	for _, c := range slices.Backward(b.staged) {
		if bytes.Equal(c.key, key) {
			return c.value, nil
		}
	}
	return read(b.txn, key)
}

// read is a copy of a value, nil where there is none.
func read(txn *badger.Txn, key []byte) ([]byte, error) {
	item, err := txn.Get(key)
	if errors.Is(err, badger.ErrKeyNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	v, err := item.ValueCopy(nil)
	if v == nil {
		v = []byte{}
	}
	return v, err
}

func (b *batch) put(key, value []byte) {
	if value == nil {
		value = []byte{}
	}
	b.stage(change{key: key, value: value})
}

func (b *batch) del(key []byte) { b.stage(change{key: key, deletes: true}) }

func (b *batch) stage(c change) {
	b.staged = append(b.staged, c)
	switch n := len(b.staged); {
	case n == 33:
		b.index = map[string]int{}
		for i, c := range b.staged {
			b.index[string(c.key)] = i
		}
	case n > 33:
		b.index[string(c.key)] = n - 1
	}
}

func (b *batch) putRecord(key []byte, v any) error {
	value, err := encode(key, v)
	if err != nil {
		return err
	}
	b.put(key, value)
	return nil
}

// next is the next place in the sequence.
func (b *batch) next() uint64 {
	b.totals.Seq++
	return b.totals.Seq
}

// cost is what Badger's own bound on transactions charges for an entry: a
// value that goes to the value log counts as the pointer to it.
func (b *batch) cost(c change) int64 {
	if len(c.value) >= valueThreshold && !b.memory {
		return int64(len(c.key)) + 12 + 12
	}
	return int64(len(c.key)+len(c.value)) + 12
}

// fits reports whether what is staged still fits.
func (b *batch) fits() bool {
	b.extra = b.stats.bytes
	for _, c := range b.staged {
		b.extra += b.cost(c)
	}
	return b.size+b.extra <= b.maxSize && b.count+int64(len(b.staged))+b.stats.keys <= b.maxCount
}

// join moves what is staged into the transaction.
func (b *batch) join() error {
	for _, c := range b.staged {
		if bytes.IndexByte(queuePrefixes, c.key[0]) >= 0 && !c.deletes {
			b.queued = append(b.queued, c.key)
		}
		err := error(nil)
		if c.deletes {
			err = b.txn.Delete(c.key)
		} else {
			err = b.txn.Set(c.key, c.value)
		}
		if err != nil {
			return err
		}
	}
	b.size, b.count = b.size+b.extra, b.count+int64(len(b.staged))+b.stats.join()
	b.staged = b.staged[:0]
	return nil
}

// try plans w into the batch. Unless it returns nil, the batch is as before.
func (b *batch) try(w *write) (err error) {
	before := b.totals
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%w: reading what is there: %v", errSeal, r)
		}
		if err != nil {
			b.totals = before
			b.staged = b.staged[:0]
			b.stats.undo()
		}
	}()
	if err := w.plan(b); err != nil {
		return err
	}
	if !b.fits() {
		return errNoFit
	}
	return nil
}
