package store

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/ristretto/v2/z"
)

const (
	valueThreshold = 1 << 10 // smaller values lie beside their key, others in the value log
	memTable       = 8 << 20 // of stores made from now on; the others' is in their manifest
)

// diskOptions are the settings measured best for this load on a small machine
// (8 KiB events: 7,000 synced a second in 70 MB; bodies in the tables make it
// 2,700 in 800 MB). Bodies go to the value log, in files small enough for its
// collection to give space back, and memtables are small enough for it to
// hear of deletions soon.
func diskOptions(dir string, memTable int64) badger.Options {
	return badger.DefaultOptions(filepath.Join(dir, "badger")).
		WithSyncWrites(true).
		WithMemTableSize(memTable).WithNumMemtables(2).
		WithNumLevelZeroTables(3).WithNumLevelZeroTablesStall(8).WithNumCompactors(2).
		WithBlockCacheSize(16 << 20).WithIndexCacheSize(16 << 20).
		WithValueThreshold(valueThreshold).WithValueLogFileSize(32 << 20).
		WithVerifyValueChecksum(true).
		WithDetectConflicts(false). // there is one writer
		WithMetricsEnabled(false)
}

// memoryOptions bound transactions by the bytes in them, large values
// included: 2 MiB.
func memoryOptions() badger.Options {
	return badger.DefaultOptions("").WithInMemory(true).
		WithMemTableSize(16 << 20).WithNumMemtables(2).WithNumCompactors(2).
		WithBlockCacheSize(1 << 20).WithIndexCacheSize(1 << 20).
		WithDetectConflicts(false).WithMetricsEnabled(false)
}

// openBadger opens Badger, which panics on some kinds of damage.
func openBadger(o badger.Options) (db *badger.DB, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%w: %v", ErrCorrupt, r)
		}
	}()
	// A kill in the middle of making or deleting a memtable's file leaves an
	// empty one. Badger gives it its size, fails all the same, and opens the
	// next time; one at a time, so as often as there are memtables.
	for range 2 * o.NumMemtables {
		db, err = badger.Open(o)
		if err == nil || !strings.Contains(err.Error(), z.NewFile.Error()) { // wrapped beyond errors.Is
			break
		}
	}
	switch {
	case err == nil:
		return db, nil
	case strings.Contains(err.Error(), "Another process is using this Badger database"):
		return nil, ErrLocked
	}
	return nil, fmt.Errorf("%w: %w", ErrCorrupt, err)
}

// Errors of Open, to be tested for with errors.Is.
var (
	// ErrLocked is returned while another process has the store open.
	ErrLocked = errors.New("another hooktape has it open; talk to that one, or stop it")
	// ErrNewerFormat is returned for a store of a format this program does
	// not know yet.
	ErrNewerFormat = errors.New("made by a newer hooktape")
	// ErrForeign is returned for a directory that holds something else.
	ErrForeign = errors.New("it holds files that are not hooktape's; name an empty directory or a new one")
	// ErrCorrupt is returned when files of the store cannot be read. Nothing
	// has been changed or removed.
	ErrCorrupt = errors.New("its files are damaged; copy the directory before anything else, then try hooktape doctor")
)
