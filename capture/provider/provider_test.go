package provider

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"code.hooktape.dev/hooktape/capture"
)

// A sighting is a request, written as its first line, head and body, and what
// should be found in it.
type sighting struct {
	req  string
	want Found
}

func (s sighting) parts() (method, target string, h capture.Headers, body []byte) {
	head, rest, _ := strings.Cut(s.req, "\n\n")
	for i, line := range strings.Split(head, "\n") {
		if i == 0 {
			method, target, _ = strings.Cut(line, " ")
			continue
		}
		name, value, _ := strings.Cut(line, ": ")
		h = append(h, capture.Header{name, value})
	}
	return method, target, h, []byte(rest)
}

func (s sighting) recognise() Found { return Recognise(s.parts()) }

func TestRecognise(t *testing.T) {
	seen := map[int]bool{}
	for _, s := range sightings {
		name, _, _ := strings.Cut(s.req, "\n\n")
		if got := s.recognise(); got != s.want {
			t.Errorf("%s\n got %+q\nwant %+q", name, got, s.want)
		}
		var r request
		r.read(s.parts())
		for i := range rows {
			if _, found := r.pick(rows[i].known, anything); found != nil {
				seen[i] = true
				break
			}
		}
	}
	for i, row := range table {
		if !seen[i] {
			t.Errorf("no sighting for the row of %q known by %q", row.name, row.known)
		}
	}
}

func TestNames(t *testing.T) {
	names := Names()
	if !slices.IsSorted(names) || slices.Contains(names, "") || len(names) < 60 {
		t.Errorf("%d names: %q", len(names), names)
	}
	for _, n := range []string{"github", "stripe", "wacht", "blocklet", "ark", "coviu"} {
		if !slices.Contains(names, n) {
			t.Errorf("no %s", n)
		}
	}
}

func TestTableFitsTheRequest(t *testing.T) {
	prepare()
	var r request
	if len(headerSlots) > len(r.headers) || len(memberSlots) > len(r.members) {
		t.Fatalf("%d headers, %d members", len(headerSlots), len(memberSlots))
	}
}

// Providers that send what others send as well.
func TestLookAlikes(t *testing.T) {
	for _, s := range []sighting{
		{"POST /\nX-Hub-Signature-256: sha256=00\nX-GitHub-Event: push\n\n{\"object\":\"page\",\"entry\":[]}", Found{"github", "push", "", "X-Hub-Signature-256"}},
		{"POST /\nX-Hub-Signature: sha1=00\nX-GitHub-Event: push\n\n{}", Found{"github", "push", "", "X-Hub-Signature"}},
		{"POST /\nX-GitHub-Event: push\nX-Gogs-Event: push\nX-Gitea-Event: push\nX-Gitea-Signature: 00\nX-Hub-Signature-256: sha256=00\n\n{}", Found{"gitea", "push", "", "X-Gitea-Signature"}},
		{"POST /\nX-GitHub-Event: push\nX-Gitea-Event: push\nX-Forgejo-Event: push\nX-Hub-Signature-256: sha256=00\n\n{}", Found{"forgejo", "push", "", "X-Hub-Signature-256"}},
		{"POST /\nX-Hub-Signature-256: sha256=00\n\n{\"a\":1}", Found{"", "", "", "X-Hub-Signature-256"}},
		{"POST /\nX-Hub-Signature: sha1=00\n\n{\"type\":\"notification_event\",\"topic\":\"ping\",\"id\":\"notif_1\"}", Found{"intercom", "ping", "notif_1", "X-Hub-Signature"}},
		{"POST /\nX-Event-Key: thing.made\n\n{}", Found{"", "thing.made", "", ""}},
		{"POST /\nX-Signature: 00\n\n{\"event\":\"made\"}", Found{"", "made", "", "X-Signature"}},
		{"POST /\nX-Gitlab-Event: Push Hook\nwebhook-id: w1\nwebhook-timestamp: 1\nwebhook-signature: v1,x\n\n{\"type\":\"no\"}", Found{"gitlab", "Push Hook", "w1", "webhook-signature"}},
		{"POST /\nsvix-id: msg_1\nsvix-signature: v1,x\nwebhook-id: msg_1\nwebhook-timestamp: 1\n\n{\"type\":\"email.sent\",\"data\":{}}", Found{"svix", "email.sent", "msg_1", "svix-signature"}},
		{"POST /\nwebhook-id: m\nwebhook-timestamp: 1\n\n{\"object\":\"event\",\"id\":\"x\",\"type\":\"t\"}", Found{"standard-webhooks", "t", "m", ""}},
		{"POST /\nContent-Type: application/x-www-form-urlencoded\nX-Twilio-Email-Event-Webhook-Signature: M\nX-Twilio-Signature: x\n\na=1", Found{"sendgrid", "", "", "X-Twilio-Email-Event-Webhook-Signature"}},
		{"POST /\naeg-event-type: Notification\nContent-Type: application/cloudevents+json\n\n{\"type\":\"T\",\"id\":\"1\",\"specversion\":\"1.0\",\"source\":\"s\"}", Found{"azure-event-grid", "T", "1", ""}},
		{"GET /?hub.mode=subscribe&hub.topic=t&hub.challenge=c\n\n", Found{"websub", "verification", "", ""}},
		{"POST /?challenge=c\n\n{\"type\":\"t\"}", Found{"", "t", "", ""}},
		{"POST /\nAuthorization: Bearer f9e552b8a5fa4e21ecbcebe14525e3cb\n\n{\"timestamp\":1,\"event\":\"t\"}", Found{"", "t", "", ""}},
	} {
		if got := s.recognise(); got != s.want {
			t.Errorf("%s\n got %+q\nwant %+q", s.req, got, s.want)
		}
	}
}

