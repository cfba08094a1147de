package rules_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/head"
	"code.hooktape.dev/hooktape/relay"
	"code.hooktape.dev/hooktape/relay/answer"
	"code.hooktape.dev/hooktape/relay/front"
	. "code.hooktape.dev/hooktape/relay/rules"
)

// patience is how long a test waits for what must happen.
const patience = 10 * time.Second

// serve is a server of which every request is an event that rules answer, or
// else 200 and "app". It is built as a relay's Ingest is.
func serve(t testing.TB, s *Set, tlsConfig *tls.Config) (url string, stop func()) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	srv := &http.Server{Protocols: &protocols, ConnContext: head.Context, BaseContext: func(net.Listener) context.Context { return ctx }}
	srv.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		head.Of(r)
		if a, ok := s.Ingest(event("x"), body); ok {
			a.ServeHTTP(w, r)
			return
		}
		io.WriteString(w, "app")
	})
	url = "http://" + l.Addr().String()
	var under net.Listener = &front.Conns{Listener: l}
	if tlsConfig != nil {
		url, under = "https://"+l.Addr().String(), tls.NewListener(under, tlsConfig)
	}
	ended := make(chan error, 1)
	go func() { ended <- relay.Serve(ctx, srv, head.Listener{Listener: under}) }()
	done := false
	stop = func() {
		if !done {
			done = true
			cancel()
			if err := <-ended; err != nil {
				t.Error(err)
			}
		}
	}
	t.Cleanup(stop)
	return url, stop
}

// seen is what a client is told, and the error it ends with.
func seen(t testing.TB, c *http.Client, url string) (*http.Response, string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(`{"amount":7}`))
	if err != nil {
		t.Fatal(err)
	}
	res, err := c.Do(req)
	if err != nil {
		return nil, "", err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	return res, string(body), err
}

func client(t testing.TB, change func(*http.Transport)) *http.Client {
	tr := &http.Transport{DisableKeepAlives: true}
	if change != nil {
		change(tr)
	}
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr}
}

func insecure(tr *http.Transport) { tr.TLSClientConfig = &tls.Config{InsecureSkipVerify: true} }

func http2(tr *http.Transport) {
	tr.Protocols = new(http.Protocols)
	tr.Protocols.SetUnencryptedHTTP2(true)
}

func certificate(t testing.TB) *tls.Config {
	s := httptest.NewTLSServer(nil)
	t.Cleanup(s.Close)
	return s.TLS.Clone()
}

var short = &capture.Delay{Fixed: capture.Duration(50 * time.Millisecond)}

func faults(kind capture.FaultKind) *Set {
	s := New(nil)
	f := &capture.Fault{Kind: kind}
	if kind == capture.FaultTimeout || kind == capture.FaultDrip {
		f.Delay = short
	}
	if err := s.Put([]capture.Rule{{ID: "rul_1", RuleSpec: capture.RuleSpec{Fault: f}}}); err != nil {
		panic(err)
	}
	return s
}

func TestFaultsOnTheWire(t *testing.T) {
	eof := func(err error) bool { return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) }
	contains := func(text string) func(error) bool {
		return func(err error) bool { return err != nil && strings.Contains(err.Error(), text) }
	}
	none := func(err error) bool { return err == nil }
	streamError := contains("stream error")
	for kind, c := range map[capture.FaultKind]struct {
		status       int
		http1, http2 func(error) bool
		curl         string // its exit status, as its manual numbers them
	}{
		capture.FaultTimeout:   {0, eof, streamError, "exit status 52"},
		capture.FaultEmpty:     {0, eof, streamError, "exit status 52"},
		capture.FaultReset:     {0, func(err error) bool { return errors.Is(err, syscall.ECONNRESET) }, streamError, "exit status 56"},
		capture.FaultMalformed: {0, contains("malformed HTTP"), streamError, "exit status 1"},
		capture.FaultLength:    {200, eof, streamError, "exit status 18"},
		capture.FaultStatus:    {503, none, none, ""},
		capture.FaultDrip:      {200, none, none, ""},
	} {
		plain, _ := serve(t, faults(kind), nil)
		secure, _ := serve(t, faults(kind), certificate(t))
		for name, try := range map[string]struct {
			url  string
			c    *http.Client
			want func(error) bool
		}{
			"HTTP/1": {plain, client(t, nil), c.http1},
			"TLS":    {secure, client(t, insecure), c.http1},
			"HTTP/2": {plain, client(t, http2), c.http2},
		} {
			t.Run(string(kind)+" "+name, func(t *testing.T) {
				begun := time.Now()
				res, body, err := seen(t, try.c, try.url)
				if !try.want(err) {
					t.Errorf("the client sees %q %v", body, err)
				}
				if res == nil {
					res = new(http.Response)
				}
				if res.StatusCode != c.status || c.status == 200 && !strings.HasPrefix(body, `{"id":"evt_`) {
					t.Errorf("the client sees %d %q, want %d", res.StatusCode, body, c.status)
				}
				waits := kind == capture.FaultTimeout || kind == capture.FaultDrip
				if took := time.Since(begun); waits && took < 50*time.Millisecond || took > patience/2 {
					t.Errorf("it took %v", took)
				}
			})
		}
		t.Run(string(kind)+" curl", func(t *testing.T) {
			curl, err := exec.LookPath("curl")
			if err != nil {
				t.Skip("there is no curl")
			}
			out, err := exec.CommandContext(t.Context(), curl, "-sS", "-m", "10", "-d", "x", plain).CombinedOutput()
			if err == nil && c.curl != "" || err != nil && err.Error() != c.curl {
				t.Errorf("curl: %v, want %q: %s", err, c.curl, out)
			}
		})
	}
}

