package ark_test

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/relay/api/ark"
)

// sample is a body as ARK's own tests have it.
const sample = `{"event":"block.forged","target":"https://hooks.example/post","enabled":true,"conditions":[` +
	`{"key":"generatorPublicKey","condition":"eq","value":"test-generator"},{"key":"fee","condition":"gte","value":"123"}]}`

// What the tests of core-webhooks 3.9.1 ask of it; updates and deletions are
// answered as its document says, or as it does.
func TestOperations(t *testing.T) {
	for _, tt := range []struct {
		options ark.Options
		status  int
		body    string
	}{{ark.Options{}, 200, "{}"}, {ark.Options{Done: 204}, 204, ""}} {
		r := newRig(t, tt.options)
		const at = "/api/webhooks"
		list := r.ask(t, "GET", at, "")
		if _, hooks := list.hooks(t); list.status != 200 || len(hooks) != 0 || !strings.HasSuffix(list.text, `"data":[]}`) {
			t.Errorf("listed %d %s", list.status, list.text)
		}
		made := r.ask(t, "POST", at, sample)
		w := made.webhook(t)
		if token := regexp.MustCompile(`^[0-9a-f]{64}$`); made.status != 201 || !token.MatchString(w.Token) {
			t.Errorf("created %d %s", made.status, made.text)
		}
		want := fmt.Sprintf(`{"data":{"id":%q,%s}`, w.ID, strings.TrimPrefix(sample, "{"))
		if without := strings.Replace(made.text, `"token":"`+w.Token+`",`, "", 1); without != want {
			t.Errorf("created %s, want %s and a token", made.text, want)
		}
		one := at + "/" + string(w.ID)
		got := r.ask(t, "GET", one, "")
		got.want(t, "show", 200, want)
		if got.header.Get("Content-Type") != "application/json; charset=utf-8" || got.header.Get("Cache-Control") != "no-cache" {
			t.Errorf("header %v", got.header)
		}
		r.ask(t, "GET", one+"/", "").want(t, "with a slash", 200, want)
		r.ask(t, "HEAD", one, "").want(t, "HEAD", 200, "")
		r.ask(t, "POST", at+"/", strings.Replace(sample, `"eq","value":"test-generator"`, `"between","value":{"min":1,"max":2}`, 1)).want(t, "between", 201, "")
		r.ask(t, "POST", at, `{"event":"a","target":"http://hooks.example","conditions":[]}`).want(t, "no conditions", 201, "")
		if _, hooks := r.ask(t, "GET", at, "").hooks(t); len(hooks) != 3 || hooks[0].ID != w.ID || hooks[0].Token != "" || !hooks[2].Enabled {
			t.Errorf("listed %+v, want the three, oldest first, without tokens", hooks)
		}
		update := `{"event":"block.applied","target":"http://hooks.example/2","enabled":"FALSE","conditions":[]}`
		a := r.ask(t, "PUT", one, update)
		a.want(t, "update", tt.status, tt.body)
		if a.text != tt.body {
			t.Errorf("the update is answered %q", a.text)
		}
		r.ask(t, "GET", one, "").want(t, "updated", 200, fmt.Sprintf(`{"data":{"id":%q,"event":"block.applied","target":"http://hooks.example/2","enabled":false,"conditions":[]}}`, w.ID))
		r.ask(t, "DELETE", one, "").want(t, "delete", tt.status, tt.body)
		none := refusal(404, "Not Found")
		for _, id := range []string{string(w.ID), "123", "evt_01M80E6ZR16E77SKZNPRQEM4HR", "wh_x", "%00", "a%2fb"} {
			r.ask(t, "GET", at+"/"+id, "").want(t, "show "+id, 404, none)
			r.ask(t, "PUT", at+"/"+id, sample).want(t, "update "+id, 404, none)
			r.ask(t, "DELETE", at+"/"+id, "").want(t, "delete "+id, 404, none)
		}
		r.ask(t, "PUT", at+"/123", "{}").want(t, "what is wrong goes before what is missing", 422, refusal(422, `"event" is required`))
		for _, op := range []string{"DELETE /api/webhooks", "PATCH " + one, "POST " + one, "OPTIONS /api/webhooks", "GET /api/webhooks/a/b", "PUT /api/webhooks/"} {
			method, target, _ := strings.Cut(op, " ")
			r.ask(t, method, target, "").want(t, op, 404, none)
		}
	}
}

