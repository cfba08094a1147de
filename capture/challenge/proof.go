package challenge

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"io"
)

// How a challenge shows that it comes from whom it says. Times are signed and
// not compared with the clock: an old challenge answered again tells its
// sender nothing new.

// verified compares a parameter of the query with the secret.
func verified(param string) func(*question, string) bool {
	return func(q *question, secret string) bool { return equal(q.param(param), secret) }
}

func slackSigned(q *question, secret string) bool {
	h := q.event.Headers
	sum := mac(secret, "v0:", h.First("X-Slack-Request-Timestamp"), ":", string(q.body))
	return equal(h.First("X-Slack-Signature"), "v0="+hex.EncodeToString(sum))
}

func twitchSigned(q *question, secret string) bool {
	h := q.event.Headers
	sum := mac(secret, h.First("Twitch-Eventsub-Message-Id"), h.First("Twitch-Eventsub-Message-Timestamp"), string(q.body))
	return equal(h.First("Twitch-Eventsub-Message-Signature"), "sha256="+hex.EncodeToString(sum))
}

func xeroSigned(q *question, secret string) bool {
	return equal(q.event.Headers.First("x-xero-signature"), base64.StdEncoding.EncodeToString(mac(secret, string(q.body))))
}

func discordSigned(q *question, secret string) bool {
	h := q.event.Headers
	key, err := hex.DecodeString(secret)
	if err != nil || len(key) != ed25519.PublicKeySize {
		return false
	}
	signature, err := hex.DecodeString(h.First("X-Signature-Ed25519"))
	return err == nil && ed25519.Verify(key, append([]byte(h.First("X-Signature-Timestamp")), q.body...), signature)
}

// mac is the HMAC-SHA256 of the parts, one behind the other.
func mac(secret string, parts ...string) []byte {
	h := hmac.New(sha256.New, []byte(secret))
	for _, p := range parts {
		io.WriteString(h, p) // never fails
	}
	return h.Sum(nil)
}

// equal takes as long for a wrong guess as for a right one.
func equal(a, b string) bool { return hmac.Equal([]byte(a), []byte(b)) }
