//go:build unix

package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/relay/api"
)

// TestDoctorFindsTheRelaysFaults has everything that goes wrong between a
// listener and its relay go wrong.
func TestDoctorFindsTheRelaysFaults(t *testing.T) {
	dir := t.TempDir()
	p, err := begin(dir, "relay", append(os.Environ(), "GORACE=atexit_sleep_ms=0", "HOME="+dir, "XDG_CONFIG_HOME="+dir), "relay", "--listen", "127.0.0.1:0", "--store", dir+"/store")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.kill)
	ready, err := p.ready()
	if err != nil {
		t.Fatal(err)
	}
	c := api.DialURL(ready.API, ready.Token)
	defer c.Close()
	token := func(spec capture.TokenSpec) string {
		t.Helper()
		spec.Name = "test"
		_, secret, err := c.CreateToken(t.Context(), spec)
		if err != nil {
			t.Fatal(err)
		}
		return secret
	}
	if _, err := c.CreateApp(t.Context(), "shop", capture.AppSpec{}); err != nil {
		t.Fatal(err)
	}
	listens := token(capture.TokenSpec{Scope: capture.ScopeListen})
	shops := token(capture.TokenSpec{Scope: capture.ScopeListen, App: "shop"})
	reads := token(capture.TokenSpec{Scope: capture.ScopeRead})

	relay, err := url.Parse(ready.API)
	if err != nil {
		t.Fatal(err)
	}
	behind := func(h http.Handler) string {
		srv := httptest.NewServer(h)
		t.Cleanup(srv.Close)
		return srv.URL
	}
	pass := func(change func(*http.Request)) http.Handler {
		return &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(relay)
			change(r.Out)
		}}
	}
	asItIs := pass(func(*http.Request) {})
	authority := newAuthority(t)
	year := time.Now().AddDate(1, 0, 0)
	secure := func(cert tls.Certificate) string {
		srv := httptest.NewUnstartedServer(asItIs)
		srv.TLS = &tls.Config{Certificates: []tls.Certificate{cert}}
		srv.Config.ErrorLog = log.New(io.Discard, "", 0)
		srv.StartTLS()
		t.Cleanup(srv.Close)
		return strings.Replace(srv.URL, "127.0.0.1", "localhost", 1)
	}
	alone := newAuthority(t)

	for name, tt := range map[string]struct {
		url   string
		token string
		proxy string
		idle  time.Duration
		beat  time.Duration
		code  int
		want  []string // in what it writes
	}{
		"all is well": {url: ready.API, token: listens, code: exitOK,
			want: []string{"ok    tcp      " + relay.Host, "ok    http     hooktape ", "ok    clock    ", "ok    ready    ", `ok    token    "test" of scope listen`, "ok    tunnel   ", "ok    ping     ", "ok    webhooks those of the app default are taken at " + ready.Ingest}},
		"a name": {url: "http://localhost:" + relay.Port(), token: listens, code: exitOK, want: []string{"ok    dns      localhost is "}},
		"an app's token": {url: ready.API, token: shops, code: exitOK,
			want: []string{"scope listen, for the app shop", "note  app ", "Listen with --app shop.", "webhooks those of the app shop are taken at"}},
		"nothing listens":         {url: "http://" + shutPort(t), token: listens, code: exitUnreachable, want: []string{"FAIL  tcp ", "Nothing listens there"}},
		"no URL":                  {url: "hooks.example", code: exitUsage, want: []string{"is no URL of a relay"}},
		"another server":          {url: behind(http.NotFoundHandler()), token: listens, code: exitFailed, want: []string{"what answers is no hooktape: GET /version is 404 Not Found"}},
		"a redirect":              {url: behind(http.RedirectHandler("https://hooks.example/", http.StatusPermanentRedirect)), code: exitFailed, want: []string{"it redirects to https://hooks.example/"}},
		"no token":                {url: ready.API, code: exitAuth, want: []string{"FAIL  token    none is given", "hooktape tokens create"}},
		"a wrong token":           {url: ready.API, token: "htk_wrong", code: exitAuth, want: []string{"FAIL  token    it is not valid"}},
		"a token that only reads": {url: ready.API, token: reads, code: exitAuth, want: []string{`FAIL  token    "test" of scope read: it does not let one listen`}},

		"TLS":              {url: secure(authority.issue(t, "localhost", year)), token: listens, code: exitOK, want: []string{"ok    tls      TLS 1.3, a certificate for localhost until ", "by Test Authority", "ok    tunnel "}},
		"about to expire":  {url: secure(authority.issue(t, "localhost", time.Now().Add(time.Hour))), token: listens, code: exitOK, want: []string{"note  tls ", "Is it renewed?"}},
		"expired":          {url: secure(authority.issue(t, "localhost", time.Now().Add(-time.Hour))), token: listens, code: exitUnreachable, want: []string{"FAIL  tls      the certificate has expired on "}},
		"a wrong name":     {url: secure(authority.issue(t, "other.example", year)), token: listens, code: exitUnreachable, want: []string{"FAIL  tls      the certificate is for other.example, not for localhost"}},
		"self-signed":      {url: secure(alone.self), token: listens, code: exitUnreachable, want: []string{"FAIL  tls      the certificate is self-signed"}},
		"unknown issuer":   {url: secure(alone.issue(t, "localhost", year)), token: listens, code: exitUnreachable, want: []string{"FAIL  tls      the certificate is by Test Authority, which this machine does not know"}},
		"no TLS there":     {url: strings.Replace(behind(asItIs), "http", "https", 1), token: listens, code: exitUnreachable, want: []string{"FAIL  tls ", "or is it http://127.0.0.1:"}},
		"TLS, not asked":   {url: strings.Replace(secure(authority.issue(t, "localhost", year)), "https", "http", 1), code: exitFailed, want: []string{"Does it want https?"}},
		"a proxy":          {url: ready.API, token: listens, proxy: behind(connects), code: exitOK, want: []string{"ok    proxy    http://127.0.0.1:", "ok    tunnel "}},
		"TLS in a proxy":   {url: secure(authority.issue(t, "localhost", year)), token: listens, proxy: behind(connects), code: exitOK, want: []string{"ok    tls ", "ok    ping "}},
		"a proxy says no":  {url: ready.API, token: listens, proxy: behind(answering(http.StatusForbidden)), code: exitUnreachable, want: []string{"FAIL  proxy ", "it answers CONNECT with 403 Forbidden", "Have it allow CONNECT to " + relay.Host}},
		"a proxy asks who": {url: ready.API, token: listens, proxy: behind(answering(http.StatusProxyAuthRequired)), code: exitUnreachable, want: []string{"HTTPS_PROXY=http://USER:PASSWORD@"}},
		"no proxy there":   {url: ready.API, token: listens, proxy: "http://" + shutPort(t), code: exitUnreachable, want: []string{"FAIL  proxy ", "$NO_PROXY=127.0.0.1 goes around it"}},

		"Upgrade is dropped": {url: behind(pass(func(r *http.Request) { r.Header.Del("Upgrade"); r.Header.Del("Connection") })), token: listens, code: exitFailed,
			want: []string{"FAIL  tunnel   ", "the answer is 426", "proxy_set_header Upgrade $http_upgrade"}},
		"a page instead": {url: behind(except(asItIs, "/connect", answering(http.StatusOK))), token: listens, code: exitFailed, want: []string{"the answer is 200", "proxy_set_header Upgrade"}},
		"it stops":       {url: behind(except(asItIs, "/readyz", answering(http.StatusServiceUnavailable))), token: listens, code: exitFailed, want: []string{"FAIL  ready    it takes no webhooks at the moment", "ok    tunnel"}},
		"another clock":  {url: behind(dated(asItIs, -time.Hour)), token: listens, code: exitFailed, want: []string{"FAIL  clock    the relay's is 1h0m", "behind this one"}},
		"silence":        {url: ready.API, token: listens, idle: 50 * time.Millisecond, code: exitOK, want: []string{"ok    idle     still there after 50ms of silence"}},
		"cut when idle":  {url: "http://" + cutting(t, relay.Host, 200*time.Millisecond), token: listens, idle: time.Minute, code: exitFailed, want: []string{"FAIL  idle     cut after ", "and the heartbeat is 10s"}},
		"cut, and no harm": {url: "http://" + cutting(t, relay.Host, 200*time.Millisecond), token: listens, idle: time.Minute, beat: 100 * time.Millisecond, code: exitOK,
			want: []string{"note  idle     cut after ", "never silent for longer than its heartbeat, 100ms"}},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			d := &doctor{env: &env{stdout: &out, stderr: io.Discard}}
			way := &checkup{token: tt.token, idle: tt.idle, beat: 10 * time.Second, roots: authority.roots}
			if tt.beat > 0 {
				way.beat = tt.beat
			}
			if tt.proxy != "" {
				u, err := url.Parse(tt.proxy)
				if err != nil {
					t.Fatal(err)
				}
				way.proxy = http.ProxyURL(u)
			}
			d.relay(t.Context(), tt.url, way)
			if d.code != tt.code {
				t.Errorf("exit code %d, want %d", d.code, tt.code)
			}
			for _, want := range tt.want {
				if !strings.Contains(out.String(), want) {
					t.Errorf("it does not say %q", want)
				}
			}
			if tt.token != "" && strings.Contains(out.String(), tt.token) {
				t.Error("it tells the token")
			}
			if t.Failed() {
				t.Logf("it says:\n%s", &out)
			}
		})
	}

	if all, err := c.Listeners(t.Context(), ""); err != nil || len(all) > 0 {
		t.Errorf("doctor has become a listener: %v, %v", all, err)
	}
}

