package coviu_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/relay"
	"code.hooktape.dev/hooktape/relay/answer"
	"code.hooktape.dev/hooktape/relay/api"
	"code.hooktape.dev/hooktape/relay/api/coviu"
	"code.hooktape.dev/hooktape/relay/dispatch"
	"code.hooktape.dev/hooktape/store"
)

// platform is hooktape with a plugin, and a target that answers with what its
// path says: /STATUS.
type platform struct {
	t      testing.TB
	h      http.Handler
	target string
	tokens map[string]string // by scope, of the plugin "shop"; "other" is of another's
}

func newPlatform(t testing.TB) *platform {
	t.Helper()
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	s, err := store.Open("", store.Options{Memory: true, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	d := &dispatch.Dispatcher{Store: s, History: s, Log: log}
	r, err := relay.NewRegistry(t.Context(), s, relay.Hooks{Plan: d.Plan, Resend: d.Resend, Changed: d.Put, Target: d.Target,
		Check: func(e capture.EndpointSpec) error {
			if err := (*answer.Guard)(nil).URL(e.URL); err != nil {
				return err
			}
			return answer.CheckHeaders(e.Headers)
		}})
	if err != nil {
		t.Fatal(err)
	}
	d.Delivers, d.Follow = r.Delivers, r.Follow
	d.Open = func(capture.Endpoint) (dispatch.Sender, error) { return &answer.Trigger{Of: r.FiredBy}, nil }
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		<-ended
	})
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		status := 200
		fmt.Sscan(r.URL.Path[1:], &status)
		w.WriteHeader(status)
		fmt.Fprintf(w, `{"path":%q}`, r.URL.Path)
	}))
	t.Cleanup(target.Close)
	p := &platform{t: t, target: target.URL, tokens: map[string]string{}}
	for _, app := range []string{"shop", "other"} {
		if _, err := r.CreateApp(t.Context(), app, capture.AppSpec{}); err != nil {
			t.Fatal(err)
		}
	}
	for _, scope := range capture.Scopes {
		_, secret, err := r.CreateToken(t.Context(), capture.TokenSpec{Name: string(scope), Scope: scope, App: "shop"})
		if err != nil {
			t.Fatal(err)
		}
		p.tokens[string(scope)] = secret
	}
	if _, p.tokens["other"], err = r.CreateToken(t.Context(), capture.TokenSpec{Name: "other", Scope: capture.ScopeManage, App: "other"}); err != nil {
		t.Fatal(err)
	}
	server := &api.Server{Source: s, Registry: r, Resend: d.Resend}
	server.Dialects = []api.Dialect{coviu.New(server.Engine)}
	p.h = server.Guard(server.Handler())
	return p
}

// ask asks as a plugin's page would, below /coviu/v1/plugins/, and returns the
// answer, which is JSON.
func (p *platform) ask(as, method, path, body string) (status int, answer map[string]any) {
	p.t.Helper()
	r := httptest.NewRequest(method, "http://localhost/coviu/v1/plugins/"+path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+p.tokens[as])
	w := httptest.NewRecorder()
	p.h.ServeHTTP(w, r)
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || w.Header().Get("Content-Type") != "application/json" {
		p.t.Fatalf("%s %s answered %d %q, which is no JSON: %v", method, path, w.Code, w.Body, err)
	}
	return w.Code, answer
}

