package api_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"testing"
	"time"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/relay/api"
)

// engine is what a dialect gets for the bearer of a token.
func (o *team) engine(t *testing.T, token string) (e api.Engine) {
	t.Helper()
	h := o.server.Guard(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { e = o.server.Engine(r) }))
	if w := ask(h, "GET", "/", "", "Authorization: Bearer "+token); e == nil {
		t.Fatalf("not let in: %d %s", w.Code, w.Body)
	}
	return e
}

type calls map[string][]func() (any, error)

// about are calls of an Engine by method, each about one of x's things, and
// beside it, where it takes two, about one of mine.
func about(ctx context.Context, e api.Engine, x, mine things) calls {
	id := func(of things, noun string) capture.ID { return capture.ID(of[noun]) }
	patch := json.RawMessage(`{"description":"x"}`)
	spec := capture.EndpointSpec{URL: x["$url"]}
	kind := capture.EventTypeSpec{Sample: capture.Sample{Body: json.RawMessage("{}")}}
	return calls{
		"App":       {func() (any, error) { return e.App(ctx, x["$app"]) }},
		"CreateApp": {func() (any, error) { return e.CreateApp(ctx, x["$app"]+"2", capture.AppSpec{}) }},
		"UpdateApp": {
			func() (any, error) { return e.UpdateApp(ctx, x["$app"], patch) },
			func() (any, error) {
				return e.UpdateApp(ctx, mine["$app"], json.RawMessage(`{"catalog":"`+x["$app"]+`"}`))
			},
		},
		"DeleteApp":       {func() (any, error) { return nil, e.DeleteApp(ctx, x["$app"]) }},
		"RotateSecret":    {func() (any, error) { return e.RotateSecret(ctx, x["$app"], 0) }},
		"RotateIngestKey": {func() (any, error) { return e.RotateIngestKey(ctx, x["$app"], 0) }},
		"Emit": {func() (any, error) {
			v, _, err := e.Emit(ctx, x["$app"], capture.Emission{Type: "a"})
			return v, err
		}},

		"Announce":      {func() (any, error) { return e.Announce(ctx, x["$app"], capture.Emission{Type: "a"}) }},
		"SigningSecret": {func() (any, error) { return e.SigningSecret(ctx, x["$app"]) }},
		"Catalog":       {func() (any, error) { return e.Catalog(ctx, x["$app"]) }},
		"CreateCatalog": {func() (any, error) { return e.CreateCatalog(ctx, x["$app"]+"2", capture.CatalogSpec{}, nil) }},
		"UpdateCatalog": {func() (any, error) { return e.UpdateCatalog(ctx, x["$app"], patch) }},
		"DeleteCatalog": {func() (any, error) { return nil, e.DeleteCatalog(ctx, x["$app"]) }},
		"AddTypes": {func() (any, error) {
			return e.AddTypes(ctx, x["$app"], []capture.EventType{{Tag: x["$app"] + ":added", EventTypeSpec: kind}})
		}},
		"Subscribable": {func() (any, error) { return nil, e.Subscribable(ctx, x["$app"], nil) }},

		"Endpoints":      {func() (any, error) { return e.Endpoints(ctx, capture.EndpointQuery{App: x["$app"]}) }},
		"Endpoint":       {func() (any, error) { return e.Endpoint(ctx, id(x, "$endpoint")) }},
		"CreateEndpoint": {func() (any, error) { return e.CreateEndpoint(ctx, x["$app"], spec) }},
		"CreateDisabled": {func() (any, error) { return e.CreateDisabled(ctx, x["$app"], spec, "") }},
		"UpdateEndpoint": {func() (any, error) { return e.UpdateEndpoint(ctx, id(x, "$endpoint"), patch) }},
		"SetEndpoint": {
			func() (any, error) { return e.SetEndpoint(ctx, id(x, "$endpoint"), capture.EndpointDisabled, "") },
			func() (any, error) { return e.SetEndpoint(ctx, id(x, "$endpoint"), capture.EndpointDeleted, "") },
		},
		"RotateEndpointSecret": {func() (any, error) { return e.RotateEndpointSecret(ctx, id(x, "$endpoint"), 0) }},
		"TestEndpoint":         {func() (any, error) { return e.TestEndpoint(ctx, id(x, "$endpoint"), capture.Emission{}) }},
		"Explain":              {func() (any, error) { return e.Explain(ctx, id(x, "$event")) }},

		"Stats": {
			func() (any, error) { return e.Stats(ctx, capture.StatsQuery{App: x["$app"]}) },
			func() (any, error) { return e.Stats(ctx, capture.StatsQuery{Endpoint: id(x, "$endpoint")}) },
			func() (any, error) {
				return e.Stats(ctx, capture.StatsQuery{App: mine["$app"], Endpoint: id(x, "$endpoint")})
			},
		},
		"Timeseries": {
			func() (any, error) { return e.Timeseries(ctx, capture.StatsQuery{App: x["$app"]}) },
			func() (any, error) { return e.Timeseries(ctx, capture.StatsQuery{Endpoint: id(x, "$endpoint")}) },
		},

		"Type": {func() (any, error) { return e.Type(ctx, x["$tag"]) }},
		"CreateType": {
			func() (any, error) { return e.CreateType(ctx, x["$tag"]+"2", kind, "") },
			func() (any, error) {
				return e.CreateType(ctx, mine["$tag"]+"3", capture.EventTypeSpec{}, id(x, "$event"))
			},
		},
		"UpdateType": {func() (any, error) { return e.UpdateType(ctx, x["$tag"], patch) }},
		"DeleteType": {func() (any, error) { return nil, e.DeleteType(ctx, x["$tag"]) }},
		"Fire": {
			func() (any, error) { return e.Fire(ctx, x["$tag"], capture.Firing{}) },
			func() (any, error) { return e.Fire(ctx, mine["$tag"], capture.Firing{App: x["$app"]}) },
			func() (any, error) { return e.Fire(ctx, "stripe:invoice.paid", capture.Firing{App: x["$app"]}) },
		},

		"Triggers": {func() (any, error) { return e.Triggers(ctx, x["$app"]) }},
		"Trigger":  {func() (any, error) { return e.Trigger(ctx, id(x, "$trigger")) }},
		"CreateTrigger": {func() (any, error) {
			return e.CreateTrigger(ctx, x["$app"], capture.TriggerSpec{Name: "new", URL: x["$url"]})
		}},
		"UpdateTrigger": {func() (any, error) { return e.UpdateTrigger(ctx, id(x, "$trigger"), patch) }},
		"DeleteTrigger": {func() (any, error) { return nil, e.DeleteTrigger(ctx, id(x, "$trigger")) }},
		"FireTrigger":   {func() (any, error) { return e.FireTrigger(ctx, id(x, "$trigger"), capture.TriggerCall{}) }},

		"Events": {func() (any, error) { return e.Events(ctx, capture.Query{App: x["$app"]}) }},
		"Event":  {func() (any, error) { return e.Event(ctx, id(x, "$event")) }},
		"Body":   {func() (any, error) { return e.Body(ctx, id(x, "$event")) }},
		"Attempts": {
			func() (any, error) { return e.Attempts(ctx, capture.AttemptQuery{App: x["$app"]}) },
			func() (any, error) { return e.Attempts(ctx, capture.AttemptQuery{Event: id(x, "$event")}) },
			func() (any, error) { return e.Attempts(ctx, capture.AttemptQuery{Endpoint: id(x, "$endpoint")}) },
			func() (any, error) {
				return e.Attempts(ctx, capture.AttemptQuery{App: mine["$app"], Event: id(mine, "$event"), Endpoint: id(x, "$endpoint")})
			},
		},
		"AttemptPage": {
			func() (any, error) { return attemptPage(ctx, e, capture.AttemptQuery{App: x["$app"]}) },
			func() (any, error) { return attemptPage(ctx, e, capture.AttemptQuery{Event: id(x, "$event")}) },
			func() (any, error) { return attemptPage(ctx, e, capture.AttemptQuery{Endpoint: id(x, "$endpoint")}) },
			func() (any, error) {
				return attemptPage(ctx, e, capture.AttemptQuery{App: mine["$app"], Event: id(mine, "$event"), Endpoint: id(x, "$endpoint")})
			},
		},
		"Attempt": {func() (any, error) { return e.Attempt(ctx, id(x, "$attempt")) }},
		"Deliveries": {
			func() (any, error) { return e.Deliveries(ctx, capture.DeliveryQuery{App: x["$app"]}) },
			func() (any, error) { return e.Deliveries(ctx, capture.DeliveryQuery{Event: id(x, "$event")}) },
			func() (any, error) {
				return e.Deliveries(ctx, capture.DeliveryQuery{App: mine["$app"], Event: id(mine, "$event"), Endpoint: id(x, "$endpoint")})
			},
		},
		"Delivery": {func() (any, error) { return e.Delivery(ctx, id(x, "$delivery")) }},
		"Replays":  {func() (any, error) { return e.Replays(ctx, x["$app"]) }},
		"Replay":   {func() (any, error) { return e.Replay(ctx, id(x, "$replay")) }},
		"StartReplay": {
			func() (any, error) {
				return e.StartReplay(ctx, x["$app"], capture.ReplaySpec{Deliveries: []capture.ID{}})
			},
			func() (any, error) {
				return e.StartReplay(ctx, mine["$app"], capture.ReplaySpec{Since: time.Now(), Endpoint: id(x, "$endpoint")})
			},
		},
		"CancelReplay": {func() (any, error) { return e.CancelReplay(ctx, id(x, "$replay")) }},
		"Ingest":       {func() (any, error) { return e.Ingest(ctx, x["$app"]) }},
		"Resend": {
			func() (any, error) { return e.Resend(ctx, id(x, "$event"), capture.Resend{To: mine["$url"]}) },
			func() (any, error) {
				return e.Resend(ctx, id(mine, "$event"), capture.Resend{Endpoint: id(x, "$endpoint")})
			},
			func() (any, error) {
				return e.Resend(ctx, id(mine, "$event"), capture.Resend{Attempt: id(x, "$attempt")})
			},
			func() (any, error) {
				return e.Resend(ctx, id(mine, "$event"), capture.Resend{To: mine["$url"], Attempt: id(x, "$attempt")})
			},
		},
	}
}

