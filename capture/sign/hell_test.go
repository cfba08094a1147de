package sign_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/sign"
)

// Of many signatures in one header the first hundred are looked at.
func TestManySignatures(t *testing.T) {
	wrong := "v1=" + strings.Repeat("0", 64)
	for _, tt := range []struct {
		before int
		want   capture.Verdict
	}{{0, capture.Valid}, {99, capture.Valid}, {100, capture.Invalid}, {10_000, capture.Invalid}} {
		r := arriving(t, "stripe", "{}", "hush")
		header(r, "Stripe-Signature", func(s string) string {
			stamp, right, _ := strings.Cut(s, ",")
			return stamp + "," + strings.Repeat(wrong+",", tt.before) + right
		})
		if v := scheme(t, "stripe").Verify(r, made, named("hush")...); v.Verdict != tt.want {
			t.Errorf("behind %d wrong ones: %+v, want %s", tt.before, v, tt.want)
		}
	}
}

// Whatever a request holds, judging it takes no longer than reading it a few
// dozen times.
func TestBoundedWork(t *testing.T) {
	mib := strings.Repeat("x", 1<<20)
	for name, r := range map[string]*sign.Request{
		"header of 1 MiB":       {Headers: capture.Headers{{"Stripe-Signature", "t=1,v1=" + mib}}},
		"500,000 signatures":    {Headers: capture.Headers{{"Stripe-Signature", "t=1," + strings.Repeat("v1=,v1=0,", 1<<16)}}},
		"500,000 commas":        {Headers: capture.Headers{{"Stripe-Signature", strings.Repeat(",", 1<<19)}}},
		"body of 256 KiB":       {Headers: capture.Headers{{"Stripe-Signature", "t=1,v1=00"}}, Body: []byte(`["` + mib[:250<<10] + `"]`)},
		"body that nests":       {Headers: capture.Headers{{"Stripe-Signature", "t=1,v1=00"}}, Body: []byte(strings.Repeat("[", 9999) + strings.Repeat("]", 9999))},
		"body of nested names":  {Headers: capture.Headers{{"Stripe-Signature", "t=1,v1=00"}}, Body: []byte(strings.Repeat(`{"a":`, 9999) + "1" + strings.Repeat("}", 9999))},
		"body of 8 MiB":         {Headers: capture.Headers{{"Stripe-Signature", "t=1,v1=00"}}, Body: []byte(`["` + strings.Repeat(mib, 8) + `"]`)},
		"many items":            {Body: []byte(`{"notificationItems":[` + strings.Repeat(`{"NotificationRequestItem":{"pspReference":"1","additionalData":{"hmacSignature":"eA=="}}},`, 5000) + `1]}`)},
		"escapes in every byte": {Headers: capture.Headers{{"Stripe-Signature", "t=1,v1=00"}}, Body: []byte(`["` + strings.Repeat(`\u00e9`, 40<<10) + `"]`)},
	} {
		for _, of := range []string{"stripe", "adyen"} {
			start := time.Now()
			scheme(t, of).Verify(r, made, named("00ff", "01ff", "02ff")...)
			if took := time.Since(start); took > 10*time.Second {
				t.Errorf("%s, %s: %s", name, of, took)
			} else {
				t.Logf("%s, %s: %s", name, of, took)
			}
		}
	}
}