func TestGuesses(t *testing.T) {
	for _, c := range []struct{ head, body, want string }{
		{"", `{"topic":"d","event_type":"c","event":"b","type":"a"}`, "a"},
		{"", `{"topic":"d","event_type":"c","event":"b"}`, "b"},
		{"", `{"action":"f","topic":"d","eventType":"e"}`, "e"},
		{"", ` { "type" : {"a":"event"} , "event" : "b" }`, "b"},
		{"", `{"type":2,"event":true,"topic":null,"action":"go"}`, "go"},
		{"", `{"type":"2"}`, ""},
		{"", `{"data":{"type":"deep"}}`, ""},
		{"", `[{"type":"in an array"}]`, ""},
		{"", `{"type":"line\nbreak","event":"b"}`, "b"},
		{"", `{"type":"` + strings.Repeat("x", 100) + `"}`, strings.Repeat("x", 100)},
		{"", `{"type":"` + strings.Repeat("x", 101) + `"}`, ""},
		{"", `{"type":"` + strings.Repeat("日", 1000) + `"}`, ""},
		{"", `{"type":"\u00fc\/x"}`, "ü/x"},
		{"\nX-Webhook-Event: w", `{"type":"a"}`, "w"},
		{"\nX-Webhook-Event: w\nx-event-type: e", `{"type":"a"}`, "e"},
		{"\nX-Event: 5", `{"type":"a"}`, "a"},
		{"\nContent-Type: application/x-www-form-urlencoded; charset=utf-8", `a=1&event=user%2Emade+now`, "user.made now"},
		{"", `event=not_a_form`, ""},
	} {
		s := sighting{req: "POST /" + c.head + "\n\n" + c.body}
		if got := s.recognise(); got.Type != c.want || got.Provider != "" {
			t.Errorf("%s %.80s: %+q, want type %q", c.head, c.body, got, c.want)
		}
	}
}

// hostile requests are recognised as far as they go, at once.
var hostile = []sighting{
	{"POST /\nX-GitHub-Event: " + strings.Repeat("日", 1<<20) + "\n\n", Found{"github", strings.Repeat("日", 66), "", ""}},
	{"POST /\n" + strings.Repeat("X-GitHub-Event", 10000) + ": push\n\n", Found{}},
	{"POST /" + strings.Repeat("?a&", 1<<20) + "crc_token=1\n\n", Found{}},
	{"POST /\nStripe-Signature: t=1\n\n{\"id\":\"evt_1\",\"type\":\"invoice.pa", Found{"stripe", "", "evt_1", "Stripe-Signature"}},
	{"POST /\n\n{\"object\":\"page\",\"entry\":[{\"changes\":[{\"field\":\"feed\",\"value\":{", Found{"meta", "page.feed", "", ""}},
	{"POST /\n\n{\"update_id\":12", Found{}},
	{"POST /\nStripe-Signature: t=1\nContent-Encoding: gzip\n\n\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff{\"type\":\"x\"}", Found{"stripe", "", "", "Stripe-Signature"}},
	{"POST /\n\n{\"type\":\"a\x00b\",\"event\":\"\x00\"}", Found{}},
	{"POST /\nStripe-Signature: t=1\n\n{\"type\":\"a\x00b\\u0000\\ud800\"}", Found{"stripe", "a\x00b\\u0000\\ud800", "", "Stripe-Signature"}},
	{"POST /\n\n[]", Found{}},
	{"POST /\n\n[[[", Found{}},
	{"POST /\n\n" + strings.Repeat("[", 10000), Found{}},
	{"POST /\n\n" + strings.Repeat(`{"type":`, 10000), Found{}},
	{"POST /\n\n" + strings.Repeat(`[{"object":{"entry":`, 10000), Found{}},
	{"POST /\n\n{\"a\":" + strings.Repeat("[", 10000) + strings.Repeat("]", 10000) + ",\"type\":\"t\"}", Found{"", "t", "", ""}},
	{"POST /\n\n{\"a\":\"" + strings.Repeat("x", Peek) + "\",\"type\":\"t\"}", Found{}},
	{"POST /\n\n{" + strings.Repeat(`"":"",`, 20000), Found{}},
	{"POST /\n\n{\"type\"", Found{}},
	{"POST /\n\n{\"type\":", Found{}},
	{"POST /\n\n{\"type\":}", Found{}},
	{"POST /\n\n{:,\"type\":\"t\"}", Found{}},
	{"POST /\n\n\"", Found{}},
	{"POST /\nContent-Type: application/x-www-form-urlencoded\nX-Slack-Signature: v0=1\n\npayload=%7B%22type%22%3A%22view%22%2", Found{"slack", "view", "", "X-Slack-Signature"}},
	{"POST /\nContent-Type: application/x-www-form-urlencoded\nX-Slack-Signature: v0=1\n\na=" + strings.Repeat("x", Peek) + "&command=/x", Found{"slack", "", "", "X-Slack-Signature"}},
}

