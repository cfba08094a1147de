package relay_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/relay"
	"code.hooktape.dev/hooktape/store"
)

// post is a request with a body.
func post(target, body string) string {
	return message(body, "POST "+target+" HTTP/1.1", "Host: x", length(body))
}

// wantStub reads the event of a refused request and compares why it was.
func wantStub(t testing.TB, s *store.Store, res reply, want capture.Refusal) capture.Row {
	t.Helper()
	if res.status != want.Status {
		t.Fatalf("answered %d %s, want %d", res.status, res.body, want.Status)
	}
	row, err := s.Event(t.Context(), res.id)
	if err != nil {
		t.Fatalf("no stub is kept: %v", err)
	}
	if row.Refused == nil || *row.Refused != want || row.Outcome.State != capture.Rejected {
		t.Errorf("the stub says %+v (%s), want %+v", row.Refused, row.Outcome.State, want)
	}
	if all, err := s.Attempts(t.Context(), capture.AttemptQuery{Event: res.id}); err != nil || len(all) > 0 {
		t.Errorf("a stub has attempts: %v %v", all, err)
	}
	return row
}

// closed fails unless the server ends the connection, and soon.
func closed(t testing.TB, r io.Reader) {
	t.Helper()
	if n, err := io.Copy(io.Discard, r); err != nil && errors.Is(err, os.ErrDeadlineExceeded) || n > 0 {
		t.Errorf("the connection stays open: %d bytes more, %v", n, err)
	}
}

func TestAnnouncedTooLargeIsRefusedUnread(t *testing.T) {
	s := memory(t)
	addr := serve(t, &relay.Ingest{Keep: s.Keep, MaxBody: 1000, Log: logs(t)})
	c := dial(t, addr)
	io.WriteString(c, message("", "POST /big HTTP/1.1", "Host: x", "Expect: 100-continue", "Content-Length: 1001"))
	br := bufio.NewReader(c)
	// The first answer is the final one: the sender is never told to go on.
	row := wantStub(t, s, readReply(t, br), capture.Refusal{Status: 413, Limit: "body", Max: 1000, Got: 1001})
	if row.Target != "/big" || !row.Headers.Has("Expect") || row.Size != 0 {
		t.Errorf("stub %+v lacks the head", row.Event)
	}
	closed(t, br)
	if res := send(t, addr, post("/fits", strings.Repeat("x", 1000))); res.status != http.StatusAccepted {
		t.Errorf("a body of exactly the limit: %d", res.status)
	}
}

func TestChunksOverTheLimitAreRefused(t *testing.T) {
	s := memory(t)
	addr := serve(t, &relay.Ingest{Keep: s.Keep, MaxBody: 100_000, Log: logs(t)})
	// More than sockets buffer: the sender is still writing when he is answered.
	const chunk = 16 << 10
	c := dial(t, addr)
	io.WriteString(c, message("", "POST / HTTP/1.1", "Host: x", "Transfer-Encoding: chunked"))
	go func() {
		for range 1024 {
			if _, err := fmt.Fprintf(c, "%x\r\n%s\r\n", chunk, strings.Repeat("x", chunk)); err != nil {
				return
			}
		}
	}()
	res := readReply(t, bufio.NewReader(c))
	row, err := s.Event(t.Context(), res.id)
	if err != nil || row.Refused == nil {
		t.Fatalf("answered %d %s; stub %+v, %v", res.status, res.body, row, err)
	}
	wantStub(t, s, res, capture.Refusal{Status: 413, Limit: "body", Max: 100_000, Got: row.Refused.Got})
	if row.Refused.Got <= 100_000 || row.Refused.Got > 200_000 {
		t.Errorf("%d bytes were read of a body over the limit of 100,000", row.Refused.Got)
	}
}

