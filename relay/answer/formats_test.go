package answer_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/sign"
	"code.hooktape.dev/hooktape/relay/answer"
)

const (
	own   = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
	older = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	app   = "whsec_ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8"
	token = "f9e552b8a5fa4e21ecbcebe14525e3cb0123456789abcdef0123456789abcdef"
)

var sent = time.Date(2026, 1, 2, 3, 4, 5, 678e6, time.UTC)

// sample is an event an application made, and its first attempt.
func sample() (*capture.Event, *capture.Attempt) {
	return &capture.Event{ID: "evt_01ARZ3NDEKTSV4RRFFQ69G5FAV", App: "shop", Type: "invoice.paid", Source: "billing", Origin: capture.FromTrigger,
			Received: time.Date(2026, 1, 2, 4, 0, 0, 9e6, time.FixedZone("", 3600)), Method: "POST", Target: "/"},
		&capture.Attempt{Number: 1, Delivery: "dlv_01BX5ZZKBKACTAV9WEVGEMMVRZ", Started: sent, TriggeredBy: capture.BySystem}
}

func to(url string, f capture.Format, key string) *answer.Delivery {
	return &answer.Delivery{Endpoint: capture.Endpoint{EndpointSpec: capture.EndpointSpec{URL: url, Format: f}, Secret: capture.Keyring{Key: key}}}
}

// text is a request as it goes over the wire.
func text(r *capture.Request) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s\n", r.Method, r.Target)
	for _, h := range r.Headers {
		fmt.Fprintf(&b, "%s: %s\n", h[0], h[1])
	}
	return b.String() + "\n" + string(r.Body)
}

