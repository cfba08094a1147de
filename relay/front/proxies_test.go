package front_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"code.hooktape.dev/hooktape/capture/head"
	"code.hooktape.dev/hooktape/relay/front"
)

func TestWhoIsCalling(t *testing.T) {
	proxies, err := front.ParseProxies("loopback", "10.0.0.0/8", "2001:db8:1::1", "::ffff:192.0.2.0/120")
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, peer string
		lines      []string
		want       string
	}{
		{"nobody in between", "203.0.113.9:5", nil, "203.0.113.9 http hooks.test"},
		{"a stranger's word", "203.0.113.9:5", []string{"X-Forwarded-For: 1.1.1.1", "X-Forwarded-Proto: https", "X-Forwarded-Host: evil", "Forwarded: for=1.1.1.1"},
			"203.0.113.9 http hooks.test"},
		{"a silent proxy", "10.1.1.1:5", nil, "10.1.1.1 http hooks.test"},
		{"one proxy", "10.1.1.1:5", []string{"X-Forwarded-For: 203.0.113.9", "X-Forwarded-Proto: https", "X-Forwarded-Host: Hooks.example:8443"},
			"203.0.113.9 https Hooks.example:8443"},
		{"what the client wrote in front", "10.1.1.1:5", []string{"X-Forwarded-For: 1.1.1.1, 10.9.9.9", "X-Forwarded-For: 203.0.113.9"}, "203.0.113.9 http hooks.test"},
		{"three proxies", "[::1]:5", []string{"X-Forwarded-For: 1.1.1.1,203.0.113.9 , 10.2.2.2,\t2001:db8:1::1"}, "203.0.113.9 http hooks.test"},
		{"all of them trusted", "10.1.1.1:5", []string{"X-Forwarded-For: 10.3.3.3, 10.2.2.2"}, "10.3.3.3 http hooks.test"},
		{"with ports", "10.1.1.1:5", []string{"X-Forwarded-For: [2001:db8::9]:80, 10.2.2.2:8080"}, "2001:db8::9 http hooks.test"},
		{"IPv4 in IPv6", "[::ffff:10.1.1.1]:5", []string{"X-Forwarded-For: ::ffff:203.0.113.9"}, "203.0.113.9 http hooks.test"},
		{"a network in IPv6's spelling", "192.0.2.7:5", []string{"X-Forwarded-For: 203.0.113.9"}, "203.0.113.9 http hooks.test"},
		{"a zone", "[fe80::1%eth0]:5", nil, "fe80::1 http hooks.test"},
		{"nonsense stops the search", "10.1.1.1:5", []string{"X-Forwarded-For: 203.0.113.9, unknown, 10.2.2.2"}, "10.2.2.2 http hooks.test"},
		{"an empty list", "10.1.1.1:5", []string{"X-Forwarded-For:", "X-Forwarded-Proto: gopher", "X-Forwarded-Host: a/b"}, "10.1.1.1 http hooks.test"},
		{"the nearest proxy's scheme and host", "10.1.1.1:5", []string{"X-Forwarded-Proto: http, wss", "X-Forwarded-Host: evil", "X-Forwarded-Host: hooks.example"}, "10.1.1.1 https hooks.example"},
		{"Forwarded", "10.1.1.1:5", []string{`Forwarded: for=1.1.1.1;proto=gopher, FOR="[2001:db8::9]:4711" ; proto=HTTPS;host="hooks.example:443";by=10.2.2.2;ext="a\"b", for=10.2.2.2`},
			"2001:db8::9 https hooks.example:443"},
		{"Forwarded in lines, loosely", "10.1.1.1:5", []string{"Forwarded: for=203.0.113.9:80;;host=a.example:80", "Forwarded: ,for=10.2.2.2;proto=https"}, "10.2.2.2 https hooks.test"},
		{"Forwarded for somebody hidden", "10.1.1.1:5", []string{"Forwarded: for=203.0.113.9, for=_hidden;proto=https, for=10.2.2.2"}, "10.2.2.2 https hooks.test"},
		{"Forwarded beside the other", "10.1.1.1:5", []string{"Forwarded: for=1.1.1.1;host=evil", "X-Forwarded-For: 203.0.113.9"}, "203.0.113.9 http hooks.test"},
		{"a quote left open", "10.1.1.1:5", []string{`Forwarded: for="1.1.1.1`, `Forwarded: for=203.0.113.9;host="a"`}, "10.1.1.1 http hooks.test"},
		{"a name twice", "10.1.1.1:5", []string{"Forwarded: for=1.1.1.1;for=203.0.113.9"}, "10.1.1.1 http hooks.test"},
		{"no address at all", "@", nil, "invalid IP http hooks.test"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := show(proxies.Client(request(tt.peer, tt.lines))); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func request(peer string, lines []string) *http.Request {
	r := httptest.NewRequest("POST", "http://hooks.test/in/k/", nil)
	r.RemoteAddr = peer
	for _, line := range lines {
		name, value, _ := strings.Cut(line, ":")
		r.Header.Add(name, strings.TrimSpace(value))
	}
	return r
}

func show(c front.Client) string { return fmt.Sprint(c.Addr, " ", c.Scheme, " ", c.Host) }

func TestParseProxies(t *testing.T) {
	for _, name := range []string{"", "localhost", "10.0.0.0/33", "fe80::1%eth0", "::ffff:0:0/90", "10.1", "any"} {
		if p, err := front.ParseProxies("private", name); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("%q", name)) {
			t.Errorf("%q: %v, %v; want an error that names it", name, p, err)
		}
	}
	p, err := front.ParseProxies("private", "203.0.113.7")
	if want := netip.MustParsePrefix("203.0.113.7/32"); err != nil || !slices.Contains(p.Trusted, want) || len(p.Trusted) != 5 {
		t.Errorf("got %v, %v; want the private networks and %s", p.Trusted, err, want)
	}
}

// TestHandlersSeeTheClient: behind Handler RemoteAddr and Host are the
// client's, and the head is still as it was sent.
func TestHandlersSeeTheClient(t *testing.T) {
	proxies, _ := front.ParseProxies("loopback")
	l := listen(t)
	serve(t, l, proxies.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h, ok := head.Of(r)
		fmt.Fprintln(w, r.RemoteAddr, r.Host, ok, h.Headers)
	})))
	got := exchange(t, l, "GET / HTTP/1.1\r\nhost: inner\r\nx-forwarded-FOR: 203.0.113.9\r\nX-Forwarded-Host: hooks.test\r\n\r\n")
	if want := "203.0.113.9 hooks.test true [[host inner] [x-forwarded-FOR 203.0.113.9] [X-Forwarded-Host hooks.test]]\n"; got != "200 "+want {
		t.Errorf("got  %swant %s", got, want)
	}
	if got := exchange(t, l, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"); !strings.HasPrefix(got, "200 127.0.0.1:") {
		t.Errorf("without a word of a client: %s, want the peer with its port", got)
	}
}

