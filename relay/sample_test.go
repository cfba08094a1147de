package relay_test

import (
	"encoding/json"
	"testing"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/sign"
	"code.hooktape.dev/hooktape/relay"
)

// The URL that is signed is the one that the sample goes to: a URL's own path
// in place of the sample's, else the sample's below it.
func TestWhereSamplesGo(t *testing.T) {
	sms := capture.Sample{Path: "/sms", Body: json.RawMessage(`{}`)}
	asks := capture.Sample{Method: "GET", Query: map[string]json.RawMessage{"q": json.RawMessage(`"1"`)}}
	for _, v := range []struct {
		sample       capture.Sample
		to, url      string
		target, want string
	}{
		{sms, "", "", "/sms", ""},
		{sms, "http://localhost:3000", "", "/sms", "http://localhost:3000/sms"},
		{sms, "http://localhost:3000/", "", "/", "http://localhost:3000/"},
		{sms, "http://localhost:3000/in/twilio", "", "/", "http://localhost:3000/in/twilio"},
		{sms, "http://localhost:3000/in?a=b", "", "/", "http://localhost:3000/in?a=b"},
		{sms, "", "https://example.com", "/sms", "https://example.com/sms"},
		{sms, "http://localhost:3000", "https://example.com/hook", "/sms", "https://example.com/hook"},
		{sms, "http://localhost:3000/in", "https://example.com", "/", "https://example.com/"},
		{asks, "", "", "/?q=1", ""},
		{asks, "http://localhost:3000", "", "/?q=1", "http://localhost:3000/?q=1"},
		{asks, "http://localhost:3000/in", "", "/?q=1", "http://localhost:3000/in?q=1"},
		{asks, "http://localhost:3000/in?a=b", "", "/?q=1", "http://localhost:3000/in?a=b&q=1"},
	} {
		s, err := relay.NewSampler(&capture.EventType{Tag: "larder:sample", EventTypeSpec: capture.EventTypeSpec{Sample: v.sample}}, &capture.Firing{To: v.to, URL: v.url}, func(string, *sign.Scheme) []sign.Secret { return nil })
		if err != nil {
			t.Fatal(err)
		}
		e, _, err := s.Make("default")
		if err != nil {
			t.Fatal(err)
		}
		if string(e.Target) != v.target || string(e.URL) != v.want {
			t.Errorf("to %q, signed as %q: target %q and URL %q, want %q and %q", v.to, v.url, e.Target, e.URL, v.target, v.want)
		}
	}
}
