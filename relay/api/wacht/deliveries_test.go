package wacht_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/relay/api/wacht"
)

const deliveries = "/webhooks/apps/shop/deliveries"

// endpoint registers one for invoice.paid at a path of the app, which answers
// with that status there.
func (g *rig) endpoint(path string, code int, more ...string) (id string) {
	g.t.Helper()
	g.codes.Store(path, code)
	return g.ok("POST", "/webhooks/apps/shop/endpoints", `{"url":"`+g.app+path+`","subscriptions":[{"event_name":"invoice.paid"}]`+strings.Join(more, "")+`}`)["id"].(string)
}

// pay triggers invoice.paid and returns the deliveries, by endpoint.
func (g *rig) pay(payload string) map[string]object {
	g.t.Helper()
	ids := g.ok("POST", "/webhooks/apps/shop/trigger", `{"event_name":"invoice.paid","payload":`+payload+`}`)["delivery_ids"].([]any)
	by := map[string]object{}
	for _, id := range ids {
		d := g.ok("GET", deliveries+"/"+id.(string), "")
		by[d["endpoint_id"].(string)] = d
	}
	return by
}

// until asks again until the answer is as it should be.
func (g *rig) until(path string, is func(object) bool) object {
	g.t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		out := g.ok("GET", path, "")
		if is(out) {
			return out
		}
		if time.Now().After(deadline) {
			g.t.Fatalf("%s: still %v", path, out)
		}
	}
}

// tried waits until an attempt of a delivery was made.
func (g *rig) tried(id any) object {
	g.t.Helper()
	return g.until(deliveries+"/"+id.(string), func(d object) bool { return d["status"] != "pending" })
}

func rows(page object) (ids []string) {
	for _, row := range page["data"].([]any) {
		ids = append(ids, row.(object)["delivery_id"].(string))
	}
	return ids
}

