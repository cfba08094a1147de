package wacht_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/relay/api/wacht"
)

func TestEndpointsAreRefused(t *testing.T) {
	g := newRig(t, wacht.Options{}).shop()
	g.ok("POST", "/webhooks/apps", `{"name":"Bare","app_slug":"bare"}`)
	id := g.ok("POST", "/webhooks/apps/shop/endpoints", `{"url":"http://localhost:1/first","subscriptions":[{"event_name":"invoice.paid"}]}`)["id"].(string)
	const paid = `[{"event_name":"invoice.paid"}]`
	withURL := func(url string) string { return fmt.Sprintf(`{"url":%q,"subscriptions":%s}`, url, paid) }
	with := func(more string) string { return `{"url":"http://localhost:1/x",` + more + `}` }
	rules := func(rules string) string {
		return with(`"subscriptions":[{"event_name":"invoice.paid","filter_rules":` + rules + `}]`)
	}
	for _, tt := range []struct {
		body   string
		status int
		begins string
	}{
		{withURL("ftp://example.com/"), 400, "Invalid webhook URL: want an http or https URL"},
		{withURL("plum"), 400, "Invalid webhook URL: "},
		{withURL("https://u:p@example.com/"), 400, "Invalid webhook URL: want one without a user"},
		{withURL("http://10.0.0.1/"), 400, "Invalid webhook URL: 10.0.0.1 is"},
		{withURL("http://0.0.0.0/"), 400, "Invalid webhook URL: 0.0.0.0 is"},
		{withURL("http://169.254.169.254/latest"), 400, "Invalid webhook URL: "},
		{withURL("http://metadata.google.internal/"), 400, "Invalid webhook URL: "},
		{withURL("http://[ff02::1]/"), 400, "Invalid webhook URL: "},
		{withURL("http://192.0.2.7/"), 400, "Invalid webhook URL: "},
		{`{"subscriptions":` + paid + `}`, 422, "Invalid request payload: missing field url"},
		{`{"url":"http://localhost:1/x"}`, 422, "Invalid request payload: missing field subscriptions"},
		{with(`"subscriptions":[]`), 400, "At least one subscription is required"},
		{with(`"subscriptions":{}`), 422, "Invalid request payload: subscriptions"},
		{with(`"subscriptions":[{"event_name":" "}]`), 400, "subscriptions[0].event_name is blank"},
		{with(`"subscriptions":[{"event_name":"invoice.paid"},{"event_name":"x"}]`), 400, "Unknown event 'x' for app 'shop'"},
		{with(`"subscriptions":[{"event_name":"invoice.*"}]`), 400, "Unknown event 'invoice.*' for app 'shop'"},
		{with(`"subscriptions":[{"event_name":"invoice.old"}]`), 400, "Event 'invoice.old' is archived and cannot be subscribed"},
		{with(`"max_retries":0,"subscriptions":` + paid), 400, "max_retries is 0: want 1 to 32"},
		{with(`"max_retries":33,"subscriptions":` + paid), 400, "max_retries is 33: want 1 to 32"},
		{with(`"timeout_seconds":-1,"subscriptions":` + paid), 400, "timeout_seconds is -1"},
		{with(`"timeout_seconds":9223372036854775807,"subscriptions":` + paid), 400, "timeout_seconds is"},
		{with(`"rate_limit_config":{"duration_ms":0,"max_requests":1},"subscriptions":` + paid), 400, "rate_limit_config.duration_ms is 0"},
		{with(`"rate_limit_config":{"duration_ms":9223372036854775807,"max_requests":1},"subscriptions":` + paid), 400, "rate_limit_config.duration_ms is"},
		{with(`"rate_limit_config":{"duration_ms":1000,"max_requests":0},"subscriptions":` + paid), 400, "rate_limit_config.max_requests"},
		{with(`"headers":{"Content-Length":"1"},"subscriptions":` + paid), 400, "headers"},
		{with(`"headers":{"A":1},"subscriptions":` + paid), 422, "Invalid request payload: headers"},
		{rules(`[]`), 400, "subscriptions[0].filter_rules: it is an empty array"},
		{rules(`"x"`), 400, "subscriptions[0].filter_rules: it is a string"},
		{rules(`{"amount":{"$almost":1}}`), 400, "subscriptions[0].filter_rules.amount.$almost"},
		{rules(`{"amount":{"$in":1}}`), 400, "subscriptions[0].filter_rules.amount.$in"},
		{rules(`{"amount":{"$exists":1}}`), 400, "subscriptions[0].filter_rules.amount.$exists"},
		{rules(`{"$and":[]}`), 400, "subscriptions[0].filter_rules.$and"},
		{rules(`{"$or":[{"amount":1},7]}`), 400, "subscriptions[0].filter_rules.$or[1]"},
		{rules(`{"plum":1}`), 400, "subscriptions[0].filter_rules.plum: unknown filter field"},
		{rules(`{"$or":[{"amount":1},{"customer.name":"x"}]}`), 400, "subscriptions[0].filter_rules.customer.name: unknown filter field"},
	} {
		g.refused("POST", "/webhooks/apps/shop/endpoints", tt.body, tt.status, tt.begins)
		if !strings.Contains(tt.begins, "missing field") {
			g.refused("PATCH", "/webhooks/apps/shop/endpoints/"+id, tt.body, tt.status, tt.begins)
		}
	}
	g.refused("POST", "/webhooks/apps/none/endpoints", withURL("http://localhost:1/"), 404, "Webhook app not found")
	g.refused("POST", "/webhooks/apps/bare/endpoints", withURL("http://localhost:1/"), 400, "Unknown event 'invoice.paid' for app 'bare'")
	g.refused("PATCH", "/webhooks/apps/bare/endpoints/"+id, `{}`, 404, "Webhook endpoint not found")
	g.refused("DELETE", "/webhooks/apps/bare/endpoints/"+id, ``, 404, "Webhook endpoint not found")
	if left := g.ok("GET", "/webhooks/apps/shop/endpoints", "")["data"].([]any); len(left) != 1 || left[0].(object)["url"] != "http://localhost:1/first" {
		t.Errorf("what was refused left %v", left)
	}

	open := newRig(t, wacht.Options{OpenCatalog: true})
	open.ok("POST", "/webhooks/apps", `{"name":"Bare","app_slug":"bare"}`)
	open.ok("POST", "/webhooks/apps/bare/endpoints", `{"url":"http://localhost:1/","subscriptions":[{"event_name":"any.thing","filter_rules":{"plum":1}}]}`)
}