// shutPort is an address at which nothing listens, nor will while the test runs:
// a connection has it for its own end.
func shutPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c.LocalAddr().String()
}

func answering(status int) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) })
}

// except is next but for one path.
func except(next http.Handler, path string, there http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == path {
			there.ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// dated is next by a clock that is so far ahead.
func dated(next http.Handler, ahead time.Duration) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/version" {
			w.Header().Set("Date", time.Now().Add(ahead).UTC().Format(http.TimeFormat))
			io.WriteString(w, `{"version":"test"}`)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// connects is an HTTP proxy.
var connects = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	if r.Method != "CONNECT" {
		(&httputil.ReverseProxy{Rewrite: func(*httputil.ProxyRequest) {}}).ServeHTTP(w, r)
		return
	}
	there, err := net.Dial("tcp", r.Host)
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	here, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		there.Close()
		return
	}
	io.WriteString(here, "HTTP/1.1 200 OK\r\n\r\n")
	join(here, there, 0)
})

// join passes bytes both ways, until one end closes or nothing was passed for
// as long as it is patient.
func join(a, b net.Conn, patience time.Duration) {
	end := func() { a.Close(); b.Close() }
	cut := time.AfterFunc(time.Hour, end)
	if patience > 0 {
		cut.Reset(patience)
	}
	pass := func(to, from net.Conn) {
		defer end()
		buf := make([]byte, 4<<10)
		for {
			n, err := from.Read(buf)
			if patience > 0 {
				cut.Reset(patience)
			}
			if _, failed := to.Write(buf[:n]); err != nil || failed != nil {
				return
			}
		}
	}
	go pass(a, b)
	go pass(b, a)
}

// cutting is the address of something that passes all on, and cuts what was
// silent for so long.
func cutting(t *testing.T, to string, patience time.Duration) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			here, err := l.Accept()
			if err != nil {
				return
			}
			there, err := net.Dial("tcp", to)
			if err != nil {
				here.Close()
				continue
			}
			join(here, there, patience)
		}
	}()
	return l.Addr().String()
}

// authority issues certificates.
type authority struct {
	self  tls.Certificate
	roots *x509.CertPool
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{roots: x509.NewCertPool()}
	a.self = a.issue(t, "localhost", time.Now().AddDate(1, 0, 0))
	a.roots.AddCert(a.self.Leaf)
	return a
}

// issue makes a certificate for a host; the first one signs itself.
func (a *authority) issue(t *testing.T, host string, until time.Time) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: host},
		NotBefore: time.Now().AddDate(0, -1, 0), NotAfter: until, DNSNames: []string{host},
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	parent, by := a.self.Leaf, a.self.PrivateKey
	if parent == nil {
		template.Subject.CommonName, template.IsCA, template.BasicConstraintsValid = "Test Authority", true, true
		template.KeyUsage |= x509.KeyUsageCertSign
		parent, by = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), by)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}
