package answer_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/relay/answer"
)

// patience is how long a test waits for what must happen.
const patience = 10 * time.Second

// script is an app that does on each of its connections, numbered from 1,
// what the test says. It is closed with the test, after its connections.
func script(t testing.TB, network string, play func(n int, c net.Conn, br *bufio.Reader)) (target answer.Target) {
	t.Helper()
	addr := "127.0.0.1:0"
	if network == "unix" {
		addr = filepath.Join(t.TempDir(), "app.sock")
	}
	l, err := net.Listen(network, addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for n := 1; ; n++ {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				play(n, c, bufio.NewReader(c))
			}()
		}
	}()
	if network == "unix" {
		return answer.Target{Scheme: "unix", Host: addr}
	}
	return answer.Target{Scheme: "http", Host: l.Addr().String()}
}

// request reads one, body and all, or says that there will be none.
func request(br *bufio.Reader) (method string, ok bool) {
	r, err := http.ReadRequest(br)
	if err != nil {
		return "", false
	}
	_, err = io.Copy(io.Discard, r.Body)
	return r.Method, err == nil
}

// always answers every request with the same bytes.
func always(raw string) func(int, net.Conn, *bufio.Reader) {
	return func(_ int, c net.Conn, br *bufio.Reader) {
		for {
			if _, ok := request(br); !ok {
				return
			}
			io.WriteString(c, raw)
		}
	}
}

// once answers with these bytes and hangs up.
func once(raw string) func(int, net.Conn, *bufio.Reader) {
	return func(_ int, c net.Conn, br *bufio.Reader) {
		request(br)
		io.WriteString(c, raw)
	}
}

// deliver makes one attempt.
func deliver(t testing.TB, f *answer.Forward, method string, body []byte) *capture.Attempt {
	t.Helper()
	a := &capture.Attempt{ID: capture.NewID(capture.AttemptID), Number: 1}
	if f.Timeout == 0 {
		f.Timeout = patience
	}
	f.Send(t.Context(), &capture.Event{ID: capture.NewID(capture.EventID), Method: method, Target: "/hook"}, body, a)
	return a
}

// wantStatus fails unless the attempt was answered so.
func wantStatus(t testing.TB, a *capture.Attempt, code int, body string) {
	t.Helper()
	if a.Response == nil || a.Code != code || string(a.Response.Body) != body {
		t.Fatalf("attempt %+v, error %+v, response %+v; want %d %q", a, a.Error, a.Response, code, body)
	}
}

func wantFailure(t testing.TB, a *capture.Attempt, class, says string) {
	t.Helper()
	if a.Status != capture.AttemptFailed || a.Error == nil || a.Error.Class != class || !strings.Contains(a.Error.Message, says) {
		t.Fatalf("attempt is %s with %+v and %+v, want class %s saying %q", a.Status, a.Error, a.Response, class, says)
	}
}

// settle waits until no goroutine is left that the test started.
func settle(t testing.TB) {
	t.Helper()
	before := runtime.NumGoroutine()
	t.Cleanup(func() {
		for end := time.Now().Add(patience); runtime.NumGoroutine() > before; runtime.Gosched() {
			if time.Now().After(end) {
				b := make([]byte, 1<<16)
				t.Fatalf("%d goroutines, %d before:\n%s", runtime.NumGoroutine(), before, b[:runtime.Stack(b, true)])
			}
		}
	})
}

