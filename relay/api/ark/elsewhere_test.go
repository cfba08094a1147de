package ark_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"testing"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/relay/api/ark"
)

// What was made elsewhere is shown as ARK can; and what is shown changes
// nothing when it is sent back.
func TestMadeElsewhere(t *testing.T) {
	row := capture.Condition{Key: "a", Condition: "eq", Value: json.RawMessage("1")}
	for _, tt := range []struct {
		name          string
		subscriptions []capture.Subscription
		event         string
		conditions    []capture.Condition
		updated       []capture.Subscription // by conditions [] and the event as it is shown
	}{
		{"everything", nil, "*", []capture.Condition{}, nil},
		{"a pattern", []capture.Subscription{{Type: "order.*", Source: "till", Filter: "x"}}, "order.*", []capture.Condition{}, []capture.Subscription{{Type: "order.*", Source: "till", Filter: "x"}}},
		{"two", []capture.Subscription{{Type: "a", Conditions: []capture.Condition{row}}, {Type: "b", Conditions: []capture.Condition{row}}}, "a,b", []capture.Condition{row},
			[]capture.Subscription{{Type: "a"}, {Type: "b", Conditions: []capture.Condition{row}}}},
		{"conditions alone", []capture.Subscription{{Conditions: []capture.Condition{row}}}, "*", []capture.Condition{row}, []capture.Subscription{{}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t, ark.Options{})
			spec := capture.EndpointSpec{URL: r.receiver + "/ok", Subscriptions: tt.subscriptions, Headers: map[string]string{"Authorization": "Bearer 0123456789"}, Description: "d"}
			made, err := r.registry.CreateEndpoint(t.Context(), "", spec)
			if err != nil {
				t.Fatal(err)
			}
			at := "/api/webhooks/" + string(made.ID)
			w := r.ask(t, "GET", at, "").webhook(t)
			if want := (webhook{ID: made.ID, Event: tt.event, Target: spec.URL, Enabled: true, Conditions: tt.conditions}); !reflect.DeepEqual(w, want) {
				t.Fatalf("shown %+v, want %+v", w, want)
			}
			put := func(event string, conditions []capture.Condition) capture.EndpointSpec {
				t.Helper()
				body, err := json.Marshal(map[string]any{"event": event, "target": w.Target, "enabled": true, "conditions": conditions})
				if err != nil {
					t.Fatal(err)
				}
				r.ask(t, "PUT", at, string(body)).want(t, string(body), 200, "{}")
				kept, err := r.store.EndpointRow(t.Context(), made.ID)
				if err != nil {
					t.Fatal(err)
				}
				return kept.EndpointSpec
			}
			same := func(what string, got capture.EndpointSpec, subscriptions []capture.Subscription) {
				t.Helper()
				want := spec
				want.Subscriptions = subscriptions
				a, _ := json.Marshal(got)
				if b, _ := json.Marshal(want); string(a) != string(b) {
					t.Errorf("%s: %s, want %s", what, a, b)
				}
			}
			same("sent back", put(w.Event, w.Conditions), tt.subscriptions)
			same("other conditions", put(w.Event, []capture.Condition{}), tt.updated)
			same("another event", put("z", w.Conditions), []capture.Subscription{{Type: "z", Exact: true, Conditions: w.Conditions}})
		})
	}
}

// Webhooks are those of all apps, or of the one that is asked for; they are
// made in that, or in default. A token of an app has that alone.
func TestApps(t *testing.T) {
	r := newRig(t, ark.Options{})
	for _, app := range []string{"shop", "bank"} {
		if _, err := r.registry.CreateApp(t.Context(), app, capture.AppSpec{}); err != nil {
			t.Fatal(err)
		}
	}
	listens, err := r.store.Endpoint(t.Context(), capture.Endpoint{Listener: true, EndpointSpec: capture.EndpointSpec{URL: "http://localhost:3000"}})
	if err != nil {
		t.Fatal(err)
	}
	_, token, err := r.registry.CreateToken(t.Context(), capture.TokenSpec{Name: "shop", Scope: capture.ScopeManage, App: "shop"})
	if err != nil {
		t.Fatal(err)
	}
	r.server.Token = "s3cret"
	all, shop := "Authorization: s3cret", "Authorization: "+token
	made := map[string]webhook{}
	for _, tt := range []struct{ as, query, app string }{{all, "", "default"}, {all, "?app=bank", "bank"}, {shop, "", "shop"}, {shop, "?app=shop", "shop"}} {
		a := r.ask(t, "POST", "/api/webhooks"+tt.query, sample, tt.as)
		a.want(t, tt.app, 201, "")
		row, err := r.registry.Endpoint(t.Context(), a.webhook(t).ID)
		if err != nil || row.App != tt.app || row.Format != capture.FormatARK || row.Retry.Preset != "ark" {
			t.Errorf("made %+v, %v; want it in %s", row, err, tt.app)
		}
		made[tt.app] = a.webhook(t)
	}
	for as, apps := range map[string]map[string]int{all: {"": 4, "bank": 1, "shop": 2, "none": 0}, shop: {"": 2, "shop": 2}} {
		for app, want := range apps {
			if _, hooks := r.ask(t, "GET", "/api/webhooks?app="+app, "", as).hooks(t); len(hooks) != want {
				t.Errorf("%q lists %d of %q, want %d", as, len(hooks), app, want)
			}
		}
	}
	const noBank = `there is no app "bank": not found`
	r.ask(t, "GET", "/api/webhooks?app=bank", "", shop).want(t, "another's list", 404, refusal(404, noBank))
	r.ask(t, "POST", "/api/webhooks?app=bank", sample, shop).want(t, "in another's", 404, refusal(404, noBank))
	r.ask(t, "POST", "/api/webhooks?app=none", sample, all).want(t, "in none", 404, "")
	for _, w := range []webhook{made["bank"], {ID: listens.ID}} {
		for _, method := range []string{"GET", "PUT", "DELETE"} {
			as := shop
			if w.ID == listens.ID {
				as = all
			}
			r.ask(t, method, "/api/webhooks/"+string(w.ID), sample, as).want(t, fmt.Sprint(method, " ", w.ID), 404, refusal(404, "Not Found"))
		}
	}
	if _, err := r.registry.SetEndpoint(t.Context(), made["default"].ID, capture.EndpointDisabled, ""); err != nil {
		t.Fatal(err)
	}
	if _, hooks := r.ask(t, "GET", "/api/webhooks?app=default", "", all).hooks(t); len(hooks) != 1 || hooks[0].Enabled {
		t.Errorf("of one that was disabled elsewhere: %+v", hooks)
	}
}

// A URL that an endpoint made elsewhere has to itself is refused in ARK's form.
func TestTakenURL(t *testing.T) {
	r := newRig(t, ark.Options{})
	var made [2]capture.Endpoint
	for i := range made {
		var err error
		if made[i], err = r.registry.CreateEndpoint(t.Context(), "", capture.EndpointSpec{URL: fmt.Sprint(r.receiver, "/", i)}); err != nil {
			t.Fatal(err)
		}
	}
	body := fmt.Sprintf(`{"event":"a","target":%q,"enabled":true,"conditions":[]}`, made[0].URL)
	want := refusal(409, fmt.Sprintf("url: %s has %s already; change that one, or add a query to the URL to tell the two apart", made[0].ID, made[0].URL))
	r.ask(t, "PUT", "/api/webhooks/"+string(made[1].ID), body).want(t, "update", 409, want)
	r.ask(t, "POST", "/api/webhooks", body).want(t, "create", 201, "")
}
