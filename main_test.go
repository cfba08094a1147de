//go:build unix

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain lets the test binary be hooktape itself: scripts and tests find it
// in their PATH.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"hooktape": main})
}

// TestStories runs testdata/script: what the program does, seen from outside.
//
// Each story has its home, its store ($HOOKTAPE_STORE) and its ports to
// itself, and these commands beside those of testscript:
//
//	app NAME [down] [STATUS…]   start an app that answers with these, the last for ever; $NAME is its URL.
//	                            What it gets is in NAME/1.head, NAME/1.body, …, a line for each in NAME/log.
//	                            "hang" and "reset" are no statuses; "down" refuses connections until `up NAME`
//	start NAME ARGS…            start hooktape ARGS and wait until it says that it is ready; it writes
//	                            NAME.out, NAME.err and NAME.ready. Sets $INGEST and $API
//	interrupt NAME [CODE]       ^C; it must end with CODE (130)
//	terminate NAME [CODE]       SIGTERM; it must end with CODE (0)
//	kill9 NAME                  end it the hard way
//	ends NAME CODE              it must end by itself
//	exits CODE CMD ARGS…        run CMD, which must end with CODE
//	send FILE…                  send requests to $INGEST and write the answers to stdout. Lines of a head may end
//	                            in \n, and Content-Length is added if nothing says how long the body is
//	sees [-count=N] FILE RE     wait until the file matches (N times)
//	grab NAME FILE RE           set $NAME to the first group
//	ndjson FILE                 every line is JSON of schema 1 with a type and a time, the first is "ready"
//	plain FILE                  no control characters but line ends, and valid UTF-8
func TestStories(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(e *testscript.Env) error {
			at := func(name string) string { return filepath.Join(e.WorkDir, name) }
			for name, value := range map[string]string{
				"GORACE": "atexit_sleep_ms=0", "HOME": at("home"), "XDG_CONFIG_HOME": at("config"), "XDG_DATA_HOME": at("data"), "XDG_STATE_HOME": at("state"),
				"XDG_CACHE_HOME": at("cache"), "XDG_RUNTIME_DIR": at("runtime"), "TZ": "UTC", "TERM": "dumb",
				"HOOKTAPE_STORE": at("store"), "HOOKTAPE_INGEST": "127.0.0.1:0", "HOOKTAPE_API": "127.0.0.1:0",
			} {
				e.Setenv(name, value)
			}
			e.Values["cast"] = cast{apps: map[string]*app{}, running: map[string]*process{}}
			return os.MkdirAll(at("home"), 0o700)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"app": cmdApp, "up": cmdUp, "start": cmdStart, "interrupt": cmdSignal(os.Interrupt, "130"), "terminate": cmdSignal(syscall.SIGTERM, "0"), "kill9": cmdKill9, "ends": cmdEnds,
			"exits": cmdExits, "send": cmdSend, "sees": cmdSees, "grab": cmdGrab, "ndjson": cmdNDJSON, "plain": cmdPlain,
		},
	})
}

// cast is who plays in a story.
type cast struct {
	apps    map[string]*app
	running map[string]*process
}

func castOf(ts *testscript.TestScript) cast { return ts.Value("cast").(cast) }

func need(ts *testscript.TestScript, neg bool, args []string, n int, synopsis string) {
	if neg || len(args) < n {
		ts.Fatalf("usage: %s", synopsis)
	}
}

func cmdApp(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, neg, args, 1, "app NAME [down] [STATUS…]")
	name, answers := args[0], args[1:]
	down := len(answers) > 0 && answers[0] == "down"
	if down {
		answers = answers[1:]
	}
	a, err := startApp(ts.MkAbs(name), answers)
	ts.Check(err)
	ts.Defer(a.close)
	if !down {
		ts.Check(a.up())
	}
	castOf(ts).apps[name] = a
	ts.Setenv(name, a.url)
}

func cmdUp(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, neg, args, 1, "up NAME")
	ts.Check(castOf(ts).apps[args[0]].up())
}

func cmdStart(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, neg, args, 2, "start NAME ARGS…")
	ts.Check(ts.Exec("env", "-0")) // the only way to the script's whole environment
	env := strings.Split(strings.TrimRight(ts.ReadFile("stdout"), "\x00"), "\x00")
	p, err := begin(ts.MkAbs("."), args[0], env, args[1:]...)
	ts.Check(err)
	ts.Defer(p.kill)
	castOf(ts).running[args[0]] = p
	ready, err := p.ready()
	ts.Check(err)
	ts.Setenv("INGEST", ready.Ingest)
	ts.Setenv("API", ready.API)
}

