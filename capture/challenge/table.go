package challenge

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strings"

	"code.hooktape.dev/hooktape/capture"
)

// A record is one way in which a provider asks.
type record struct {
	name   string // as capture/provider has it, where it has one
	method string
	known  string // terms that must all hold; see question.says
	echo   string // the term whose value is the challenge; "": there is none
	fits   func(challenge string) bool
	keyed  bool // it cannot be answered without a secret
	// proof checks the request with the secret, where there is one; refusal
	// is the status for a request that fails.
	proof   func(q *question, secret string) bool
	refusal int
	answer  func(challenge, secret string) capture.Answer
}

// The first record that fits counts, so those who ask in another's words and
// more stand before it.
var table = []record{
	// https://docs.slack.dev/reference/events/url_verification
	{name: "slack", method: "POST", known: "X-Slack-Request-Timestamp .type=url_verification", echo: ".challenge",
		proof: slackSigned, refusal: http.StatusUnauthorized, answer: echoed},
	// https://open.larksuite.com/document/server-docs/event-subscription-guide
	// The same question; Lark takes JSON only, which would do for Slack too.
	{name: "lark", method: "POST", known: ".type=url_verification", echo: ".challenge", answer: object("challenge")},
	// https://developers.zoom.us/docs/api/webhooks/
	{name: "zoom", method: "POST", known: ".event=endpoint.url_validation", echo: ".payload.plainToken",
		fits: token, keyed: true, answer: zoom},
	// https://discord.com/developers/docs/interactions/overview: some of its
	// PINGs are badly signed, to see them refused, hence no answer unkeyed.
	// Events of its other kind of webhooks are of type 1 too.
	{name: "discord", method: "POST", known: "X-Signature-Ed25519 .type=1 !.event.type",
		keyed: true, proof: discordSigned, refusal: http.StatusUnauthorized, answer: pong},
	// https://discord.com/developers/docs/events/webhook-events
	{name: "discord", method: "POST", known: "X-Signature-Ed25519 .type=0",
		keyed: true, proof: discordSigned, refusal: http.StatusUnauthorized, answer: noContent},
	// https://dev.twitch.tv/docs/eventsub/handling-webhook-events/
	{name: "twitch", method: "POST", known: "Twitch-Eventsub-Message-Type=webhook_callback_verification", echo: ".challenge",
		proof: twitchSigned, refusal: http.StatusForbidden, answer: echoed},
	// https://developer.xero.com/documentation/guides/webhooks/configuring-your-server/
	{name: "xero", method: "POST", known: "x-xero-signature .events=[]",
		keyed: true, proof: xeroSigned, refusal: http.StatusUnauthorized, answer: empty},
	// https://learn.microsoft.com/azure/event-grid/end-point-validation-event-grid-events-schema
	{name: "azure-event-grid", method: "POST", known: "aeg-event-type=SubscriptionValidation", echo: ".0.data.validationCode",
		answer: object("validationResponse")},
	// https://learn.microsoft.com/graph/change-notifications-delivery-webhooks
	{name: "microsoft-graph", method: "POST", known: "?validationToken", echo: "?validationToken", answer: echoed},
	// https://developers.asana.com/docs/webhooks-guide
	{name: "asana", method: "POST", echo: "X-Hook-Secret", fits: printable, answer: header("X-Hook-Secret")},
	// https://developers.smartsheet.com/api/smartsheet/guides/webhooks/webhook-verification
	{name: "smartsheet", method: "POST", echo: "Smartsheet-Hook-Challenge", fits: printable, answer: header("Smartsheet-Hook-Response")},
	// https://developers.ringcentral.com/guide/notifications/webhooks/creating-webhooks
	{name: "ringcentral", method: "POST", echo: "Validation-Token", fits: printable, answer: header("Validation-Token")},
	// https://developer.monday.com/api-reference/reference/webhooks: nothing
	// but the challenge. Miro asks likewise.
	{name: "monday", method: "POST", known: ".challenge :members=1", echo: ".challenge", answer: object("challenge")},

	// https://github.com/cloudevents/spec/blob/main/cloudevents/http-webhook.md
	{name: "cloudevents", method: "OPTIONS", echo: "WebHook-Request-Origin", fits: printable, answer: allowed},

	// https://developer.okta.com/docs/concepts/event-hooks/
	{name: "okta", method: "GET", echo: "X-Okta-Verification-Challenge", answer: object("verification")},
	// https://docs.x.com/x-api/webhooks/quickstart
	{name: "x", method: "GET", echo: "?crc_token", fits: token, keyed: true, answer: crc},
	// https://learn.microsoft.com/linkedin/shared/api-guide/webhook-validation
	{name: "linkedin", method: "GET", echo: "?challengeCode", fits: token, keyed: true, answer: linkedin},
	// https://developers.strava.com/docs/webhooks/: told from Meta, whose
	// challenges are decimal, by 16 hexadecimal digits.
	{name: "strava", method: "GET", known: "?hub.mode=subscribe", echo: "?hub.challenge", fits: hex16,
		proof: verified("hub.verify_token"), refusal: http.StatusForbidden, answer: object("hub.challenge")},
	// https://www.w3.org/TR/websub/#hub-verifies-intent, and the verify_token
	// of PubSubHubbub 0.3 for hubs that still send it.
	{name: "websub", method: "GET", known: "?hub.mode ?hub.topic", echo: "?hub.challenge",
		proof: verified("hub.verify_token"), refusal: http.StatusNotFound, answer: echoed},
	// https://developers.facebook.com/docs/graph-api/webhooks/getting-started
	{name: "meta", method: "GET", known: "?hub.mode=subscribe", echo: "?hub.challenge",
		proof: verified("hub.verify_token"), refusal: http.StatusForbidden, answer: echoed},
	// https://cloud.ouraring.com/v2/docs#tag/Webhook-Subscription-Routes
	{name: "oura", method: "GET", known: "?verification_token", echo: "?challenge",
		proof: verified("verification_token"), refusal: http.StatusUnauthorized, answer: object("challenge")},
	// https://www.dropbox.com/developers/reference/webhooks: Nylas, Adobe and
	// others ask likewise.
	{name: "dropbox", method: "GET", echo: "?challenge", answer: echoed},
	// https://dev.fitbit.com/build/reference/web-api/developer-guide/using-subscriptions/
	{name: "fitbit", method: "GET", known: "?verify",
		keyed: true, proof: verified("verify"), refusal: http.StatusNotFound, answer: noContent},

	// https://developer.atlassian.com/cloud/trello/guides/rest-api/webhooks/:
	// nothing but a HEAD. Mandrill and Withings ask likewise.
	{name: "trello", method: "HEAD", answer: empty},
}

