// Package challenge answers the question whether a webhook's receiver is
// there, which many providers ask before they send anything: Slack's
// url_verification, Meta's hub.challenge, Microsoft's validationToken and
// their like.
//
// All it knows is in one table, a record for each way to ask (table.go). It
// is pure: no network, no clock, nothing remembered. What cannot be answered
// truly is not answered at all: without the secret that the answer is made
// with, the request is a webhook like any other. Confirmations that want the
// receiver to fetch a URL (Amazon SNS) are not answered here.
//
// What it says is safe to send. Text is echoed as text/plain or within JSON,
// both with nosniff, so that no browser takes it for a page; never more than
// 4 KiB of it, and in a header only what can stand in one. Whoever can reach
// the receiver can ask it to sign a challenge, so only challenges that could
// not be a message of that provider are signed.
package challenge

import (
	"crypto/ed25519"
	"encoding/hex"
	"net/http"
	"slices"

	"code.hooktape.dev/hooktape/capture"
)

// maxEcho is how many bytes of a challenge are sent back; the longest known
// are some hundred.
const maxEcho = 4 << 10

// Answer is what the sender of e wants to hear, if e is a challenge: the
// provider is the one whose way of asking it is. secret is asked for that of a
// provider, see Secrets, once e is found to ask in its way; nil: there is none.
// One that is not there, "", lets every challenge be answered that can be
// answered without, and one that is there must fit: else the answer is the
// refusal that the provider expects, such as 401.
func Answer(e *capture.Event, body []byte, secret func(provider string) string) (a capture.Answer, provider string, ok bool) {
	q := question{e, body}
	for i := range table {
		r := &table[i]
		if r.method != e.Method || !q.holds(r.known) {
			continue
		}
		var echo string
		if r.echo != "" {
			if echo, ok = q.says(r.echo, ""); !ok || !r.takes(echo) {
				continue
			}
		}
		known := ""
		if secret != nil && (r.keyed || r.proof != nil) {
			known = secret(r.name)
		}
		switch {
		case known == "" && r.keyed:
			continue
		case known != "" && r.proof != nil && !r.proof(&q, known):
			return text(r.refusal, ""), r.name, true
		}
		return r.answer(echo, known), r.name, true
	}
	return capture.Answer{}, "", false
}

// takes reports whether a challenge may be answered.
func (r *record) takes(echo string) bool {
	return echo != "" && len(echo) <= maxEcho && (r.fits == nil || r.fits(echo))
}

// Secrets are the providers whose challenges need a secret or are checked
// with one, sorted.
func Secrets() []string {
	var names []string
	for _, r := range table {
		if r.keyed || r.proof != nil {
			names = append(names, r.name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Usable reports whether a provider could have given out this secret:
// Discord's is an Ed25519 public key, 64 hexadecimal digits; all others are
// any text.
func Usable(provider, secret string) bool {
	if provider == "discord" {
		key, err := hex.DecodeString(secret)
		return err == nil && len(key) == ed25519.PublicKeySize
	}
	return secret != ""
}

// text answers with a text that no browser takes for anything else.
func text(status int, body string) capture.Answer {
	return answer(status, "text/plain; charset=utf-8", body)
}

func answer(status int, kind, body string) capture.Answer {
	return capture.Answer{Status: status, Body: body, Headers: map[string]string{
		"Content-Type": kind, "X-Content-Type-Options": "nosniff",
	}}
}

// empty is the answer of providers that want no more than a status.
func empty(string, string) capture.Answer { return text(http.StatusOK, "") }
