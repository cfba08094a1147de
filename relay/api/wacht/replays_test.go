package wacht_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/relay/api/wacht"
)

const replays = deliveries + "/replay"

// replay starts one and waits for its end.
func (g *rig) replay(body string) object {
	g.t.Helper()
	started := g.ok("POST", replays, body)
	if started["status"] != "queued" || started["message"] == "" {
		g.t.Errorf("started %v", started)
	}
	return g.until(replays+"/"+started["task_id"].(string), func(task object) bool { return task["status"] == "completed" })
}

func wantCounts(t *testing.T, task object, total, replayed, failed int) {
	t.Helper()
	if got, want := fmt.Sprint(task["total_count"], task["processed"], task["replayed_count"], task["failed_count"]), fmt.Sprint(total, total, replayed, failed); got != want {
		t.Errorf("%v: got total, processed, replayed and failed %s, want %s", task["task_id"], got, want)
	}
}

func TestReplay(t *testing.T) {
	g := newRig(t, wacht.Options{}).shop()
	id := g.endpoint("/hook", 500, `,"max_retries":1`)
	first := g.pay(`{"n":1}`)[id]["delivery_id"].(string)
	g.tried(first)
	before := g.next()
	g.codes.Store("/hook", 200)
	secret := g.ok("POST", "/webhooks/apps/shop/rotate-secret", "")["signing_secret"].(string)

	task := g.replay(`{"delivery_ids":["` + first + `"]}`)
	wantCounts(t, task, 1, 1, 0)
	again := g.next()
	if again.header.Get("webhook-id") == before.header.Get("webhook-id") || again.body != before.body || !verifies(t, again, secret) {
		t.Errorf("sent %v %s, want a new id, the body %s, and the new secret's signature", again.header, again.body, before.body)
	}
	made := strings.TrimPrefix(again.header.Get("webhook-id"), "msg_")
	if d := g.tried(made); d["status"] != "success" || d["attempt_number"] != 1.0 || d["payload"].(object)["data"].(object)["n"] != 1.0 {
		t.Errorf("it made %v", d)
	}
	if d := g.ok("GET", deliveries+"/"+first, ""); d["status"] != "permanently_failed" || d["attempt_number"] != 1.0 {
		t.Errorf("the delivery that was replayed is %v, want it as it was", d)
	}
	if task["last_delivery_id"] != first || task["app_slug"] != "shop" || !regexp.MustCompile(`^webhook-replay-batch-1-\d{13}$`).MatchString(task["task_id"].(string)) {
		t.Errorf("the task is %v", task)
	}
	for _, name := range []string{"created_at", "started_at", "completed_at"} {
		at, _ := task[name].(string)
		if _, err := time.Parse(time.RFC3339, at); err != nil || !strings.HasSuffix(at, "+00:00") {
			t.Errorf("%s is %v", name, task[name])
		}
	}
	if len(task) != 11 {
		t.Errorf("the task is %v, want its eleven members", task)
	}
	// The replayed one can be replayed, and is not put into an envelope twice.
	wantCounts(t, g.replay(`{"delivery_ids":["`+made+`"]}`), 1, 1, 0)
	if d := g.next(); d.body != before.body {
		t.Errorf("sent %s, want %s", d.body, before.body)
	}
}

// What is replayed is tried again, as a first delivery is.
func TestReplayIsRetried(t *testing.T) {
	g := newRig(t, wacht.Options{}).shop()
	id := g.endpoint("/hook", 500)
	g.replay(`{"delivery_ids":["` + g.tried(g.pay(`1`)[id]["delivery_id"])["delivery_id"].(string) + `"]}`)
	g.next()
	d := g.tried(strings.TrimPrefix(g.next().header.Get("webhook-id"), "msg_"))
	if d["status"] != "failed" || d["max_attempts"] != 32.0 {
		t.Errorf("it is %v, want it to be tried again", d)
	}
}

func TestReplayOfWhatCannotBe(t *testing.T) {
	g := newRig(t, wacht.Options{}).shop()
	slow, off, deaf, gone := g.endpoint("/slow", -1), g.endpoint("/off", 200), g.endpoint("/deaf", 200), g.endpoint("/deleted", 200)
	made := g.pay(`1`)
	for _, id := range []string{off, deaf, gone} {
		g.tried(made[id]["delivery_id"])
	}
	g.ok("PATCH", "/webhooks/apps/shop/endpoints/"+off, `{"is_active":false}`)
	g.ok("PATCH", "/webhooks/apps/shop/endpoints/"+deaf, `{"subscriptions":[{"event_name":"invoice.paid","filter_rules":{"amount":{"$gt":1}}}]}`)
	g.ok("DELETE", "/webhooks/apps/shop/endpoints/"+gone, "")
	for _, id := range []string{slow, off, deaf, gone} {
		wantCounts(t, g.replay(fmt.Sprintf(`{"delivery_ids":[%q]}`, made[id]["delivery_id"])), 1, 0, 1)
	}
	other := strings.TrimPrefix(string(capture.NewID(capture.DeliveryID)), capture.DeliveryID)
	wantCounts(t, g.replay(`{"delivery_ids":["`+other+`","x",7,null,{},"dlv_`+other+`"]}`), 2, 0, 2)
	wantCounts(t, g.replay(`{"delivery_ids":[],"start_date":"never"}`), 0, 0, 0)
}

