package relay_test

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/provider"
	"code.hooktape.dev/hooktape/capture/seal"
	"code.hooktape.dev/hooktape/capture/sign"
	"code.hooktape.dev/hooktape/relay"
	"code.hooktape.dev/hooktape/relay/front"
	"code.hooktape.dev/hooktape/store"
)

// verified is an Ingest over s that judges signatures, and its registry, whose
// process knows these secrets.
func verified(t testing.TB, s *store.Store, process map[string]string) (*relay.Ingest, *relay.Registry) {
	t.Helper()
	r, err := relay.NewRegistry(t.Context(), s, relay.Hooks{Secrets: func() map[string]string { return process }})
	if err != nil {
		t.Fatal(err)
	}
	return &relay.Ingest{Keep: s.Keep, Route: r.Route, Challenge: r.Challenge, Verify: r.Verify, SealTo: r.SealTo, Log: logs(t)}, r
}

// signedBy is a request of a scheme, signed as its provider does; url is "" for
// schemes that do not sign it.
func signedBy(t testing.TB, scheme, secret, url, body string, headers ...capture.Header) *sign.Request {
	t.Helper()
	s, ok := sign.Lookup(scheme)
	if !ok {
		t.Fatalf("no scheme %s", scheme)
	}
	r := &sign.Request{Method: "POST", URL: url, Headers: headers, Body: []byte(body)}
	if err := s.Sign(r, sign.How{At: time.Now(), Secrets: []sign.Secret{{Text: secret}}, New: true}); err != nil {
		t.Fatal(err)
	}
	return r
}

// raw is a request on the wire.
func raw(target, host string, r *sign.Request) string {
	lines := []string{"POST " + target + " HTTP/1.1", "Host: " + host}
	for _, h := range r.Headers {
		lines = append(lines, h[0]+": "+h[1])
	}
	return message(string(r.Body), append(lines, length(string(r.Body)))...)
}

// newest is the event that was kept last.
func newest(t testing.TB, s *store.Store) capture.Row {
	t.Helper()
	page, err := s.Events(t.Context(), capture.Query{Limit: 1})
	if err != nil || len(page.Rows) != 1 {
		t.Fatalf("%d events, %v", len(page.Rows), err)
	}
	return page.Rows[0]
}

// What comes is judged by the secrets of its app, then by those of the process,
// and the verdict names the one that made it.
func TestVerifiedByWhoseSecret(t *testing.T) {
	s := memory(t)
	in, r := verified(t, s, map[string]string{"github": "process", "stripe/test": "whsec_process"})
	if _, err := r.CreateApp(t.Context(), "shop", capture.AppSpec{Secrets: map[string]string{"github/old": "older", "github": "apps"}}); err != nil {
		t.Fatal(err)
	}
	addr := serve(t, in)
	push := capture.Header{"X-GitHub-Event", "push"}
	for _, tt := range []struct {
		what, target, scheme, secret string
		headers                      capture.Headers
		verdict                      capture.Verdict
		by                           string
	}{
		{"the app's", "/in/shop/x", "github", "apps", capture.Headers{push}, capture.Valid, "github"},
		{"another of the app", "/in/shop/x", "github", "older", capture.Headers{push}, capture.Valid, "github/old"},
		{"the process's, for an app with its own", "/in/shop/x", "github", "process", capture.Headers{push}, capture.Valid, "github"},
		{"the app's, sent to another app", "/in/other/x", "github", "apps", capture.Headers{push}, capture.Invalid, ""},
		{"the process's", "/", "github", "process", capture.Headers{push}, capture.Valid, "github"},
		{"the process's with a label", "/", "stripe", "whsec_process", nil, capture.Valid, "stripe/test"},
		{"nobody's", "/", "github", "nobody", capture.Headers{push}, capture.Invalid, ""},
		{"of a scheme that nobody knows a secret of", "/", "linear", "lin_wh_x", nil, capture.Unchecked, ""},
	} {
		body := `{"type":"x","data":{"object":{}},"webhookTimestamp":1}`
		if res := send(t, addr, raw(tt.target, "x", signedBy(t, tt.scheme, tt.secret, "", body, tt.headers...))); res.status != 202 {
			t.Fatalf("%s: answered %d %s", tt.what, res.status, res.body)
		}
		got := newest(t, s)
		if sig := got.Signature; sig.Verdict != tt.verdict || tt.by != "" && sig.Secret != tt.by || sig.Verdict != capture.Unchecked && !sig.Checked.Equal(got.Received) {
			t.Errorf("%s: %+v, want %s by %q", tt.what, sig, tt.verdict, tt.by)
		}
		if text, err := json.Marshal(got); err != nil || strings.Contains(string(text), `"`+tt.secret) {
			t.Errorf("%s: it tells the secret, or %v: %s", tt.what, err, text)
		}
	}
}

