package store

import (
	"bytes"
	"errors"

	"github.com/dgraph-io/badger/v4"
)

// putChunks stages a value of any size. In memory, large chunks have
// transactions of their own, ahead of what they belong to: there all bytes
// count against the bounds of a transaction, and no crash leaves half of it.
func (b *batch) putChunks(key, value []byte) error {
	for n := 0; n*chunk < len(value); n++ {
		part := value[n*chunk : min(len(value), (n+1)*chunk)]
		if !b.memory || len(part) < 64<<10 {
			b.put(keyChunk(key, n), part)
			continue
		}
		err := b.db.Update(func(txn *badger.Txn) error { return txn.Set(keyChunk(key, n), bytes.Clone(part)) })
		if err != nil {
			return err
		}
	}
	return nil
}

// readChunks puts a value of about that size together again, as far as it
// can be read, nil where there is none. Whether it is whole is for its seal or digest to say.
func readChunks(txn *badger.Txn, key []byte, size int64) ([]byte, error) {
	value := make([]byte, 0, size)
	for n := 0; ; n++ {
		item, err := txn.Get(keyChunk(key, n))
		if errors.Is(err, badger.ErrKeyNotFound) {
			if n == 0 {
				return nil, nil
			}
			return value, nil
		}
		if err != nil {
			return nil, err
		}
		before := len(value)
		err = item.Value(func(part []byte) error { value = append(value, part...); return nil })
		if err != nil {
			return nil, err
		}
		if len(value)-before < chunk {
			return value, nil // the last, or one that Badger could not read, which it does not say
		}
	}
}
