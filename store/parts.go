package store

import (
	"encoding/binary"

	"github.com/dgraph-io/badger/v4"
)

// Records must not lie in the value log. Its collection writes entries it
// moves above the deletion of their key, if that has not reached the last
// level yet; when the deletion does and is dropped, they are back (Badger
// 4.9.6; seen with bodies, which nothing leads to any more: see orphans). So
// a record too large to lie beside its key is kept in parts: the first under
// its key, the others under the key and their number. A part that is not
// full is the last.
const part = valueThreshold - 64

func keyPart(key []byte, n int) []byte {
	if n == 0 {
		return key
	}
	return binary.BigEndian.AppendUint16(key[:len(key):len(key)], uint16(n))
}

// parts is how many parts a record of that length has.
func parts(length int) int { return length/part + 1 }

// putParts stages a record, in place of one of the old length.
func (b *batch) putParts(key, record []byte, old int) {
	n := parts(len(record))
	for i := range n {
		b.put(keyPart(key, i), record[i*part:min(len(record), (i+1)*part)])
	}
	for i := n; i < parts(old); i++ {
		b.del(keyPart(key, i))
	}
}

// delParts stages the deletion of a record of that length.
func (b *batch) delParts(key []byte, length int) {
	for i := range parts(length) {
		b.del(keyPart(key, i))
	}
}

// getParts is a record as the batch leaves it; nil where there is none.
func (b *batch) getParts(key []byte) ([]byte, error) { return joinParts(key, b.get) }

// readParts is a record; nil where there is none.
func readParts(txn *badger.Txn, key []byte) ([]byte, error) {
	return joinParts(key, func(key []byte) ([]byte, error) { return read(txn, key) })
}

func joinParts(key []byte, get func([]byte) ([]byte, error)) (record []byte, err error) {
	for n := 0; ; n++ {
		p, err := get(keyPart(key, n))
		if err != nil || p == nil {
			return record, err
		}
		if n == 0 && len(p) < part {
			return p, nil
		}
		record = append(record, p...)
		if len(p) < part {
			return record, nil
		}
	}
}