// Which challenges are answered.

// token reports whether a challenge is one word, as those to be signed are:
// what Zoom, X and LinkedIn sign with the same secret holds a colon or a brace.
func token(s string) bool {
	return len(s) <= 256 && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_+/=") == ""
}

func hex16(s string) bool {
	return len(s) == 16 && strings.Trim(s, "0123456789abcdefABCDEF") == ""
}

// printable reports whether s can stand in a header.
func printable(s string) bool {
	return !strings.ContainsFunc(s, func(c rune) bool { return c < ' ' || c > '~' })
}

// How they are answered.

func echoed(challenge, _ string) capture.Answer { return text(http.StatusOK, challenge) }

// object answers {"name": challenge}.
func object(name string) func(string, string) capture.Answer {
	return func(challenge, _ string) capture.Answer { return members(map[string]any{name: challenge}) }
}

func members(m map[string]any) capture.Answer {
	body, err := json.Marshal(m)
	if err != nil {
		panic(err) // strings and numbers only
	}
	return answer(http.StatusOK, "application/json", string(body))
}

// header answers with a header, and nothing else.
func header(name string) func(string, string) capture.Answer {
	return func(challenge, _ string) capture.Answer {
		a := text(http.StatusOK, "")
		a.Headers[name] = challenge
		return a
	}
}

func noContent(string, string) capture.Answer {
	return answer(http.StatusNoContent, "application/json", "") // Discord wants a type even of nothing
}

func pong(string, string) capture.Answer { return members(map[string]any{"type": 1}) }

func zoom(challenge, secret string) capture.Answer {
	return members(map[string]any{"plainToken": challenge, "encryptedToken": hex.EncodeToString(mac(secret, challenge))})
}

func crc(challenge, secret string) capture.Answer {
	return members(map[string]any{"response_token": "sha256=" + base64.StdEncoding.EncodeToString(mac(secret, challenge))})
}

func linkedin(challenge, secret string) capture.Answer {
	return members(map[string]any{"challengeCode": challenge, "challengeResponse": hex.EncodeToString(mac(secret, challenge))})
}

// allowed lets an origin send as fast as it likes.
func allowed(origin, _ string) capture.Answer {
	a := text(http.StatusOK, "")
	a.Headers["Allow"], a.Headers["WebHook-Allowed-Origin"], a.Headers["WebHook-Allowed-Rate"] = "POST", origin, "*"
	return a
}
