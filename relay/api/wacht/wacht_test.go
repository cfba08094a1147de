package wacht_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/sign"
	"code.hooktape.dev/hooktape/relay/api/wacht"
)

func TestErrorsHaveBothForms(t *testing.T) {
	g := newRig(t, wacht.Options{}).shop()
	for _, tt := range []struct {
		method, path, body string
		status             int
		begins             string
	}{
		{"GET", "/webhooks", "", 404, "There is no /webhooks"},
		{"GET", "/webhooks/plums", "", 404, "There is no"},
		{"POST", "/webhooks/apps/shop/trigger/x", "{}", 404, "There is no"},
		{"PUT", "/webhooks/apps", "{}", 405, "Method not allowed"},
		{"GET", "/webhooks/apps/shop/trigger", "", 405, "Method not allowed"},
		{"GET", "/webhooks/apps/none", "", 404, "Webhook app not found"},
		{"GET", "/webhooks/apps/Shop", "", 404, "Webhook app not found"},
		{"GET", "/webhooks/apps?limit=x", "", 400, "Bad request"},
		{"GET", "/webhooks/apps?offset=-1", "", 400, "Bad request"},
		{"GET", "/webhooks/apps?include_inactive=perhaps", "", 400, "Bad request"},
		{"POST", "/webhooks/apps", "", 400, "Bad request"},
		{"POST", "/webhooks/apps", "{", 400, "Bad request"},
		{"POST", "/webhooks/apps", `[]`, 422, "Invalid request payload"},
		{"POST", "/webhooks/apps", `{}`, 422, "Invalid request payload: missing field name"},
		{"POST", "/webhooks/apps", `{"name":null}`, 422, "Invalid request payload: missing field name"},
		{"POST", "/webhooks/apps", `{"name":3}`, 422, "Invalid request payload: name"},
		{"POST", "/webhooks/apps", `{"name":"x","app_slug":" - "}`, 400, "app_slug"},
		{"POST", "/webhooks/apps", `{"name":"x","app_slug":"ik_x"}`, 400, "slug"},
		{"POST", "/webhooks/apps", `{"name":"x","app_slug":"` + strings.Repeat("a", 64) + `"}`, 400, "slug"},
		{"POST", "/webhooks/apps", `{"name":"x","app_slug":"SHOP"}`, 409, "Resource already exists"},
		{"POST", "/webhooks/apps", `{"name":"x","event_catalog_slug":"none"}`, 404, "Related resource not found"},
		{"PATCH", "/webhooks/apps/shop", `{"event_catalog_slug":"none"}`, 404, "Related resource not found"},
		{"PATCH", "/webhooks/apps/none", `{}`, 404, "Webhook app not found"},
		{"POST", "/webhooks/apps", `{"name":"x","failure_notification_emails":["nobody"]}`, 400, "failure_notification_emails[0]"},
		{"POST", "/webhooks/event-catalogs", `{"slug":"billing","name":"x","events":[]}`, 409, "Resource already exists"},
		{"POST", "/webhooks/event-catalogs", `{"slug":"Big Ones","name":"x","events":[]}`, 400, "slug"},
		{"POST", "/webhooks/event-catalogs", `{"slug":"other","name":"x"}`, 422, "Invalid request payload: missing field events"},
		{"POST", "/webhooks/event-catalogs", `{"slug":"other","name":"x","events":[{"name":"a"}]}`, 422, "Invalid request payload: missing field events.description"},
		{"POST", "/webhooks/event-catalogs", `{"slug":"other","name":"x","events":[{"name":"a b","description":""}]}`, 400, `The event name "a b"`},
		{"GET", "/webhooks/event-catalogs/none", "", 404, "Webhook event catalog not found"},
		{"PUT", "/webhooks/event-catalogs/none", `{"name":"x"}`, 404, "Webhook event catalog not found"},
		{"POST", "/webhooks/event-catalogs/none/append-events", `{"events":[]}`, 404, "Webhook event catalog not found"},
		{"POST", "/webhooks/event-catalogs/billing/archive-event", `{"event_name":"none","is_archived":true}`, 404, "Event with name 'none'"},
		{"POST", "/webhooks/event-catalogs/billing/archive-event", `{"event_name":"none"}`, 422, "Invalid request payload: missing field is_archived"},
		{"POST", "/webhooks/apps/none/trigger", `{"event_name":"a","payload":1}`, 404, "Webhook app not found"},
		{"POST", "/webhooks/apps/shop/trigger", `{"event_name":"a"}`, 422, "Invalid request payload: missing field payload"},
		{"POST", "/webhooks/apps/shop/trigger", `{"payload":{}}`, 422, "Invalid request payload: missing field event_name"},
		{"POST", "/webhooks/apps/shop/trigger", `{"event_name":"","payload":1}`, 400, "event_name"},
		{"PATCH", "/webhooks/apps/shop/endpoints/7", `{}`, 400, "Invalid endpoint ID"},
		{"PATCH", "/webhooks/apps/shop/endpoints/wh_01ARZ3NDEKTSV4RRFFQ69G5FAV", `{}`, 404, "Webhook endpoint not found"},
		{"DELETE", "/webhooks/apps/shop/endpoints/wh_01ARZ3NDEKTSV4RRFFQ69G5FAV", ``, 404, "Webhook endpoint not found"},
		{"POST", "/webhooks/apps/shop/endpoints/wh_01ARZ3NDEKTSV4RRFFQ69G5FAV/test", `{"event_name":"x"}`, 404, "Webhook endpoint not found"},
		{"POST", "/webhooks/endpoints/wh_01ARZ3NDEKTSV4RRFFQ69G5FAV/reactivate", ``, 404, "Webhook endpoint not found"},
		{"POST", "/webhooks/endpoints/evt_01ARZ3NDEKTSV4RRFFQ69G5FAV/reactivate", ``, 400, "Invalid endpoint ID"},
		{"POST", "/webhooks/apps/shop/trigger", `{"event_name":"a","payload":"` + strings.Repeat("x", 26<<20) + `"}`, 413, "The body is over"},
	} {
		g.refused(tt.method, tt.path, tt.body, tt.status, tt.begins)
	}
}

