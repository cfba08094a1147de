package front

import (
	"cmp"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"os"
	"sync"
	"time"
)

// Files is a certificate in two files, read again when they change. Make one
// with OpenFiles.
type Files struct {
	cert, key string
	log       *slog.Logger

	mu      sync.Mutex // guards what follows
	pair    *tls.Certificate
	of      stamp // of the files that were read last, be they any good
	checked time.Time
}

// stamp tells two states of the files apart.
type stamp struct {
	certTime, keyTime time.Time
	certSize, keySize int64
}

// OpenFiles reads a PEM chain, leaf first, and its key. A log of nil is
// slog.Default.
func OpenFiles(cert, key string, log *slog.Logger) (*Files, error) {
	f := &Files{cert: cert, key: key, log: cmp.Or(log, slog.Default()), checked: time.Now()}
	var err error
	if f.of, err = f.stamp(); err == nil {
		f.pair, err = f.load()
	}
	if err != nil {
		return nil, fmt.Errorf("front: read the certificate: %w", err)
	}
	return f, nil
}

// Listener is l with TLS on its connections.
func (f *Files) Listener(l net.Listener) net.Listener { return overTLS(l, f.certificate) }

// certificate is the pair for a handshake. The files are looked at once a
// second at most; a new pair that cannot be used leaves the old one in place.
func (f *Files) certificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := time.Now()
	if now.Sub(f.checked) < time.Second {
		return f.pair, nil
	}
	f.checked = now
	of, err := f.stamp()
	if err == nil && of == f.of {
		return f.pair, nil
	}
	changed := of != f.of // each broken state is told once
	f.of = of
	var pair *tls.Certificate
	if err == nil {
		pair, err = f.load()
	}
	switch {
	case err == nil:
		f.pair = pair
		f.log.Info("a new certificate is served", "file", f.cert, "until", pair.Leaf.NotAfter)
	case changed:
		f.log.Error("the new certificate cannot be used; the old one stays", "err", err, "until", f.pair.Leaf.NotAfter)
	}
	return f.pair, nil
}

func (f *Files) load() (*tls.Certificate, error) {
	pair, err := tls.LoadX509KeyPair(f.cert, f.key)
	return &pair, err
}

// stamp is the zero one when a file cannot be looked at.
func (f *Files) stamp() (stamp, error) {
	cert, err := os.Stat(f.cert)
	if err != nil {
		return stamp{}, err
	}
	key, err := os.Stat(f.key)
	if err != nil {
		return stamp{}, err
	}
	return stamp{cert.ModTime(), key.ModTime(), cert.Size(), key.Size()}, nil
}
