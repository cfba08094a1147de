package catalog_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/catalog"
)

func raw(members ...string) map[string]json.RawMessage {
	m := map[string]json.RawMessage{}
	for i := 0; i < len(members); i += 2 {
		m[members[i]] = json.RawMessage(members[i+1])
	}
	return m
}

const (
	plainJSON = "application/json; charset=utf-8"
	form      = "application/x-www-form-urlencoded"
)

func TestRequest(t *testing.T) {
	typed := func(contentType, body string) capture.Sample {
		return capture.Sample{Headers: map[string]string{"Content-Type": contentType}, Body: json.RawMessage(body)}
	}
	for _, c := range []struct {
		name         string
		sample       capture.Sample
		line         string
		heads, bytes string
	}{
		{"nothing", capture.Sample{}, "POST /", "", ""},
		{"null", capture.Sample{Body: json.RawMessage("null")}, "POST /", "", ""},
		{"path and query", capture.Sample{Method: "PUT", Path: "/shops/{shop}/jars/{n}", Params: raw("shop", `"a/b c"`, "n", "7"),
			Query: raw("z", `"1 2"`, "a", `["x",1,null]`, "n", "null", "o", `{"k":1}`, "t", "true")}, "PUT /shops/a%2Fb%20c/jars/7?a=x&a=1&o=%7B%22k%22%3A1%7D&t=true&z=1+2", "", ""},
		{"JSON is not touched", typed(plainJSON, `{ "b" : 1.00, "a": "\u00e9<&" }`), "POST /", "Content-Type: " + plainJSON, `{ "b" : 1.00, "a": "\u00e9<&" }`},
		{"a JSON string is JSON", typed("application/cloudevents+json", `"s"`), "POST /", "Content-Type: application/cloudevents+json", `"s"`},
		{"JSON of no type", capture.Sample{Body: json.RawMessage(`[1]`)}, "POST /", "Content-Type: application/json", `[1]`},
		{"text of no type", capture.Sample{Body: json.RawMessage(`"a\nb"`)}, "POST /", "", "a\nb"},
		{"base64 of no type", capture.Sample{Body: json.RawMessage(`{"base64":"AP8="}`)}, "POST /", "", "\x00\xff"},
		{"base64 in JSON is JSON", typed("application/json", `{"base64":"AP8="}`), "POST /", "Content-Type: application/json", `{"base64":"AP8="}`},
		{"text", typed("text/xml", `"<a/>"`), "POST /", "Content-Type: text/xml", "<a/>"},
		{"JSON under text", typed("text/plain; charset=UTF-8", `{"a":1}`), "POST /", "Content-Type: text/plain; charset=UTF-8", `{"a":1}`},
		{"form in order", typed(form, `{"z":"1 &","a":{"k":[1]},"n":1.50,"t":true,"e":"","x":null}`), "POST /", "Content-Type: " + form, "z=1+%26&a=%7B%22k%22%3A%5B1%5D%7D&n=1.50&t=true&e=&x="},
		{"form as text", typed(form, `"a=1&a=2"`), "POST /", "Content-Type: " + form, "a=1&a=2"},
		{"compressed JSON", capture.Sample{Headers: map[string]string{"Content-Type": "application/json", "Content-Encoding": "gzip"}, Body: json.RawMessage(`{"base64":"H4s="}`)},
			"POST /", "Content-Encoding: gzip Content-Type: application/json", "\x1f\x8b"},
		{"headers of one connection", capture.Sample{Headers: map[string]string{"Host": "a", "content-length": "3", "Connection": "close, X-A", "X-A": "1", "x-b": "2", "X-C": "3"}}, "POST /", "x-b: 2 X-C: 3", ""},
	} {
		e, body, err := catalog.Request(&c.sample)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		var heads []string
		for _, h := range e.Headers {
			heads = append(heads, h[0]+": "+h[1])
		}
		if got := e.Method + " " + string(e.Target); got != c.line {
			t.Errorf("%s: %s, want %s", c.name, got, c.line)
		}
		if got := strings.Join(heads, " "); got != c.heads {
			t.Errorf("%s: headers %q, want %q", c.name, got, c.heads)
		}
		if string(body) != c.bytes || e.Size != int64(len(body)) {
			t.Errorf("%s: %d bytes %q, want %q", c.name, e.Size, body, c.bytes)
		}
	}
}

