package relay_test

import (
	"slices"
	"testing"
	"time"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/relay"
)

// TestEnded: of a token that was revoked those who hold its connections are
// told, once, and by then it counts no longer.
func TestEnded(t *testing.T) {
	var r *relay.Registry
	var told []capture.ID
	secrets := map[capture.ID]string{}
	r, err := relay.NewRegistry(t.Context(), memory(t), relay.Hooks{Ended: func(id capture.ID) {
		if _, counts, _ := r.Bearer(t.Context(), secrets[id]); counts {
			t.Error("it still counts")
		}
		told = append(told, id)
	}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.CreateApp(t.Context(), "shop", capture.AppSpec{}); err != nil {
		t.Fatal(err)
	}
	var all []capture.ID
	for _, app := range []string{"", "shop", "shop"} {
		made, secret, err := r.CreateToken(t.Context(), capture.TokenSpec{Name: "x", Scope: capture.ScopeListen, App: app})
		if err != nil {
			t.Fatal(err)
		}
		all, secrets[made.ID] = append(all, made.ID), secret
	}
	for range 2 {
		if err := r.RevokeToken(t.Context(), all[1]); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.DeleteApp(t.Context(), "shop"); err != nil {
		t.Fatal(err)
	}
	if want := all[1:]; !slices.Equal(told, want) {
		t.Errorf("told of %v, want %v", told, want)
	}
	if _, counts, _ := r.Bearer(t.Context(), secrets[all[0]]); !counts {
		t.Error("the one of every app has ended, too")
	}
}

// Every request asks for its bearer: that costs a digest and no memory beside.
func TestBearerIsCheap(t *testing.T) {
	r, err := relay.NewRegistry(t.Context(), memory(t), relay.Hooks{})
	if err != nil {
		t.Fatal(err)
	}
	_, secret, err := r.CreateToken(t.Context(), capture.TokenSpec{Name: "x", Scope: capture.ScopeRead, App: capture.DefaultApp, Expires: time.Now().Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	if n := testing.AllocsPerRun(100, func() { r.Bearer(ctx, secret) }); n > 1 { // the secret, as bytes to digest
		t.Errorf("%v allocations", n)
	}
}