func TestReplayOfARange(t *testing.T) {
	g := newRig(t, wacht.Options{}).shop()
	fine, bad := g.endpoint("/fine", 200), g.endpoint("/bad", 400)
	for range 2 {
		for _, d := range g.pay(`1`) {
			g.tried(d["delivery_id"])
		}
	}
	since := time.Now().Add(-time.Hour).UTC()
	begin := `{"start_date":"` + since.Format(time.RFC3339) + `"`
	until := func(d time.Duration) string { return `,"end_date":"` + since.Add(d).Format(time.RFC3339) + `"` }
	for _, tt := range []struct {
		rest  string
		total int
	}{
		{until(time.Minute), 0},
		{`,"status":"permanently_failed"`, 2},
		{`,"status":"failed"`, 0},
		{`,"status":"filtered"`, 0},
		{`,"event_name":"other"`, 0},
		{`,"status":"permanently_failed","endpoint_id":"` + fine + `"`, 0},
		{`,"status":"permanently_failed","endpoint_id":"` + bad + `","event_name":"invoice.paid"` + until(48*time.Hour) + `,"delivery_ids":null`, 4},
	} {
		task := g.replay(begin + tt.rest + "}")
		wantCounts(t, task, tt.total, tt.total, 0)
		for _, row := range g.ok("GET", deliveries+"?status=pending", "")["data"].([]any) {
			g.tried(row.(object)["delivery_id"])
		}
	}

	for _, tt := range []struct {
		body   string
		status int
		begins string
	}{
		{`{}`, 422, "Invalid request payload"},
		{`{"delivery_ids":"x"}`, 422, "Invalid request payload"},
		{`{"delivery_ids":{"0":"x"}}`, 422, "Invalid request payload"},
		{`{"start_date":7}`, 422, "Invalid request payload"},
		{`[]`, 422, "Invalid request payload"},
		{`{`, 400, "Bad request"},
		{``, 400, "Bad request"},
		{`{"start_date":"yesterday"}`, 400, "Bad request: start_date"},
		{`{"start_date":""}`, 400, "Bad request: start_date"},
		{begin + `,"end_date":"x"}`, 400, "Bad request: end_date"},
		{begin + until(-time.Second) + `}`, 400, "end_date must not be before start_date"},
		{begin + until(48*time.Hour+time.Second) + `}`, 400, "Replay range cannot exceed 48 hours"},
		{`{"start_date":"2020-01-01T00:00:00Z"}`, 400, "Replay range cannot exceed 48 hours"},
		{begin + `,"status":"pending"}`, 400, "invalid status"},
		{begin + `,"endpoint_id":7}`, 400, "Invalid endpoint ID"},
		{`{"delivery_ids":[` + strings.Repeat(`"`+string(capture.NewID(capture.DeliveryID))+`",`, 500) + `"` + string(capture.NewID(capture.DeliveryID)) + `"]}`, 400, "Maximum 500 delivery IDs are allowed per replay"},
		{`{"delivery_ids":[],"idempotency_key":"` + strings.Repeat("k", 256) + `"}`, 400, "idempotency_key"},
	} {
		g.refused("POST", replays, tt.body, tt.status, tt.begins)
	}
	g.refused("POST", "/webhooks/apps/none/deliveries/replay", `{"delivery_ids":[]}`, 404, "Webhook app not found")
}

