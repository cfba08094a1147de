package store_test

import (
	"os"
	"path/filepath"
	"testing"

	"code.hooktape.dev/hooktape/store"
)

// TestKilledWhileOpeningOrClosing: a kill between the making of a memtable's
// file and its first byte, or between the emptying of one and its removal,
// leaves an empty file that Badger stumbles over.
func TestKilledWhileOpeningOrClosing(t *testing.T) {
	dir := t.TempDir()
	s, err := store.Open(dir, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"00007.mem", "00008.mem"} {
		if err := os.WriteFile(filepath.Join(dir, "badger", name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s, err = store.Open(dir, store.Options{})
	if err != nil {
		t.Fatalf("opened beside empty memtables: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}
