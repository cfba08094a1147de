package sign_test

import (
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/sign"
)

const (
	form   = "application/x-www-form-urlencoded"
	hubURL = "https://www.example.com/webhook_uri"
	hubKey = "yyyyyyyy-yyyy-yyyy-yyyy-yyyyyyyyyyyy"
	twilio = "https://mycompany.com/myapp.php?foo=1&bar=2"

	slackBody = "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"

	adyenItem = `{"notificationItems":[{"NotificationRequestItem":{"additionalData":{"hmacSignature":"SIG"},"amount":{"currency":"EUR","value":1130},"eventCode":"AUTHORISATION","merchantAccountCode":"TestMerchant","merchantReference":"TestPayment-1407325143704","pspReference":"7914073381342284","success":"true"}}]}`
)

var callSid = url.Values{"CallSid": {"CA1234567890ABCDE"}, "Caller": {"+14158675309"}, "Digits": {"1234"}, "From": {"+14158675309"}, "To": {"+18005551212"}}

// Signatures that others publish or check, by name. SIG in headers and body
// stands for the signature.
var vectors = []struct {
	name, scheme, secret string
	headers              capture.Headers
	url, body            string
	at                   int64 // milliseconds
	want                 string
	random               bool // signing gives another one each time
}{
	{name: "GitHub's documentation", scheme: "github", secret: "It's a Secret to Everybody", body: "Hello, World!",
		headers: capture.Headers{{"X-Hub-Signature-256", "SIG"}}, want: "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"},
	{name: "go-github, SHA-1", scheme: "github", secret: "0123456789abcdef", body: `{"yo":true}`,
		headers: capture.Headers{{"X-Hub-Signature", "SIG"}}, want: "sha1=126f2c800419c60137ce748d7672e77b65cf16d6"},
	{name: "go-github", scheme: "github", secret: "0123456789abcdef", body: `{"yo":true}`,
		headers: capture.Headers{{"X-Hub-Signature-256", "SIG"}}, want: "sha256=b1f8020f5b4cd42042f807dd939015c4a418bc1ff7f604dd55b0a19b5d953d9b"},
	{name: "Bitbucket's documentation", scheme: "bitbucket", secret: "It's a Secret to Everybody", body: "Hello World!",
		headers: capture.Headers{{"X-Hub-Signature", "SIG"}}, want: "sha256=a4771c39fbe90f317c7824e83ddef3caae9cb3d976c214ace1f2937e133263c9"},
	{name: "Slack's documentation", scheme: "slack", secret: "8f742231b10e8888abcd99yyyzzz85a5", body: slackBody, at: 1531420618000,
		headers: capture.Headers{{"Content-Type", form}, {"X-Slack-Request-Timestamp", "1531420618"}, {"X-Slack-Signature", "SIG"}},
		want:    "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"},
	{name: "Standard Webhooks v1", scheme: "standard-webhooks", secret: second, body: `{"test": 2432232314}`, at: 1614265330000,
		headers: capture.Headers{{"webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek"}, {"webhook-timestamp", "1614265330"}, {"webhook-signature", "SIG"}},
		want:    "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="},
	{name: "Standard Webhooks v1a", scheme: "standard-webhooks", body: `{"test": 2432232314}`, at: 1614265330000,
		secret:  "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg==",
		headers: capture.Headers{{"webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek"}, {"webhook-timestamp", "1614265330"}, {"webhook-signature", "SIG"}},
		want:    "v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg=="},
	{name: "Standard Webhooks v1a, public key", scheme: "standard-webhooks", body: `{"test": 2432232314}`, at: 1614265330000, random: true,
		secret:  "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=",
		headers: capture.Headers{{"webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek"}, {"webhook-timestamp", "1614265330"}, {"webhook-signature", "SIG"}},
		want:    "v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg=="},
	{name: "Svix", scheme: "svix", secret: second, body: `{"test": 2432232314}`, at: 1614265330000,
		headers: capture.Headers{{"svix-id", "msg_p5jXN8AQM9LWM0D4loKWxJek"}, {"svix-timestamp", "1614265330"}, {"svix-signature", "SIG"}},
		want:    "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="},
	{name: "Twilio's documentation", scheme: "twilio", secret: "12345", url: twilio, body: callSid.Encode(),
		headers: capture.Headers{{"Content-Type", form}, {"X-Twilio-Signature", "SIG"}}, want: "RSOYDt4T1cUTdK1PDd93/VVr8B8="},
	{name: "Twilio, names that sort by length", scheme: "twilio", secret: "12345", url: twilio, body: callSid.Encode() + "&Reason=Participant&ReasonConferenceEnded=test",
		headers: capture.Headers{{"Content-Type", form}, {"X-Twilio-Signature", "SIG"}}, want: "vOEb5UThFn24KEfnOFLQY2AE5FY="},
	{name: "Twilio, JSON", scheme: "twilio", secret: "12345", body: `{"property": "value", "boolean": true}`,
		url:     twilio + "&bodySHA256=0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620",
		headers: capture.Headers{{"Content-Type", "application/json"}, {"X-Twilio-Signature", "SIG"}}, want: "a9nBmqA0ju/hNViExpshrM61xv4="},
	{name: "Square", scheme: "square", secret: "asdf1234", url: "https://example.com/webhook", body: `{"hello":"world"}`,
		headers: capture.Headers{{"x-square-hmacsha256-signature", "SIG"}}, want: "2kRE5qRU2tR+tBGlDwMEw2avJ7QM4ikPYD/PJ3bd9Og="},
	{name: "Adyen's documentation", scheme: "adyen", secret: "44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056",
		body: adyenItem, want: "coqCmt/IZ4E3CzPvMY8zTjQVL5hYJUiBRg8UU+iCWo0="},
	{name: "HubSpot v3", scheme: "hubspot", secret: hubKey, url: hubURL, body: `{'example_field':'example_value'}`, at: 1693657560000,
		headers: capture.Headers{{"X-HubSpot-Request-Timestamp", "1693657560000"}, {"X-HubSpot-Signature-v3", "SIG"}},
		want:    "K36dawei4A+QBNolUOqo7s91KQDWQ5MXZ/QufNYuk/Y="},
	{name: "HubSpot v3, later", scheme: "hubspot", secret: hubKey, url: hubURL, body: `{'example_field':'example_value'}`, at: 1700000300000,
		headers: capture.Headers{{"X-HubSpot-Request-Timestamp", "1700000300000"}, {"X-HubSpot-Signature-v3", "SIG"}},
		want:    "RnbPH7+UMKVkbV32P8bz450N4M56aPmcru1+D3kSDtw="},
	{name: "HubSpot v2", scheme: "hubspot", secret: hubKey, url: hubURL, body: `{"example_field":"example_value"}`,
		headers: capture.Headers{{"X-HubSpot-Signature-Version", "v2"}, {"X-HubSpot-Signature", "SIG"}},
		want:    "9569219f8ba981ffa6f6f16aa0f48637d35d728c7e4d93d0d52efaa512af7900"},
	{name: "Zoom", scheme: "zoom", secret: "zoom_webhook_secret", body: `{"event":"meeting.started","event_ts":1626230691572}`, at: 1739923528000,
		headers: capture.Headers{{"x-zm-request-timestamp", "1739923528"}, {"x-zm-signature", "SIG"}},
		want:    "v0=71276689c37d865ee24535dab72c05883e9d083978e8d3161202634051b15404"},
	{name: "Meta", scheme: "meta", secret: "secret", body: "test",
		headers: capture.Headers{{"X-Hub-Signature-256", "SIG"}}, want: "sha256=0329a06b62cd16b33eb6792be8c60b158d89a2ee3a876fce9a881ebb488c0914"},
	{name: "Stripe", scheme: "stripe", secret: "whsec_test_secret", body: `{"id":"evt_test_webhook","object":"event"}`, at: 1492774577000,
		headers: capture.Headers{{"Stripe-Signature", "SIG"}}, want: "t=1492774577,v1=88a022085c6bdb887b02cb26ff76dd681234d9675c0f22844059f55552a8883a"},
	{name: "Shopify", scheme: "shopify", secret: "hush", body: `{"id":1}`,
		headers: capture.Headers{{"X-Shopify-Hmac-Sha256", "SIG"}}, want: "VnKUjZsLuN5iZWjn5EntcBVCF9kMN43LglzCE1/GSeY="},
	{name: "Trello", scheme: "trello", secret: "trello_secret", url: "https://example.com/trello", body: `{"action":{"type":"createCard"}}`,
		headers: capture.Headers{{"X-Trello-Webhook", "SIG"}}, want: "rD80q6hUTi9QWc/EwIfNKI3x4oU="},
	{name: "Mailgun", scheme: "mailgun", secret: "key-test", at: 1770920772000,
		body: `{"signature":{"timestamp":"1770920772","token":"e0b5477167110d68991efc6b9f89f0a11066af27834600e123","signature":"SIG"},"event-data":{}}`,
		want: "097ff1603ce0947833a030fe6b23a46d9597fc9835f074f252b2e662274fb61c"},
	{name: "Mailgun, as a form", scheme: "mailgun", secret: "key-test", at: 1770920772000, headers: capture.Headers{{"Content-Type", form}},
		body: "timestamp=1770920772&token=e0b5477167110d68991efc6b9f89f0a11066af27834600e123&signature=SIG",
		want: "097ff1603ce0947833a030fe6b23a46d9597fc9835f074f252b2e662274fb61c"},
	{name: "Calendly", scheme: "calendly", secret: "cal_secret", body: `{"event":"invitee.created"}`, at: 1714478400000,
		headers: capture.Headers{{"Calendly-Webhook-Signature", "SIG"}}, want: "t=1714478400,v1=5d3dbb5680005aef07832a3a7a96877f7c29a8aad0b7495d6f835d869b0a157a"},
	// From the tests of paddle-go-sdk (Apache-2.0).
	{name: "Paddle's library", scheme: "paddle", secret: "pdl_ntfset_" + "01hsdn8d43dt7mezr1ef2jtbaw_hKkRiCGyyRhbFwIUuqiTBgI7gnWoV0Gr", at: 1710929255000,
		body:    `{"data":{"id":"pri_01hsdn96k2hxjzsq5yerecdj9j","name":null,"status":"active","quantity":{"maximum":999999,"minimum":1},"tax_mode":"account_setting","product_id":"pro_01hsdn8qp7yydry3x1yeg6a9rv","unit_price":{"amount":"1000","currency_code":"USD"},"custom_data":null,"description":"testing","import_meta":null,"trial_period":null,"billing_cycle":{"interval":"month","frequency":1},"unit_price_overrides":[]},"event_id":"evt_01hsdn97563968dy0szkmgjwh3","event_type":"price.created","occurred_at":"2024-03-20T10:07:35.590857Z","notification_id":"ntf_01hsdn977e920kbgzt6r6c9rqc"}`,
		headers: capture.Headers{{"Paddle-Signature", "SIG"}}, want: "ts=1710929255;h1=6c05ef8fa83c44d751be6d259ec955ce5638e2c54095bf128e408e2fce1589c8"},
	// From the tests of sendgrid-go (MIT). The line end is signed.
	{name: "SendGrid's library", scheme: "sendgrid", at: 1600112502000, random: true,
		secret:  "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE83T4O/n84iotIvIW4mdBgQ/7dAfSmpqIM8kF9mN1flpVKS3GRqe62gw+2fNNRaINXvVpiglSI8eNEc6wEA3F+g==",
		body:    `[{"email":"hello@world.com","event":"dropped","reason":"Bounced Address","sg_event_id":"ZHJvcC0xMDk5NDkxOS1MUnpYbF9OSFN0T0doUTRrb2ZTbV9BLTA","sg_message_id":"LRzXl_NHStOGhQ4kofSm_A.filterdrecv-p3mdw1-756b745b58-kmzbl-18-5F5FC76C-9.0","smtp-id":"<LRzXl_NHStOGhQ4kofSm_A@ismtpd0039p1iad1.sendgrid.net>","timestamp":1600112492}]` + "\r\n",
		headers: capture.Headers{{"X-Twilio-Email-Event-Webhook-Timestamp", "1600112502"}, {"X-Twilio-Email-Event-Webhook-Signature", "SIG"}},
		want:    "MEUCIGHQVtGj+Y3LkG9fLcxf3qfI10QysgDWmMOVmxG0u6ZUAiEAyBiXDWzM+uOe5W0JuG+luQAbPIqHh89M15TluLtEZtM="},
	{name: "Blocklet", scheme: "blocklet", secret: strings.Repeat("00ff", 16), body: `{"a":"é"}`, at: 1795301509000,
		headers: capture.Headers{{"X-Webhook-Signature", "SIG"}}, want: "t=1795301509,v1=707f58045e6569f6c040e4cebe2dcbbbc2f28ff9ae5ed6345dc0512b893ac776"},
	{name: "ARK", scheme: "ark", secret: "f9e552b8a5fa4e21ecbcebe14525e3cb" + strings.Repeat("0", 32), body: "{}",
		headers: capture.Headers{{"Authorization", "SIG"}}, want: "f9e552b8a5fa4e21ecbcebe14525e3cb"},
}