func attemptPage(ctx context.Context, e api.Engine, q capture.AttemptQuery) ([]capture.Attempt, error) {
	page, _, err := e.AttemptPage(ctx, q, 0)
	return page, err
}

// lists are calls that name nobody's, or have nothing of who is named.
func lists(ctx context.Context, e api.Engine, x things) calls {
	return calls{
		"Catalogs":   {func() (any, error) { return e.Catalogs(ctx) }},
		"Apps":       {func() (any, error) { return e.Apps(ctx) }},
		"Endpoints":  {func() (any, error) { return e.Endpoints(ctx, capture.EndpointQuery{Limit: 1e6}) }},
		"Stats":      {func() (any, error) { return e.Stats(ctx, capture.StatsQuery{}) }},
		"Timeseries": {func() (any, error) { return e.Timeseries(ctx, capture.StatsQuery{}) }},
		"Triggers":   {func() (any, error) { return e.Triggers(ctx, "") }},
		"Types": {
			func() (any, error) { return e.Types(ctx, "") },
			func() (any, error) { return e.Types(ctx, x["$app"]) },
		},
		"Events": {
			func() (any, error) { return e.Events(ctx, capture.Query{Limit: 1e6}) },
			func() (any, error) { return e.Events(ctx, capture.Query{Filter: "app:" + x["$app"], Limit: 1e6}) },
		},
		"Attempts":    {func() (any, error) { return e.Attempts(ctx, capture.AttemptQuery{Limit: 1e6}) }},
		"Deliveries":  {func() (any, error) { return e.Deliveries(ctx, capture.DeliveryQuery{Limit: 1e6}) }},
		"Replays":     {func() (any, error) { return e.Replays(ctx, "") }},
		"AttemptPage": {func() (any, error) { return attemptPage(ctx, e, capture.AttemptQuery{Limit: 1e6}) }},
	}
}