func made(t testing.TB, d *answer.Delivery, e *capture.Event, body string, a *capture.Attempt) *capture.Request {
	t.Helper()
	r, err := d.Request(e, []byte(body), a)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

const (
	data     = `{"invoice_id":"inv_1", "amount":4200.0}` + "\n"
	asCaught = `PUT /hooks/in/a%2Fb?x=%zz&q=1
hOST: app.test:8080
X-Two: 1
x-two: 2
Authorization: Bearer theirs
Content-Length: 40
Hooktape-Event-Id: evt_01ARZ3NDEKTSV4RRFFQ69G5FAV
Hooktape-Attempt: 1
X-Own: mine

` + data
)

func caught(e *capture.Event, _ *capture.Attempt, d *answer.Delivery) {
	e.Origin, e.Method, e.Target = capture.Ingress, "PUT", "/in/a%2Fb?q=1"
	e.Headers = capture.Headers{{"hOST", "relay"}, {"X-Two", "1"}, {"x-two", "2"}, {"x-own", "theirs"}, {"Authorization", "Bearer theirs"}, {"Connection", "close"}}
	d.Endpoint.Headers = map[string]string{"X-Own": "mine"}
}

func TestFormats(t *testing.T) {
	for _, tt := range []struct {
		name   string
		format capture.Format
		key    string
		change func(*capture.Event, *capture.Attempt, *answer.Delivery)
		want   string
	}{
		{"standard", capture.FormatStandard, own, nil, `POST /hooks?x=%zz
Host: app.test:8080
User-Agent: Hooktape-Webhook/1.0
Content-Type: application/json
webhook-id: evt_01ARZ3NDEKTSV4RRFFQ69G5FAV
webhook-timestamp: 1767323045
webhook-signature: SIGNED
Content-Length: 110
Hooktape-Event-Id: evt_01ARZ3NDEKTSV4RRFFQ69G5FAV
Hooktape-Attempt: 1

{"type":"invoice.paid","timestamp":"2026-01-02T03:00:00.009Z","data":{"invoice_id":"inv_1", "amount":4200.0}
}`},
		{"standard, sent again, unsigned", capture.FormatAuto, "", func(_ *capture.Event, a *capture.Attempt, d *answer.Delivery) {
			a.Number, a.TriggeredBy, a.TriggeredFrom = 3, capture.ByUser, capture.FromManual
			d.Endpoint.Headers = map[string]string{"user-agent": "mine", "X-B": "2", "X-A": "1"}
		}, `POST /hooks?x=%zz
Host: app.test:8080
Content-Type: application/json
webhook-id: evt_01ARZ3NDEKTSV4RRFFQ69G5FAV
webhook-timestamp: 1767323045
Content-Length: 110
Hooktape-Event-Id: evt_01ARZ3NDEKTSV4RRFFQ69G5FAV
Hooktape-Attempt: 3
Hooktape-Replay-Of: evt_01ARZ3NDEKTSV4RRFFQ69G5FAV
X-A: 1
X-B: 2
user-agent: mine

{"type":"invoice.paid","timestamp":"2026-01-02T03:00:00.009Z","data":{"invoice_id":"inv_1", "amount":4200.0}
}`},
		{"wacht", capture.FormatWacht, own, nil, `POST /hooks?x=%zz
Host: app.test:8080
User-Agent: Wacht-Webhook/1.0
Content-Type: application/json
webhook-id: msg_01BX5ZZKBKACTAV9WEVGEMMVRZ
webhook-timestamp: 1767323045
webhook-signature: SIGNED
Content-Length: 110
Hooktape-Event-Id: evt_01ARZ3NDEKTSV4RRFFQ69G5FAV
Hooktape-Attempt: 1

{"type":"invoice.paid","timestamp":"2026-01-02T03:00:00.000Z","data":{"invoice_id":"inv_1", "amount":4200.0}
}`},
		{"blocklet", capture.FormatBlocklet, "hush", func(e *capture.Event, _ *capture.Attempt, _ *answer.Delivery) {
			e.Metadata = map[string]string{"sender.pk": "0xabc", "sender.name": "My App", "order": "7"}
		}, `POST /hooks?x=%zz
Host: app.test:8080
User-Agent: Hooktape-Webhook/1.0
Content-Type: application/json
Accept: application/json, text/plain, */*
X-Webhook-Signature: SIGNED
Content-Length: 121
Hooktape-Event-Id: evt_01ARZ3NDEKTSV4RRFFQ69G5FAV
Hooktape-Attempt: 1

{"invoice_id":"inv_1","amount":4200,"$eventName":"invoice.paid","$sender":{"did":"billing","pk":"0xabc","name":"My App"}}`},
		{"ark", capture.FormatARK, token, nil, `POST /hooks?x=%zz
Host: app.test:8080
User-Agent: Hooktape-Webhook/1.0
Content-Type: application/json
Authorization: f9e552b8a5fa4e21ecbcebe14525e3cb
Content-Length: 98
Hooktape-Event-Id: evt_01ARZ3NDEKTSV4RRFFQ69G5FAV
Hooktape-Attempt: 1

{"timestamp":1767323045678,"data":{"invoice_id":"inv_1", "amount":4200.0}
,"event":"invoice.paid"}`},
		{"raw", capture.FormatRaw, own, caught, asCaught},
		{"what was caught", capture.FormatAuto, own, caught, asCaught},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e, a := sample()
			d := to("http://app.test:8080/hooks?x=%zz", tt.format, tt.key)
			if tt.change != nil {
				tt.change(e, a, d)
			}
			r := made(t, d, e, data, a)
			if own := string(r.Body) == data; own != (r.Made == "") || !own && r.Made != capture.Raw(r.Body) {
				t.Errorf("kept as made %q, sent %q", r.Made, r.Body)
			}
			signature := r.Headers.First("webhook-signature") + r.Headers.First("X-Webhook-Signature")
			if got, want := text(r), strings.Replace(tt.want, "SIGNED", signature, 1); got != want {
				t.Errorf("got:\n%s\nwant:\n%s", got, want)
			}
			if tt.key == own && r.Made != "" {
				if err := verified(r.Headers, r.Body, sent, own); err != nil {
					t.Error(err)
				}
			}
			if want := sign.Blocklet(sent, r.Body, "hush"); tt.key == "hush" && signature != want {
				t.Errorf("signature %s, want %s", signature, want)
			}
		})
	}
}