func TestVectors(t *testing.T) {
	for _, v := range vectors {
		t.Run(v.name, func(t *testing.T) {
			s, secret, now := scheme(t, v.scheme), sign.Secret{Name: "theirs", Text: v.secret}, time.UnixMilli(v.at)
			of := func(signature string) *sign.Request {
				r := &sign.Request{Method: "POST", URL: v.url, Headers: slices.Clone(v.headers), Body: []byte(strings.Replace(v.body, "SIG", signature, 1))}
				for i := range r.Headers {
					r.Headers[i][1] = strings.Replace(r.Headers[i][1], "SIG", signature, 1)
				}
				return r
			}
			right := of(v.want)
			if got := s.Verify(right, now, secret); got.Verdict != capture.Valid || got.Secret != "theirs" || got.Scheme != v.scheme || !got.Checked.Equal(now) {
				t.Errorf("verified: %+v", got)
			}
			if v.random {
				return
			}
			again := of("x")
			if err := s.Sign(again, sign.How{At: now, Secrets: []sign.Secret{secret}}); err != nil {
				t.Fatal(err)
			}
			for _, h := range right.Headers {
				if got := again.Headers.First(h[0]); got != h[1] {
					t.Errorf("signed %s: %s, want %s", h[0], got, h[1])
				}
			}
			if string(again.Body) != string(right.Body) {
				t.Errorf("signed %s, want %s", again.Body, right.Body)
			}
		})
	}
}

// SendGrid's bodies end in a line end that many cut off.
func TestLostLineEndOfAPublicKey(t *testing.T) {
	for _, v := range vectors {
		if v.scheme != "sendgrid" {
			continue
		}
		h := with(v.headers, "X-Twilio-Email-Event-Webhook-Signature", v.want)
		got := scheme(t, v.scheme).Verify(&sign.Request{Headers: h, Body: []byte(strings.TrimSpace(v.body))}, made, named(v.secret)...)
		if got.Verdict != capture.Invalid || got.Cause != capture.CauseNewline {
			t.Errorf("%+v", got)
		}
	}
}