func TestEndpoints(t *testing.T) {
	g := newRig(t, wacht.Options{}).shop()
	const all = "/webhooks/apps/shop/endpoints"
	first := g.ok("POST", all, `{"url":"http://localhost:1/a","app_slug":"shop","subscriptions":[{"event_name":"invoice.voided"},{"event_name":"invoice.paid","filter_rules":{"amount":{"$gt":1}}}]}`)
	id, at := first["id"].(string), first["created_at"].(string)
	same(t, first, fmt.Sprintf(`{"id":%q,"deployment_id":"1","app_slug":"shop","url":"http://localhost:1/a","description":null,"headers":{},"is_active":true,"max_retries":32,"timeout_seconds":30,
		"failure_count":0,"last_failure_at":null,"auto_disabled":false,"auto_disabled_at":null,"rate_limit_config":null,"created_at":%q,"updated_at":%q,
		"subscriptions":[{"event_name":"invoice.paid","filter_rules":{"amount":{"$gt":1}}},{"event_name":"invoice.voided","filter_rules":{}}]}`, id, at, at))
	row, err := g.registry.Endpoint(t.Context(), capture.ID(id))
	if err != nil {
		t.Fatal(err)
	}
	if s, err := row.Retry.Schedule(); err != nil || s.Daily != 10 || s.Attempts != 32 || row.Format != capture.FormatWacht {
		t.Errorf("it is of the format %q and the schedule %+v (%v), want Wacht's", row.Format, s, err)
	}

	changed := g.ok("PATCH", all+"/"+id, `{"url":"http://localhost:1/b","description":"Books","headers":{"X-A":"1","Authorization":"Bearer plum"},"max_retries":3,"timeout_seconds":5,
		"rate_limit_config":{"duration_ms":2000,"max_requests":7},"subscriptions":[{"event_name":"invoice.voided","filter_rules":null}],"is_active":false}`)
	same(t, changed["subscriptions"], `[{"event_name":"invoice.voided","filter_rules":{}}]`)
	same(t, changed["rate_limit_config"], `{"duration_ms":2000,"max_requests":7}`)
	if changed["url"] != "http://localhost:1/b" || changed["description"] != "Books" || changed["max_retries"] != 3.0 || changed["timeout_seconds"] != 5.0 || changed["is_active"] != false || changed["auto_disabled"] != false {
		t.Errorf("changed to %v", changed)
	}
	if h := changed["headers"].(object); h["X-A"] != "1" || strings.Contains(h["Authorization"].(string), "plum") {
		t.Errorf("got the headers %v, want the credential masked", h)
	}
	kept := g.ok("PATCH", all+"/"+id, `{"url":null,"rate_limit_config":null,"headers":null,"subscriptions":null,"max_retries":null}`)
	changed["updated_at"] = kept["updated_at"]
	if fmt.Sprint(kept) != fmt.Sprint(changed) {
		t.Errorf("null changed\n%v to\n%v", changed, kept)
	}
	replaced := g.ok("PATCH", all+"/"+id, fmt.Sprintf(`{"headers":{"X-B":"2","Authorization":%q},"is_active":true}`, kept["headers"].(object)["Authorization"]))
	if h := replaced["headers"].(object); len(h) != 2 || h["X-B"] != "2" || replaced["is_active"] != true {
		t.Errorf("the headers became %v of %v", h, replaced)
	}

	twice := g.ok("POST", all, `{"url":"http://localhost:1/b","subscriptions":[{"event_name":"invoice.paid"}]}`)["id"].(string)
	if twice == id {
		t.Error("a second endpoint of a URL is the first one")
	}
	g.ok("PATCH", all+"/"+twice, `{"url":"http://localhost:1/c"}`)
	g.ok("PATCH", all+"/"+twice, `{"url":"http://localhost:1/b"}`)
	g.ok("DELETE", all+"/"+twice, "")

	second := g.ok("POST", all, `{"url":"http://localhost:1/c","subscriptions":[{"event_name":"invoice.paid"}]}`)["id"].(string)
	if _, err := g.registry.CreateEndpoint(t.Context(), "shop", capture.EndpointSpec{URL: "http://localhost:1/native", Subscriptions: []capture.Subscription{{Source: "x"}}}); err != nil {
		t.Fatal(err)
	}
	g.ok("PATCH", all+"/"+second, `{"is_active":false}`)
	for query, want := range map[string]string{
		"":                                "/native /b | false 100 0 2",
		"?include_inactive=true":          "/native /c /b | false 100 0 3",
		"?include_inactive=true&limit=2":  "/native /c | true 2 0 3",
		"?include_inactive=true&offset=2": "/b | false 100 2 3",
	} {
		page, urls := g.ok("GET", all+query, ""), ""
		for _, e := range page["data"].([]any) {
			urls += strings.TrimPrefix(e.(object)["url"].(string), "http://localhost:1") + " "
		}
		if got := fmt.Sprint(urls, "| ", page["has_more"], " ", page["limit"], " ", page["offset"], " ", page["total"]); got != want {
			t.Errorf("endpoints%s: got %s, want %s", query, got, want)
		}
	}
	native := g.ok("GET", all, "")["data"].([]any)[0].(object)
	same(t, native["subscriptions"], `[{"event_name":"*","filter_rules":{}}]`)
	if native["max_retries"] != 8.0 || native["timeout_seconds"] != 15.0 {
		t.Errorf("what was made elsewhere is %v", native)
	}

	same(t, g.ok("DELETE", all+"/"+second, ""), `{}`)
	g.refused("DELETE", all+"/"+second, "", 404, "Webhook endpoint not found")
	g.refused("POST", "/webhooks/endpoints/"+second+"/reactivate", "", 404, "Webhook endpoint not found")
}