func TestRequestRefuses(t *testing.T) {
	for field, s := range map[string]capture.Sample{
		"method":      {Method: "PO ST"},
		"path":        {Path: "hooks"},
		"path ":       {Path: "/hooks?a=1"},
		"path  ":      {Path: "/{id"},
		"params.id":   {Path: "/{id}"},
		"params.id ":  {Path: "/{id}", Params: raw("id", `{}`)},
		"query.a":     {Query: raw("a", `{`)},
		"headers.A B": {Headers: map[string]string{"A B": "1"}},
		"headers.X-A": {Headers: map[string]string{"X-A": "1\r\nX-B: 2"}},
		"headers.x-a": {Headers: map[string]string{"X-A": "1", "x-a": "1"}},
		"body ":       {Headers: map[string]string{"Content-Type": form}, Body: json.RawMessage(`[1]`)},
		"body.base64": {Headers: map[string]string{"Content-Type": "image/png"}, Body: json.RawMessage(`{"base64":"?"}`)},
	} {
		_, _, err := catalog.Request(&s)
		var wrong *capture.FieldError
		if field = strings.TrimSpace(field); !errors.As(err, &wrong) || wrong.Field != field || wrong.Problem == "" {
			t.Errorf("%s: %v", field, err)
		}
	}
}

func event(contentType, target string, more ...capture.Header) *capture.Event {
	e := &capture.Event{Method: "POST", Target: capture.Raw(target), Headers: more}
	if contentType != "" {
		e.Headers = append(e.Headers, capture.Header{"Content-Type", contentType})
	}
	return e
}

func upper(s string) string { return "ESC" + strings.ReplaceAll(s, "{{", "[[") }

func TestFromEvent(t *testing.T) {
	for _, c := range []struct{ name, contentType, body, want string }{
		{"JSON as it is", plainJSON, `{ "b" : 1.00, "a": "\u00e9" }`, `{ "b" : 1.00, "a": "\u00e9" }`},
		{"braces in JSON", plainJSON, `{"{{a}}": "{{b}}", "c": ["\u007b{d", "{e}"]}`, `{"{{a}}": "ESC[[b}}", "c": ["ESC[[d", "{e}"]}`},
		{"JSON of no type", "", `[1]`, `[1]`},
		{"form", form, "a=1+2&b=%7B%22k%22%3A1%7D&c=", `{"a":"1 2","b":{"k":1},"c":""}`},
		{"form that repeats", form, "a=1&a=2", `{"a":"1","a":"2"}`},
		{"form escaped in another way", form, "a=1%202", `"a=1%202"`},
		{"text", "text/plain", "jar <1> & {{2}}", `"ESCjar <1> & [[2}}"`},
		{"a quoted text", "text/plain", `"jar"`, `"\"jar\""`},
		{"JSON under text", "text/plain", `{"a":1}`, `{"a":1}`},
		{"what looks like base64", "text/plain", `{"base64":"AA=="}`, `"{\"base64\":\"AA==\"}"`},
		{"bytes", "image/png", "\x89PNG\xff", `{"base64":"iVBOR/8="}`},
		{"null under no type", "", "null", `"null"`},
		{"nothing", plainJSON, "", ``},
	} {
		s, err := catalog.FromEvent(event(c.contentType, "/"), []byte(c.body), upper)
		if err != nil || string(s.Body) != c.want {
			t.Errorf("%s: %v: %s, want %s", c.name, err, s.Body, c.want)
		}
	}
	var wrong *capture.FieldError
	if _, err := catalog.FromEvent(event(plainJSON, "/"), []byte("{"), upper); !errors.As(err, &wrong) || wrong.Field != "body" {
		t.Errorf("broken JSON: %v", err)
	}
}

