package sign_test

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/provider"
	"code.hooktape.dev/hooktape/capture/sign"
)

// bodies are those of schemes that cannot sign any.
var bodies = map[string]string{
	"aws-sns":         `{"Type":"Notification","MessageId":"22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324","TopicArn":"arn:aws:sns:us-west-2:123456789012:MyTopic","Subject":"s","Message":"m","Timestamp":"2012-05-02T00:54:06.655Z","SignatureVersion":"2","Signature":"","SigningCertURL":"https://sns.us-west-2.amazonaws.com/x.pem"}`,
	"adyen":           strings.Replace(adyenItem, `"SIG"`, `""`, 1),
	"microsoft-graph": `{"value":[{"id":"1","clientState":"x"},{"id":"2","clientState":"x"}]}`,
	"mailgun":         `{"signature":{"timestamp":"1529006854","token":"a8ce0edb2dd8301dee6c2405235584e45aa91d1e9f979f3de0","signature":""},"event-data":{"id":"x"}}`,
	"linear":          `{"action":"create","webhookTimestamp":1676056940508}`,
	"figma":           `{"passcode":"","event_type":"PING"}`,
	"twilio":          `CallSid=CA12&From=%2B1415`,
	"mandrill":        `mandrill_events=%5B%7B%7D%5D&x=a:bc`,
}

// signsBody is false for those that sign something else, or send the secret.
func signsBody(name string) bool {
	switch name {
	case "mailgun", "gitlab", "google", "telegram", "okta", "ark", "flutterwave", "figma", "microsoft-graph", "azure-devops", "postmark", "chargebee":
		return false
	}
	return true
}

var windows = map[string]time.Duration{
	"stripe": 5 * time.Minute, "slack": 5 * time.Minute, "standard-webhooks": 5 * time.Minute, "svix": 5 * time.Minute, "wacht": 5 * time.Minute,
	"zoom": 5 * time.Minute, "paddle": 5 * time.Second, "linear": time.Minute, "hubspot": 5 * time.Minute, "calendly": 3 * time.Minute,
	"twitch": 10 * time.Minute, "workos": 3 * time.Minute, "telnyx": 5 * time.Minute, "webflow": 5 * time.Minute, "mux": 5 * time.Minute, "elevenlabs": 30 * time.Minute, "box": 10 * time.Minute,
}

// fresh is an unsigned request that the scheme can sign.
func fresh(name string) *sign.Request {
	body := bodies[name]
	if body == "" {
		body = `{"id":"evt_1A2b","type":"invoice.paid","created":1600000000}`
	}
	kind := "application/json"
	if body[0] != '{' {
		kind = form
	}
	return &sign.Request{Method: "POST", URL: "https://example.com/hook?a=1", Headers: capture.Headers{{"Content-Type", kind}}, Body: []byte(body)}
}

