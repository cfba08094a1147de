package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
)

// On opening, Badger cuts its logs off at the first entry whose checksum is
// wrong: right for the torn end that a power cut leaves, but one rotten bit
// takes with it everything kept after. The two can be told apart: a
// transaction is synced before the next one is written, so an entry followed
// by one of a later transaction was whole once, and has rotted since.
//
// mend gives such an entry a checksum that fits what is left of it, so that
// the rest stays readable; that this one is damaged shows in its own seal or
// digest. Before that it copies the file to the directory "damaged".
func mend(dir string, log *slog.Logger) error {
	logs, _ := filepath.Glob(filepath.Join(dir, "badger", "*.mem"))
	values, _ := filepath.Glob(filepath.Join(dir, "badger", "*.vlog"))
	if len(values) > 0 { // only the newest is cut
		logs = append(logs, slices.Max(values))
	}
	for _, path := range logs {
		if err := mendLog(dir, path, log); err != nil {
			return fmt.Errorf("looking for damage in %s: %w", path, err)
		}
	}
	return nil
}

func mendLog(dir, path string, log *slog.Logger) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	mended := 0
	for at := int64(logHead); ; {
		e, err := entryAt(f, at)
		if err != nil {
			return err
		}
		if e.size == 0 || !e.valid && !followed(f, at, e) {
			break
		}
		if !e.valid {
			if mended++; mended == 1 {
				if err := preserve(dir, path); err != nil {
					return err
				}
			}
			if _, err := f.WriteAt(binary.BigEndian.AppendUint32(nil, e.sum), at+e.size-crc32.Size); err != nil {
				return err
			}
		}
		at += e.size
	}
	if mended == 0 {
		return nil
	}
	log.Error("the disk has changed what was written; what it hit will show as damaged, and a copy of the file is in \"damaged\"",
		"file", path, "entries", mended)
	return f.Sync()
}

// followed reports whether behind the entry at that place comes one of a
// later transaction, with nothing broken between.
func followed(f *os.File, at int64, e logEntry) bool {
	for next := at + e.size; ; {
		n, err := entryAt(f, next)
		if err != nil || !n.valid {
			return false
		}
		if n.version > e.version {
			return true
		}
		next += n.size
	}
}

// logHead is what precedes the first entry of a log.
const logHead = 20

// logEntry is an entry of a log of Badger 4: two bytes of flags, the uvarint
// lengths of key and value and the uvarint expiry, key, value, CRC-32C.
type logEntry struct {
	size    int64 // 0: there is none
	valid   bool
	sum     uint32 // what its checksum should be
	version uint64 // of the transaction that wrote it
}

func entryAt(f *os.File, at int64) (e logEntry, err error) {
	var head [32]byte
	n, err := f.ReadAt(head[:], at)
	if err != nil && !errors.Is(err, io.EOF) {
		return e, err
	}
	rest := head[:n]
	if len(rest) < 2 {
		return e, nil
	}
	rest = rest[2:]
	var lengths [3]uint64
	for i := range lengths {
		v, n := binary.Uvarint(rest)
		if n <= 0 {
			return e, nil
		}
		lengths[i], rest = v, rest[n:]
	}
	if lengths[0] < 8 || lengths[0] > 1<<16 || lengths[1] > 1<<30 {
		return e, nil
	}
	before := int64(n - len(rest))
	size := before + int64(lengths[0]+lengths[1]) + crc32.Size
	if fi, err := f.Stat(); err != nil || at+size > fi.Size() {
		return e, err
	}
	b := make([]byte, size)
	if _, err := f.ReadAt(b, at); err != nil {
		return e, err
	}
	key := b[before : before+int64(lengths[0])]
	e.size = size
	e.version = ^binary.BigEndian.Uint64(key[len(key)-8:])
	e.sum = crc32.Checksum(b[:size-crc32.Size], castagnoli)
	e.valid = e.sum == binary.BigEndian.Uint32(b[size-crc32.Size:])
	return e, nil
}

// preserve copies a file to the directory "damaged", once.
func preserve(dir, path string) error {
	kept := filepath.Join(dir, "damaged")
	if err := os.MkdirAll(kept, 0o700); err != nil {
		return err
	}
	in, err := os.Open(path)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.CreateTemp(kept, filepath.Base(path)+"-*")
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Sync(), out.Close())
}
