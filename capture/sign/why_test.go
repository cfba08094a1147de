package sign_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/sign"
)

var made = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// arriving is a webhook of the scheme as it was sent.
func arriving(t testing.TB, name, body, secret string) *sign.Request {
	t.Helper()
	r := fresh(name)
	r.Body = []byte(body)
	if err := scheme(t, name).Sign(r, sign.How{At: made, Secrets: []sign.Secret{{Text: secret}}}); err != nil {
		t.Fatal(err)
	}
	return r
}

func header(r *sign.Request, name string, change func(string) string) {
	for i := range r.Headers {
		if strings.EqualFold(r.Headers[i][0], name) {
			r.Headers[i][1] = change(r.Headers[i][1])
		}
	}
}

// What goes wrong with webhooks, and whether it is found.
func TestMistakes(t *testing.T) {
	const hush, b64 = "hush", "aHVzaGh1c2hodXNoaHVzaGh1c2hodXNo"
	doc := `{"id":"evt_1","s":"é/<b>","n":[1,2.50,{}],"e":"\u00fc"}`
	swap := func(from, to string) func(*sign.Request) {
		return func(r *sign.Request) { r.Body = bytes.Replace(r.Body, []byte(from), []byte(to), 1) }
	}
	for _, tt := range []struct {
		name, scheme, signedBy, body, secret string
		happens                              func(*sign.Request)
		cause                                capture.Cause
		says                                 string
	}{
		{"secret with a line end", "stripe", hush, doc, "hush\n", nil, capture.CauseBlank, "blanks or line ends"},
		{"sender's secret with a line end", "github", "hush\n", doc, hush, nil, capture.CauseBlank, `"\n" behind it`},
		{"no secret at the sender", "github", hush, doc, hush, func(r *sign.Request) {
			header(r, "X-Hub-Signature-256", func(string) string {
				return "sha256=b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"
			})
			r.Body = nil
		}, capture.CauseSecret, "empty secret"},
		{"whsec_ decoded", "stripe", base64Text(b64), doc, "whsec_" + b64, nil, capture.CauseKey, "decoded from base64"},
		{"hexadecimal decoded", "github", "\x01\x02\x03\x04", doc, "01020304", nil, capture.CauseKey, "hexadecimal"},
		{"line end lost", "github", hush, doc + "\r\n", hush, func(r *sign.Request) { r.Body = bytes.TrimSpace(r.Body) }, capture.CauseNewline, `\r\n`},
		{"line end gained", "shopify", hush, doc, hush, func(r *sign.Request) { r.Body = append(r.Body, '\n') }, capture.CauseNewline, "without the line end"},
		{"sent compact, came indented", "stripe", hush, `{"a":[1,{"b":2}],"c":{},"d":[]}`, hush,
			func(r *sign.Request) {
				r.Body = []byte("{\n  \"a\": [\n    1,\n    {\n      \"b\": 2\n    }\n  ],\n  \"c\": {},\n  \"d\": []\n}")
			}, capture.CauseRewrite, "without spaces"},
		{"sent indented, came compact", "stripe", hush, "{\n  \"a\": [\n    1,\n    {\n      \"b\": 2\n    }\n  ],\n  \"c\": {},\n  \"d\": []\n}", hush,
			func(r *sign.Request) { r.Body = []byte(`{"a":[1,{"b":2}],"c":{},"d":[]}`) }, capture.CauseRewrite, "by 2 spaces"},
		{"sent by Python, came compact", "shopify", hush, `{"a": [1, 2], "b": {"c": null}}`, hush,
			func(r *sign.Request) { r.Body = []byte(`{"a":[1,2],"b":{"c":null}}`) }, capture.CauseRewrite, "Python"},
		{"sent escaped, came as letters", "meta", hush, `{"a":"\u00e9\ud83d\ude00"}`, hush, swap(`\u00e9\ud83d\ude00`, "é😀"), capture.CauseRewrite, `\u escapes`},
		{"sent by PHP", "shopify", hush, `{"a":"\u00e9\/"}`, hush, swap(`\u00e9\/`, "é/"), capture.CauseRewrite, "PHP"},
		{"sent by Go", "github", hush, `{"a":"\u003c\u0026"}`, hush, swap(`\u003c\u0026`, "<&"), capture.CauseRewrite, "Go"},
		{"came escaped by Go", "github", hush, `{"a":"<&é"}`, hush, swap(`<&é`, `\u003c\u0026é`), capture.CauseRewrite, "letters in place of escapes"},
		{"sent sorted", "github", hush, `{"a":1,"b":{"c":1,"d":2}}`, hush, swap(`{"a":1,"b":{"c":1,"d":2}}`, `{"b":{"d":2,"c":1},"a":1}`), capture.CauseRewrite, "order of their names"},
		{"no body", "github", hush, "", hush, func(r *sign.Request) { r.Body = []byte("{}") }, capture.CauseRewrite, "no body"},
		{"latin1", "github", hush, "é", hush, func(r *sign.Request) { r.Body = []byte("\xe9") }, capture.CauseCharset, "UTF-8"},
		{"mojibake", "github", hush, "é", hush, func(r *sign.Request) { r.Body = []byte("Ã©") }, capture.CauseCharset, "Latin-1"},
		{"byte order mark", "github", hush, doc, hush, func(r *sign.Request) { r.Body = append([]byte("\ufeff"), r.Body...) }, capture.CauseCharset, "byte order mark"},
		{"form, %20", "slack", hush, "a=b%20c&d=", hush, func(r *sign.Request) {
			r.Body = []byte("a=b+c&d=")
			r.Headers = with(r.Headers, "Content-Type", form)
		}, capture.CauseRewrite, "%20"},
		{"form, +", "slack", hush, "a=b+c&d=", hush, func(r *sign.Request) {
			r.Body = []byte("a=b%20c&d=")
			r.Headers = with(r.Headers, "Content-Type", form)
		}, capture.CauseRewrite, "+ for blanks"},
		{"upper case", "github", hush, doc, hush, func(r *sign.Request) {
			header(r, "X-Hub-Signature-256", func(s string) string { return "sha256=" + strings.ToUpper(s[7:]) })
		}, capture.CauseEncoding, "upper case"},
		{"hexadecimal for base64", "shopify", hush, doc, hush, func(r *sign.Request) {
			header(r, "X-Shopify-Hmac-Sha256", func(s string) string { return hex.EncodeToString([]byte(base64Text(s))) })
		}, capture.CauseEncoding, "base64"},
		{"base64 without padding", "standard-webhooks", first, doc, first, func(r *sign.Request) {
			header(r, "webhook-signature", func(s string) string { return strings.TrimRight(s, "=") })
		}, capture.CauseEncoding, "base64"},
		{"no tag", "github", hush, doc, hush, func(r *sign.Request) {
			header(r, "X-Hub-Signature-256", func(s string) string { return s[7:] })
		}, capture.CauseFormat, "sha256="},
		{"http", "twilio", hush, "a=1", hush, func(r *sign.Request) { r.URL = strings.Replace(r.URL, "https", "http", 1) }, capture.CauseURL, "with https"},
		{"without the query", "square", hush, doc, hush, func(r *sign.Request) { r.URL = "https://example.com/hook?a=1&b=2" }, capture.CauseUnproved, ""},
		{"slash", "trello", hush, doc, hush, func(r *sign.Request) { r.URL = "https://example.com/hook/?a=1" }, capture.CauseURL, "without the slash"},
		{"another query", "twilio", hush, "a=1", hush, func(r *sign.Request) { r.URL = "https://example.com/hook?b=1" }, capture.CauseUnproved, ""},
		{"milliseconds", "slack", hush, doc, hush, func(r *sign.Request) {
			header(r, "X-Slack-Request-Timestamp", func(s string) string { return s + "000" })
		}, capture.CauseStamp, "seconds"},
		{"the proxy's time", "standard-webhooks", first, doc, first, func(r *sign.Request) {
			r.Headers = append(r.Headers, capture.Header{"Date", made.Format("Mon, 02 Jan 2006 15:04:05 GMT")})
			header(r, "webhook-timestamp", func(s string) string { return "1767323046" })
		}, capture.CauseStamp, "Date header"},
		{"not a time", "stripe", hush, doc, hush, func(r *sign.Request) {
			header(r, "Stripe-Signature", func(s string) string { return "t=NaN," + s })
			header(r, "Stripe-Signature", func(s string) string { return strings.Replace(s, ",t=1767323045", "", 1) })
		}, capture.CauseFormat, "unix seconds"},
		{"no time", "slack", hush, doc, hush, func(r *sign.Request) { r.Headers = r.Headers.Without("X-Slack-Request-Timestamp") }, capture.CauseMissing, "X-Slack-Request-Timestamp"},
		{"the text of whsec_", "standard-webhooks", first, doc, first, func(r *sign.Request) {
			copied := &sign.Request{Body: []byte("evt_1.1767323045." + doc)}
			if err := scheme(t, "shopify").Sign(copied, sign.How{Secrets: named(first)}); err != nil {
				t.Fatal(err)
			}
			r.Headers = capture.Headers{{"webhook-id", "evt_1"}, {"webhook-timestamp", "1767323045"}, {"webhook-signature", "v1," + copied.Headers.First("X-Shopify-Hmac-Sha256")}}
		}, capture.CauseKey, "taken as text"},
		{"SHA-1", "github", hush, doc, hush, func(r *sign.Request) {
			sha1 := strings.TrimPrefix(r.Headers.First("X-Hub-Signature"), "sha1=")
			header(r, "X-Hub-Signature-256", func(string) string { return "sha256=" + sha1 })
		}, capture.CauseScheme, "HMAC-SHA1"},
		{"only the older one", "github", hush, doc, hush, func(r *sign.Request) {
			header(r, "X-Hub-Signature-256", func(string) string { return "sha256=" + strings.Repeat("0", 64) })
		}, capture.CauseScheme, "X-Hub-Signature is right"},
		{"the body alone", "stripe", hush, doc, hush, func(r *sign.Request) {
			other := arriving(t, "github", doc, hush).Headers.First("X-Hub-Signature-256")
			header(r, "Stripe-Signature", func(s string) string { return "t=1767323045,v1=" + other[7:] })
		}, capture.CauseScheme, "over {body}"},
		{"live, and the test secret", "stripe", hush, `{"livemode":true}`, "other", nil, capture.CauseMode, "live"},
		{"another secret", "stripe", hush, doc, "other", nil, capture.CauseUnproved, "another secret's"},
		{"another body", "slack", hush, doc, hush, func(r *sign.Request) { r.Body = []byte("{}") }, capture.CauseUnproved, ""},
		{"no secret at all", "discord", strings.Repeat("", 0), doc, "hush", nil, capture.CauseUnproved, "64 hexadecimal digits"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.signedBy == "" {
				tt.signedBy = scheme(t, tt.scheme).NewSecret()
			}
			r := fresh(tt.scheme)
			r.Body = []byte(tt.body)
			if err := scheme(t, tt.scheme).Sign(r, sign.How{At: made, Secrets: []sign.Secret{{Text: tt.signedBy}}}); err != nil {
				t.Fatal(err)
			}
			if tt.happens != nil {
				tt.happens(r)
			}
			v := scheme(t, tt.scheme).Verify(r, made.Add(time.Minute), sign.Secret{Name: "x/test", Text: tt.secret})
			if v.Verdict != capture.Invalid || v.Cause != tt.cause || !strings.Contains(v.Detail, tt.says) {
				t.Errorf("%s, %s, %q; want %s, …%s…\n%v\n%s", v.Verdict, v.Cause, v.Detail, tt.cause, tt.says, r.Headers, r.Body)
			}
			if len(tt.secret) > 5 && strings.Contains(v.Detail, tt.secret) {
				t.Errorf("%q tells the secret", v.Detail)
			}
		})
	}
}