func TestTokensAreAskedFor(t *testing.T) {
	g := newRig(t, wacht.Options{}).shop()
	whole := g.ok("GET", "/webhooks/apps/shop", "")["signing_secret"].(string)
	token := func(spec capture.TokenSpec) string {
		_, secret, err := g.registry.CreateToken(t.Context(), spec)
		if err != nil {
			t.Fatal(err)
		}
		return secret
	}
	read, ingest := token(capture.TokenSpec{Name: "read", Scope: capture.ScopeRead}), token(capture.TokenSpec{Name: "ingest", Scope: capture.ScopeIngest})
	manage, bound := token(capture.TokenSpec{Name: "manage", Scope: capture.ScopeManage}), token(capture.TokenSpec{Name: "bound", Scope: capture.ScopeManage, App: "shop"})
	g.refused("GET", "/webhooks/apps", "", 401, "Send the header Authorization: Bearer")
	g.token = "wrong"
	g.refused("POST", "/webhooks/apps", `{"name":"x"}`, 401, "Send the header Authorization: Bearer")

	g.token = read
	if got := g.ok("GET", "/webhooks/apps/shop", "")["signing_secret"].(string); got == whole || got == "" || !strings.HasPrefix(got, "whsec_****") {
		t.Errorf("who may read is shown the secret %q, want it masked", got)
	}
	g.refused("POST", "/webhooks/apps/shop/trigger", `{"event_name":"a","payload":1}`, 403, `The token "read" is of scope read`)
	g.refused("POST", "/webhooks/apps/shop/rotate-secret", ``, 403, `The token "read" is of scope read`)

	g.token = ingest
	same(t, g.ok("POST", "/webhooks/apps/shop/trigger", `{"event_name":"a","payload":1}`), `{"delivery_ids":[],"filtered_count":0,"delivered_count":0}`)
	g.refused("GET", "/webhooks/apps", ``, 403, `The token "ingest" is of scope ingest`)

	g.token = manage
	if got := g.ok("GET", "/webhooks/apps/shop", "")["signing_secret"]; got != whole {
		t.Errorf("who may manage is shown the secret %v, want %s", got, whole)
	}
	g.ok("POST", "/webhooks/apps", `{"name":"Other","app_slug":"other"}`)
	g.ok("POST", "/webhooks/event-catalogs", `{"slug":"other","name":"Other","events":[]}`)

	g.token = bound
	if got := g.ok("GET", "/webhooks/apps", "")["data"].([]any); len(got) != 1 || got[0].(object)["app_slug"] != "shop" || got[0].(object)["signing_secret"] != whole {
		t.Errorf("who is bound to shop sees %v", got)
	}
	if got := g.ok("GET", "/webhooks/event-catalogs", "")["data"].([]any); len(got) != 1 || got[0].(object)["slug"] != "billing" {
		t.Errorf("who is bound to shop sees the catalogs %v, want billing", got)
	}
	g.refused("GET", "/webhooks/apps/other", ``, 404, "Webhook app not found")
	g.refused("POST", "/webhooks/apps/other/trigger", `{"event_name":"a","payload":1}`, 404, "Webhook app not found")
	g.refused("POST", "/webhooks/apps", `{"name":"x"}`, 403, "The token is bound")
	g.refused("POST", "/webhooks/event-catalogs", `{"slug":"x","name":"x","events":[]}`, 403, "The token is bound")
	g.refused("GET", "/webhooks/event-catalogs/other", ``, 404, "Webhook event catalog not found")
	g.refused("PUT", "/webhooks/event-catalogs/billing", `{"name":"x"}`, 404, "Webhook event catalog not found")
	g.refused("POST", "/webhooks/event-catalogs/billing/append-events", `{"events":[]}`, 404, "Webhook event catalog not found")
	g.refused("PATCH", "/webhooks/apps/shop", `{"event_catalog_slug":"other"}`, 404, "")
}

