package sign_test

import (
	"crypto/sha256"
	"encoding/hex"
	"testing"
	"time"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/sign"
)

// What became of a body behind its sender's back is told, also where a parser
// dropped the line end that SendGrid signs, and where Twilio signs a digest.
func TestSpoiltBodies(t *testing.T) {
	now := time.Unix(1795301509, 0)
	digest := sha256.Sum256([]byte(`{"jars": 2}`))
	byDigest := "https://larder.example.com/?bodySHA256=" + hex.EncodeToString(digest[:])
	const events = `[{"event":"open","sg_event_id":"1"}]`
	for name, v := range map[string]struct {
		scheme, url, signed, came string
		want                      capture.Cause
	}{
		"a line end dropped":              {"sendgrid", "", events + "\r\n", events, capture.CauseNewline},
		"a line end and the spaces gone":  {"sendgrid", "", events + "\r\n", `[ {"event": "open", "sg_event_id": "1"} ]`, capture.CauseRewrite},
		"a Unix line end dropped":         {"sendgrid", "", events + "\n", "[\n  {\"event\":\"open\",\"sg_event_id\":\"1\"}\n]", capture.CauseRewrite},
		"another event":                   {"sendgrid", "", events + "\r\n", `[{"event":"open","sg_event_id":"2"}]`, capture.CauseUnproved},
		"a digest and a line end":         {"twilio", byDigest, `{"jars": 2}`, "{\"jars\": 2}\n", capture.CauseNewline},
		"a digest and spaces":             {"twilio", byDigest, `{"jars": 2}`, `{"jars":2}`, capture.CauseRewrite},
		"a digest of another body":        {"twilio", byDigest, `{"jars": 2}`, `{"jars":3}`, capture.CauseUnproved},
		"a digest of the body that comes": {"twilio", byDigest, `{"jars": 2}`, `{"jars": 2}`, ""},
	} {
		s := scheme(t, v.scheme)
		secret := sign.Secret{Name: "own", Text: s.NewSecret()}
		r := &sign.Request{Method: "POST", URL: v.url, Headers: capture.Headers{{"Content-Type", "application/json"}}, Body: []byte(v.signed)}
		if err := s.Sign(r, sign.How{At: now, Secrets: []sign.Secret{secret}}); err != nil {
			t.Fatal(err)
		}
		r.Body = []byte(v.came)
		if got := s.Verify(r, now, secret); got.Cause != v.want {
			t.Errorf("%s: %s, %s; want %q", name, got.Cause, got.Detail, v.want)
		}
	}
}

// What somebody else signs for a provider is signed even before there is a
// header that says so.
func TestSignedByAnother(t *testing.T) {
	for name, want := range map[string]string{"clerk": "svix", "openai": "standard-webhooks", "resend": "svix"} {
		s, ok := sign.Of(name, &sign.Request{Method: "POST", Body: []byte("{}")})
		if !ok || s.Name() != want {
			t.Errorf("%s is signed by %v, %t; want %s", name, s, ok, want)
		}
	}
}