func TestAnswers(t *testing.T) {
	settle(t)
	const mib = 1 << 20
	big := strings.Repeat("0123456789abcdef", mib/16)
	interim := "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
	for _, tt := range []struct {
		name    string
		play    func(int, net.Conn, *bufio.Reader)
		method  string
		code    int
		body    string
		headers string
		cut     bool
	}{
		{"plain", always("HTTP/1.1 200 OK\r\ncontent-LENGTH: 2\r\nX-B: 1\r\nx-a: 2\r\nX-B:3\r\n\r\nok"), "POST", 200, "ok", "content-LENGTH: 2|X-B: 1|x-a: 2|X-B: 3", false},
		{"no reason", always("HTTP/1.1 299 \r\nContent-Length: 0\r\n\r\n"), "POST", 299, "", "Content-Length: 0", false},
		{"until the end", once("HTTP/1.1 200 OK\r\n\r\nall there is"), "POST", 200, "all there is", "", false},
		{"HTTP/1.0", once("HTTP/1.0 200 OK\r\nServer: old\r\n\r\nok"), "POST", 200, "ok", "Server: old", false},
		{"chunks", always("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;x=y\r\nab\r\n1\r\nc\r\n0\r\nX-T: 1\r\n\r\n"), "POST", 200, "abc", "Transfer-Encoding: chunked", false},
		{"204", always("HTTP/1.1 204 No Content\r\nX-A: 1\r\n\r\n"), "POST", 204, "", "X-A: 1", false},
		{"304", always("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n"), "GET", 304, "", "Content-Length: 5", false},
		{"HEAD", always("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"), "HEAD", 200, "", "Content-Length: 5", false},
		{"interim answers", always(interim + "HTTP/1.1 201 Created\r\nX-Final: 1\r\nContent-Length: 1\r\n\r\nx"), "POST", 201, "x", "X-Final: 1|Content-Length: 1", false},
		{"redirect", always("HTTP/1.1 302 Found\r\nLocation: http://192.0.2.1/elsewhere\r\nContent-Length: 0\r\n\r\n"), "POST", 302, "", "Location: http://192.0.2.1/elsewhere|Content-Length: 0", false},
		{"error", always("HTTP/1.1 503 Busy\r\nRetry-After: 7\r\nContent-Length: 4\r\n\r\nbusy"), "POST", 503, "busy", "Retry-After: 7|Content-Length: 4", false},
		{"latin-1 header, gzip said, binary", always("HTTP/1.1 200 OK\r\nX-N: Jos\xe9\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\n\x00\xff\n"), "POST", 200, "\x00\xff\n", "X-N: Jos\xe9|Content-Encoding: gzip|Content-Length: 3", false},
		{"1 MiB", always("HTTP/1.1 200 OK\r\nContent-Length: 1048576\r\n\r\n" + big), "POST", 200, big, "Content-Length: 1048576", false},
		{"1 MiB and a byte", always("HTTP/1.1 200 OK\r\nContent-Length: 1048577\r\n\r\n" + big + "x"), "POST", 200, big, "Content-Length: 1048577", true},
		{"1 GB", func(_ int, c net.Conn, br *bufio.Reader) {
			request(br)
			io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n")
			for range 1024 {
				if _, err := io.WriteString(c, big); err != nil {
					return
				}
			}
		}, "POST", 200, big, "Content-Length: 1073741824", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := &answer.Forward{Target: script(t, "tcp", tt.play)}
			t.Cleanup(f.Close)
			for range 2 { // the second time on the same connection, if that is still good
				a := deliver(t, f, tt.method, []byte("{}"))
				wantStatus(t, a, tt.code, tt.body)
				lines := make([]string, len(a.Response.Headers))
				for i, h := range a.Response.Headers {
					lines[i] = h[0] + ": " + h[1]
				}
				if got := strings.Join(lines, "|"); got != tt.headers || a.Response.Truncated != tt.cut {
					t.Errorf("headers %q, cut %v; want %q, %v", got, a.Response.Truncated, tt.headers, tt.cut)
				}
				if ok := tt.code/100 == 2; ok != (a.Status == capture.AttemptSucceeded) || ok != (a.Error == nil) {
					t.Errorf("%d is %s with %+v", tt.code, a.Status, a.Error)
				}
				if !(tt.code/100 == 2) {
					wantFailure(t, a, capture.FailStatus, fmt.Sprint(tt.code))
				}
				if a.URL != f.Target.String()+"/hook" || a.Method != tt.method || a.Started.IsZero() || a.Duration <= 0 {
					t.Errorf("attempt %+v", a)
				}
			}
		})
	}
}

