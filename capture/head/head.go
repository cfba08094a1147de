// Package head reads request heads as they were sent. net/http hands its
// handlers a map: the order, the case and the odd escapes of what came over
// the wire are gone, and a target such as /a%zz never arrives at all. A Conn
// sits below net/http, follows the framing of HTTP/1 messages as the bytes
// pass, and keeps each head beside them. What it saw is checked against what
// net/http parsed before anyone relies on it; where the two disagree, and for
// HTTP/2, there is no raw head and Of says so.
//
// The bytes net/http reads are the sender's, with three exceptions: empty
// lines before a request are dropped (RFC 9112 §2.2), a target that net/url
// refuses is shown to it as "/", and a head over the limit as a bare one that
// ends the connection. In the last two the true head is the one Of returns.
package head

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/textproto"
	"net/url"
	"slices"
	"strings"
	"sync"

	"code.hooktape.dev/hooktape/capture"
)

// Head is a request's first lines as they were sent.
type Head struct {
	Method   string
	Target   string // raw request target, whatever is in it
	Proto    string
	Headers  capture.Headers
	Trailers capture.Headers // set once the body has been read to its end

	// Over is more than 0 when the head went over the limit: the bytes that
	// had come by then. The fields above hold its beginning.
	Over int64

	masked bool // net/http was shown another target
}

// Listener wraps accepted connections in Conns.
type Listener struct {
	net.Listener
	Max int // bytes of a head; 0: 64 KiB
	// Unasked is called with every head that nobody has asked for when its
	// connection is closed: net/http refused the request, or did not come to
	// it. nil: nobody is told.
	Unasked func(h *Head, from net.Addr)
}

// Accept implements net.Listener.
func (l Listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	conn := NewConn(c, l.Max)
	conn.unasked = l.Unasked
	return conn, nil
}

type key struct{}

// Context is for http.Server.ConnContext: it lets Of find the Conn.
func Context(ctx context.Context, c net.Conn) context.Context {
	if c, ok := c.(*Conn); ok {
		return context.WithValue(ctx, key{}, c)
	}
	return ctx
}

// Hold is r with its head held fast, so that Of may be asked of it and of what
// is derived from it any number of times, or never. It stands in front of all
// handlers of a server whose connections some of them share.
func Hold(r *http.Request) *http.Request {
	if c, _ := r.Context().Value(key{}).(*Conn); c == nil {
		return r
	}
	h, ok := Of(r)
	return r.WithContext(context.WithValue(r.Context(), heldKey{}, held{h, ok}))
}

type heldKey struct{}

type held struct {
	head *Head
	ok   bool
}

// Of is the head of r as it was sent. Of a request that nobody holds, it must
// be called once for each request of a connection, in order, as a handler
// does. It reports false when the head was not seen or does not agree with r.
func Of(r *http.Request) (*Head, bool) {
	if h, ok := r.Context().Value(heldKey{}).(held); ok {
		return h.head, h.ok
	}
	c, _ := r.Context().Value(key{}).(*Conn)
	if c == nil || r.ProtoMajor != 1 {
		return nil, false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.heads) == 0 {
		return nil, false
	}
	h := c.heads[0]
	c.heads = c.heads[1:]
	return h, h.Over > 0 || h.agrees(r)
}

// agrees compares what was seen with what net/http parsed. Left out are the
// headers that net/http takes away, merges or adds.
func (h *Head) agrees(r *http.Request) bool {
	if h.Method != r.Method || h.Proto != r.Proto || !h.masked && h.Target != r.RequestURI {
		return false
	}
	left := 0
	for name, values := range r.Header {
		if !rewritten(name) {
			left += len(values)
		}
	}
	seen := make(map[string]int, len(h.Headers))
	for _, l := range h.Headers {
		name := textproto.CanonicalMIMEHeaderKey(l[0])
		if rewritten(name) {
			continue
		}
		values, i := r.Header[name], seen[name]
		if i >= len(values) || values[i] != l[1] {
			return false
		}
		seen[name]++
		left--
	}
	return left == 0
}