func TestFromEventLeavesOut(t *testing.T) {
	e := event("", "/hooks/{{x}}?b=2&a={{1}}&a=", capture.Headers{{"Host", "hooks.example.com"}, {"Content-Length", "0"}, {"Connection", "X-Hop"}, {"X-Hop", "1"},
		{"X-Forwarded-For", "192.0.2.1"}, {"Via", "1.1 proxy"}, {"CF-Ray", "1"}, {"Hooktape-Event-Id", "evt_1"}, {"Authorization", "Bearer x"}, {"X-Api-Key", "x"},
		{"Stripe-Signature", "t=1"}, {"X-Shopify-Hmac-Sha256", "x"}, {"X-Signed-By", "x"}, {"User-Agent", "Sender/1"}, {"X-Kind", "a"}, {"x-kind", "{{b}}"}, {"X-GitHub-Event", "push"}}...)
	e.Method, e.Signature.Scheme = "PATCH", "x-signed-by"
	s, err := catalog.FromEvent(e, nil, upper)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := fmt.Sprint(s.Headers), "map[User-Agent:Sender/1 X-GitHub-Event:push X-Kind:a, ESC[[b}}]"; got != want {
		t.Errorf("headers %s\n   want %s", got, want)
	}
	if s.Method != "PATCH" || s.Path != "/hooks/%7B%7Bx%7D%7D" || string(s.Query["a"]) != `["ESC[[1}}",""]` || string(s.Query["b"]) != `"2"` {
		t.Errorf("got %s %s %s", s.Method, s.Path, s.Query)
	}
}

// FuzzFromEvent: of the sample of whatever came, the same body is made again.
func FuzzFromEvent(f *testing.F) {
	f.Add("application/json", "/a?b=c", []byte(`{"a":"{{b}}"}`))
	f.Add(form, "/?a=%zz", []byte("a=1&b=%7B%7D"))
	f.Add("text/plain", "*", []byte(`"{"base64":"AA=="}`))
	f.Add("application/xml; a=\"", "/{x}", []byte("\x00\xff"))
	f.Fuzz(func(t *testing.T, contentType, target string, body []byte) {
		if strings.ContainsAny(contentType, "\r\n\x00") {
			return
		}
		e := event(contentType, target)
		s, err := catalog.FromEvent(e, body, func(s string) string { return s })
		if err != nil {
			return
		}
		doc, err := json.Marshal(s)
		if err != nil {
			t.Fatalf("%v: %+v", err, s)
		}
		_, again, err := catalog.Request(&s)
		var wrong *capture.FieldError
		if errors.As(err, &wrong) && wrong.Field == "path" {
			return // a target no client sends
		}
		if err != nil || !bytes.Equal(again, body) {
			t.Errorf("%v: %q became %s and %q", err, body, doc, again)
		}
	})
}

// FuzzRequest: whatever a sample is, it is refused or can be sent.
func FuzzRequest(f *testing.F) {
	f.Add([]byte(`{"method":"GET","path":"/{a}","headers":{"A":"b"},"query":{"q":[1]},"params":{"a":"b"},"body":{"a":1}}`))
	f.Add([]byte(`{"headers":{"Content-Type":"application/x-www-form-urlencoded"},"body":{"a":{"b":[]},"c":null}}`))
	f.Add([]byte(`{"headers":{"Content-Type":"x"},"body":{"base64":"AA=="}}`))
	f.Fuzz(func(t *testing.T, doc []byte) {
		var s capture.Sample
		if json.Unmarshal(doc, &s) != nil {
			return
		}
		e, body, err := catalog.Request(&s)
		var wrong *capture.FieldError
		if err != nil {
			if !errors.As(err, &wrong) {
				t.Errorf("%v of %s", err, doc)
			}
			return
		}
		if e.Size != int64(len(body)) || !strings.HasPrefix(string(e.Target), "/") || strings.ContainsAny(string(e.Target), " \r\n") {
			t.Errorf("%s: %q, %d bytes of %d", doc, e.Target, e.Size, len(body))
		}
	})
}
