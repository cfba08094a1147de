package capture_test

import (
	"encoding/base64"
	"slices"
	"strings"
	"testing"

	"code.hooktape.dev/hooktape/capture"
)

func TestMaskedURL(t *testing.T) {
	for raw, want := range map[string]string{
		"https://example.com":             "https://example.com",
		"https://example.com/":            "https://example.com/",
		"https://example.com/hooks/T0/B0": "https://example.com/" + capture.HiddenSecret,
		"http://[::1]:8080/?key=1":        "http://[::1]:8080/" + capture.HiddenSecret,
		"http://user:pass@example.com/":   "http://example.com/",
		"no URL":                          capture.HiddenSecret,
		"%":                               capture.HiddenSecret,
	} {
		if got := capture.MaskedURL(raw); got != want {
			t.Errorf("%s is read as %s, want %s", raw, got, want)
		}
	}
}

// What a trigger hides of an answer is what lets in, and not every word that it
// sends.
func TestTriggerSecrets(t *testing.T) {
	s := capture.TriggerSpec{URL: "https://example.com/services/T0001/B0001?api-version=2024-01-01&sig=abcdef", Headers: map[string]string{
		"Authorization": "Basic " + base64.StdEncoding.EncodeToString([]byte("user:hunter2")), "X-Env": "production", "X-Key": "k-12345", "X-Auth": "short",
		"Content-Type": "application/vnd.example+json", "X-Slot": "", "X-Tenant": "0123456789abcdef",
	}}
	all := s.Secrets()
	for _, want := range []string{s.URL, "https://example.com", "/services/T0001/B0001", "abcdef", "user:hunter2", "hunter2", "k-12345", "0123456789abcdef", s.Headers["Authorization"]} {
		if !slices.Contains(all, want) {
			t.Errorf("%q is not hidden", want)
		}
	}
	for _, not := range []string{"example.com", "production", "2024-01-01", "short", "application/vnd.example+json", ""} {
		if slices.Contains(all, not) {
			t.Errorf("%q is hidden", not)
		}
	}
	if !slices.IsSortedFunc(all, func(a, b string) int { return len(b) - len(a) }) {
		t.Errorf("parts are hidden before what they are of: %q", all)
	}
	if slices.ContainsFunc(all, func(s string) bool { return strings.TrimSpace(s) == "" }) {
		t.Errorf("nothing is hidden: %q", all)
	}
}

func TestSequelFits(t *testing.T) {
	for when, want := range map[capture.When][2]bool{"": {true, false}, capture.WhenSuccess: {true, false}, capture.WhenFailure: {false, true}, capture.WhenAlways: {true, true}} {
		s := capture.Sequel{When: when}
		if got := [2]bool{s.Fits(false), s.Fits(true)}; got != want {
			t.Errorf("%q follows success and failure: %v, want %v", when, got, want)
		}
	}
}
