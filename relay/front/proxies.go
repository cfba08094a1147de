package front

import (
	"cmp"
	"net/http"
	"net/netip"
	"slices"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/head"
	"code.hooktape.dev/hooktape/relay"
)

// Proxies are the addresses whose word is taken for who is calling. The zero
// Proxies trust nobody.
type Proxies struct {
	Trusted []netip.Prefix
	Scheme  string // of whoever comes directly; "": http
}

// Client is who made a request and by what he called us.
type Client struct {
	Addr   netip.Addr // never IPv4 in IPv6, and without a zone; zero: the peer has no IP address
	Scheme string     // http or https
	Host   string     // with its port, if he named one
}

// ParseProxies trusts the named addresses: each is loopback, private (10/8,
// 172.16/12, 192.168/16, fc00::/7), an address or a network in CIDR notation.
func ParseProxies(names ...string) (Proxies, error) {
	var p Proxies
	for _, name := range names {
		networks, err := capture.ParseNetworks(name)
		if err != nil {
			return Proxies{}, err
		}
		p.Trusted = append(p.Trusted, networks...)
	}
	return p, nil
}

func (p Proxies) trusts(ip netip.Addr) bool {
	return slices.ContainsFunc(p.Trusted, func(n netip.Prefix) bool { return n.Contains(ip) })
}

// Handler shows next the client instead of the proxy: in RemoteAddr, where an
// address that a proxy told us stands without a port, in Host, and the scheme it
// used in URL.Scheme.
// It holds the request's head (head.Hold), so it stands in front of all
// handlers of a server.
//
// When proxies are trusted it refuses requests that state both a length and
// chunks: a proxy that goes by the other one may have sent us the rest of one
// request as the beginning of the next (RFC 9112 §6.1, §11.2).
func (p Proxies) Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r = head.Hold(r)
		if len(p.Trusted) > 0 && smuggles(r) {
			w.Header().Set("Connection", "close")
			relay.Problem(w, http.StatusBadRequest, "The request states both Content-Length and Transfer-Encoding, so that two servers can disagree on where it ends.", nil)
			return
		}
		c := p.Client(r)
		shown := new(http.Request)
		*shown = *r
		if c.Addr != addrOf(r.RemoteAddr) {
			shown.RemoteAddr = c.Addr.String()
		}
		shown.Host = c.Host
		url := *r.URL
		url.Scheme = c.Scheme
		shown.URL = &url
		next.ServeHTTP(w, shown)
	})
}

// smuggles reports whether r may have two lengths. net/http drops one of them,
// so it takes the head to tell; chunks below a head that nobody saw might.
func smuggles(r *http.Request) bool {
	h, seen := head.Of(r)
	if !seen {
		return r.ProtoMajor == 1 && len(r.TransferEncoding) > 0
	}
	return h.Headers.Has("Content-Length") && h.Headers.Has("Transfer-Encoding")
}

// Client is who makes r. What is said of that in X-Forwarded-For, -Proto and
// -Host, or without any of these in Forwarded (RFC 7239), counts only if a
// trusted proxy sent it, and as far back as trusted proxies wrote it: the
// client is the last address in the list that is not trusted. All of a
// Forwarded that breaks its grammar is passed over.
func (p Proxies) Client(r *http.Request) Client {
	c := Client{Addr: addrOf(r.RemoteAddr), Scheme: cmp.Or(p.Scheme, "http"), Host: r.Host}
	if !p.trusts(c.Addr) {
		return c
	}
	for _, h := range hops(r.Header) {
		if h.proto != "" {
			c.Scheme = h.proto
		}
		if h.host != "" {
			c.Host = h.host
		}
		if !h.addr.IsValid() {
			break // nobody says who came before
		}
		if c.Addr = h.addr; !p.trusts(c.Addr) {
			break
		}
	}
	return c
}
