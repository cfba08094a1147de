package wacht_test

import (
	"fmt"
	"strings"
	"testing"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/relay/api/wacht"
)

func TestCatalogs(t *testing.T) {
	g := newRig(t, wacht.Options{})
	names := func(c object) string {
		t.Helper()
		var all []string
		for _, e := range c["events"].([]any) {
			name := e.(object)["name"].(string)
			if e.(object)["is_archived"] == true {
				name += "!"
			}
			all = append(all, name)
		}
		return strings.Join(all, " ")
	}
	c := g.ok("POST", "/webhooks/event-catalogs", `{"slug":"billing","name":"Billing","events":[
		{"name":"invoice.paid","description":"Paid","group":"invoices","schema":{"type":"object","properties":{"b":{"type":"integer"},"a":{}}},"example_payload":{"b":"{{uuid}}","a":"{{"}},
		{"name":"customer.made","description":"","is_archived":true,"schema":null,"example_payload":null}]}`)
	at := c["created_at"].(string)
	same(t, c, fmt.Sprintf(`{"deployment_id":"1","slug":"billing","name":"Billing","description":null,"created_at":%q,"updated_at":%q,"events":[
		{"name":"customer.made","description":"","group":null,"schema":null,"example_payload":null,"is_archived":true},
		{"name":"invoice.paid","description":"Paid","group":"invoices","schema":{"type":"object","properties":{"b":{"type":"integer"},"a":{}}},"example_payload":{"b":"{{uuid}}","a":"{{"},"is_archived":false}]}`,
		at, c["updated_at"]))
	same(t, g.ok("GET", "/webhooks/event-catalogs/billing", ""), string(jsonOf(t, c)))

	// Its events are event types like any other.
	made, err := g.registry.Type(t.Context(), "billing:invoice.paid")
	if err != nil || made.Group != "invoices" || made.Description != "Paid" || len(made.Sample.Body) == 0 || len(made.Schema) == 0 {
		t.Errorf("the type is %+v (%v)", made, err)
	}
	if _, err := g.registry.CreateType(t.Context(), "billing:made.elsewhere", capture.EventTypeSpec{Sample: capture.Sample{Body: []byte(`{"n":"{{int 7 7}}"}`)}}, ""); err != nil {
		t.Fatal(err)
	}
	c = g.ok("GET", "/webhooks/event-catalogs/billing", "")
	if got, want := names(c), "customer.made! invoice.paid made.elsewhere"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	same(t, c["events"].([]any)[2].(object)["example_payload"], `{"n":7}`)

	// All of an addition is made, or nothing.
	g.refused("POST", "/webhooks/event-catalogs/billing/append-events", `{"events":[{"name":"new.one","description":""},{"name":"invoice.paid","description":""}]}`, 400, "Event with name 'invoice.paid' already exists in the catalog")
	g.refused("POST", "/webhooks/event-catalogs/billing/append-events", `{"events":[{"name":"twice","description":""},{"name":"twice","description":""}]}`, 400, "Event with name 'twice' already exists in the catalog")
	g.refused("POST", "/webhooks/event-catalogs", `{"slug":"other","name":"x","events":[{"name":"twice","description":""},{"name":"twice","description":""}]}`, 400, "Event with name 'twice' already exists in the catalog")
	g.refused("GET", "/webhooks/event-catalogs/other", "", 404, "Webhook event catalog not found")
	if got, want := names(g.ok("GET", "/webhooks/event-catalogs/billing", "")), "customer.made! invoice.paid made.elsewhere"; got != want {
		t.Errorf("after a refusal: got %s, want %s", got, want)
	}
	if got, want := names(g.ok("POST", "/webhooks/event-catalogs/billing/append-events", `{"events":[{"name":"new.one","description":""},{"name":"new.two","description":""}]}`)), "customer.made! invoice.paid made.elsewhere new.one new.two"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	for _, archived := range []bool{true, false} {
		c := g.ok("POST", "/webhooks/event-catalogs/billing/archive-event", fmt.Sprintf(`{"event_name":"new.one","is_archived":%v}`, archived))
		if got := strings.Contains(names(c), "new.one!"); got != archived {
			t.Errorf("got archived %v, want %v", got, archived)
		}
		if c["updated_at"] == at {
			t.Error("archiving did not change updated_at")
		}
	}

	updated := g.ok("PUT", "/webhooks/event-catalogs/billing", `{"description":"Money","name":null}`)
	if updated["name"] != "Billing" || updated["description"] != "Money" || updated["created_at"] != at {
		t.Errorf("updated to %v", updated)
	}
	g.ok("POST", "/webhooks/event-catalogs", `{"slug":"zeal","name":"Apples","events":[]}`)
	page := g.ok("GET", "/webhooks/event-catalogs?limit=1&offset=1", "")
	if all := page["data"].([]any); len(all) != 2 || all[0].(object)["slug"] != "zeal" || page["has_more"] != false || page["total"] != 2.0 {
		t.Errorf("got %v, want both, by name", page)
	}
}

func TestCatalogOfAnApp(t *testing.T) {
	g := newRig(t, wacht.Options{}).shop()
	g.ok("POST", "/webhooks/apps", `{"name":"Bare","app_slug":"bare"}`)
	if got := g.ok("GET", "/webhooks/apps/shop/catalog", ""); got["slug"] != "billing" || len(got["events"].([]any)) != 3 {
		t.Errorf("the app's catalog is %v", got)
	}
	events := g.ok("GET", "/webhooks/apps/shop/events", "")["events"].([]any)
	if len(events) != 3 {
		t.Fatalf("the app's events are %v, want 3: archived ones too", events)
	}
	e := events[2].(object)
	same(t, e, fmt.Sprintf(`{"deployment_id":"1","app_slug":"shop","event_name":"invoice.voided","description":"One was voided","schema":null,"created_at":%q}`, e["created_at"]))
	g.refused("GET", "/webhooks/apps/bare/catalog", "", 404, "No catalog assigned to this app")
	same(t, g.ok("GET", "/webhooks/apps/bare/events", ""), `{"events":[]}`)
	g.refused("GET", "/webhooks/apps/none/catalog", "", 404, "Webhook app not found")
	g.refused("GET", "/webhooks/apps/none/events", "", 404, "Webhook app not found")
	if got := g.ok("PATCH", "/webhooks/apps/bare", `{"event_catalog_slug":"billing"}`); got["event_catalog_slug"] != "billing" {
		t.Errorf("updated to %v", got)
	}
	g.ok("POST", "/webhooks/apps/bare/endpoints", `{"url":"http://localhost:1/","subscriptions":[{"event_name":"invoice.paid"}]}`)
}