// What is wrong with a body, word for word as 3.9.1 says it: the first thing
// in the order of its schema. Where hooktape is stricter, that is said in the
// same form.
func TestBodies(t *testing.T) {
	r := newRig(t, ark.Options{})
	made := "/api/webhooks/" + string(r.hook(t, "a", "/ok", "").ID)
	with := func(member, value string) string {
		all := map[string]json.RawMessage{"event": json.RawMessage(`"e"`), "target": json.RawMessage(`"http://hooks.example"`), "enabled": json.RawMessage("true"), "conditions": json.RawMessage("[]")}
		if all[member] = json.RawMessage(value); value == "" {
			delete(all, member)
		}
		b, err := json.Marshal(all)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	row := func(row string) string { return with("conditions", `[{"key":"a","condition":"eq"},`+row+`]`) }
	for _, tt := range []struct{ body, want string }{
		{"{}", `"event" is required`},
		{with("event", ""), `"event" is required`},
		{with("event", `""`), `"event" is not allowed to be empty`},
		{with("event", "1"), `"event" must be a string`},
		{with("event", "null"), `"event" must be a string`},
		{with("event", `"`+strings.Repeat("x", 1025)+`"`), `"event": 1025 bytes: want at most 1024`},
		{with("target", ""), `"target" is required`},
		{with("target", `""`), `"target" is not allowed to be empty`},
		{with("target", "{}"), `"target" must be a string`},
		{with("target", `"nope"`), `"target" must be a valid uri`},
		{with("target", `"ftp://hooks.example"`), `"target" must be a valid uri: want an http or https URL, as in https://example.com/hooks`},
		{with("target", `"http://10.0.0.1"`), `"target" must be a valid uri: 10.0.0.1 is a private address, and endpoints may reach public addresses only (--allow-target 10.0.0.1/32 allows this one)`},
		{with("enabled", `"yes"`), `"enabled" must be a boolean`},
		{with("enabled", `""`), `"enabled" must be a boolean`},
		{with("enabled", "1"), `"enabled" must be a boolean`},
		{with("enabled", "null"), `"enabled" must be a boolean`},
		{with("enabled", `"True"`), ""},
		{with("conditions", ""), `"conditions" is required`},
		{with("conditions", "null"), `"conditions" must be an array`},
		{with("conditions", `{"a":1}`), `"conditions" must be an array`},
		{with("conditions", "[1]"), `"conditions[0]" must be of type object`},
		{with("conditions", "[null]"), `"conditions[0]" must be of type object`},
		{row("{}"), `"conditions[1].key" is required`},
		{row(`{"key":"a"}`), `"conditions[1].condition" is required`},
		{row(`{"key":"","condition":"eq"}`), `"conditions[1].key" is not allowed to be empty`},
		{row(`{"key":"a","condition":""}`), `"conditions[1].condition" is not allowed to be empty`},
		{row(`{"key":"a","condition":null}`), `"conditions[1].condition" must be a string`},
		{row(`{"key":"a","condition":"eq","value":1,"extra":1}`), `"conditions[1].extra" is not allowed`},
		{row(`{"key":"a","condition":"equals","value":1}`), `"conditions[1].condition": "equals" is unknown: did you mean "eq"?`},
		{row(`{"key":"a","condition":"regexp","value":"("}`), `"conditions[1].value": regular expression: missing closing )`},
		{with("foo", "1"), `"foo" is not allowed`},
		{with("id", `"x"`), `"id" is not allowed`},
		{with("token", `"x"`), `"token" is not allowed`},
		{`{"foo":1,"conditions":1,"enabled":"x","target":"nope","event":""}`, `"event" is not allowed to be empty`},
		{`{"foo":1,"conditions":1,"enabled":"x","target":"nope","event":"e"}`, `"target" must be a valid uri`},
		{`{"foo":1,"conditions":1,"enabled":"x","target":"http://a.test","event":"e"}`, `"enabled" must be a boolean`},
		{`{"foo":1,"conditions":1,"target":"http://a.test","event":"e","enabled":true}`, `"conditions" must be an array`},
		{"", `"value" must be of type object`},
		{"[]", `"value" must be of type object`},
		{"null", `"value" must be of type object`},
		{`"x"`, `"value" must be of type object`},
		{"{", "Invalid request payload JSON format"},
		{with("event", "1") + "x", "Invalid request payload JSON format"},
		{with("event", `"`+strings.Repeat("x", 1<<20)+`"`), "Payload content length greater than maximum allowed: 1048576"},
		{" { \"event\" : \"e\" , \"target\" : \"http://a.test\" ,\n\t\"enabled\" : false , \"conditions\" : [ ] } ", ""},
	} {
		for method, target := range map[string]string{"POST": "/api/webhooks", "PUT": made} {
			status, want := 422, ""
			switch {
			case tt.want != "":
				want = refusal(422, tt.want)
			case method == "POST":
				status = 201
			default:
				status = 200
			}
			r.ask(t, method, target, tt.body).want(t, fmt.Sprintf("%s %.100s", method, tt.body), status, want)
		}
	}
	missing := with("enabled", "")
	r.ask(t, "POST", "/api/webhooks", missing).want(t, "enabled is true unless said", 201, "")
	r.ask(t, "PUT", made, missing).want(t, "but must be said", 422, refusal(422, `"enabled" is required`))
	for kind, want := range map[string]string{
		"":                                "",
		"application/json; charset=utf-8": "",
		"application/vnd.api+json":        "",
		"text/plain":                      `"value" must be of type object`,
		"application/octet-stream":        "Unsupported Media Type",
		"multipart/form-data; boundary=x": "Unsupported Media Type",
		"nonsense;;":                      "Unsupported Media Type",
	} {
		status := 201
		if want != "" {
			status, want = 422, refusal(422, want)
		}
		r.ask(t, "POST", "/api/webhooks", with("", ""), "Content-Type: "+kind).want(t, kind, status, want)
	}
	form := r.ask(t, "POST", "/api/webhooks", "event=e&target=http://a.test&enabled=true&conditions=a&conditions=b", "Content-Type: application/x-www-form-urlencoded")
	form.want(t, "a form", 422, refusal(422, `"conditions[0]" must be of type object`))
}

// ARK's own clients say API-Version, and are answered as its servers answer.
func TestDone(t *testing.T) {
	for done, want := range map[int][2]int{0: {200, 204}, 200: {200, 200}, 204: {204, 204}} {
		r := newRig(t, ark.Options{Done: done})
		at := "/api/webhooks/" + string(r.hook(t, "a", "/ok", "").ID)
		for i, header := range []string{"Accept: */*", "API-Version: 2"} {
			if a := r.ask(t, "PUT", at, sample, header); a.status != want[i] {
				t.Errorf("%d: with %s the update is answered %d, want %d", done, header, a.status, want[i])
			}
		}
	}
}

// The document lets an update say what it changes and nothing else.
func TestPartialUpdates(t *testing.T) {
	r := newRig(t, ark.Options{Partial: true})
	w := r.hook(t, "a", "/ok", `{"key":"x","condition":"truthy"}`)
	at := "/api/webhooks/" + string(w.ID)
	w.Token = ""
	for _, tt := range []struct {
		body   string
		change func()
	}{
		{`{"enabled":"false"}`, func() { w.Enabled = false }},
		{`{"event":"b"}`, func() { w.Event = "b" }},
		{`{"target":"http://hooks.example"}`, func() { w.Target = "http://hooks.example" }},
		{`{"conditions":[]}`, func() { w.Conditions = []capture.Condition{} }},
		{`{}`, func() {}},
		{`{"conditions":[{"key":"y","condition":"eq","value":null}]}`, func() {
			w.Conditions = []capture.Condition{{Key: "y", Condition: "eq", Value: json.RawMessage("null")}}
		}},
	} {
		tt.change()
		r.ask(t, "PUT", at, tt.body).want(t, tt.body, 200, "{}")
		if got := r.ask(t, "GET", at, "").webhook(t); !reflect.DeepEqual(got, w) {
			t.Errorf("%s left %+v, want %+v", tt.body, got, w)
		}
	}
	r.ask(t, "PUT", at, `{"enabled":1}`).want(t, "a bad one", 422, refusal(422, `"enabled" must be a boolean`))
	r.ask(t, "PUT", at, "enabled=true", "Content-Type: application/x-www-form-urlencoded").want(t, "a form", 200, "{}")
	r.ask(t, "POST", "/api/webhooks", `{"event":"a"}`).want(t, "a new one has all", 422, refusal(422, `"target" is required`))
}

// Who asks needs the token, as it is or as a bearer's, once there is one; and
// to be on the whitelist, if there is one.
func TestAccess(t *testing.T) {
	r := newRig(t, ark.Options{})
	r.ask(t, "GET", "/api/webhooks", "", "Authorization: whatever").want(t, "before there is a token", 200, "")
	_, reads, err := r.registry.CreateToken(t.Context(), capture.TokenSpec{Name: "reads", Scope: capture.ScopeRead})
	if err != nil {
		t.Fatal(err)
	}
	_, manages, err := r.registry.CreateToken(t.Context(), capture.TokenSpec{Name: "manages", Scope: capture.ScopeManage})
	if err != nil {
		t.Fatal(err)
	}
	no := refusal(401, "Unauthorized")
	for _, tt := range []struct {
		op, given string
		status    int
		text      string
	}{
		{"GET /api/webhooks", "", 401, no},
		{"GET /api/webhooks", "x", 401, no},
		{"GET /api/webhooks", "Basic " + reads, 401, no},
		{"GET /api/webhooks", reads, 200, ""},
		{"GET /api/webhooks/", "Bearer " + reads, 200, ""},
		{"GET /api/webhooks/123", reads, 404, refusal(404, "Not Found")},
		{"POST /api/webhooks", reads, 403, refusal(403, `The token "reads" is of scope read; this needs manage.`)},
		{"POST /api/webhooks", "bearer " + manages, 201, ""},
		{"DELETE /api/webhooks/123", "", 401, no},
	} {
		method, target, _ := strings.Cut(tt.op, " ")
		r.ask(t, method, target, sample, "Authorization: "+tt.given).want(t, tt.op, tt.status, tt.text)
	}
}

func TestWhitelist(t *testing.T) {
	for _, tt := range []struct {
		whitelist, from string
		want            int
	}{
		{"", "192.0.2.1:99", 200},
		{"127.0.0.1", "127.0.0.1:99", 200},
		{"127.0.0.1", "127.0.0.10:99", 403},
		{"127.0.0.1", "[::ffff:127.0.0.1]:99", 403},
		{"127.0.0.1 ::1", "[::1]:99", 200},
		{"192.0.2.*", "192.0.2.77:99", 200},
		{"192.0.2.*", "192.0.3.77:99", 403},
		{"192.0.2.0/24", "192.0.2.77:99", 403},
		{"*", "[2001:db8::1]:99", 200},
		{"127.0.0.1", "@", 200}, // the socket of this machine
	} {
		r := newRig(t, ark.Options{Whitelist: strings.Fields(tt.whitelist)})
		req := httptest.NewRequest("GET", "http://localhost/api/webhooks", nil)
		req.RemoteAddr = tt.from
		req.Header.Set("X-Forwarded-For", "127.0.0.1")
		w := httptest.NewRecorder()
		r.server.Handler().ServeHTTP(w, req)
		text := strings.TrimSpace(w.Body.String())
		if w.Code != tt.want || tt.want == 403 && text != refusal(403, "Forbidden") {
			t.Errorf("%q asked from %s: %d %s, want %d", tt.whitelist, tt.from, w.Code, text, tt.want)
		}
	}
}

// FuzzBody: no body makes the server fail, every answer is JSON, and what is
// created is read as it was made.
func FuzzBody(f *testing.F) {
	for _, s := range []string{sample, "", "{}", "[]", "null", `{"event":"a","target":"http://a.test","conditions":[{"key":"a.b","condition":"between","value":{"min":1,"max":null}}]}`,
		`{"event":"a","event":"","target":"//x","conditions":[[]]}`, "{\"event\":\"\xff\\ud800\\u0000\",\"target\":\"http://a.test\",\"conditions\":[]}", `{"conditions":[{"key":1e400}]}`, "event=a&target=%zz&a;b"} {
		f.Add(s, "application/json")
		f.Add(s, "application/x-www-form-urlencoded")
	}
	r := newRig(f, ark.Options{Partial: true})
	made := "/api/webhooks/" + string(r.hook(f, "a", "/ok", "").ID)
	h := r.server.Handler()
	f.Fuzz(func(t *testing.T, body, kind string) {
		for _, op := range []string{"POST /api/webhooks", "PUT " + made} {
			method, target, _ := strings.Cut(op, " ")
			req := httptest.NewRequest(method, "http://localhost"+target, strings.NewReader(body))
			req.Header.Set("Content-Type", kind)
			w := httptest.NewRecorder()
			h.ServeHTTP(w, req)
			if w.Code != 200 && w.Code != 201 && w.Code != 422 || !json.Valid(w.Body.Bytes()) {
				t.Fatalf("%s %q: %d %s", op, body, w.Code, w.Body)
			}
			if w.Code == 201 {
				v := answered{201, nil, w.Body.String()}.webhook(t)
				v.Token = ""
				one := httptest.NewRecorder()
				h.ServeHTTP(one, httptest.NewRequest("GET", "http://localhost/api/webhooks/"+string(v.ID), nil))
				if got := (answered{200, nil, one.Body.String()}).webhook(t); !reflect.DeepEqual(got, v) {
					t.Errorf("%q: created %+v, and is %+v", body, v, got)
				}
				h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("DELETE", "http://localhost/api/webhooks/"+string(v.ID), nil))
			}
		}
	})
}
