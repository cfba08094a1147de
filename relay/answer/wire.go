package answer

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/head"
)

const (
	maxWhole  = 24 << 20        // of a response's body, beyond capture.MostKept, where somebody waits for all of it
	maxHead   = 256 << 10       // of a response's head
	idleLimit = 3 * time.Second // servers drop idle connections after as little as 5 s
)

// wire is a connection to a target.
type wire struct {
	net.Conn
	br    *bufio.Reader
	head  bytes.Buffer // bytes read while seeing, to keep the response's head as it was sent
	seen  bool
	err   error     // what ended the reading
	since time.Time // idle since
}

// Read keeps what it reads while a response's head is awaited.
func (w *wire) Read(p []byte) (int, error) {
	if w.seen && w.head.Len() > maxHead {
		return 0, fmt.Errorf("a head of over %d bytes", maxHead)
	}
	n, err := w.Conn.Read(p)
	if w.seen {
		w.head.Write(p[:n])
	}
	w.err = err
	return n, err
}

// alive reports whether an idle connection is still open and silent.
func (w *wire) alive() bool {
	if time.Since(w.since) > idleLimit || w.br.Buffered() > 0 {
		return false
	}
	conn := w.Conn
	if secure, ok := conn.(*tls.Conn); ok {
		conn = secure.NetConn()
	}
	sc, ok := conn.(syscall.Conn)
	if !ok {
		return false
	}
	rc, err := sc.SyscallConn()
	if err != nil {
		return false
	}
	open := false
	err = rc.Read(func(fd uintptr) bool {
		open = quiet(fd)
		return true // never wait
	})
	return err == nil && open
}

// pool keeps idle connections to the one host a peer is, for a moment: an app that is shut down may wait for them to end.
type pool struct {
	mu    sync.Mutex // guards the fields below
	idle  []*wire    // the newest last
	timed bool       // expire will be called
}

func (p *pool) take() *wire {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.idle) > 0 {
		w := p.idle[len(p.idle)-1]
		p.idle = p.idle[:len(p.idle)-1]
		if w.alive() {
			return w
		}
		w.Close()
	}
	return nil
}

func (p *pool) put(w *wire) {
	w.since = time.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.idle) >= 64 {
		p.idle[0].Close()
		p.idle = p.idle[1:]
	}
	p.idle = append(p.idle, w)
	if !p.timed {
		p.timed = true
		time.AfterFunc(idleLimit, p.expire)
	}
}

// expire closes connections that were idle for too long.
func (p *pool) expire() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.idle) > 0 && time.Since(p.idle[0].since) >= idleLimit {
		p.idle[0].Close()
		p.idle = p.idle[1:]
	}
	if p.timed = len(p.idle) > 0; p.timed {
		time.AfterFunc(idleLimit-time.Since(p.idle[0].since), p.expire)
	}
}

func (p *pool) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, w := range p.idle {
		w.Close()
	}
	p.idle = nil
}

// errNoAnswer wraps what ended a connection before any byte of an answer.
type errNoAnswer struct{ error }

func (e errNoAnswer) Unwrap() error { return e.error }

// peer is who requests are sent to, and how.
type peer struct {
	Target
	insecure bool   // believe any certificate
	whole    bool   // read all of an answer, also what is not kept of it
	guard    *Guard // nil: any address may be dialled
	pool     *pool  // of connections to the target
}

// roundTrip sends r and reads the answer. A reused connection that turns out
// to have been closed is replaced by a new one, once.
func (p peer) roundTrip(ctx context.Context, r *capture.Request, trailers capture.Headers, t *capture.Timing) (*capture.Response, error) {
	if err := sendable(r, trailers); err != nil {
		return nil, err
	}
	if w := p.pool.take(); w != nil {
		res, err := p.exchange(ctx, w, r, trailers, t)
		var none errNoAnswer
		if err == nil || !errors.As(err, &none) || ctx.Err() != nil {
			return res, err
		}
	}
	w, err := p.dial(ctx, t)
	if err != nil {
		return nil, err
	}
	return p.exchange(ctx, w, r, trailers, t)
}