func base64Text(s string) string {
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// A receiver behind a proxy sees another URL than the sender.
func TestProxiedURLsAreRight(t *testing.T) {
	const hush = "hush"
	for _, tt := range []struct {
		scheme, url string
		headers     capture.Headers
		want        capture.Verdict
	}{
		{"twilio", "http://10.0.0.1:8080/hook?a=1", capture.Headers{{"X-Forwarded-Proto", "https"}, {"X-Forwarded-Host", "example.com"}}, capture.Valid},
		{"square", "http://example.com/hook?a=1", capture.Headers{{"X-Forwarded-Proto", "https, http"}}, capture.Valid},
		{"twilio", "https://example.com:443/hook?a=1", nil, capture.Valid},
		{"square", "https://example.com:443/hook?a=1", nil, capture.Invalid},
		{"twilio", "", nil, capture.Unchecked},
	} {
		r := arriving(t, tt.scheme, fmt.Sprint(url.Values{"a": {"b"}}.Encode()), hush)
		r.URL, r.Headers = tt.url, append(r.Headers, tt.headers...)
		if v := scheme(t, tt.scheme).Verify(r, made, sign.Secret{Name: "x", Text: hush}); v.Verdict != tt.want {
			t.Errorf("%s at %q: %+v, want %s", tt.scheme, tt.url, v, tt.want)
		}
	}
}

func TestOf3Hours(t *testing.T) {
	r := arriving(t, "stripe", "{}", "hush")
	v := scheme(t, "stripe").Verify(r, made.Add(3*time.Hour+2*time.Minute), named("hush")...)
	if want := "made 3 h 2 min ago, and stripe webhooks are good for 5 min"; v.Verdict != capture.Stale || v.Detail != want {
		t.Errorf("%s, %q; want %q", v.Verdict, v.Detail, want)
	}
}
