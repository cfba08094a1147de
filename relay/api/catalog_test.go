package api_test

import (
	"encoding/json"
	"testing"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/catalog"
	"code.hooktape.dev/hooktape/relay/api"
)

func TestTypes(t *testing.T) {
	each(t, func(t *testing.T, o *owner, r api.Registry) {
		ctx, kind := t.Context(), must[capture.EventType](t)
		o.registry.CreateApp(ctx, "shop", capture.AppSpec{Secrets: map[string]string{"stripe": "whsec_shop"}})
		spec := capture.EventTypeSpec{Name: "Paid", Provider: "stripe", Sample: capture.Sample{Path: "/{who}", Params: map[string]json.RawMessage{"who": json.RawMessage(`"ada"`)}, Body: json.RawMessage(`{"id":"evt_1A2b3C4d5E6f7G8h","n":"{{int 5 5}}"}`)}}
		made := kind(r.CreateType(ctx, "shop:order/paid", spec, ""))
		if made.Tag != "shop:order/paid" || made.Builtin || made.Created.IsZero() || made.Sample.Headers == nil || made.Sample.Query == nil {
			t.Errorf("made %+v", made)
		}
		_, err := r.CreateType(ctx, "shop:order/paid", spec, "")
		wantConflict(t, err, "tag", "shop:order/paid")
		for _, tag := range []string{"", "shop", "Shop:x", "shop:", "shop:a b", ":x"} {
			_, err := r.CreateType(ctx, tag, spec, "")
			wantField(t, err, "tag")
		}
		_, err = r.CreateType(ctx, "shop:bad", capture.EventTypeSpec{Sample: capture.Sample{Headers: map[string]string{"X": "{{"}}}, "")
		wantField(t, err, "sample.headers.X")
		_, err = r.UpdateType(ctx, "shop:order/paid", json.RawMessage(`{"sampel":{}}`))
		wantField(t, err, "sampel")
		if changed := kind(r.UpdateType(ctx, "shop:order/paid", json.RawMessage(`{"description":"d"}`))); changed.Description != "d" || changed.Name != "Paid" {
			t.Errorf("changed %+v", changed)
		}
		_, err = r.UpdateType(ctx, "github:push", json.RawMessage(`{"name":"x"}`))
		wantConflict(t, err, "tag", "github:push")
		wantConflict(t, r.DeleteType(ctx, "github:push"), "tag", "github:push")
		_, err = r.Type(ctx, "shop:none")
		wantError(t, err, capture.ErrNotFound)

		all := must[[]capture.EventType](t)(r.Types(ctx, ""))
		if want := len(catalog.Builtin()) + 1; len(all) != want {
			t.Errorf("%d types, want %d", len(all), want)
		}
		// Own ones go before those of the same tag that came with hooktape.
		kind(r.CreateType(ctx, "github:push", capture.EventTypeSpec{Name: "ours"}, ""))
		if own := kind(r.Type(ctx, "github:push")); own.Name != "ours" || own.Builtin {
			t.Errorf("the type is %+v", own)
		}
		if again := must[[]capture.EventType](t)(r.Types(ctx, "")); len(again) != len(all) {
			t.Errorf("%d types, want %d", len(again), len(all))
		}

		fired, err := r.Fire(ctx, "shop:order/paid", capture.Firing{App: "shop", Count: 3, Set: []capture.Setting{{Pointer: "/n", Value: json.RawMessage("6")}}})
		if err != nil || len(fired.Events) != 3 {
			t.Fatalf("fired %+v, %v", fired, err)
		}
		seen := map[string]bool{}
		for _, e := range fired.Events {
			body := must[[]byte](t)(o.store.Body(ctx, e.ID))
			if e.Target != "/ada" || e.Origin != capture.FromSample || e.Signature.Verdict != capture.Valid || e.Signature.Secret != "stripe" || e.Metadata["sample"] != "shop:order/paid" {
				t.Errorf("fired %+v", e)
			}
			var is struct {
				ID string
				N  int
			}
			if err := json.Unmarshal(body, &is); err != nil || is.N != 6 || seen[is.ID] {
				t.Errorf("the body is %s", body)
			}
			seen[is.ID] = true
		}
		_, err = r.Fire(ctx, "shop:order/paid", capture.Firing{App: "shop", Set: []capture.Setting{{Pointer: "/idd", Value: json.RawMessage("6")}}})
		wantField(t, err, "set[0]")
		_, err = r.Fire(ctx, "shop:order/paid", capture.Firing{App: "none"})
		wantError(t, err, capture.ErrNotFound)
		if err := r.DeleteType(ctx, "shop:order/paid"); err != nil {
			t.Error(err)
		}
		wantError(t, r.DeleteType(ctx, "shop:order/paid"), capture.ErrNotFound)
	})
}

