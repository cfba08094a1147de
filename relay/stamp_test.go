package relay_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/provider"
	"code.hooktape.dev/hooktape/capture/sign"
	"code.hooktape.dev/hooktape/relay"
	"code.hooktape.dev/hooktape/relay/answer"
)

// sent is a sender that notes what it is given, and says what it sent.
type sent struct {
	event *capture.Event
	body  []byte
	as    capture.As // of the attempt, as it was made
}

func (s *sent) Send(_ context.Context, e *capture.Event, body []byte, a *capture.Attempt) {
	s.event, s.body, s.as = e, body, a.As
	a.Status, a.Request = capture.AttemptSucceeded, &capture.Request{Method: e.Method, Headers: e.Headers}
}
func (*sent) Reachable(context.Context) error { return nil }
func (*sent) Close()                          {}

// past is an event of a provider that came an hour ago.
func past(t testing.TB, scheme, secret, url, body string, headers ...capture.Header) (*capture.Event, []byte) {
	t.Helper()
	s, ok := sign.Lookup(scheme)
	if !ok {
		t.Fatalf("no scheme %s", scheme)
	}
	at := time.Now().Add(-time.Hour).UTC()
	r := &sign.Request{Method: "POST", URL: url, Headers: headers, Body: []byte(body)}
	if err := s.Sign(r, sign.How{At: at, Secrets: []sign.Secret{{Text: secret}}, New: true}); err != nil {
		t.Fatal(err)
	}
	e := &capture.Event{ID: capture.NewID(capture.EventID), App: capture.DefaultApp, Origin: capture.Ingress, Received: at, Method: "POST", Target: "/hooks?a=%20",
		Proto: "HTTP/1.1", Headers: r.Headers, Trailers: capture.Headers{{"X-Sum", "1"}}, URL: capture.Address(url), Size: int64(len(r.Body)), SHA256: capture.Sum(r.Body)}
	provider.Describe(e, r.Body)
	return e, r.Body
}

// stamps is what becomes of an event that is sent as asked, by a registry that
// knows these secrets.
func stamps(t testing.TB, known map[string]string, e *capture.Event, body []byte, a capture.Attempt) (*sent, *capture.Attempt, *relay.Registry) {
	t.Helper()
	r, err := relay.NewRegistry(t.Context(), memory(t), relay.Hooks{Secrets: func() map[string]string { return known }})
	if err != nil {
		t.Fatal(err)
	}
	to, was := new(sent), string(body)
	a.ID, a.Event = capture.NewID(capture.AttemptID), e.ID
	before, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	r.Stamped(to, func(*capture.Event) bool { return true }).Send(t.Context(), e, body, &a)
	if after, err := json.Marshal(e); err != nil || string(after) != string(before) || string(body) != was {
		t.Errorf("the event has changed under it: %v\n%s\n%s", err, before, after)
	}
	return to, &a, r
}

var again = capture.Attempt{Number: 2, TriggeredBy: capture.ByUser, TriggeredFrom: capture.FromManual}

func asked(as capture.As) capture.Attempt { a := again; a.As = as; return a }

// What a user sends again verifies where it arrives, whatever its scheme signs
// and wherever it has its signature; all else about it is as it was.
func TestStamped(t *testing.T) {
	const adyen = `{"live":"false","notificationItems":[{"NotificationRequestItem":{"additionalData":{"hmacSignature":"x"},"amount":{"currency":"EUR","value":1},` +
		`"eventCode":"AUTHORISATION","merchantAccountCode":"M","merchantReference":"R","pspReference":"PSP1","success":"true"}}]}`
	for _, c := range []struct {
		scheme, secret, url, body string
		headers                   capture.Headers
		made                      bool // the body is written anew
	}{
		{"github", "hush", "", `{"a": 1}`, capture.Headers{{"X-GitHub-Event", "push"}, {"X-Odd", "a"}, {"x-odd", "\xff"}}, false},
		{"stripe", "whsec_x", "", `{"id":"evt_1","object":"event","type":"a.b"}`, nil, false},
		{"slack", "hush", "", "a=1", nil, false},
		{"square", "hush", "https://relay.example/hooks?a=%20", `{"type":"payment.updated"}`, nil, false},
		{"linear", "lin_wh_x", "", `{"action":"create", "type":"Issue","webhookTimestamp":1,"webhookId":"w"}`, capture.Headers{{"Linear-Event", "Issue"}}, true},
		{"mailgun", "hush", "", `{"signature":{"token":"0","timestamp":"1","signature":"0"}, "event-data":{"id":"x","event":"opened","timestamp":1.5}}`, nil, true},
		{"adyen", strings.Repeat("0f", 32), "", adyen, nil, false},
	} {
		t.Run(c.scheme, func(t *testing.T) {
			e, body := past(t, c.scheme, c.secret, c.url, c.body, c.headers...)
			if e.Provider != c.scheme {
				t.Fatalf("it is taken for %q", e.Provider)
			}
			for _, as := range []capture.As{"", capture.AsRetry, capture.AsNew, capture.AsOriginal} {
				to, a, r := stamps(t, map[string]string{c.scheme: c.secret}, e, body, asked(as))
				want := as
				if as == "" {
					want = capture.AsRetry
				}
				if a.Status != capture.AttemptSucceeded || a.As != want {
					t.Fatalf("%q: %s as %q, %+v", as, a.Status, a.As, a.Error)
				}
				if as == capture.AsOriginal {
					if to.event != e || string(to.body) != string(body) || a.Request.Made != "" {
						t.Errorf("as original it is %+v, %q", to.event, to.body)
					}
					continue
				}
				if to.as != capture.AsOriginal {
					t.Errorf("%q: who sends it on is asked to stamp it again, as %q", as, to.as)
				}
				now := *to.event
				now.Received = time.Now()
				if r.Verify(&now, to.body); now.Signature.Verdict != capture.Valid {
					t.Errorf("%q: it does not verify: %+v", as, now.Signature)
				}
				if now.Size != int64(len(to.body)) || now.SHA256 != capture.Sum(to.body) || now.Target != e.Target || fmt.Sprint(now.Trailers) != fmt.Sprint(e.Trailers) || now.ID != e.ID {
					t.Errorf("%q: it is %+v", as, now)
				}
				if (string(to.body) != string(body)) != (string(a.Request.Made) != "") || c.made && string(a.Request.Made) != string(to.body) {
					t.Errorf("%q: sent %q, and noted as made %q", as, to.body, a.Request.Made)
				}
				for _, h := range c.headers {
					if !strings.HasPrefix(h[0], "X-GitHub") && !slices.Contains(now.Headers, h) {
						t.Errorf("%q: %q is gone: %q", as, h, now.Headers)
					}
				}
			}
		})
	}
}

