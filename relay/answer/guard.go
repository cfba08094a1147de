package answer

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"syscall"

	"code.hooktape.dev/hooktape/capture"
)

// Guard keeps what strangers registered away from addresses that are not
// public: services beside the relay, its own management, a cloud's metadata.
// It looks at the address that is dialled, after every name was resolved, so
// that no spelling, redirect or change of DNS gets past it. The zero Guard
// lets only public addresses through, a nil one any.
type Guard struct {
	Loopback bool           // lets loopback addresses through
	Allow    []netip.Prefix // lets these through, whatever they are; ParseAllow writes them in one way
}

// ParseAllow is the guard that lets the named addresses through, too: each is
// loopback, private (10/8, 172.16/12, 192.168/16, fc00::/7), an address or a
// network in CIDR notation.
func ParseAllow(names ...string) (*Guard, error) {
	g := new(Guard)
	for _, name := range names {
		if name == "loopback" {
			g.Loopback = true
			continue
		}
		networks, err := capture.ParseNetworks(name)
		if err != nil {
			return nil, err
		}
		g.Allow = append(g.Allow, networks...)
	}
	return g, nil
}

// control is called with each address before it is connected to.
func (g *Guard) control(_ context.Context, _, address string, _ syscall.RawConn) error {
	ap, err := netip.ParseAddrPort(address)
	if err != nil {
		return errBlocked{fmt.Errorf("%q is no address that can be judged", address)}
	}
	if why := g.denies(ap.Addr()); why != "" {
		return errBlocked{errors.New(why)}
	}
	return nil
}

// denies says why ip may not be reached and what would let it through, or "".
func (g *Guard) denies(ip netip.Addr) string {
	ip = ip.Unmap().WithZone("")
	if slices.ContainsFunc(g.Allow, func(p netip.Prefix) bool { return p.Contains(ip) }) || g.Loopback && ip.IsLoopback() {
		return ""
	}
	for _, n := range notPublic {
		if n.Contains(ip) {
			return fmt.Sprintf("%s is %s, and endpoints may reach public addresses only (--allow-target %s allows this one)",
				ip, n.what, netip.PrefixFrom(ip, ip.BitLen()))
		}
	}
	return ""
}

// URL checks what is about to be registered. The error is a FieldError of
// "url", unless raw is an http or https URL of up to 2048 bytes with a host,
// and without credentials or a fragment, whose host is neither a denied
// address in any spelling nor a name that always means one. It resolves
// nothing: what a name means is found out when it is dialled. A nil Guard
// denies no host.
func (g *Guard) URL(raw string) error {
	if problem := g.problem(raw); problem != "" {
		return &capture.FieldError{Field: "url", Problem: problem}
	}
	return nil
}

func (g *Guard) problem(raw string) string {
	if len(raw) > 2048 {
		return fmt.Sprintf("has %d bytes, want at most 2048", len(raw))
	}
	u, err := url.Parse(raw)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		return "want an http or https URL, as in https://example.com/hooks"
	}
	if u.User != nil {
		return "want one without a user and password: headers can carry those"
	}
	if strings.Contains(raw, "#") {
		return "want one without a fragment, which is never sent"
	}
	if _, ok := parseHTTP(raw); !ok {
		return "cannot be requested: want a port from 1 to 65535, and blanks written as %20"
	}
	return g.host(u.Hostname())
}

// host says what is wrong with a host, be it an address or a name.
func (g *Guard) host(host string) string {
	ip, err := netip.ParseAddr(host)
	name := strings.TrimSuffix(strings.ToLower(host), ".")
	switch {
	case err == nil && ip.Zone() != "":
		return "want an address without a zone"
	case err == nil && g != nil:
		return g.denies(ip)
	case err == nil:
		return ""
	case strings.Contains(host, ":"), numeric(name):
		return fmt.Sprintf("%q is an address in a spelling that is read in more than one way: want 192.0.2.1 or [2001:db8::1]", host)
	case strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-_.") != "", name == "", name[0] == '.', strings.Contains(name, ".."):
		return fmt.Sprintf("%q is no host name (write an international one as xn--…)", host)
	case g == nil:
		return ""
	}
	if strings.HasSuffix(name, ".localhost") {
		name = "localhost"
	}
	for _, ip := range meant[name] {
		if why := g.denies(ip); why != "" {
			return fmt.Sprintf("%s: %s", host, why)
		}
	}
	return ""
}

// numeric reports whether resolvers may take a name for an IPv4 address: its
// last label is a number (https://url.spec.whatwg.org, "ends in a number").
func numeric(name string) bool {
	last := name[strings.LastIndexByte(name, '.')+1:]
	digits, hex := strings.CutPrefix(last, "0x")
	if hex {
		return strings.Trim(digits, "0123456789abcdef") == ""
	}
	return last != "" && strings.Trim(last, "0123456789") == ""
}