func TestHeadOverTheLimitIsRefused(t *testing.T) {
	s := memory(t)
	addr := serve(t, &relay.Ingest{Keep: s.Keep, MaxHead: 2048, Log: logs(t)})
	for name, raw := range map[string]string{
		"many headers": message("", append([]string{"POST /in/shop/h?x HTTP/1.1", "Host: x"}, numbered(400)...)...),
		"one header":   message("", "POST /in/shop/h?x HTTP/1.1", "Host: x", "X-Big: "+strings.Repeat("v", 100_000)),
		"target":       message("", "POST /in/shop/h?x="+strings.Repeat("v", 100_000)+" HTTP/1.1", "Host: x"),
	} {
		t.Run(name, func(t *testing.T) {
			c := dial(t, addr)
			go io.WriteString(c, raw)
			br := bufio.NewReader(c)
			res := readReply(t, br)
			row, err := s.Event(t.Context(), res.id)
			if err != nil || row.Refused == nil || row.Refused.Got <= 2048 {
				t.Fatalf("answered %d %s; stub %+v, %v", res.status, res.body, row, err)
			}
			wantStub(t, s, res, capture.Refusal{Status: 431, Limit: "header", Max: 2048, Got: row.Refused.Got})
			if row.App != "shop" || row.Method != "POST" || !strings.HasPrefix(string(row.Target), "/h?x") {
				t.Errorf("stub of %s %s %.20s…, want its app, method and target", row.App, row.Method, row.Target)
			}
		})
	}
}

// A head that does not arrive is nobody's request: there is nothing to keep,
// and nobody to answer.
func TestSlowHeadIsHungUpOn(t *testing.T) {
	s := memory(t)
	addr := serve(t, &relay.Ingest{Keep: s.Keep, ReadTime: 50 * time.Millisecond, Log: logs(t)})
	c := dial(t, addr)
	io.WriteString(c, "POST / HTTP/1.1\r\nHost: x\r\nX-Slo")
	closed(t, c)
	if n, _ := s.Counts(t.Context()); n.Events != 0 {
		t.Errorf("%d events are kept of half a head", n.Events)
	}
}

// The sender of a slow body is answered, and then let go: he must not hold a
// connection for as long as he pleases.
func TestSlowBodyTimesOut(t *testing.T) {
	for name, raw := range map[string]string{
		"length": message("abc", "POST /slow HTTP/1.1", "Host: x", "Content-Length: 10"),
		"chunks": message("3\r\nabc\r\n", "POST /slow HTTP/1.1", "Host: x", "Transfer-Encoding: chunked"),
	} {
		t.Run(name, func(t *testing.T) {
			s := memory(t)
			addr := serve(t, &relay.Ingest{Keep: s.Keep, ReadTime: 50 * time.Millisecond, Log: logs(t)})
			c := dial(t, addr)
			io.WriteString(c, raw)
			br := bufio.NewReader(c)
			wantStub(t, s, readReply(t, br), capture.Refusal{Status: 408, Limit: "time", Max: 50, Got: 3})
			closed(t, br)
		})
	}
}

func TestHungUpInTheBodyLeavesAStub(t *testing.T) {
	for name, tt := range map[string]struct {
		raw  string
		want capture.Refusal
	}{
		"length": {message("abc", "POST /torn HTTP/1.1", "Host: x", "Content-Length: 10"), capture.Refusal{Status: 400, Limit: "incomplete", Max: 10, Got: 3}},
		"chunks": {message("3\r\nabc\r\n5\r\nde", "POST /torn HTTP/1.1", "Host: x", "Transfer-Encoding: chunked"), capture.Refusal{Status: 400, Limit: "incomplete", Got: 5}},
		"broken": {message("3\r\nabcX", "POST /torn HTTP/1.1", "Host: x", "Transfer-Encoding: chunked"), capture.Refusal{Status: 400, Limit: "incomplete", Got: 3}},
	} {
		t.Run(name, func(t *testing.T) {
			s := memory(t)
			addr := serve(t, &relay.Ingest{Keep: s.Keep, Log: logs(t)})
			c := dial(t, addr)
			io.WriteString(c, tt.raw)
			c.(*net.TCPConn).CloseWrite()
			wantStub(t, s, readReply(t, bufio.NewReader(c)), tt.want)
		})
	}
}