// The expectation is by standardwebhooks 1.1.1 for node.
func TestWachtSignsAsItsVector(t *testing.T) {
	e, a := sample()
	e.Received, a.Started, a.Delivery = sent, sent, "dlv_1152921504606846977"
	d := to("http://app.test", capture.FormatWacht, "")
	d.AppKeys = func() []string { return []string{own} }
	r := made(t, d, e, `{"invoice_id":"inv_1","amount":4200}`, a)
	if got, want := string(r.Body), `{"type":"invoice.paid","timestamp":"2026-01-02T03:04:05.000Z","data":{"invoice_id":"inv_1","amount":4200}}`; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	for name, want := range map[string]string{"webhook-id": "msg_1152921504606846977", "webhook-timestamp": "1767323045", "webhook-signature": "v1,CHC6Q+aQXQFM68RqHr6JLB4rZKfc/pOjVuxZujhvtZQ="} {
		if got := r.Headers.First(name); got != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
}

// What is in a body that is no JSON reaches the receiver all the same.
func TestBodiesThatAreNotJSON(t *testing.T) {
	deep := strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000)
	for _, tt := range []struct{ body, standard, blocklet, ark string }{
		{"", "null", `{`, `{"timestamp":1767323045678,"event":"invoice.paid"}`},
		{"null", "null", `{"data":null,`, `{"timestamp":1767323045678,"data":null,"event":"invoice.paid"}`},
		{" [1] ", " [1] ", `{"data":[1],`, `{"timestamp":1767323045678,"data": [1] ,"event":"invoice.paid"}`},
		{`"dummy"`, `"dummy"`, `{"data":"dummy",`, `{"timestamp":1767323045678,"data":"dummy","event":"invoice.paid"}`},
		{"a=1&b=é\t\"<\u2028", `"a=1&b=é\t\"<` + "\u2028\"", `{"data":"a=1&b=é\t\"<` + "\u2028\",", `{"timestamp":1767323045678,"data":"a=1&b=é\t\"<` + "\u2028" + `","event":"invoice.paid"}`},
		{"\xff\x00", `{"base64":"/wA="}`, `{"base64":"/wA=",`, `{"timestamp":1767323045678,"data":{"base64":"/wA="},"event":"invoice.paid"}`},
		{"\"\xff\"", `{"base64":"Iv8i"}`, `{"base64":"Iv8i",`, `{"timestamp":1767323045678,"data":{"base64":"Iv8i"},"event":"invoice.paid"}`},
		{deep, `"` + deep + `"`, `{"data":"` + deep + `",`, `{"timestamp":1767323045678,"data":"` + deep + `","event":"invoice.paid"}`},
	} {
		e, a := sample()
		e.Origin = capture.Ingress
		for format, want := range map[capture.Format]string{
			capture.FormatStandard: `{"type":"invoice.paid","timestamp":"2026-01-02T03:00:00.009Z","data":` + tt.standard + "}",
			capture.FormatBlocklet: tt.blocklet + `"$eventName":"invoice.paid","$sender":{"did":"billing","name":"shop"}}`,
			capture.FormatARK:      tt.ark,
		} {
			r := made(t, to("http://app.test", format, ""), e, tt.body, a)
			if string(r.Body) != want {
				t.Errorf("%s of %.20q:\n%.200s\nwant:\n%.200s", format, tt.body, r.Body, want)
			}
			if !json.Valid(r.Body) {
				t.Errorf("%s of %.20q is no JSON: %.200s", format, tt.body, r.Body)
			}
		}
	}
}

// Expectations by node: JSON.stringify({...JSON.parse(data), $eventName, $sender}).
func TestBlockletWritesAsJavaScriptDoes(t *testing.T) {
	for data, want := range map[string]string{
		`{"b":1,"4294967294":1,"4294967295":2,"9007199254740991":3,"10":1,"9":1,"01":1,"-1":0,"1.5":2,"0":1}`://
		`{"0":1,"9":1,"10":1,"4294967294":1,"b":1,"4294967295":2,"9007199254740991":3,"01":1,"-1":0,"1.5":2,`,
		`{"n":[1.0,-0,1e21,1e-7,0.000001,1E400,123456789012345678901234567890,1e20,5e-324,2.50,9007199254740993]}`://
		`{"n":[1,0,1e+21,1e-7,0.000001,null,1.2345678901234568e+29,100000000000000000000,5e-324,2.5,9007199254740992],`,
		`{"s":"\u2028\u007f\/\u0007\b\f\n\r\t<é&>\ud83d\ude00"}`:              "{\"s\":\"\u2028\x7f/\\u0007\\b\\f\\n\\r\\t<é&>😀\",",
		`{ "a" : {"z":1, "1":[true , false,null, {}, []], "z":2} , "a2":"" }`: `{"a":{"1":[true,false,null,{},[]],"z":2},"a2":"",`,
		`{"a":1,"b":2,"a":3}`:        `{"a":3,"b":2,`,
		`{"":0,"__proto__":{"x":1}}`: `{"":0,"__proto__":{"x":1},`,
	} {
		e, a := sample()
		r := made(t, to("http://app.test", capture.FormatBlocklet, ""), e, data, a)
		want += `"$eventName":"invoice.paid","$sender":{"did":"billing","name":"shop"}}`
		if string(r.Body) != want {
			t.Errorf("%s:\n%s\nwant:\n%s", data, r.Body, want)
		}
	}
	e, a := sample()
	r := made(t, to("http://app.test", capture.FormatBlocklet, ""), e, `{"$eventName":"x","a":1,"$sender":0,"5":5}`, a)
	if want := `{"5":5,"$eventName":"invoice.paid","a":1,"$sender":{"did":"billing","name":"shop"}}`; string(r.Body) != want {
		t.Errorf("names of ours in the data: %s, want %s", r.Body, want)
	}
}

