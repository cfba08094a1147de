package challenge_test

import (
	"testing"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/challenge"
)

// of is secrets as they are asked for.
func of(secrets map[string]string) func(string) string {
	return func(provider string) string { return secrets[provider] }
}

func TestJudge(t *testing.T) {
	slack := &capture.Event{Method: "POST", Target: "/", Headers: capture.Headers{{"X-Slack-Request-Timestamp", "1"}, {"X-Slack-Signature", "v0=00"}}}
	slackBody := `{"type":"url_verification","challenge":"c1"}`
	zoom := &capture.Event{Method: "POST", Target: "/"}
	zoomBody := `{"event":"endpoint.url_validation","payload":{"plainToken":"p"}}`
	asana := &capture.Event{Method: "POST", Target: "/", Headers: capture.Headers{{"X-Hook-Secret", "s"}}}
	for _, tt := range []struct {
		name    string
		e       *capture.Event
		body    string
		secrets map[string]string
		res     capture.Response
		asked   bool
		good    bool
	}{
		{"echoed", slack, slackBody, nil, capture.Response{Status: 200, Body: []byte("c1\n")}, true, true},
		{"in JSON", slack, slackBody, nil, capture.Response{Status: 200, Body: []byte(`{"challenge":"c1"}`)}, true, true},
		{"another", slack, slackBody, nil, capture.Response{Status: 200, Body: []byte("c2")}, true, false},
		{"nothing", slack, slackBody, nil, capture.Response{Status: 200}, true, false},
		{"an error", slack, slackBody, nil, capture.Response{Status: 404, Body: []byte("c1")}, true, false},
		{"badly signed, taken", slack, slackBody, map[string]string{"slack": "x"}, capture.Response{Status: 200, Body: []byte("c1")}, true, false},
		{"badly signed, refused", slack, slackBody, map[string]string{"slack": "x"}, capture.Response{Status: 403}, true, true},
		{"no secret", zoom, zoomBody, nil, capture.Response{Status: 200}, false, true},
		{"signed", zoom, zoomBody, map[string]string{"zoom": "k"}, capture.Response{Status: 200, Body: []byte(`{"plainToken":"p","encryptedToken":"0","more":1}`)}, true, false},
		{"a header", asana, "", nil, capture.Response{Status: 204, Headers: capture.Headers{{"x-hook-secret", "s"}}}, true, true},
		{"another header", asana, "", nil, capture.Response{Status: 204, Headers: capture.Headers{{"x-hook-secret", "t"}}}, true, false},
		{"no challenge", &capture.Event{Method: "POST", Target: "/"}, "{}", nil, capture.Response{Status: 500}, false, true},
	} {
		_, asked, err := challenge.Judge(tt.e, []byte(tt.body), of(tt.secrets), &tt.res)
		if asked != tt.asked || (err == nil) != tt.good {
			t.Errorf("%s: asked %v, %v", tt.name, asked, err)
		}
	}
	// What we answer ourselves is always right.
	a, _, _ := challenge.Answer(zoom, []byte(zoomBody), of(map[string]string{"zoom": "k"}))
	res := capture.Response{Status: a.Code(), Body: []byte(a.Body)}
	if _, asked, err := challenge.Judge(zoom, []byte(zoomBody), of(map[string]string{"zoom": "k"}), &res); !asked || err != nil {
		t.Errorf("our own answer: %v, %v", asked, err)
	}
}
