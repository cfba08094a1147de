package store

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"code.hooktape.dev/hooktape/capture"
)

func TestOpenRefuses(t *testing.T) {
	write := func(t *testing.T, path, text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, c := range map[string]struct {
		prepare func(t *testing.T, dir string) string
		want    error
		says    string
	}{
		"a newer format": {func(t *testing.T, dir string) string {
			write(t, filepath.Join(dir, manifestName), `{"format":7,"memtable":8388608,"created_by":"hooktape 9.1"}`)
			return dir
		}, ErrNewerFormat, "hooktape 9.1"},
		"strangers' files": {func(t *testing.T, dir string) string {
			write(t, filepath.Join(dir, "thesis.docx"), "")
			return dir
		}, ErrForeign, "thesis.docx"},
		"another's Badger": {func(t *testing.T, dir string) string {
			write(t, filepath.Join(dir, "MANIFEST"), "")
			return dir
		}, ErrForeign, "MANIFEST"},
		"a damaged manifest": {func(t *testing.T, dir string) string {
			write(t, filepath.Join(dir, manifestName), `{"form`)
			return dir
		}, ErrCorrupt, manifestName},
		"a file": {func(t *testing.T, dir string) string {
			write(t, filepath.Join(dir, "f"), "")
			return filepath.Join(dir, "f")
		}, nil, "it is a file"},
		"a directory in a file": {func(t *testing.T, dir string) string {
			write(t, filepath.Join(dir, "f"), "")
			return filepath.Join(dir, "f", "g")
		}, nil, "not a directory"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := c.prepare(t, t.TempDir())
			before := listing(t, dir)
			s, err := Open(dir, Options{})
			if err == nil {
				s.Close()
				t.Fatal("it opened")
			}
			if c.want != nil && !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, want %v saying %q", err, c.want, c.says)
			}
			if after := listing(t, dir); after != before {
				t.Errorf("the directory changed: %s, was %s", after, before)
			}
		})
	}
	t.Run("a directory that cannot be written", func(t *testing.T) {
		if os.Geteuid() == 0 {
			t.Skip("SKIPPED, NOT PROVEN: root may write anywhere")
		}
		dir := t.TempDir()
		os.Chmod(dir, 0o500)
		if _, err := Open(dir, Options{}); !errors.Is(err, os.ErrPermission) {
			t.Errorf("got %v, want ErrPermission", err)
		}
	})
}

func listing(t *testing.T, dir string) string {
	t.Helper()
	entries, _ := os.ReadDir(dir)
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return strings.Join(names, " ")
}

func TestOpenKeepsToItself(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	opened(t, dir, Options{})
	fi, err := os.Stat(dir)
	if err != nil || fi.Mode().Perm() != 0o700 {
		t.Errorf("mode = %v, %v; want 0700", fi.Mode(), err)
	}
}

// TestMemtableSizeIsForLife: a log written under a larger memtable than it is
// opened with would end the process.
func TestMemtableSizeIsForLife(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, manifestName), []byte(`{"format":1,"memtable":33554432,"created_by":"x"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	s := opened(t, dir, Options{})
	if got := s.db.Opts().MemTableSize; got != 32<<20 {
		t.Errorf("memtable = %d, want %d", got, 32<<20)
	}
}

// TestLostIsSaid cuts off the log of a store that was killed, which Badger
// takes for a torn end.
func TestLostIsSaid(t *testing.T) {
	dir := t.TempDir()
	s, err := Open(dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for range 100 {
		keep(t, s, event([]byte("{}")))
	}
	s.mark()
	crashed := filepath.Join(t.TempDir(), "crashed") // as a kill -9 leaves it
	if err := os.CopyFS(crashed, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	s.Close()
	wals, _ := filepath.Glob(filepath.Join(crashed, "badger", "*.mem"))
	if len(wals) != 1 {
		t.Fatalf("logs: %v", wals)
	}
	f, err := os.OpenFile(wals[0], os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	f.WriteAt(make([]byte, 4<<10), 10<<10)
	f.Close()

	var told strings.Builder
	s = opened(t, crashed, Options{Log: logTo(&told)})
	counts, _ := s.Counts(t.Context())
	if s.Lost() == 0 || uint64(counts.Events)+s.Lost() != 100 || !strings.Contains(told.String(), "lost=") {
		t.Errorf("lost = %d, events = %d, log %q; want a sum of 100", s.Lost(), counts.Events, told.String())
	}
	c := event(nil)
	keep(t, s, c)
	if c.Event.Seq != 101 {
		t.Errorf("the sequence goes on at %d, want 101", c.Event.Seq)
	}
	var reports int
	s.Check(t.Context(), func(id capture.ID, err error) { reports++ })
	if reports == 0 {
		t.Error("Check reports nothing")
	}
}

// TestOneBitCostsOneEvent flips a bit of the log of a store that was killed.
// Badger by itself drops all that was kept after it.
func TestOneBitCostsOneEvent(t *testing.T) {
	dir := t.TempDir()
	s, err := Open(dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for range 100 {
		keep(t, s, event([]byte("{}")))
	}
	s.mark()
	crashed := filepath.Join(t.TempDir(), "crashed")
	if err := os.CopyFS(crashed, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	s.Close()
	wals, _ := filepath.Glob(filepath.Join(crashed, "badger", "*.mem"))
	was, err := os.ReadFile(wals[0])
	if err != nil {
		t.Fatal(err)
	}
	at := int64(bytes.Index(was[10<<10:], []byte("/in/hook"))) + 10<<10 // within a record
	flip(t, wals[0], at)

	s = opened(t, crashed, Options{})
	page, err := s.Events(t.Context(), capture.Query{Limit: 200})
	if err != nil || len(page.Rows) != 99 || s.Lost() != 0 {
		t.Errorf("%d events of 100, lost %d, %v; want 99, 0", len(page.Rows), s.Lost(), err)
	}
	reports := 0
	s.Check(t.Context(), func(capture.ID, error) { reports++ })
	if reports != 1 {
		t.Errorf("%d reports, want 1", reports)
	}
	saved, _ := filepath.Glob(filepath.Join(crashed, "damaged", "*.mem-*"))
	if len(saved) != 1 {
		t.Fatalf("copies of the damaged file: %v", saved)
	}
	was[at] ^= 0x10
	if got, _ := os.ReadFile(saved[0]); !bytes.Equal(got, was) {
		t.Error("the copy is not the file as it was found")
	}
}

// flip changes one bit of a file.
func flip(t *testing.T, path string, at int64) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var b [1]byte
	if _, err := f.ReadAt(b[:], at); err != nil {
		t.Fatal(err)
	}
	b[0] ^= 0x10
	if _, err := f.WriteAt(b[:], at); err != nil {
		t.Fatal(err)
	}
}
