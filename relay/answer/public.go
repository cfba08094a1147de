package answer

import "net/netip"

// notPublic are the networks that no endpoint of a stranger's is in, from the
// special-purpose registries of IANA and from what clouds use beside them. Of
// those that overlap the narrower is first.
var notPublic = networks(
	"127.0.0.0/8", "a loopback address",
	"0.0.0.0/8", "an address of this host",
	"10.0.0.0/8", "a private address",
	"172.16.0.0/12", "a private address",
	"192.168.0.0/16", "a private address",
	"100.64.0.0/10", "an address of carrier-grade NAT",
	"169.254.0.0/16", "a link-local address",
	"192.0.0.0/24", "an address of IETF protocols",
	"192.0.2.0/24", "an address for documentation",
	"198.51.100.0/24", "an address for documentation",
	"203.0.113.0/24", "an address for documentation",
	"192.88.99.0/24", "a relay of 6to4",
	"198.18.0.0/15", "an address for benchmarking",
	"168.63.129.16/32", "a service of Azure's hosts",
	"224.0.0.0/4", "a multicast address",
	"240.0.0.0/4", "a reserved address",

	"::1/128", "a loopback address",
	"::/128", "an address of this host",
	"::/96", "an IPv4 address in IPv6",
	"64:ff9b::/96", "an IPv4 address behind NAT64",
	"64:ff9b:1::/48", "an IPv4 address behind NAT64",
	"100::/64", "an address that discards",
	"2001:db8::/32", "an address for documentation",
	"3fff::/20", "an address for documentation",
	"2001::/23", "an address of IETF protocols", // Teredo, benchmarking, ORCHID
	"2002::/16", "an IPv4 address behind 6to4",
	"5f00::/16", "a segment identifier",
	"fc00::/7", "a private address",
	"fe80::/10", "a link-local address",
	"fec0::/10", "a private address",
	"ff00::/8", "a multicast address",
	"::/3", "no global unicast address", // which are 2000::/3
	"4000::/2", "no global unicast address",
	"8000::/1", "no global unicast address",
)

// meant are names that always stand for the same addresses, so that they can
// be refused before anything is sent there.
var meant = map[string][]netip.Addr{
	"localhost":                  loopback,
	"localhost.localdomain":      loopback,
	"localhost6":                 loopback,
	"ip6-localhost":              loopback,
	"ip6-loopback":               loopback,
	"metadata":                   metadata,
	"metadata.google.internal":   metadata,
	"metadata.goog":              metadata,
	"metadata.azure.internal":    metadata,
	"instance-data":              metadata,
	"instance-data.ec2.internal": metadata,
	"metadata.tencentyun.com":    {netip.MustParseAddr("169.254.0.23")},
}

var (
	loopback = []netip.Addr{netip.MustParseAddr("127.0.0.1")}
	metadata = []netip.Addr{netip.MustParseAddr("169.254.169.254")}
)

type network struct {
	netip.Prefix
	what string
}

func networks(pairs ...string) (ns []network) {
	for i := 0; i < len(pairs); i += 2 {
		ns = append(ns, network{netip.MustParsePrefix(pairs[i]), pairs[i+1]})
	}
	return ns
}
