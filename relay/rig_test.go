package relay_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/relay"
	"code.hooktape.dev/hooktape/relay/answer"
	"code.hooktape.dev/hooktape/relay/dispatch"
	"code.hooktape.dev/hooktape/store"
)

// patience is how long a test waits for what must happen. Nothing takes that
// long; only failures do.
const patience = 10 * time.Second

// rig is the whole way of a webhook: an Ingest on a socket, a store, a
// dispatcher, and an app that notes the bytes it is sent.
type rig struct {
	t        testing.TB
	store    *store.Store
	dispatch *dispatch.Dispatcher
	ingest   string
	app      *rawApp
}

// newRig joins the stages as main does, and takes them apart with the test.
func newRig(t testing.TB, s *store.Store, concurrency int, change ...func(*relay.Ingest)) *rig {
	t.Helper()
	r := &rig{t: t, store: s, app: newRawApp(t)}
	r.dispatch = &dispatch.Dispatcher{Store: s, History: s, Concurrency: concurrency, Log: logs(t),
		Open: func(e capture.Endpoint) (dispatch.Sender, error) {
			target, err := answer.ParseTarget(e.URL)
			return &answer.Forward{Target: target}, err
		}}
	e, err := s.Endpoint(t.Context(), capture.Endpoint{Listener: true, EndpointSpec: capture.EndpointSpec{URL: "http://" + r.app.addr}})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.dispatch.Add(e); err != nil {
		t.Fatal(err)
	}
	in := &relay.Ingest{Keep: s.Keep, Plan: r.dispatch.Plan, Log: logs(t)}
	for _, f := range change {
		f(in)
	}
	during(t, r.dispatch.Run)
	r.ingest = serve(t, in)
	return r
}

func memory(t testing.TB) *store.Store {
	t.Helper()
	s, err := store.Open("", store.Options{Memory: true, Log: logs(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// during runs f for as long as the test takes.
func during(t testing.TB, f func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- f(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// serve runs in on a loopback socket of its own.
func serve(t testing.TB, in *relay.Ingest) (addr string) {
	t.Helper()
	l := listen(t)
	during(t, func(ctx context.Context) error { return in.Serve(ctx, l) })
	return l.Addr().String()
}

func listen(t testing.TB) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func logs(t testing.TB) *slog.Logger { return slog.New(slog.NewTextHandler(t.Output(), nil)) }

// rawApp is a server that reads HTTP/1.1 by its framing alone and says what
// bytes came.
type rawApp struct {
	addr string
	got  chan string
}

func newRawApp(t testing.TB) *rawApp {
	t.Helper()
	l := listen(t)
	a := &rawApp{addr: l.Addr().String(), got: make(chan string, 1024)}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				br := bufio.NewReader(c)
				for {
					raw, err := readRaw(br)
					if err != nil {
						return
					}
					a.got <- raw
					io.WriteString(c, "HTTP/1.1 204 No Content\r\n\r\n")
				}
			}()
		}
	}()
	return a
}

// next is the next request that reached the app.
func (a *rawApp) next(t testing.TB) string {
	t.Helper()
	select {
	case raw := <-a.got:
		return raw
	case <-time.After(patience):
		t.Fatal("no request reached the app")
		return ""
	}
}

// readRaw reads one message, every byte of it.
func readRaw(br *bufio.Reader) (string, error) {
	var raw bytes.Buffer
	length, chunked := 0, false
	for {
		line, err := br.ReadString('\n')
		if err != nil {
			return "", err
		}
		raw.WriteString(line)
		if line == "\r\n" {
			break
		}
		name, value, _ := strings.Cut(strings.TrimRight(line, "\r\n"), ":")
		switch strings.ToLower(name) {
		case "content-length":
			if length, err = strconv.Atoi(strings.TrimSpace(value)); err != nil {
				return "", err
			}
		case "transfer-encoding":
			chunked = true
		}
	}
	for last := ""; chunked; { // as they come: tests send no line "0" inside a chunk
		line, err := br.ReadString('\n')
		if err != nil {
			return "", err
		}
		raw.WriteString(line)
		if line == "0\r\n" {
			last = line
		}
		if last != "" && line == "\r\n" {
			break
		}
	}
	_, err := io.CopyN(&raw, br, int64(length))
	return raw.String(), err
}

// dial opens a connection that fails rather than hang.
func dial(t testing.TB, addr string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	c.SetDeadline(time.Now().Add(patience))
	t.Cleanup(func() { c.Close() })
	return c
}

// reply is an answer of Ingest.
type reply struct {
	status int
	header http.Header
	body   string
	id     capture.ID // of the event it speaks of
}

// readReply reads the next answer, interim ones among them. It needs to know
// a method only if that is HEAD.
func readReply(t testing.TB, br *bufio.Reader, method ...string) reply {
	t.Helper()
	res, err := http.ReadResponse(br, &http.Request{Method: strings.Join(method, "")})
	if err != nil {
		t.Fatalf("no answer: %v", err)
	}
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatalf("answer torn: %v", err)
	}
	var said struct{ ID capture.ID }
	if err := json.Unmarshal(body, &said); err != nil && len(body) > 0 {
		t.Errorf("answer %q is not JSON: %v", body, err)
	}
	return reply{res.StatusCode, res.Header, string(body), said.ID}
}

// send puts raw on a connection of its own and returns the final answer.
func send(t testing.TB, addr, raw string) reply {
	t.Helper()
	c := dial(t, addr)
	if _, err := io.WriteString(c, raw); err != nil {
		t.Fatal(err)
	}
	br := bufio.NewReader(c)
	for {
		if r := readReply(t, br); r.status != http.StatusContinue {
			return r
		}
	}
}

// message is a request of a first line, header lines and a body.
func message(body string, lines ...string) string {
	return strings.Join(lines, "\r\n") + "\r\n\r\n" + body
}

func length(body string) string { return fmt.Sprintf("Content-Length: %d", len(body)) }
