package tui

import (
	"strings"

	"code.hooktape.dev/hooktape/capture"
)

// secret reports whether a header's value lets its bearer in. Signatures do
// not: they are what one looks at when a webhook is not accepted.
func secret(name string) bool {
	switch name = strings.ToLower(name); name {
	case "authorization", "proxy-authorization", "cookie", "set-cookie", "x-api-key", "api-key", "apikey":
		return true
	}
	return strings.HasSuffix(name, "-token") || strings.HasSuffix(name, "-secret") || strings.HasSuffix(name, "-api-key")
}

// masked is a header's value with what is secret in it hidden. A scheme such
// as Bearer stays to be seen.
func masked(h capture.Header) string {
	if !secret(h[0]) {
		return h[1]
	}
	if scheme, _, ok := strings.Cut(h[1], " "); ok && strings.HasSuffix(strings.ToLower(h[0]), "authorization") {
		return scheme + " ••••••••"
	}
	return "••••••••"
}

// public are headers without the secret ones.
func public(hs capture.Headers) capture.Headers {
	var out capture.Headers
	for _, h := range hs {
		if !secret(h[0]) {
			out = append(out, h)
		}
	}
	return out
}
