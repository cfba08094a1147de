//go:build unix

package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
)

// app is somebody's app: it reads requests off the connection itself, so that
// what is written down is what came.
type app struct {
	url string

	fd  int    // bound; refuses connections until up
	dir string // where requests are written down

	mu      sync.Mutex // guards the fields below
	answers []string
	got     int
	l       net.Listener
	conns   map[net.Conn]bool
}

// startApp makes an app that has its address and refuses connections. Nobody
// else can take the address meanwhile.
func startApp(dir string, answers []string) (*app, error) {
	if len(answers) == 0 {
		answers = []string{"200"}
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err != nil {
		return nil, err
	}
	syscall.CloseOnExec(fd)
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		return nil, err
	}
	name, err := syscall.Getsockname(fd)
	if err != nil {
		return nil, err
	}
	return &app{fd: fd, dir: dir, answers: answers, conns: map[net.Conn]bool{},
		url: fmt.Sprintf("http://127.0.0.1:%d", name.(*syscall.SockaddrInet4).Port)}, nil
}

// up begins to take connections.
func (a *app) up() error {
	if err := syscall.Listen(a.fd, 128); err != nil {
		return err
	}
	f := os.NewFile(uintptr(a.fd), a.url)
	defer f.Close() // FileListener has its own
	l, err := net.FileListener(f)
	if err != nil {
		return err
	}
	a.mu.Lock()
	a.l, a.fd = l, -1
	a.mu.Unlock()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			a.mu.Lock()
			a.conns[c] = true
			a.mu.Unlock()
			go a.serve(c)
		}
	}()
	return nil
}

func (a *app) close() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.fd >= 0 {
		syscall.Close(a.fd)
	}
	if a.l != nil {
		a.l.Close()
	}
	for c := range a.conns {
		c.Close()
	}
}

func (a *app) serve(c net.Conn) {
	defer c.Close()
	r := newReader(c)
	for {
		head, body, err := readRequest(r)
		if err != nil {
			return
		}
		switch answer := a.note(head, body); answer {
		case "hang":
			io.Copy(io.Discard, r) // until the other side gives up
			return
		case "reset":
			return
		default:
			status, _ := strconv.Atoi(answer)
			fmt.Fprintf(c, "HTTP/1.1 %s %s\r\nContent-Type: text/plain\r\nContent-Length: 7\r\n\r\nthanks\n", answer, http.StatusText(status))
		}
	}
}

// note writes a request down and says how to answer.
func (a *app) note(head, body []byte) (answer string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	answer = a.answers[min(a.got, len(a.answers)-1)]
	a.got++
	line, _, _ := strings.Cut(string(head), "\r\n")
	log, err := os.OpenFile(filepath.Join(a.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		panic(err)
	}
	defer log.Close()
	name := filepath.Join(a.dir, strconv.Itoa(a.got))
	for path, data := range map[string][]byte{name + ".head": bytes.ReplaceAll(head, []byte("\r\n"), []byte("\n")), name + ".body": body} {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			panic(err)
		}
	}
	// Last: who sees the line can read the files.
	fmt.Fprintf(log, "%s %s\n", strings.TrimSuffix(line, " HTTP/1.1"), answer)
	return answer
}

func newReader(r io.Reader) *bufio.Reader { return bufio.NewReaderSize(r, 128<<10) }

// readRequest reads a head as it is, and the body by its framing.
func readRequest(r *bufio.Reader) (head, body []byte, err error) {
	length, chunked := 0, false
	for {
		line, err := r.ReadSlice('\n')
		if err != nil {
			return nil, nil, err
		}
		if len(line) <= 2 {
			break
		}
		head = append(head, line...)
		name, value, _ := strings.Cut(strings.TrimSpace(string(line)), ": ")
		switch strings.ToLower(name) {
		case "content-length":
			length, err = strconv.Atoi(value)
		case "transfer-encoding":
			chunked = value == "chunked"
		}
		if err != nil {
			return nil, nil, err
		}
	}
	if !chunked {
		body = make([]byte, length)
		_, err = io.ReadFull(r, body)
		return head, body, err
	}
	if body, err = io.ReadAll(httputil.NewChunkedReader(r)); err != nil {
		return nil, nil, err
	}
	for { // trailers, which are written down with the head
		line, err := r.ReadSlice('\n')
		if err != nil || len(line) <= 2 {
			return head, body, err
		}
		head = append(head, line...)
	}
}
