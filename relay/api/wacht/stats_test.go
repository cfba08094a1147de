package wacht_test

import (
	"net/url"
	"testing"
	"time"

	"code.hooktape.dev/hooktape/relay/api/wacht"
)

func TestFigures(t *testing.T) {
	g := newRig(t, wacht.Options{}).shop()
	const app = "/webhooks/apps/shop"
	same(t, g.ok("GET", app+"/stats", ""), `{"total_deliveries":0,"success_rate":0,"active_endpoints":0,"failed_deliveries_24h":0}`)
	same(t, g.ok("GET", app+"/analytics", ""), `{"total_events":0,"total_deliveries":0,"successful_deliveries":0,"failed_deliveries":0,"filtered_deliveries":0,"avg_response_time_ms":null,
		"p50_response_time_ms":null,"p95_response_time_ms":null,"p99_response_time_ms":null,"success_rate":0,"top_events":[],"endpoint_performance":[],"failure_reasons":[]}`)
	same(t, g.ok("GET", app+"/timeseries", ""), `{"data":[],"interval":"day"}`)

	fine, bad, down := g.endpoint("/fine", 200), g.endpoint("/bad", 404), g.endpoint("/down", 500, `,"max_retries":1`)
	g.ok("POST", app+"/endpoints", `{"url":"http://127.0.0.1:1/","max_retries":1,"subscriptions":[{"event_name":"invoice.paid"}]}`)
	g.ok("PATCH", app+"/endpoints/"+down, `{"is_active":false}`)
	for _, d := range g.pay(`1`) {
		g.tried(d["delivery_id"])
	}
	g.ok("PATCH", app+"/endpoints/"+down, `{"is_active":true}`)
	for _, d := range g.pay(`2`) {
		g.tried(d["delivery_id"])
	}
	// Seven deliveries: two to each, and one to what was off at first.
	stats := g.ok("GET", app+"/stats", "")
	rate := stats["success_rate"].(float64)
	if stats["total_deliveries"] != 7.0 || stats["failed_deliveries_24h"] != 5.0 || stats["active_endpoints"] != 4.0 || rate < 28.5 || rate > 28.6 {
		t.Errorf("got %v, want 2 of 7 well at 4 endpoints", stats)
	}

	all := g.ok("GET", app+"/analytics?baseUrl=junk", "")
	for name, want := range map[string]any{"total_events": 1.0, "total_deliveries": 7.0, "successful_deliveries": 2.0, "failed_deliveries": 5.0, "filtered_deliveries": 0.0, "success_rate": rate} {
		if all[name] != want {
			t.Errorf("%s: got %v, want %v", name, all[name], want)
		}
	}
	for _, name := range []string{"avg_response_time_ms", "p50_response_time_ms", "p95_response_time_ms", "p99_response_time_ms"} {
		if ms, ok := all[name].(float64); !ok || ms <= 0 {
			t.Errorf("%s: got %v", name, all[name])
		}
	}
	same(t, all["top_events"], `[{"event_name":"invoice.paid","count":2}]`)
	same(t, all["failure_reasons"], `[{"reason":"Client Error (4xx)","count":2},{"reason":"Connection Failed","count":2},{"reason":"Server Error (5xx)","count":1}]`)
	by := map[any]object{}
	for _, row := range all["endpoint_performance"].([]any) {
		by[row.(object)["endpoint_id"]] = row.(object)
	}
	if p := by[fine]; len(by) != 4 || p["endpoint_url"] != g.app+"/fine" || p["total_attempts"] != 2.0 || p["successful_attempts"] != 2.0 || p["success_rate"] != 100.0 || p["avg_response_time_ms"] == nil {
		t.Errorf("got %v", by)
	}
	one := g.ok("GET", app+"/analytics?endpoint_id="+bad, "")
	if p := one["endpoint_performance"].([]any); one["failed_deliveries"] != 2.0 || len(p) != 1 || p[0].(object)["endpoint_url"] != g.app+"/bad" {
		t.Errorf("of one endpoint: %v", one)
	}
	past := "start_date=2020-01-01T00:00:00Z"
	if got := g.ok("GET", app+"/analytics?"+past, ""); got["total_deliveries"] != 7.0 {
		t.Errorf("with one date of two: %v", got)
	}
	if got := g.ok("GET", app+"/analytics?"+past+"&end_date=2020-02-01T00:00:00Z", ""); got["total_deliveries"] != 0.0 {
		t.Errorf("of years ago: %v", got)
	}

	for _, interval := range []string{"", "minute", "hour", "day", "week", "month"} {
		ts := g.ok("GET", app+"/timeseries?interval="+interval, "")
		total, want := 0.0, interval
		if want == "" {
			want = "day"
		}
		for _, point := range ts["data"].([]any) {
			p := point.(object)
			total += p["total_deliveries"].(float64)
			if at, err := time.Parse(time.RFC3339, p["timestamp"].(string)); err != nil || at.Second() != 0 || p["total_events"] != p["total_deliveries"] || len(p) != 8 {
				t.Errorf("%s: a point is %v", interval, p)
			}
		}
		if ts["interval"] != want || total != 7 {
			t.Errorf("%s: got %v", interval, ts)
		}
	}
	if ts := g.ok("GET", app+"/timeseries?endpoint_id="+down, "")["data"].([]any); len(ts) != 1 || ts[0].(object)["failed_deliveries"] != 1.0 {
		t.Errorf("of one endpoint: %v", ts)
	}
	// A delivery that is to be tried again is one, and has failed once so far.
	retried := g.endpoint("/retried", 503)
	g.tried(g.pay(`3`)[retried]["delivery_id"])
	if got := g.ok("GET", app+"/analytics?endpoint_id="+retried, ""); got["total_deliveries"] != 1.0 || got["failed_deliveries"] != 1.0 || got["successful_deliveries"] != 0.0 {
		t.Errorf("of what waits to be tried again: %v", got)
	}
	now := url.QueryEscape(time.Now().Add(time.Minute).Format(time.RFC3339))
	if ts := g.ok("GET", app+"/timeseries?interval=month&"+past+"&end_date="+now, "")["data"].([]any); len(ts) != 1 {
		t.Errorf("since years: %v, want one month in which anything was", ts)
	}
	for _, figures := range []string{"/analytics", "/timeseries"} {
		g.refused("GET", app+figures+"?start_date=x&end_date=y", "", 400, "Bad request: start_date")
		g.refused("GET", app+figures+"?start_date=2020-01-02T00:00:00Z&end_date=2020-01-01T00:00:00Z", "", 400, "end_date must not be before start_date")
		g.refused("GET", app+figures+"?endpoint_id=7", "", 400, "Invalid endpoint ID")
		g.refused("GET", app+figures+"?endpoint_id=wh_01ARZ3NDEKTSV4RRFFQ69G5FAV", "", 404, "Webhook endpoint not found")
		g.refused("GET", "/webhooks/apps/none"+figures, "", 404, "Webhook app not found")
	}
	g.refused("GET", app+"/timeseries?interval=year", "", 400, "interval")
	g.refused("GET", app+"/timeseries?interval=minute&"+past+"&end_date="+now, "", 400, "interval")
}