func TestReplayTasks(t *testing.T) {
	g := newRig(t, wacht.Options{}).shop()
	first := g.replay(`{"delivery_ids":[],"idempotency_key":"k"}`)["task_id"].(string)
	if again := g.ok("POST", replays, `{"start_date":"2020-01-01T00:00:00Z","idempotency_key":"k"}`); again["task_id"] != first {
		t.Errorf("the same key began %v, want %s", again, first)
	}
	var all []string
	for range 4 {
		all = append([]string{g.replay(`{"delivery_ids":[]}`)["task_id"].(string)}, all...)
	}
	all = append(all, first)
	page := g.ok("GET", replays+"?limit=2&offset=1", "")
	var got []string
	for _, task := range page["data"].([]any) {
		got = append(got, task.(object)["task_id"].(string))
	}
	if fmt.Sprint(got) != fmt.Sprint(all[1:3]) || page["has_more"] != true || page["limit"] != 2.0 || page["offset"] != 1.0 {
		t.Errorf("a page is %v, want %v", page, all[1:3])
	}
	if rest := g.ok("GET", replays+"?limit=1000&offset=4", ""); len(rest["data"].([]any)) != 1 || rest["has_more"] != false || rest["limit"] != 100.0 {
		t.Errorf("the rest is %v", rest)
	}
	if none := g.ok("GET", replays+"?offset=9", ""); len(none["data"].([]any)) != 0 || none["limit"] != 20.0 {
		t.Errorf("past the end is %v", none)
	}
	same(t, g.ok("POST", replays+"/"+first+"/cancel", ""), `{"status":"cancelled","message":"Replay task cancellation requested"}`)
	if task := g.ok("GET", replays+"/"+first, ""); task["status"] != "completed" {
		t.Errorf("cancelled when it had ended: %v", task)
	}
	g.ok("POST", "/webhooks/apps", `{"name":"Bank","app_slug":"bank"}`)
	for _, at := range []string{replays + "/webhook-replay-batch-1-1", replays + "/x", "/webhooks/apps/bank/deliveries/replay/" + first} {
		g.refused("GET", at, "", 404, "Replay task not found")
		g.refused("POST", at+"/cancel", "", 404, "Replay task not found")
	}
}

// Who is bound to an app has its own replays and deliveries, and no others.
func TestBoundToAnApp(t *testing.T) {
	g := newRig(t, wacht.Options{}).shop()
	id := g.endpoint("/fine", 200)
	d := g.tried(g.pay(`1`)[id]["delivery_id"])["delivery_id"].(string)
	task := g.replay(`{"delivery_ids":["` + d + `"]}`)["task_id"].(string)
	g.ok("POST", "/webhooks/apps", `{"name":"Bank","app_slug":"bank"}`)
	_, secret, err := g.registry.CreateToken(t.Context(), capture.TokenSpec{Name: "bank", Scope: capture.ScopeManage, App: "bank"})
	if err != nil {
		t.Fatal(err)
	}
	g.token = secret
	for _, path := range []string{deliveries, deliveries + "/" + d, replays, replays + "/" + task, "/webhooks/apps/shop/stats", "/webhooks/apps/shop/analytics", "/webhooks/apps/shop/timeseries"} {
		g.refused("GET", path, "", 404, "Webhook app not found")
	}
	g.refused("POST", replays, `{"delivery_ids":["`+d+`"]}`, 404, "Webhook app not found")
	g.refused("POST", replays+"/"+task+"/cancel", "", 404, "Webhook app not found")
	const own = "/webhooks/apps/bank/deliveries"
	g.refused("GET", own+"/"+d, "", 404, "Delivery not found")
	g.refused("GET", own+"/replay/"+task, "", 404, "Replay task not found")
	g.refused("GET", "/webhooks/apps/bank/analytics?endpoint_id="+id, "", 404, "Webhook endpoint not found")
	started := g.ok("POST", own+"/replay", `{"delivery_ids":["`+d+`"]}`)
	wantCounts(t, g.until(own+"/replay/"+started["task_id"].(string), func(task object) bool { return task["status"] == "completed" }), 1, 0, 1)
}

func FuzzReplays(f *testing.F) {
	g := newRig(f, wacht.Options{}).shop()
	for _, body := range []string{`{"delivery_ids":["01ARZ3NDEKTSV4RRFFQ69G5FAV",7]}`, `{"start_date":"2026-01-02T03:04:05Z","end_date":null,"status":"failed","endpoint_id":"7"}`, `{"delivery_ids":[[]],"idempotency_key":"k"}`} {
		f.Add(body, "limit=1&offset=2", "msg_01ARZ3NDEKTSV4RRFFQ69G5FAV")
	}
	f.Fuzz(func(t *testing.T, body, query, id string) {
		g.t = t
		for _, rt := range [][3]string{{"POST", replays, body}, {"GET", deliveries + "?" + clean(query), ""}, {"GET", deliveries + "/" + clean(id), ""}, {"GET", replays + "/" + clean(id), ""}, {"GET", "/webhooks/apps/shop/timeseries?" + clean(query), ""}} {
			if status, text := g.ask(rt[0], rt[1], rt[2]); status >= 500 || !json.Valid([]byte(text)) {
				t.Errorf("%s %s %q: got %d %s", rt[0], rt[1], rt[2], status, text)
			}
		}
	})
}

// clean is text that can stand in a URL.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r > ' ' && r < 0x7f && !strings.ContainsRune("/?#%", r) {
			return r
		}
		return 'x'
	}, s+"x")
}
