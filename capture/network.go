package capture

import (
	"fmt"
	"net/netip"
)

// namedNetworks are those that people know by a word.
var namedNetworks = map[string][]netip.Prefix{
	"loopback": {netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")},
	"private": {netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("172.16.0.0/12"),
		netip.MustParsePrefix("192.168.0.0/16"), netip.MustParsePrefix("fc00::/7")},
}

// ParseNetworks reads loopback, private (10/8, 172.16/12, 192.168/16, fc00::/7),
// an address or a network in CIDR notation. What it returns is masked, and IPv4
// is never written as IPv6.
func ParseNetworks(name string) ([]netip.Prefix, error) {
	if known := namedNetworks[name]; known != nil {
		return known, nil
	}
	p, err := netip.ParsePrefix(name)
	if ip, iperr := netip.ParseAddr(name); iperr == nil && ip.Zone() == "" {
		p, err = netip.PrefixFrom(ip, ip.BitLen()), nil
	}
	if ip := p.Addr(); ip.Is4In6() && p.Bits() >= 96 {
		p = netip.PrefixFrom(ip.Unmap(), p.Bits()-96)
	}
	if err != nil || p.Addr().Is4In6() {
		return nil, fmt.Errorf("%q: want loopback, private, an address (10.1.2.3) or a network (10.1.0.0/16)", name)
	}
	return []netip.Prefix{p.Masked()}, nil
}
