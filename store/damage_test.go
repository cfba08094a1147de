package store

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"code.hooktape.dev/hooktape/capture"
)

// TestBitRot flips bits in every kind of file of a closed store, one flip a
// store. Whatever is read then is what was kept, or an error; never other
// bytes, and never the end of the process.
func TestBitRot(t *testing.T) {
	dir := t.TempDir()
	s, err := Open(dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	kept := map[capture.ID]*capture.Change{}
	for i := range 200 {
		c := event(noise(i * 40)) // some beside their keys, some in the value log
		kept[c.Event.ID] = c
		keep(t, s, c)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 2))
	for kind, flips := range map[string]int{"*.vlog": 12, "*.sst": 12} {
		files, _ := filepath.Glob(filepath.Join(dir, "badger", kind))
		if len(files) == 0 {
			t.Fatalf("no %s", kind)
		}
		found := 0
		for range flips {
			if rotten(t, dir, filepath.Base(files[r.IntN(len(files))]), kept, r) {
				found++
			}
		}
		t.Logf("%s: %d of %d flips were noticed, none gave wrong bytes", kind, found, flips)
	}
}

// rotten flips a bit in a copy of the store and reads all of it.
func rotten(t *testing.T, dir, file string, kept map[capture.ID]*capture.Change, r *rand.Rand) (noticed bool) {
	t.Helper()
	rot := filepath.Join(t.TempDir(), "rot")
	if err := os.CopyFS(rot, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	os.Remove(filepath.Join(rot, ballastName))
	path := filepath.Join(rot, "badger", file)
	fi, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	at := r.Int64N(fi.Size())
	flip(t, path, at)
	s, err := Open(rot, Options{})
	if err != nil {
		if !errors.Is(err, ErrCorrupt) {
			t.Errorf("%s at %d: open: %v", file, at, err)
		}
		return true
	}
	defer s.Close()
	lost := 0
	for id, c := range kept {
		row, err := s.Event(t.Context(), id)
		if err != nil {
			if !errors.Is(err, capture.ErrDamaged) && !errors.Is(err, capture.ErrNotFound) {
				t.Errorf("%s at %d: event: %v", file, at, err)
			}
			noticed = true
			continue
		}
		if row.Target != c.Event.Target || row.SHA256 != c.Event.SHA256 {
			t.Errorf("%s at %d: another event was read", file, at)
		}
		body, err := s.Body(t.Context(), id)
		if err != nil {
			noticed = true
			lost++
			if !errors.Is(err, capture.ErrDamaged) {
				t.Errorf("%s at %d: body: %v", file, at, err)
			}
		} else if !bytes.Equal(body, c.Body) {
			t.Errorf("%s at %d: WRONG BYTES", file, at)
		}
	}
	if strings.HasSuffix(file, ".vlog") && lost > 5 { // but for the file's last transaction, which might be a torn end
		t.Errorf("%s at %d: one flip cost %d bodies", file, at, lost)
	}
	reported := 0
	if err := s.Check(t.Context(), func(capture.ID, error) { reported++ }); err != nil {
		reported++
	}
	if noticed && reported == 0 {
		t.Errorf("%s at %d: damage is met and Check reports none", file, at)
	}
	s.Events(t.Context(), capture.Query{Limit: 1000})
	return noticed
}

// TestFailedSyncRefuses makes the syncs of a process fail, as a dying disk
// does: nothing may be acknowledged from then on.
func TestFailedSyncRefuses(t *testing.T) {
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Skip("SKIPPED, NOT PROVEN: no strace to inject an error with")
	}
	// The syncs of one Keep are the value log's and then the log's; the first
	// fails unseen, but for Badger's logger.
	for _, when := range []string{"40", "41"} {
		dir := t.TempDir()
		cmd := exec.Command(strace, "-f", "-qq", "-o", os.DevNull, "-e", "trace=msync", "-e", "inject=msync:error=EIO:when="+when, os.Args[0])
		cmd.Env = append(os.Environ(), childEnv+"="+dir)
		var out, complaint bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &complaint
		timer := time.AfterFunc(20*time.Second, func() { cmd.Process.Kill() })
		err := cmd.Run()
		timer.Stop()
		if !bytes.Contains(complaint.Bytes(), []byte(capture.ErrUnavailable.Error())) {
			if bytes.Contains(complaint.Bytes(), []byte("ptrace")) {
				t.Skipf("SKIPPED, NOT PROVEN: %s", complaint.String())
			}
			t.Errorf("msync %s: the process ended with %v and %q after %d bytes; want it to end as unavailable", when, err, complaint.String(), out.Len())
		}
		t.Logf("msync %s: %s", when, bytes.TrimSpace(complaint.Bytes()))
	}
}