// TestTable is every route, with what it answers to whom.
func TestTable(t *testing.T) {
	p := newPlatform(t)
	hook := func(more string) string {
		return `{"id":"send","url":"` + p.target + `/200","method":"POST"` + more + `}`
	}
	for _, tt := range []struct {
		as, method, path, body string
		status                 int
		want                   string // in the answer
	}{
		{"manage", "POST", "shop/webhooks", hook(""), 201, "headers:map[] id:send method:POST queryParams:[]"},
		{"manage", "POST", "shop/webhooks", hook(""), 409, "code:conflict"},
		{"manage", "POST", "shop/webhooks", `{"id":"a","url":"x"}`, 422, "code:invalid_request message:url: want an http"},
		{"manage", "POST", "shop/webhooks", `{"id":"","url":"http://x/"}`, 422, "message:id: "},
		{"manage", "POST", "shop/webhooks", `{`, 422, "code:invalid_request"},
		{"manage", "POST", "shop/webhooks", ``, 422, "code:invalid_request"},
		{"manage", "POST", "none/webhooks", hook(""), 404, "code:unknown_webhook"},
		{"other", "POST", "shop/webhooks", hook(""), 404, "code:unknown_webhook"},
		{"ingest", "POST", "shop/webhooks", hook(""), 403, "code:forbidden"},
		{"nobody", "POST", "shop/webhooks", hook(""), 401, "code:unauthorized"},
		{"manage", "GET", "shop/webhooks", "", 200, "id:send"},
		{"read", "GET", "shop/webhooks", "", 403, "code:forbidden"},
		{"other", "GET", "shop/webhooks", "", 404, "code:"},
		{"manage", "GET", "shop/webhooks/send", "", 200, "id:send"},
		{"manage", "GET", "shop/webhooks/sned", "", 404, "code:unknown_webhook"},
		{"other", "GET", "shop/webhooks/send", "", 404, "code:unknown_webhook"},
		{"other", "PUT", "shop/webhooks/send", hook(""), 404, "code:unknown_webhook"},
		{"other", "DELETE", "shop/webhooks/send", "", 404, "code:unknown_webhook"},
		{"manage", "PUT", "shop/webhooks/send", hook(`,"timeout_ms":1000`), 200, "timeout_ms:1000"},
		{"manage", "PUT", "shop/webhooks/late", hook(""), 422, "message:id: "},
		{"manage", "PUT", "shop/webhooks/late", `{"url":"` + p.target + `/503"}`, 201, "id:late method:POST"},
		{"manage", "PUT", "shop/webhooks/send", hook(`,"next":[{"id":"late","when":"always"}]`), 200, "next:[map[id:late when:always]]"},
		{"manage", "PUT", "shop/webhooks/send", hook(`,"next":[{"id":"late","wen":"always"}]`), 422, `did you mean "when"`},
		{"ingest", "POST", "shop/webhooks/send/trigger", `{"data":{"a":1},"headers":{},"queryParams":null}`, 200, "data:map[path:/200] error:false"},
		{"ingest", "POST", "shop/webhooks/send/trigger", ``, 200, "error:false"},
		{"manage", "POST", "shop/webhooks/late/trigger", `{"data":"x"}`, 200, "data:map[path:/503] error:true"},
		{"ingest", "POST", "shop/webhooks/send/trigger", `{"queryParams":{"a":1}}`, 422, "message:queryParams.a: "},
		{"ingest", "POST", "shop/webhooks/send/trigger", `{"data":7}`, 422, "message:data: "},
		{"ingest", "POST", "shop/webhooks/send/trigger", `{"headers":[]}`, 422, "code:invalid_request"},
		{"ingest", "POST", "shop/webhooks/send/trigger", `{"date":{}}`, 422, `did you mean "data"`},
		{"ingest", "POST", "shop/webhooks/send/trigger", `[]`, 422, "code:invalid_request"},
		{"ingest", "POST", "shop/webhooks/none/trigger", ``, 404, `code:unknown_webhook message:there is no webhook "none"`},
		{"other", "POST", "shop/webhooks/send/trigger", ``, 404, `code:unknown_webhook message:there is no webhook "send"`},
		{"ingest", "POST", "none/webhooks/send/trigger", ``, 404, `code:unknown_webhook message:there is no webhook "send"`},
		{"read", "POST", "shop/webhooks/send/trigger", ``, 403, "code:forbidden"},
		{"read", "GET", "shop/audits", "", 200, "caller:token:manage"},
		{"read", "GET", "shop/audits?limit=1", "", 200, "next:"},
		{"read", "GET", "shop/audits?limit=x", "", 422, "message:limit: "},
		{"read", "GET", "other/audits", "", 404, "code:"},
		{"ingest", "GET", "shop/audits", "", 403, "code:forbidden"},
		{"other", "GET", "other/audits", "", 200, "audits:[]"},
		{"manage", "DELETE", "shop/webhooks/late", "", 409, "code:conflict"},
		{"manage", "DELETE", "shop/webhooks/send", "", 200, "map[]"},
		{"manage", "DELETE", "shop/webhooks/send", "", 404, "code:unknown_webhook"},
		{"manage", "PATCH", "shop/webhooks/late", "{}", 404, "code:not_found"},
		{"manage", "GET", "shop/", "", 404, "code:not_found"},
		{"manage", "POST", "shop/webhooks", strings.Repeat(" ", 26<<20), 413, "code:invalid_request"},
	} {
		status, answer := p.ask(tt.as, tt.method, tt.path, tt.body)
		if got := fmt.Sprint(answer); status != tt.status || !strings.Contains(got, tt.want) {
			t.Errorf("%s: %s %s %.200s answered %d %s, want %d with %s", tt.as, tt.method, tt.path, tt.body, status, got, tt.status, tt.want)
		}
	}
}