func TestFailures(t *testing.T) {
	settle(t)
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone.Close()
	for _, tt := range []struct {
		name        string
		target      answer.Target // or
		play        func(int, net.Conn, *bufio.Reader)
		timeout     time.Duration
		class, says string
		partly      string // body that came all the same
	}{
		{name: "nothing listens", target: answer.Target{Scheme: "http", Host: gone.Addr().String()}, class: "refused", says: "nothing listens there"},
		{name: "no socket", target: answer.Target{Scheme: "unix", Host: filepath.Join(t.TempDir(), "no.sock")}, class: "refused", says: "no such socket"},
		{name: "no such name", target: answer.Target{Scheme: "http", Host: "no-such-name.invalid:80"}, class: "dns", says: "no-such-name.invalid"},
		{name: "silence", play: func(_ int, _ net.Conn, br *bufio.Reader) { request(br); br.ReadByte() }, timeout: 50 * time.Millisecond, class: "timeout", says: "50ms"},
		{name: "half a head, then silence", play: func(_ int, c net.Conn, br *bufio.Reader) {
			request(br)
			io.WriteString(c, "HTTP/1.1 200 OK\r\nX-")
			br.ReadByte()
		}, timeout: 50 * time.Millisecond, class: "timeout", says: "50ms"},
		{name: "half a body, then silence", play: func(_ int, c net.Conn, br *bufio.Reader) {
			request(br)
			io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\npart")
			br.ReadByte()
		}, timeout: 50 * time.Millisecond, class: "timeout", says: "50ms", partly: "part"},
		{name: "hung up unasked", play: func(int, net.Conn, *bufio.Reader) {}, class: "reset", says: "closed before the answer"},
		{name: "no answer", play: once(""), class: "reset", says: "closed before the answer"},
		{name: "half a head", play: once("HTTP/1.1 200 OK\r\nX-A: 1\r\n"), class: "reset", says: "closed before the answer"},
		{name: "half a body", play: once("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\npart"), class: "reset", says: "closed before the answer", partly: "part"},
		{name: "half a chunk", play: once("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\npart"), class: "reset", says: "closed before the answer", partly: "part"},
		{name: "reset in the head", play: reset("HTTP/1.1 200 OK\r\nX-A"), class: "reset", says: "closed before the answer"},
		{name: "reset in the body", play: reset("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"), class: "reset", says: "closed before the answer"},
		{name: "not HTTP", play: once("SSH-2.0-OpenSSH_9.9\r\n"), class: "protocol", says: "malformed"},
		{name: "TLS", play: once("\x15\x03\x01\x00\x02\x02\x46\n\n"), class: "protocol", says: "malformed"},
		{name: "no status", play: once("HTTP/1.1 000 Nothing\r\n\r\n"), class: "protocol", says: "status 000"},
		{name: "two lengths", play: once("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"), class: "protocol", says: "Content-Length"},
		{name: "broken chunks", play: once("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"), class: "protocol", says: "chunk"},
		{name: "another protocol", play: once("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"), class: "protocol", says: "switched protocols"},
		{name: "only interim answers", play: endless("HTTP/1.1 100 Continue\r\n\r\n"), class: "protocol", says: "interim"},
		{name: "endless headers", play: func(_ int, c net.Conn, br *bufio.Reader) {
			io.WriteString(c, "HTTP/1.1 200 OK\r\n")
			endless("X-A: 1\r\n")(0, c, br)
		}, class: "protocol", says: "head"},
		{name: "endless line", play: func(_ int, c net.Conn, br *bufio.Reader) {
			io.WriteString(c, "HTTP/1.1 200 OK\r\nX-A: ")
			endless("aaaaaaaa")(0, c, br)
		}, class: "protocol", says: "head"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.play != nil {
				tt.target = script(t, "tcp", tt.play)
			}
			f := &answer.Forward{Target: tt.target, Options: answer.Options{Timeout: tt.timeout}}
			t.Cleanup(f.Close)
			a := deliver(t, f, "POST", []byte("{}"))
			wantFailure(t, a, tt.class, tt.says)
			got := ""
			if a.Response != nil {
				got = string(a.Response.Body)
				if !a.Response.Truncated {
					t.Error("what came of the answer is not marked as a part")
				}
			}
			if got != tt.partly {
				t.Errorf("kept %q of the answer, want %q", got, tt.partly)
			}
		})
	}
}

// reset sends some bytes, and when they are there, ends the connection with a
// reset.
func reset(raw string) func(int, net.Conn, *bufio.Reader) {
	return func(_ int, c net.Conn, br *bufio.Reader) {
		request(br)
		io.WriteString(c, raw)
		c.(*net.TCPConn).SetLinger(0)
	}
}

func endless(raw string) func(int, net.Conn, *bufio.Reader) {
	raw = strings.Repeat(raw, 1000)
	return func(_ int, c net.Conn, br *bufio.Reader) {
		for {
			if _, err := io.WriteString(c, raw); err != nil {
				return
			}
		}
	}
}

