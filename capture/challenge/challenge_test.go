package challenge

import (
	"crypto/ed25519"
	"encoding/hex"
	"maps"
	"slices"
	"strings"
	"testing"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/provider"
)

// request reads a first line, head and body.
func request(text string) (*capture.Event, []byte) {
	head, body, _ := strings.Cut(text, "\n\n")
	e := new(capture.Event)
	for i, line := range strings.Split(head, "\n") {
		if i == 0 {
			method, target, _ := strings.Cut(line, " ")
			e.Method, e.Target = method, capture.Raw(target)
			continue
		}
		name, value, _ := strings.Cut(line, ": ")
		e.Headers = append(e.Headers, capture.Header{name, value})
	}
	return e, []byte(body)
}

// of is secrets as they are asked for.
func of(secrets map[string]string) func(string) string {
	return func(provider string) string { return secrets[provider] }
}

// said is an answer in a line: provider, status, headers of its own, body.
func said(a capture.Answer, provider string, ok bool) string {
	if !ok {
		return "nothing"
	}
	words := []string{provider, map[int]string{200: "200", 204: "204", 401: "401", 403: "403", 404: "404"}[a.Status]}
	for _, name := range slices.Sorted(maps.Keys(a.Headers)) {
		if name == "Content-Type" {
			kind, _, _ := strings.Cut(a.Headers[name], ";")
			words = append(words, kind)
		} else if name != "X-Content-Type-Options" {
			words = append(words, name+": "+a.Headers[name])
		}
	}
	return strings.TrimSpace(strings.Join(words, " ") + " " + a.Body)
}

const (
	slackAsks  = "POST /\nX-Slack-Request-Timestamp: 1531420618\nX-Slack-Signature: v0=0ab3f1228c2ce6a2ef65302783f519a90bdb8a4c83c06f481baeba48ec35c69e\n\n" + larkBody
	larkBody   = `{"token":"t","challenge":"3eZbrw1aBm2rZgRNFdxV","type":"url_verification"}`
	zoomAsks   = "POST /\n\n" + `{"payload":{"plainToken":"qgg8vlvZRS6UYooatFL8Aw"},"event_ts":1654503849680,"event":"endpoint.url_validation"}`
	metaAsks   = "GET /wa?hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=v%20t"
	stravaAsks = "GET /?hub.verify_token=s&hub.challenge=15f7d1a91c1f40f8&hub.mode=subscribe"
	twitchAsks = "POST /\nTwitch-Eventsub-Message-Type: webhook_callback_verification\nTwitch-Eventsub-Message-Id: m1\n" +
		"Twitch-Eventsub-Message-Timestamp: 2026-01-02T03:04:05Z\n" +
		"Twitch-Eventsub-Message-Signature: sha256=8b2a0e0996a26f14c98121396ed11c99eb3402ef5ed507b385dd78fb82323035\n\n" +
		`{"challenge":"pogchamp-kappa-360noscope-vohiyo"}`
	xeroAsks = "POST /\nx-xero-signature: Oxi1I+rTqZ02klR4k2kJs5pgI/n5LvDS9Ue297+cQlo=\n\n" + `{"events":[],"lastEventSequence":0,"firstEventSequence":0,"entropy":"E"}`
	linkAsks = "GET /linkedin?challengeCode=890e4665-4dfe-4ab1-b689-ed553bceeed0"
	ouraAsks = "GET /?verification_token=v&challenge=c1"
)

