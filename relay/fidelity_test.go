package relay_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"code.hooktape.dev/hooktape/capture"
)

// added are the lines that forwarding puts behind the sender's.
const added = "Hooktape-Event-Id: {id}\r\nHooktape-Attempt: 1"

// TestBytesInBytesOut is promise 2. Each raw request goes over a socket into
// Ingest, through the store and the dispatcher, and over a socket to an app;
// what reaches the app is compared byte for byte, its first line, its header
// lines in their order, and its body. What may differ is written out in each
// want: HTTP/1.1 for the protocol; Host, which is the app's ({host}); headers
// of one hop and Expect, which are gone; the body's length, stated where the
// sender stated it or behind his lines; and the lines that are added. A header
// has one space behind its colon, and a folded line is unfolded, as RFC 9112
// asks.
func TestBytesInBytesOut(t *testing.T) {
	const host = "Host: hooks.example"
	post := func(target string, lines ...string) string { // with a body of "{}"
		return message("{}", append([]string{"POST " + target + " HTTP/1.1", host, "Content-Length: 2"}, lines...)...)
	}
	posted := func(target string, lines ...string) string {
		lines = append([]string{"POST " + target + " HTTP/1.1", "Host: {host}", "Content-Length: 2"}, lines...)
		return message("{}", append(lines, added)...)
	}
	kept := func(body string, lines ...string) (raw string, want []string) {
		lines = append([]string{"POST /b HTTP/1.1", host, length(body)}, lines...)
		raw = message(body, lines...)
		lines[1] = "Host: {host}"
		return raw, []string{message(body, append(lines, added)...)}
	}
	type test struct {
		name string
		raw  string
		want []string
	}
	tests := []test{
		{"plain", post("/hooks?a=1"), []string{posted("/hooks?a=1")}},
		{"root", post("/"), []string{posted("/")}},

		// Targets.
		{"escapes that decode to nothing", post("/a%zz/%/%4"), []string{posted("/a%zz/%/%4")}},
		{"escapes in either case", post("/%2f%2F%41?%3d=%3D"), []string{posted("/%2f%2F%41?%3d=%3D")}},
		{"semicolons", post("/a;v=1/b;;?x;y=1;&"), []string{posted("/a;v=1/b;;?x;y=1;&")}},
		{"double slashes", post("//a///b//"), []string{posted("//a///b//")}},
		{"dots", post("/a/../b/./%2e%2e/.."), []string{posted("/a/../b/./%2e%2e/..")}},
		{"empty query", post("/a?"), []string{posted("/a?")}},
		{"repeated parameters", post("/a?a=1&a=2&;&&=&a"), []string{posted("/a?a=1&a=2&;&&=&a")}},
		{"questions in the query", post("/a?b?c??"), []string{posted("/a?b?c??")}},
		{"a plus and a space escaped twice", post("/a+b?q=%2520+%20"), []string{posted("/a+b?q=%2520+%20")}},
		{"UTF-8 unescaped", post("/café/日本?ü=ö"), []string{posted("/café/日本?ü=ö")}},
		{"latin-1 unescaped", post("/caf\xe9?\xff\xfe"), []string{posted("/caf\xe9?\xff\xfe")}},
		{"control bytes", post("/a\x01\x1b[2J\x7f\tb\x00"), []string{posted("/a\x01\x1b[2J\x7f\tb\x00")}},
		{"quotes, brackets, backslashes", post(`/a\b"c'<d>{e}|^` + "`?[]=[1]"), []string{posted(`/a\b"c'<d>{e}|^` + "`?[]=[1]")}},
		{"a fragment", post("/a#b?c"), []string{posted("/a#b?c")}},
		{"a URL in the path", post("/go/http://x/y?u=http://z//"), []string{posted("/go/http://x/y?u=http://z//")}},
		{"8 KiB of path", post("/" + strings.Repeat("a%2F", 2048)), []string{posted("/" + strings.Repeat("a%2F", 2048))}},
		{"absolute form", post("http://hooks.example:80/abs%2F?x=1"), []string{posted("/abs%2F?x=1")}},
		{"absolute form, no path", post("http://hooks.example"), []string{posted("/")}},
		{"an app's prefix", post("/in/shop//a%2F?x=1"), []string{posted("//a%2F?x=1")}},
		{"an app's prefix and odd escapes", post("/in/shop/%zz"), []string{posted("/%zz")}},
		{"an app's prefix alone", post("/in/shop?x"), []string{posted("/?x")}},
		{"an app's prefix in absolute form", post("http://hooks.example/in/shop/a?x"), []string{posted("/a?x")}},
		{"a prefix that is no app's", post("/in/Shop!/a"), []string{posted("/in/Shop!/a")}},

		// Headers.
		{"case and order", post("/", "x-lower: 1", "X-MIXED-case: 2", "a: 3", "USER-AGENT: x/1"),
			[]string{posted("/", "x-lower: 1", "X-MIXED-case: 2", "a: 3", "USER-AGENT: x/1")}},
		{"repeats among others", post("/", "X-A: 1", "X-B: 2", "x-a: 3", "X-A: 1", "Cookie: a=1", "Cookie: b=2"),
			[]string{posted("/", "X-A: 1", "X-B: 2", "x-a: 3", "X-A: 1", "Cookie: a=1", "Cookie: b=2")}},
		{"folded line", post("/", "X-Fold: a", "\t b", "  c", "X-Next: 1"), []string{posted("/", "X-Fold: a b c", "X-Next: 1")}},
		{"empty values", post("/", "X-Empty:", "X-Blank:   ", "X-Tail: v  "), []string{posted("/", "X-Empty: ", "X-Blank: ", "X-Tail: v")}},
		{"blanks inside", post("/", "X-A: a  b\tc", "X-B:tight", "X-C:\t\tt"), []string{posted("/", "X-A: a  b\tc", "X-B: tight", "X-C: t")}},
		{"colons, commas, quotes", post("/", `X-A: a:b, "c,d";q=1, ,`, "X-B: ::"), []string{posted("/", `X-A: a:b, "c,d";q=1, ,`, "X-B: ::")}},
		{"UTF-8 value", post("/", "X-Name: José – 日本 🎉"), []string{posted("/", "X-Name: José – 日本 🎉")}},
		{"latin-1 value", post("/", "X-Name: Jos\xe9 \xff"), []string{posted("/", "X-Name: Jos\xe9 \xff")}},
		{"32 KiB value", post("/", "X-Big: "+strings.Repeat("v", 32<<10)), []string{posted("/", "X-Big: "+strings.Repeat("v", 32<<10))}},
		{"100 headers", post("/", numbered(100)...), []string{posted("/", numbered(100)...)}},
		{"odd names", post("/", "x_y: 1", "!#$%&'*+-.^_`|~: 2", "123: 3"), []string{posted("/", "x_y: 1", "!#$%&'*+-.^_`|~: 2", "123: 3")}},
		{"signatures of providers", post("/", "X-Hub-Signature-256: sha256=00", "Stripe-Signature: t=1,v1=a", "webhook-id: m"),
			[]string{posted("/", "X-Hub-Signature-256: sha256=00", "Stripe-Signature: t=1,v1=a", "webhook-id: m")}},
		{"what net/http adds or merges", post("/", "Pragma: no-cache", "Accept-Encoding: gzip, br", "Authorization: Basic eA=="),
			[]string{posted("/", "Pragma: no-cache", "Accept-Encoding: gzip, br", "Authorization: Basic eA==")}},
		{"forwarded by others", post("/", "X-Forwarded-For: 192.0.2.1", "Via: 1.1 x", "Forwarded: for=192.0.2.1"),
			[]string{posted("/", "X-Forwarded-For: 192.0.2.1", "Via: 1.1 x", "Forwarded: for=192.0.2.1")}},
		{"headers of one hop", post("/", "Connection: x-foo , keep-alive", "X-Foo: 1", "x-FOO: 2", "X-Foot: 3", "Keep-Alive: timeout=5", "TE: trailers", "Upgrade: x", "connection:X-Bar", "X-Bar: 4"),
			[]string{posted("/", "X-Foot: 3")}},
		{"headers for proxies", post("/", "Proxy-Authorization: Basic eA==", "Proxy-Connection: keep-alive", "Proxy-Authenticate: x", "X-Proxy: 1"),
			[]string{posted("/", "X-Proxy: 1")}},
		{"Connection names what is needed", post("/", "Connection: Host, Content-Length, Hooktape-Event-Id", "Hooktape-Event-Id: evt_FORGED", "hooktape-replay-of: x"),
			[]string{message("{}", "POST / HTTP/1.1", "Host: {host}", "Content-Length: 2", added)}},
		{"bare line feeds", "POST /lf HTTP/1.1\nHost: x\nContent-Length: 2\nX-a: 1\n\n{}", []string{posted("/lf", "X-a: 1")}},
		{"empty lines first", "\r\n\r\n" + post("/"), []string{posted("/")}},

		// Methods and framings.
		{"GET", message("", "GET /g?x HTTP/1.1", host), []string{message("", "GET /g?x HTTP/1.1", "Host: {host}", added)}},
		{"GET with a body", message("abc", "GET /g HTTP/1.1", host, "Content-Length: 3"), []string{message("abc", "GET /g HTTP/1.1", "Host: {host}", "Content-Length: 3", added)}},
		{"HEAD", message("", "HEAD /h HTTP/1.1", host), []string{message("", "HEAD /h HTTP/1.1", "Host: {host}", added)}},
		{"DELETE with a body", message("x", "DELETE /d HTTP/1.1", "Content-Length: 1", host), []string{message("x", "DELETE /d HTTP/1.1", "Content-Length: 1", "Host: {host}", added)}},
		{"OPTIONS of a path", message("", "OPTIONS /o HTTP/1.1", host, "Origin: https://x"), []string{message("", "OPTIONS /o HTTP/1.1", "Host: {host}", "Origin: https://x", added)}},
		{"OPTIONS *", message("", "OPTIONS * HTTP/1.1", host), []string{message("", "OPTIONS * HTTP/1.1", "Host: {host}", added)}},
		{"PATCH", message("{}", "PATCH /p HTTP/1.1", host, "Content-Length: 2"), []string{message("{}", "PATCH /p HTTP/1.1", "Host: {host}", "Content-Length: 2", added)}},
		{"method of its own", message("{}", "x-Purge! /p HTTP/1.1", host, "Content-Length: 2"), []string{message("{}", "x-Purge! /p HTTP/1.1", "Host: {host}", "Content-Length: 2", added)}},
		{"HTTP/1.0", message("!", "POST /old HTTP/1.0", "Content-Length: 1"), []string{message("!", "POST /old HTTP/1.1", "Host: {host}", "Content-Length: 1", added)}},
		{"empty body stated", message("", "POST /e HTTP/1.1", host, "Content-Length: 0", "X-A: 1"), []string{message("", "POST /e HTTP/1.1", "Host: {host}", "Content-Length: 0", "X-A: 1", added)}},
		{"empty body unstated", message("", "POST /e HTTP/1.1", host, "X-A: 1"), []string{message("", "POST /e HTTP/1.1", "Host: {host}", "X-A: 1", "Content-Length: 0", added)}},
		{"length stated twice", message("abc", "POST / HTTP/1.1", host, "content-length: 3", "X-A: 1", "Content-Length: 3"), []string{message("abc", "POST / HTTP/1.1", "Host: {host}", "content-length: 3", "X-A: 1", added)}},
		{"length with zeros in front", message("abc", "POST / HTTP/1.1", host, "Content-Length: 003"), []string{message("abc", "POST / HTTP/1.1", "Host: {host}", "Content-Length: 3", added)}},
		{"chunks with extensions", message("3;a=b;c=\"d\"\r\nabc\r\n02;e;\"\"\r\nde\r\n0;f\r\n\r\n", "POST /c HTTP/1.1", host, "transfer-encoding: Chunked", "X-A: 1"),
			[]string{message("abcde", "POST /c HTTP/1.1", "Host: {host}", "X-A: 1", "Content-Length: 5", added)}},
		{"no chunk", message("0\r\n\r\n", "POST /c HTTP/1.1", host, "Transfer-Encoding: chunked"), []string{message("", "POST /c HTTP/1.1", "Host: {host}", "Content-Length: 0", added)}},
		{"trailers", message("3\r\nabc\r\n0\r\nX-Sum: 7\r\nx-sum: 8\r\n\r\n", "POST /t HTTP/1.1", host, "Transfer-Encoding: chunked", "Trailer: X-Sum", "X-A: 1"),
			[]string{message("3\r\nabc\r\n0\r\nX-Sum: 7\r\nx-sum: 8\r\n\r\n", "POST /t HTTP/1.1", "Host: {host}", "X-A: 1", "Transfer-Encoding: chunked", "Trailer: X-Sum, x-sum", added)}},
		// RFC 9112 §6.3: chunks win. Nothing of the other length goes on, so no
		// two readers of what is forwarded can disagree on where it ends.
		{"length and chunks", message("2\r\n{}\r\n0\r\n\r\n", "POST /s HTTP/1.1", host, "Content-Length: 4", "Transfer-Encoding: chunked"),
			[]string{message("{}", "POST /s HTTP/1.1", "Host: {host}", "Content-Length: 2", added)}},
		{"Expect", message("{}", "POST /x HTTP/1.1", host, "Expect: 100-continue", "Content-Length: 2"), []string{message("{}", "POST /x HTTP/1.1", "Host: {host}", "Content-Length: 2", added)}},

		// Several on one connection.
		{"pipelined", post("/1", "X-N: 1") + message("2\r\n{}\r\n0\r\n\r\n", "POST /2%zz HTTP/1.1", host, "Transfer-Encoding: chunked") + post("/3", "x-n: 3"),
			[]string{posted("/1", "X-N: 1"), message("{}", "POST /2%zz HTTP/1.1", "Host: {host}", "Content-Length: 2", added), posted("/3", "x-n: 3")}},
		{"pipelined behind OPTIONS *", message("", "OPTIONS * HTTP/1.1", host) + post("/%zz", "x-N: 1"),
			[]string{message("", "OPTIONS * HTTP/1.1", "Host: {host}", added), posted("/%zz", "x-N: 1")}},
		{"many pipelined", strings.Repeat(post("/p;%zz", "x-n: 1"), 50), slices.Repeat([]string{posted("/p;%zz", "x-n: 1")}, 50)},
	}
	for _, body := range []struct {
		name, text string
		lines      []string
	}{
		{"no content type", "<x/>", nil},
		{"JSON with CR LF and blanks at its ends", " {\"a\" : 1}\r\n\r\n", []string{"Content-Type: application/json; charset=\"UTF-8\""}},
		{"JSON in invalid UTF-8", "{\"a\":\"\xff\xc3\x28\"}", []string{"Content-Type: application/json"}},
		{"a mark of byte order", "\xef\xbb\xbf{}", nil},
		{"binary", "\x00\x01\xff\r\n\x00\x1a\x04", []string{"Content-Type: application/octet-stream"}},
		{"gzip", zipped("{}"), []string{"Content-Encoding: gzip"}},
		{"gzip twice, said once", zipped(zipped("{}")), []string{"Content-Encoding: gzip"}},
		{"said to be br", "not brotli at all", []string{"Content-Encoding: br", "Content-Type: text/plain"}},
		{"form", "a=1&a=2&b=%zz&c=+;d", []string{"Content-Type: application/x-www-form-urlencoded"}},
		{"multipart", "--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"é.bin\"\r\n\r\n\x00\xff\r\n--b--\r\n", []string{"Content-Type: multipart/form-data; boundary=b"}},
		{"looks like HTTP", "POST /smuggled HTTP/1.1\r\nHost: evil\r\nContent-Length: 0\r\n\r\n", nil},
		{"looks like chunks", "5\r\nhello\r\n0\r\n\r\n", nil},
		{"64 KiB", strings.Repeat("k", 64<<10), nil},
		{"64 KiB and a byte", strings.Repeat("k", 64<<10+1), nil},
		{"1 MiB", strings.Repeat("0123456789abcde\n", 1<<16), nil},
	} {
		raw, want := kept(body.text, body.lines...)
		tests = append(tests, test{"body/" + body.name, raw, want})
	}

	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t, memory(t), 1)
			c := dial(t, r.ingest)
			go io.WriteString(c, tt.raw)
			br := bufio.NewReader(c)
			for _, want := range tt.want {
				method, _, _ := strings.Cut(tt.raw, " ")
				res := readReply(t, br, method)
				if res.status == http.StatusContinue {
					res = readReply(t, br)
				}
				if res.status != http.StatusAccepted {
					t.Fatalf("answered %d %s", res.status, res.body)
				}
				id := res.id
				if method == "HEAD" { // whose answer has no body to say it
					id = r.newest(t)
				}
				compare(t, r.app.next(t), r.filled(want, id))
			}
		})
	}
}

