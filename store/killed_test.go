package store_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"code.hooktape.dev/hooktape/capture"
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

// TestDirectoryRemovedUnderTheStore: nothing is acknowledged that nobody will
// find again, and the program can be ended.
func TestDirectoryRemovedUnderTheStore(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for Badger to give up")
	}
	t.Parallel() // it does nothing but wait
	dir := filepath.Join(t.TempDir(), "store")
	s, err := store.Open(dir, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	keep := func() error {
		return s.Keep(t.Context(), &capture.Change{Event: &capture.Event{ID: capture.NewID(capture.EventID), App: "a", Received: time.Now(), Method: "POST", Target: "/"}})
	}
	if err := keep(); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	for err = nil; err == nil; err = keep() { // until the store looks at its volume again
	}
	if !errors.Is(err, capture.ErrUnavailable) || errors.Is(err, capture.ErrFull) {
		t.Errorf("kept in a directory that is gone: %v, want %v", err, capture.ErrUnavailable)
	}
	if err := s.Close(); err == nil {
		t.Error("closed well, with its directory gone")
	}
}
