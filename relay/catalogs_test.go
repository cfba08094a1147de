package relay_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/relay"
)

func TestCatalogs(t *testing.T) {
	ctx := t.Context()
	r, err := relay.NewRegistry(ctx, memory(t), relay.Hooks{})
	if err != nil {
		t.Fatal(err)
	}
	kind := func(tag, schema string) capture.EventType {
		return capture.EventType{Tag: tag, EventTypeSpec: capture.EventTypeSpec{Schema: json.RawMessage(schema)}}
	}
	tags := func(want string) {
		t.Helper()
		row, err := r.Catalog(ctx, "billing")
		var got []string
		for _, k := range row.Types {
			got = append(got, k.Tag)
		}
		if err != nil || strings.Join(got, " ") != want {
			t.Errorf("got %s (%v), want %s", got, err, want)
		}
	}
	if _, err := r.As("ada").CreateCatalog(ctx, "billing", capture.CatalogSpec{Name: "Billing"}, []capture.EventType{kind("billing:a", `{"properties":{"n":{"type":"integer"}}}`), kind("billing:b", "")}); err != nil {
		t.Fatal(err)
	}
	if _, err := r.CreateType(ctx, "billing:c", capture.EventTypeSpec{Archived: true, Sample: capture.Sample{Body: []byte("{}")}}, ""); err != nil {
		t.Fatal(err)
	}
	tags("billing:a billing:b billing:c")

	big := capture.EventTypeSpec{Sample: capture.Sample{Body: []byte(`"` + strings.Repeat("x", 1<<20-2) + `"`)}}
	var many []capture.EventType
	for _, tag := range []string{"billing:d", "billing:e", "billing:f", "billing:g", "billing:h"} {
		many = append(many, capture.EventType{Tag: tag, EventTypeSpec: big})
	}
	for _, tt := range []struct {
		name  string
		types []capture.EventType
		field string
	}{
		{"one that is there", []capture.EventType{kind("billing:new", ""), kind("billing:c", "")}, "tag"},
		{"one twice", []capture.EventType{kind("billing:new", ""), kind("billing:new", "")}, "tag"},
		{"another catalog's", []capture.EventType{kind("billing:new", ""), kind("shop:new", "")}, "types[1].tag"},
		{"no tag", []capture.EventType{kind("billing:new one", "")}, "tag"},
		{"no schema", []capture.EventType{kind("billing:new", `{"type":"odd"}`)}, "schema"},
		{"too many at a time", many, "types"},
	} {
		_, err := r.AddTypes(ctx, "billing", tt.types)
		var wrong *capture.FieldError
		var clash *capture.ConflictError
		switch {
		case errors.As(err, &wrong) && wrong.Field == tt.field:
		case errors.As(err, &clash) && clash.Field == tt.field:
		default:
			t.Errorf("%s: got %v, want an error about %s", tt.name, err, tt.field)
		}
	}
	tags("billing:a billing:b billing:c") // nothing of what was refused
	if _, err := r.AddTypes(ctx, "none", nil); !errors.Is(err, capture.ErrNotFound) {
		t.Errorf("to no catalog: %v, want ErrNotFound", err)
	}
	row, err := r.As("bob").UpdateCatalog(ctx, "billing", json.RawMessage(`{"description":"Money"}`))
	if err != nil || row.Name != "Billing" || row.Description != "Money" || row.CreatedBy != "ada" || row.UpdatedBy != "bob" {
		t.Errorf("updated to %+v (%v)", row.Catalog, err)
	}
	var wrong *capture.FieldError
	if _, err := r.UpdateCatalog(ctx, "billing", json.RawMessage(`{"slug":"x"}`)); !errors.As(err, &wrong) || wrong.Field != "slug" {
		t.Errorf("got %v, want an error about slug", err)
	}

	if _, err := r.CreateApp(ctx, "shop", capture.AppSpec{Catalog: "none"}); !errors.As(err, &wrong) || wrong.Field != "catalog" {
		t.Errorf("got %v, want an error about catalog", err)
	}
	if _, err := r.CreateApp(ctx, "shop", capture.AppSpec{Catalog: "billing"}); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ app, kind, rules, want string }{
		{"shop", "a", "", ""},
		{"shop", "a", `{"n":{"$gt":1}}`, ""},
		{"shop", "b", `{"anything":1}`, ""}, // it has no schema
		{"shop", "a", `{"m":1}`, "subscriptions[0].filter_rules.m"},
		{"shop", "c", "", "subscriptions[0].type"}, // archived
		{"shop", "d", "", "subscriptions[0].type"},
		{"shop", "", "", "subscriptions[0].type"},
		{"default", "a", "", "subscriptions[0].type"}, // an app without a catalog
	} {
		err := r.Subscribable(ctx, tt.app, []capture.Subscription{{Type: tt.kind, Exact: true, Rules: json.RawMessage(tt.rules)}})
		got := ""
		if wrong := new(capture.FieldError); errors.As(err, &wrong) {
			got = wrong.Field
		}
		if got != tt.want || (err == nil) != (tt.want == "") {
			t.Errorf("%s of %s with %s: got %v, want an error about %q", tt.kind, tt.app, tt.rules, err, tt.want)
		}
	}
}