func rewritten(name string) bool {
	switch name {
	case "Host", "Content-Length", "Transfer-Encoding", "Trailer", "Cache-Control":
		return true
	}
	return false
}

// Conn is a server's connection that keeps the heads of the requests read
// from it.
type Conn struct {
	net.Conn
	max     int
	unasked func(*Head, net.Addr)

	// Below, up to mu, only Read uses; net/http never reads twice at a time.
	buf   []byte // where heads are read into
	in    []byte // read from the peer, not yet looked at; a part of buf
	out   []byte // looked at, to be given to net/http next
	where place
	left  int64  // bytes of the body or chunk still to pass
	line  []byte // of the chunked framing, as far as it came
	bytes int    // of chunk extensions and trailers in this message
	open  *Head  // whose trailers are being read

	mu    sync.Mutex // guards the heads and their trailers
	heads []*Head    // passed on and not yet asked for
}

type place int

const (
	inHead place = iota
	inBody
	inChunkSize
	inChunk
	inChunkEnd
	inTrailer
	passing  // framing unknown or not HTTP/1: no more heads
	draining // a head over the limit was cut off: swallow what follows
)

// NewConn wraps c. A head may have max bytes; 0: 64 KiB.
func NewConn(c net.Conn, max int) *Conn {
	if max == 0 {
		max = 64 << 10
	}
	return &Conn{Conn: c, max: max}
}

// Close implements net.Conn.
func (c *Conn) Close() error {
	c.mu.Lock()
	left := c.heads
	c.heads = nil
	c.mu.Unlock()
	if c.unasked != nil {
		for _, h := range left {
			c.unasked(h, c.RemoteAddr())
		}
	}
	return c.Conn.Close()
}

// NetConn is the connection below.
func (c *Conn) NetConn() net.Conn { return c.Conn }

// Hijacked says that what follows is no HTTP/1 any more: it is passed on, and
// no heads are looked for. It must not be called beside Read.
func Hijacked(c net.Conn) {
	if c, ok := c.(*Conn); ok {
		c.where = passing
		if len(c.in)+len(c.out) == 0 { // it may be for long
			c.buf, c.in, c.out, c.line = nil, nil, nil, nil
		}
		c.mu.Lock()
		c.heads = nil
		c.mu.Unlock()
	}
}

// Read implements net.Conn.
func (c *Conn) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return c.Conn.Read(p)
	}
	for {
		if len(c.out) > 0 {
			n := copy(p, c.out)
			c.out = c.out[n:]
			return n, nil
		}
		switch c.where {
		case inHead:
			if err := c.readHead(); err != nil {
				return 0, err
			}
		case draining:
			if _, err := c.Conn.Read(p); err != nil {
				return 0, err
			}
		default:
			return c.readOn(p)
		}
	}
}

// readOn gives net/http bytes behind a head, and looks no further than the
// end of the message.
func (c *Conn) readOn(p []byte) (int, error) {
	if c.where == inBody {
		p = p[:min(int64(len(p)), c.left)]
	}
	var n int
	var err error
	if len(c.in) > 0 {
		n = copy(p, c.in)
		c.in = c.in[n:]
	} else {
		n, err = c.Conn.Read(p)
	}
	if end := c.follow(p[:n]); end < n { // the beginning of the next head came along
		c.in = append(slices.Clone(p[end:n]), c.in...)
		n = end
	}
	return n, err
}

// follow moves through the framing and returns how many of b belong to this
// message.
func (c *Conn) follow(b []byte) int {
	for i := 0; i < len(b); {
		switch c.where {
		case inHead:
			return i
		case passing:
			return len(b)
		case inBody, inChunk:
			n := int(min(c.left, int64(len(b)-i)))
			i += n
			if c.left -= int64(n); c.left > 0 {
				continue
			}
			if c.where == inBody {
				c.where = inHead
			} else {
				c.where = inChunkEnd
			}
		default:
			end := bytes.IndexByte(b[i:], '\n') + 1
			if end == 0 {
				end = len(b) - i
			}
			c.line = append(c.line, b[i:i+end]...)
			c.bytes += end
			i += end
			if c.bytes > c.max {
				c.where = passing
			} else if c.line[len(c.line)-1] == '\n' {
				c.chunkLine(strings.TrimRight(string(c.line), "\r\n"))
				c.line = c.line[:0]
			}
		}
	}
	return len(b)
}

