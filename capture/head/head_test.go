package head_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/head"
)

// seen is what a handler behind a Conn learned of one request.
type seen struct {
	head *head.Head
	ok   bool
	body string
	err  error
}

// serve sends raw to a real server, in pieces as cut makes them, and returns
// what its handler saw and what came back.
func serve(t testing.TB, raw string, cut func(net.Conn, string)) ([]seen, string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var got []seen
	srv := &http.Server{ConnContext: head.Context, ReadHeaderTimeout: 5 * time.Second, ErrorLog: log.New(io.Discard, "", 0),
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			h, ok := head.Of(r)
			body, err := io.ReadAll(r.Body)
			got = append(got, seen{h, ok, string(body), err})
		})}
	done := make(chan error)
	go func() { done <- srv.Serve(head.Listener{Listener: l, Max: 2048}) }()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	cut(c, raw)
	c.(*net.TCPConn).CloseWrite()
	answer, _ := io.ReadAll(c) // a reset ends it as well
	c.Close()
	srv.Shutdown(t.Context())
	<-done
	return got, string(answer)
}

func whole(c net.Conn, raw string) { io.WriteString(c, raw) }

// bytewise sends each byte in a write of its own.
func bytewise(c net.Conn, raw string) {
	io.Copy(onlyWriter{c}, iotest.OneByteReader(strings.NewReader(raw)))
}

type onlyWriter struct{ io.Writer }

func TestHeadsAsSent(t *testing.T) {
	const host = "Host: x\r\n"
	tests := []struct {
		name, raw string
		target    string
		headers   capture.Headers
		body      string
	}{
		{"case and repeats", "POST /a HTTP/1.1\r\nhOST: x\r\nX-b: 1\r\nx-B: 2\r\nA: 3\r\nContent-Length: 2\r\n\r\nhi", "/a",
			capture.Headers{{"hOST", "x"}, {"X-b", "1"}, {"x-B", "2"}, {"A", "3"}, {"Content-Length", "2"}}, "hi"},
		{"invalid escape", "GET /a%zz;b=1?x=%&y HTTP/1.1\r\n" + host + "\r\n", "/a%zz;b=1?x=%&y", capture.Headers{{"Host", "x"}}, ""},
		{"control and high bytes in the target", "GET /\x01\xff HTTP/1.1\r\n" + host + "\r\n", "/\x01\xff", capture.Headers{{"Host", "x"}}, ""},
		{"odd slashes", "GET //a/../b//?? HTTP/1.1\r\n" + host + "\r\n", "//a/../b//??", capture.Headers{{"Host", "x"}}, ""},
		{"high bytes in a value", "GET / HTTP/1.1\r\n" + host + "X: \xe9\r\n\r\n", "/", capture.Headers{{"Host", "x"}, {"X", "\xe9"}}, ""},
		{"blanks around a value", "GET / HTTP/1.1\r\n" + host + "X: \t a b \t\r\nE:\r\n\r\n", "/", capture.Headers{{"Host", "x"}, {"X", "a b"}, {"E", ""}}, ""},
		{"bare line feeds", "GET / HTTP/1.1\nHost: x\nA: b\n\n", "/", capture.Headers{{"Host", "x"}, {"A", "b"}}, ""},
		{"HTTP/1.0 without a host", "POST /old HTTP/1.0\r\nContent-Length: 1\r\n\r\n!", "/old", capture.Headers{{"Content-Length", "1"}}, "!"},
		{"folded line", "GET / HTTP/1.1\r\n" + host + "X: a\r\n  b\r\n\r\n", "/", capture.Headers{{"Host", "x"}, {"X", "a b"}}, ""},
		{"pragma", "GET / HTTP/1.1\r\n" + host + "Pragma: no-cache\r\n\r\n", "/", capture.Headers{{"Host", "x"}, {"Pragma", "no-cache"}}, ""},
		{"empty lines first", "\r\n\r\nGET / HTTP/1.1\r\n" + host + "\r\n", "/", capture.Headers{{"Host", "x"}}, ""},
		{"chunks", "POST / HTTP/1.1\r\n" + host + "transfer-encoding: Chunked\r\n\r\n3;a=b\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", "/",
			capture.Headers{{"Host", "x"}, {"transfer-encoding", "Chunked"}}, "abcde"},
	}
	for _, tt := range tests {
		for name, cut := range map[string]func(net.Conn, string){"whole": whole, "bytewise": bytewise} {
			t.Run(tt.name+"/"+name, func(t *testing.T) {
				got, answer := serve(t, tt.raw, cut)
				if len(got) != 1 || !got[0].ok {
					t.Fatalf("saw %+v, answered %q; want one agreed head", got, answer)
				}
				h := got[0].head
				if h.Target != tt.target || fmt.Sprint(h.Headers) != fmt.Sprint(tt.headers) || got[0].body != tt.body {
					t.Errorf("got  %q %q %q\nwant %q %q %q", h.Target, h.Headers, got[0].body, tt.target, tt.headers, tt.body)
				}
			})
		}
	}
}

