package store

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"code.hooktape.dev/hooktape/capture"
)

// childEnv makes this test binary a process that keeps events in the named
// directory until it is killed.
const childEnv = "HOOKTAPE_TEST_STORE"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childEnv); dir != "" {
		if err := keepUntilKilled(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// keepUntilKilled keeps with 16 writers and prints what was acknowledged, a
// line each: "event ID ATTEMPT" and "done ATTEMPT".
func keepUntilKilled(dir string) error {
	s, err := Open(dir, Options{MinFree: 1 << 20})
	if err != nil {
		return err
	}
	if os.Getenv(childEnv+"_UNSYNCED") != "" {
		if err := s.db.Close(); err != nil {
			return err
		}
		if s.db, err = openBadger(diskOptions(dir, memTable).WithSyncWrites(false).WithLogger(s.log)); err != nil {
			return err
		}
	}
	var out sync.Mutex
	say := func(format string, args ...any) {
		out.Lock()
		defer out.Unlock()
		fmt.Printf(format+"\n", args...)
	}
	endpoint, err := s.Endpoint(context.Background(), capture.Endpoint{App: "default", EndpointSpec: capture.EndpointSpec{URL: "http://localhost:3000"}})
	if err != nil {
		return err
	}
	failed := make(chan error)
	for w := range 16 {
		go func() {
			r := rand.New(rand.NewPCG(uint64(w), uint64(os.Getpid())))
			for {
				c := event(crashBody(r))
				a := pending(c, endpoint.ID, time.Now())
				if err := s.Keep(context.Background(), c); err != nil {
					failed <- err
					return
				}
				say("event %s %s", c.Event.ID, a.ID)
				if r.IntN(2) == 0 {
					continue
				}
				if err := s.Keep(context.Background(), &capture.Change{Attempts: []*capture.Attempt{finished(a, 200)}}); err != nil {
					failed <- err
					return
				}
				say("done %s", a.ID)
			}
		}()
	}
	return <-failed
}

func crashBody(r *rand.Rand) []byte {
	b := make([]byte, r.IntN(12<<10))
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

// acked is what a child said was kept, when.
type acked struct {
	id   capture.ID
	done bool // of an attempt
	pair capture.ID
	at   time.Time
}

// child starts a process that keeps until it is killed. It sends what was
// acknowledged until stop has been called, which kills and drains it.
func child(t *testing.T, dir string, env ...string) (lines func() []acked, stop func()) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(append(os.Environ(), childEnv+"="+dir), env...)
	var complaint strings.Builder
	cmd.Stderr = &complaint
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var list []acked
	read := make(chan struct{})
	first := make(chan struct{})
	go func() {
		defer close(read)
		r := bufio.NewReader(pipe)
		for {
			line, err := r.ReadString('\n')
			if err != nil {
				if !errors.Is(err, io.EOF) && !errors.Is(err, os.ErrClosed) {
					t.Error(err)
				}
				return
			}
			a := acked{at: time.Now()}
			var kind string
			fmt.Sscan(line, &kind, &a.id, &a.pair)
			a.done = kind == "done"
			mu.Lock()
			list = append(list, a)
			if len(list) == 1 {
				close(first)
			}
			mu.Unlock()
		}
	}()
	stop = sync.OnceFunc(func() {
		cmd.Process.Kill()
		<-read
		cmd.Wait()
	})
	t.Cleanup(stop)
	select {
	case <-first:
	case <-read:
		t.Fatalf("the child keeps nothing: %s", complaint.String())
	}
	return func() []acked {
		mu.Lock()
		defer mu.Unlock()
		return append([]acked(nil), list...)
	}, stop
}

// missing counts what was acknowledged and is not there, or not whole.
func missing(t *testing.T, s *Store, list []acked) (lost int) {
	t.Helper()
	for _, a := range list {
		if a.done {
			got, err := s.Attempt(t.Context(), a.id)
			if err != nil || got.Status != capture.AttemptSucceeded {
				lost++
			}
			continue
		}
		_, err := s.Body(t.Context(), a.id)
		_, err2 := s.Attempt(t.Context(), a.pair)
		if errors.Join(err, err2) != nil {
			lost++
		}
	}
	return lost
}

func TestKeptBeforeAnswered_Kill9(t *testing.T) {
	cycles := 10
	if testing.Short() {
		cycles = 3
	}
	dir := t.TempDir()
	var all []acked
	for i := range cycles {
		lines, stop := child(t, dir)
		time.Sleep(time.Duration(rand.IntN(250)) * time.Millisecond) // a moment nobody chose
		stop()
		all = append(all, lines()...)

		s, err := Open(dir, Options{Log: logs(t)})
		if err != nil {
			t.Fatal(err)
		}
		if lost := missing(t, s, all); lost > 0 || s.Lost() > 0 {
			t.Errorf("cycle %d: %d of %d acknowledged are missing; the store says %d", i, lost, len(all), s.Lost())
		}
		audit(t, s)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d kills, %d acknowledged, none missing", cycles, len(all))
}