func TestApps(t *testing.T) {
	g := newRig(t, wacht.Options{})
	a := g.ok("POST", "/webhooks/apps", `{"name":"Shop","app_slug":" My  Big-Shop! ","description":"Jam","failure_notification_emails":["ada@example.com"],"unknown":1}`)
	secret := a["signing_secret"].(string)
	if !isSecret(secret) {
		t.Errorf("got the secret %q, want whsec_ and 32 bytes", secret)
	}
	created := a["created_at"].(string)
	if _, err := time.Parse(time.RFC3339, created); err != nil || !strings.HasSuffix(created, "Z") {
		t.Errorf("got created_at %q (%v), want RFC 3339 with Z", created, err)
	}
	want := `{"deployment_id":"1","app_slug":"my_big_shop","name":"Shop","description":"Jam","signing_secret":%q,"failure_notification_emails":["ada@example.com"],
		"event_catalog_slug":null,"is_active":true,"created_at":%q,"updated_at":%q}`
	same(t, a, fmt.Sprintf(want, secret, created, created))
	same(t, g.ok("GET", "/webhooks/apps/my_big_shop", ""), fmt.Sprintf(want, secret, created, created))

	made := g.ok("POST", "/webhooks/apps", `{"name":"Nameless"}`)
	if slug := made["app_slug"].(string); !strings.HasPrefix(slug, "slug_") || !capture.IsSlug(slug) {
		t.Errorf("got the slug %q, want slug_ and an id", slug)
	}
	same(t, made["failure_notification_emails"], `[]`)

	g.ok("PATCH", "/webhooks/apps/my_big_shop", `{"name":"Larder","description":null,"is_active":false,"failure_notification_emails":[]}`)
	b := g.ok("GET", "/webhooks/apps/my_big_shop", "")
	if b["name"] != "Larder" || b["description"] != "Jam" || b["is_active"] != false || len(b["failure_notification_emails"].([]any)) != 0 || b["created_at"] != created || b["updated_at"] == created {
		t.Errorf("updated to %v", b)
	}

	slugs := func(query string) string {
		t.Helper()
		page := g.ok("GET", "/webhooks/apps"+query, "")
		var all []string
		for _, a := range page["data"].([]any) {
			all = append(all, a.(object)["app_slug"].(string))
		}
		delete(page, "data")
		about, err := json.Marshal(page)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Join(all, " ") + " " + string(about)
	}
	nameless := made["app_slug"].(string)
	for query, want := range map[string]string{
		"":                       nameless + ` {"has_more":false,"limit":50,"offset":0,"total":1}`,
		"?include_inactive=true": nameless + ` my_big_shop {"has_more":false,"limit":50,"offset":0,"total":2}`,
		"?include_inactive=true&limit=1&offset=1&baseUrl=x": `my_big_shop {"has_more":false,"limit":1,"offset":1,"total":2}`,
		"?limit=0":              nameless + ` {"has_more":false,"limit":1,"offset":0,"total":1}`,
		"?limit=99999&offset=9": ` {"has_more":false,"limit":1000,"offset":9,"total":1}`,
		"?search=" + nameless:   nameless + ` {"has_more":false,"limit":50,"offset":0,"total":1}`,
		"?search=slug":          ` {"has_more":false,"limit":50,"offset":0,"total":0}`,
	} {
		if got := slugs(query); got != want {
			t.Errorf("apps%s:\ngot  %s\nwant %s", query, got, want)
		}
	}

	g.refused("POST", "/webhooks/apps/my_big_shop/trigger", `{"event_name":"a","payload":1}`, 404, "Webhook app not found")
	g.ok("POST", "/webhooks/apps/"+nameless+"/trigger", `{"event_name":"a","payload":1}`)
	same(t, g.ok("DELETE", "/webhooks/apps/"+nameless, ""), `{}`)
	g.refused("GET", "/webhooks/apps/"+nameless, "", 404, "Webhook app not found") // though it has events
	g.refused("DELETE", "/webhooks/apps/"+nameless, "", 404, "Webhook app not found")
	g.refused("POST", "/webhooks/apps/"+nameless+"/trigger", `{"event_name":"a","payload":1}`, 404, "Webhook app not found")
}

