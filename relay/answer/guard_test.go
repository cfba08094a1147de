package answer_test

import (
	"errors"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/relay/answer"
)

func guard(t testing.TB, allow ...string) *answer.Guard {
	t.Helper()
	g, err := answer.ParseAllow(allow...)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// denied are hosts as a URL has them, and how the refusal begins to explain.
var denied = map[string]string{
	"127.0.0.1": "a loopback address", "127.255.255.254": "a loopback address", "[::1]": "a loopback address",
	"[::ffff:127.0.0.1]": "a loopback address", "[::ffff:7f00:1]": "a loopback address", "[0:0:0:0:0:ffff:7f00:0001]": "a loopback address",
	"localhost": "a loopback address", "LocalHost": "a loopback address", "localhost.": "a loopback address", "a.b.localhost": "a loopback address",
	"localhost.localdomain": "a loopback address", "ip6-localhost": "a loopback address",
	"0.0.0.0": "an address of this host", "0.1.2.3": "an address of this host", "[::]": "an address of this host",
	"10.0.0.1": "a private address", "172.16.0.1": "a private address", "172.31.255.255": "a private address", "192.168.1.1": "a private address",
	"[fc00::1]": "a private address", "[fdff::1]": "a private address", "[fec0::1]": "a private address", "[::ffff:10.0.0.1]": "a private address",
	"100.64.0.1": "carrier-grade NAT", "100.127.255.255": "carrier-grade NAT",
	"169.254.169.254": "a link-local address", "[fe80::1]": "a link-local address", "[::ffff:a9fe:a9fe]": "a link-local address",
	"metadata.google.internal": "a link-local address", "metadata.goog.": "a link-local address", "instance-data": "a link-local address",
	"192.0.0.192": "IETF", "192.0.2.1": "documentation", "198.51.100.7": "documentation", "203.0.113.9": "documentation", "[2001:db8::1]": "documentation", "[3fff::1]": "documentation",
	"192.88.99.1": "6to4", "[2002:7f00:1::]": "6to4", "198.18.0.1": "benchmarking", "198.19.255.255": "benchmarking", "168.63.129.16": "Azure",
	"224.0.0.1": "multicast", "239.255.255.250": "multicast", "[ff02::1]": "multicast", "240.0.0.1": "reserved", "255.255.255.255": "reserved",
	"[::127.0.0.1]": "in IPv6", "[::7f00:1]": "in IPv6", "[64:ff9b::7f00:1]": "NAT64", "[64:ff9b::10.0.0.1]": "NAT64", "[64:ff9b:1::1]": "NAT64",
	"[100::1]": "discards", "[2001::1]": "IETF", "[2001:10::1]": "IETF", "[5f00::1]": "segment", "[::ffff:0:127.0.0.1]": "no global unicast", "[4000::1]": "no global unicast", "[a000::1]": "no global unicast",
	"[fe80::1%25eth0]": "zone", "[::1%25lo]": "zone",
	"127.1": "spelling", "127.0.1": "spelling", "2130706433": "spelling", "0x7f000001": "spelling", "0X7F.1": "spelling", "0177.0.0.1": "spelling", "017700000001": "spelling",
	"127.0.0.1.": "spelling", "127.0.0.01": "spelling", "1.2.3.4.5": "spelling", "0x": "spelling", "8.8.8": "spelling", "256.1.1.1": "spelling", "a.0": "spelling",
	"１２７.0.0.1": "spelling", "⑯⑨.254": "spelling", "bücher.example": "xn--", "a..b": "no host name", ".a": "no host name", "..": "no host name", "a_b$": "no host name",
}

func TestGuardURL(t *testing.T) {
	strict := new(answer.Guard)
	for host, says := range denied {
		for _, raw := range []string{"http://" + host, "https://" + host + ":8443/hooks?x=1"} {
			err := strict.URL(raw)
			var field *capture.FieldError
			if !errors.As(err, &field) || field.Field != "url" || !strings.Contains(field.Problem, says) {
				t.Errorf("%s: %v, want a refusal of url saying %q", raw, err, says)
			}
		}
	}
	for _, raw := range []string{
		"https://example.com", "http://example.com:8080/a%2Fb?c=d", "HTTPS://EXAMPLE.COM./x", "https://xn--bcher-kva.example/", "http://8.8.8.8/", "http://100.128.0.1", "http://172.32.0.1/", "http://11.0.0.1/",
		"http://[2606:4700::1111]:443/", "http://[::ffff:8.8.8.8]/", "http://internal.example", "http://127.0.0.1.nip.io/", "http://a_b.example", "http://localhost.example.com", "http://1.example", "http://0x7f.example", "http://h:/x",
		"https://example.com/" + strings.Repeat("a", 2028),
	} {
		if err := strict.URL(raw); err != nil {
			t.Errorf("%s: %v, want it let through", raw, err)
		}
	}
	for _, raw := range []string{
		"", "x", "/hooks", "example.com", "//example.com/", "ftp://example.com", "file:///etc/passwd", "unix:///run/app.sock", "gopher://127.0.0.1:25/", "javascript:alert(1)", "http:example.com", "http:///x", "http://", "https://:443/",
		"http://user@example.com", "http://user:pw@example.com", "http://:@example.com", "http://@127.0.0.1/", "http://example.com#f", "http://example.com/#", "http://127.0.0.1#@example.com",
		"http://example.com:0/", "http://example.com:65536/", "http://example.com:x/", "http://example.com/a b", "http://example.com/\r\nX: y", "http://exa mple.com/", "http://example.com\\@127.0.0.1/", "http://%31%32%37.0.0.1/", "http://[::1/", "http://[127.0.0.1]/", "http://[v1.x]/", "http://example.com/%zz", "type:push=http://example.com", "3000",
		"https://example.com/" + strings.Repeat("a", 2029),
	} {
		for name, g := range map[string]*answer.Guard{"strict": strict, "none": nil, "open": guard(t, "loopback", "private", "0.0.0.0/0", "::/0")} {
			var field *capture.FieldError
			if err := g.URL(raw); !errors.As(err, &field) || field.Field != "url" || field.Problem == "" {
				t.Errorf("%s guard: %q: %v, want a refusal", name, raw, err)
			}
		}
	}
}

func TestGuardLetsThroughWhatItIsTold(t *testing.T) {
	for _, tt := range []struct {
		allow, through, not string
	}{
		{"loopback", "127.0.0.1 127.9.9.9 [::1] [::ffff:127.0.0.1] localhost a.localhost", "10.0.0.1 169.254.169.254 0.0.0.0 [::] metadata.google.internal 127.1 [64:ff9b::7f00:1]"},
		{"private", "10.1.2.3 172.20.0.1 192.168.0.1 [fd00::1] [::ffff:10.0.0.1]", "127.0.0.1 100.64.0.1 169.254.169.254 localhost [fe80::1]"},
		{"10.1.0.0/16", "10.1.2.3", "10.2.0.1 192.168.0.1"},
		{"10.1.2.3/8", "10.9.9.9", "172.16.0.1"},
		{"10.1.2.3", "10.1.2.3", "10.1.2.4"},
		{"::ffff:10.1.2.3", "10.1.2.3", "10.1.2.4"},
		{"::ffff:10.0.0.0/104", "10.1.2.3", "192.168.0.1"},
		{"127.0.0.0/8", "127.0.0.1 localhost", "[::1]"},
		{"fd00::/8", "[fd12::1]", "[fc00::1]"},
		{"fe80::/10", "[fe80::1]", "[fec0::1] [fe80::1%25eth0]"},
		{"169.254.169.254", "169.254.169.254 metadata.google.internal", "169.254.169.253"},
		{"0.0.0.0/0", "127.0.0.1 0.0.0.0 255.255.255.255", "[::1] 127.1"},
	} {
		g := guard(t, tt.allow)
		for host := range strings.FieldsSeq(tt.through) {
			if err := g.URL("http://" + host + "/"); err != nil {
				t.Errorf("--allow-target %s: %s: %v", tt.allow, host, err)
			}
		}
		for host := range strings.FieldsSeq(tt.not) {
			if err := g.URL("http://" + host + "/"); err == nil {
				t.Errorf("--allow-target %s lets %s through", tt.allow, host)
			}
		}
	}
	for _, s := range []string{"", "public", "Loopback", "10", "10.0.0.0/33", "10.0.0", "fe80::1%eth0", "::ffff:0:0/90", "example.com", "http://10.0.0.1", " 10.0.0.1"} {
		if g, err := answer.ParseAllow("loopback", s); err == nil {
			t.Errorf("--allow-target %q is %+v, want an error", s, g)
		}
	}
	var none *answer.Guard
	for _, host := range []string{"127.0.0.1", "localhost", "[::1]", "169.254.169.254", "metadata.google.internal"} {
		if err := none.URL("http://" + host); err != nil {
			t.Errorf("no guard: %s: %v", host, err)
		}
	}
}

// What a refusal says to allow is what has to be allowed.
func TestRefusalNamesItsRemedy(t *testing.T) {
	for host := range denied {
		err := new(answer.Guard).URL("http://" + host)
		_, rest, ok := strings.Cut(err.Error(), "--allow-target ")
		if !ok {
			continue // a spelling that nothing allows
		}
		remedy, _, _ := strings.Cut(rest, " ")
		if err := guard(t, remedy).URL("http://" + host); err != nil {
			t.Errorf("%s with --allow-target %s: %v", host, remedy, err)
		}
	}
}

// FuzzGuardURL: what is let through has a public address for a host, or a
// name, however it was spelled.
func FuzzGuardURL(f *testing.F) {
	for host := range denied {
		f.Add("http://" + host + ":80/x")
	}
	f.Add("https://example.com/a?b=c")
	f.Fuzz(func(t *testing.T, raw string) {
		if new(answer.Guard).URL(raw) != nil {
			return
		}
		u, err := url.Parse(raw)
		if err != nil || u.User != nil || u.Fragment != "" || u.Scheme != "http" && u.Scheme != "https" {
			t.Fatalf("%q is let through as %+v, %v", raw, u, err)
		}
		if ip, err := netip.ParseAddr(u.Hostname()); err == nil {
			if ip = ip.Unmap(); !ip.IsGlobalUnicast() || ip.IsPrivate() || ip.IsLoopback() || ip.IsLinkLocalUnicast() || ip.Zone() != "" {
				t.Errorf("%q is let through to %s", raw, ip)
			}
		}
		if _, err := to(raw, capture.FormatStandard, "").Request(&capture.Event{ID: "evt_1"}, nil, new(capture.Attempt)); err != nil {
			t.Errorf("%q is let through and cannot be requested: %v", raw, err)
		}
	})
}