// On HTTP/2, one stream is failed and the next is served by the same
// connection.
func TestHTTP2KeepsItsConnection(t *testing.T) {
	s := put(t, capture.RuleSpec{Times: 1, Fault: &capture.Fault{Kind: capture.FaultReset}})
	url, _ := serve(t, s, nil)
	var dials atomic.Int64
	c := client(t, func(tr *http.Transport) {
		http2(tr)
		tr.DisableKeepAlives = false
		tr.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
			dials.Add(1)
			return new(net.Dialer).DialContext(ctx, network, addr)
		}
	})
	if _, _, err := seen(t, c, url); err == nil {
		t.Error("the stream was not reset")
	}
	if _, body, err := seen(t, c, url); err != nil || body != "app" || dials.Load() != 1 {
		t.Errorf("%q %v on connection %d", body, err, dials.Load())
	}
}

func TestMocksOnTheWire(t *testing.T) {
	s := put(t, capture.RuleSpec{Match: "body.amount:7", Mock: &capture.Mock{Status: 201, Delay: short,
		Headers: map[string]string{"X-Path": "{{path}}"}, Body: `{"amount":{{body.amount}}}`}})
	for name, change := range map[string]func(*http.Transport){"HTTP/1": nil, "HTTP/2": http2} {
		url, _ := serve(t, s, nil)
		res, body, err := seen(t, client(t, change), url)
		if err != nil || res.StatusCode != 201 || body != `{"amount":7}` || res.ContentLength != 12 ||
			res.Header.Get("X-Path") != "/hook" || res.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%s: %+v %q %v", name, res, body, err)
		}
	}
}

// What waits ends with the sender, or with the server, and leaves no goroutine.
func TestWaitsEnd(t *testing.T) {
	minute := &capture.Delay{Fixed: 60 * second}
	for name, spec := range map[string]capture.RuleSpec{
		"mock":    {Mock: &capture.Mock{Delay: minute, Body: "late"}},
		"timeout": {Fault: &capture.Fault{Kind: capture.FaultTimeout}},
		"drip":    {Fault: &capture.Fault{Kind: capture.FaultDrip, Delay: minute}},
	} {
		for _, end := range []string{"server", "sender"} {
			t.Run(name+" "+end, func(t *testing.T) {
				s := put(t, spec)
				url, stop := serve(t, s, nil)
				goroutines := runtime.NumGoroutine()
				conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
				if err != nil {
					t.Fatal(err)
				}
				defer conn.Close()
				conn.SetDeadline(time.Now().Add(patience))
				io.WriteString(conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}")
				until(t, "the rule applied", func() bool { return s.Rows()[0].Hits == 1 })
				if end == "sender" {
					conn.Close()
					until(t, "no goroutine is left", func() bool { return runtime.NumGoroutine() <= goroutines })
					return
				}
				begun := time.Now()
				stop()
				got, err := io.ReadAll(conn)
				if time.Since(begun) > patience/2 || errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("the server ended after %v", time.Since(begun))
				}
				if answered := strings.HasSuffix(string(got), "late"); answered != (name == "mock") {
					t.Errorf("the sender is told %q", got)
				}
			})
		}
	}
}

// until waits for what must become true.
func until(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !ok(); runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatalf("%s: still not so", what)
		}
	}
}