// TestModule: who has the address has the module.
func TestModule(t *testing.T) {
	p := newPlatform(t)
	r := httptest.NewRequest("GET", "http://localhost/coviu/v1/coviu.mjs", nil)
	r.Header.Set("Authorization", "Bearer "+p.tokens["ingest"])
	w := httptest.NewRecorder()
	p.h.ServeHTTP(w, r)
	if w.Code != 200 || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/javascript") || !strings.Contains(w.Body.String(), "export function connect(") {
		t.Errorf("answered %d %v %s", w.Code, w.Header(), w.Body)
	}
}

// FuzzTrigger: whatever a plugin sends, it is told in JSON, and it is never the
// service's fault.
func FuzzTrigger(f *testing.F) {
	for _, body := range []string{``, `{}`, `{"data":"x"}`, `{"data":{"a":[1]},"headers":{"X-A":"b"},"queryParams":{"p":1}}`, `{"data":null,"headers":null}`, `{"headers":{"x-a":"\r\n"}}`, `[`} {
		f.Add(body)
	}
	p := newPlatform(f)
	p.ask("manage", "PUT", "shop/webhooks/send", `{"url":"`+p.target+`/200","headers":{"X-A":""},"queryParams":["p"]}`)
	f.Fuzz(func(t *testing.T, body string) {
		of := *p
		of.t = t
		if status, answer := of.ask("ingest", "POST", "shop/webhooks/send/trigger", body); status >= 500 {
			t.Errorf("%q is answered %d %v", body, status, answer)
		}
	})
}

// FuzzRegistration: whatever is registered is refused as what it is, or can be
// read again.
func FuzzRegistration(f *testing.F) {
	for _, body := range []string{`{}`, `{"url":"http://127.0.0.1:9/"}`, `{"url":"http://a/","method":"get","headers":{"A":""},"queryParams":["a"],"payload_encoding":"base64","next":[{"id":"send"}],"hidden":true}`, `null`} {
		f.Add(body)
	}
	p := newPlatform(f)
	f.Fuzz(func(t *testing.T, body string) {
		of := *p
		of.t = t
		status, answer := of.ask("manage", "PUT", "shop/webhooks/send", body)
		if status >= 500 {
			t.Fatalf("%q is answered %d %v", body, status, answer)
		}
		if status > 299 {
			return
		}
		again, err := json.Marshal(answer)
		if err != nil {
			t.Fatal(err)
		}
		if status, same := of.ask("manage", "PUT", "shop/webhooks/send", string(again)); status != 200 || fmt.Sprint(same) != fmt.Sprint(answer) {
			t.Errorf("%s, as it was read, is answered %d %v", again, status, same)
		}
	})
}