func TestUnsendableRequests(t *testing.T) {
	f := &answer.Forward{Target: script(t, "tcp", func(int, net.Conn, *bufio.Reader) { t.Error("something was sent") })}
	for name, e := range map[string]*capture.Event{
		"method with a blank":   {Method: "GET /", Target: "/"},
		"no method":             {Target: "/"},
		"target with a blank":   {Method: "GET", Target: "/a b"},
		"target with a line":    {Method: "GET", Target: "/\r\nX: y"},
		"header with a line":    {Method: "GET", Target: "/", Headers: capture.Headers{{"X", "a\r\nY: b"}}},
		"header with a bare LF": {Method: "GET", Target: "/", Headers: capture.Headers{{"X", "a\nY: b"}}},
		"name with a colon":     {Method: "GET", Target: "/", Headers: capture.Headers{{"X:Y", "a"}}},
		"name with a blank":     {Method: "GET", Target: "/", Headers: capture.Headers{{"X ", "a"}}},
		"no name":               {Method: "GET", Target: "/", Headers: capture.Headers{{"", "a"}}},
		"NUL in a value":        {Method: "GET", Target: "/", Headers: capture.Headers{{"X", "a\x00b"}}},
		"trailer with a line":   {Method: "GET", Target: "/", Trailers: capture.Headers{{"X", "a\r\n\r\nGET /"}}},
	} {
		t.Run(name, func(t *testing.T) {
			a := new(capture.Attempt)
			f.Send(t.Context(), e, nil, a)
			wantFailure(t, a, capture.FailProtocol, "cannot be sent as it is")
		})
	}
}

// secure is an app behind TLS with a certificate nobody knows.
func secure(t testing.TB) (*httptest.Server, *atomic.Int32) {
	t.Helper()
	var conns atomic.Int32
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, r.Proto)
	}))
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	srv.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			conns.Add(1)
		}
	}
	srv.EnableHTTP2 = true
	srv.StartTLS()
	t.Cleanup(srv.Close)
	return srv, &conns
}