// An attempt says of a fault what it says of the same on the wire.
func TestSenderSaysWhatTheWireSays(t *testing.T) {
	send := func(d Deliverer) *capture.Attempt {
		e, a := event("x"), &capture.Attempt{Number: 1}
		d.Send(t.Context(), e, []byte(`{"amount":7}`), a)
		return a
	}
	forward := func(url string) *answer.Forward {
		target, err := answer.ParseTarget(url)
		if err != nil {
			t.Fatal(err)
		}
		f := &answer.Forward{Target: target, Options: answer.Options{Timeout: 500 * time.Millisecond}}
		t.Cleanup(f.Close)
		return f
	}
	app, _ := serve(t, New(nil), nil)
	for _, kind := range capture.Faults {
		t.Run(string(kind), func(t *testing.T) {
			fault := &capture.Fault{Kind: kind}
			if kind == capture.FaultTimeout {
				fault.Delay = &capture.Delay{Fixed: second}
			}
			if kind == capture.FaultDrip {
				fault.Delay = short
			}
			failing, _ := serve(t, put(t, capture.RuleSpec{Fault: fault}), nil)
			wire := send(forward(failing))
			for _, sent := range []bool{true, false} {
				s := &Sender{Deliverer: forward(app), Timeout: 500 * time.Millisecond,
					Rules: put(t, capture.RuleSpec{Name: "broken", On: capture.OnDelivery, Fault: fault, Send: &sent})}
				a := send(s)
				if a.Status != wire.Status || a.Code != wire.Code || class(a) != class(wire) || (a.Response == nil) != (wire.Response == nil) {
					t.Errorf("sent %v: %s %d %+v %+v\non the wire %s %d %+v %+v", sent, a.Status, a.Code, a.Error, a.Response, wire.Status, wire.Code, wire.Error, wire.Response)
				}
				if a.Response != nil && (a.Response.Status != wire.Response.Status || a.Response.Truncated != wire.Response.Truncated) {
					t.Errorf("sent %v: answered %+v, on the wire %+v", sent, a.Response, wire.Response)
				}
				if a.Rule != "rul_0" || a.Started.IsZero() || (a.Request != nil) != sent {
					t.Errorf("sent %v: rule %q, started %v, request %v", sent, a.Rule, a.Started, a.Request)
				}
				if a.Error != nil && !strings.HasPrefix(a.Error.Message, "rule broken: ") || a.Error != nil && sent != strings.Contains(a.Error.Message, "in place of the app's 200") {
					t.Errorf("sent %v: the error is %q", sent, a.Error.Message)
				}
			}
		})
	}
}

func TestSenderMocks(t *testing.T) {
	var hits atomic.Int64
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { hits.Add(1); w.WriteHeader(500) }))
	defer app.Close()
	target, err := answer.ParseTarget(app.URL)
	if err != nil {
		t.Fatal(err)
	}
	forward := &answer.Forward{Target: target}
	defer forward.Close()
	for _, c := range []struct {
		spec    capture.RuleSpec
		status  capture.AttemptStatus
		code    int
		body    string
		message string
		hits    int64
	}{
		{capture.RuleSpec{Mock: says("{{body.amount}}")}, capture.AttemptSucceeded, 200, "7", "", 0},
		{capture.RuleSpec{Name: "no", Mock: &capture.Mock{Status: 410}}, capture.AttemptFailed, 410, "", "rule no: answered 410", 0},
		{capture.RuleSpec{Mock: says("ok"), Send: ptr(true)}, capture.AttemptSucceeded, 200, "ok", "", 1},
		{capture.RuleSpec{Fault: &capture.Fault{Kind: capture.FaultStatus, Status: 429}}, capture.AttemptFailed, 429, `{"title":"Too Many Requests","status":429,"detail":"It fails on purpose."}` + "\n",
			"rule rul_0: answered 429, in place of the app's 500", 1},
		{capture.RuleSpec{Pass: true}, capture.AttemptFailed, 500, "", "answered 500", 1},
	} {
		hits.Store(0)
		c.spec.On = capture.OnDelivery
		s := &Sender{Deliverer: forward, Rules: put(t, c.spec)}
		a := &capture.Attempt{Number: 1, Rule: "rul_before"}
		s.Send(t.Context(), event("x"), []byte(`{"amount":7}`), a)
		message := ""
		if a.Error != nil {
			message = a.Error.Message
		}
		if a.Status != c.status || a.Code != c.code || string(a.Response.Body) != c.body || message != c.message || hits.Load() != c.hits || (a.Rule != "") == c.spec.Pass {
			t.Errorf("%+v: %s %d %q %q, the app was asked %d times, rule %q", c.spec, a.Status, a.Code, a.Response.Body, message, hits.Load(), a.Rule)
		}
	}
}
