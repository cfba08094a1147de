package sign_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/sign"
)

const (
	first  = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
	second = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
)

// Vectors that other implementations verify.
func TestStandardVectors(t *testing.T) {
	for name, v := range map[string]struct {
		id      string
		at      int64
		body    string
		secrets []string
		want    string
	}{
		"npm standardwebhooks": {"msg_1152921504606846977", 1767323045,
			`{"type":"invoice.paid","timestamp":"2026-01-02T03:04:05.000Z","data":{"invoice_id":"inv_1","amount":4200}}`,
			[]string{first}, "v1,CHC6Q+aQXQFM68RqHr6JLB4rZKfc/pOjVuxZujhvtZQ="},
		"the specification's": {"msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, `{"test": 2432232314}`,
			[]string{second}, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="},
		"without padding": {"msg_1152921504606846977", 1767323045,
			`{"type":"invoice.paid","timestamp":"2026-01-02T03:04:05.000Z","data":{"invoice_id":"inv_1","amount":4200}}`,
			[]string{strings.TrimRight(first, "=")}, "v1,CHC6Q+aQXQFM68RqHr6JLB4rZKfc/pOjVuxZujhvtZQ="},
		"two secrets": {"msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, `{"test": 2432232314}`,
			[]string{first, second}, "v1,O4Gjv1HqPqsMrjmczoggs/sWA8gZD0VyHG+fLh4+ktI= v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="},
	} {
		got, err := sign.Standard(v.id, time.Unix(v.at, 999), []byte(v.body), v.secrets...)
		if err != nil || got != v.want {
			t.Errorf("%s: %q, %v; want %q", name, got, err, v.want)
		}
	}
}

func TestStandardRefusesWhatItCannotSignWith(t *testing.T) {
	for _, secret := range []string{"", "whsec_", "whsec_====", "whsec_a", "whsec_ä", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", "WHSEC_AAEC", strings.Repeat("ab", 32)} {
		_, err := sign.Standard("msg_1", time.Unix(1, 0), nil, first, secret)
		if !errors.Is(err, sign.ErrSecret) {
			t.Errorf("secret %q: %v, want ErrSecret", secret, err)
		}
		if len(secret) > 7 && strings.Contains(err.Error(), secret) {
			t.Errorf("%q tells the secret", err)
		}
	}
	if _, err := sign.Standard("msg_1", time.Unix(1, 0), nil); !errors.Is(err, sign.ErrSecret) {
		t.Errorf("no secret: %v, want ErrSecret", err)
	}
	for _, id := range []string{"", "a.b"} {
		if got, err := sign.Standard(id, time.Unix(1, 0), nil, first); err == nil {
			t.Errorf("id %q is signed: %q", id, got)
		}
	}
}

// signed are the headers of a body signed at a time.
func signed(t testing.TB, at time.Time, body string, secrets ...string) capture.Headers {
	t.Helper()
	s, err := sign.Standard("evt_1", at, []byte(body), secrets...)
	if err != nil {
		t.Fatal(err)
	}
	return capture.Headers{{"Webhook-Id", "evt_1"}, {"Webhook-Timestamp", strconv.FormatInt(at.Unix(), 10)}, {"Webhook-Signature", s}}
}

func with(h capture.Headers, name, value string) capture.Headers {
	return append(h.Without(name), capture.Header{name, value})
}

// scheme is the scheme of that name.
func scheme(t testing.TB, name string) *sign.Scheme {
	t.Helper()
	s, ok := sign.Lookup(name)
	if !ok {
		t.Fatalf("no scheme %q", name)
	}
	return s
}

// named are secrets by the names "one", "two"….
func named(texts ...string) (all []sign.Secret) {
	for i, text := range texts {
		all = append(all, sign.Secret{Name: []string{"one", "two", "three"}[i], Text: text})
	}
	return all
}

func TestVerifyStandard(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	good := signed(t, now, "{}", first)
	value := good.First(sign.StandardSignature)
	for _, tt := range []struct {
		name    string
		headers capture.Headers
		body    string
		secrets []string
		want    capture.Verdict
		cause   capture.Cause
	}{
		{"as signed", good, "{}", []string{first}, capture.Valid, ""},
		{"with another secret", good, "{}", []string{second}, capture.Invalid, capture.CauseUnproved},
		{"with either", good, "{}", []string{second, first}, capture.Valid, ""},
		{"with none", good, "{}", nil, capture.Unchecked, ""},
		{"with what is no secret", good, "{}", []string{"hush"}, capture.Invalid, capture.CauseUnproved},
		{"signed with two", signed(t, now, "{}", second, first), "{}", []string{first}, capture.Valid, ""},
		{"another body", good, "{ 1}", []string{first}, capture.Invalid, capture.CauseUnproved},
		{"another id", with(good, "webhook-id", "evt_2"), "{}", []string{first}, capture.Invalid, capture.CauseUnproved},
		{"an id with a dot", with(good, "webhook-id", "evt_1.1800000000"), "{}", []string{first}, capture.Invalid, capture.CauseFormat},
		{"another time", with(good, "webhook-timestamp", "1800000001"), "{}", []string{first}, capture.Invalid, capture.CauseUnproved},
		{"no time", with(good, "webhook-timestamp", "now"), "{}", []string{first}, capture.Invalid, capture.CauseFormat},
		{"a time without end", with(good, "webhook-timestamp", strings.Repeat("9", 40)), "{}", []string{first}, capture.Invalid, capture.CauseFormat},
		{"4:59 old", signed(t, now.Add(-299*time.Second), "{}", first), "{}", []string{first}, capture.Valid, ""},
		{"5:01 old", signed(t, now.Add(-301*time.Second), "{}", first), "{}", []string{first}, capture.Stale, capture.CauseStale},
		{"5:01 ahead", signed(t, now.Add(301*time.Second), "{}", first), "{}", []string{first}, capture.Stale, capture.CauseFuture},
		{"old, and another body", signed(t, now.Add(-time.Hour), "{}", first), "x", []string{first}, capture.Invalid, capture.CauseUnproved},
		{"another version beside", with(good, "webhook-signature", "v1a,AAAA v2,xx "+value), "{}", []string{first}, capture.Valid, ""},
		{"another version", with(good, "webhook-signature", strings.Replace(value, "v1,", "v2,", 1)), "{}", []string{first}, capture.Invalid, capture.CauseFormat},
		{"half", with(good, "webhook-signature", value[:20]), "{}", []string{first}, capture.Invalid, capture.CauseUnproved},
		{"empty", with(good, "webhook-signature", "v1,"), "{}", []string{first}, capture.Invalid, capture.CauseFormat},
		{"bare", with(good, "webhook-signature", strings.TrimPrefix(value, "v1,")), "{}", []string{first}, capture.Invalid, capture.CauseFormat},
		{"no id", good.Without("webhook-id"), "{}", []string{first}, capture.Invalid, capture.CauseMissing},
		{"no timestamp", good.Without("webhook-timestamp"), "{}", []string{first}, capture.Invalid, capture.CauseMissing},
		{"no signature", good.Without("webhook-signature"), "{}", []string{first}, capture.Unsigned, capture.CauseMissing},
	} {
		v := scheme(t, "standard-webhooks").Verify(&sign.Request{Headers: tt.headers, Body: []byte(tt.body)}, now, named(tt.secrets...)...)
		if v.Verdict != tt.want || v.Cause != tt.cause || (v.Verdict == capture.Valid || v.Verdict == capture.Unchecked) != (v.Detail == "") {
			t.Errorf("%s: %s, %s, %q; want %s, %s", tt.name, v.Verdict, v.Cause, v.Detail, tt.want, tt.cause)
		}
	}
}

func TestBlocklet(t *testing.T) {
	// node: createHmac('sha256', '00ff'.repeat(16)).update('1795301509.{"a":"é"}').digest('hex')
	const want = "t=1795301509,v1=707f58045e6569f6c040e4cebe2dcbbbc2f28ff9ae5ed6345dc0512b893ac776"
	if got := sign.Blocklet(time.Unix(1795301509, 0), []byte(`{"a":"é"}`), strings.Repeat("00ff", 16)); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestARK(t *testing.T) {
	token := "f9e552b8a5fa4e21ecbcebe14525e3cb" + strings.Repeat("0", 32)
	if got, err := sign.ARK(token); err != nil || got != "f9e552b8a5fa4e21ecbcebe14525e3cb" {
		t.Errorf("%q, %v; want the first half", got, err)
	}
	for _, token := range []string{"", token[1:], token + "00", strings.Repeat("g", 64), first} {
		if got, err := sign.ARK(token); got != "" || !errors.Is(err, sign.ErrSecret) {
			t.Errorf("%q: %q, %v; want ErrSecret", token, got, err)
		}
	}
}

// FuzzVerifyStandard: nothing verifies but what Standard makes of the same
// message, and nothing breaks the verifier.
func FuzzVerifyStandard(f *testing.F) {
	now := time.Unix(1_800_000_000, 0)
	good := signed(f, now, "{}", first)
	f.Add("evt_1", "1800000000", good.First(sign.StandardSignature), []byte("{}"))
	f.Add("evt_1", "+1800000000", "v1, v1,= v1,AAAA", []byte("{}"))
	f.Add("a.b", "-9223372036854775808", "v1,\xff", []byte{})
	f.Fuzz(func(t *testing.T, id, stamp, signature string, body []byte) {
		standard := scheme(t, "standard-webhooks")
		v := standard.Verify(&sign.Request{Headers: capture.Headers{{"webhook-id", id}, {"webhook-timestamp", stamp}, {"webhook-signature", signature}}, Body: body}, now, named(first)...)
		key, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(first, "whsec_"))
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(id + "." + stamp + "." + string(body)))
		if right := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil)); v.Verdict == capture.Valid && !strings.Contains(signature, right) {
			t.Errorf("%q verifies over %q %q %q", signature, id, stamp, body)
		}
		unix, perr := strconv.ParseInt(stamp, 10, 64)
		if s, serr := sign.Standard(id, time.Unix(unix, 0), body, first); perr == nil && serr == nil && unix >= 0 && unix < 1<<60 {
			h := capture.Headers{{"webhook-id", id}, {"webhook-timestamp", strconv.FormatInt(unix, 10)}, {"webhook-signature", s}}
			if v := standard.Verify(&sign.Request{Headers: h, Body: body}, time.Unix(unix, 0), named(first)...); v.Verdict != capture.Valid {
				t.Errorf("what was signed does not verify: %+v", v)
			}
		}
	})
}

func BenchmarkStandard(b *testing.B) {
	body, now := bytes.Repeat([]byte("x"), 1024), time.Unix(1_800_000_000, 0)
	standard, secret := scheme(b, "standard-webhooks"), sign.Secret{Text: first}
	b.Run("sign and verify", func(b *testing.B) {
		for b.Loop() {
			s, err := sign.Standard("evt_1", now, body, first)
			if err != nil {
				b.Fatal(err)
			}
			h := capture.Headers{{"webhook-id", "evt_1"}, {"webhook-timestamp", "1800000000"}, {"webhook-signature", s}}
			if v := standard.Verify(&sign.Request{Headers: h, Body: body}, now, secret); v.Verdict != capture.Valid {
				b.Fatal(v)
			}
		}
	})
	b.Run("crypto/hmac twice", func(b *testing.B) {
		key, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(first, "whsec_"))
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