func TestStamps(t *testing.T) {
	for stamp, want := range map[string]capture.Verdict{
		"1767323045":                     capture.Valid,
		"-1767323045":                    capture.Invalid,
		"+1767323045":                    capture.Invalid,
		"1767323045.0":                   capture.Invalid,
		"NaN":                            capture.Invalid,
		"0x69573465":                     capture.Invalid,
		"":                               capture.Invalid,
		strings.Repeat("9", 40):          capture.Invalid,
		fmt.Sprint(uint64(1) << 63):      capture.Invalid,
		fmt.Sprint(int64(1) << 61):       capture.Stale,
		"0":                              capture.Stale,
		fmt.Sprint(int64(math.MaxInt32)): capture.Stale,
	} {
		mac := hmac.New(sha256.New, []byte("hush"))
		mac.Write([]byte("v0:" + stamp + ":{}"))
		r := &sign.Request{Body: []byte("{}"), Headers: capture.Headers{{"X-Slack-Request-Timestamp", stamp}, {"X-Slack-Signature", "v0=" + hex.EncodeToString(mac.Sum(nil))}}}
		if v := scheme(t, "slack").Verify(r, made, named("hush")...); v.Verdict != want || v.Detail == "" && want != capture.Valid {
			t.Errorf("%q: %+v, want %s", stamp, v, want)
		}
	}
}

// A secret is bytes where it is text.
func TestSecretsThatAreNoText(t *testing.T) {
	secret := "\xff\x00\xfe hush é"
	r := arriving(t, "github", "{}", secret)
	if v := scheme(t, "github").Verify(r, made, named(secret)...); v.Verdict != capture.Valid {
		t.Errorf("%+v", v)
	}
}

// FuzzVerify: no request breaks any scheme, signed or not, and what is called
// valid of three of them is.
func FuzzVerify(f *testing.F) {
	f.Add("Stripe-Signature", "t=1767323045,v1=00", []byte(`{"id":"evt_1"}`), "hush", "https://example.com/")
	f.Add("X-Hub-Signature-256", "sha256=00", []byte("\xff"), "\xff", "")
	f.Add("X-Shopify-Hmac-Sha256", "AAAA", []byte("{}"), "whsec_AAEC", "x")
	f.Add("Content-Type", form, []byte("signature=00&token=%zz&timestamp=1"), "00ff", "http://[::1]:80?")
	f.Add("PAYPAL-CERT-URL", "https://x@api.paypal.com", []byte(bodies["aws-sns"]), "webhook-id: 1\n-----BEGIN", "://")
	f.Add("X", "", []byte(bodies["adyen"]), "00", "")
	f.Add("X", "", []byte(bodies["mailgun"]), "0", "")
	names := sign.Names()
	f.Fuzz(func(t *testing.T, name, value string, body []byte, secret, url string) {
		r := &sign.Request{Method: "POST", URL: url, Headers: capture.Headers{{name, value}, {"webhook-id", "a"}, {"webhook-timestamp", "1767323045"}}, Body: body}
		for _, n := range names {
			s := scheme(t, n)
			given := sign.Secret{Name: "x", Text: secret}
			v := s.Verify(r, made, given)
			if v.Verdict == "" || v.Verdict == capture.Valid && s.Check(secret) != nil {
				t.Errorf("%s: %+v by %q", n, v, secret)
			}
			if e := s.Explain(r, made, given); e.Verdict != v.Verdict || len(e.Steps) == 0 {
				t.Errorf("%s: explained %s, verified %s", n, e.Verdict, v.Verdict)
			}
			mac := hmac.New(sha256.New, []byte(secret))
			mac.Write(body)
			sum := mac.Sum(nil)
			if v.Verdict == capture.Valid && (n == "github" && !strings.HasSuffix(value, hex.EncodeToString(sum)) && strings.EqualFold(name, "X-Hub-Signature-256") ||
				n == "shopify" && value != base64.StdEncoding.EncodeToString(sum)) {
				t.Errorf("%s: %q is valid", n, value)
			}
			signed := *r
			if err := s.Sign(&signed, sign.How{At: made, Secrets: []sign.Secret{given}, New: true}); err != nil {
				continue
			}
			if v := s.Verify(&signed, made, given); v.Verdict != capture.Valid {
				t.Errorf("%s: signed, and %+v: %q %q", n, v, signed.Headers, signed.Body)
			}
			if bytes.Contains([]byte(v.Detail), []byte("\x1b")) {
				t.Errorf("%s: %q", n, v.Detail)
			}
		}
	})
}
