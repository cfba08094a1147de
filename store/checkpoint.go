package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"sync"
)

// checkpoint is a file that holds the newest place in the sequence, written
// once a second. Badger drops the rest of its log from the first bad bit on
// and says nothing; a sequence that ends before the checkpoint does.
type checkpoint struct {
	file *os.File   // nil in memory
	mu   sync.Mutex // held while it is written; guards seq
	seq  uint64     // as last written
}

// open opens the file and returns the place it holds, 0 in a new one.
func (c *checkpoint) open(dir string) (uint64, error) {
	f, err := os.OpenFile(filepath.Join(dir, "checkpoint"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return 0, err
	}
	var b [12]byte
	if n, _ := f.ReadAt(b[:], 0); n == len(b) && crc32.Checksum(b[:8], castagnoli) == binary.BigEndian.Uint32(b[8:]) {
		c.seq = binary.BigEndian.Uint64(b[:8])
	}
	c.file = f
	return c.seq, nil
}

// set writes and syncs the place. Its twelve bytes lie within one sector.
func (c *checkpoint) set(seq uint64) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.file == nil || seq == c.seq {
		return nil
	}
	b := binary.BigEndian.AppendUint64(nil, seq)
	b = binary.BigEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
	if _, err := c.file.WriteAt(b, 0); err != nil {
		return err
	}
	if err := c.file.Sync(); err != nil {
		return err
	}
	c.seq = seq
	return nil
}

func (c *checkpoint) close() error {
	if c.file == nil {
		return nil
	}
	if err := c.file.Close(); err != nil && !errors.Is(err, os.ErrClosed) {
		return fmt.Errorf("checkpoint: %w", err)
	}
	return nil
}

// mark brings the checkpoint up to date.
func (s *Store) mark() {
	if err := s.point.set(s.lastSeq()); err != nil {
		s.log.log.Error("the checkpoint cannot be written", "error", err)
	}
}