var errUnsendable = errors.New("cannot be sent as it is")

// sendable refuses what would end a line early. Nothing that came over HTTP
// contains it, but for a bare CR in a target; headers and events made by hand
// may.
func sendable(r *capture.Request, trailers capture.Headers) error {
	if strings.ContainsAny(string(r.Target), " \r\n") || r.Method == "" || strings.ContainsAny(r.Method, " \r\n") {
		return fmt.Errorf("the request line %w", errUnsendable)
	}
	for _, h := range slices.Concat(r.Headers, trailers) {
		if h[0] == "" || strings.ContainsAny(h[0], ": \t\r\n\x00") || strings.ContainsAny(h[1], "\r\n\x00") {
			return fmt.Errorf("header %q %w", h[0], errUnsendable)
		}
	}
	return nil
}

// dial opens a connection to the target.
func (p peer) dial(ctx context.Context, t *capture.Timing) (*wire, error) {
	network, addr := "tcp", p.address()
	if p.Scheme == "unix" {
		network = "unix"
	}
	var begun time.Time
	var dns capture.Duration
	traced := httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		DNSStart: func(httptrace.DNSStartInfo) { begun = time.Now() },
		DNSDone:  func(httptrace.DNSDoneInfo) { dns = capture.Duration(time.Since(begun)) },
	})
	var dialer net.Dialer
	if p.guard != nil {
		dialer.ControlContext = p.guard.control
	}
	connect := time.Now()
	conn, err := dialer.DialContext(traced, network, addr)
	t.DNS += dns
	if err != nil {
		return nil, err
	}
	t.Connect += capture.Duration(time.Since(connect)) - dns
	if p.Scheme == "https" {
		begun := time.Now()
		host, _, _ := net.SplitHostPort(addr)
		secure := tls.Client(conn, &tls.Config{ServerName: host, InsecureSkipVerify: p.insecure, NextProtos: []string{"http/1.1"}})
		if err := secure.HandshakeContext(ctx); err != nil {
			conn.Close()
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			return nil, errTLS{err}
		}
		t.TLS += capture.Duration(time.Since(begun))
		conn = secure
	}
	w := &wire{Conn: conn}
	w.br = bufio.NewReader(w)
	return w, nil
}

// reachable reports whether the target accepts connections.
func (p peer) reachable(ctx context.Context) error {
	w, err := p.dial(ctx, new(capture.Timing))
	if err != nil {
		return err
	}
	return w.Close()
}

func (t Target) address() string {
	if t.Scheme == "unix" {
		return t.Host
	}
	if _, _, err := net.SplitHostPort(t.Host); err == nil {
		return t.Host
	}
	port := map[string]string{"http": "80", "https": "443"}[t.Scheme]
	return net.JoinHostPort(strings.Trim(t.Host, "[]"), port)
}