func TestEveryLiveKeySigns(t *testing.T) {
	e, a := sample()
	d := to("http://app.test", capture.FormatStandard, own)
	d.Endpoint.Secret.Old = []capture.OldKey{{Key: older, Until: sent.Add(time.Second)}, {Key: older, Until: sent.Add(-time.Second)}}
	d.AppKeys = func() []string { return []string{app} }
	r := made(t, d, e, "{}", a)
	want, err := sign.Standard(string(e.ID), sent, r.Body, own, older, app)
	if got := r.Headers.First("webhook-signature"); err != nil || got != want {
		t.Errorf("signed %s, want %s, %v", got, want, err)
	}
	d.Endpoint.Secret = capture.Keyring{}
	r = made(t, d, e, "{}", a)
	if err := verified(r.Headers, r.Body, sent, app); err != nil {
		t.Errorf("without a key of its own: %v", err)
	}
	a.Started, a.Number = sent.Add(time.Hour), 2
	r = made(t, d, e, "{}", a)
	if err := verified(r.Headers, r.Body, a.Started, app); err != nil || r.Headers.First("webhook-id") != string(e.ID) {
		t.Errorf("an hour later %s: %v", r.Headers.First("webhook-id"), err)
	}
}

func TestWhatCannotBeMade(t *testing.T) {
	e, a := sample()
	header := to("http://app.test", capture.FormatStandard, own)
	header.Endpoint.Headers = map[string]string{"X": "a\r\nY: b"}
	for says, d := range map[string]*answer.Delivery{
		"not a secret of this scheme": to("http://app.test", capture.FormatStandard, token),
		"64 hexadecimal digits":       to("http://app.test", capture.FormatARK, own),
		"want one of":                 to("http://app.test", "smoke", own),
		"http or https":               to("unix:///run/app.sock", capture.FormatStandard, own),
		"headers.X":                   header,
	} {
		a := *a
		d.Send(t.Context(), e, []byte("{}"), &a)
		wantFailure(t, &a, capture.FailProtocol, says)
		if strings.Contains(a.Error.Message, own) || strings.Contains(a.Error.Message, token) {
			t.Errorf("%q tells the secret", a.Error.Message)
		}
	}
}

// FuzzBlockletBody: a receiver that parses the body and writes it again, as
// its verifier does, has the same bytes.
func FuzzBlockletBody(f *testing.F) {
	for _, s := range []string{`{}`, `{"b":[1.50,{"2":0,"1":"\ud800"}],"1":1e999}`, `[1]`, `"x"`, "\xff", `{"a":1,"a":{}}`, `{"$sender":{"x":1}}`, `{"a":-0.0e-5}`} {
		f.Add([]byte(s))
	}
	d := to("http://app.test", capture.FormatBlocklet, "")
	f.Fuzz(func(t *testing.T, body []byte) {
		e, a := sample()
		e.Origin = capture.Ingress
		once := made(t, d, e, string(body), a)
		again := made(t, d, e, string(once.Body), a)
		if !bytes.Equal(once.Body, again.Body) {
			t.Errorf("%q is written\n%q and then\n%q", body, once.Body, again.Body)
		}
		var compact bytes.Buffer
		if err := json.Compact(&compact, once.Body); err != nil || !bytes.Equal(compact.Bytes(), once.Body) {
			t.Errorf("%q is not compact: %v", once.Body, err)
		}
	})
}

// verified is nil for what is signed by Standard Webhooks with the secret.
func verified(h capture.Headers, body []byte, now time.Time, secret string) error {
	standard, _ := sign.Lookup("standard-webhooks")
	v := standard.Verify(&sign.Request{Headers: h, Body: body}, now, sign.Secret{Text: secret})
	if v.Verdict != capture.Valid {
		return fmt.Errorf("%s: %s", v.Verdict, v.Detail)
	}
	return nil
}