func cmdSignal(sig os.Signal, code string) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, neg bool, args []string) {
		need(ts, neg, args, 1, "interrupt|terminate NAME [CODE]")
		ts.Check(castOf(ts).running[args[0]].Process.Signal(sig))
		if len(args) < 2 {
			args = append(args, code)
		}
		cmdEnds(ts, neg, args)
	}
}

func cmdKill9(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, neg, args, 1, "kill9 NAME")
	castOf(ts).running[args[0]].kill()
}

func cmdEnds(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, neg, args, 2, "ends NAME CODE")
	p := castOf(ts).running[args[0]]
	select {
	case <-p.ended:
	case <-time.After(patience):
		p.Process.Signal(syscall.SIGQUIT) // says what its goroutines wait for
		<-p.ended
		ts.Fatalf("%s does not end\n%s", args[0], p.diagnostics())
	}
	if got := strconv.Itoa(p.ProcessState.ExitCode()); got != args[1] {
		ts.Fatalf("%s ended with %s, want %s\n%s", args[0], got, args[1], p.diagnostics())
	}
}

func cmdExits(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, neg, args, 2, "exits CODE CMD ARGS…")
	got, exit := 0, new(exec.ExitError)
	if err := ts.Exec(args[1], args[2:]...); errors.As(err, &exit) {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if strconv.Itoa(got) != args[0] {
		ts.Fatalf("exit code %d, want %s", got, args[0])
	}
}

func cmdSend(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, neg, args, 1, "send FILE…")
	addr := strings.TrimPrefix(ts.Getenv("INGEST"), "http://")
	for _, file := range args {
		answer, err := send(addr, request(ts.ReadFile(file)))
		if err != nil {
			ts.Fatalf("%s: %v", file, err)
		}
		_, err = ts.Stdout().Write(answer)
		ts.Check(err)
	}
}

// request ends the lines of a head as HTTP wants them, and states how long
// the body is if nothing does.
func request(file string) []byte {
	head, body, _ := strings.Cut(file, "\n\n")
	if strings.Contains(file, "\r\n") {
		return []byte(file)
	}
	if !regexp.MustCompile(`(?im)^(content-length|transfer-encoding):`).MatchString(head) {
		head += fmt.Sprintf("\nContent-Length: %d", len(body))
	}
	return []byte(strings.ReplaceAll(head, "\n", "\r\n") + "\r\n\r\n" + body)
}

// send writes raw bytes to addr and returns the bytes of the answer.
func send(addr string, request []byte) ([]byte, error) {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(patience))
	go c.Write(request) // may fail: an answer can come before the end of a request that is too large
	var seen bytes.Buffer
	answer, err := http.ReadResponse(newReader(io.TeeReader(c, &seen)), nil)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if _, err := io.Copy(io.Discard, answer.Body); err != nil {
		return nil, err
	}
	return append(seen.Bytes(), '\n'), nil
}

func cmdSees(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, neg, args, 2, "sees [-count=N] FILE RE")
	count := 1
	if n, ok := strings.CutPrefix(args[0], "-count="); ok {
		var err error
		count, err = strconv.Atoi(n)
		ts.Check(err)
		args = args[1:]
	}
	re := regexp.MustCompile("(?m)" + args[1])
	var text []byte
	if !eventually(func() bool {
		text, _ = os.ReadFile(ts.MkAbs(args[0]))
		return len(re.FindAll(text, count)) == count
	}) {
		ts.Fatalf("%s does not match %q %d times:\n%s", args[0], args[1], count, text)
	}
}

func cmdGrab(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, neg, args, 3, "grab NAME FILE RE")
	m := regexp.MustCompile("(?m)" + args[2]).FindStringSubmatch(ts.ReadFile(args[1]))
	if len(m) < 2 {
		ts.Fatalf("%s does not match %q:\n%s", args[1], args[2], ts.ReadFile(args[1]))
	}
	ts.Setenv(args[0], m[1])
}

func cmdNDJSON(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, neg, args, 1, "ndjson FILE")
	for n, line := range strings.Split(strings.TrimSuffix(ts.ReadFile(args[0]), "\n"), "\n") {
		var r struct {
			Schema int
			Type   string
			Time   time.Time
		}
		if err := json.Unmarshal([]byte(line), &r); err != nil || r.Schema != 1 || r.Type == "" || r.Time.IsZero() || (n == 0) != (r.Type == "ready") {
			ts.Fatalf("line %d: %v: %s", n+1, err, line)
		}
	}
}

func cmdPlain(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, neg, args, 1, "plain FILE")
	text := ts.ReadFile(args[0])
	if bad := regexp.MustCompile(`[\x00-\x09\x0b-\x1f\x7f-\x{9f}\x{200b}-\x{200f}\x{202a}-\x{202e}\x{2066}-\x{2069}]`).FindString(text); bad != "" || text == "" {
		ts.Fatalf("%s holds %q:\n%q", args[0], bad, text)
	}
}
