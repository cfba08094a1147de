package sign_test

import (
	"errors"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/sign"
)

// A retry is the same webhook at another time; a new one has other ids too.
func TestRetryAndNew(t *testing.T) {
	const id, doc = "evt_1NG8Du2eZvKYlo2CUI79vXWy", `{ "id": "evt_1NG8Du2eZvKYlo2CUI79vXWy", "created":1600000000 , "data":{"id":"ch_1"}}`
	s, secrets := scheme(t, "stripe"), named("hush")
	sent := func(how sign.How) *sign.Request {
		r := &sign.Request{Headers: capture.Headers{{"Host", "x"}, {"STRIPE-signature", "t=1,v1=0"}, {"Stripe-Signature", "t=2,v1=0"}, {"X", "y"}}, Body: []byte(doc)}
		how.At, how.Secrets = made, secrets
		if err := s.Sign(r, how); err != nil {
			t.Fatal(err)
		}
		if v := s.Verify(r, made, secrets...); v.Verdict != capture.Valid {
			t.Errorf("%+v", v)
		}
		return r
	}
	retry := sent(sign.How{Seed: 1})
	if string(retry.Body) != doc {
		t.Errorf("a retry's body is %s", retry.Body)
	}
	if len(retry.Headers) != 3 || retry.Headers[1][0] != "STRIPE-signature" || !strings.HasPrefix(retry.Headers[1][1], "t=1767323045,v1=") {
		t.Errorf("a retry's headers are %q", retry.Headers)
	}
	anew, again, other := sent(sign.How{New: true, Seed: 1}), sent(sign.How{New: true, Seed: 1}), sent(sign.How{New: true, Seed: 2})
	shape := regexp.MustCompile(`^\{ "id": "evt_[0-9][A-Z]{2}[0-9][A-Z][a-z][0-9][a-z][A-Z][a-z][A-Z]{2}[a-z]{2}[0-9][A-Z]{3}[0-9]{2}[a-z][A-Z]{2}[a-z]", "created":1767323045 , "data":\{"id":"ch_1"\}\}$`)
	if !shape.Match(anew.Body) || strings.Contains(string(anew.Body), id) {
		t.Errorf("a new one is %s", anew.Body)
	}
	if !reflect.DeepEqual(anew, again) || string(anew.Body) == string(other.Body) {
		t.Errorf("by the same seed: %s and %s; by another: %s", anew.Body, again.Body, other.Body)
	}
}

// One id is the same wherever it stands, and keeps its shape.
func TestNewIDs(t *testing.T) {
	for _, tt := range []struct{ scheme, body, shape string }{
		{"telegram", `{"update_id":948123456}`, `^\{"update_id":[1-9]\d{8}\}$`},
		{"twitch", `{}`, `^\{\}$`},
		{"linear", `{"webhookTimestamp":1,"createdAt":"2020-01-01T00:00:00.123Z","webhookId":"000042e3-d123-4980-b49f-8e140eef9329"}`,
			`^\{"webhookTimestamp":1767323045000,"createdAt":"2026-01-02T03:04:05.000Z","webhookId":"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-b[0-9a-f]{3}-[0-9a-f]{12}"\}$`},
		{"pagerduty", `{"event":{"id":"01DVUHO6P4XQDFX9MUPOTAR8Q4","occurred_at":"2020-10-02T18:45:22Z"}}`, `^\{"event":\{"id":"0\dDVU|^\{"event":\{"id":"\d{2}[A-Z]{4}.*","occurred_at":"2026-01-02T03:04:05Z"\}\}$`},
		{"adyen", strings.Replace(adyenItem, `"SIG"`, `""`, 1), `"pspReference":"[1-9]\d{15}"`},
		{"zoom", `{"event_ts":1626230691572}`, `^\{"event_ts":1767323045000\}$`},
	} {
		r := &sign.Request{URL: "https://x", Body: []byte(tt.body)}
		s := scheme(t, tt.scheme)
		secret := sign.Secret{Text: s.NewSecret()}
		if err := s.Sign(r, sign.How{At: made, Secrets: []sign.Secret{secret}, New: true, Seed: 3}); err != nil {
			t.Fatal(err)
		}
		if !regexp.MustCompile(tt.shape).Match(r.Body) {
			t.Errorf("%s: %s, want %s", tt.scheme, r.Body, tt.shape)
		}
		if v := s.Verify(r, made, secret); v.Verdict != capture.Valid {
			t.Errorf("%s: %+v", tt.scheme, v)
		}
	}
}

