package catalog_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/catalog"
	"code.hooktape.dev/hooktape/capture/challenge"
	"code.hooktape.dev/hooktape/capture/provider"
)

// templates are all that capture/fill knows.
var templates = regexp.MustCompile(`^\{\{(uuid|now|now "(unix|ms)"|int \d+ \d+|(hex|digits|alnum) \d+|email|name|ip)\}\}$`)

// alive are the shapes of keys and of places that are somebody's.
var alive = regexp.MustCompile(`(?i)sk_live|rk_live|whsec_|xox[abp]-|AKIA[0-9A-Z]{16}|AIza|BEGIN [A-Z ]*PRIVATE|ghp_|glpat-|octocat|hello-world`)

var address = regexp.MustCompile(`[\w.+-]+@([\w-]+\.)+[a-z]{2,}`)

func TestBuiltinIsWhole(t *testing.T) {
	all := catalog.Builtin()
	if len(all) < 150 {
		t.Errorf("only %d types", len(all))
	}
	if !slices.IsSortedFunc(all, func(a, b capture.EventType) int { return strings.Compare(a.Tag, b.Tag) }) {
		t.Error("not sorted by tag")
	}
	for i, e := range all {
		if i > 0 && all[i-1].Tag == e.Tag {
			t.Errorf("%s is there twice", e.Tag)
		}
		if _, _, ok := capture.SplitTag(e.Tag); !ok {
			t.Errorf("%s is no tag", e.Tag)
		}
		if e.Name == "" || len(e.Name) > 200 || !strings.HasSuffix(e.Description, ".") || !e.Builtin {
			t.Errorf("%s: name %q, description %q, builtin %v", e.Tag, e.Name, e.Description, e.Builtin)
		}
		doc, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`\{\{[^}]*\}\}`).FindAllString(string(doc), -1) {
			if !templates.MatchString(strings.ReplaceAll(m, `\"`, `"`)) {
				t.Errorf("%s: template %s", e.Tag, m)
			}
		}
		if m := alive.Find(doc); m != nil {
			t.Errorf("%s holds %s", e.Tag, m)
		}
		for _, a := range address.FindAllString(string(doc), -1) {
			if !strings.HasSuffix(a, "@example.com") && !strings.HasSuffix(a, ".example.com") && !strings.HasSuffix(a, "@github.com") && !strings.HasSuffix(a, "@gitlab.com") {
				t.Errorf("%s: address %s", e.Tag, a)
			}
		}
	}
}

// unlike are the types whose name in the catalog is not the one that
// recognition gives them, nor that one with an action behind it.
var unlike = map[string]string{
	"asana:handshake":             "verification",
	"azure-event-grid:validation": "Microsoft.EventGrid.SubscriptionValidationEvent",
	"discord:webhook-ping":        "PING",
	"gitlab:issue":                "Issue Hook",
	"gitlab:merge_request":        "Merge Request Hook",
	"gitlab:note":                 "Note Hook",
	"gitlab:pipeline":             "Pipeline Hook",
	"gitlab:push":                 "Push Hook",
	"gitlab:tag_push":             "Tag Push Hook",
	"jira:issue_created":          "jira:issue_created",
	"microsoft-graph:validation":  "verification",
	"slack:slash_command":         "/larder",
	"twitch:verification":         "webhook_callback_verification",
	"whatsapp:messages":           "whatsapp_business_account.messages",
	"whatsapp:statuses":           "whatsapp_business_account.messages",
	"x:crc":                       "verification",
	"xero:intent_to_receive":      "verification",
}

// known are the headers that say whose a webhook is where only its signature
// does, which is made when it is sent.
var known = map[string]capture.Header{
	"ark":           {"Authorization", strings.Repeat("0", 32)},
	"asana":         {"X-Hook-Signature", "0"},
	"discord":       {"X-Signature-Ed25519", "0"},
	"dropbox":       {"X-Dropbox-Signature", "0"},
	"lemon-squeezy": {"X-Signature", "0"},
	"line":          {"X-Line-Signature", "0"},
	"notion":        {"X-Notion-Signature", "0"},
	"paddle":        {"Paddle-Signature", "0"},
	"slack":         {"X-Slack-Signature", "0"},
	"square":        {"x-square-hmacsha256-signature", "0"},
	"trello":        {"X-Trello-Webhook", "0"},
	"twilio":        {"X-Twilio-Signature", "0"},
	"xero":          {"x-xero-signature", "0"},
	"zoom":          {"x-zm-signature", "0"},
}

// anonymous are the questions whose request does not say who asks. They are in
// TestChallenges.
var anonymous = map[string]bool{
	"fitbit:verification": true, "lark:url_verification": true, "linkedin:verification": true, "monday:verification": true,
	"oura:verification": true, "ringcentral:verification": true, "smartsheet:verification": true, "trello:verification": true,
}

func TestBuiltinIsRecognised(t *testing.T) {
	for _, e := range catalog.Builtin() {
		if anonymous[e.Tag] {
			continue
		}
		s := fill(t, e.Sample)
		req, body, err := catalog.Request(&s)
		if err != nil {
			t.Errorf("%s: %v", e.Tag, err)
			continue
		}
		got := provider.Recognise(req.Method, string(req.Target), req.Headers, body)
		if h, ok := known[e.Provider]; ok && got.Provider == "" {
			got = provider.Recognise(req.Method, string(req.Target), append(req.Headers, h), body)
		}
		if got.Provider != e.Provider {
			t.Errorf("%s: provider %q, want %q", e.Tag, got.Provider, e.Provider)
		}
		_, event, _ := strings.Cut(e.Tag, ":")
		want, other := unlike[e.Tag]
		switch {
		case other && got.Type != want:
			t.Errorf("%s: type %q, want %q", e.Tag, got.Type, want)
		case !other && (got.Type == "" || got.Type != event && !strings.HasPrefix(event, got.Type+".")):
			t.Errorf("%s: type %q", e.Tag, got.Type)
		}
	}
}