// The sums were made with openssl dgst -hmac.
func TestAnswer(t *testing.T) {
	for _, tt := range []struct{ req, secrets, want string }{
		{slackAsks, "", "slack 200 text/plain 3eZbrw1aBm2rZgRNFdxV"},
		{slackAsks, "slack=ss", "slack 200 text/plain 3eZbrw1aBm2rZgRNFdxV"},
		{slackAsks, "slack=other", "slack 401 text/plain"},
		{"POST /\n\n" + larkBody, "slack=ss", `lark 200 application/json {"challenge":"3eZbrw1aBm2rZgRNFdxV"}`},

		{zoomAsks, "zoom=zs", `zoom 200 application/json {"encryptedToken":"919c8d631501ac88985e6974686104158326f1efea623a711669656bfbea9d88","plainToken":"qgg8vlvZRS6UYooatFL8Aw"}`},
		{zoomAsks, "x=zs", "nothing"},
		{strings.Replace(zoomAsks, "qgg8vlvZRS6UYooatFL8Aw", "v0:1654503849:{}", 1), "zoom=zs", "nothing"}, // would sign a webhook

		{"GET /x?crc_token=abc-123&nonce=n", "x=cs", `x 200 application/json {"response_token":"sha256=DqGgBhKaIU3aO6T1+g5tTkWsw/LPnw3wq2hgTv9uPmU="}`},
		{"GET /x?crc_token=abc-123&nonce=n", "", "nothing"},
		{"GET /x?crc_token=%7B%22for_user_id%22%3A%221%22%7D", "x=cs", "nothing"}, // likewise

		{linkAsks, "linkedin=ls", `linkedin 200 application/json {"challengeCode":"890e4665-4dfe-4ab1-b689-ed553bceeed0","challengeResponse":"9c6aac86aa22fb1332242b66ed315edc35ecc20e860ee2f26e6d18f0a60165c3"}`},
		{linkAsks, "", "nothing"},

		{metaAsks, "", "meta 200 text/plain 1158201444"},
		{metaAsks, "meta=v t", "meta 200 text/plain 1158201444"},
		{metaAsks, "meta=other", "meta 403 text/plain"},
		{strings.Replace(metaAsks, "subscribe", "else", 1), "", "nothing"},
		{stravaAsks, "", `strava 200 application/json {"hub.challenge":"15f7d1a91c1f40f8"}`},
		{stravaAsks, "strava=other", "strava 403 text/plain"},
		{"GET /?hub.topic=https://example.com/feed&hub.challenge=c&hub.mode=unsubscribe", "", "websub 200 text/plain c"},
		{"GET /?hub.topic=https://example.com/feed&hub.mode=denied", "", "nothing"},

		{"POST /?validationToken=Validation%3a+Testing%20%3Cb%3E+100%25", "", "microsoft-graph 200 text/plain Validation: Testing <b> 100%"},
		{"POST /?x=1&validationtoken=t\n\n{}", "", "microsoft-graph 200 text/plain t"},
		{"POST /?validationToken=%zz", "", "nothing"},
		{"POST /?validationToken=", "", "nothing"},
		{"POST /\naeg-event-type: SubscriptionValidation\n\n" + `[{"id":"1","data":{"validationCode":"512d38b6","validationUrl":"https://rp-eastus2.eventgrid.azure.net"}}]`, "",
			`azure-event-grid 200 application/json {"validationResponse":"512d38b6"}`},
		{"OPTIONS /\nWebHook-Request-Origin: eventemitter.example.com\nWebHook-Request-Rate: 120", "",
			"cloudevents 200 Allow: POST text/plain WebHook-Allowed-Origin: eventemitter.example.com WebHook-Allowed-Rate: *"},

		{twitchAsks, "", "twitch 200 text/plain pogchamp-kappa-360noscope-vohiyo"},
		{twitchAsks, "twitch=ts", "twitch 200 text/plain pogchamp-kappa-360noscope-vohiyo"},
		{twitchAsks, "twitch=other", "twitch 403 text/plain"},
		{xeroAsks, "xero=xs", "xero 200 text/plain"},
		{xeroAsks, "xero=other", "xero 401 text/plain"},
		{xeroAsks, "", "nothing"},
		{strings.Replace(xeroAsks, "[]", `[{"eventCategory":"INVOICE"}]`, 1), "xero=xs", "nothing"},

		{"GET /okta\nX-Okta-Verification-Challenge: ABC\nAuthorization: s", "", `okta 200 application/json {"verification":"ABC"}`},
		{"POST /\nX-Hook-Secret: b537207f20cbfa02\n\n{}", "", "asana 200 text/plain X-Hook-Secret: b537207f20cbfa02"},
		{"POST /\nX-Hook-Secret: a\r\nSet-Cookie: b\n\n{}", "", "nothing"},
		{"POST /\nsmartsheet-hook-challenge: 9a90\n\n" + `{"challenge":"9a90","webhookId":1}`, "", "smartsheet 200 text/plain Smartsheet-Hook-Response: 9a90"},
		{"POST /\nValidation-Token: vt", "", "ringcentral 200 text/plain Validation-Token: vt"},
		{"POST /\n\n" + `{"challenge":"3eZb\u003c"}`, "", `monday 200 application/json {"challenge":"3eZb\u003c"}`},
		{"POST /\n\n" + `{"challenge":"3eZb","name":"chess"}`, "", "nothing"},
		{"POST /\n\n" + `{"challenge":{"a":1}}`, "", "nothing"},
		{"GET /?challenge=%3Cscript%3E", "", "dropbox 200 text/plain <script>"},
		{"GET /?challenge=" + strings.Repeat("a", maxEcho), "", "dropbox 200 text/plain " + strings.Repeat("a", maxEcho)},
		{"GET /?challenge=" + strings.Repeat("a", maxEcho+1), "", "nothing"},
		{ouraAsks, "", `oura 200 application/json {"challenge":"c1"}`},
		{ouraAsks, "oura=other", "oura 401 text/plain"},
		{"GET /?verify=code", "fitbit=code", "fitbit 204 application/json"},
		{"GET /?verify=guess", "fitbit=code", "fitbit 404 text/plain"},
		{"GET /?verify=code", "", "nothing"},
		{"HEAD /trello", "", "trello 200 text/plain"},

		{"GET /", "", "nothing"},
		{"POST /\n\n{}", "", "nothing"},
		{"POST /\n\n" + `{"type":"url_verification","challenge":"c","x":"` + strings.Repeat("x", maxBody) + `"}`, "", "nothing"},
		{"POST /\nX-GitHub-Event: push\n\n" + `{"ref":"refs/heads/challenge","type":1,"event":"push"}`, "", "nothing"},
	} {
		secrets := map[string]string{}
		if name, secret, ok := strings.Cut(tt.secrets, "="); ok {
			secrets[name] = secret
		}
		e, body := request(tt.req)
		if got := said(Answer(e, body, of(secrets))); got != tt.want {
			t.Errorf("%.200s with %q\n got %.300q\nwant %.300q", tt.req, tt.secrets, got, tt.want)
		}
	}
}