func TestPipelinedRequestsKeepTheirOwnHeads(t *testing.T) {
	raw := "POST /1 HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc" +
		"POST /2%zz HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTrailer: x-T\r\n\r\n1\r\nd\r\n0\r\nx-T: 7\r\nX-U: 8\r\n\r\n" +
		"GET /3 HTTP/1.1\r\nhost: x\r\n\r\n"
	for name, cut := range map[string]func(net.Conn, string){"whole": whole, "bytewise": bytewise} {
		t.Run(name, func(t *testing.T) {
			got, _ := serve(t, raw, cut)
			if len(got) != 3 {
				t.Fatalf("%d requests, want 3", len(got))
			}
			for i, want := range []string{"/1", "/2%zz", "/3"} {
				if !got[i].ok || got[i].head.Target != want {
					t.Errorf("request %d: %+v, want an agreed head of %s", i, got[i], want)
				}
			}
			if want := (capture.Headers{{"x-T", "7"}, {"X-U", "8"}}); fmt.Sprint(got[1].head.Trailers) != fmt.Sprint(want) {
				t.Errorf("trailers %q, want %q", got[1].head.Trailers, want)
			}
		})
	}
}

func TestHeadOverTheLimitReachesTheHandler(t *testing.T) {
	for name, raw := range map[string]string{
		"headers": "POST /hook HTTP/1.1\r\nHost: x\r\nX-Big: " + strings.Repeat("a", 9000) + "\r\n\r\n",
		"target":  "POST /" + strings.Repeat("a", 9000) + " HTTP/1.1\r\nHost: x\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			got, answer := serve(t, raw, whole)
			if len(got) != 1 || !got[0].ok || got[0].head.Over < 2048 || got[0].head.Method != "POST" || !strings.HasPrefix(got[0].head.Target, "/") {
				t.Errorf("saw %+v, answered %q; want one head with Over set", got, answer)
			}
		})
	}
}

func TestNonsenseIsNotAgreed(t *testing.T) {
	for _, raw := range []string{
		"\x16\x03\x01\x02\x00", "GET\r\n\r\n", "GET / HTTP/1.1\r\nHost : x\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", strings.Repeat("\x00", 9000),
	} {
		if got, answer := serve(t, raw, whole); len(got) > 0 && got[0].ok {
			t.Errorf("%.40q: saw %+v, answered %q; want no head", raw, got[0], answer)
		}
	}
}

// TestHeldHeads: of the requests on one connection the odd ones go to a handler
// that never asks for a head. The others get their own, as often as they ask.
func TestHeldHeads(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	asks := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		first, ok1 := head.Of(r)
		again, ok2 := head.Of(r.Clone(r.Context()))
		got = append(got, fmt.Sprintln(first.Target, ok1, ok2, first == again))
	})
	srv := &http.Server{ConnContext: head.Context, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r = head.Hold(r); r.URL.Path != "/other" {
			asks(w, r)
		}
	})}
	done := make(chan error)
	go func() { done <- srv.Serve(head.Listener{Listener: l}) }()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	const lines = " HTTP/1.1\r\nHost: x\r\n"
	io.WriteString(c, "GET /other"+lines+"\r\nGET /1"+lines+"\r\nGET /other"+lines+"\r\nGET /2"+lines+"Connection: close\r\n\r\n")
	io.Copy(io.Discard, c)
	c.Close()
	srv.Close()
	<-done
	if want := "/1 true true true\n/2 true true true\n"; strings.Join(got, "") != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if r := httptest.NewRequest("GET", "/", nil); head.Hold(r) != r {
		t.Error("a request without a head was changed")
	}
}