// Every question that capture/challenge answers to a provider of the catalog
// is in it, and is answered as that provider's.
func TestChallenges(t *testing.T) {
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	secrets := map[string]string{"discord": hex.EncodeToString(public), "fitbit": "s", "linkedin": "s", "meta": "sample-verify-token",
		"strava": "sample-verify-token", "x": "s", "xero": "s", "zoom": "s"}
	for tag, who := range map[string]string{
		"asana:handshake": "asana", "azure-event-grid:validation": "azure-event-grid", "cloudevents:verification": "cloudevents",
		"discord:PING": "discord", "discord:webhook-ping": "discord", "dropbox:verification": "dropbox",
		"fitbit:verification": "fitbit", "lark:url_verification": "lark", "linkedin:verification": "linkedin",
		"meta:verification": "meta", "microsoft-graph:validation": "microsoft-graph", "monday:verification": "monday",
		"okta:verification": "okta", "oura:verification": "oura", "ringcentral:verification": "ringcentral",
		"slack:url_verification": "slack", "smartsheet:verification": "smartsheet", "strava:verification": "strava",
		"trello:verification": "trello", "twitch:verification": "twitch", "websub:verification": "websub",
		"whatsapp:verification": "meta", "x:crc": "x", "xero:intent_to_receive": "xero", "zoom:endpoint.url_validation": "zoom",
	} {
		e, ok := catalog.Lookup(tag)
		if !ok {
			t.Errorf("there is no %s", tag)
			continue
		}
		s := fill(t, e.Sample)
		req, body, err := catalog.Request(&s)
		if err != nil {
			t.Fatal(err)
		}
		switch who {
		case "discord":
			req.Headers = append(req.Headers, capture.Header{"X-Signature-Timestamp", "1795301509"},
				capture.Header{"X-Signature-Ed25519", hex.EncodeToString(ed25519.Sign(private, append([]byte("1795301509"), body...)))})
		case "slack":
			req.Headers = append(req.Headers, capture.Header{"X-Slack-Request-Timestamp", "1795301509"})
		case "xero":
			mac := hmac.New(sha256.New, []byte("s"))
			mac.Write(body)
			req.Headers = append(req.Headers, capture.Header{"x-xero-signature", base64.StdEncoding.EncodeToString(mac.Sum(nil))})
		}
		answer, got, ok := challenge.Answer(req, body, func(provider string) string { return secrets[provider] })
		if !ok || got != who || answer.Status/100 != 2 {
			t.Errorf("%s: answered %v as %q with %d, want as %q with success", tag, ok, got, answer.Status, who)
		}
	}
}

// Whatever is in the catalog can be made a sample of again.
func TestSamplesOfSamples(t *testing.T) {
	for _, e := range catalog.Builtin() {
		s := fill(t, e.Sample)
		req, body, err := catalog.Request(&s)
		if err != nil {
			t.Errorf("%s: %v", e.Tag, err)
			continue
		}
		again, err := catalog.FromEvent(req, body, strings.ToUpper)
		if err != nil {
			t.Errorf("%s: %v", e.Tag, err)
			continue
		}
		second, bytesAgain, err := catalog.Request(&again)
		if err != nil || !bytes.Equal(body, bytesAgain) || second.Target != req.Target || second.Method != req.Method {
			t.Errorf("%s: %v: %s %s\n%s\n%s %s\n%s", e.Tag, err, req.Method, req.Target, body, second.Method, second.Target, bytesAgain)
		}
	}
}

func TestLookup(t *testing.T) {
	e, ok := catalog.Lookup("github:push")
	if !ok || e.Tag != "github:push" || e.Provider != "github" {
		t.Errorf("got %v %q of %q", ok, e.Tag, e.Provider)
	}
	if e, ok := catalog.Lookup("github:pushed"); ok {
		t.Errorf("got %q", e.Tag)
	}
}

func BenchmarkLoad(b *testing.B) {
	for b.Loop() {
		if err := catalog.Load(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkUnmarshal is the yardstick: encoding/json over the same files.
func BenchmarkUnmarshal(b *testing.B) {
	names, err := fs.Glob(os.DirFS("types"), "*.json")
	if err != nil {
		b.Fatal(err)
	}
	var files [][]byte
	size := 0
	for _, name := range names {
		text, err := os.ReadFile("types/" + name)
		if err != nil {
			b.Fatal(err)
		}
		files, size = append(files, text), size+len(text)
	}
	b.ReportMetric(float64(size), "bytes")
	for b.Loop() {
		for _, text := range files {
			var of []capture.EventType
			if err := json.Unmarshal(text, &of); err != nil {
				b.Fatal(err)
			}
		}
	}
}

// TestTagsDifferInMoreThanCase: they are looked up in any.
func TestTagsDifferInMoreThanCase(t *testing.T) {
	seen := map[string]string{}
	for _, kind := range catalog.Builtin() {
		lower := strings.ToLower(kind.Tag)
		if other := seen[lower]; other != "" {
			t.Errorf("%s and %s", kind.Tag, other)
		}
		seen[lower] = kind.Tag
		if found, ok := catalog.Lookup(lower); !ok || found.Tag != kind.Tag {
			t.Errorf("%s is not found by %s", kind.Tag, lower)
		}
	}
	if _, ok := catalog.Lookup("github:nothing"); ok {
		t.Error("found what is not there")
	}
}