// TestAgainIsTheSameButForItsMarks: what is sent again says so, and is
// otherwise what was sent before.
func TestAgainIsTheSameButForItsMarks(t *testing.T) {
	r := newRig(t, memory(t), 1)
	res := send(t, r.ingest, message("{}", "POST /a%zz HTTP/1.1", "Host: x", "Content-Length: 2", "x-b: 1", "X-A: 2"))
	first := r.app.next(t)
	made, err := r.dispatch.Resend(t.Context(), res.id, capture.Resend{})
	if err != nil || len(made) != 1 {
		t.Fatalf("resend made %v, %v; want one attempt", made, err)
	}
	want := strings.Replace(first, "Hooktape-Attempt: 1\r\n", "Hooktape-Attempt: 2\r\nHooktape-Replay-Of: "+string(res.id)+"\r\n", 1)
	compare(t, r.app.next(t), want)
}

// TestHTTP2InBytesOut: HTTP/2 has no lines to keep. The target and the body
// are still the sender's, names are in lower case as he sent them, and the
// event says that the order of its headers is not his.
func TestHTTP2InBytesOut(t *testing.T) {
	r := newRig(t, memory(t), 1)
	var protocols http.Protocols
	protocols.SetUnencryptedHTTP2(true)
	transport := &http.Transport{Protocols: &protocols}
	t.Cleanup(transport.CloseIdleConnections)
	body := "{\"a\":\"\xff\"}\r\n"
	req, err := http.NewRequestWithContext(t.Context(), "PUT", "http://"+r.ingest+"/in/shop/a%2Fb//..?x=1&x=2;y", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header["X-B"] = []string{"2", "1"}
	req.Header["X-A"] = []string{"Jos\xe9"}
	req.Header.Set("User-Agent", "sender/1")
	res, err := transport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusAccepted || res.ProtoMajor != 2 {
		t.Fatalf("answered %s %s, want 202 over HTTP/2", res.Proto, res.Status)
	}
	id := r.newest(t)
	compare(t, r.app.next(t), r.filled(message(body, "PUT /a%2Fb//..?x=1&x=2;y HTTP/1.1", "host: {host}",
		"accept-encoding: gzip", strings.ToLower(length(body)), "user-agent: sender/1", "x-a: Jos\xe9", "x-b: 2", "x-b: 1", added), id))
	row, err := r.store.Event(t.Context(), id)
	if err != nil || !row.Parsed || row.Proto != "HTTP/2.0" || row.App != "shop" {
		t.Errorf("event %+v, %v; want one of shop over HTTP/2.0 with its head parsed", row.Event, err)
	}
}

// TestBareCarriageReturnIsKeptAndNotSent: some readers end a line there, so
// such a target could carry a second request. It is on the tape, and its
// attempt says why it went nowhere.
func TestBareCarriageReturnIsKeptAndNotSent(t *testing.T) {
	r := newRig(t, memory(t), 1)
	res := send(t, r.ingest, message("", "GET /a\rX-Smuggled: HTTP/1.1", "Host: x"))
	row, err := r.store.Event(t.Context(), res.id)
	if err != nil || row.Target != "/a\rX-Smuggled:" {
		t.Fatalf("kept target %q, %v", row.Target, err)
	}
	a := r.finished(t, res.id)
	if a.Error == nil || a.Error.Class != capture.FailProtocol || len(r.app.got) > 0 {
		t.Errorf("attempt ended with %+v and %d requests were sent; want a failure of class protocol and none", a.Error, len(r.app.got))
	}
}

// finished waits for the first attempt of an event to be over.
func (r *rig) finished(t testing.TB, event capture.ID) capture.Attempt {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	changed := r.store.Watch(ctx)
	for {
		all, err := r.store.Attempts(t.Context(), capture.AttemptQuery{Event: event})
		if err != nil {
			t.Fatal(err)
		}
		if n := len(all); n > 0 && all[n-1].Status != capture.AttemptPending {
			return all[n-1]
		}
		if _, ok := <-changed; !ok {
			t.Fatalf("no attempt of %s was finished", event)
		}
	}
}

// newest is the id of the event kept last.
func (r *rig) newest(t testing.TB) capture.ID {
	t.Helper()
	page, err := r.store.Events(t.Context(), capture.Query{Limit: 1})
	if err != nil || len(page.Rows) != 1 {
		t.Fatalf("newest event: %+v, %v", page, err)
	}
	return page.Rows[0].ID
}

func (r *rig) filled(want string, id capture.ID) string {
	return strings.NewReplacer("{host}", r.app.addr, "{id}", string(id)).Replace(want)
}

// compare tells two messages apart and shows where.
func compare(t testing.TB, got, want string) {
	t.Helper()
	if got == want {
		return
	}
	at := 0
	for at < min(len(got), len(want)) && got[at] == want[at] {
		at++
	}
	around := func(s string) string { return s[max(0, min(at-200, len(s))):min(len(s), at+200)] }
	t.Errorf("differs at byte %d of %d (want %d)\n got …%q…\nwant …%q…", at, len(got), len(want), around(got), around(want))
}

func numbered(n int) []string {
	lines := make([]string, n)
	for i := range lines {
		lines[i] = fmt.Sprintf("x-%d: %d", n-i, i)
	}
	return lines
}

func zipped(s string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	io.WriteString(w, s)
	w.Close()
	return b.String()
}
