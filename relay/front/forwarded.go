package front

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// hop is what one proxy says of whom it serves; what it does not say, or what
// cannot be read, is zero.
type hop struct {
	addr  netip.Addr
	proto string // http or https
	host  string
}

// hops are what h says of the way of a request, the nearest proxy's word first.
//
// Most proxies write X-Forwarded-For and let a sender's Forwarded pass as it
// is, so one with the former beside it says nothing.
func hops(h http.Header) []hop {
	fors, protos, hosts := h["X-Forwarded-For"], h["X-Forwarded-Proto"], h["X-Forwarded-Host"]
	if fors == nil && protos == nil && hosts == nil {
		return forwarded(strings.Join(h["Forwarded"], ","))
	}
	var way []hop
	for _, addr := range slices.Backward(strings.Split(strings.Join(fors, ","), ",")) {
		way = append(way, hop{addr: addrOf(strings.Trim(addr, blanks))})
	}
	// Proxies overwrite these two; where one adds to them, the last is its own.
	way[0].proto, way[0].host = scheme(last(protos)), host(last(hosts))
	return way
}

const blanks = " \t"

func last(lines []string) string {
	all := strings.Join(lines, ",")
	return strings.Trim(all[strings.LastIndexByte(all, ',')+1:], blanks)
}

// forwarded reads the elements of a Forwarded header (RFC 7239 §4), the last
// first. It is all or nothing: with a quote left open, a sender could make what
// a proxy wrote behind it a part of his own words.
func forwarded(s string) []hop {
	way := []hop{{}}
	var given []string // in this element
	for {
		switch s = strings.TrimLeft(s, blanks); {
		case s == "":
			slices.Reverse(way)
			return way
		case s[0] == ',':
			way, given, s = append(way, hop{}), nil, s[1:]
			continue
		case s[0] == ';':
			s = s[1:]
			continue
		}
		name, value, rest, ok := pair(s)
		if !ok || slices.Contains(given, name) {
			return nil
		}
		h := &way[len(way)-1]
		switch name {
		case "for":
			h.addr = addrOf(value)
		case "proto":
			h.proto = scheme(value)
		case "host":
			h.host = host(value)
		}
		given, s = append(given, name), rest
	}
}

// pair reads name=value off the beginning of s, where value may be quoted
// (RFC 9110 §5.6.4). A colon need not be, as some proxies write it.
func pair(s string) (name, value, rest string, ok bool) {
	name, rest, ok = strings.Cut(s, "=")
	if !ok || name == "" || strings.ContainsAny(name, blanks+`,;"`) {
		return "", "", "", false
	}
	if strings.HasPrefix(rest, `"`) {
		value, rest, ok = unquote(rest[1:])
	} else {
		end := strings.IndexAny(rest+",", blanks+",;")
		value, rest = rest[:end], rest[end:]
		ok = value != "" && !strings.Contains(value, `"`)
	}
	rest = strings.TrimLeft(rest, blanks)
	return strings.ToLower(name), value, rest, ok && (rest == "" || rest[0] == ',' || rest[0] == ';')
}

// unquote reads up to the quote that ends a string.
func unquote(s string) (value, rest string, ok bool) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '"':
			return b.String(), s[i+1:], true
		case s[i] == '\\' && i+1 < len(s):
			i++
		}
		b.WriteByte(s[i])
	}
	return "", "", false
}

// addrOf reads an address with or without brackets and a port; zero: it is none.
func addrOf(s string) netip.Addr {
	ap, err := netip.ParseAddrPort(s)
	ip := ap.Addr()
	if err != nil {
		ip, _ = netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(s, "["), "]"))
	}
	return ip.Unmap().WithZone("")
}

// scheme is http or https, or "" for anything else. Traefik calls that of a
// websocket ws or wss.
func scheme(s string) string {
	switch strings.ToLower(s) {
	case "http", "ws":
		return "http"
	case "https", "wss":
		return "https"
	}
	return ""
}

// host is s if it can be a name or an address, with or without a port.
func host(s string) string {
	if len(s) > 260 || strings.Trim(strings.ToLower(s), "abcdefghijklmnopqrstuvwxyz0123456789-._:[]") != "" {
		return ""
	}
	return s
}