// exchange sends raw and returns the status and body that came back.
func exchange(t testing.TB, l net.Listener, raw string) string {
	t.Helper()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	io.WriteString(c, raw)
	res, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(res.Body)
	return fmt.Sprintf("%d %s", res.StatusCode, body)
}

// TestNoTwoLengthsBehindAProxy: of what looks like one request to us and like
// two to a proxy nothing is taken. Without a proxy there are no two opinions.
func TestNoTwoLengthsBehindAProxy(t *testing.T) {
	const two = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 60\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"
	const old = "POST / HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n"
	const chunked = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
	trusting, _ := front.ParseProxies("loopback")
	for _, tt := range []struct {
		name, raw string
		proxies   front.Proxies
		want      int
	}{
		{"two", two, trusting, 400}, {"two, HTTP/1.0", old, trusting, 400}, {"one", chunked, trusting, 200}, {"two, directly", two, front.Proxies{}, 200},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l := listen(t)
			var came []string
			serve(t, l, tt.proxies.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { came = append(came, r.URL.Path) })))
			c, err := net.Dial("tcp", l.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			io.WriteString(c, tt.raw)
			res, err := http.ReadResponse(bufio.NewReader(c), nil)
			if err != nil || res.StatusCode != tt.want {
				t.Fatalf("%+v, %v; want %d", res, err, tt.want)
			}
			if tt.want == 400 && (!res.Close || res.Header.Get("Content-Type") != "application/problem+json" || len(came) > 0) {
				t.Errorf("close %v, %v, handled %v; want a problem, the end of the connection and nothing", res.Close, res.Header, came)
			}
		})
	}
	// A head that nobody saw may state both.
	r := httptest.NewRequest("POST", "/", nil)
	r.TransferEncoding = []string{"chunked"}
	w := httptest.NewRecorder()
	if trusting.Handler(http.NotFoundHandler()).ServeHTTP(w, r); w.Code != 400 {
		t.Errorf("chunks below an unseen head: %d, want 400", w.Code)
	}
}

// FuzzClient lets a sender write any headers, and a proxy add its own word to
// them as proxies do: the client is whom the proxy saw, whatever stands before.
// A Forwarded that the sender broke may at most hide him behind the proxy.
func FuzzClient(f *testing.F) {
	f.Add("1.1.1.1, 10.0.0.1", `for=1.1.1.1;host="a`, "https", "evil")
	f.Add("", `for="\`, ",", ",")
	f.Add("[::1]:80,,", `x=";`, "wss", "a:1")
	f.Add("unknown", `for=_a, for="[2001:db8::1]:80" ;`, "", "")
	proxies, err := front.ParseProxies("private")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, fors, fwd, proto, host string) {
		r := request("203.0.113.9:5", nil)
		set := func(name string, lines ...string) { r.Header[name] = lines }
		set("X-Forwarded-For", fors)
		set("X-Forwarded-Proto", proto)
		set("X-Forwarded-Host", host)
		set("Forwarded", fwd)
		if got := show(proxies.Client(r)); got != "203.0.113.9 http hooks.test" {
			t.Fatalf("a stranger's word was taken: %s", got)
		}

		r.RemoteAddr = "10.0.0.2:5"
		for _, written := range [][]string{{fors + ", 203.0.113.9"}, {fors, "203.0.113.9"}} {
			set("X-Forwarded-For", written...)
			c := proxies.Client(r)
			if c.Addr.String() != "203.0.113.9" || c.Scheme != "http" && c.Scheme != "https" || strings.ContainsAny(c.Host, " /\\\"@?#<>\r\n") {
				t.Fatalf("%q: %s, want 203.0.113.9, a scheme and a host", written, show(c))
			}
		}
		for _, name := range []string{"X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host"} {
			delete(r.Header, name)
		}
		const added = `for="[2001:db8::9]:5";proto=https;host="hooks.example"`
		for _, written := range [][]string{{fwd + ", " + added}, {fwd, added}} {
			set("Forwarded", written...)
			if got := show(proxies.Client(r)); got != "2001:db8::9 https hooks.example" && got != "10.0.0.2 http hooks.test" {
				t.Fatalf("%q: %s", written, got)
			}
		}
	})
}