func isSecret(v any) bool {
	text, _ := v.(string)
	encoded, ok := strings.CutPrefix(text, "whsec_")
	key, err := base64.StdEncoding.DecodeString(encoded)
	return ok && err == nil && len(key) == 32
}

func TestSecretsCanBeShownOnce(t *testing.T) {
	g := newRig(t, wacht.Options{MaskSecrets: true})
	a := g.ok("POST", "/webhooks/apps", `{"name":"Shop","app_slug":"shop"}`)
	if !isSecret(a["signing_secret"]) {
		t.Errorf("a new app's secret is %v", a["signing_secret"])
	}
	for _, path := range []string{"/webhooks/apps/shop", "/webhooks/apps?search=shop"} {
		if _, text := g.ask("GET", path, ""); strings.Contains(text, a["signing_secret"].(string)) || !strings.Contains(text, "whsec_****") {
			t.Errorf("%s shows %s", path, text)
		}
	}
	b := g.ok("POST", "/webhooks/apps/shop/rotate-secret", "")
	if !isSecret(b["signing_secret"]) || b["signing_secret"] == a["signing_secret"] {
		t.Errorf("a rotated secret is %v", b["signing_secret"])
	}
}

// TestRotation: receivers that still have the old secret verify with it for as
// long as it overlaps.
func TestRotation(t *testing.T) {
	for _, atOnce := range []bool{false, true} {
		g := newRig(t, wacht.Options{RotateAtOnce: atOnce}).shop()
		g.ok("POST", "/webhooks/apps/shop/endpoints", `{"url":"`+g.app+`/hooks","subscriptions":[{"event_name":"invoice.paid"}]}`)
		old := g.ok("GET", "/webhooks/apps/shop", "")["signing_secret"].(string)
		secret := g.ok("POST", "/webhooks/apps/shop/rotate-secret", "")["signing_secret"].(string)
		g.ok("POST", "/webhooks/apps/shop/trigger", `{"event_name":"invoice.paid","payload":{}}`)
		d := g.next()
		if !verifies(t, d, secret) {
			t.Errorf("at once %v: the new secret does not verify %v", atOnce, d.header)
		}
		if verifies(t, d, old) == atOnce {
			t.Errorf("at once %v: the old secret verifies: %v", atOnce, !atOnce)
		}
	}
}

// verifies reports whether a receiver that has secret takes a delivery.
func verifies(t *testing.T, d delivered, secret string) bool {
	t.Helper()
	var seconds int64
	if _, err := fmt.Sscan(d.header.Get("webhook-timestamp"), &seconds); err != nil {
		t.Fatal(err)
	}
	if age := time.Since(time.Unix(seconds, 0)); age > time.Minute || age < -time.Minute {
		t.Errorf("the delivery is stamped %s ago", age)
	}
	signature, err := sign.Standard(d.header.Get("webhook-id"), time.Unix(seconds, 0), []byte(d.body), secret)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Contains(" "+d.header.Get("webhook-signature")+" ", " "+signature+" ")
}

