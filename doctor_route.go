package main

import (
	"bufio"
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"syscall"
	"time"
)

// hostPort is where a URL is connected to.
func hostPort(u *url.URL) string {
	port := cmp.Or(u.Port(), map[string]string{"http": "80", "https": "443", "socks5": "1080", "socks5h": "1080"}[u.Scheme])
	return net.JoinHostPort(u.Hostname(), port)
}

// proxies asks the environment for a proxy, and that for a way through.
func (c *checkup) proxies(ctx context.Context) bool {
	if c.proxy == nil {
		return true
	}
	via, err := c.proxy(&http.Request{URL: c.url})
	if err != nil {
		c.tell("proxy", broken(exitUnreachable, "Mend $HTTPS_PROXY, $HTTP_PROXY or $NO_PROXY.", "%w", err), "")
		return false
	}
	if c.via = via; via == nil {
		c.tell("proxy", nil, "none is used")
		return true
	}
	name := via.Redacted()
	began := time.Now()
	conn, err := c.dial(ctx)
	if err != nil {
		hint := "$HTTPS_PROXY or $HTTP_PROXY names it; $NO_PROXY=" + c.url.Hostname() + " goes around it."
		var no *refusedProxy
		switch {
		case errors.As(err, &no) && no.status == http.StatusProxyAuthRequired:
			hint = "Give it user and password: HTTPS_PROXY=http://USER:PASSWORD@" + via.Host
		case errors.As(err, &no):
			hint = "Have it allow CONNECT to " + hostPort(c.url) + ". " + hint
		}
		c.tell("proxy", broken(exitUnreachable, hint, "%s: %w", name, err), "")
		return false
	}
	conn.Close()
	does := "lets connections through"
	if c.socks() {
		does = "takes connections"
	}
	c.tell("proxy", nil, fmt.Sprintf("%s %s, in %s", name, does, brief(time.Since(began))))
	return true
}

// socks reports whether the proxy is spoken to in SOCKS, which net/http can
// and doctor cannot: what lies behind it is seen from the first request on.
func (c *checkup) socks() bool { return c.via != nil && strings.HasPrefix(c.via.Scheme, "socks") }

// refusedProxy is a proxy's answer to CONNECT that is no 2xx.
type refusedProxy struct {
	status int
	text   string
}

func (e *refusedProxy) Error() string { return "it answers CONNECT with " + e.text }

// dial opens a connection to the relay: through the proxy, or to an address
// that has taken one before.
func (c *checkup) dial(ctx context.Context) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, stepTime)
	defer cancel()
	if c.via == nil {
		return new(net.Dialer).DialContext(ctx, "tcp", c.addrs[0])
	}
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", hostPort(c.via))
	if err != nil {
		return nil, err
	}
	conn.SetDeadline(time.Now().Add(stepTime))
	if c.socks() {
		return conn, nil
	}
	if c.via.Scheme == "https" {
		conn = tls.Client(conn, &tls.Config{ServerName: c.via.Hostname(), RootCAs: c.roots})
	}
	if err := through(conn, c.via, hostPort(c.url)); err != nil {
		conn.Close()
		return nil, err
	}
	return conn, nil
}

