package sign

import "time"

// Of what is in several records.
const (
	fiveMinutes = 5 * time.Minute
	xHub        = "X-Hub-Signature: sha1={s}"
	xHub256     = "X-Hub-Signature-256: sha256={s}"
)

// standardWays are those of Standard Webhooks 1.0.0 with the headers of one
// family: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
func standardWays(family string, old bool) []way {
	message, at := "{"+family+"-id}.{t}.{body}", family+"-timestamp"
	return []way{
		{as: family + "-signature: v1,{s} …", enc: inBase64, key: whsec, message: message, at: at, past: fiveMinutes, future: fiveMinutes, old: old},
		{as: family + "-signature: v1a,{s} …", alg: edDSA, enc: inBase64, key: whsk, message: message, at: at, past: fiveMinutes, future: fiveMinutes, old: old},
	}
}

var standardThenSvix, svixThenStandard = append(standardWays("webhook", false), standardWays("svix", true)...),
	append(standardWays("svix", false), standardWays("webhook", true)...)

// signers are the senders of those whose webhooks another signs.
var signers = map[string]string{"clerk": "svix", "openai": "standard-webhooks", "resend": "svix"}

// The order counts where only the headers tell the scheme.
var table = []record{
	{name: "svix", doc: "https://docs.svix.com/receiving/verifying-payloads/how-manual",
		ways: svixThenStandard, ids: "svix-id=msg webhook-id", made: "/timestamp"},
	{name: "standard-webhooks", doc: "https://www.standardwebhooks.com/",
		ways: standardThenSvix, ids: "webhook-id=msg svix-id", made: "/timestamp"},
	{name: "wacht", doc: "https://www.standardwebhooks.com/", ways: standardWays("webhook", false), shared: true, ids: "webhook-id=msg", made: "/timestamp"},

	// Forges. Forgejo sends the headers of Gitea too, and both GitHub's.
	{name: "forgejo", doc: "https://forgejo.org/docs/latest/user/webhooks/",
		ways: []way{{as: "X-Forgejo-Signature: {s}"}, {as: "X-Gitea-Signature: {s}"}, {as: "X-Gogs-Signature: {s}"}, {as: xHub256}, {as: xHub, alg: macSHA1}},
		ids:  "X-Forgejo-Delivery=uuid X-Gitea-Delivery X-Gogs-Delivery X-GitHub-Delivery"},
	{name: "gitea", doc: "https://docs.gitea.com/usage/webhooks",
		ways: []way{{as: "X-Gitea-Signature: {s}"}, {as: "X-Gogs-Signature: {s}"}, {as: xHub256}, {as: xHub, alg: macSHA1}},
		ids:  "X-Gitea-Delivery=uuid X-Gogs-Delivery X-GitHub-Delivery"},
	{name: "gogs", doc: "https://gogs.io/docs/features/webhook", ways: []way{{as: "X-Gogs-Signature: {s}"}}, ids: "X-Gogs-Delivery=uuid"},
	{name: "github", doc: "https://docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries",
		ways: []way{{as: xHub256}, {as: xHub, alg: macSHA1}}, ids: "X-GitHub-Delivery=uuid"},
	{name: "gitlab", doc: "https://docs.gitlab.com/user/project/integrations/webhooks/",
		ways: append([]way{{as: "X-Gitlab-Token: {s}", alg: equality, key: noWhsec}}, standardWays("webhook", false)[0]),
		ids:  "webhook-id=uuid Idempotency-Key X-Gitlab-Event-UUID"},
	{name: "bitbucket", doc: "https://support.atlassian.com/bitbucket-cloud/docs/manage-webhooks/",
		ways: []way{{as: "X-Hub-Signature: sha256={s}"}}, shared: true, ids: "X-Request-UUID X-Request-Id"},
	{name: "jira", doc: "https://developer.atlassian.com/cloud/jira/platform/webhooks/",
		ways: []way{{as: "X-Hub-Signature: sha256={s}"}}, shared: true, ids: "X-Atlassian-Webhook-Identifier", made: "/timestamp"},
	{name: "azure-devops", doc: "https://learn.microsoft.com/azure/devops/service-hooks/services/webhooks",
		ways: []way{{as: "Authorization: {s}", alg: equality, key: basic}}, shared: true, ids: "/id", made: "/createdDate"},

	// Building and watching.
	{name: "buildkite", doc: "https://buildkite.com/docs/apis/webhooks",
		ways: []way{
			{as: "X-Buildkite-Signature: timestamp={t},signature={s}", message: "{t}.{body}"},
			{as: "X-Buildkite-Token: {s}", alg: equality, old: true},
		}},
	{name: "circleci", doc: "https://circleci.com/docs/guides/integration/outbound-webhooks/",
		ways: []way{{as: "circleci-signature: v1={s},…"}}, ids: "/id", made: "/happened_at"},
	{name: "heroku", doc: "https://devcenter.heroku.com/articles/app-webhooks#securing-webhook-requests",
		ways: []way{{as: "Heroku-Webhook-Hmac-SHA256: {s}", enc: inBase64}}, ids: "/id /webhook_metadata/event/id /webhook_metadata/delivery/id", made: "/created_at"},
	{name: "vercel", doc: "https://vercel.com/docs/webhooks/webhooks-api#securing-webhooks",
		ways: []way{{as: "x-vercel-signature: {s}", alg: macSHA1}}, ids: "/id", made: "/createdAt"},
	{name: "pagerduty", doc: "https://developer.pagerduty.com/docs/verifying-webhook-signatures",
		ways: []way{{as: "X-PagerDuty-Signature: v1={s},…"}}, ids: "/event/id", made: "/event/occurred_at"},
	{name: "sentry", doc: "https://docs.sentry.io/organization/integrations/integration-platform/webhooks/",
		ways: []way{{as: "Sentry-Hook-Signature: {s}"}}, ids: "Request-ID=uuid", made: "Sentry-Hook-Timestamp"},
	{name: "launchdarkly", doc: "https://launchdarkly.com/docs/integrations/webhooks",
		ways: []way{{as: "X-LD-Signature: {s}"}}, ids: "/_id", made: "/date"},

	// Clouds.
	{name: "aws-sns", doc: "https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html",
		ways: []way{
			{as: "/Signature: {s}", when: "/SignatureVersion=2", message: "{sns}", alg: rsaSHA256, enc: inBase64, key: rsaBundle, cert: "/SigningCertURL", hosts: ofSNS},
			{as: "/Signature: {s}", when: "/SignatureVersion=1", message: "{sns}", alg: rsaSHA1, enc: inBase64, key: rsaBundle, cert: "/SigningCertURL", hosts: ofSNS},
		}, ids: "/MessageId x-amz-sns-message-id", made: "/Timestamp"},
	{name: "microsoft-graph", doc: "https://learn.microsoft.com/graph/change-notifications-delivery-webhooks",
		ways: []way{{as: "/clientState: {s}", each: "/value", alg: equality}}, ids: "/value/0/id"},
	{name: "google", doc: "https://developers.google.com/workspace/calendar/api/guides/push",
		ways: []way{{as: "X-Goog-Channel-Token: {s}", alg: equality}}},

	// Money.
	{name: "stripe", doc: "https://docs.stripe.com/webhooks#verify-manually",
		ways: []way{{as: "Stripe-Signature: t={t},v1={s},…", message: "{t}.{body}", past: fiveMinutes}},
		ids:  "/id", made: "/created", secret: "whsec_"},
	{name: "paypal", doc: "https://developer.paypal.com/api/rest/webhooks/rest/#link-messagesignature",
		ways: []way{{as: "PAYPAL-TRANSMISSION-SIG: {s}", message: "{PAYPAL-TRANSMISSION-ID}|{t}|{webhook}|{crc32}", at: "PAYPAL-TRANSMISSION-TIME", unit: rfc3339,
			alg: rsaSHA256, enc: inBase64, key: payPalBundle, cert: "PAYPAL-CERT-URL", hosts: ofPayPal, with: "PAYPAL-AUTH-ALGO=SHA256withRSA"}},
		ids: "PAYPAL-TRANSMISSION-ID=uuid /id", made: "/create_time"},
	{name: "square", doc: "https://developer.squareup.com/docs/webhooks/step3validate",
		ways: []way{
			{as: "x-square-hmacsha256-signature: {s}", message: "{url}{body}", enc: inBase64},
			{as: "x-square-signature: {s}", message: "{url}{body}", alg: macSHA1, enc: inBase64, old: true},
		}, ids: "/event_id", made: "/created_at"},
	{name: "adyen", doc: "https://docs.adyen.com/development-resources/webhooks/secure-webhooks/verify-hmac-signatures",
		ways: []way{
			{as: "/NotificationRequestItem/additionalData/hmacSignature: {s}", each: "/notificationItems", when: "/notificationItems/0/NotificationRequestItem/pspReference",
				message: "{/NotificationRequestItem/pspReference?}:{/NotificationRequestItem/originalReference?}:{/NotificationRequestItem/merchantAccountCode?}:" +
					"{/NotificationRequestItem/merchantReference?}:{/NotificationRequestItem/amount/value?}:{/NotificationRequestItem/amount/currency?}:" +
					"{/NotificationRequestItem/eventCode?}:{/NotificationRequestItem/success?}",
				enc: inBase64, key: hexKey},
			{as: "HmacSignature: {s}", enc: inBase64, key: hexKey, with: "Protocol=HmacSHA256"},
		}, ids: "/notificationItems/0/NotificationRequestItem/pspReference", made: "/notificationItems/0/NotificationRequestItem/eventDate"},
	{name: "paddle", doc: "https://developer.paddle.com/webhooks/signature-verification",
		ways: []way{{as: "Paddle-Signature: ts={t};h1={s};…", message: "{t}:{body}", past: 5 * time.Second}},
		ids:  "/event_id /notification_id", made: "/occurred_at", secret: "pdl_ntfset_"},
	{name: "lemon-squeezy", doc: "https://docs.lemonsqueezy.com/help/webhooks/signing-requests", ways: []way{{as: "X-Signature: {s}"}}, shared: true},
	{name: "razorpay", doc: "https://razorpay.com/docs/webhooks/validate-test/", ways: []way{{as: "X-Razorpay-Signature: {s}"}}, ids: "x-razorpay-event-id", made: "/created_at"},
	{name: "checkout", doc: "https://www.checkout.com/docs/developer-resources/event-notifications/receive-webhooks",
		ways: []way{{as: "Cko-Signature: {s}"}}, ids: "/id", made: "/created_on"},
	{name: "gocardless", doc: "https://developer.gocardless.com/api-reference/#webhooks-overview",
		ways: []way{{as: "Webhook-Signature: {s}"}}, shared: true, ids: "/meta/webhook_id"},
	{name: "chargebee", doc: "https://www.chargebee.com/docs/billing/2.0/site-configuration/webhook_settings",
		ways: []way{{as: "Authorization: {s}", alg: equality, key: basic}}, shared: true, ids: "/id", made: "/occurred_at"},
	{name: "coinbase-commerce", doc: "https://docs.cdp.coinbase.com/commerce/introduction/webhooks",
		ways: []way{{as: "X-CC-Webhook-Signature: {s}"}}, ids: "/event/id", made: "/event/created_at"},
	{name: "paystack", doc: "https://paystack.com/docs/payments/webhooks/", ways: []way{{as: "x-paystack-signature: {s}", alg: macSHA512}}, ids: "/data/id"},
	{name: "flutterwave", doc: "https://developer.flutterwave.com/docs/webhooks", ways: []way{{as: "verif-hash: {s}", alg: equality}}, ids: "/data/id"},
	{name: "wise", doc: "https://docs.wise.com/api-docs/webhooks-notifications/event-handling",
		ways: []way{{as: "X-Signature-SHA256: {s}", alg: rsaSHA256, enc: inBase64, key: rsaBundle}}, ids: "X-Delivery-Id=uuid", made: "/sent_at"},
	{name: "xero", doc: "https://developer.xero.com/documentation/guides/webhooks/configuring-your-server/", ways: []way{{as: "x-xero-signature: {s}", enc: inBase64}}},
	{name: "quickbooks", doc: "https://developer.intuit.com/app/developer/qbo/docs/develop/webhooks", ways: []way{{as: "intuit-signature: {s}", enc: inBase64}}, ids: "/0/id", made: "/0/time"},

	// Shops.
	{name: "shopify", doc: "https://shopify.dev/docs/apps/build/webhooks/subscribe/https",
		ways: []way{{as: "X-Shopify-Hmac-Sha256: {s}", enc: inBase64}}, ids: "X-Shopify-Webhook-Id=uuid X-Shopify-Event-Id", made: "X-Shopify-Triggered-At", secret: "shpss_"},
	{name: "woocommerce", doc: "https://developer.woocommerce.com/docs/apis/rest-api/v3/webhooks/",
		ways: []way{{as: "X-WC-Webhook-Signature: {s}", enc: inBase64}}, ids: "X-WC-Webhook-Delivery-ID"},

	// Talking.
	{name: "slack", doc: "https://docs.slack.dev/authentication/verifying-requests-from-slack",
		ways: []way{{as: "X-Slack-Signature: v0={s}", message: "v0:{t}:{body}", at: "X-Slack-Request-Timestamp", past: fiveMinutes, future: fiveMinutes}},
		ids:  "/event_id", made: "/event_time"},
	{name: "lark", doc: "https://open.larksuite.com/document/server-docs/event-subscription-guide/event-subscription-configure-/encrypt-key-encryption-configuration-case",
		ways: []way{{as: "X-Lark-Signature: {s}", message: "{t}{X-Lark-Request-Nonce}{key}{body}", at: "X-Lark-Request-Timestamp", alg: plainSHA256}},
		ids:  "X-Lark-Request-Nonce=uuid /header/event_id", made: "/header/create_time"},
	{name: "sendgrid", doc: "https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/getting-started-event-webhook-security-features",
		ways: []way{{as: "X-Twilio-Email-Event-Webhook-Signature: {s}", message: "{t}{body}", at: "X-Twilio-Email-Event-Webhook-Timestamp", alg: ecDSA, enc: inBase64, key: derKey}},
		ids:  "/0/sg_event_id", made: "/0/timestamp"},
	{name: "twilio", doc: "https://www.twilio.com/docs/usage/webhooks/webhooks-security",
		ways: []way{{as: "X-Twilio-Signature: {s}", message: "{url}{form}", alg: macSHA1, enc: inBase64, twilio: true}},
		ids:  "I-Twilio-Idempotency-Token=uuid"},
	{name: "telnyx", doc: "https://developers.telnyx.com/docs/messaging/messages/receiving-webhooks",
		ways: []way{{as: "telnyx-signature-ed25519: {s}", message: "{t}|{body}", at: "telnyx-timestamp", alg: edDSA, enc: inBase64, key: edBase64, past: fiveMinutes}},
		ids:  "/data/id", made: "/data/occurred_at"},
	{name: "sinch", doc: "https://developers.sinch.com/docs/conversation/callbacks/#validating-callbacks",
		ways: []way{{as: "x-sinch-webhook-signature: {s}", message: "{body}.{x-sinch-webhook-signature-nonce}.{t}", at: "x-sinch-webhook-signature-timestamp", enc: inBase64,
			with: "x-sinch-webhook-signature-algorithm=HmacSHA256"}}, ids: "x-sinch-webhook-signature-nonce=uuid"},
	{name: "mailgun", doc: "https://documentation.mailgun.com/docs/mailgun/user-manual/webhooks/securing-webhooks",
		ways: []way{
			{as: "/signature/signature: {s}", message: "{t}{/signature/token}", at: "/signature/timestamp"},
			{as: "form:signature: {s}", message: "{t}{form:token}", at: "form:timestamp"},
		}, ids: "/signature/token=hex50 form:token=hex50 /event-data/id", made: "/event-data/timestamp"},
	{name: "mandrill", doc: "https://mailchimp.com/developer/transactional/guides/track-respond-activity-webhooks/",
		ways: []way{{as: "X-Mandrill-Signature: {s}", when: "form:mandrill_events", message: "{url}{form}", alg: macSHA1, enc: inBase64}}},
	{name: "postmark", doc: "https://postmarkapp.com/developer/webhooks/webhooks-overview",
		ways: []way{{as: "Authorization: {s}", alg: equality, key: basic}}, shared: true, ids: "/MessageID"},
	{name: "customer.io", doc: "https://docs.customer.io/journeys/webhooks/#securely-verify-requests",
		ways: []way{{as: "X-CIO-Signature: {s}", message: "v0:{t}:{body}", at: "X-CIO-Timestamp"}}, ids: "/event_id", made: "/timestamp"},
	{name: "discord", doc: "https://discord.com/developers/docs/interactions/overview#setting-up-an-endpoint-validating-security-request-headers",
		ways: []way{{as: "X-Signature-Ed25519: {s}", message: "{t}{body}", at: "X-Signature-Timestamp", alg: edDSA, key: edHex}}, ids: "/id"},
	{name: "telegram", doc: "https://core.telegram.org/bots/api#setwebhook",
		ways: []way{{as: "X-Telegram-Bot-Api-Secret-Token: {s}", alg: equality}}, ids: "/update_id", made: "/message/date"},
	{name: "line", doc: "https://developers.line.biz/en/docs/messaging-api/verify-webhook-signature/",
		ways: []way{{as: "X-Line-Signature: {s}", enc: inBase64}}, ids: "/events/0/webhookEventId", made: "/events/0/timestamp"},
	{name: "viber", doc: "https://developers.viber.com/docs/api/rest-bot-api/#callbacks", ways: []way{{as: "X-Viber-Content-Signature: {s}"}}, ids: "/message_token", made: "/timestamp"},
	{name: "zoom", doc: "https://developers.zoom.us/docs/api/webhooks/#verify-with-zooms-header",
		ways: []way{{as: "x-zm-signature: v0={s}", message: "v0:{t}:{body}", at: "x-zm-request-timestamp", past: fiveMinutes}}, made: "/event_ts"},
	{name: "intercom", doc: "https://developers.intercom.com/docs/webhooks/webhook-notifications#signed-notifications",
		ways: []way{{as: xHub, alg: macSHA1}}, shared: true, ids: "/id", made: "/created_at"},
	{name: "zendesk", doc: "https://developer.zendesk.com/documentation/webhooks/verifying/",
		ways: []way{{as: "X-Zendesk-Webhook-Signature: {s}", message: "{t}{body}", at: "X-Zendesk-Webhook-Signature-Timestamp", unit: rfc3339, enc: inBase64}},
		ids:  "X-Zendesk-Webhook-Invocation-Id /id", made: "/time"},
	{name: "front", doc: "https://dev.frontapp.com/docs/application-webhooks#validating-data-integrity",
		ways: []way{{as: "X-Front-Signature: {s}", message: "{t}:{body}", at: "X-Front-Request-Timestamp", unit: millis, enc: inBase64}}, ids: "/payload/id"},
	{name: "help-scout", doc: "https://developer.helpscout.com/webhooks/", ways: []way{{as: "X-HelpScout-Signature: {s}", alg: macSHA1, enc: inBase64}}},

	// People. Meta's are those of Facebook, Instagram, Messenger and WhatsApp.
	{name: "meta", doc: "https://developers.facebook.com/docs/graph-api/webhooks/getting-started#validate-payloads",
		ways: []way{{as: xHub256}, {as: xHub, alg: macSHA1}}, shared: true,
		ids: "/entry/0/changes/0/value/messages/0/id /entry/0/messaging/0/message/mid", made: "/entry/0/time /entry/0/changes/0/value/messages/0/timestamp"},
	{name: "x", doc: "https://docs.x.com/x-api/webhooks/quickstart", ways: []way{{as: "X-Twitter-Webhooks-Signature: sha256={s}", enc: inBase64}}},
	{name: "tiktok", doc: "https://developers.tiktok.com/doc/webhooks-verification", ways: []way{{as: "TikTok-Signature: t={t},s={s}", message: "{t}.{body}"}}, made: "/create_time"},
	{name: "twitch", doc: "https://dev.twitch.tv/docs/eventsub/handling-webhook-events/#verifying-the-event-message",
		ways: []way{{as: "Twitch-Eventsub-Message-Signature: sha256={s}", message: "{Twitch-Eventsub-Message-Id}{t}{body}",
			at: "Twitch-Eventsub-Message-Timestamp", unit: rfc3339, past: 10 * time.Minute}}, ids: "Twitch-Eventsub-Message-Id=uuid"},
	{name: "kick", doc: "https://docs.kick.com/events/webhook-security",
		ways: []way{{as: "Kick-Event-Signature: {s}", message: "{Kick-Event-Message-Id}.{t}.{body}", at: "Kick-Event-Message-Timestamp", unit: rfc3339,
			alg: rsaSHA256, enc: inBase64, key: rsaBundle}}, ids: "Kick-Event-Message-Id=msg"},

	// Signing in.
	{name: "okta", doc: "https://developer.okta.com/docs/concepts/event-hooks/",
		ways: []way{{as: "Authorization: {s}", alg: equality}}, shared: true, ids: "/eventId", made: "/eventTime"},
	{name: "workos", doc: "https://workos.com/docs/events/data-syncing/webhooks",
		ways: []way{{as: "WorkOS-Signature: t={t}, v1={s}", message: "{t}.{body}", unit: millis, past: 3 * time.Minute}}, ids: "/id", made: "/created_at"},
	{name: "persona", doc: "https://docs.withpersona.com/webhooks-best-practices",
		ways: []way{{as: "Persona-Signature: t={t},v1={s}", message: "{t}.{body}"}}, ids: "/data/id", made: "/data/attributes/created-at"},

	// Work.
	{name: "linear", doc: "https://linear.app/developers/webhooks#securing-webhooks",
		ways: []way{{as: "Linear-Signature: {s}", at: "/webhookTimestamp", unit: millis, past: time.Minute, future: time.Minute}},
		ids:  "Linear-Delivery=uuid /webhookId", made: "/createdAt", secret: "lin_wh_"},
	{name: "trello", doc: "https://developer.atlassian.com/cloud/trello/guides/rest-api/webhooks/#webhook-signatures",
		ways: []way{{as: "X-Trello-Webhook: {s}", message: "{body}{url}", alg: macSHA1, enc: inBase64}}, ids: "/action/id", made: "/action/date"},
	{name: "asana", doc: "https://developers.asana.com/docs/webhooks-guide#security", ways: []way{{as: "X-Hook-Signature: {s}"}}, made: "/events/0/created_at"},
	{name: "notion", doc: "https://developers.notion.com/reference/webhooks", ways: []way{{as: "X-Notion-Signature: sha256={s}"}}, ids: "/id", made: "/timestamp"},
	{name: "clickup", doc: "https://developer.clickup.com/docs/webhooksignature", ways: []way{{as: "X-Signature: {s}"}}, shared: true, ids: "/history_items/0/id", made: "/history_items/0/date"},
	{name: "todoist", doc: "https://developer.todoist.com/api/v1/#tag/Webhooks",
		ways: []way{{as: "X-Todoist-Hmac-SHA256: {s}", enc: inBase64}}, ids: "X-Todoist-Delivery-ID=uuid", made: "/triggered_at"},
	{name: "figma", doc: "https://developers.figma.com/docs/rest-api/webhooks-security/",
		ways: []way{{as: "/passcode: {s}", alg: equality}}, made: "/timestamp"},
	{name: "airtable", doc: "https://airtable.com/developers/web/api/webhooks-overview",
		ways: []way{{as: "X-Airtable-Content-MAC: hmac-sha256={s}", key: base64Key}}, made: "/timestamp"},
	{name: "hubspot", doc: "https://developers.hubspot.com/docs/apps/legacy-apps/authentication/validating-requests",
		ways: []way{
			{as: "X-HubSpot-Signature-v3: {s}", message: "{method}{decoded}{body}{t}", at: "X-HubSpot-Request-Timestamp", unit: millis, enc: inBase64, past: fiveMinutes},
			{as: "X-HubSpot-Signature: {s}", when: "X-HubSpot-Signature-Version=v2", message: "{key}{method}{url}{body}", alg: plainSHA256, old: true},
			{as: "X-HubSpot-Signature: {s}", when: "X-HubSpot-Signature-Version=v1", message: "{key}{body}", alg: plainSHA256, old: true},
		}, ids: "/0/eventId", made: "/0/occurredAt"},
	{name: "typeform", doc: "https://www.typeform.com/developers/webhooks/secure-your-webhooks/",
		ways: []way{{as: "Typeform-Signature: sha256={s}", enc: inBase64}}, ids: "/event_id", made: "/form_response/submitted_at"},
	{name: "calendly", doc: "https://developer.calendly.com/api-docs/4c305798a61d3-webhook-signatures",
		ways: []way{{as: "Calendly-Webhook-Signature: t={t},v1={s}", message: "{t}.{body}", past: 3 * time.Minute}}, made: "/created_at"},
	{name: "cal.com", doc: "https://cal.com/docs/developing/guides/automation/webhooks", ways: []way{{as: "X-Cal-Signature-256: {s}"}}, ids: "/payload/uid", made: "/createdAt"},
	{name: "docusign", doc: "https://developers.docusign.com/platform/webhooks/connect/hmac/", ways: []way{{as: "X-DocuSign-Signature-1: {s}", enc: inBase64}}, made: "/generatedDateTime"},
	{name: "box", doc: "https://developer.box.com/guides/webhooks/v2/signatures-v2/",
		ways: []way{
			{as: "BOX-SIGNATURE-PRIMARY: {s}", message: "{body}{t}", at: "BOX-DELIVERY-TIMESTAMP", unit: rfc3339, enc: inBase64, past: 10 * time.Minute,
				with: "BOX-SIGNATURE-VERSION=1 BOX-SIGNATURE-ALGORITHM=HmacSHA256"},
			{as: "BOX-SIGNATURE-SECONDARY: {s}", message: "{body}{t}", at: "BOX-DELIVERY-TIMESTAMP", unit: rfc3339, enc: inBase64, past: 10 * time.Minute, old: true},
		}, ids: "BOX-DELIVERY-ID=uuid /id", made: "/created_at"},
	{name: "dropbox", doc: "https://www.dropbox.com/developers/reference/webhooks", ways: []way{{as: "X-Dropbox-Signature: {s}"}}},

	// Content.
	{name: "sanity", doc: "https://www.sanity.io/docs/content-lake/webhook-best-practices",
		ways: []way{{as: "sanity-webhook-signature: t={t},v1={s}", message: "{t}.{body}", unit: millis, enc: inBase64URL}}, ids: "idempotency-key"},
	{name: "webflow", doc: "https://developers.webflow.com/data/docs/working-with-webhooks",
		ways: []way{{as: "x-webflow-signature: {s}", message: "{t}:{body}", at: "x-webflow-timestamp", unit: millis, past: fiveMinutes}}},
	{name: "mux", doc: "https://www.mux.com/docs/core/verify-webhook-signatures",
		ways: []way{{as: "Mux-Signature: t={t},v1={s},…", message: "{t}.{body}", past: fiveMinutes}}, ids: "/id", made: "/created_at"},
	{name: "elevenlabs", doc: "https://elevenlabs.io/docs/product-guides/administration/webhooks",
		ways: []way{{as: "ElevenLabs-Signature: t={t},v0={s}", message: "{t}.{body}", past: 30 * time.Minute}}, made: "/event_timestamp", secret: "wsec_"},
	{name: "pusher", doc: "https://pusher.com/docs/channels/server_api/webhooks/#authentication", ways: []way{{as: "X-Pusher-Signature: {s}"}}, made: "/time_ms"},

	// Those whose dialects hooktape speaks.
	{name: "blocklet", doc: "https://www.npmjs.com/package/@abtnode/core", ways: []way{{as: "X-Webhook-Signature: t={t},v1={s}", message: "{t}.{body}"}}, shared: true},
	{name: "ark", doc: "https://github.com/ArkEcosystem/core/tree/master/packages/core-webhooks", ways: []way{{as: "Authorization: {s}", alg: equality, key: arkToken}}, shared: true, made: "/timestamp"},

	// A forwarder.
	{name: "hookdeck", doc: "https://hookdeck.com/docs/authentication", ways: []way{{as: "X-Hookdeck-Signature: {s}", enc: inBase64}}, ids: "X-Hookdeck-EventID"},
}
