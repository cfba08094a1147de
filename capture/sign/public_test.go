package sign_test

import (
	"testing"
	"time"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/sign"
)

// TestPublicHalfVerifies: what is given to receivers verifies what the whole
// secret signs, and cannot sign itself.
func TestPublicHalfVerifies(t *testing.T) {
	halves := 0
	now := time.Unix(1_800_000_000, 0)
	for _, name := range sign.Names() {
		s, _ := sign.Lookup(name)
		secret := s.NewSecret()
		public := s.Public(secret)
		if public == "" {
			continue
		}
		halves++
		if s.CanSign(public) || s.Public(public) != "" {
			t.Errorf("%s: the public half signs", name)
		}
		if name == "paypal" { // whose certificate does not say whose webhook it is
			public = "webhook-id: w\n" + public
		}
		if err := s.Check(public); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if halves < 5 {
		t.Errorf("only %d schemes have two halves", halves)
	}
	s, _ := sign.Lookup("discord")
	secret := s.NewSecret()
	r := &sign.Request{Method: "POST", Body: []byte(`{"type":1}`), Headers: capture.Headers{{"X-Signature-Ed25519", ""}, {"X-Signature-Timestamp", ""}}}
	if err := s.Sign(r, sign.How{At: now, Secrets: []sign.Secret{{Name: "discord", Text: secret}}}); err != nil {
		t.Fatal(err)
	}
	if v := s.Verify(r, now, sign.Secret{Name: "public", Text: s.Public(secret)}); v.Verdict != capture.Valid {
		t.Errorf("the verdict is %+v", v)
	}
}
