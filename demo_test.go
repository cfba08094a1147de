package main

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/hinshun/vt10x"
)

// TestDemoTape plays demo.tape on a terminal of its own: the film in the
// README cannot show what the program no longer does. It knows the commands
// that the tape uses, and no others.
func TestDemoTape(t *testing.T) {
	if testing.Short() {
		t.Skip("plays a whole film")
	}
	for _, tool := range []string{"bash", "curl", "go"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("SKIPPED: the tape needs %s, which is not on this machine", tool)
		}
	}
	text, err := os.ReadFile("demo.tape")
	if err != nil {
		t.Fatal(err)
	}
	ingest, app := freePort(t), freePort(t)
	tape := strings.NewReplacer("/tmp/hooktape-demo", t.TempDir(), "4080", ingest, "3900", app).Replace(string(text))
	s := newScreen(t, "HOOKTAPE_INGEST=127.0.0.1:"+ingest, "HOOKTAPE_API=127.0.0.1:0")
	for i, line := range strings.Split(tape, "\n") {
		if err := s.play(line); err != nil {
			t.Fatalf("demo.tape:%d: %s: %v\n%s", i+1, line, err, s.text())
		}
	}
}

// freePort is a port that nothing has, and that nobody is given who asks for any.
func freePort(t *testing.T) string {
	t.Helper()
	for {
		port := fmt.Sprint(20_000 + rand.IntN(10_000)) // below those that systems give out
		if l, err := net.Listen("tcp", "127.0.0.1:"+port); err == nil {
			l.Close()
			return port
		}
	}
}

// screen is a shell on a terminal whose cells can be read.
type screen struct {
	pty *os.File
	mu  sync.Mutex // guards vt
	vt  vt10x.Terminal
}

func newScreen(t *testing.T, env ...string) *screen {
	const rows, cols = 36, 121
	cmd := exec.Command("bash", "--norc", "--noprofile")
	cmd.Env = append(os.Environ(), append(env, "XDG_DATA_HOME="+t.TempDir())...)
	return onScreen(t, cmd, rows, cols)
}

// onScreen starts a command on a terminal of its own, and kills it in the end.
func onScreen(t *testing.T, cmd *exec.Cmd, rows, cols uint16) *screen {
	t.Helper()
	cmd.Env = append(cmd.Env, "TERM=xterm-256color", "LANG=C.UTF-8")
	f, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: rows, Cols: cols})
	if err != nil {
		t.Fatal(err)
	}
	s := &screen{pty: f, vt: vt10x.New(vt10x.WithSize(int(cols), int(rows)))}
	var wg sync.WaitGroup
	wg.Go(func() {
		buf := make([]byte, 4096)
		for {
			n, err := f.Read(buf)
			s.mu.Lock()
			s.vt.Write(buf[:n])
			s.mu.Unlock()
			if err != nil {
				return
			}
		}
	})
	t.Cleanup(func() {
		cmd.Process.Kill()
		f.Close()
		wg.Wait()
		cmd.Wait()
	})
	return s
}

func (s *screen) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.vt.String()
}

var (
	typed = regexp.MustCompile("^Type(?:@\\S+)? [\"`](.*)[\"`]( Enter)?$")
	waits = regexp.MustCompile(`^Wait\+Screen /(.*)/$`)
)

// play does what one line of a tape says.
func (s *screen) play(line string) error {
	word, rest, _ := strings.Cut(line, " ")
	switch word {
	case "", "#", "Output", "Require", "Set", "Hide", "Show":
		return nil
	case "Enter":
		return s.send("\r")
	case "Escape":
		return s.send("\x1b")
	case "Sleep": // only a pause between keys; what must have happened is waited for
		d, err := time.ParseDuration(rest)
		time.Sleep(min(d, 200*time.Millisecond))
		return err
	}
	if m := waits.FindStringSubmatch(line); m != nil {
		return s.wait(m[1])
	}
	if m := typed.FindStringSubmatch(line); m != nil {
		if m[2] != "" {
			m[1] += "\r"
		}
		return s.send(m[1])
	}
	return fmt.Errorf("a command the player does not know")
}

func (s *screen) send(keys string) error {
	_, err := s.pty.WriteString(keys)
	return err
}

func (s *screen) wait(expr string) error {
	re, err := regexp.Compile(expr)
	if err != nil {
		return err
	}
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if re.MatchString(s.text()) {
			return nil
		}
	}
	return fmt.Errorf("not seen within a minute")
}
