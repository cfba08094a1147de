//go:build linux

package tui

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/hinshun/vt10x"
	"golang.org/x/sys/unix"
)

// session is the child on a terminal that answers nothing.
type session struct {
	t    *testing.T
	cmd  *exec.Cmd
	ptmx *os.File
	tty  *os.File
	done chan error

	mu   sync.Mutex // guards those below
	out  bytes.Buffer
	term vt10x.Terminal
	came time.Time // when the first frame came
}

func run80(t *testing.T, env ...string) *session {
	t.Helper()
	ptmx, tty, err := pty.Open()
	if err != nil {
		t.Skip(err)
	}
	if err := pty.Setsize(ptmx, &pty.Winsize{Rows: 24, Cols: 80}); err != nil {
		t.Fatal(err)
	}
	s := &session{t: t, ptmx: ptmx, tty: tty, done: make(chan error, 1), term: vt10x.New(vt10x.WithSize(80, 24))}
	s.cmd = exec.Command(os.Args[0])
	s.cmd.Env = append([]string{"HOOKTAPE_TUI_CHILD=1", "TERM=xterm-256color", "PATH=" + os.Getenv("PATH"), "LANG=C.UTF-8", "TZ=UTC"}, env...)
	s.cmd.Stdin, s.cmd.Stdout, s.cmd.Stderr = tty, tty, tty
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go s.read()
	go func() { s.done <- s.cmd.Wait() }()
	t.Cleanup(func() {
		_ = s.cmd.Process.Kill()
		tty.Close()
		ptmx.Close()
	})
	return s
}

func (s *session) read() {
	buf := make([]byte, 32<<10)
	for {
		n, err := s.ptmx.Read(buf)
		s.mu.Lock()
		s.out.Write(buf[:n])
		if s.came.IsZero() && bytes.Contains(s.out.Bytes(), []byte("HOOKTAPE")) {
			s.came = time.Now()
		}
		_, _ = s.term.Write(buf[:n])
		s.mu.Unlock()
		if err != nil {
			return
		}
	}
}

func (s *session) screen() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.term.String()
}

// until waits for what to become true.
func (s *session) until(what string, is func() bool) {
	s.t.Helper()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if is() {
			return
		}
	}
	s.t.Fatalf("waited in vain for %s; on the screen:\n%s", what, s.screen())
}

func (s *session) sees(text string) {
	s.t.Helper()
	s.until(text, func() bool { return strings.Contains(s.screen(), text) })
}

func (s *session) types(text string) {
	s.t.Helper()
	if _, err := io.WriteString(s.ptmx, text); err != nil {
		s.t.Fatal(err)
	}
}

// ended waits for the end and checks that the terminal is as it was.
func (s *session) ended(code int) {
	s.t.Helper()
	select {
	case <-s.done:
	case <-time.After(10 * time.Second):
		s.t.Fatalf("it does not end; on the screen:\n%s", s.screen())
	}
	if got := s.cmd.ProcessState.ExitCode(); got != code {
		s.t.Errorf("exit code %d, want %d", got, code)
	}
	s.until("the normal screen with a cursor", func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		out := s.out.String()
		return strings.LastIndex(out, "\x1b[?1049l") > strings.LastIndex(out, "\x1b[?1049h") && strings.LastIndex(out, "\x1b[?25h") > strings.LastIndex(out, "\x1b[?25l")
	})
	state, err := unix.IoctlGetTermios(int(s.tty.Fd()), unix.TCGETS)
	if err != nil {
		s.t.Fatal(err)
	}
	if state.Lflag&unix.ICANON == 0 || state.Lflag&unix.ECHO == 0 {
		s.t.Error("the terminal is still raw")
	}
}

// TestMuteTerminal: a terminal that does not answer Bubble Tea's question
// does not hold the start up. The best of three, for the machine may be busy.
func TestMuteTerminal(t *testing.T) {
	best := time.Hour
	for range 3 {
		began := time.Now()
		s := run80(t)
		s.sees("FOLLOW")
		s.mu.Lock()
		best = min(best, s.came.Sub(began))
		if strings.Contains(s.out.String(), "\x1b]11;?") {
			t.Error("the terminal was asked for its background")
		}
		s.mu.Unlock()
		s.types("q")
		s.ended(0)
		if best < 300*time.Millisecond {
			break
		}
	}
	t.Logf("first frame after %v", best)
	if best > 300*time.Millisecond {
		t.Errorf("first frame after %v, want it within 300ms", best)
	}
}

func TestEndings(t *testing.T) {
	for name, c := range map[string]struct {
		end  func(*session)
		code int
	}{
		"q":           {func(s *session) { s.types("q") }, 0},
		"ctrl+c":      {func(s *session) { s.types("\x03") }, 0},
		"SIGTERM":     {func(s *session) { _ = s.cmd.Process.Signal(syscall.SIGTERM) }, 0},
		"SIGINT":      {func(s *session) { _ = s.cmd.Process.Signal(syscall.SIGINT) }, 0},
		"SIGHUP":      {func(s *session) { _ = s.cmd.Process.Signal(syscall.SIGHUP) }, 0},
		"panic":       {func(s *session) { s.sees("12:00:49"); s.types("m") }, 1},
		"no suspense": {func(s *session) { s.types("\x1a"); s.sees("cannot suspend"); s.types("q") }, 0},
	} {
		t.Run(name, func(t *testing.T) {
			s := run80(t)
			s.sees("FOLLOW")
			c.end(s)
			s.ended(c.code)
		})
	}
}

// TestOnATerminal types into the whole program.
func TestOnATerminal(t *testing.T) {
	s := run80(t)
	s.sees("FOLLOW")
	s.types("gjjjjj")
	s.sees(">   12:00:05")
	s.types("\x1b[200~qqq\rx\x1b[201~")
	s.types("/invoice")
	s.sees("ok: 1 term")
	s.types("\x1b[200~ q\rq\x1b[201~")
	s.sees("/ invoice q q")
	s.types("\r")
	if err := pty.Setsize(s.ptmx, &pty.Winsize{Rows: 7, Cols: 39}); err != nil {
		t.Fatal(err)
	}
	s.sees("window too small: 39x7")
	s.types("q")
	s.ended(0)
}