func TestWhichSignaturesAreWritten(t *testing.T) {
	const private = "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg=="
	for _, tt := range []struct {
		name, scheme string
		headers      capture.Headers
		secrets      []string
		want         string // the signature headers and how each begins
	}{
		{"GitHub, from nothing", "github", nil, []string{"hush"}, "X-Hub-Signature-256 sha256=,X-Hub-Signature sha1="},
		{"GitHub, as there", "github", capture.Headers{{"X-Hub-Signature-256", "x"}}, []string{"hush"}, "X-Hub-Signature-256 sha256="},
		{"GitHub, of two secrets the first", "github", capture.Headers{{"X-Hub-Signature", "x"}}, []string{"a", "b"}, "X-Hub-Signature sha1="},
		{"Gitea", "gitea", nil, []string{"hush"}, "X-Gitea-Signature ,X-Gogs-Signature ,X-Hub-Signature-256 sha256=,X-Hub-Signature sha1="},
		{"GitLab, token", "gitlab", nil, []string{"hush"}, "X-Gitlab-Token hush"},
		{"GitLab, signed", "gitlab", nil, []string{first}, "webhook-signature v1,"},
		{"GitLab, token for a signature", "gitlab", capture.Headers{{"webhook-signature", "v1,x"}}, []string{"hush"}, "X-Gitlab-Token hush"},
		{"Svix, by the other headers", "svix", capture.Headers{{"webhook-id", "a"}, {"webhook-signature", "v1,x"}}, []string{first}, "webhook-signature v1,"},
		{"Svix", "svix", nil, []string{first}, "svix-signature v1,"},
		{"Standard, two secrets and a key", "standard-webhooks", nil, []string{first, second, private}, "webhook-signature v1,"},
		{"Square", "square", nil, []string{"hush"}, "x-square-hmacsha256-signature "},
		{"Square, the old one too", "square", capture.Headers{{"x-square-signature", "x"}, {"x-square-hmacsha256-signature", "x"}}, []string{"hush"}, "x-square-signature ,x-square-hmacsha256-signature "},
		{"HubSpot", "hubspot", nil, []string{"hush"}, "X-HubSpot-Signature-v3 "},
		{"HubSpot v1", "hubspot", capture.Headers{{"X-HubSpot-Signature-Version", "v1"}, {"X-HubSpot-Signature", "x"}}, []string{"hush"}, "X-HubSpot-Signature "},
		{"none", "github", capture.Headers{{"X-Hub-Signature", "x"}, {"X-Hub-Signature-256", "x"}}, nil, ""},
	} {
		r := &sign.Request{URL: "https://x/", Headers: tt.headers, Body: []byte("{}")}
		s := scheme(t, tt.scheme)
		if err := s.Sign(r, sign.How{At: made, Secrets: named(tt.secrets...)}); err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		var got []string
		for _, h := range r.Headers {
			if n := strings.ToLower(h[0]); strings.HasSuffix(n, "-version") || !strings.Contains(n, "signature") && !strings.Contains(n, "token") {
				continue
			}
			got = append(got, h[0]+" "+h[1])
		}
		want := strings.Split(tt.want, ",")
		if strings.HasSuffix(tt.want, "v1,") {
			want = []string{tt.want}
		}
		if tt.want == "" {
			want = nil
		}
		ok := len(got) == len(want)
		for i := range min(len(got), len(want)) {
			ok = ok && strings.HasPrefix(got[i], want[i])
		}
		if !ok {
			t.Errorf("%s: %q, want %q", tt.name, got, want)
		}
		for _, secret := range tt.secrets[:min(1, len(tt.secrets))] {
			if v := s.Verify(r, made, named(secret)...); v.Verdict != capture.Valid {
				t.Errorf("%s: %+v, %q", tt.name, v, r.Headers)
			}
		}
		if tt.name == "Standard, two secrets and a key" {
			for _, secret := range append(tt.secrets, "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=") {
				if v := s.Verify(r, made, named(secret)...); v.Verdict != capture.Valid {
					t.Errorf("%s: by %s: %+v, %q", tt.name, secret, v, r.Headers)
				}
			}
		}
	}
}

// What cannot be signed is as it was.
func TestWhatCannotBeSigned(t *testing.T) {
	for says, tt := range map[string]struct {
		scheme, secret, url, body string
	}{
		"want whsec_ and base64, or whpk_ or whsk_": {"svix", "hush", "", "{}"},
		"verifies and cannot sign":                  {"discord", strings.Repeat("ab", 32), "", "{}"},
		"the URL is signed too":                     {"square", "hush", "", "{}"},
		"bodySHA256":                                {"twilio", "hush", "https://x/?bodySHA256=00", "{}"},
		"not of its kind":                           {"aws-sns", scheme(t, "aws-sns").NewSecret(), "", `{"Type":"Notification"}`},
		"the document is no object":                 {"linear", "hush", "", "x"},
		"want an array /value":                      {"microsoft-graph", "hush", "", "{}"},
		"signature is no object":                    {"mailgun", "hush", "", `{"signature":1}`},
	} {
		r := &sign.Request{URL: tt.url, Headers: capture.Headers{{"X-Signature", "x"}}, Body: []byte(tt.body)}
		was := *r
		err := scheme(t, tt.scheme).Sign(r, sign.How{At: made, Secrets: named(tt.secret)})
		if err == nil || !strings.HasPrefix(err.Error(), "sign: "+tt.scheme+": ") || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, want …%s…", tt.scheme, err, says)
		}
		if strings.HasPrefix(says, "want whsec_") != errors.Is(err, sign.ErrSecret) && says != "verifies and cannot sign" {
			t.Errorf("%s: %v", tt.scheme, err)
		}
		if !reflect.DeepEqual(*r, was) {
			t.Errorf("%s: changed to %q", tt.scheme, r)
		}
	}
}