func TestTLS(t *testing.T) {
	srv, conns := secure(t)
	target, err := answer.ParseTarget(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	strict := &answer.Forward{Target: target}
	wantFailure(t, deliver(t, strict, "POST", nil), capture.FailTLS, "--insecure")

	trusting := &answer.Forward{Target: target, Options: answer.Options{Insecure: true}}
	t.Cleanup(trusting.Close)
	conns.Store(0)
	first, second := deliver(t, trusting, "POST", []byte("{}")), deliver(t, trusting, "POST", []byte("{}"))
	wantStatus(t, first, 200, "HTTP/1.1")
	wantStatus(t, second, 200, "HTTP/1.1")
	if first.Timing.TLS <= 0 || second.Timing.TLS != 0 || conns.Load() != 1 {
		t.Errorf("%d connections, handshakes of %v and %v; want one of each", conns.Load(), first.Timing.TLS, second.Timing.TLS)
	}
	srv.CloseClientConnections()
	wantStatus(t, deliver(t, trusting, "POST", []byte("{}")), 200, "HTTP/1.1")

	plain := script(t, "tcp", always("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"))
	plain.Scheme = "https"
	wantFailure(t, deliver(t, &answer.Forward{Target: plain}, "POST", nil), capture.FailTLS, "")

	mute := script(t, "tcp", func(_ int, _ net.Conn, br *bufio.Reader) { io.Copy(io.Discard, br) })
	mute.Scheme = "https"
	wantFailure(t, deliver(t, &answer.Forward{Target: mute, Options: answer.Options{Timeout: 50 * time.Millisecond}}, "POST", nil), capture.FailTimeout, "50ms")
}

func TestConnectionsAreReused(t *testing.T) {
	for _, network := range []string{"tcp", "unix"} {
		t.Run(network, func(t *testing.T) {
			settle(t)
			var conns atomic.Int32
			serve := always("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
			f := &answer.Forward{Target: script(t, network, func(n int, c net.Conn, br *bufio.Reader) {
				conns.Store(int32(n))
				serve(n, c, br)
			})}
			t.Cleanup(f.Close)
			for i := range 20 {
				a := deliver(t, f, "POST", bytes.Repeat([]byte("x"), i*10_000))
				wantStatus(t, a, 200, "ok")
				if dialled := a.Timing.Connect > 0; dialled != (i == 0) {
					t.Errorf("attempt %d: connecting took %v", i, a.Timing.Connect)
				}
				if a.Timing.FirstByte <= 0 || a.Timing.FirstByte > a.Duration {
					t.Errorf("attempt %d: first byte after %v of %v", i, a.Timing.FirstByte, a.Duration)
				}
			}
			if n := conns.Load(); n != 1 {
				t.Errorf("%d connections, want 1", n)
			}
		})
	}
}

// A server may close an idle connection at any time. Nobody but the pool
// should notice.
func TestIdleConnectionsThatDieAreReplaced(t *testing.T) {
	for name, play := range map[string]func(n int, c net.Conn, br *bufio.Reader, closing chan<- bool){
		"closed while idle": func(n int, c net.Conn, br *bufio.Reader, closing chan<- bool) {
			request(br)
			io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
			c.Close()
			closing <- true
		},
		"closed upon the next request": func(n int, c net.Conn, br *bufio.Reader, closing chan<- bool) {
			request(br)
			io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
			closing <- true
			br.ReadByte() // of the next request
		},
		"reset upon the next request": func(n int, c net.Conn, br *bufio.Reader, closing chan<- bool) {
			request(br)
			io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
			closing <- true
			br.ReadByte()
			c.(*net.TCPConn).SetLinger(0)
		},
		"said more than was asked": func(n int, c net.Conn, br *bufio.Reader, closing chan<- bool) {
			request(br)
			io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 500 Stray\r\nContent-Length: 0\r\n\r\n")
			closing <- true
			br.ReadByte()
		},
		"asked to close": func(n int, c net.Conn, br *bufio.Reader, closing chan<- bool) {
			request(br)
			io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
			closing <- true
			br.ReadByte()
		},
	} {
		t.Run(name, func(t *testing.T) {
			settle(t)
			closing := make(chan bool, 10)
			var conns atomic.Int32
			f := &answer.Forward{Target: script(t, "tcp", func(n int, c net.Conn, br *bufio.Reader) {
				conns.Store(int32(n))
				play(n, c, br, closing)
			})}
			t.Cleanup(f.Close)
			for range 3 {
				wantStatus(t, deliver(t, f, "POST", []byte("{}")), 200, "ok")
				<-closing
			}
			if n := conns.Load(); n != 3 {
				t.Errorf("%d connections, want 3", n)
			}
		})
	}
}

// An app that is being shut down waits for its idle connections; it must not
// wait for ours.
func TestIdleConnectionsAreLetGo(t *testing.T) {
	settle(t)
	gone := make(chan error, 1)
	f := &answer.Forward{Target: script(t, "tcp", func(_ int, c net.Conn, br *bufio.Reader) {
		request(br)
		io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
		_, err := br.ReadByte()
		gone <- err
	})}
	wantStatus(t, deliver(t, f, "POST", nil), 200, "")
	select {
	case err := <-gone:
		if !errors.Is(err, io.EOF) {
			t.Errorf("the idle connection ended with %v", err)
		}
	case <-time.After(patience):
		t.Error("the idle connection is still open")
	}
}

// A server may have seen enough before it has all of a large body.
func TestEarlyAnswer(t *testing.T) {
	settle(t)
	large := bytes.Repeat([]byte("x"), 32<<20) // more than sockets hold
	for name, stay := range map[string]bool{"and hangs up": false, "and stops reading": true} {
		t.Run(name, func(t *testing.T) {
			f := &answer.Forward{Target: script(t, "tcp", func(_ int, c net.Conn, br *bufio.Reader) {
				http.ReadRequest(br)
				io.WriteString(c, "HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nbig")
				if stay {
					<-t.Context().Done()
				} else {
					c.(*net.TCPConn).CloseWrite()
					io.Copy(io.Discard, br)
				}
			})}
			t.Cleanup(f.Close)
			wantStatus(t, deliver(t, f, "POST", large), 413, "big")
		})
	}
	t.Run("and resets without one", func(t *testing.T) {
		f := &answer.Forward{Target: script(t, "tcp", func(_ int, c net.Conn, br *bufio.Reader) {
			http.ReadRequest(br)
			c.(*net.TCPConn).SetLinger(0)
		})}
		wantFailure(t, deliver(t, f, "POST", large), capture.FailReset, "closed before")
	})
	t.Run("or never reads", func(t *testing.T) {
		f := &answer.Forward{Target: script(t, "tcp", func(_ int, c net.Conn, br *bufio.Reader) { <-t.Context().Done() }),
			Options: answer.Options{Timeout: 50 * time.Millisecond}}
		wantFailure(t, deliver(t, f, "POST", large), capture.FailTimeout, "50ms")
	})
}

func TestCancel(t *testing.T) {
	settle(t)
	asked := make(chan bool, 1)
	f := &answer.Forward{Target: script(t, "tcp", func(_ int, _ net.Conn, br *bufio.Reader) {
		request(br)
		asked <- true
		br.ReadByte()
	}), Options: answer.Options{Timeout: time.Hour}}
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-asked; cancel() }()
	a := new(capture.Attempt)
	f.Send(ctx, &capture.Event{Method: "POST", Target: "/"}, nil, a)
	wantFailure(t, a, capture.FailTimeout, "")

	a = new(capture.Attempt)
	f.Send(ctx, &capture.Event{Method: "POST", Target: "/"}, nil, a) // already over
	wantFailure(t, a, capture.FailTimeout, "")
}

// Proxies are for the way out. Localhost is not out.
func TestProxiesOfTheEnvironmentAreIgnored(t *testing.T) {
	for _, name := range []string{"HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY"} {
		t.Setenv(name, "http://127.0.0.1:9")
	}
	t.Setenv("NO_PROXY", "")
	f := &answer.Forward{Target: script(t, "tcp", always("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"))}
	t.Cleanup(f.Close)
	wantStatus(t, deliver(t, f, "POST", nil), 200, "")
}

func TestManyAtOnce(t *testing.T) {
	settle(t)
	f := &answer.Forward{Target: script(t, "tcp", always("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")), Options: answer.Options{Timeout: patience}}
	t.Cleanup(f.Close)
	done := make(chan *capture.Attempt)
	for range 100 {
		go func() {
			for range 10 {
				done <- deliver(t, f, "POST", []byte("{}"))
			}
		}()
	}
	for range 1000 {
		wantStatus(t, <-done, 200, "ok")
	}
}

func TestReachable(t *testing.T) {
	settle(t)
	target := script(t, "tcp", func(int, net.Conn, *bufio.Reader) {})
	if err := (&answer.Forward{Target: target}).Reachable(t.Context()); err != nil {
		t.Errorf("not reachable: %v", err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	if err := (&answer.Forward{Target: answer.Target{Scheme: "http", Host: l.Addr().String()}}).Reachable(t.Context()); err == nil {
		t.Error("what nobody listens on is reachable")
	}
}

// FuzzAnswer: whatever an app says, an attempt ends, keeps a bounded part of
// it, and says either what was answered or why it failed.
func FuzzAnswer(f *testing.F) {
	for _, s := range []string{
		"", "\r\n", "HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP", "HTTP/1.1 100 C\r\n\r\nHTTP/1.0 204 N\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;x\r\nab\r\n0\r\nT: 1\r\n\r\n", "HTTP/2.0 200 OK\r\nX:\xff\r\n y\r\n\r\n", "HTTP/1.1 999\n\n",
	} {
		f.Add([]byte(s), false)
		f.Add([]byte(s), true)
	}
	var raw atomic.Pointer[[]byte]
	target := script(f, "tcp", func(_ int, c net.Conn, br *bufio.Reader) {
		request(br)
		c.Write(*raw.Load())
	})
	f.Fuzz(func(t *testing.T, b []byte, head bool) {
		raw.Store(&b)
		forward := &answer.Forward{Target: target}
		defer forward.Close()
		method := "POST"
		if head {
			method = "HEAD"
		}
		a := deliver(t, forward, method, []byte("{}"))
		switch {
		case a.Status == capture.AttemptSucceeded && (a.Response == nil || a.Error != nil || a.Code/100 != 2),
			a.Status == capture.AttemptFailed && (a.Error == nil || a.Error.Class == ""),
			a.Response != nil && (len(a.Response.Body) > 1<<20 || a.Code == 0 || a.Code/100 == 1):
			t.Errorf("%q: %+v, %+v, %+v", b, a, a.Error, a.Response)
		}
	})
}