func TestDeliveries(t *testing.T) {
	g := newRig(t, wacht.Options{}).shop()
	type expected struct {
		code   int
		status string
		most   int // attempts
	}
	want := map[string]expected{ // by endpoint
		g.endpoint("/fine", 204):                     {204, "success", 32},
		g.endpoint("/down", 503):                     {503, "failed", 32},
		g.endpoint("/last", 500, `,"max_retries":1`): {500, "permanently_failed", 1},
		g.endpoint("/bad", 400):                      {400, "permanently_failed", 32},
		g.endpoint("/gone", 410):                     {410, "endpoint_disabled", 32},
	}
	slow := g.endpoint("/slow", -1)
	made := g.pay(`{"amount":7}`)
	if len(made) != len(want)+1 {
		t.Fatalf("made %v, want %d deliveries", made, len(want)+1)
	}
	for endpoint, w := range want {
		first := made[endpoint]
		d := g.tried(first["delivery_id"])
		took, ok := d["response_time_ms"].(float64)
		if !ok || took < 0 {
			t.Errorf("%s: took %v", w.status, d["response_time_ms"])
		}
		headers := d["response_headers"].(object)
		if headers["date"] == nil {
			t.Errorf("%s: got the headers %v", w.status, headers)
		}
		sent := d["payload"].(object)
		if at := first["timestamp"].(string); d["timestamp"] != at || !strings.HasPrefix(sent["timestamp"].(string), at[:17]) {
			t.Errorf("%s: made at %s, then %v, and sent as of %v", w.status, at, d["timestamp"], sent["timestamp"])
		}
		body := `"thanks"`
		if w.code == 204 {
			body = `""`
		}
		delete(d, "response_time_ms")
		delete(d, "response_headers")
		same(t, d, fmt.Sprintf(`{"delivery_id":%q,"deployment_id":"1","app_slug":"shop","endpoint_id":%q,"event_name":"invoice.paid","status":%q,"http_status_code":%d,"attempt_number":1,
			"max_attempts":%d,"timestamp":%q,"response_body":%s,"payload":{"type":"invoice.paid","timestamp":%q,"data":{"amount":7}}}`,
			first["delivery_id"], endpoint, w.status, w.code, w.most, first["timestamp"], body, sent["timestamp"]))
	}
	same(t, made[slow], fmt.Sprintf(`{"delivery_id":%q,"deployment_id":"1","app_slug":"shop","endpoint_id":%q,"event_name":"invoice.paid","status":"pending","http_status_code":null,"response_time_ms":null,
		"attempt_number":0,"max_attempts":32,"timestamp":%q,"payload":{"amount":7},"response_body":null,"response_headers":null}`, made[slow]["delivery_id"], slow, made[slow]["timestamp"]))

	list := func(query string) []string {
		t.Helper()
		return rows(g.ok("GET", deliveries+"?baseUrl=junk&users=[object%20Object]&"+query, ""))
	}
	all := list("")
	if len(all) != 6 || !slices.IsSortedFunc(all, func(a, b string) int { return strings.Compare(b, a) }) {
		t.Errorf("listed %v, want all six, the newest first", all)
	}
	for query, n := range map[string]int{
		"status=success": 1, "status=failed": 1, "status=permanently_failed": 2, "status=endpoint_disabled": 1, "status=pending": 1,
		"status=filtered": 0, "status=deactivated": 0, "status=x": 0, "event_name=invoice.paid": 6, "event_name=invoice.*": 0, "event_name=": 6,
		"endpoint_id=" + slow: 1, "endpoint_id=" + slow + "&status=success": 0, "limit=0": 1, "limit=5000": 6, "offset=4": 2, "offset=6": 0,
		"until=2000-01-01T00:00:00Z": 0, "since=2000-01-01T02:00:00%2B02:00": 6, "since=2100-01-01T00:00:00.5Z": 0,
	} {
		if got := list(query); len(got) != n {
			t.Errorf("%s: listed %v, want %d", query, got, n)
		}
	}
	at := url.QueryEscape(made[slow]["timestamp"].(string))
	if got := list("since=" + at + "&until=" + at); !slices.Contains(got, made[slow]["delivery_id"].(string)) {
		t.Errorf("since and until when it was made: listed %v", got)
	}
	page := g.ok("GET", deliveries+"?limit=4&offset=1", "")
	if got := rows(page); !slices.Equal(got, all[1:5]) || page["has_more"] != true || page["limit"] != 4.0 || page["offset"] != 1.0 {
		t.Errorf("a page is %v, want %v and more", page, all[1:5])
	}
	if row := g.ok("GET", deliveries, "")["data"].([]any)[0].(object); len(row) != 11 {
		t.Errorf("a row is %v, want its eleven members", row)
	}

	pending := func(endpoint string) string {
		return deliveries + "/" + made[endpoint]["delivery_id"].(string) + "?status=pending"
	}
	if d := g.ok("GET", pending(slow), ""); d["status"] != "pending" {
		t.Errorf("pending is %v", d)
	}
	for endpoint, w := range want {
		if w.status != "failed" {
			g.refused("GET", pending(endpoint), "", 404, "Pending delivery not found")
			continue
		}
		d := g.ok("GET", pending(endpoint), "")
		if d["status"] != "pending" || d["attempt_number"] != 1.0 || d["http_status_code"] != nil {
			t.Errorf("what waits to be tried again is %v", d)
		}
		same(t, d["payload"], `{"amount":7}`)
	}

	for _, id := range []string{"dlv_" + all[0], "msg_" + all[0], strings.ToLower(all[0])} {
		if d := g.ok("GET", deliveries+"/"+id, ""); d["delivery_id"] != all[0] {
			t.Errorf("%s is %v", id, d)
		}
	}
	for _, id := range []string{"1", "replay1", all[0] + "0", "wh_" + all[0], "%00"} {
		g.refused("GET", deliveries+"/"+id, "", 400, "Invalid delivery ID")
	}
	g.refused("GET", deliveries+"/"+strings.TrimPrefix(string(capture.NewID(capture.DeliveryID)), capture.DeliveryID), "", 404, "Delivery not found")
	g.ok("POST", "/webhooks/apps", `{"name":"Bank","app_slug":"bank"}`)
	g.refused("GET", "/webhooks/apps/bank/deliveries/"+all[0], "", 404, "Delivery not found")
	if got := rows(g.ok("GET", "/webhooks/apps/bank/deliveries", "")); len(got) != 0 {
		t.Errorf("another app has %v", got)
	}
	g.refused("GET", "/webhooks/apps/none/deliveries", "", 404, "Webhook app not found")
	g.refused("GET", deliveries+"?endpoint_id=7", "", 400, "Invalid endpoint ID")
	g.refused("GET", deliveries+"?since=yesterday", "", 400, "Bad request: since")
	g.refused("GET", deliveries+"?until=1767323045", "", 400, "Bad request: until")
	g.refused("GET", deliveries+"?limit=x", "", 400, "Bad request: limit")
	g.refused("DELETE", deliveries, "", 405, "Method not allowed")
}

// What was sent as it was caught, and answered with no text, reads all the
// same.
func TestDeliveryOfWhatIsNoJSON(t *testing.T) {
	g := newRig(t, wacht.Options{}).shop()
	e, err := g.registry.CreateEndpoint(t.Context(), "shop", capture.EndpointSpec{URL: g.app + "/raw", Format: capture.FormatRaw})
	if err != nil {
		t.Fatal(err)
	}
	a, err := g.registry.TestEndpoint(t.Context(), e.ID, capture.Emission{Type: "a", Data: json.RawMessage(`"text"`)})
	if err != nil {
		t.Fatal(err)
	}
	d := g.ok("GET", deliveries+"/"+string(a.Delivery), "")
	if d["payload"] != "text" || d["status"] != "success" || d["max_attempts"] != 1.0 {
		t.Errorf("got %v", d)
	}
}
