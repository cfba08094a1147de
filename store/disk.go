package store

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"time"

	"code.hooktape.dev/hooktape/capture"
)

// Badger writes through memory maps. When the disk has no room for a page of
// one, the process is killed (SIGBUS), and again whenever it is started. So
// the disk is never filled: below a mark nothing new is kept, and should
// others fill it, there is a ballast file to throw off.
const (
	ballastMax  = 64 << 20
	ballastName = "ballast"
	openNeeds   = 32 << 20 // what Badger may write before it has opened
)

// room is how much free space a write asks for.
type room int

const (
	roomNone    room = iota // what frees space
	roomAttempt             // what ends a delivery
	roomEvent               // what is new
)

// disk watches the free space of the store's volume. The zero disk is endless.
type disk struct {
	dir     string
	min     int64
	free    int64     // when looked at,
	looked  time.Time // and when that was
	written int64     // since
}

// openDisk looks at the volume, throws off the ballast if that is what it
// takes to open, and takes ballast in if there is room for it.
func openDisk(dir string, minFree int64, log *slog.Logger) (*disk, error) {
	free, size, err := volume(dir)
	if errors.Is(err, errors.ErrUnsupported) {
		return &disk{}, nil
	}
	if err != nil {
		return nil, err
	}
	d := &disk{dir: dir, min: minFree}
	if d.min <= 0 {
		d.min = min(max(min(512<<20, size/20), 48<<20), size/4)
	}
	path := filepath.Join(dir, ballastName)
	weight := min(ballastMax, max(size/20, min(24<<20, size/10)))
	if need := min(openNeeds, weight*3/4); free < need {
		if err := os.Remove(path); err == nil {
			log.Error("the disk is full; the ballast file was removed so that the store opens; free some space",
				"dir", dir, "free", free)
			free, _, err = volume(dir)
			if err != nil {
				return nil, err
			}
		}
		if free < need {
			return nil, fmt.Errorf("%w: %d MiB are free and opening needs %d MiB; free some space", capture.ErrFull, free>>20, need>>20)
		}
	}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) && free > d.min+2*weight {
		if err := takeBallast(path, weight); err != nil {
			log.Warn("no ballast file: a full disk may need space freed by hand", "error", err)
		}
	}
	return d, nil
}

// takeBallast makes a file that really takes up its size.
func takeBallast(path string, size int64) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	err = allocate(f, size)
	if errors.Is(err, errors.ErrUnsupported) {
		zeros := make([]byte, 1<<20)
		err = nil
		for n := int64(0); n < size && err == nil; n += int64(len(zeros)) {
			_, err = f.Write(zeros[:min(int64(len(zeros)), size-n)])
		}
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, os.Remove(path))
	}
	return nil
}

// relieve throws off the ballast when others have filled the disk under a
// running store, whose tables are still being written in the background.
func (d *disk) relieve(log *slog.Logger) {
	if d.dir == "" {
		return
	}
	free, _, err := volume(d.dir)
	if err == nil && free < min(openNeeds, d.min/4) && os.Remove(filepath.Join(d.dir, ballastName)) == nil {
		log.Error("the disk is full; the ballast file was removed so that the store goes on; free some space", "dir", d.dir, "free", free)
	}
}

// need is the free space that must be there for a write.
func (d *disk) need(r room) int64 {
	switch r {
	case roomEvent:
		return d.min
	case roomAttempt:
		return d.min / 2
	}
	return d.min / 16 // of all writes, also of deletions, a few pages are new
}

// room is the free space, looked up at most ten times a second and after
// every 16 MiB written. It is an error when the directory is there no more:
// nothing that is written into its files would be found again.
func (d *disk) room() (int64, error) {
	if d.dir == "" {
		return math.MaxInt64, nil
	}
	if time.Since(d.looked) > 100*time.Millisecond || d.written > 16<<20 {
		free, _, err := volume(d.dir)
		if err != nil {
			return 0, fmt.Errorf("%w: its directory cannot be looked at: %w", capture.ErrUnavailable, err)
		}
		d.free, d.looked, d.written = free, time.Now(), 0
	}
	return d.free - d.written, nil
}

// wrote notes what was written since.
func (d *disk) wrote(bytes int64) { d.written += bytes }
