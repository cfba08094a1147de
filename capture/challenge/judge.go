package challenge

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"

	"code.hooktape.dev/hooktape/capture"
)

// Judge holds the response to an event against what its sender wants to hear,
// if the event is a challenge: the error says what is wrong with it. Of a
// challenge that cannot be answered without a secret that is not there, asked
// is false. A provider's 200 may be any 2xx, and text that is to be echoed may
// be the member "challenge" of an object, as Slack has it.
func Judge(e *capture.Event, body []byte, secret func(provider string) string, res *capture.Response) (provider string, asked bool, err error) {
	want, provider, ok := Answer(e, body, secret)
	if !ok {
		return "", false, nil
	}
	switch {
	case want.Code()/100 == 2 && res.Status/100 != 2:
		return provider, true, fmt.Errorf("the answer has status %d, and %s wants %d", res.Status, provider, want.Code())
	case want.Code()/100 != 2 && res.Status/100 == 2:
		return provider, true, fmt.Errorf("the answer has status %d, though this is signed with a wrong secret: %s wants %d", res.Status, provider, want.Code())
	case want.Code()/100 != 2:
		return provider, true, nil
	}
	for name, value := range want.Headers {
		if name == "Content-Type" || name == "X-Content-Type-Options" || name == "Allow" || name == "WebHook-Allowed-Rate" {
			continue // ours, or as one likes
		}
		if got := res.Headers.First(name); got != value {
			return provider, true, fmt.Errorf("the answer has %s: %.100q, and %s wants %.100q", name, got, provider, value)
		}
	}
	if want.Body == "" || holdsAll(res.Body, want.Body) {
		return provider, true, nil
	}
	return provider, true, fmt.Errorf("the answer is %.100q, and %s wants %.200q", res.Body, provider, want.Body)
}

// holdsAll reports whether a body says what is wanted: the same text, or an
// object with at least the members of the one that is wanted.
func holdsAll(body []byte, want string) bool {
	if string(bytes.TrimSpace(body)) == want {
		return true
	}
	var got map[string]any
	if json.Unmarshal(body, &got) != nil {
		return false
	}
	var members map[string]any
	if json.Unmarshal([]byte(want), &members) != nil || members == nil {
		return got["challenge"] == want
	}
	for name, v := range members {
		if !reflect.DeepEqual(got[name], v) {
			return false
		}
	}
	return true
}