// through has an HTTP proxy connect to addr (RFC 9110 §9.3.6).
func through(conn net.Conn, proxy *url.URL, addr string) error {
	req := &http.Request{Method: "CONNECT", URL: &url.URL{Opaque: addr}, Host: addr, Header: http.Header{}}
	if user := proxy.User; user != nil {
		password, _ := user.Password()
		req.Header.Set("Proxy-Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(user.Username()+":"+password)))
	}
	if err := req.Write(conn); err != nil {
		return err
	}
	res, err := http.ReadResponse(bufio.NewReader(conn), req)
	if err != nil {
		return err
	}
	if res.StatusCode/100 != 2 {
		return &refusedProxy{res.StatusCode, res.Status}
	}
	return nil
}

// names resolves the relay's name; behind a proxy that is the proxy's to do.
func (c *checkup) names(ctx context.Context) bool {
	if c.via != nil {
		return true
	}
	host, port, err := net.SplitHostPort(hostPort(c.url))
	if err == nil && net.ParseIP(host) != nil {
		c.addrs = []string{net.JoinHostPort(host, port)}
		return true
	}
	ctx, cancel := context.WithTimeout(ctx, stepTime)
	defer cancel()
	began := time.Now()
	found, err := net.DefaultResolver.LookupHost(ctx, host)
	if err != nil {
		hint := "Is the name right, and does this machine's DNS know it?"
		if dns := new(net.DNSError); errors.As(err, &dns) && dns.IsTimeout {
			hint = "This machine's DNS does not answer: is the network up?"
		}
		c.tell("dns", broken(exitUnreachable, hint, "%w", err), "")
		return false
	}
	for _, ip := range found {
		c.addrs = append(c.addrs, net.JoinHostPort(ip, port))
	}
	c.tell("dns", nil, fmt.Sprintf("%s is %s, in %s", host, strings.Join(found, ", "), brief(time.Since(began))))
	return true
}

// connections connects to every address; one that answers is enough.
func (c *checkup) connections(ctx context.Context) bool {
	if c.via != nil {
		return true
	}
	ctx, cancel := context.WithTimeout(ctx, stepTime)
	defer cancel()
	took, errs := make([]time.Duration, len(c.addrs)), make([]error, len(c.addrs))
	var all sync.WaitGroup
	for i, addr := range c.addrs {
		all.Go(func() {
			began := time.Now()
			conn, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
			if took[i], errs[i] = time.Since(began), err; err == nil {
				conn.Close()
			}
		})
	}
	all.Wait()
	var open []string
	for i, addr := range c.addrs {
		if errs[i] == nil {
			open = append(open, addr)
		}
	}
	for i, addr := range c.addrs {
		switch {
		case errs[i] == nil:
			c.tell("tcp", nil, fmt.Sprintf("%s takes connections, in %s", addr, brief(took[i])))
		case len(open) > 0:
			c.note("tcp", fmt.Sprint(errs[i]), "It does no harm: the other address answers.")
		default:
			hint := "Does a firewall drop it, here or there? Is a proxy needed that $HTTPS_PROXY should name?"
			if errors.Is(errs[i], syscall.ECONNREFUSED) {
				hint = "Nothing listens there: does the relay run, and is that its port?"
			}
			c.tell("tcp", broken(exitUnreachable, hint, "%w", errs[i]), "")
		}
	}
	c.addrs = open
	return len(open) > 0
}

// encryption looks at the certificate, and says itself what is wrong with it:
// tls would stop at the first of it, in words that help nobody.
func (c *checkup) encryption(ctx context.Context) bool {
	if c.url.Scheme == "http" {
		if !onThisMachine(c.url) {
			c.note("tls", "there is none: who is between reads the token and all webhooks", "hooktape relay --domain NAME gets a certificate by itself.")
		}
		return true
	}
	if c.socks() {
		return true
	}
	conn, err := c.dial(ctx)
	if err != nil {
		c.tell("tls", broken(exitUnreachable, "", "%w", err), "")
		return false
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(stepTime))
	client := tls.Client(conn, &tls.Config{ServerName: c.url.Hostname(), InsecureSkipVerify: true})
	if err := client.Handshake(); err != nil {
		c.tell("tls", broken(exitUnreachable, "Does what is there speak TLS, or is it http://"+c.url.Host+"?", "%w", err), "")
		return false
	}
	state := client.ConnectionState()
	leaf := state.PeerCertificates[0]
	if err := judge(state.PeerCertificates, c.url.Hostname(), c.roots, time.Now()); err != nil {
		c.tell("tls", err, "")
		return false
	}
	found := fmt.Sprintf("%s, a certificate for %s until %s, by %s", tls.VersionName(state.Version), namesOf(leaf), leaf.NotAfter.Format(time.DateOnly), issuer(leaf))
	if left := time.Until(leaf.NotAfter); left < 7*24*time.Hour {
		c.note("tls", found, "Is it renewed? It ends in "+roughly(left)+".")
		return true
	}
	c.tell("tls", nil, found)
	return true
}

// judge says what is wrong with a certificate, the leaf first.
func judge(chain []*x509.Certificate, host string, roots *x509.CertPool, now time.Time) error {
	leaf, between := chain[0], x509.NewCertPool()
	for _, cert := range chain[1:] {
		between.AddCert(cert)
	}
	_, untrusted := leaf.Verify(x509.VerifyOptions{Roots: roots, Intermediates: between, CurrentTime: now})
	const trust = "Get one that is trusted (hooktape relay --domain NAME does), or name the authority's file in $SSL_CERT_FILE here."
	switch {
	case now.After(leaf.NotAfter):
		return broken(exitUnreachable, "Renew it at the relay, unless this machine's clock is wrong.", "the certificate has expired on %s", leaf.NotAfter.Format(time.DateTime))
	case now.Before(leaf.NotBefore):
		return broken(exitUnreachable, "Is this machine's clock right?", "the certificate counts from %s on", leaf.NotBefore.Format(time.DateTime))
	case untrusted != nil && leaf.CheckSignature(leaf.SignatureAlgorithm, leaf.RawTBSCertificate, leaf.Signature) == nil:
		return broken(exitUnreachable, trust, "the certificate is self-signed, by %s", issuer(leaf))
	case untrusted != nil && len(chain) == 1:
		return broken(exitUnreachable, "The relay should send its whole chain: --tls-cert fullchain.pem. "+trust, "the certificate is by %s, which this machine does not know", issuer(leaf))
	case untrusted != nil:
		return broken(exitUnreachable, trust, "the certificate is not trusted: %w", untrusted)
	case leaf.VerifyHostname(host) != nil:
		return broken(exitUnreachable, "Use one of its names with --relay, or get a certificate for this one.", "the certificate is for %s, not for %s", namesOf(leaf), host)
	}
	return nil
}

func issuer(c *x509.Certificate) string {
	return cmp.Or(strings.Join(append(c.Issuer.Organization, c.Issuer.CommonName), " "), "nobody who says a name")
}

// namesOf are the hosts that a certificate is for, the first few.
func namesOf(c *x509.Certificate) string {
	names := c.DNSNames
	for _, ip := range c.IPAddresses {
		names = append(names, ip.String())
	}
	if len(names) > 4 {
		names = append(names[:4:4], fmt.Sprintf("%d more", len(names)-4))
	}
	return cmp.Or(strings.Join(names, ", "), "no host")
}