func TestBusyWithLargeBodies(t *testing.T) {
	s := memory(t)
	entered, release := make(chan bool), make(chan bool)
	keep := func(ctx context.Context, cs ...*capture.Change) error {
		if cs[0].Event.Target == "/held" {
			entered <- true
			<-release
		}
		return s.Keep(ctx, cs...)
	}
	const most = 200 << 10
	addr := serve(t, &relay.Ingest{Keep: keep, MaxBody: most, MaxBusy: most, Log: logs(t)})
	large := strings.Repeat("x", most)

	held := dial(t, addr)
	go io.WriteString(held, post("/held", large))
	<-entered // its room is taken until it is answered

	res := send(t, addr, post("/large", large))
	wantStub(t, s, res, capture.Refusal{Status: 503, Limit: "busy", Max: most, Got: most})
	if res.header.Get("Retry-After") == "" {
		t.Error("503 without Retry-After")
	}
	if res := send(t, addr, post("/small", large[:64<<10-1])); res.status != http.StatusAccepted {
		t.Errorf("a small body was answered %d while large ones are under way", res.status)
	}
	close(release)
	if res := readReply(t, bufio.NewReader(held)); res.status != http.StatusAccepted {
		t.Errorf("the large body under way was answered %d", res.status)
	}
	for range 3 { // all room came back
		if res := send(t, addr, post("/large", large)); res.status != http.StatusAccepted {
			t.Errorf("a large body was answered %d after the others were done", res.status)
		}
	}
}

// What the store does not take, it must not be said to have taken.
func TestWhatCannotBeKeptIsNotAccepted(t *testing.T) {
	open := func(o store.Options) *store.Store {
		s, err := store.Open(t.TempDir(), o)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		return s
	}
	full := open(store.Options{MinFree: 1 << 60})
	closed := open(store.Options{})
	closed.Close()
	for name, tt := range map[string]struct {
		s    *store.Store
		want error
		says string
	}{"full": {full, capture.ErrFull, "disk is nearly full"}, "closed": {closed, capture.ErrUnavailable, "could not be kept"}} {
		t.Run(name, func(t *testing.T) {
			var was error
			addr := serve(t, &relay.Ingest{Log: logs(t), MaxBody: 1000, Keep: func(ctx context.Context, cs ...*capture.Change) error {
				was = tt.s.Keep(ctx, cs...)
				return was
			}})
			res := send(t, addr, post("/", "{}"))
			if !errors.Is(was, tt.want) {
				t.Fatalf("Keep returned %v, want %v", was, tt.want)
			}
			if res.status != http.StatusServiceUnavailable || res.header.Get("Retry-After") == "" || !strings.Contains(res.body, tt.says) {
				t.Errorf("answered %d %v %s", res.status, res.header, res.body)
			}
			if got := res.header.Get("Content-Type"); got != "application/problem+json" {
				t.Errorf("content type %q", got)
			}
			// A stub that cannot be kept changes nothing for its sender.
			if res := send(t, addr, message("", "POST / HTTP/1.1", "Host: x", "Content-Length: 1001")); res.status != http.StatusRequestEntityTooLarge {
				t.Errorf("too large: answered %d", res.status)
			}
		})
	}
	if n, _ := full.Counts(t.Context()); n.Events != 0 {
		t.Errorf("%d events are kept on a full disk", n.Events)
	}
}

// TestKeptBeforeAnswered: not a byte goes to the sender before Keep is back,
// and his hanging up meanwhile takes nothing back.
func TestKeptBeforeAnswered(t *testing.T) {
	s := memory(t)
	entered, release := make(chan context.Context), make(chan bool)
	addr := serve(t, &relay.Ingest{Log: logs(t), Keep: func(ctx context.Context, cs ...*capture.Change) error {
		entered <- ctx
		<-release
		return s.Keep(ctx, cs...)
	}})

	waits := dial(t, addr)
	io.WriteString(waits, post("/waits", "{}"))
	<-entered
	waits.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	if n, err := waits.Read(make([]byte, 1)); n > 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("%d bytes (%v) were answered before the event was kept", n, err)
	}
	waits.SetReadDeadline(time.Now().Add(patience))
	release <- true
	if res := readReply(t, bufio.NewReader(waits)); res.status != http.StatusAccepted {
		t.Errorf("answered %d", res.status)
	}

	leaves := dial(t, addr)
	io.WriteString(leaves, post("/leaves", "{}"))
	ctx := <-entered
	leaves.Close()
	changed := s.Watch(t.Context())
	release <- true
	<-changed
	if ctx.Err() != nil {
		t.Errorf("keeping was cancelled: %v", ctx.Err())
	}
	if n, _ := s.Counts(t.Context()); n.Events != 2 {
		t.Errorf("%d events are kept, want 2", n.Events)
	}
}

