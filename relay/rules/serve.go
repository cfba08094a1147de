package rules

import (
	"context"
	"net"
	"net/http"
	"strconv"
	"time"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/head"
)

// ServeHTTP answers the sender of an event as the rule says, or fails it. The
// body of r must have been read. Waiting ends with the request: a mock is then
// told at once, and a fault comes. It panics with http.ErrAbortHandler where
// that is how a connection or stream is ended.
func (a *Act) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if a.Fault != capture.FaultDrip {
		wait(r.Context(), a.Delay)
	}
	switch a.Fault {
	case "", capture.FaultStatus:
		a.begin(w, len(a.Body))
		w.Write(a.Body)
	case capture.FaultDrip:
		a.drip(w, r)
	case capture.FaultLength:
		a.begin(w, 2*len(a.Body))
		w.Write(a.Body)
		http.NewResponseController(w).Flush()
		hijack(w).Close()
	case capture.FaultReset:
		reset(hijack(w))
	case capture.FaultMalformed:
		conn := hijack(w)
		defer conn.Close()
		conn.SetWriteDeadline(time.Now().Add(time.Second))
		conn.Write([]byte("This is no HTTP, on purpose.\r\n\r\n"))
	default: // FaultTimeout and FaultEmpty: no answer
		hijack(w).Close()
	}
}

// wait waits for so long, and reports false if ctx was done before.
func wait(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// begin writes the head of the answer, which announces a body of that length.
func (a *Act) begin(w http.ResponseWriter, length int) {
	w.Header()["Content-Type"] = nil // else net/http guesses one
	for _, h := range a.Headers {
		w.Header().Set(h[0], h[1])
	}
	if a.Status != http.StatusNoContent && a.Status != http.StatusNotModified {
		w.Header().Set("Content-Length", strconv.Itoa(length))
	}
	w.WriteHeader(a.Status)
}

func (a *Act) drip(w http.ResponseWriter, r *http.Request) {
	a.begin(w, len(a.Body))
	flush := http.NewResponseController(w).Flush
	flush()
	begun := time.Now()
	for i := range a.Body {
		due := begun.Add(a.Delay / time.Duration(len(a.Body)) * time.Duration(i+1))
		if !wait(r.Context(), time.Until(due)) {
			panic(http.ErrAbortHandler)
		}
		w.Write(a.Body[i : i+1])
		flush()
	}
}

// hijack takes the connection over: what the sender has put behind the request
// is then nobody's, and not taken for one that net/http refused. Where that
// cannot be had, as in HTTP/2, where it has other requests too, the stream is
// reset instead.
func hijack(w http.ResponseWriter) net.Conn {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	head.Hijacked(conn)
	return conn
}

// reset closes a connection with an RST, which goes out in place of what has
// not been sent.
func reset(conn net.Conn) {
	defer conn.Close()
	for inner := conn; ; {
		switch c := inner.(type) {
		case *net.TCPConn:
			c.SetLinger(0)
			c.Close() // before TLS says goodbye
			return
		case interface{ NetConn() net.Conn }:
			inner = c.NetConn()
		default:
			return
		}
	}
}