func TestTrigger(t *testing.T) {
	g := newRig(t, wacht.Options{}).shop()
	endpoint := func(path, rules string) string {
		return g.ok("POST", "/webhooks/apps/shop/endpoints", `{"url":"`+g.app+path+`","headers":{"X-Key":"plum"},"subscriptions":[{"event_name":"invoice.paid","filter_rules":`+rules+`}]}`)["id"].(string)
	}
	endpoint("/all", "null")
	endpoint("/large", `{"amount":{"$gte":1000},"$or":[{"currency":"eur"},{"customer.tier":{"$in":["gold"]}}]}`)
	g.ok("POST", "/webhooks/apps/shop/endpoints", `{"url":"`+g.app+`/voided","subscriptions":[{"event_name":"invoice.voided"}]}`)
	off := endpoint("/off", "{}")
	g.ok("PATCH", "/webhooks/apps/shop/endpoints/"+off, `{"is_active":false}`)

	for _, tt := range []struct {
		name, payload string
		to            int
		filtered      float64
	}{
		{"invoice.paid", `{"amount":1000,"currency":"eur"}`, 2, 0},
		{"invoice.paid", `{"amount":999, "currency":"eur"}`, 1, 1},
		{"invoice.paid", `{"amount":5000,"customer":{"tier":"gold"}}`, 2, 0},
		{"invoice.paid", `null`, 1, 1},
		{"invoice.paid", `[1,"{{uuid}}",4200.0]`, 1, 1},
		{"invoice.voided", `"text"`, 1, 0},
		{"invoice.old", `7`, 0, 0},
		{"unknown", `{}`, 0, 0},
	} {
		out := g.ok("POST", "/webhooks/apps/shop/trigger", `{"app_slug":"else","event_name":"`+tt.name+`","payload":`+tt.payload+`,"filter_context":{"amount":1}}`)
		ids := map[string]bool{}
		for _, id := range out["delivery_ids"].([]any) {
			ids["msg_"+id.(string)] = true
		}
		if len(ids) != tt.to || out["delivered_count"] != float64(tt.to) || out["filtered_count"] != tt.filtered {
			t.Errorf("%s %s: got %v, want %d delivered and %v filtered", tt.name, tt.payload, out, tt.to, tt.filtered)
		}
		for range tt.to {
			d := g.next()
			var sent struct {
				Type, Timestamp string
				Data            json.RawMessage
			}
			if err := json.Unmarshal([]byte(d.body), &sent); err != nil {
				t.Fatal(err)
			}
			if !ids[d.header.Get("webhook-id")] || sent.Type != tt.name || string(sent.Data) != tt.payload || !strings.HasSuffix(sent.Timestamp, ".000Z") ||
				d.header.Get("User-Agent") != "Wacht-Webhook/1.0" {
				t.Errorf("%s %s: sent %v %s of %v", tt.name, tt.payload, d.header, d.body, ids)
			}
			if got, want := d.header.Get("X-Key"), "plum"; tt.name == "invoice.paid" && got != want {
				t.Errorf("sent X-Key %q, want %q", got, want)
			}
			if !verifies(t, d, g.ok("GET", "/webhooks/apps/shop", "")["signing_secret"].(string)) {
				t.Errorf("the app's secret does not verify %v", d.header)
			}
		}
	}
	// What was made elsewhere gets events too, and one that takes all is not filtered.
	if _, err := g.registry.CreateEndpoint(t.Context(), "shop", capture.EndpointSpec{URL: g.app + "/native"}); err != nil {
		t.Fatal(err)
	}
	if out := g.ok("POST", "/webhooks/apps/shop/trigger", `{"event_name":"invoice.voided","payload":{}}`); out["delivered_count"] != 2.0 || out["filtered_count"] != 0.0 {
		t.Errorf("got %v, want 2 delivered", out)
	}
}

func FuzzBodies(f *testing.F) {
	g := newRig(f, wacht.Options{}).shop()
	id := g.ok("POST", "/webhooks/apps/shop/endpoints", `{"url":"`+g.app+`/hooks","subscriptions":[{"event_name":"invoice.paid"}]}`)["id"].(string)
	routes := []struct{ method, path string }{
		{"POST", "/webhooks/apps"}, {"PATCH", "/webhooks/apps/shop"}, {"POST", "/webhooks/apps/shop/trigger"}, {"POST", "/webhooks/apps/shop/endpoints"},
		{"PATCH", "/webhooks/apps/shop/endpoints/" + id}, {"POST", "/webhooks/event-catalogs"}, {"PUT", "/webhooks/event-catalogs/billing"},
		{"POST", "/webhooks/event-catalogs/billing/append-events"}, {"POST", "/webhooks/event-catalogs/billing/archive-event"},
	}
	for i, body := range []string{`{"name":"x","app_slug":"A"}`, `{"description":null}`, `{"event_name":"a","payload":{}}`,
		`{"url":"http://localhost:1/","subscriptions":[{"event_name":"invoice.paid","filter_rules":{"amount":{"$gt":1}}}]}`, `{"headers":{"a":"b"},"max_retries":3,"rate_limit_config":{"duration_ms":1,"max_requests":2}}`,
		`{"slug":"s","name":"n","events":[{"name":"a","description":"","schema":{"properties":{"a":true}},"example_payload":{"a":"{{x"}}]}`, `{"name":"n"}`, `{"events":[]}`, `{"event_name":"invoice.old","is_archived":false}`} {
		f.Add(uint(i), body)
	}
	f.Fuzz(func(t *testing.T, i uint, body string) {
		g.t = t
		rt := routes[i%uint(len(routes))]
		status, text := g.ask(rt.method, rt.path, body)
		if status >= http.StatusInternalServerError || !json.Valid([]byte(text)) {
			t.Errorf("%s %s %q: got %d %s", rt.method, rt.path, body, status, text)
		}
	})
}
