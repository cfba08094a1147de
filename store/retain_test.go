package store

import (
	"errors"
	"io/fs"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dgraph-io/badger/v4"

	"code.hooktape.dev/hooktape/capture"
)

func TestRetention(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := Open("", Options{Memory: true, Retain: Retain{Age: time.Hour, Count: 50}, Log: logs(t)})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		pinned, waiting := event(nil), event(nil)
		pending(waiting, capture.NewID(capture.EndpointID), time.Now())
		keep(t, s, pinned, waiting)
		if err := s.Pin(t.Context(), pinned.Event.ID, true); err != nil {
			t.Fatal(err)
		}
		for range 100 {
			keep(t, s, event([]byte("{}")))
		}
		if err := s.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		if counts, _ := s.Counts(t.Context()); counts.Events != 50 {
			t.Errorf("%d events are left, want 50", counts.Events)
		}
		audit(t, s)
		old := event(nil, func(e *capture.Event) { e.Received = time.Now().Add(-100 * time.Hour) }) // imported: kept now
		time.Sleep(30 * time.Minute)
		keep(t, s, old)
		time.Sleep(31*time.Minute + 30*time.Second) // the background sweeps by itself
		synctest.Wait()
		if counts, _ := s.Counts(t.Context()); counts.Events != 3 {
			t.Errorf("%d events are left, want the pinned, the pending and the newest", counts.Events)
		}
		for _, c := range []*capture.Change{pinned, waiting, old} {
			if _, err := s.Event(t.Context(), c.Event.ID); err != nil {
				t.Error(err)
			}
		}
	})
}

// TestSweepGivesSpaceBack judges by what the files take up.
func TestSweepGivesSpaceBack(t *testing.T) {
	if testing.Short() {
		t.Skip("writes 600 MiB")
	}
	dir := t.TempDir()
	s := opened(t, dir, Options{Retain: Retain{Bytes: 96 << 20}, Log: logs(t)})
	body := noise(32 << 10)
	most := int64(0)
	for i := range 40 {
		var changes []*capture.Change
		for range 512 {
			changes = append(changes, event(body))
		}
		keep(t, s, changes...)
		if i%5 == 4 {
			if err := s.Sweep(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		most = max(most, usage(t, dir))
	}
	end := usage(t, dir)
	t.Logf("640 MiB kept under a bound of 96: %d MiB at most, %d MiB at the end", most>>20, end>>20)
	if end > 300<<20 {
		t.Errorf("%d MiB are taken up", end>>20)
	}
	audit(t, s, prefixBody) // Badger brings some back, see parts.go
}

// TestOrphansAreRemoved: bodies that Badger has brought back go again, and
// none goes while an event is missing.
func TestOrphansAreRemoved(t *testing.T) {
	s := onDisk(t)
	c := event([]byte("body"))
	keep(t, s, c)
	orphan := func() {
		err := s.db.Update(func(txn *badger.Txn) error { return txn.Set(keyChunk(keySeq(prefixBody, 77), 0), []byte("x")) })
		if err != nil {
			t.Fatal(err)
		}
	}
	orphan()
	if err := s.orphans(t.Context()); err != nil {
		t.Fatal(err)
	}
	audit(t, s)
	err := s.db.Update(func(txn *badger.Txn) error { return txn.Delete(keyEvent(c.Event.Seq)) })
	if err != nil {
		t.Fatal(err)
	}
	if err := s.orphans(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := leftovers(t, s); n < 3 {
		t.Errorf("the body of an event that was lost is gone, too: %d keys", n)
	}
}

// usage is what the files of a store take up, the ballast aside.
func usage(t *testing.T, dir string) (bytes int64) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || d.Name() == ballastName {
			return nil // removed meanwhile
		}
		if fi, err := d.Info(); err == nil {
			bytes += allocated(fi)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return bytes
}

func TestRemove(t *testing.T) {
	s := memory(t)
	pinned, busy, plain := event(nil), event([]byte("x")), event(nil)
	a := pending(busy, capture.NewID(capture.EndpointID), time.Now())
	keep(t, s, pinned, busy, plain)
	s.Pin(t.Context(), pinned.Event.ID, true)
	unknown := capture.NewID(capture.EventID)
	err := s.Remove(t.Context(), pinned.Event.ID, busy.Event.ID, busy.Event.ID, unknown, plain.Event.ID)
	if p := new(PinnedError); !errors.As(err, &p) || p.ID != pinned.Event.ID || !errors.Is(err, capture.ErrNotFound) {
		t.Errorf("got %v, want PinnedError and ErrNotFound", err)
	}
	if counts, _ := s.Counts(t.Context()); counts != (capture.Counts{Events: 1, Seq: 3}) {
		t.Errorf("counts = %+v, want 1 event", counts)
	}
	late := &capture.Change{Attempts: []*capture.Attempt{finished(a, 200)}}
	if err := s.Keep(t.Context(), late); !errors.Is(err, capture.ErrNotFound) {
		t.Errorf("finishing an attempt of what was removed: %v, want ErrNotFound", err)
	}
	audit(t, s)
}

// TestRemoveManyAttempts takes away more than one transaction holds.
func TestRemoveManyAttempts(t *testing.T) {
	s := onDisk(t)
	c := event(nil)
	keep(t, s, c)
	for range 3 {
		more := &capture.Change{Event: c.Event}
		for range 1000 {
			pending(more, capture.NewID(capture.EndpointID), time.Now())
		}
		more.Event = nil
		keep(t, s, more)
	}
	if err := s.Remove(t.Context(), c.Event.ID); err != nil {
		t.Fatal(err)
	}
	if n := leftovers(t, s); n != 1 {
		t.Errorf("%d keys are left, want the totals", n)
	}
}