// Discord sends badly signed PINGs on purpose, and registers nobody who
// answers them.
func TestDiscord(t *testing.T) {
	private := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	secrets := map[string]string{"discord": hex.EncodeToString(private.Public().(ed25519.PublicKey))}
	for _, tt := range []struct{ body, signed, want string }{
		{`{"type":1}`, `1531420618{"type":1}`, `discord 200 application/json {"type":1}`},
		{`{"type":0}`, `1531420618{"type":0}`, "discord 204 application/json"},
		{`{"type":1}`, `1531420619{"type":1}`, "discord 401 text/plain"},
		{`{"type":2}`, `1531420618{"type":2}`, "nothing"},
		{`{"type":1,"event":{"type":"ENTITLEMENT_CREATE"}}`, `1531420618{"type":1,"event":{"type":"ENTITLEMENT_CREATE"}}`, "nothing"},
	} {
		signature := hex.EncodeToString(ed25519.Sign(private, []byte(tt.signed)))
		e, body := request("POST /\nX-Signature-Ed25519: " + signature + "\nX-Signature-Timestamp: 1531420618\n\n" + tt.body)
		if got := said(Answer(e, body, of(secrets))); got != tt.want {
			t.Errorf("%s signed as %s: got %s, want %s", tt.body, tt.signed, got, tt.want)
		}
		if got := said(Answer(e, body, nil)); got != "nothing" {
			t.Errorf("%s without a key: got %s", tt.body, got)
		}
	}
	e, body := request("POST /\nX-Signature-Ed25519: zz\n\n{\"type\":1}")
	if got := said(Answer(e, body, of(secrets))); got != "discord 401 text/plain" {
		t.Errorf("no signature: got %s", got)
	}
}