// chunkLine takes a whole line of the chunked framing (RFC 9112 §7.1).
func (c *Conn) chunkLine(line string) {
	switch c.where {
	case inChunkEnd:
		c.where = inChunkSize
		if line != "" {
			c.where = passing
		}
	case inChunkSize:
		digits, _, _ := strings.Cut(line, ";")
		size, ok := parseSize(textproto.TrimString(digits), 16)
		switch {
		case !ok:
			c.where = passing
		case size == 0:
			c.where = inTrailer
		default:
			c.where, c.left = inChunk, size
		}
	case inTrailer:
		if line == "" {
			c.where = inHead
			return
		}
		c.mu.Lock()
		c.open.Trailers = addLine(c.open.Trailers, line)
		c.mu.Unlock()
	}
}

// readHead reads until a head is whole, keeps it and gives it on.
func (c *Conn) readHead() error {
	for {
		for len(c.in) > 0 && (c.in[0] == '\n' || bytes.HasPrefix(c.in, []byte("\r\n"))) {
			c.in = c.in[bytes.IndexByte(c.in, '\n')+1:]
		}
		if end := endOfHead(c.in); end > 0 && end <= c.max {
			c.take(end)
			return nil
		} else if end > c.max || len(c.in) > c.max {
			c.cutOff()
			return nil
		}
		if cap(c.in)-len(c.in) < 1<<10 {
			c.refill()
		}
		n, err := c.Conn.Read(c.in[len(c.in):cap(c.in)])
		c.in = c.in[:len(c.in)+n]
		switch {
		case n > 0 || err == nil:
		case err == io.EOF && len(c.in) > 0: // a torn head is net/http's to judge
			c.out, c.in, c.where = c.in, nil, passing
			return nil
		default: // a deadline among them: what came so far stays for the next Read
			return err
		}
	}
}

// refill makes room behind in: at the beginning of buf if what is there fits
// into its half, else in a buffer twice as large.
func (c *Conn) refill() {
	if len(c.in) > len(c.buf)/2 || c.buf == nil {
		c.buf = make([]byte, max(4<<10, 2*len(c.in)))
	}
	c.in = c.buf[:copy(c.buf, c.in)]
}

// endOfHead is the length of the head that b begins with, 0 when it is not
// whole. Like net/http it takes a bare LF for the end of a line.
func endOfHead(b []byte) int {
	for i := 0; ; {
		n := bytes.IndexByte(b[i:], '\n')
		if n < 0 {
			return 0
		}
		i += n + 1
		if bytes.HasPrefix(b[i:], []byte("\r\n")) {
			return i + 2
		}
		if bytes.HasPrefix(b[i:], []byte("\n")) {
			return i + 1
		}
	}
}

// take gives on the head in the first n bytes of in, and settles what follows
// it.
func (c *Conn) take(n int) {
	raw := c.in[:n:n]
	c.out, c.in = raw, c.in[n:]                             // both in buf, which is filled again only when out is empty
	if bytes.HasPrefix(raw, []byte("PRI * HTTP/2.0\r\n")) { // RFC 9113 §3.4
		c.out, c.in, c.where = append(raw, c.in...), nil, passing
		return
	}
	h := parse(string(raw))
	if h == nil {
		c.where = passing // net/http will answer 400 and close
		return
	}
	c.where, c.left = framing(h)
	c.bytes, c.open = 0, h
	if _, err := url.ParseRequestURI(h.Target); err != nil && strings.HasPrefix(h.Target, "/") {
		h.masked = true
		c.out = bytes.Replace(raw, []byte(" "+h.Target+" "), []byte(" / "), 1)
	}
	c.keep(h)
}

func (c *Conn) keep(h *Head) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.heads = append(c.heads, h)
}

