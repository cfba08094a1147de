//go:build linux

package store

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestPowerCut takes the disk from under a writing process: its file system
// lies in an image on a file system with reflinks, and what the disk would
// hold at a moment is a reflink copy of the image at that moment. Everything
// acknowledged before must be in the copy. The same without synced writes
// must lose something, or this test would prove nothing.
func TestPowerCut(t *testing.T) {
	if testing.Short() {
		t.Skip("takes some 30 s")
	}
	d := newLaboratory(t)
	var all int
	for i := range 6 {
		acked, lost := d.cut(t, i)
		all += acked
		if lost > 0 {
			t.Errorf("cut %d: %d of %d acknowledged are lost", i, lost, acked)
		}
	}
	t.Logf("6 cuts, %d acknowledged, none lost", all)
	all, gone := 0, 0
	for i := 0; i < 4 && gone == 0; i++ {
		acked, lost := d.cut(t, 100+i, childEnv+"_UNSYNCED=1")
		all, gone = all+acked, gone+lost
	}
	if gone == 0 {
		t.Errorf("without synced writes none of %d acknowledged were lost: the harness does not cut", all)
	}
	t.Logf("without synced writes %d of %d acknowledged were lost", gone, all)
}

// laboratory is a file system with reflinks.
type laboratory struct{ dir string }

func newLaboratory(t *testing.T) *laboratory {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("SKIPPED, NOT PROVEN: mounting needs root")
	}
	for _, tool := range []string{"mkfs.xfs", "mkfs.ext4", "losetup", "mount", "umount", "cp"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("SKIPPED, NOT PROVEN: %v", err)
		}
	}
	base := t.TempDir()
	d := &laboratory{filepath.Join(base, "xfs")}
	image := filepath.Join(base, "xfs.img")
	if err := makeImage(image, 3<<30); err != nil {
		t.Fatal(err)
	}
	run(t, "mkfs.xfs", "-q", "-m", "reflink=1", image)
	if out, err := mount(t, image, d.dir); err != nil {
		t.Skipf("SKIPPED, NOT PROVEN: no loop device can be mounted here: %v: %s", err, out)
	}
	return d
}

// cut lets a process write to a disk for a moment, takes a copy of the disk,
// and counts what was acknowledged before and is not in the copy.
func (d *laboratory) cut(t *testing.T, i int, env ...string) (before, lost int) {
	t.Helper()
	disk, copied := filepath.Join(d.dir, fmt.Sprint(i, ".img")), filepath.Join(d.dir, fmt.Sprint(i, ".copy"))
	if err := makeImage(disk, 512<<20); err != nil {
		t.Fatal(err)
	}
	run(t, "mkfs.ext4", "-q", disk)
	live, after := disk+".live", disk+".after"
	if out, err := mount(t, disk, live); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	lines, stop := child(t, filepath.Join(live, "store"), env...)
	time.Sleep(time.Duration(500+rand.IntN(1000)) * time.Millisecond)
	moment := time.Now()
	run(t, "cp", "--reflink=always", disk, copied)
	stop()
	run(t, "umount", live)

	var list []acked
	for _, a := range lines() {
		if a.at.Before(moment) {
			list = append(list, a)
		}
	}
	if out, err := mount(t, copied, after); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	s, err := Open(filepath.Join(after, "store"), Options{MinFree: 1 << 20})
	if err != nil {
		if len(env) == 0 {
			t.Fatal(err)
		}
		lost = len(list) // unsynced, and not even a store
	} else {
		lost = missing(t, s, list)
		if len(env) == 0 {
			audit(t, s)
			if s.Lost() > 0 {
				t.Errorf("the store says that %d are lost", s.Lost())
			}
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	run(t, "umount", after)
	os.Remove(disk)
	os.Remove(copied)
	return len(list), lost
}

func makeImage(path string, size int64) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	if err := f.Truncate(size); err != nil {
		return err
	}
	return f.Close()
}

// mount mounts an image, until the test ends or it is unmounted.
func mount(t *testing.T, image, dir string) (string, error) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("mount", "-o", "loop", image, dir).CombinedOutput()
	if err == nil {
		t.Cleanup(func() { exec.Command("umount", dir).Run() })
	}
	return strings.TrimSpace(string(out)), err
}

func run(t *testing.T, name string, args ...string) {
	t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %s: %v: %s", name, strings.Join(args, " "), err, out)
	}
}