// TestEveryScheme signs with a secret of each and looks who takes it.
func TestEveryScheme(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, name := range sign.Names() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := scheme(t, name)
			secret, other := sign.Secret{Name: "ours", Text: s.NewSecret()}, sign.Secret{Name: "other", Text: s.NewSecret()}
			if err := s.Check(secret.Text); err != nil || !s.CanSign(secret.Text) {
				t.Fatalf("its own new secret: %v, can sign: %v", err, s.CanSign(secret.Text))
			}
			if err := s.Check(""); !errors.Is(err, sign.ErrSecret) || !strings.HasPrefix(err.Error(), "sign: "+name+": want ") {
				t.Errorf("no secret: %v", err)
			}
			r := fresh(name)
			if v := s.Verify(r, now, secret); v.Verdict != capture.Unsigned && name != "microsoft-graph" || v.Verdict == capture.Valid {
				t.Errorf("unsigned: %+v", v)
			}
			before := *r
			was := string(r.Body)
			if err := s.Sign(r, sign.How{At: now, Secrets: []sign.Secret{secret}}); err != nil {
				t.Fatal(err)
			}
			if string(before.Body) != was || len(before.Headers) != 1 {
				t.Error("what was given was changed")
			}
			if !s.Signed(r) {
				t.Error("signed, and not Signed")
			}
			for _, at := range []time.Time{now, now.Add(4 * time.Second)} {
				if v := s.Verify(r, at, other, secret); v.Verdict != capture.Valid || v.Secret != "ours" || v.Cause != "" || v.Detail != "" {
					t.Errorf("as signed, at %s: %+v\n%v\n%s", at, v, r.Headers, r.Body)
				}
			}
			if v := s.Verify(r, now); v.Verdict != capture.Unchecked || v.Scheme == name {
				t.Errorf("without secrets: %+v", v)
			}
			if v := s.Verify(r, now, other); v.Verdict != capture.Invalid || v.Cause == "" || v.Detail == "" {
				t.Errorf("another secret: %+v", v)
			}
			for _, e := range []sign.Explanation{s.Explain(r, now, secret), s.Explain(r, now, other)} {
				ok := !slices.ContainsFunc(e.Steps, func(s sign.Step) bool { return !s.OK })
				if ok != (e.Verdict == capture.Valid) || len(e.Steps) < 3 {
					t.Errorf("explained as %s by %+v", e.Verdict, e.Steps)
				}
			}
			late := s.Verify(r, now.Add(time.Hour), secret)
			if window, ok := windows[name]; ok {
				if v := s.Verify(r, now.Add(window+time.Second), secret); v.Verdict != capture.Stale || v.Cause != capture.CauseStale || !strings.HasPrefix(v.Detail, "made ") {
					t.Errorf("after %s: %+v", window, v)
				}
			} else if late.Verdict != capture.Valid {
				t.Errorf("an hour later: %+v", late)
			}
			flipped := *r
			flipped.Body = bytes.Clone(r.Body)
			flipped.Body[bytes.LastIndexAny(r.Body, ":=")+2] ^= 1
			if v := s.Verify(&flipped, now, secret); v.Verdict != capture.Invalid && signsBody(name) && name != "aws-sns" {
				t.Errorf("another body: %+v", v)
			}
			again := *r
			again.URL = r.URL
			if err := s.Sign(&again, sign.How{At: now.Add(time.Hour), Secrets: []sign.Secret{other}, New: true, Seed: 7}); err != nil {
				t.Fatal(err)
			}
			if v := s.Verify(&again, now.Add(time.Hour), other); v.Verdict != capture.Valid {
				t.Errorf("signed again: %+v\n%v\n%s", v, again.Headers, again.Body)
			}
			if err := s.Sign(&again, sign.How{At: now}); err != nil {
				t.Fatal(err)
			}
			if s.Signed(&again) {
				t.Errorf("without secrets it is still signed: %v %s", again.Headers, again.Body)
			}
		})
	}
}

// Every provider that signs has a scheme, its headers tell one, or it is here.
func TestProvidersWithoutScheme(t *testing.T) {
	none := []string{
		"alertmanager", "cloudevents", "coviu", "strava", "websub", // do not sign, or as each is configured
		"azure-event-grid", "fusionauth", "google-pubsub", "netlify", "plaid", // a JWT
		"braintree", "cloudinary", "contentful", "patreon", "recurly", // each by a way of its own
	}
	for _, name := range provider.Names() {
		if _, ok := sign.Lookup(name); ok == slices.Contains(none, name) {
			t.Errorf("%s: has a scheme: %v", name, ok)
		}
	}
}

func TestOf(t *testing.T) {
	for want, of := range map[string]struct{ provider, header string }{
		"stripe":            {"stripe", ""},
		"svix":              {"clerk", "svix-signature"},
		"standard-webhooks": {"openai", "Webhook-Signature"},
		"slack":             {"", "X-Slack-Signature"},
		"github":            {"", "x-hub-signature-256"},
		"gitea":             {"", "X-Gitea-Signature"},
		"wacht":             {"wacht", "webhook-signature"},
		"":                  {"", "Authorization"},
	} {
		s, ok := sign.Of(of.provider, &sign.Request{Headers: capture.Headers{{of.header, "x"}}})
		if ok != (want != "") || ok && s.Name() != want {
			t.Errorf("%v: %v, want %q", of, s, want)
		}
	}
}

func TestTable(t *testing.T) {
	names := sign.Names()
	if once := slices.Compact(slices.Clone(names)); len(once) != len(names) {
		t.Errorf("a name is there twice: %v", names)
	}
	for _, name := range names {
		if s := scheme(t, name); !strings.HasPrefix(s.Doc(), "https://") || s.Name() != name {
			t.Errorf("%s: %s is documented at %q", name, s.Name(), s.Doc())
		}
	}
}
