package sign_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/sign"
)

// BenchmarkEngine is held against two plain MACs of the same bytes: signing
// is one, verifying the other.
func BenchmarkEngine(b *testing.B) {
	body, now := bytes.Repeat([]byte("x"), 1024), time.Unix(1_800_000_000, 0)
	for name, secret := range map[string]string{"github": "hush", "stripe": "whsec_hush", "slack": "hush", "standard-webhooks": first} {
		b.Run(name+", sign and verify", func(b *testing.B) {
			s, secrets := scheme(b, name), []sign.Secret{{Name: "x", Text: secret}}
			b.ReportAllocs()
			for b.Loop() {
				r := sign.Request{Headers: capture.Headers{{"Content-Type", "text/plain"}, {"webhook-id", "evt_1"}, {"X-GitHub-Delivery", "1"}, {"X-Hub-Signature-256", "x"}}, Body: body}
				if err := s.Sign(&r, sign.How{At: now, Secrets: secrets}); err != nil {
					b.Fatal(err)
				}
				if v := s.Verify(&r, now, secrets...); v.Verdict != capture.Valid {
					b.Fatal(v)
				}
			}
		})
	}
	b.Run("crypto/hmac twice", func(b *testing.B) {
		key, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(first, "whsec_"))
		b.ReportAllocs()
		for b.Loop() {
			var sums [2][]byte
			for i := range sums {
				mac := hmac.New(sha256.New, key)
				mac.Write([]byte("evt_1.1800000000."))
				mac.Write(body)
				sums[i] = mac.Sum(nil)
			}
			if !hmac.Equal(sums[0], sums[1]) {
				b.Fatal("differ")
			}
		}
	})
}