// Of a request that was refused nothing is judged, and of one that is sealed
// nothing until somebody opens it: then it is by the URL it was sent to.
func TestSealedIsVerifiedOnceOpened(t *testing.T) {
	s := memory(t)
	file, err := seal.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	keys, err := seal.ReadKeys(strings.NewReader(string(file)))
	if err != nil {
		t.Fatal(err)
	}
	in, r := verified(t, s, map[string]string{"square": "hush"})
	if _, err := r.CreateApp(t.Context(), "shop", capture.AppSpec{SealTo: keys.Recipients()}); err != nil {
		t.Fatal(err)
	}
	const url = "http://relay.example/in/shop/hooks"
	send(t, serve(t, in), raw("/in/shop/hooks", "relay.example", signedBy(t, "square", "hush", url, `{"type":"payment.updated","merchant_id":"M"}`)))
	row := newest(t, s)
	if row.URL != "" || row.Signature != (capture.Signature{Verdict: capture.Unchecked}) || !row.Sealed {
		t.Errorf("sealed, it says %q and %+v", row.URL, row.Signature)
	}
	if _, err := r.Signature(t.Context(), row.ID, time.Time{}, "hush"); !errors.Is(err, capture.ErrSealed) {
		t.Errorf("judged here: %v", err)
	}
	body, err := s.Body(t.Context(), row.ID)
	if err != nil {
		t.Fatal(err)
	}
	e, opened, err := seal.Open(&row.Event, body, keys)
	if err != nil {
		t.Fatal(err)
	}
	provider.Describe(e, opened)
	_, listener := verified(t, memory(t), map[string]string{"square": "hush"})
	if listener.Verify(e, opened); e.URL != url || e.Signature.Verdict != capture.Valid {
		t.Errorf("opened, it is of %q and %+v", e.URL, e.Signature)
	}
}

