package tui

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"testing"
	"time"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/sign"
	"code.hooktape.dev/hooktape/store"
)

// signed keeps a push of GitHub's that a secret signed, judged as the registry does.
func signed(t testing.TB, s *store.Store, n int, secret string) capture.ID {
	t.Helper()
	body := []byte(`{"ref":"refs/heads/main"}`)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	e := &capture.Event{ID: number(capture.EventID, n), App: "default", Type: "push", Origin: capture.Ingress, Received: noon, Method: "POST", Target: "/in", Proto: "HTTP/1.1",
		Provider: "github", Headers: capture.Headers{{"Content-Type", "application/json"}, {"X-GitHub-Event", "push"}, {"X-Hub-Signature-256", fmt.Sprintf("sha256=%x", mac.Sum(nil))}}}
	registry(t, s).Verify(e, body)
	if err := s.Keep(t.Context(), withBody(e, body)); err != nil {
		t.Fatal(err)
	}
	return e.ID
}

// stamped keeps an event of Slack's, whose signature holds for five minutes.
func stamped(t testing.TB, s *store.Store, n int) capture.ID {
	t.Helper()
	body, at := []byte(`{"type":"event_callback"}`), fmt.Sprint(noon.Unix())
	mac := hmac.New(sha256.New, []byte("hush"))
	fmt.Fprintf(mac, "v0:%s:%s", at, body)
	e := &capture.Event{ID: number(capture.EventID, n), App: "default", Type: "event_callback", Origin: capture.Ingress, Received: noon, Method: "POST", Target: "/in", Proto: "HTTP/1.1",
		Provider: "slack", Headers: capture.Headers{{"Content-Type", "application/json"}, {"X-Slack-Request-Timestamp", at}, {"X-Slack-Signature", fmt.Sprintf("v0=%x", mac.Sum(nil))}}}
	registry(t, s).Verify(e, body)
	if err := s.Keep(t.Context(), withBody(e, body)); err != nil {
		t.Fatal(err)
	}
	return e.ID
}

func TestSignatureFrames(t *testing.T) {
	s := memory(t)
	signed(t, s, 1, "another")
	stamped(t, s, 2)
	for _, size := range [][2]int{{40, 10}, {80, 24}, {160, 45}} {
		for _, scene := range []struct {
			name string
			keys []string
		}{
			{"why", []string{"k", "enter"}},
			{"headers", []string{"k", "enter", "]", "G"}},
			{"explained", []string{"k", "s"}},
			{"now", []string{"s", "s"}},
			{"as", []string{"a", "j"}},
		} {
			name := fmt.Sprintf("signature_%s_%dx%d", scene.name, size[0], size[1])
			t.Run(name, func(t *testing.T) {
				d, _ := manage(t, s, size[0], size[1])
				d.kit.now = func() time.Time { return noon.Add(time.Hour) }
				d.press(scene.keys...)
				d.golden(name)
			})
		}
	}
}

func TestSignatureIsExplained(t *testing.T) {
	s := memory(t)
	signed(t, s, 1, "another")
	stamped(t, s, 2)
	d, _ := manage(t, s, 80, 24)
	d.kit.now = func() time.Time { return noon.Add(time.Hour) }
	d.press("s")
	d.want("Signature of evt_", "sig ✓", "as of when it came", "scheme: slack", "2026-01-02 12:00:00")
	d.press("s")
	d.want("as if it came now", "sig ✗ stale", "2026-01-02 13:00:00")
	d.press("s")
	d.want("as of when it came", "sig ✓")
	d.press("esc", "k", "s")
	d.want("sig ✗ invalid", "scheme: github")
	d.press("esc", "enter")
	d.want("sig ✗ invalid: ")
	d.kit.Judge = nil
	d.press("s")
	d.want("signatures are not explained here")
}

func TestStepsAreShown(t *testing.T) {
	s := memory(t)
	stamped(t, s, 2)
	d, _ := manage(t, s, 80, 24)
	d.kit.Judge = func(context.Context, capture.ID, time.Time, string) (sign.Explanation, error) {
		return sign.Explanation{Signature: capture.Signature{Verdict: capture.Invalid, Detail: evil}, Steps: []sign.Step{{OK: true, Text: "the header is there"}, {Text: "made by none" + evil}}}, nil
	}
	d.press("s")
	d.want("✓ the header is there", "✗ made by none␛]52")
	d.kit.Judge = func(context.Context, capture.ID, time.Time, string) (sign.Explanation, error) {
		return sign.Explanation{}, errors.New("the body is damaged")
	}
	d.press("s")
	d.want("not judged: the body is damaged", "1·Events")
}

func TestReplayAs(t *testing.T) {
	s := memory(t)
	id := stamped(t, s, 2)
	d, _ := manage(t, s, 80, 24)
	d.kit.now = func() time.Time { return noon.Add(time.Hour) }
	d.press("r")
	d.press("a")
	d.want("replay "+string(id)+" as", "o  original", "r  retry", "n  new", "the original, now: sig ✗ stale")
	d.press("esc")
	if len(d.sent) != 1 {
		t.Fatalf("sent %v", d.sent)
	}
	d.press("a", "n")
	d.press("a", "j", "enter")
	d.press("a", "o")
	var as []capture.As
	for _, r := range d.sent {
		as = append(as, r.As)
	}
	if fmt.Sprint(as) != "[ new retry original]" {
		t.Errorf("sent as %q", as)
	}
	d.kit.Resend = func(context.Context, capture.ID, capture.Resend) error {
		return fmt.Errorf("far away: %w", &capture.FieldError{Field: "as", Problem: "no secret is known that could sign for slack: hooktape apps update default --secret slack=…, or $HOOKTAPE_SECRET_… of the process that sends"})
	}
	d.press("a", "n")
	d.want("not sent: no secret is known that could sign", "$HOOKTAPE_SECRET_…")
}

func TestAttemptsSayAsAndRule(t *testing.T) {
	s := memory(t)
	r := registry(t, s)
	flaky, err := r.CreateRule(t.Context(), capture.RuleSpec{Name: "flaky" + evil, On: capture.OnDelivery, Fault: &capture.Fault{Kind: capture.FaultStatus}})
	if err != nil {
		t.Fatal(err)
	}
	c := numbered(2)
	c.Attempts[0].As, c.Attempts[0].Rule = capture.AsRetry, flaky.ID
	c.Event.Metadata = map[string]string{"rule": string(flaky.ID)}
	if err := s.Keep(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	for _, size := range [][2]int{{80, 24}, {160, 45}} {
		d := start(t, s, size[0], size[1], func(o *Options) { o.Rules = r })
		d.press("k", "enter", "[")
		d.want("AS ", " retry ", "RULE", "flaky␛]52", "sent as: retry, the same ids", "answered by: rule flaky", "· rule flaky")
	}
}
