package front_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"code.hooktape.dev/hooktape/capture/head"
)

// listen is a listener on a free port of this machine.
func listen(t testing.TB) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// serve answers on l as a relay does, through head.Listener.
func serve(t testing.TB, l net.Listener, h http.Handler) {
	t.Helper()
	srv := &http.Server{Handler: h, ConnContext: head.Context, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, 0)}
	done := make(chan error)
	go func() { done <- srv.Serve(head.Listener{Listener: l}) }()
	t.Cleanup(func() { srv.Close(); <-done })
}

// echo answers with the first header line as it was sent.
func echo(w http.ResponseWriter, r *http.Request) {
	if h, ok := head.Of(r); ok && len(h.Headers) > 1 {
		io.WriteString(w, h.Headers[1][0]+": "+h.Headers[1][1])
	}
}

// logged is a log whose messages can be waited for.
type logged struct {
	slog.Handler
	messages chan string // a full one drops what comes
}

func newLog() (*slog.Logger, *logged) {
	l := &logged{slog.DiscardHandler, make(chan string, 100)}
	return slog.New(l), l
}

func (*logged) Enabled(_ context.Context, l slog.Level) bool { return l >= slog.LevelInfo }

func (l *logged) WithAttrs([]slog.Attr) slog.Handler { return l }

func (l *logged) Handle(_ context.Context, r slog.Record) error {
	text := r.Message
	r.Attrs(func(a slog.Attr) bool { text += " " + a.String(); return true })
	select {
	case l.messages <- text:
	default:
	}
	return nil
}

// pair writes a certificate for hooks.test with this serial number, and its key.
func pair(t testing.TB, cert, key string, serial int64) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	of := &x509.Certificate{SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "hooks.test"}, DNSNames: []string{"hooks.test"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, of, of, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	write(t, cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	write(t, key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER}))
}

// write writes a file, and makes it a second younger than the one it replaces:
// clocks of file systems are coarse.
func write(t testing.TB, name string, data []byte) {
	t.Helper()
	before, missing := os.Stat(name)
	if err := os.WriteFile(name, data, 0o600); err != nil {
		t.Fatal(err)
	}
	if missing == nil {
		at := before.ModTime().Add(time.Second)
		if err := os.Chtimes(name, at, at); err != nil {
			t.Fatal(err)
		}
	}
}

// served is the serial number of the certificate that a handshake shows.
func served(t testing.TB, l net.Listener) int64 {
	t.Helper()
	c, err := tls.Dial("tcp", l.Addr().String(), &tls.Config{InsecureSkipVerify: true, ServerName: "hooks.test"})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	return c.ConnectionState().PeerCertificates[0].SerialNumber.Int64()
}

func inDir(t testing.TB) (cert, key string) {
	dir := t.TempDir()
	return filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
}
