package front_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/letsencrypt/pebble/v2/ca"
	"github.com/letsencrypt/pebble/v2/db"
	"github.com/letsencrypt/pebble/v2/va"
	"github.com/letsencrypt/pebble/v2/wfe"
	"github.com/miekg/dns"

	"code.hooktape.dev/hooktape/relay/front"
)

// authority is Let's Encrypt's own test authority, in this process. It looks
// for domains on 127.0.0.1.
type authority struct {
	url  string
	root string         // PEM file of its own TLS
	pool *x509.CertPool // of what it issues
}

func newAuthority(t *testing.T, httpPort, tlsPort int) authority {
	t.Helper()
	t.Setenv("PEBBLE_VA_NOSLEEP", "1")
	t.Setenv("PEBBLE_WFE_NONCEREJECT", "20") // a client must bear it
	silent := log.New(io.Discard, "", 0)
	kept := db.NewMemoryStore()
	issuer := ca.New(silent, kept, "", "ecdsa", 0, 1, map[string]ca.Profile{"default": {}})
	front := wfe.New(silent, kept, va.New(silent, httpPort, tlsPort, true, resolver(t), kept), issuer, []string{"ca.test"}, true, false, 1, 1)
	srv := httptest.NewTLSServer(front.Handler())
	t.Cleanup(srv.Close)

	a := authority{url: srv.URL + wfe.DirectoryPath, root: filepath.Join(t.TempDir(), "root.pem"), pool: x509.NewCertPool()}
	write(t, a.root, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: srv.Certificate().Raw}))
	a.pool.AppendCertsFromPEM(issuer.GetRootCert(0).PEM())
	return a
}

// resolver is the address of a DNS server to which every name is 127.0.0.1.
func resolver(t *testing.T) string {
	t.Helper()
	l := listen(t)
	up := make(chan struct{})
	srv := &dns.Server{Listener: l, NotifyStartedFunc: func() { close(up) }, Handler: dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
		answer := new(dns.Msg).SetReply(q)
		if q.Question[0].Qtype == dns.TypeA {
			answer.Answer = []dns.RR{&dns.A{Hdr: dns.RR_Header{Name: q.Question[0].Name, Rrtype: dns.TypeA, Class: dns.ClassINET},
				A: net.IPv4(127, 0, 0, 1)}}
		}
		w.WriteMsg(answer)
	})}
	go srv.ActivateAndServe()
	<-up
	t.Cleanup(func() { srv.Shutdown() })
	return l.Addr().String()
}

func port(l net.Listener) int { return l.Addr().(*net.TCPAddr).Port }

// run serves echo with certificates by a until the test ends or stop is called.
func run(t *testing.T, a *front.ACME, l net.Listener) (stop func()) {
	t.Helper()
	secure, err := a.Listener(l)
	if err != nil {
		t.Fatal(err)
	}
	serve(t, secure, http.HandlerFunc(echo))
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	t.Cleanup(stop)
	return stop
}

// until waits for a message that begins so.
func until(t *testing.T, l *logged, begins string) {
	t.Helper()
	patience := time.After(60 * time.Second)
	for {
		select {
		case got := <-l.messages:
			t.Log(got)
			if strings.HasPrefix(got, begins) {
				return
			}
		case <-patience:
			t.Fatalf("nothing was logged that begins %q", begins)
		}
	}
}

// ask sends a request over TLS to l and checks the certificate.
func ask(t *testing.T, l net.Listener, pool *x509.CertPool, name string) string {
	t.Helper()
	transport := &http.Transport{
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, l.Addr().String())
		},
		TLSClientConfig: &tls.Config{RootCAs: pool, NextProtos: []string{"h2", "http/1.1"}},
	}
	defer transport.CloseIdleConnections()
	req, err := http.NewRequestWithContext(t.Context(), "GET", "https://"+name+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header["User-Agent"] = nil
	req.Header["x-ODD"] = []string{"case"}
	res, err := transport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, _ := io.ReadAll(res.Body)
	return res.Proto + " " + string(body)
}