// cutOff ends a head over the limit. Its beginning is kept; net/http is shown
// a bare request, so that a handler can answer and say what happened.
func (c *Conn) cutOff() {
	const shown = 4 << 10
	over := int64(len(c.in))
	begin := string(c.in[:min(shown, len(c.in))])
	h := parse(begin[:max(strings.LastIndexByte(begin, '\n'), 0)] + "\n")
	if h == nil { // not even the request line is whole
		method, rest, _ := strings.Cut(begin, " ")
		target, _, _ := strings.Cut(rest, " ")
		h = &Head{Method: method, Target: target, Proto: "HTTP/1.1"}
	}
	if !token(h.Method) {
		c.out, c.in, c.where = c.in, nil, passing // not HTTP at all
		return
	}
	h.Over = over
	c.out = []byte(h.Method + " / HTTP/1.1\r\nHost: -\r\nConnection: close\r\n\r\n")
	c.in, c.where = nil, draining
	c.keep(h)
}

// parse reads a head's lines, or returns nil for a first line that is no
// request line.
func parse(raw string) *Head {
	first, rest, _ := strings.Cut(raw, "\n")
	h := new(Head)
	var ok1, ok2 bool
	h.Method, h.Target, ok1 = strings.Cut(strings.TrimSuffix(first, "\r"), " ")
	h.Target, h.Proto, ok2 = strings.Cut(h.Target, " ")
	if !ok1 || !ok2 || !token(h.Method) {
		return nil
	}
	h.Headers = parseLines(rest)
	return h
}

func parseLines(raw string) capture.Headers {
	h := make(capture.Headers, 0, strings.Count(raw, "\n"))
	for line := range strings.SplitSeq(raw, "\n") {
		if line = strings.TrimSuffix(line, "\r"); line != "" {
			h = addLine(h, line)
		}
	}
	return h
}

// addLine adds a header line; one that begins with a blank continues the line
// before it (obs-fold, RFC 9112 §5.2), joined as net/http joins it.
func addLine(h capture.Headers, line string) capture.Headers {
	if (line[0] == ' ' || line[0] == '\t') && len(h) > 0 {
		last := &h[len(h)-1]
		last[1] = textproto.TrimString(last[1] + " " + textproto.TrimString(line))
		return h
	}
	name, value, _ := strings.Cut(line, ":")
	return append(h, capture.Header{name, textproto.TrimString(value)})
}

// framing says what follows a head, as net/http judges it: chunks only in
// HTTP/1.1, and then whatever Content-Length says; nothing without either.
// Where net/http will refuse the request it does not matter.
func framing(h *Head) (place, int64) {
	if h.Headers.Has("Transfer-Encoding") && h.Proto != "HTTP/1.0" {
		if strings.EqualFold(h.Headers.First("Transfer-Encoding"), "chunked") {
			return inChunkSize, 0
		}
		return passing, 0
	}
	if !h.Headers.Has("Content-Length") {
		return inHead, 0
	}
	size, ok := parseSize(h.Headers.First("Content-Length"), 10)
	switch {
	case !ok:
		return passing, 0
	case size == 0:
		return inHead, 0
	}
	return inBody, size
}

// parseSize reads a length that has digits and nothing else.
func parseSize(s string, base int64) (n int64, ok bool) {
	for _, d := range []byte(strings.ToLower(s)) {
		i := strings.IndexByte("0123456789abcdef"[:base], d)
		if i < 0 || n > 1<<58 {
			return 0, false
		}
		n = n*base + int64(i)
	}
	return n, s != ""
}

// token reports whether s may be a method (RFC 9110 §5.6.2).
func token(s string) bool {
	return s != "" && len(s) <= 64 && strings.IndexFunc(s, func(r rune) bool {
		return r <= ' ' || r >= 0x7f || strings.ContainsRune(`()<>@,;:\"/[]?={}`, r)
	}) < 0
}

// Lines reads the header lines of a message whose beginning b holds, behind
// its first line. It reports false when b does not hold them all.
func Lines(b []byte) (capture.Headers, bool) {
	end := endOfHead(b)
	if end == 0 {
		return nil, false
	}
	_, rest, _ := strings.Cut(string(b[:end]), "\n")
	return parseLines(rest), true
}