// FuzzConn holds a Conn against net/http alone: what net/http makes of the
// bytes must be the same with a Conn below it, but for masked targets, and
// every head that Of agrees to must be a line of what was sent.
func FuzzConn(f *testing.F) {
	for _, s := range []string{
		"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "POST /%zz HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nT: 1\r\n\r\nGET /2 HTTP/1.0\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhelloGET / HTTP/1.1\r\nHost: y\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		var through bytes.Buffer
		through.ReadFrom(head.NewConn(&fakeConn{r: iotest.HalfReader(bytes.NewReader(raw))}, 512))
		got, want := bufio.NewReader(&through), bufio.NewReader(bytes.NewReader(raw))
		for {
			a, errA := http.ReadRequest(got)
			b, errB := http.ReadRequest(want)
			if errB != nil || errA != nil {
				return // refused with or without: nothing to compare
			}
			bodyA, _ := io.ReadAll(a.Body)
			bodyB, _ := io.ReadAll(b.Body)
			if a.Method != b.Method || a.RequestURI != b.RequestURI && a.RequestURI != "/" || string(bodyA) != string(bodyB) {
				t.Fatalf("%q: %s %s %q, want %s %s %q", raw, a.Method, a.RequestURI, bodyA, b.Method, b.RequestURI, bodyB)
			}
		}
	})
}

type fakeConn struct {
	net.Conn
	r io.Reader
}

func (c *fakeConn) Read(p []byte) (int, error) { return c.r.Read(p) }

func BenchmarkConn(b *testing.B) {
	raw := "POST /hooks?x=1 HTTP/1.1\r\nHost: hooks.example\r\nUser-Agent: x\r\nContent-Type: application/json\r\nX-A: 1\r\nX-B: 2\r\nContent-Length: 8192\r\n\r\n" + strings.Repeat("x", 8192)
	run := func(b *testing.B, wrap func(net.Conn) io.Reader) {
		src := &endless{raw: raw}
		br := bufio.NewReader(wrap(&fakeConn{r: src}))
		b.SetBytes(int64(len(raw)))
		b.ReportAllocs()
		for b.Loop() {
			r, err := http.ReadRequest(br)
			if err != nil {
				b.Fatal(err)
			}
			io.Copy(io.Discard, r.Body)
		}
	}
	b.Run("bare", func(b *testing.B) { run(b, func(c net.Conn) io.Reader { return c }) })
	b.Run("tee", func(b *testing.B) { run(b, func(c net.Conn) io.Reader { return head.NewConn(c, 0) }) })
}

// endless repeats a request, one a read at most.
type endless struct {
	raw string
	at  int
}

func (e *endless) Read(p []byte) (int, error) {
	n := copy(p, e.raw[e.at:])
	e.at = (e.at + n) % len(e.raw)
	return n, nil
}

// What net/http merged or lost must not be taken for agreement.
func TestHeadsThatDisagree(t *testing.T) {
	for name, change := range map[string]func(http.Header){
		"a line more":    func(h http.Header) { h["X-C"] = []string{"1"} },
		"a line less":    func(h http.Header) { delete(h, "X-A") },
		"another value":  func(h http.Header) { h["X-A"] = []string{"2"} },
		"one for two":    func(h http.Header) { h["X-B"] = []string{"1"} },
		"two for one":    func(h http.Header) { h["X-A"] = []string{"1", "1"} },
		"the other way":  func(h http.Header) { h["X-B"] = []string{"2", "1"} },
		"one moved over": func(h http.Header) { h["X-B"], h["X-A"] = []string{"1"}, []string{"1", "2"} },
	} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		var as, changed bool
		srv := &http.Server{ConnContext: head.Context, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("X-Change") == "" {
				_, as = head.Of(r)
				return
			}
			change(r.Header)
			_, changed = head.Of(r)
		})}
		done := make(chan error)
		go func() { done <- srv.Serve(head.Listener{Listener: l}) }()
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		lines := "Host: x\r\nX-A: 1\r\nx-b: 1\r\nX-B: 2\r\n"
		io.WriteString(c, "GET / HTTP/1.1\r\n"+lines+"\r\nGET / HTTP/1.1\r\nConnection: close\r\nX-Change: 1\r\n"+lines+"\r\n")
		io.Copy(io.Discard, c)
		c.Close()
		srv.Close()
		<-done
		if !as || changed {
			t.Errorf("%s: agreed %v when it was whole and %v when changed, want true and false", name, as, changed)
		}
	}
}