// exchange writes r to w and reads one answer. w is kept for reuse when the
// answer was read to its end and the server lets it, else closed.
func (p peer) exchange(ctx context.Context, w *wire, r *capture.Request, trailers capture.Headers, t *capture.Timing) (*capture.Response, error) {
	deadline, _ := ctx.Deadline()
	w.SetDeadline(deadline)
	stop := context.AfterFunc(ctx, func() { w.SetDeadline(time.Unix(1, 0)) })
	reuse := false
	defer func() {
		if stop() && reuse {
			w.SetDeadline(time.Time{})
			p.pool.put(w)
			return
		}
		w.Close()
	}()

	// A server may answer, and even stop reading, before it has all of a
	// large body; so the answer is awaited beside the writing.
	wrote := make(chan error, 1)
	if len(r.Body) <= 64<<10 {
		wrote <- write(w, r, trailers)
	} else {
		go func() { wrote <- write(w, r, trailers) }()
	}
	sent := time.Now()
	w.seen = true
	w.head.Reset()
	if _, err := w.br.Peek(1); err != nil {
		w.SetDeadline(time.Unix(1, 0)) // ends the writer too
		if werr := <-wrote; werr != nil && !errors.Is(werr, context.DeadlineExceeded) && ctx.Err() == nil && !isTimeout(err) {
			err = werr
		}
		return nil, errNoAnswer{err}
	}
	t.FirstByte += capture.Duration(time.Since(sent))
	res, err := w.readAnswer(r.Method)
	if err != nil {
		return nil, err
	}
	out := &capture.Response{Status: res.StatusCode, Proto: res.Proto, Headers: w.headers(res)}
	body, err := io.ReadAll(io.LimitReader(res.Body, capture.MostKept+1))
	if len(body) > capture.MostKept {
		if err == nil && p.whole {
			out.Rest, err = io.ReadAll(io.LimitReader(io.MultiReader(bytes.NewReader(body[capture.MostKept:]), res.Body), maxWhole+1))
			if len(out.Rest) > maxWhole {
				err = errProtocol{fmt.Errorf("the answer is over %d bytes", capture.MostKept+maxWhole)}
			}
		}
		body, out.Truncated = body[:capture.MostKept], true
	}
	out.Body = body
	if err != nil {
		out.Truncated = true
		return out, err
	}
	if out.Truncated || res.Close {
		return out, nil
	}
	select {
	case werr := <-wrote:
		reuse = werr == nil
	case <-time.After(50 * time.Millisecond): // answered before all was sent; if it was, the writer had time to say so
	}
	return out, nil
}

// readAnswer reads the head of the final response (RFC 9110 §15.2).
func (w *wire) readAnswer(method string) (*http.Response, error) {
	for range 10 {
		res, err := http.ReadResponse(w.br, &http.Request{Method: method})
		if err != nil && w.err != nil {
			return nil, w.err // a torn head looks malformed, but that is not what is wrong with it
		}
		if err != nil {
			return nil, errProtocol{err}
		}
		if res.StatusCode < 100 {
			return nil, errProtocol{fmt.Errorf("answered with the status %03d", res.StatusCode)}
		}
		if res.StatusCode/100 != 1 {
			return res, nil
		}
		if res.StatusCode == http.StatusSwitchingProtocols {
			return nil, errProtocol{errors.New("switched protocols unasked")}
		}
		end := w.head.Len() - w.br.Buffered()
		w.head.Next(end)
	}
	return nil, errProtocol{errors.New("ten interim answers and no final one")}
}

// headers are those of res as they were sent.
func (w *wire) headers(res *http.Response) capture.Headers {
	w.seen = false
	if h, ok := head.Lines(w.head.Bytes()); ok {
		return h
	}
	return capture.FromHTTP(res.Header)
}

// write puts r on the wire: in one system call where it can.
func write(w io.Writer, r *capture.Request, trailers capture.Headers) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\n", r.Method, r.Target)
	lines(&b, r.Headers)
	b.WriteString("\r\n")
	bufs := net.Buffers{b.Bytes(), r.Body}
	if len(trailers) > 0 {
		var size, end bytes.Buffer
		if len(r.Body) > 0 {
			size.WriteString(strconv.FormatInt(int64(len(r.Body)), 16) + "\r\n")
			end.WriteString("\r\n")
		}
		end.WriteString("0\r\n")
		lines(&end, trailers)
		end.WriteString("\r\n")
		bufs = net.Buffers{b.Bytes(), size.Bytes(), r.Body, end.Bytes()}
	}
	if c, ok := w.(*wire); ok {
		w = c.Conn // net.Buffers finds writev only on the connection itself
	}
	_, err := bufs.WriteTo(w)
	return err
}

func lines(b *bytes.Buffer, h capture.Headers) {
	for _, l := range h {
		b.WriteString(l[0])
		b.WriteString(": ")
		b.WriteString(l[1])
		b.WriteString("\r\n")
	}
}