func TestRoutesToApps(t *testing.T) {
	s := memory(t)
	addr := serve(t, &relay.Ingest{Keep: s.Keep, Log: logs(t)})
	long := strings.Repeat("a", 63)
	for _, tt := range []struct{ target, app, rest string }{
		{"/", "default", "/"},
		{"/hooks/github?x=1", "default", "/hooks/github?x=1"},
		{"/in/shop/hooks?x=1", "shop", "/hooks?x=1"},
		{"/in/shop", "shop", "/"},
		{"/in/shop/", "shop", "/"},
		{"/in/shop?x=/in/other", "shop", "/?x=/in/other"},
		{"/in/shop-2_b/in/other/x", "shop-2_b", "/in/other/x"},
		{"/in/" + long + "/x", long, "/x"},
		{"/in/" + long + "a/x", "default", "/in/" + long + "a/x"},
		{"/in/", "default", "/in/"},
		{"/in", "default", "/in"},
		{"/in//x", "default", "/in//x"},
		{"/in/-shop/x", "default", "/in/-shop/x"},
		{"/in/Shop/x", "default", "/in/Shop/x"},
		{"/in/sh%6Fp/x", "default", "/in/sh%6Fp/x"},
		{"/in/../shop", "default", "/in/../shop"},
		{"/x/in/shop/y", "default", "/x/in/shop/y"},
		{"http://h/in/shop/y?z", "shop", "/y?z"},
		{"http://h:1?x=/in/shop/y", "default", "http://h:1?x=/in/shop/y"},
		{"http://h/in/", "default", "http://h/in/"},
	} {
		res := send(t, addr, post(tt.target, ""))
		row, err := s.Event(t.Context(), res.id)
		if err != nil || row.App != tt.app || string(row.Target) != tt.rest || !strings.Contains(res.body, `"app":"`+tt.app+`"`) {
			t.Errorf("%s went to %s as %s (%v, %s); want %s as %s", tt.target, row.App, row.Target, err, res.body, tt.app, tt.rest)
		}
	}
}

func TestConnectionsAreKeptAfterAccepting(t *testing.T) {
	s := memory(t)
	addr := serve(t, &relay.Ingest{Keep: s.Keep, Log: logs(t)})
	c := dial(t, addr)
	br := bufio.NewReader(c)
	for i := range 3 {
		io.WriteString(c, post(fmt.Sprint("/", i), strings.Repeat("x", i*100_000)))
		res := readReply(t, br)
		row, err := s.Event(t.Context(), res.id)
		if res.status != http.StatusAccepted || err != nil || string(row.Target) != fmt.Sprint("/", i) || row.Parsed {
			t.Errorf("request %d: %d, %s, %v", i, res.status, row.Target, err)
		}
	}
}