// Who knows a secret is asked for it by a challenge alone, and by one that it
// is of use to.
func TestSecretsAreAskedForWhereNeeded(t *testing.T) {
	for text, want := range map[string]string{
		"POST /\nX-Slack-Request-Timestamp: 1\nX-Signature-Ed25519: 00\n\n{\"type\":\"order.paid\"}": "",
		"POST /\n\n" + larkBody: "",
		"GET /":                 "",
		slackAsks:               "slack",
		zoomAsks:                "zoom",
	} {
		var asked []string
		e, body := request(text)
		Answer(e, body, func(provider string) string {
			asked = append(asked, provider)
			return "s"
		})
		if got := strings.Join(asked, " "); got != want {
			t.Errorf("%.100s asked for the secrets of %q, want %q", text, got, want)
		}
	}
}

func TestSecrets(t *testing.T) {
	names := Secrets()
	if !slices.IsSorted(names) || !slices.Contains(names, "zoom") || !slices.Contains(names, "meta") || slices.Contains(names, "dropbox") {
		t.Errorf("got %q", names)
	}
	for _, tt := range []struct {
		name, secret string
		want         bool
	}{
		{"zoom", "s", true}, {"zoom", "", false},
		{"discord", strings.Repeat("0f", 32), true}, {"discord", strings.Repeat("0f", 31), false}, {"discord", "key", false},
	} {
		if got := Usable(tt.name, tt.secret); got != tt.want {
			t.Errorf("Usable(%q, %q) = %v", tt.name, tt.secret, got)
		}
	}
}

// Providers have the names they are recognised by, where they are.
func TestNames(t *testing.T) {
	unknown := []string{"fitbit", "linkedin", "monday", "oura", "ringcentral", "smartsheet"}
	known := provider.Names()
	for _, r := range table {
		if slices.Contains(known, r.name) == slices.Contains(unknown, r.name) {
			t.Errorf("%s: is it a provider's name?", r.name)
		}
	}
}

// Whatever comes, what is said is safe to send, and nothing is said that a
// missing secret would be needed for.
func FuzzAnswer(f *testing.F) {
	for _, s := range []string{slackAsks, zoomAsks, metaAsks, stravaAsks, twitchAsks, xeroAsks, linkAsks, ouraAsks,
		"POST /\nX-Hook-Secret: s\n\n{}", "OPTIONS /\nWebHook-Request-Origin: o", "HEAD /", "POST /\naeg-event-type: SubscriptionValidation\n\n[{\"data\":{\"validationCode\":\"c\"}}]",
		"POST /\nX-Signature-Ed25519: 00\n\n{\"type\":1}", "GET /?verify=s&crc_token=c", "POST /\n\n{\"challenge\":\"c\"}"} {
		f.Add(s, "s")
	}
	keyed := []string{"discord", "fitbit", "linkedin", "x", "xero", "zoom"}
	f.Fuzz(func(t *testing.T, text, secret string) {
		e, body := request(text)
		if _, name, ok := Answer(e, body, nil); ok && slices.Contains(keyed, name) {
			t.Fatalf("%s was answered without its secret", name)
		}
		secrets := map[string]string{}
		for _, name := range Secrets() {
			secrets[name] = secret
		}
		a, name, ok := Answer(e, body, of(secrets))
		if !ok {
			if name != "" || !a.Empty() {
				t.Fatalf("no answer is %q %+v", name, a)
			}
			return
		}
		if !slices.Contains([]int{200, 204, 401, 403, 404}, a.Status) || a.Headers["X-Content-Type-Options"] != "nosniff" || len(a.Body) > 7*maxEcho {
			t.Fatalf("%s: %+v", name, a)
		}
		for _, value := range a.Headers {
			if !printable(value) {
				t.Fatalf("%s: a header says %q", name, value)
			}
		}
	})
}

func BenchmarkAnswer(b *testing.B) {
	for name, body := range map[string]string{
		"small": `{"type":"invoice.paid","id":"evt_1","data":{"object":{"amount":1}}}`,
		"16KiB": `{"type":"invoice.paid","data":"` + strings.Repeat("x", maxBody-40) + `"}`,
		"1MiB":  `{"type":"invoice.paid","data":"` + strings.Repeat("x", 1<<20) + `"}`,
	} {
		e, text := request("POST /hooks\n" + strings.Repeat("X-Some-Header: value\n", 20) + "\n" + body)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Answer(e, text, nil)
			}
		})
	}
}
