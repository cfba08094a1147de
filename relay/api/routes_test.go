package api_test

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/relay/api"
)

// call asks and wants a status, and returns the answer decoded. All that is
// asked and answered is held against the document.
func (w *witness) call(t testing.TB, status int, method, target, body string, headers ...string) map[string]any {
	t.Helper()
	got := ask(w, method, "/api/v1"+target, body, headers...)
	if got.Code != status {
		t.Fatalf("%s %s %s answered %d %s, want %d", method, target, body, got.Code, got.Body, status)
	}
	var v map[string]any
	if strings.Contains(got.Header().Get("Content-Type"), "json") {
		if err := json.Unmarshal(got.Body.Bytes(), &v); err != nil {
			t.Fatal(err)
		}
	}
	return v
}

// TestEveryRoute goes through all operations of the document, and what they
// answer is as it says.
func TestEveryRoute(t *testing.T) {
	o := owned(t)
	w := watched(t, o.server.Handler())
	call := func(status int, method, target, body string, headers ...string) map[string]any {
		t.Helper()
		return w.call(t, status, method, target, body, headers...)
	}
	count := func(v map[string]any, want int) {
		t.Helper()
		if list, ok := v["data"].([]any); !ok || len(list) != want {
			t.Errorf("a list of %d, want %d: %v", len(list), want, v)
		}
	}
	url := func(path string) string { return `{"url":"` + o.app.URL + path + `"}` }

	made := call(201, "POST", "/apps", `{"slug":"shop","name":"Shop","answer":{"status":200,"headers":{"X-A":"b"},"body":"ok"}}`)
	call(409, "POST", "/apps", `{"slug":"shop"}`)
	call(422, "POST", "/apps", ``)
	count(call(200, "GET", "/apps", ""), 2)
	if read := call(200, "GET", "/apps/shop", ""); read["signing_secret"] == made["signing_secret"] || !strings.HasPrefix(read["signing_secret"].(string), "whsec_****") {
		t.Errorf("the secret is %v when made and %v when read", made["signing_secret"], read["signing_secret"])
	}
	call(200, "PATCH", "/apps/shop", `{"description":"d","answer":null}`)
	call(422, "PATCH", "/apps/shop", `{"slug":"other"}`)
	call(422, "PATCH", "/apps/shop", `[1]`)
	call(400, "PATCH", "/apps/shop", `{`)
	call(200, "POST", "/apps/shop/rotate-secret", "")
	call(200, "POST", "/apps/shop/rotate-ingest-key", `{"overlap_seconds":60}`)
	call(422, "POST", "/apps/shop/rotate-secret", `{"overlap_seconds":-1}`)
	call(404, "GET", "/apps/none", "")

	up := call(201, "POST", "/apps/shop/endpoints", url("/up"))
	down := call(201, "POST", "/endpoints", `{"app":"shop","url":"`+o.app.URL+`/down","retry":{"preset":"none"},"subscriptions":[{"type":"order.*"}],
		"headers":{"Authorization":"Bearer abcdefghijklmnop"},"metadata":{"a":1},"rate_limit":{"max":1000},"timeout_ms":1500.5}`)
	other := call(201, "POST", "/endpoints", url("/other"))
	if other["app"] != "default" || !strings.HasPrefix(other["secret"].(string), "whsec_") {
		t.Errorf("made %v, want it in the default app with its secret", other)
	}
	call(409, "POST", "/endpoints", url("/other"))
	call(422, "POST", "/endpoints", `{"url":"x://y"}`)
	call(400, "POST", "/endpoints", `{"ulr":"http://localhost"}`)
	call(404, "POST", "/endpoints", `{"app":"none","url":"http://localhost"}`)
	count(call(200, "GET", "/endpoints", ""), 3)
	page := call(200, "GET", "/endpoints?limit=2", "")
	count(call(200, "GET", "/endpoints?cursor="+page["next_cursor"].(string), ""), 1)
	count(call(200, "GET", "/apps/shop/endpoints", ""), 2)
	call(404, "GET", "/apps/none/endpoints", "")
	at := func(e map[string]any, below string) string { return "/endpoints/" + e["id"].(string) + below }
	if read := call(200, "GET", at(down, ""), ""); strings.Contains(fmt.Sprint(read), "abcdefgh") {
		t.Errorf("what is read tells the header: %v", read)
	}
	call(200, "PATCH", at(other, ""), `{"description":"d","status":"disabled","disabled_reason":"a pause"}`)
	call(422, "PATCH", at(other, ""), `{"description":"e","status":"deleted"}`)
	if read := call(200, "GET", at(other, ""), ""); read["description"] != "d" || read["status"] != "disabled" || read["disabled_reason"] != "a pause" {
		t.Errorf("patched with its status: %v", read)
	}
	call(200, "POST", at(other, "/enable"), "")
	call(200, "POST", at(other, "/disable"), "")
	call(200, "POST", at(other, "/reactivate"), "")
	call(200, "POST", at(other, "/rotate-secret"), `{"overlap_seconds":0}`)
	call(400, "POST", at(other, "/disable"), `{"reasn":"x"}`)
	call(200, "POST", at(up, "/test"), "")
	if a := call(200, "POST", at(down, "/test"), `{"type":"x","data":[1]}`); a["status"] != "failed" || a["event_type"] != "x" || a["response"] == nil {
		t.Errorf("tested what is down: %v", a)
	}

	fresh := call(201, "POST", "/apps/shop/events", `{"type":"order.created","data":{"a": 1}}`, "Idempotency-Key: k")
	again := call(200, "POST", "/apps/shop/events", `{"event_type":"order.created","data":{"a": 1},"idempotency_key":"k"}`)
	call(409, "POST", "/apps/shop/events", `{"type":"order.paid"}`, "Idempotency-Key: k")
	if fresh["id"] != again["id"] {
		t.Errorf("the same key made %v and %v", fresh["id"], again["id"])
	}
	if res := ask(w, "POST", "/api/v1/apps/shop/events", `{"type":"a"}`); res.Header().Get("Location") == "" {
		t.Error("what was made has no Location")
	}
	call(422, "POST", "/apps/shop/events", `{"type":"a","event_type":"b"}`)
	call(422, "POST", "/apps/shop/events", `{"type":"a","idempotency_key":"a"}`, "Idempotency-Key: b")
	call(422, "POST", "/apps/shop/events", `{"type":""}`)
	call(404, "POST", "/apps/none/events", `{"type":"a"}`)
	count(call(200, "GET", "/apps/shop/events", ""), 4)
	call(404, "GET", "/apps/none/events", "")
	event := "/events/" + fresh["id"].(string)
	count(call(200, "GET", event+"/endpoints", ""), 2)
	call(200, "GET", "/events?filter=type:order.created", "")
	call(200, "GET", event, "")
	call(200, "GET", event+"/body", "")
	call(200, "HEAD", event+"/body", "")
	call(204, "PUT", event+"/pin", "")
	call(409, "DELETE", event, "")
	call(204, "DELETE", event+"/pin", "")

	sent := call(202, "POST", event+"/replay", `{"endpoint_id":"`+down["id"].(string)+`"}`)
	count(sent, 1)
	attempt := "/attempts/" + sent["data"].([]any)[0].(map[string]any)["id"].(string)
	for deadline := time.Now().Add(patience); call(200, "GET", attempt, "")["status"] == "pending"; {
		if time.Now().After(deadline) {
			t.Fatal("the attempt is not made")
		}
	}
	count(call(202, "POST", attempt+"/retry", ""), 1)
	call(404, "POST", "/attempts/"+string(capture.NewID(capture.AttemptID))+"/retry", "")
	call(200, "GET", "/attempts?status=failed&endpoint="+down["id"].(string), "")
	call(200, "GET", "/attempts?order=due&event="+fresh["id"].(string), "")
	call(422, "GET", "/attempts?status=faild", "")
	call(404, "GET", "/attempts?event="+string(capture.NewID(capture.EventID)), "")
	call(200, "GET", at(down, "/attempts?limit=1"), "")
	if stats := call(200, "GET", at(down, "/stats?since=2h"), ""); stats["attempts"].(float64) < 2 {
		t.Errorf("stats %v", stats)
	}
	call(422, "GET", "/stats?since=yesterday", "")
	call(400, "GET", "/stats?endpoint=x", "")
	call(200, "GET", "/stats?app=shop&since=7d&until=2100-01-01T00:00:00Z", "")
	call(200, "GET", "/timeseries?interval=minute", "")
	call(422, "GET", "/timeseries?interval=moment", "")

	token := call(201, "POST", "/tokens", `{"name":"ci","scope":"read","expires_at":"2100-01-01T00:00:00Z"}`)
	if !strings.HasPrefix(token["token"].(string), "htk_") {
		t.Errorf("the token is %v", token)
	}
	call(422, "POST", "/tokens", `{"name":"ci"}`)
	if all := call(200, "GET", "/tokens", ""); strings.Contains(fmt.Sprint(all), token["token"].(string)) {
		t.Errorf("the list tells the token: %v", all)
	}
	call(204, "DELETE", "/tokens/"+token["id"].(string), "")
	call(404, "DELETE", "/tokens/"+string(capture.NewID(capture.TokenID)), "")

	count(call(200, "GET", "/types?app=discord", ""), len(must[[]capture.EventType](t)(o.registry.Types(t.Context(), "discord"))))
	kind := call(201, "POST", "/types", `{"tag":"shop:order/paid","name":"Paid","provider":"stripe","sample":{"headers":{"X-A":"{{hex 8}}"},"body":{"id":"{{uuid}}","n":1}},"schema":{"type":"object"}}`)
	call(409, "POST", "/types", `{"tag":"shop:order/paid"}`)
	made = call(201, "POST", "/types", `{"tag":"shop:made","sample":{"body":null},"schema":{"type":"object","required":["kind"],"properties":{"kind":{"enum":["{{paid}}"]}}}}`)
	if body := fmt.Sprint(made["sample"].(map[string]any)["body"]); body != "map[kind:{{'{{'}}paid}}]" {
		t.Errorf("by the schema is made %s", body)
	}
	call(422, "POST", "/types", `{"tag":"shop:odd","schema":{"type":"odd"}}`)
	call(422, "POST", "/types", `{"tag":"shop"}`)
	call(422, "POST", "/types", `{"tag":"shop:x","sample":{"body":{"a":"{{nope}}"}}}`)
	call(422, "POST", "/types", `{"tag":"shop:x","sample":{"path":"/a\r\nX: y"}}`)
	call(422, "POST", "/types", `{"tag":"shop:x","sample":{"method":"GET IT"}}`)
	call(201, "POST", "/types", `{"tag":"shop:copied","from":"`+fresh["id"].(string)+`"}`)
	if again := call(200, "GET", "/types/shop:order%2Fpaid", ""); again["tag"] != kind["tag"] || again["name"] != "Paid" {
		t.Errorf("the type is %v", again)
	}
	call(200, "PATCH", "/types/shop:order%2Fpaid", `{"name":"Paid at last","sample":{"body":{"n":2,"m":null,"amount":1}}}`)
	call(409, "PATCH", "/types/github:push", `{"name":"x"}`)
	call(404, "GET", "/types/shop:nothing", "")
	fired := call(201, "POST", "/apps/shop/trigger", `{"type":"shop:order/paid","count":2,"seed":7,"set":[{"pointer":"/n","value":5}],"headers":[["X-B","c"]]}`)
	if events := fired["events"].([]any); len(events) != 2 || events[0].(map[string]any)["signature"].(map[string]any)["verdict"] != "valid" {
		t.Errorf("fired %v", fired)
	}
	call(422, "POST", "/apps/shop/trigger", `{"type":"shop:order/paid","set":[{"pointer":"/amuont","value":5}]}`)
	call(422, "POST", "/apps/shop/trigger", `{"type":"shop:order/paid","count":5000}`)
	call(404, "POST", "/apps/shop/trigger", `{"type":"shop:none"}`)
	call(204, "DELETE", "/types/shop:copied", "")
	call(409, "DELETE", "/types/github:push", "")

	if made := call(201, "POST", "/catalogs", `{"slug":"shop","name":"Shop"}`); len(made["types"].([]any)) != 2 { // what is tagged so already
		t.Errorf("made the catalog %v", made)
	}
	call(409, "POST", "/catalogs", `{"slug":"shop"}`)
	call(422, "POST", "/catalogs", `{"slug":"Shop"}`)
	call(200, "PATCH", "/types/shop:made", `{"group":"orders","archived":true}`)
	count(call(200, "GET", "/catalogs", ""), 1)
	call(200, "PATCH", "/catalogs/shop", `{"description":"d"}`)
	call(404, "PATCH", "/catalogs/none", `{"description":"d"}`)
	if row := call(200, "GET", "/catalogs/shop", ""); row["description"] != "d" || row["name"] != "Shop" || row["types"].([]any)[0].(map[string]any)["archived"] != true {
		t.Errorf("the catalog is %v", row)
	}
	call(404, "GET", "/catalogs/none", "")
	call(422, "PATCH", "/apps/shop", `{"catalog":"none"}`)
	call(200, "PATCH", "/apps/shop", `{"catalog":"shop","notify":["ada@example.com"]}`)
	call(422, "PATCH", "/apps/shop", `{"notify":["ada"]}`)
	call(409, "DELETE", "/catalogs/shop", "")
	call(200, "PATCH", "/apps/shop", `{"catalog":null}`)
	call(204, "DELETE", "/catalogs/shop", "")
	call(404, "DELETE", "/catalogs/shop", "")
	call(200, "GET", "/types/shop:made", "")

	once := call(201, "POST", "/rules", `{"name":"first","match":"type:push","mock":{"status":204}}`)
	then := call(201, "POST", "/rules", `{"name":"slow","app":"shop","on":"delivery","probability":0.5,"times":3,"scenario":{"name":"s","when":"started","then":"b"},
		"fault":{"kind":"timeout","delay":{"median_ms":100,"sigma":0.4,"max_ms":900}},"send":true}`)
	call(422, "POST", "/rules", `{"name":"both","mock":{},"fault":{"kind":"reset"}}`)
	call(422, "POST", "/rules", `{"match":"typ:push","pass":true}`)
	call(422, "POST", "/rules", `{"app":"none","pass":true}`)
	count(call(200, "GET", "/rules", ""), 2)
	count(call(200, "GET", "/rules?app=shop", ""), 1)
	rule := "/rules/" + then["id"].(string)
	if moved := call(200, "POST", rule+"/move", `{"place":1}`); moved["place"] != 1.0 {
		t.Errorf("moved %v", moved)
	}
	if all := call(200, "GET", "/rules", "")["data"].([]any); all[0].(map[string]any)["name"] != "slow" {
		t.Errorf("in the order %v", all)
	}
	call(200, "PATCH", rule, `{"disabled":true,"fault":null,"mock":{"sequence":[{"status":500},{"body":"{{event.id}}"}],"cycle":true}}`)
	call(422, "PATCH", rule, `{"fault":{"kind":"slow"}}`)
	call(200, "GET", rule, "")
	call(204, "POST", rule+"/reset", "")
	call(204, "POST", "/rules/reset", "")
	count(call(200, "GET", event+"/rules", ""), 2)
	call(204, "DELETE", rule, "")
	call(404, "DELETE", rule, "")
	call(404, "GET", "/rules/"+string(capture.NewID(capture.RuleID)), "")
	call(200, "GET", "/rules/"+once["id"].(string), "")

	call(201, "POST", "/triggers", `{"app":"shop","name":"after","hidden":true,"url":"`+o.app.URL+`/after"}`)
	trigger := "/triggers/" + call(201, "POST", "/triggers", `{"app":"shop","name":"send","url":"`+o.app.URL+`/hidden?key=abcdefgh","method":"PUT",
		"headers":{"Authorization":"Bearer abcdefghijklmnop","X-Slot":""},"query_params":["page"],"next":[{"trigger":"after","when":"always","map":{"a":"/status"}}],"timeout_ms":5000}`)["id"].(string)
	call(409, "POST", "/triggers", `{"app":"shop","name":"send","url":"`+o.app.URL+`"}`)
	call(422, "POST", "/triggers", `{"app":"shop","name":"s","url":"x://y"}`)
	call(404, "POST", "/triggers", `{"app":"none","name":"s","url":"`+o.app.URL+`"}`)
	count(call(200, "GET", "/triggers", ""), 2)
	count(call(200, "GET", "/triggers?app=shop", ""), 2)
	if read := fmt.Sprint(call(200, "GET", trigger, "")); strings.Contains(read, "abcdefgh") || strings.Contains(read, "/hidden") {
		t.Errorf("a trigger is read as %s", read)
	}
	call(200, "PATCH", trigger, `{"query_params":null,"description":"d"}`)
	call(422, "PATCH", trigger, `{"next":[{"trigger":"send"}]}`)
	if out := call(200, "POST", trigger+"/fire", `{"data":{"a":1},"headers":{"x-slot":"v"}}`); out["status"] != 200.0 || out["error"] != false || fmt.Sprint(out["data"]) != "map[]" {
		t.Errorf("fired: %v", out)
	}
	call(422, "POST", trigger+"/fire", `{"data":[1]}`)
	call(200, "POST", trigger+"/fire", "")
	call(204, "DELETE", trigger, "")
	call(404, "DELETE", trigger, "")

	if x := call(200, "POST", event+"/verify", `{"at":"now"}`); x["verdict"] != "unsigned" {
		t.Errorf("the verdict is %v", x)
	}
	signed := "/events/" + fired["events"].([]any)[0].(map[string]any)["id"].(string)
	if x := call(200, "POST", signed+"/verify", `{"secret":"whsec_another"}`); x["verdict"] != "invalid" || len(x["steps"].([]any)) == 0 {
		t.Errorf("the verdict is %v", x)
	}
	call(422, "POST", signed+"/verify", `{"at":"noon"}`)
	call(202, "POST", signed+"/replay", `{"as":"new","endpoint_id":"`+up["id"].(string)+`"}`)
	call(422, "POST", event+"/replay", `{"as":"new"}`)
	call(422, "POST", event+"/replay", `{"as":"old"}`)
	if j := call(200, "POST", attempt+"/judge", ""); j["asked"] != false {
		t.Errorf("judged %v", j)
	}

	delivered := call(200, "GET", "/deliveries?app=shop&status=failed&status=succeeded&since=1h&limit=2", "")
	count(delivered, 2)
	count(call(200, "GET", "/deliveries?limit=1&cursor="+delivered["next_cursor"].(string), ""), 1)
	call(422, "GET", "/deliveries?since=x", "")
	call(422, "GET", "/deliveries?status=succeded", "")
	call(400, "GET", "/deliveries?endpoint=x", "")
	delivery := delivered["data"].([]any)[0].(map[string]any)["id"].(string)
	call(200, "GET", "/deliveries/"+delivery, "")
	replay := "/replays/" + call(202, "POST", "/apps/shop/replays", `{"deliveries":["`+delivery+`"]}`)["id"].(string)
	call(422, "POST", "/apps/shop/replays", `{}`)
	call(404, "POST", "/apps/none/replays", `{}`)
	call(200, "GET", replay, "")
	call(200, "POST", replay+"/cancel", "")
	count(call(200, "GET", "/apps/shop/replays", ""), 1)
	listener, err := o.store.EditListener(t.Context(), capture.NewID(capture.ListenerID), func(l *capture.Listener, _ bool) error {
		l.App, l.Name, l.Only, l.Created, l.Seen = "shop", "ada@laptop", "type:push", time.Now(), time.Now()
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	call(200, "GET", "/listeners?app=shop", "")
	call(204, "DELETE", "/listeners/"+string(listener.ID), "")
	call(404, "DELETE", "/listeners/"+string(listener.ID), "")
	keep(t, o.store, &capture.Change{Gap: &capture.Gap{From: time.Now(), To: time.Now(), App: "shop", Missed: 12, CatchUp: "last=3", Relay: "https://relay.example"}})
	count(call(200, "GET", "/gaps?app=shop", ""), 1)
	count(call(200, "GET", "/gaps?app=default", ""), 0)

	if gone := call(200, "DELETE", at(other, "?reason=moved"), ""); gone["status"] != "deleted" || gone["disabled_reason"] != "moved" {
		t.Errorf("deleted %v", gone)
	}
	call(204, "DELETE", event, "")
	call(204, "DELETE", "/apps/shop", "")
	call(404, "DELETE", "/apps/shop0", "")
	call(200, "GET", "/status", "")
	call(200, "GET", "/whoami", "")
	call(200, "GET", "/openapi.json", "")
	for _, path := range []string{"/openapi.json", "/healthz", "/readyz", "/metrics", "/version"} {
		if got := ask(w, "GET", path, ""); got.Code != 200 {
			t.Errorf("%s answered %d", path, got.Code)
		}
	}

	srv := httptest.NewServer(w)
	c := api.DialURL(srv.URL, "")
	live(t, c, 0, "", "").cancel()
	t.Cleanup(func() {
		c.Close()
		srv.Close()
	})

	if missed := w.missed(); len(missed) > 0 {
		t.Errorf("nothing answered as these do:\n%s", strings.Join(missed, "\n"))
	}
}

// A body over the limit is refused, and the limit is wider for events.
func TestLimits(t *testing.T) {
	o := owned(t)
	o.server.MaxBody = 3 << 20
	w := watched(t, o.server.Handler())
	big := `"` + strings.Repeat("x", 2<<20) + `"`
	w.call(t, 201, "POST", "/apps/default/events", `{"type":"a","data":`+big+`}`)
	w.call(t, 413, "POST", "/apps/default/events", `{"type":"a","data":[`+big+`,`+big+`]}`)
	w.call(t, 413, "POST", "/apps", `{"slug":"a","description":`+big+`}`)
}