func TestLimitsOverHTTP2(t *testing.T) {
	s := memory(t)
	addr := serve(t, &relay.Ingest{Keep: s.Keep, MaxBody: 1000, ReadTime: 200 * time.Millisecond, Log: logs(t)})
	var protocols http.Protocols
	protocols.SetUnencryptedHTTP2(true)
	transport := &http.Transport{Protocols: &protocols}
	t.Cleanup(transport.CloseIdleConnections)
	slow, end := io.Pipe()
	defer end.Close()
	for name, tt := range map[string]struct {
		body   io.Reader
		status int
		limit  string
	}{
		"announced":   {strings.NewReader(strings.Repeat("x", 1001)), 413, "body"},
		"unannounced": {io.MultiReader(strings.NewReader(strings.Repeat("x", 1001))), 413, "body"},
		"slow":        {slow, 408, "time"},
		"fits":        {strings.NewReader(strings.Repeat("x", 1000)), 202, ""},
	} {
		t.Run(name, func(t *testing.T) {
			req, err := http.NewRequestWithContext(t.Context(), "POST", "http://"+addr+"/x", tt.body)
			if err != nil {
				t.Fatal(err)
			}
			res, err := transport.RoundTrip(req)
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			text, _ := io.ReadAll(res.Body)
			if res.StatusCode != tt.status || tt.limit != "" && !strings.Contains(string(text), `"limit":"`+tt.limit+`"`) {
				t.Errorf("answered %d %s, want %d", res.StatusCode, text, tt.status)
			}
		})
	}
}

// TestDrain: what was under way when the end came is kept and answered;
// nothing new is taken.
func TestDrain(t *testing.T) {
	s := memory(t)
	entered, release := make(chan bool), make(chan bool)
	in := &relay.Ingest{Log: logs(t), Keep: func(ctx context.Context, cs ...*capture.Change) error {
		if cs[0].Event.Target == "/last" {
			entered <- true
			<-release
		}
		return s.Keep(ctx, cs...)
	}}
	l := listen(t)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- in.Serve(ctx, l) }()

	idle := dial(t, l.Addr().String())
	io.WriteString(idle, post("/first", "{}"))
	fromIdle := bufio.NewReader(idle)
	readReply(t, fromIdle)
	c := dial(t, l.Addr().String())
	io.WriteString(c, post("/last", "{}"))
	<-entered
	cancel()
	closed(t, fromIdle) // which the end closes first
	if late, err := net.Dial("tcp", l.Addr().String()); err == nil {
		late.Close()
		t.Error("a connection was taken after the end")
	}
	select {
	case err := <-ended:
		t.Fatalf("Serve returned %v with a request under way", err)
	default:
	}
	close(release)
	br := bufio.NewReader(c)
	if res := readReply(t, br); res.status != http.StatusAccepted {
		t.Errorf("the last request was answered %d", res.status)
	}
	closed(t, br)
	if err := <-ended; err != nil {
		t.Errorf("Serve returned %v", err)
	}
}

// What net/http refuses by itself never reaches a handler; its sender is told,
// and whoever looks for the webhook must be, too.
func TestWhatBreaksTheProtocolLeavesAStub(t *testing.T) {
	for name, raw := range map[string]string{
		"control byte":  message("", "POST /odd HTTP/1.1", "Host: x", "X-Odd: a\x01b"),
		"header's name": message("", "POST /odd HTTP/1.1", "Host: x", "X Odd: a"),
		"no host":       message("", "POST /odd HTTP/1.1"),
		"expectation":   message("", "POST /odd HTTP/1.1", "Host: x", "Expect: wonders"),
		"two lengths":   message("", "POST /odd HTTP/1.1", "Host: x", "Content-Length: 1", "Content-Length: 2"),
	} {
		t.Run(name, func(t *testing.T) {
			s, kept := memory(t), make(chan *capture.Event, 1)
			addr := serve(t, &relay.Ingest{Log: logs(t), Keep: func(ctx context.Context, cs ...*capture.Change) error {
				err := s.Keep(ctx, cs...)
				kept <- cs[0].Event
				return err
			}})
			c := dial(t, addr)
			io.WriteString(c, raw)
			if line, err := bufio.NewReader(c).ReadString('\n'); !strings.HasPrefix(line, "HTTP/1.1 4") {
				t.Errorf("answered %q, %v; want a 4xx", line, err)
			}
			c.Close()
			e := <-kept
			if e.Target != "/odd" || e.Refused == nil || *e.Refused != (capture.Refusal{Status: 400, Limit: "protocol"}) {
				t.Errorf("kept %+v, refused %+v; want a stub of /odd", e, e.Refused)
			}
		})
	}
}