func TestHostile(t *testing.T) {
	for _, s := range hostile {
		if got := s.recognise(); got != s.want {
			t.Errorf("%.100q\n got %+q\nwant %+q", s.req, got, s.want)
		}
	}
}

func FuzzRecognise(f *testing.F) {
	add := func(s sighting) {
		if len(s.req) < 4<<10 {
			head, body, _ := strings.Cut(s.req, "\n\n")
			f.Add(head, []byte(body))
		}
	}
	for _, s := range slices.Concat(sightings, hostile) {
		add(s)
	}
	names := Names()
	f.Fuzz(func(t *testing.T, head string, body []byte) {
		method, target, h, _ := sighting{req: head}.parts()
		before := bytes.Clone(body)
		got := Recognise(method, target, h, body)
		if again := Recognise(method, target, h, body); again != got {
			t.Errorf("%+q, then %+q", got, again)
		}
		if !bytes.Equal(before, body) {
			t.Error("the body was changed")
		}
		if got.Provider != "" && !slices.Contains(names, got.Provider) {
			t.Errorf("%q is not in Names", got.Provider)
		}
		for _, s := range []string{got.Type, got.ID, got.Signed} {
			if len(s) > maxValue {
				t.Errorf("%d bytes: %q", len(s), s)
			}
		}
		if utf8.ValidString(head) && utf8.Valid(body) && !bytes.ContainsRune(body, '%') && !utf8.ValidString(got.Type+got.ID) {
			t.Errorf("cut within a character: %+q", got)
		}
	})
}

// big is a JSON body of 8 KiB whose members wanted stand last.
var big = []byte(`{"data":{"object":{"lines":[` + strings.Repeat(`{"amount":1000,"currency":"eur","description":"a line"},`, 140) +
	`{}]}},"livemode":true,"object":"event","id":"evt_1","type":"invoice.paid"}`)

var commonHead = capture.Headers{
	{"Host", "example.com"}, {"User-Agent", "curl/8"}, {"Accept", "*/*"}, {"Accept-Encoding", "gzip"}, {"Cache-Control", "no-cache"},
	{"Content-Length", "8192"}, {"Content-Type", "application/json; charset=utf-8"}, {"X-Forwarded-For", "192.0.2.1"}, {"X-Forwarded-Proto", "https"},
}

func BenchmarkRecognise(b *testing.B) {
	for _, c := range []struct {
		name string
		head capture.Headers
		body []byte
	}{
		{"github", append(slices.Clone(commonHead), capture.Header{"X-GitHub-Event", "push"}, capture.Header{"X-GitHub-Delivery", "d"}, capture.Header{"X-Hub-Signature-256", "s"}), big},
		{"stripe", append(slices.Clone(commonHead), capture.Header{"Stripe-Signature", "t=1"}), big},
		{"nobody", commonHead, bytes.Replace(big, []byte(`"evt_1"`), []byte(`"abc_1"`), 1)},
		{"empty", commonHead, nil},
		{"64k-of-members", commonHead, []byte("{" + strings.Repeat(`"a":1,`, 12000))},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Recognise("POST", "/hooks/in?a=1", c.head, c.body)
			}
		})
	}
}

// BenchmarkSHA256 is the yardstick: what the digest of the same body costs.
func BenchmarkSHA256(b *testing.B) {
	for b.Loop() {
		sha256.Sum256(big)
	}
}

func ExampleRecognise() {
	h := capture.Headers{{"X-GitHub-Event", "push"}, {"X-GitHub-Delivery", "72d3162e"}, {"X-Hub-Signature-256", "sha256=75…"}}
	fmt.Printf("%+v\n", Recognise("POST", "/", h, []byte(`{"ref":"refs/heads/main"}`)))
	// Output: {Provider:github Type:push ID:72d3162e Signed:X-Hub-Signature-256}
}
