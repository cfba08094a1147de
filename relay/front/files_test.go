package front_test

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"code.hooktape.dev/hooktape/relay/front"
)

func TestTLSKeepsHeadsAsSent(t *testing.T) {
	cert, key := inDir(t)
	pair(t, cert, key, 1)
	files, err := front.OpenFiles(cert, key, nil)
	if err != nil {
		t.Fatal(err)
	}
	l := listen(t)
	serve(t, files.Listener(l), http.HandlerFunc(echo))

	c, err := tls.Dial("tcp", l.Addr().String(), &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2", "http/1.1"}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	fmt.Fprint(c, "POST / HTTP/1.1\r\nHost: x\r\nx-ODD: case\r\nContent-Length: 0\r\n\r\n")
	res, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(res.Body)
	if at := c.ConnectionState(); at.NegotiatedProtocol != "http/1.1" || string(body) != "x-ODD: case" {
		t.Errorf("over %q the handler saw %q, want x-ODD: case over http/1.1", at.NegotiatedProtocol, body)
	}
	for name, old := range map[string]*tls.Config{
		"TLS 1.1":   {InsecureSkipVerify: true, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11},
		"only h2":   {InsecureSkipVerify: true, NextProtos: []string{"h2"}},
		"challenge": {InsecureSkipVerify: true, NextProtos: []string{"acme-tls/1"}},
	} {
		if c, err := tls.Dial("tcp", l.Addr().String(), old); err == nil {
			c.Close()
			t.Errorf("%s: the handshake succeeded", name)
		}
	}
}

// TestFilesAreReadAgain replaces a certificate under a server, first by
// halves: the old one stays until a whole new pair is there.
func TestFilesAreReadAgain(t *testing.T) {
	cert, key := inDir(t)
	synctest.Test(t, func(t *testing.T) {
		log, messages := newLog()
		pair(t, cert, key, 1)
		files, err := front.OpenFiles(cert, key, log)
		if err != nil {
			t.Fatal(err)
		}
		shown := func() int64 { return overPipe(t, files) }

		pair(t, cert, key, 2)
		if got := shown(); got != 1 {
			t.Errorf("within the second: certificate %d, want still 1", got)
		}
		time.Sleep(time.Second)
		if got := shown(); got != 2 {
			t.Errorf("a second later: certificate %d, want 2", got)
		}
		first, _ := os.ReadFile(key)
		pair(t, cert, key, 3)
		whole, _ := os.ReadFile(key)
		for name, broken := range map[string]func(){
			"another key": func() { write(t, key, first) },
			"half a file": func() { write(t, key, whole[:len(whole)/2]) },
			"no file":     func() { os.Remove(key) },
		} {
			for len(messages.messages) > 0 {
				<-messages.messages
			}
			broken()
			for range 3 {
				time.Sleep(time.Second)
				if got := shown(); got != 2 {
					t.Errorf("%s: certificate %d, want still 2", name, got)
				}
			}
			if n := len(messages.messages); n != 1 {
				t.Errorf("%s: %d messages, want it to be told once", name, n)
			} else if got := <-messages.messages; !strings.Contains(got, "the old one stays") {
				t.Errorf("%s: logged %q", name, got)
			}
		}
		write(t, key, whole)
		time.Sleep(time.Second)
		if got := shown(); got != 3 {
			t.Errorf("mended: certificate %d, want 3", got)
		}
	})
}

// overPipe is the serial number of the certificate that files show on a
// connection in memory, where time is the test's.
func overPipe(t *testing.T, files *front.Files) int64 {
	t.Helper()
	near, far := net.Pipe()
	l := &one{conn: far}
	served, _ := files.Listener(l).Accept()
	done := make(chan error)
	go func() { done <- served.(*tls.Conn).Handshake() }()
	c := tls.Client(near, &tls.Config{InsecureSkipVerify: true})
	if err := c.Handshake(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	near.Close()
	far.Close()
	return c.ConnectionState().PeerCertificates[0].SerialNumber.Int64()
}

// one is a listener of one connection.
type one struct {
	net.Listener
	conn net.Conn
}

func (l *one) Accept() (net.Conn, error) { return l.conn, nil }

func TestFilesThatAreNoPair(t *testing.T) {
	cert, key := inDir(t)
	if _, err := front.OpenFiles(cert, key, nil); err == nil || !strings.Contains(err.Error(), "cert.pem") {
		t.Errorf("no files: %v, want an error that names the file", err)
	}
	pair(t, cert, key, 1)
	write(t, cert, []byte("not PEM"))
	if _, err := front.OpenFiles(cert, key, nil); err == nil {
		t.Error("no PEM: no error")
	}
}
