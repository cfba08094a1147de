package front

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/caddyserver/certmagic"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// ACME is certificates that a certificate authority issues when it is asked
// (RFC 8555), and that are renewed before they run out. The authority comes to
// see that the domains are ours on port 443 (TLS-ALPN-01, RFC 8737) or, when
// there is an HTTP listener, on port 80 (HTTP-01). Its fields must not change
// once Listener was called; using it agrees to the authority's terms.
type ACME struct {
	Domains []string     // at least one; the first is for clients that name none
	Email   string       // where the authority writes when something is wrong; "": nowhere
	Storage string       // directory of the keys and certificates, made with mode 0700
	CA      string       // URL of the authority's directory; "": Let's Encrypt
	CARoot  string       // PEM file of roots for the authority's own TLS besides the system's; "": none
	HTTP    net.Listener // takes plain HTTP: challenges, and redirects to https for all else; nil: none
	Log     *slog.Logger // nil: slog.Default

	config *certmagic.Config
	cache  *certmagic.Cache
	issuer *certmagic.ACMEIssuer
	port   string // of the https URLs that are redirected to: "", or a colon and a number
}

// challenge is the protocol that an authority asks for alone (RFC 8737 §6.2).
const challenge = "acme-tls/1"

// Listener is l with TLS on its connections. Until Run has got a certificate
// handshakes fail. It returns an error when the storage or the roots cannot be
// used.
func (a *ACME) Listener(l net.Listener) (net.Listener, error) {
	a.Log = cmp.Or(a.Log, slog.Default())
	if len(a.Domains) == 0 {
		return nil, errors.New("front: certificates by ACME need a domain")
	}
	if err := os.MkdirAll(a.Storage, 0o700); err != nil {
		return nil, fmt.Errorf("front: keep certificates: %w", err)
	}
	roots, err := a.roots()
	if err != nil {
		return nil, fmt.Errorf("front: read the roots of %s: %w", a.CA, err)
	}

	log := zap.New(zapCore{a.Log}, zap.ErrorOutput(zapcore.AddSync(io.Discard)))
	a.cache = certmagic.NewCache(certmagic.CacheOptions{
		GetConfigForCert: func(certmagic.Certificate) (*certmagic.Config, error) { return a.config, nil },
		Logger:           log,
	})
	a.config = certmagic.New(a.cache, certmagic.Config{
		Storage:           &certmagic.FileStorage{Path: a.Storage},
		DefaultServerName: a.Domains[0],
		OnEvent:           a.tell,
		Logger:            log,
	})
	host, port := hostPort(l.Addr())
	if port != 443 {
		a.port = ":" + strconv.Itoa(port)
	}
	template := certmagic.ACMEIssuer{
		CA: a.CA, Email: a.Email, Agreed: true, TrustedRoots: roots, Logger: log,
		// certmagic finds these taken, by us, and leaves the answers to us.
		ListenHost: host, AltTLSALPNPort: port,
		DisableHTTPChallenge: a.HTTP == nil,
	}
	if a.HTTP != nil {
		_, template.AltHTTPPort = hostPort(a.HTTP.Addr())
	}
	a.issuer = certmagic.NewACMEIssuer(a.config, template)
	a.config.Issuers = []certmagic.Issuer{a.issuer}
	return overTLS(l, a.certificate, challenge), nil
}

func (a *ACME) roots() (*x509.CertPool, error) {
	if a.CARoot == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(a.CARoot)
	if err != nil {
		return nil, err
	}
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool()
	}
	if !roots.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s has no PEM certificate", a.CARoot)
	}
	return roots, nil
}

// hostPort splits a listener's address; a host of "" is any.
func hostPort(addr net.Addr) (host string, port int) {
	tcp, ok := addr.(*net.TCPAddr)
	if !ok {
		return "", 0
	}
	if !tcp.IP.IsUnspecified() {
		host = tcp.IP.String()
	}
	return host, tcp.Port
}

// certificate leaves challenges to certmagic only while there is one, lest
// strangers fill the log with challenges of their own.
func (a *ACME) certificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	if slices.Equal(hello.SupportedProtos, []string{challenge}) {
		if _, ok := certmagic.GetACMEChallenge(hello.ServerName); !ok {
			return nil, errors.New("front: there is no challenge for this name")
		}
	}
	return a.config.GetCertificate(hello)
}

// Run gets the certificates, keeps them fresh and serves HTTP until ctx is
// done. What goes wrong meanwhile is logged and tried again, in minutes first
// and in hours later. Call it once, after Listener.
func (a *ACME) Run(ctx context.Context) error {
	defer a.cache.Stop()
	var wg sync.WaitGroup
	defer wg.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	for _, domain := range a.Domains {
		wg.Go(func() {
			if err := a.manage(ctx, domain); err != nil && ctx.Err() == nil {
				a.Log.Error("there is no certificate for a domain; start again once this is mended", "domain", domain, "err", err)
			}
		})
	}
	if a.HTTP == nil {
		<-ctx.Done()
		return nil
	}
	return a.serveHTTP(ctx)
}

// manage gets the certificate of a domain from storage or from the authority.
// From then on the cache renews it.
func (a *ACME) manage(ctx context.Context, domain string) error {
	if err := a.config.ObtainCertAsync(ctx, domain); err != nil { // in spite of its name it returns when it is done
		return err
	}
	cert, err := a.config.CacheManagedCertificate(ctx, domain)
	if err != nil {
		return err
	}
	a.Log.Info("a certificate is served", "domain", domain, "until", cert.Leaf.NotAfter)
	if !cert.NeedsRenewal(a.config) {
		return nil
	}
	if err := a.config.RenewCertAsync(ctx, domain, false); err != nil {
		return err
	}
	_, err = a.config.CacheManagedCertificate(ctx, domain)
	return err
}

func (a *ACME) serveHTTP(ctx context.Context) error {
	srv := &http.Server{
		Handler:           http.HandlerFunc(a.plain),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      10 * time.Second,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(a.Log.Handler(), slog.LevelDebug),
	}
	srv.SetKeepAlivesEnabled(false) // nobody has anything more to ask here
	stop := context.AfterFunc(ctx, func() { srv.Close() })
	defer stop()
	if err := srv.Serve(a.HTTP); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("front: serve HTTP: %w", err)
	}
	return nil
}

// plain answers the authority's questions and sends everybody else to https,
// with the method they came with.
func (a *ACME) plain(w http.ResponseWriter, r *http.Request) {
	host := strings.ToLower(r.Host)
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	if !slices.ContainsFunc(a.Domains, func(d string) bool { return strings.EqualFold(d, host) }) {
		host = a.Domains[0]
	} else if _, ok := certmagic.GetACMEChallenge(host); ok && a.issuer.HandleHTTPChallenge(w, r) {
		return
	}
	http.Redirect(w, r, "https://"+host+a.port+r.URL.RequestURI(), http.StatusPermanentRedirect)
}

// tell logs that a certificate was renewed; what goes wrong comes through the
// log that certmagic was given.
func (a *ACME) tell(_ context.Context, event string, data map[string]any) error {
	if event == "cert_obtained" && data["renewal"] == true {
		a.Log.Info("a certificate was renewed", "domain", data["identifier"])
	}
	return nil
}