// Senders that sign the URL sign the one they know: behind proxies that is not
// the one we were called by.
func TestURLAsItsSenderCallsIt(t *testing.T) {
	const key = "ik_0123456789abcdefghjkmnpqrs"
	s := memory(t)
	in, _ := verified(t, s, map[string]string{"square": "hush"})
	in.Route = func(name string) (string, capture.Answer, bool) { return capture.DefaultApp, capture.Answer{}, true }
	other := *in
	plain, secure := proxied(t, in, "http"), proxied(t, &other, "https")
	shown := func(url string) string { return strings.Replace(url, key, "ik_****pqrs", 1) }
	for _, tt := range []struct {
		what, addr, target, host, url string
		headers                       capture.Headers
	}{
		{"plain", plain, "/hooks?a=%20b", "relay.example", "http://relay.example/hooks?a=%20b", nil},
		{"a port", plain, "/hooks", "relay.example:8080", "http://relay.example:8080/hooks", nil},
		{"TLS", secure, "/hooks", "relay.example", "https://relay.example/hooks", nil},
		{"an ingest key", plain, "/in/" + key + "/hooks", "relay.example", "http://relay.example/in/" + key + "/hooks", nil},
		{"an ingest key alone", plain, "/in/" + key, "relay.example", "http://relay.example/in/" + key, nil},
		{"absolute form", plain, "http://relay.example/in/" + key + "/x", "relay.example", "http://relay.example/in/" + key + "/x", nil},
		{"two slashes", plain, "//hooks//", "relay.example", "http://relay.example//hooks//", nil},
		{"a trusted proxy that ended TLS", plain, "/hooks", "inner", "https://relay.example/hooks",
			capture.Headers{{"X-Forwarded-For", "203.0.113.9"}, {"X-Forwarded-Proto", "https"}, {"X-Forwarded-Host", "relay.example"}}},
		{"RFC 7239", plain, "/hooks", "inner", "https://relay.example/hooks", capture.Headers{{"Forwarded", `for=203.0.113.9;proto=https;host=relay.example`}}},
	} {
		req := signedBy(t, "square", "hush", tt.url, `{"type":"payment.updated"}`, tt.headers...)
		if tt.addr == secure {
			overTLS(t, tt.addr, raw(tt.target, tt.host, req))
		} else {
			send(t, tt.addr, raw(tt.target, tt.host, req))
		}
		e := newest(t, s)
		if string(e.URL) != tt.url || e.Signature.Verdict != capture.Valid {
			t.Errorf("%s: kept %q, %+v, want %q", tt.what, e.URL, e.Signature, tt.url)
		}
		text, err := json.Marshal(e)
		if err != nil || strings.Contains(string(text), key) || !strings.Contains(string(text), `"url":"`+shown(tt.url)+`"`) {
			t.Errorf("%s: %v, shown as %s", tt.what, err, text)
		}
	}
}

// Of HTTP/2 there is no head to be seen: the URL is that of its pseudo-header
// fields.
func TestURLOverHTTP2(t *testing.T) {
	s := memory(t)
	in, _ := verified(t, s, map[string]string{"square": "hush"})
	addr := serve(t, in)
	var h2 http.Protocols
	h2.SetUnencryptedHTTP2(true)
	client := &http.Client{Transport: &http.Transport{Protocols: &h2}}
	defer client.CloseIdleConnections()
	url := "http://" + addr + "/hooks?a=%20b"
	made := signedBy(t, "square", "hush", url, `{"type":"payment.updated"}`)
	req, err := http.NewRequestWithContext(t.Context(), "POST", url, strings.NewReader(string(made.Body)))
	if err != nil {
		t.Fatal(err)
	}
	req.Header = made.Headers.HTTP()
	res, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if e := newest(t, s); e.Proto != "HTTP/2.0" || string(e.URL) != url || e.Signature.Verdict != capture.Valid {
		t.Errorf("%s kept %q, %+v", e.Proto, e.URL, e.Signature)
	}
}

// proxied serves in as a relay does: behind what finds out who calls, with the
// heads as they were sent. Loopback is a proxy that is trusted.
func proxied(t testing.TB, in *relay.Ingest, scheme string) (addr string) {
	t.Helper()
	proxies, err := front.ParseProxies("loopback")
	if err != nil {
		t.Fatal(err)
	}
	proxies.Scheme = scheme
	l := net.Listener(listen(t))
	addr = l.Addr().String()
	if scheme == "https" {
		srv := httptest.NewTLSServer(nil) // lends its certificate
		t.Cleanup(srv.Close)
		l = tls.NewListener(l, &tls.Config{Certificates: srv.TLS.Certificates})
	}
	during(t, func(ctx context.Context) error { return in.ServeBeside(ctx, l, proxies.Handler(in)) })
	return addr
}

func overTLS(t testing.TB, addr, raw string) {
	t.Helper()
	c, err := tls.Dial("tcp", addr, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"http/1.1"}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(patience))
	io.WriteString(c, raw)
	b := make([]byte, 12)
	if _, err := io.ReadFull(c, b); err != nil || string(b) != "HTTP/1.1 202" {
		t.Fatalf("%q, %v", b, err)
	}
}