// TestCertificateByTLSALPN: with nothing but its one port a relay gets itself
// a certificate, and the next start finds it in the storage.
func TestCertificateByTLSALPN(t *testing.T) {
	l := listen(t)
	ca := newAuthority(t, 1, port(l))
	log, messages := newLog()
	storage := filepath.Join(t.TempDir(), "certs")
	stop := run(t, &front.ACME{Domains: []string{"hooks.test"}, Email: "ops@hooks.test", Storage: storage, CA: ca.url, CARoot: ca.root, Log: log}, l)
	until(t, messages, "a certificate is served")
	if got := ask(t, l, ca.pool, "hooks.test"); got != "HTTP/1.1 x-ODD: case" {
		t.Errorf("answered %q", got)
	}
	first := served(t, l)
	for _, name := range []string{"other.test", ""} {
		c, err := tls.Dial("tcp", l.Addr().String(), &tls.Config{InsecureSkipVerify: true, ServerName: name})
		if known := err == nil; known != (name == "") {
			t.Errorf("handshake for %q: %v; want one for no name only", name, err)
		}
		if err == nil {
			c.Close()
		}
	}
	if c, err := tls.Dial("tcp", l.Addr().String(), &tls.Config{InsecureSkipVerify: true, ServerName: "hooks.test", NextProtos: []string{"acme-tls/1"}}); err == nil {
		c.Close()
		t.Error("a challenge that nobody set was answered")
	}
	if info, err := os.Stat(storage); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("storage: %v, %v; want mode 0700", info.Mode(), err)
	}
	stop()

	l = listen(t) // the authority looks at the old port: this one is out of storage
	run(t, &front.ACME{Domains: []string{"hooks.test"}, Storage: storage, CA: ca.url, CARoot: ca.root, Log: log}, l)
	until(t, messages, "a certificate is served")
	if got := served(t, l); got != first {
		t.Errorf("after the restart: certificate %x, want %x", got, first)
	}
}

// TestCertificateByHTTP: the authority cannot come to the TLS port, as behind
// a load balancer that ends TLS itself, and is content with HTTP.
func TestCertificateByHTTP(t *testing.T) {
	l, plain := listen(t), listen(t)
	ca := newAuthority(t, port(plain), 1)
	log, messages := newLog()
	run(t, &front.ACME{Domains: []string{"hooks.test", "www.hooks.test"}, Storage: t.TempDir(), CA: ca.url, CARoot: ca.root, HTTP: plain, Log: log}, l)
	until(t, messages, "a certificate is served")
	until(t, messages, "a certificate is served")
	for _, name := range []string{"hooks.test", "www.hooks.test"} {
		if got := ask(t, l, ca.pool, name); got != "HTTP/1.1 x-ODD: case" {
			t.Errorf("%s answered %q", name, got)
		}
	}

	_, tlsPort, _ := net.SplitHostPort(l.Addr().String())
	for host, want := range map[string]string{"hooks.test": "hooks.test", "WWW.hooks.test:80": "www.hooks.test", "evil.test": "hooks.test", "127.0.0.1": "hooks.test"} {
		for _, path := range []string{"/in/k/a%2Fb?x=1;y", "//evil.test/", "/.well-known/acme-challenge/token"} {
			req, _ := http.NewRequestWithContext(t.Context(), "POST", "http://"+plain.Addr().String()+path, strings.NewReader("{}"))
			req.Host = host
			res, err := http.DefaultTransport.RoundTrip(req)
			if err != nil {
				t.Fatal(err)
			}
			res.Body.Close()
			if got, want := res.Header.Get("Location"), "https://"+want+":"+tlsPort+path; got != want || res.StatusCode != http.StatusPermanentRedirect {
				t.Errorf("%s%s: %s to %q, want 308 to %q", host, path, res.Status, got, want)
			}
		}
	}
}

func TestACMEThatCannotBegin(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	write(t, file, []byte("no PEM"))
	for name, a := range map[string]*front.ACME{
		"no domain":     {Storage: t.TempDir()},
		"storage taken": {Domains: []string{"x.test"}, Storage: file},
		"no roots":      {Domains: []string{"x.test"}, Storage: t.TempDir(), CARoot: file},
		"roots missing": {Domains: []string{"x.test"}, Storage: t.TempDir(), CARoot: file + "2"},
	} {
		if _, err := a.Listener(listen(t)); err == nil || !strings.HasPrefix(err.Error(), "front: ") {
			t.Errorf("%s: %v, want an error of front's", name, err)
		}
	}
}
