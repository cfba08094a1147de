package provider

// A row is one way in which a provider can be known. The first row that fits
// counts, so those that send another's headers too stand before it. The
// columns are in the language of terms.go.
type row struct {
	name   string
	known  string // that it is this provider
	typ    string // Found.Type
	id     string // Found.ID
	signed string // Found.Signed
}

var table = []row{
	// Forges. Forgejo sends Gitea's headers too, Gitea those of Gogs and
	// GitHub. Bitbucket, Jira and Intercom sign with X-Hub-Signature, Meta and
	// Gitea with X-Hub-Signature-256, as GitHub does.
	{"forgejo", "X-Forgejo-Event", "X-Forgejo-Event", "X-Forgejo-Delivery", "X-Forgejo-Signature X-Hub-Signature-256"},
	{"gitea", "X-Gitea-Event", "X-Gitea-Event", "X-Gitea-Delivery", "X-Gitea-Signature X-Hub-Signature-256"},
	{"gogs", "X-Gogs-Event", "X-Gogs-Event", "X-Gogs-Delivery", "X-Gogs-Signature"},
	{"github", "X-GitHub-Event X-GitHub-Delivery", "X-GitHub-Event", "X-GitHub-Delivery", "X-Hub-Signature-256 X-Hub-Signature"},
	{"gitlab", "X-Gitlab-Event", "X-Gitlab-Event", "Idempotency-Key webhook-id X-Gitlab-Event-UUID", "webhook-signature X-Gitlab-Token"},
	{"jira", ".webhookEvent", ".webhookEvent", "X-Atlassian-Webhook-Identifier", "X-Hub-Signature"},
	{"bitbucket", "X-Event-Key+X-Request-UUID X-Event-Key+X-Request-Id X-Event-Key+X-Hook-UUID User-Agent^Bitbucket", "X-Event-Key", "X-Request-UUID X-Request-Id", "X-Hub-Signature"},
	{"azure-devops", ".publisherId+.eventType+.subscriptionId", ".eventType", ".id", "Authorization"},

	// Building and watching.
	{"buildkite", "X-Buildkite-Event", "X-Buildkite-Event", "", "X-Buildkite-Signature X-Buildkite-Token"},
	{"circleci", "circleci-event-type circleci-signature", "circleci-event-type .type", ".id", "circleci-signature"},
	{"heroku", "Heroku-Webhook-Hmac-SHA256 .webhook_metadata.event.include", ".webhook_metadata.event.include .resource", ".webhook_metadata.event.id .id", "Heroku-Webhook-Hmac-SHA256"},
	{"netlify", "X-Netlify-Event", "X-Netlify-Event", "", "X-Webhook-Signature"},
	{"vercel", "x-vercel-signature", ".type", ".id", "x-vercel-signature"},
	{"pagerduty", "X-PagerDuty-Signature .event.event_type+.event.occurred_at", ".event.event_type", ".event.id", "X-PagerDuty-Signature"},
	{"sentry", "Sentry-Hook-Resource", "Sentry-Hook-Resource", "Request-ID", "Sentry-Hook-Signature"},
	{"alertmanager", ".groupKey+.alerts+.receiver", ".status", "", "Authorization"},
	{"launchdarkly", "X-LD-Signature", ".kind", "._id", "X-LD-Signature"},

	// Clouds and envelopes. Event Grid may send CloudEvents.
	{"aws-sns", "x-amz-sns-message-type .TopicArn+.MessageId+.Type", "x-amz-sns-message-type .Type", "x-amz-sns-message-id .MessageId", ".Signature"},
	{"azure-event-grid", "aeg-event-type", ".0.eventType .eventType .0.type .type", ".0.id .id", "aeg-sas-key Authorization"},
	{"microsoft-graph", "?validationToken", "=verification", "", ""},
	{"microsoft-graph", ".value.0.subscriptionId", ".value.0.lifecycleEvent .value.0.changeType", ".value.0.id", ".value.0.clientState .validationTokens.0"},
	{"google", "X-Goog-Channel-ID", "X-Goog-Resource-State", "X-Goog-Channel-ID+X-Goog-Message-Number", "X-Goog-Channel-Token"},
	{"google-pubsub", ".subscription^projects/+.message", ".message.attributes.eventType", ".message.messageId", "Authorization"},
	{"cloudevents", "ce-type+ce-specversion", "ce-type", "ce-id", "webhook-signature"},
	{"cloudevents", "Content-Type^application/cloudevents .specversion+.type+.source+.id", ".type .0.type", ".id .0.id", "webhook-signature"},
	{"cloudevents", ":method=OPTIONS+WebHook-Request-Origin", "=verification", "", ""},

	// Those whose headers are like those of Standard Webhooks, then those that
	// send exactly these and can be told by something else, then all others.
	{"gocardless", "Webhook-Signature+.events+.meta.webhook_id", ".events.0.resource_type+.events.0.action", ".meta.webhook_id", "Webhook-Signature"},
	{"wacht", "webhook-id+User-Agent^Wacht-Webhook", ".type", "webhook-id", "webhook-signature"},
	{"openai", "webhook-id+User-Agent^OpenAI webhook-id+.object=event+.id^evt_", ".type", "webhook-id", "webhook-signature"},
	{"clerk", "svix-id+.object=event+.instance_id", ".type", "svix-id", "svix-signature"},
	{"resend", "svix-id+.type^email.+.data.email_id", ".type", "svix-id", "svix-signature"},
	{"svix", "svix-id", ".type .event_type .eventType .event", "svix-id", "svix-signature"},
	{"standard-webhooks", "webhook-id+webhook-timestamp", ".type .event_type .eventType .event", "webhook-id", "webhook-signature"},

	// Money.
	{"stripe", "Stripe-Signature .object=event+.id^evt_+.livemode", ".type", ".id", "Stripe-Signature"},
	{"paypal", "PAYPAL-TRANSMISSION-ID", ".event_type", ".id", "PAYPAL-TRANSMISSION-SIG"},
	{"paypal", ".ipn_track_id", ".txn_type .payment_status", "", ""},
	{"square", "x-square-hmacsha256-signature x-square-signature", ".type", ".event_id", "x-square-hmacsha256-signature x-square-signature"},
	{"adyen", ".notificationItems", ".notificationItems.0.NotificationRequestItem.eventCode", ".notificationItems.0.NotificationRequestItem.pspReference+.notificationItems.0.NotificationRequestItem.eventCode", ".notificationItems.0.NotificationRequestItem.additionalData.hmacSignature"},
	{"adyen", "HmacSignature+Protocol", ".type", "", "HmacSignature"},
	{"paddle", "Paddle-Signature", ".event_type", ".event_id", "Paddle-Signature"},
	{"paddle", ".alert_name+.p_signature", ".alert_name", ".alert_id", ".p_signature"},
	{"lemon-squeezy", "X-Signature+.meta.event_name", "X-Event-Name .meta.event_name", "", "X-Signature"},
	{"razorpay", "X-Razorpay-Signature", ".event", "x-razorpay-event-id", "X-Razorpay-Signature"},
	{"checkout", "Cko-Signature", ".type", ".id", "Cko-Signature"},
	{"chargebee", ".object=event+.id^ev_+.event_type", ".event_type", ".id", "Authorization"},
	{"coinbase-commerce", "X-CC-Webhook-Signature", ".event.type", ".event.id", "X-CC-Webhook-Signature"},
	{"paystack", "x-paystack-signature", ".event", "", "x-paystack-signature"},
	{"flutterwave", "verif-hash", ".event .event.type", "", "verif-hash"},
	{"braintree", ".bt_signature+.bt_payload", "", "", ".bt_signature"},
	{"recurly", "recurly-signature", ".object_type+.event_type", ".id", "recurly-signature"},
	{"plaid", "Plaid-Verification", ".webhook_type+.webhook_code", "", "Plaid-Verification"},
	{"wise", "X-Signature-SHA256+X-Delivery-Id", ".event_type", "X-Delivery-Id", "X-Signature-SHA256"},
	{"xero", "x-xero-signature+.events.0", ".events.0.eventCategory+.events.0.eventType", "", "x-xero-signature"},
	{"xero", "x-xero-signature", "=verification", "", "x-xero-signature"}, // the intent to receive
	{"quickbooks", "intuit-signature", ".eventNotifications.0.dataChangeEvent.entities.0.name+.eventNotifications.0.dataChangeEvent.entities.0.operation .0.type", ".0.id", "intuit-signature"},

	// Shops.
	{"shopify", "X-Shopify-Topic", "X-Shopify-Topic", "X-Shopify-Webhook-Id X-Shopify-Event-Id", "X-Shopify-Hmac-Sha256"},
	{"woocommerce", "X-WC-Webhook-Topic", "X-WC-Webhook-Topic", "X-WC-Webhook-Delivery-ID", "X-WC-Webhook-Signature"},
	{"woocommerce", "User-Agent^WooCommerce+.webhook_id", "=verification", "", ""},

	// Talking. SendGrid's headers begin with X-Twilio but are not Twilio's.
	{"slack", "X-Slack-Signature X-Slack-Request-Timestamp .type=url_verification+.challenge+.token", ".event.type .type .payload.type .command", ".event_id .trigger_id .payload.trigger_id", "X-Slack-Signature"},
	{"lark", "X-Lark-Signature .header.event_type+.header.event_id .schema+.type=url_verification", ".header.event_type .event.type .type", ".header.event_id .uuid", "X-Lark-Signature"},
	{"sendgrid", "X-Twilio-Email-Event-Webhook-Signature .0.sg_event_id", ".0.event", ".0.sg_event_id", "X-Twilio-Email-Event-Webhook-Signature"},
	{"twilio", "X-Twilio-Signature", ".EventType .StatusCallbackEvent .RecordingStatus .MessageStatus .SmsStatus .CallStatus .0.type", "I-Twilio-Idempotency-Token", "X-Twilio-Signature"},
	{"telnyx", "telnyx-signature-ed25519", ".data.event_type", ".data.id", "telnyx-signature-ed25519"},
	{"sinch", "x-sinch-webhook-signature", ".trigger .event .type", "", "x-sinch-webhook-signature"},
	{"mailgun", ".event-data", ".event-data.event", ".event-data.id", ".signature.signature"},
	{"mailgun", ".timestamp+.token#50+.signature#64", ".event", ".token", ".signature"},
	{"mandrill", "X-Mandrill-Signature", ".mandrill_events.0.event", ".mandrill_events.0._id", "X-Mandrill-Signature"},
	{"postmark", "User-Agent^Postmark+.RecordType .RecordType+.MessageID+.ServerID", ".RecordType", "", "Authorization"},
	{"customer.io", "X-CIO-Signature", ".object_type+.metric", ".event_id", "X-CIO-Signature"},
	{"discord", "X-Signature-Ed25519+.event.type", ".event.type", "", "X-Signature-Ed25519"},
	{"discord", "X-Signature-Ed25519+.type=0", "=PING", "", "X-Signature-Ed25519"},
	{"discord", "X-Signature-Ed25519+.type=1", "=PING", ".id", "X-Signature-Ed25519"},
	{"discord", "X-Signature-Ed25519+.type=2", "=APPLICATION_COMMAND", ".id", "X-Signature-Ed25519"},
	{"discord", "X-Signature-Ed25519+.type=3", "=MESSAGE_COMPONENT", ".id", "X-Signature-Ed25519"},
	{"discord", "X-Signature-Ed25519+.type=4", "=APPLICATION_COMMAND_AUTOCOMPLETE", ".id", "X-Signature-Ed25519"},
	{"discord", "X-Signature-Ed25519+.type=5", "=MODAL_SUBMIT", ".id", "X-Signature-Ed25519"},
	{"discord", "X-Signature-Ed25519+X-Signature-Timestamp", ".type", ".id", "X-Signature-Ed25519"},
	{"telegram", "X-Telegram-Bot-Api-Secret-Token .update_id", "!update_id", ".update_id", "X-Telegram-Bot-Api-Secret-Token"},
	{"line", "X-Line-Signature", ".events.0.type", ".events.0.webhookEventId", "X-Line-Signature"},
	{"viber", "X-Viber-Content-Signature", ".event", ".message_token", "X-Viber-Content-Signature"},
	{"zoom", "x-zm-signature .event=endpoint.url_validation", ".event", "", "x-zm-signature"},
	{"coviu", ".createdAt+.type+.payload.teamId", ".type", "", ""},
	{"intercom", ".type=notification_event", ".topic", ".id", "X-Hub-Signature"},
	{"zendesk", "X-Zendesk-Webhook-Id X-Zendesk-Webhook-Signature", ".type", "X-Zendesk-Webhook-Invocation-Id .id", "X-Zendesk-Webhook-Signature"},
	{"front", "X-Front-Signature", ".type", ".id", "X-Front-Signature"},
	{"help-scout", "X-HelpScout-Event", "X-HelpScout-Event", "", "X-HelpScout-Signature"},

	// People.
	{"strava", "?hub.challenge#16", "=verification", "", ""},
	{"strava", ".aspect_type+.object_type+.owner_id", ".object_type+.aspect_type", "", ""},
	{"websub", "?hub.mode+?hub.topic", "=verification", "", ""},
	{"meta", "?hub.mode+?hub.challenge", "=verification", "", ""},
	{"meta", ".object+.entry", ".object+.entry.0.changes.0.field .object", ".entry.0.changes.0.value.messages.0.id .entry.0.messaging.0.message.mid", "X-Hub-Signature-256 X-Hub-Signature"},
	{"x", "?crc_token", "=verification", "", ""},
	{"x", "X-Twitter-Webhooks-Signature .for_user_id", "!for_user_id,user_has_blocked", "", "X-Twitter-Webhooks-Signature"},
	{"tiktok", "TikTok-Signature", ".event", "", "TikTok-Signature"},
	{"twitch", "Twitch-Eventsub-Message-Type=notification", "Twitch-Eventsub-Subscription-Type", "Twitch-Eventsub-Message-Id", "Twitch-Eventsub-Message-Signature"},
	{"twitch", "Twitch-Eventsub-Message-Type", "Twitch-Eventsub-Message-Type", "Twitch-Eventsub-Message-Id", "Twitch-Eventsub-Message-Signature"},
	{"kick", "Kick-Event-Type", "Kick-Event-Type", "Kick-Event-Message-Id", "Kick-Event-Signature"},
	{"patreon", "X-Patreon-Event", "X-Patreon-Event", "", "X-Patreon-Signature"},

	// Signing in.
	{"okta", "X-Okta-Verification-Challenge", "=verification", "", "Authorization"},
	{"okta", ".eventType^com.okta.", ".data.events.0.eventType .eventType", ".eventId", "Authorization"},
	{"workos", "WorkOS-Signature", ".event", ".id", "WorkOS-Signature"},
	{"fusionauth", "X-FusionAuth-Signature-JWT", ".event.type", ".event.id", "X-FusionAuth-Signature-JWT"},
	{"persona", "Persona-Signature", ".data.attributes.name", ".data.id", "Persona-Signature"},

	// Work.
	{"linear", "Linear-Event Linear-Delivery Linear-Signature", "Linear-Event .type", "Linear-Delivery", "Linear-Signature"},
	{"trello", "X-Trello-Webhook", ".action.type", ".action.id", "X-Trello-Webhook"},
	{"asana", "X-Hook-Secret", "=verification", "", ""},
	{"asana", "X-Hook-Signature", ".events.0.resource.resource_type+.events.0.action =heartbeat", "", "X-Hook-Signature"},
	{"notion", "X-Notion-Signature", ".type", ".id", "X-Notion-Signature"},
	{"notion", ".verification_token", "=verification", "", ""},
	{"clickup", ".webhook_id+.event+.history_items X-Signature+.webhook_id+.event", ".event", ".webhook_id+.history_items.0.id", "X-Signature"},
	{"todoist", "X-Todoist-Hmac-SHA256", ".event_name", "X-Todoist-Delivery-ID", "X-Todoist-Hmac-SHA256"},
	{"figma", ".passcode+.event_type+.webhook_id", ".event_type", "", ".passcode"},
	{"airtable", "X-Airtable-Content-MAC", "", "", "X-Airtable-Content-MAC"},
	{"hubspot", "X-HubSpot-Signature-v3 X-HubSpot-Signature .0.subscriptionType+.0.portalId", ".0.subscriptionType .subscriptionType", "", "X-HubSpot-Signature-v3 X-HubSpot-Signature"},
	{"typeform", "Typeform-Signature .event_type=form_response", ".event_type", ".event_id", "Typeform-Signature"},
	{"calendly", "Calendly-Webhook-Signature .created_by^https://api.calendly.com/", ".event", "", "Calendly-Webhook-Signature"},
	{"cal.com", "X-Cal-Signature-256", ".triggerEvent", "", "X-Cal-Signature-256"},
	{"docusign", "X-DocuSign-Signature-1 .event+.configurationId+.data.envelopeId", ".event", "", "X-DocuSign-Signature-1 X-Authorization-Digest"},
	{"dropbox", "?challenge+User-Agent^DropboxWebhooks", "=verification", "", ""},
	{"dropbox", "X-Dropbox-Signature", "!delta", "", "X-Dropbox-Signature"},
	{"box", "BOX-DELIVERY-ID", ".trigger", "BOX-DELIVERY-ID", "BOX-SIGNATURE-PRIMARY BOX-SIGNATURE-SECONDARY"},

	// Content.
	{"contentful", "X-Contentful-Topic", "X-Contentful-Topic", "", "X-Contentful-Signature"},
	{"sanity", "sanity-webhook-signature sanity-operation", "sanity-operation", "idempotency-key", "sanity-webhook-signature"},
	{"webflow", "x-webflow-signature", ".triggerType", "", "x-webflow-signature"},
	{"cloudinary", "X-Cld-Signature", ".notification_type", "", "X-Cld-Signature"},
	{"mux", "Mux-Signature", ".type", ".id", "Mux-Signature"},
	{"elevenlabs", "ElevenLabs-Signature", ".type", "", "ElevenLabs-Signature"},
	{"pusher", "X-Pusher-Key+X-Pusher-Signature", ".events.0.name", "", "X-Pusher-Signature"},

	// Those whose dialects hooktape speaks: ArcBlock's Blocklet and ARK.
	{"blocklet", ".$eventName", ".$eventName", "", "X-Webhook-Signature"},
	{"ark", "Authorization#32+.timestamp+.event", ".event", "", "Authorization"},

	// A forwarder, when it forwards for nobody above.
	{"hookdeck", "X-Hookdeck-EventID", ".type .event .event_type .topic", "X-Hookdeck-EventID", "X-Hookdeck-Signature"},

	// Dropbox, Nylas and others ask this way; who asks is not said.
	{"", ":method=GET+?challenge", "=verification", "", ""},
}

// generic is how to guess about nobody's webhook; its values must be plausible
// types.
var generic = []row{{
	typ:    "X-Event-Type X-Webhook-Event X-Webhook-Topic X-Event-Name X-Event-Key X-Event X-Topic .type .event .event_type .eventType .topic .action",
	id:     "X-Webhook-Id X-Event-Id X-Delivery-Id X-Webhook-Delivery-Id X-Webhook-Delivery webhook-id Idempotency-Key",
	signed: "X-Webhook-Signature X-Hub-Signature-256 X-Hub-Signature X-Signature-256 X-Signature-SHA256 X-Signature X-Hmac-Signature X-Hmac-SHA256 webhook-signature Signature X-Webhook-Secret X-Webhook-Token",
}}