// TestEngineOfAnApp asks every method of an Engine that is bound to an app
// about what is the app's, which works, and about what is another's, which is
// not there.
func TestEngineOfAnApp(t *testing.T) {
	o := &team{owner: owned(t)}
	begin := func(t *testing.T) (e api.Engine, shop, bank things) {
		shop, bank = o.fresh(t, "shop"), o.fresh(t, "bank")
		o.settle(t)
		_, secret, err := o.registry.CreateToken(t.Context(), capture.TokenSpec{Name: "x", Scope: capture.ScopeManage, App: "shop"})
		if err != nil {
			t.Fatal(err)
		}
		return o.engine(t, secret), shop, bank
	}
	untold := func(t *testing.T, v any) {
		t.Helper()
		if b, err := json.Marshal(v); err != nil || telling.Match(b) {
			t.Errorf("it tells of the bank: %s, %v", b, err)
		}
	}
	named, listed := about(t.Context(), nil, nil, nil), lists(t.Context(), nil, nil)
	methods := reflect.TypeFor[api.Engine]()
	for i := range methods.NumMethod() {
		if name := methods.Method(i).Name; named[name] == nil && listed[name] == nil {
			t.Errorf("%s: say what one who is bound to an app gets of it", name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(named)) {
		for i := range named[name] {
			t.Run(fmt.Sprint(name, " ", i, " of the app"), func(t *testing.T) {
				e, shop, _ := begin(t)
				v, err := about(t.Context(), e, shop, shop)[name][i]()
				if name == "CreateApp" || name == "CreateCatalog" {
					wantForbidden(t, err)
				} else if err != nil {
					t.Error(err)
				}
				untold(t, v)
			})
			t.Run(fmt.Sprint(name, " ", i, " of another"), func(t *testing.T) {
				e, shop, bank := begin(t)
				before := o.state(t, "bank") + o.state(t, "shop")
				v, err := about(t.Context(), e, bank, shop)[name][i]()
				if name == "CreateApp" || name == "CreateCatalog" {
					wantForbidden(t, err)
				} else if !errors.Is(err, capture.ErrNotFound) {
					t.Errorf("got %v, %v; want ErrNotFound", v, err)
				}
				untold(t, v)
				if after := o.state(t, "bank") + o.state(t, "shop"); after != before {
					t.Errorf("things were changed, from\n%.9999s\nto\n%.9999s", before, after)
				}
			})
		}
	}
	for name, all := range listed {
		for i := range all {
			t.Run(fmt.Sprint(name, " ", i), func(t *testing.T) {
				e, _, bank := begin(t)
				v, err := lists(t.Context(), e, bank)[name][i]()
				if err != nil {
					t.Error(err)
				}
				untold(t, v)
			})
		}
	}
}

func wantForbidden(t *testing.T, err error) {
	t.Helper()
	if status, _ := api.StatusOf(err); err == nil || status != http.StatusForbidden {
		t.Errorf("got %v, want 403", err)
	}
}
