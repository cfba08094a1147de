package capture_test

import (
	"encoding/json"
	"testing"

	"code.hooktape.dev/hooktape/capture"
)

// TestAddressHidesIngestKeys: who reads an event must not learn where to send
// more.
func TestAddressHidesIngestKeys(t *testing.T) {
	for in, want := range map[capture.Address]string{
		"": "", "https://hooks.example/x?a=1": "https://hooks.example/x?a=1",
		"https://hooks.example/in/shop/x":               "https://hooks.example/in/shop/x",
		"https://hooks.example/in/ik_abcdefghijkl/x?y":  "https://hooks.example/in/ik_****ijkl/x?y",
		"https://hooks.example/in/ik_abcdefghijkl":      "https://hooks.example/in/ik_****ijkl",
		"https://hooks.example/in/ik_abcdefghijkl?x=1":  "https://hooks.example/in/ik_****ijkl?x=1",
		"https://ik-abcdefghijkl.hooks.example:8443/x?": "https://ik-****ijkl.hooks.example:8443/x?",
		"https://IK-ABCDEFGHIJKL.hooks.example/x":       "https://IK-****IJKL.hooks.example/x",
		"http://x/\xe9": "http://x/\xe9",
	} {
		if got := in.Masked(); got != want {
			t.Errorf("%s is masked as %s, want %s", in, got, want)
		}
		b, err := json.Marshal(in)
		var back capture.Address
		if err != nil || json.Unmarshal(b, &back) != nil || string(back) != want {
			t.Errorf("%s comes back as %q, %v", in, back, err)
		}
	}
}