// Who has forged a webhook does not get it signed by our sending it again,
// whenever the secret became known. Somebody may ask for that.
func TestForgedStaysForged(t *testing.T) {
	e, body := past(t, "github", "another", "", `{"a":1}`, capture.Header{"X-GitHub-Event", "push"})
	known := map[string]string{"github": "hush"}
	for _, verdict := range []capture.Verdict{capture.Invalid, capture.Unchecked} {
		e.Signature.Verdict = verdict // no secret was known then
		if to, a, _ := stamps(t, known, e, body, again); to.event != e || a.As != "" {
			t.Errorf("%s: it was signed, as %q", verdict, a.As)
		}
		if to, a, _ := stamps(t, known, e, body, asked(capture.AsRetry)); to.event == e || a.As != capture.AsRetry {
			t.Errorf("%s: asked for, it was not signed, as %q", verdict, a.As)
		}
	}
	unsigned := *e
	unsigned.Headers = unsigned.Headers.Without("X-Hub-Signature-256", "X-Hub-Signature")
	if to, a, _ := stamps(t, known, &unsigned, body, again); to.event != &unsigned || a.As != "" {
		t.Errorf("unsigned, it was signed, as %q", a.As)
	}
}

// The secret that was the wrong one when it came is the right one now.
func TestWhatWasUnprovedThenIsStamped(t *testing.T) {
	e, body := past(t, "github", "hush", "", `{"a":1}`, capture.Header{"X-GitHub-Event", "push"})
	e.Signature.Verdict = capture.Invalid
	if _, a, _ := stamps(t, map[string]string{"github": "hush"}, e, body, again); a.As != capture.AsRetry {
		t.Errorf("sent as %q", a.As)
	}
}

// What is tried again by itself is what came, byte for byte; only of a sample,
// which is ours, each try is stamped. One that was signed with a secret that is
// not kept stays so.
func TestTriedAgain(t *testing.T) {
	known := map[string]string{"stripe": "whsec_x"}
	retry := capture.Attempt{Number: 2, TriggeredBy: capture.BySystem, TriggeredFrom: capture.FromAutomation}
	first := retry
	first.Number = 1
	for _, c := range []struct {
		what, secret string
		origin       capture.Origin
		a            capture.Attempt
		stamped      bool
	}{
		{"a webhook, first", "whsec_x", capture.Ingress, first, false},
		{"a webhook, again", "whsec_x", capture.Ingress, retry, false},
		{"a sample, first", "whsec_x", capture.FromSample, first, false},
		{"a sample, again", "whsec_x", capture.FromSample, retry, true},
		{"a sample by a secret that was given", "whsec_given", capture.FromSample, retry, false},
	} {
		e, body := past(t, "stripe", c.secret, "", `{"id":"evt_1","object":"event","type":"a.b"}`)
		e.Origin, e.Signature.Verdict = c.origin, capture.Valid
		if to, a, _ := stamps(t, known, e, body, c.a); (to.event != e) != c.stamped {
			t.Errorf("%s: stamped %v as %q, want %v", c.what, to.event != e, a.As, c.stamped)
		}
	}
}

// An endpoint that gets events in a form of its own gets what it always does,
// signed as endpoints are.
func TestOtherFormatsAreNotStamped(t *testing.T) {
	e, body := past(t, "github", "hush", "", `{"a":1}`, capture.Header{"X-GitHub-Event", "push"})
	r, err := relay.NewRegistry(t.Context(), memory(t), relay.Hooks{Secrets: func() map[string]string { return map[string]string{"github": "hush"} }})
	if err != nil {
		t.Fatal(err)
	}
	for _, format := range []capture.Format{capture.FormatRaw, capture.FormatStandard} {
		to, a := new(sent), again
		end := capture.Endpoint{Status: capture.EndpointEnabled, EndpointSpec: capture.EndpointSpec{Format: format}}
		r.Stamped(to, func(e *capture.Event) bool { return answer.AsCaught(&end, e) }).Send(t.Context(), e, body, &a)
		if stamped := to.event != e; stamped != (format == capture.FormatRaw) {
			t.Errorf("%s: stamped %v", format, stamped)
		}
	}
}