// A public key verifies what its private one signs.
func TestPublicKeys(t *testing.T) {
	whsk := "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg=="
	discord := scheme(t, "discord").NewSecret()
	for _, tt := range []struct{ scheme, private, public string }{
		{"standard-webhooks", whsk, "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4="},
		{"discord", discord, discord[64:]},
		{"paypal", "", ""}, {"aws-sns", "", ""},
	} {
		s := scheme(t, tt.scheme)
		if tt.private == "" {
			tt.private = s.NewSecret()
			tt.public, _, _ = strings.Cut(tt.private, "-----BEGIN PRIVATE")
		}
		r := fresh(tt.scheme)
		if err := s.Sign(r, sign.How{At: made, Secrets: named(tt.private)}); err != nil {
			t.Fatal(err)
		}
		if v := s.Verify(r, made, named(tt.public)...); v.Verdict != capture.Valid {
			t.Errorf("%s: %+v", tt.scheme, v)
		}
		if s.CanSign(tt.public) || s.Check(tt.public) != nil || !s.CanSign(tt.private) {
			t.Errorf("%s: the public key signs: %v, %v", tt.scheme, s.CanSign(tt.public), s.Check(tt.public))
		}
	}
}

// A certificate counts for what its sender could have signed.
func TestForeignCertificates(t *testing.T) {
	s := scheme(t, "paypal")
	bundle := s.NewSecret()
	for at, want := range map[string]capture.Verdict{
		"https://api.paypal.com/v1/notifications/certs/CERT-1": capture.Valid,
		"https://localhost/paypal.pem":                         capture.Valid,
		"http://api.paypal.com/v1/notifications/certs/CERT-1":  capture.Invalid,
		"https://api.paypal.com.example.com/":                  capture.Invalid,
		"https://notpaypal.com/":                               capture.Invalid,
		"https://api.paypal.com@example.com/":                  capture.Invalid,
		"https://api.paypal.com:8443/":                         capture.Invalid,
		"\x1b":                                                 capture.Invalid,
	} {
		r := fresh("paypal")
		if err := s.Sign(r, sign.How{At: made, Secrets: named(bundle)}); err != nil {
			t.Fatal(err)
		}
		r.Headers = with(r.Headers, "PAYPAL-CERT-URL", at)
		v := s.Verify(r, made.Add(time.Hour), named(bundle)...)
		if v.Verdict != want || want != capture.Valid && (v.Cause != capture.CauseFormat || !strings.Contains(v.Detail, "certificate")) {
			t.Errorf("%q: %+v, want %s", at, v, want)
		}
	}
	sns := scheme(t, "aws-sns")
	key := strings.Replace(sns.NewSecret(), "cert-url", "x", 1)
	for at, want := range map[string]capture.Verdict{
		"https://sns.us-east-1.amazonaws.com/x.pem":     capture.Valid,
		"https://sns.cn-north-1.amazonaws.com.cn/x.pem": capture.Valid,
		"https://bucket.s3.amazonaws.com/x.pem":         capture.Invalid,
		"https://sns.a.b.amazonaws.com/x.pem":           capture.Invalid,
	} {
		r := fresh("aws-sns")
		r.Body = []byte(strings.Replace(string(r.Body), "https://sns.us-west-2.amazonaws.com/x.pem", at, 1))
		if err := sns.Sign(r, sign.How{At: made, Secrets: named(key)}); err != nil {
			t.Fatal(err)
		}
		if v := sns.Verify(r, made, named(key)...); v.Verdict != want {
			t.Errorf("%q: %+v, want %s", at, v, want)
		}
	}
}

// Samples need not have the member that the signature goes to.
func TestMembersAreMade(t *testing.T) {
	for name, body := range map[string]string{
		"mailgun": `{"event-data":{}}`,
		"adyen":   `{"notificationItems":[{"NotificationRequestItem":{"pspReference":"1"}},{"NotificationRequestItem":{"pspReference":"2"}}]}`,
		"figma":   `{}`,
	} {
		r, s := &sign.Request{Body: []byte(body)}, scheme(t, name)
		secret := sign.Secret{Text: s.NewSecret()}
		if err := s.Sign(r, sign.How{At: made, Secrets: []sign.Secret{secret}}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if v := s.Verify(r, made, secret); v.Verdict != capture.Valid {
			t.Errorf("%s: %+v, %s", name, v, r.Body)
		}
	}
}
