package store

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"

	"github.com/oklog/ulid/v2"
)

// format is that of the keys and records written here. A store of a larger
// one is refused, and every smaller one is opened, for ever:
//
//	1  events, attempts, and the endpoints of listeners
//	2  apps, registered endpoints, tokens, statistics; a queue for each kind of
//	   attempt. Attempts of format 1 are listed with their events only.
//	3  listeners, seats at relays, and gaps, which have places in the sequence
//	4  event types and rules; secrets of apps, causes of verdicts, URLs of events
const format = 4

// manifest is the file store.json, which says what a directory is.
type manifest struct {
	Format int `json:"format"`
	// MemTable is Badger's memtable size. A log written under a larger one
	// than it is opened with ends the process ("Arena too small"), so it is
	// never chosen again.
	MemTable int64  `json:"memtable"`
	Made     string `json:"created_by"`
	// ID tells this store's sequence from any other's. Stores made before
	// format 3 get theirs when they are opened.
	ID string `json:"id"`
}

const manifestName = "store.json"

// prepare makes dir a store's directory unless it is one, and returns its
// manifest. It writes into no directory that holds anything else.
func prepare(dir string) (m manifest, err error) {
	if fi, err := os.Stat(dir); err == nil && !fi.IsDir() {
		return m, errors.New("it is a file; name a directory")
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return m, err
	}
	data, err := os.ReadFile(filepath.Join(dir, manifestName))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if m, err = create(dir); err != nil {
			return m, err
		}
	case err != nil:
		return m, err
	default:
		if err := json.Unmarshal(data, &m); err != nil {
			return m, fmt.Errorf("%w (%s: %w)", ErrCorrupt, manifestName, err)
		}
	}
	if m.Format > format {
		return m, fmt.Errorf("%w: it has format %d, written by %s, and this is %s, which knows formats up to %d; upgrade hooktape",
			ErrNewerFormat, m.Format, m.Made, version(), format)
	}
	if m.Format < 1 || m.MemTable < 1<<20 || m.MemTable > 1<<30 {
		return m, fmt.Errorf("%w (%s: format %d, memtable %d)", ErrCorrupt, manifestName, m.Format, m.MemTable)
	}
	return m, writable(dir)
}

// upgrade notes that a store holds from now on what is written here.
func (m *manifest) upgrade(dir string) error {
	if m.Format == format && m.ID != "" {
		return nil
	}
	m.Format, m.ID = format, cmp.Or(m.ID, ulid.Make().String())
	return m.write(dir)
}

func (m *manifest) write(dir string) error {
	data, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	return writeFile(filepath.Join(dir, manifestName), append(data, '\n'))
}

// create writes the manifest of a new store.
func create(dir string) (manifest, error) {
	m := manifest{Format: format, MemTable: memTable, Made: version(), ID: ulid.Make().String()}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return m, err
	}
	for _, e := range entries {
		if !ours(e) {
			return m, fmt.Errorf("%w (%s)", ErrForeign, e.Name())
		}
	}
	return m, m.write(dir)
}

// ours reports whether an entry may lie in the directory of a new store: what
// a file system or the program's other parts put there first.
func ours(e fs.DirEntry) bool {
	name := e.Name()
	return e.Type()&fs.ModeSocket != 0 || name == "lost+found" || name == "age.key" ||
		strings.HasPrefix(name, ".") || strings.HasPrefix(name, "hooktape")
}

// writeFile puts a whole file in place, or nothing.
func writeFile(path string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(data)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// writable finds out by writing.
func writable(dir string) error {
	f, err := os.CreateTemp(dir, ".new-*")
	if err != nil {
		return fmt.Errorf("the directory cannot be written to: %w", err)
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// syncDir makes renames in a directory last. Systems on which a directory
// cannot be synced make them last by themselves.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	_ = d.Sync()
	return d.Close()
}

// version is that of this program.
func version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return "hooktape " + info.Main.Version
	}
	return "hooktape (devel)"
}