func TestRules(t *testing.T) {
	each(t, func(t *testing.T, o *owner, r api.Registry) {
		ctx, rule := t.Context(), must[capture.RuleRow](t)
		o.registry.CreateApp(ctx, "shop", capture.AppSpec{})
		first := rule(r.CreateRule(ctx, capture.RuleSpec{Name: "first", Match: "type:push", Mock: &capture.Mock{Status: 204}}))
		half := 0.5
		second := rule(r.CreateRule(ctx, capture.RuleSpec{Name: "second", App: "shop", On: capture.OnDelivery, Probability: &half, Fault: &capture.Fault{Kind: capture.FaultReset}}))
		if first.Place >= second.Place || first.CreatedBy == "" || first.ID == second.ID {
			t.Errorf("made %+v and %+v", first, second)
		}
		for field, spec := range map[string]capture.RuleSpec{
			"match": {Match: "typ:push", Pass: true}, "app": {App: "none", Pass: true},
			"mock.status": {Mock: &capture.Mock{Status: 99}}, "fault.kind": {Fault: &capture.Fault{Kind: "slow"}},
		} {
			_, err := r.CreateRule(ctx, spec)
			wantField(t, err, field)
		}
		order := func(want ...string) {
			t.Helper()
			rows := must[[]capture.RuleRow](t)(r.Rules(ctx, ""))
			for i, row := range rows {
				if len(rows) != len(want) || row.Name != want[i] {
					t.Fatalf("the order is %+v, want %q", rows, want)
				}
			}
		}
		third := rule(r.CreateRule(ctx, capture.RuleSpec{Name: "third", Pass: true}))
		order("first", "second", "third")
		rule(r.MoveRule(ctx, third.ID, 1))
		order("third", "first", "second")
		rule(r.MoveRule(ctx, third.ID, 99))
		order("first", "second", "third")
		if off := rule(r.UpdateRule(ctx, first.ID, json.RawMessage(`{"disabled":true,"mock":null,"pass":true}`))); !off.Disabled || off.Mock != nil || !off.Pass || off.Name != "first" {
			t.Errorf("changed %+v", off)
		}
		e := event([]byte("{}"), func(e *capture.Event) { e.App, e.Type = "shop", "push" })
		keep(t, o.store, e)
		all := must[[]capture.RuleExplanation](t)(r.ExplainRules(ctx, e.Event.ID))
		if len(all) != 3 || all[0].Applies || len(all[0].Why) == 0 || !all[2].Applies {
			t.Errorf("explained %+v", all)
		}
		if err := r.ResetRules(ctx, ""); err != nil {
			t.Error(err)
		}
		wantError(t, r.ResetRules(ctx, capture.NewID(capture.RuleID)), capture.ErrNotFound)
		if err := r.DeleteRule(ctx, second.ID); err != nil {
			t.Error(err)
		}
		order("first", "third")
		wantError(t, r.DeleteRule(ctx, second.ID), capture.ErrNotFound)
		_, err := r.UpdateRule(ctx, second.ID, json.RawMessage(`{}`))
		wantError(t, err, capture.ErrNotFound)
	})
}
