package tui

import "code.hooktape.dev/hooktape/capture"

// public are headers without the secret ones.
func public(hs capture.Headers) capture.Headers {
	var out capture.Headers
	for _, h := range hs {
		if !h.Secret() {
			out = append(out, h)
		}
	}
	return out
}
