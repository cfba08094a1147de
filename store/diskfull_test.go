//go:build linux

package store

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"code.hooktape.dev/hooktape/capture"
)

// TestDiskFull keeps on a small disk until it is full, and then has somebody
// else fill the rest: the store refuses in time, and opens again by throwing
// off its ballast.
func TestDiskFull(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("SKIPPED, NOT PROVEN: mounting needs root")
	}
	for _, kind := range []string{"ext4", "tmpfs"} {
		t.Run(kind, func(t *testing.T) {
			base := t.TempDir()
			dir := filepath.Join(base, "mnt")
			if kind == "ext4" {
				image := filepath.Join(base, "ext4.img")
				if err := makeImage(image, 300<<20); err != nil {
					t.Fatal(err)
				}
				run(t, "mkfs.ext4", "-q", "-m", "0", image)
				if out, err := mount(t, image, dir); err != nil {
					t.Skipf("SKIPPED, NOT PROVEN: no loop device can be mounted here: %v: %s", err, out)
				}
			} else {
				os.MkdirAll(dir, 0o700)
				if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=300m", "tmpfs", dir).CombinedOutput(); err != nil {
					t.Skipf("SKIPPED, NOT PROVEN: no tmpfs: %v: %s", err, out)
				}
				t.Cleanup(func() { exec.Command("umount", dir).Run() })
			}
			fill(t, dir)
		})
	}
}

func fill(t *testing.T, dir string) {
	s, err := Open(dir, Options{Log: logs(t)}) // of a fresh volume: lost+found is no stranger
	if err != nil {
		t.Fatal(err)
	}
	var kept []*capture.Change
	var attempt *capture.Attempt
	body := noise(64 << 10)
	for len(kept) < 10000 {
		c := event(body)
		if attempt == nil {
			attempt = pending(c, capture.NewID(capture.EndpointID), c.Event.Received)
		}
		err = s.Keep(t.Context(), c)
		if err != nil {
			break
		}
		c.Body = nil
		kept = append(kept, c)
	}
	if !errors.Is(err, capture.ErrFull) {
		t.Fatalf("after %d events: %v, want ErrFull", len(kept), err)
	}
	t.Logf("full after %d MiB: %v", len(kept)*len(body)>>20, err)
	if len(kept)*len(body) < 64<<20 {
		t.Errorf("only %d MiB of 300 were used", len(kept)*len(body)>>20)
	}
	// What was begun can be ended.
	if err := s.Keep(t.Context(), &capture.Change{Attempts: []*capture.Attempt{finished(attempt, 200)}}); err != nil {
		t.Errorf("a result when the disk is nearly full: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}

	// Somebody else takes the rest.
	f, err := os.Create(filepath.Join(filepath.Dir(filepath.Join(dir, "x")), "hooktape-filler"))
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{1 << 20, 4 << 10} {
		for err = nil; err == nil; {
			_, err = f.Write(body[:min(n, len(body))])
		}
	}
	f.Close()
	free, _, _ := volume(dir)
	var told strings.Builder
	s, err = Open(dir, Options{Log: logTo(&told)})
	if err != nil {
		t.Fatalf("with %d bytes free: %v", free, err)
	}
	if !strings.Contains(told.String(), "ballast") {
		t.Errorf("nobody was told of the ballast: %s", told.String())
	}
	for _, c := range kept {
		if _, err := s.Body(t.Context(), c.Event.ID); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Keep(t.Context(), event(body)); !errors.Is(err, capture.ErrFull) {
		t.Errorf("Keep: %v, want ErrFull", err)
	}
	// Removing works on a full disk.
	if err := s.Remove(t.Context(), kept[1].Event.ID); err != nil {
		t.Error(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, ballastName)); err == nil {
		t.Error("ballast was taken in on a full disk")
	}
	// Once there is room again, all is as ever.
	os.Remove(f.Name())
	s = opened(t, dir, Options{})
	audit(t, s)
	fmt.Fprintln(t.Output(), len(kept), "events survived")
}