func TestTestsAndReactivation(t *testing.T) {
	g := newRig(t, wacht.Options{}).shop()
	const all = "/webhooks/apps/shop/endpoints"
	up := g.ok("POST", all, `{"url":"`+g.app+`/up","subscriptions":[{"event_name":"invoice.paid"}]}`)["id"].(string)
	down := g.ok("POST", all, `{"url":"`+g.app+`/down","subscriptions":[{"event_name":"invoice.paid"}]}`)["id"].(string)
	gone := httptest.NewServer(http.NotFoundHandler())
	away := g.ok("POST", all, `{"url":"`+gone.URL+`","subscriptions":[{"event_name":"invoice.paid"}]}`)["id"].(string)
	gone.Close()

	out := g.ok("POST", all+"/"+up+"/test", `{"event_name":"invoice.paid","payload":{"plum":1}}`)
	delete(out, "response_time_ms")
	same(t, out, `{"success":true,"status_code":200,"response_body":"thanks","error":null}`)
	if d := g.next(); !strings.Contains(d.body, `"type":"test.webhook"`) || !strings.HasSuffix(d.body, `"data":{"plum":1}}`) {
		t.Errorf("sent %s, want a test.webhook of the payload", d.body)
	}
	g.ok("PATCH", all+"/"+up, `{"is_active":false}`)
	if out := g.ok("POST", all+"/"+up+"/test", `{"event_name":"invoice.paid","payload":null}`); out["success"] != true {
		t.Errorf("a test of an inactive endpoint came to %v", out)
	}
	if d := g.next(); !strings.Contains(d.body, `"data":{"test":true,"event":"invoice.paid","timestamp":"`) {
		t.Errorf("sent %s, want the default payload", d.body)
	}
	out = g.ok("POST", all+"/"+down+"/test", `{"event_name":"invoice.paid"}`)
	if out["success"] != false || out["status_code"] != 500.0 || out["response_body"] != "thanks" || out["error"] == nil {
		t.Errorf("a test that fails came to %v", out)
	}
	out = g.ok("POST", all+"/"+away+"/test", `{"event_name":"invoice.paid"}`)
	if out["success"] != false || out["status_code"] != 0.0 || out["response_body"] != nil || out["error"] == nil {
		t.Errorf("a test that nobody answers came to %v", out)
	}

	row := func() object {
		for _, e := range g.ok("GET", all+"?include_inactive=1", "")["data"].([]any) {
			if e.(object)["id"] == down {
				return e.(object)
			}
		}
		t.Fatal("the endpoint is not listed")
		return nil
	}
	if e := row(); e["failure_count"] != 1.0 || e["last_failure_at"] == nil {
		t.Errorf("after a failure it is %v", e)
	}
	reactivate := func() {
		t.Helper()
		same(t, g.ok("POST", "/webhooks/endpoints/"+down+"/reactivate", ""), `{"success":true,"message":"Endpoint `+g.app+`/down reactivated successfully"}`)
		if e := row(); e["failure_count"] != 0.0 || e["is_active"] != true || e["auto_disabled"] != false || e["auto_disabled_at"] != nil {
			t.Errorf("reactivated it is %v", e)
		}
	}
	reactivate() // though it is active
	if err := g.registry.Disable(t.Context(), capture.ID(down), "it kept failing"); err != nil {
		t.Fatal(err)
	}
	e := row()
	if at, err := time.Parse(time.RFC3339, fmt.Sprint(e["auto_disabled_at"])); e["is_active"] != false || e["auto_disabled"] != true || err != nil || time.Since(at) > time.Minute {
		t.Errorf("disabled by the system it is %v (%v)", e, err)
	}
	reactivate()
}
