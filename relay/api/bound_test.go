package api_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/relay/api"
)

// shared is a team whose API is served on loopback.
func shared(t *testing.T) (o *team, url string) {
	t.Helper()
	o = &team{owner: owned(t)}
	o.server.Token = "s3cret"
	srv := httptest.NewServer(o.server.Guard(watched(t, o.server.Handler())))
	t.Cleanup(srv.Close)
	return o, srv.URL
}

// token makes one and returns a client that has it.
func (o *team) token(t *testing.T, url string, spec capture.TokenSpec) (*api.Client, capture.Token) {
	t.Helper()
	spec.Name = "x"
	token, secret, err := o.registry.CreateToken(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	c := api.DialURL(url, secret)
	t.Cleanup(c.Close)
	return c, token
}

// dial opens a live stream with a token of its own.
func (o *team) dial(t *testing.T, url, query string, spec capture.TokenSpec) (*websocket.Conn, capture.Token) {
	t.Helper()
	spec.Name = "x"
	token, secret, err := o.registry.CreateToken(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	conn, _, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(url, "http")+"/api/v1/live?"+query, http.Header{"Authorization": {"Bearer " + secret}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetReadDeadline(time.Now().Add(patience))
	return conn, token
}

// TestBoundClient is how the other team's things look to the client of one:
// as if they were not there, by whatever way it asks for them.
func TestBoundClient(t *testing.T) {
	o, url := shared(t)
	shop, bank := o.fresh(t, "shop"), o.fresh(t, "bank")
	c, self := o.token(t, url, capture.TokenSpec{Scope: capture.ScopeManage, App: "shop"})
	ctx := t.Context()
	endpoint, event := capture.ID(bank["$endpoint"]), capture.ID(bank["$event"])
	_, err1 := c.Events(ctx, capture.Query{App: "bank"})
	_, err2 := c.Attempts(ctx, capture.AttemptQuery{Event: event})
	_, err3 := c.Attempts(ctx, capture.AttemptQuery{Endpoint: endpoint, ByDue: true})
	_, err4 := c.Endpoints(ctx, capture.EndpointQuery{App: "bank"})
	_, err5 := c.Stats(ctx, capture.StatsQuery{Endpoint: endpoint})
	_, err6 := c.Timeseries(ctx, capture.StatsQuery{App: "bank"})
	_, err7 := c.Resend(ctx, capture.ID(shop["$event"]), capture.Resend{Endpoint: endpoint})
	_, err8 := c.Resend(ctx, capture.ID(shop["$event"]), capture.Resend{Attempt: capture.ID(bank["$attempt"])})
	_, err9 := c.CreateEndpoint(ctx, "bank", capture.EndpointSpec{URL: bank["$url"]})
	_, _, err10 := c.CreateToken(ctx, capture.TokenSpec{Name: "x", Scope: capture.ScopeRead, App: "bank"})
	err11 := c.Live(ctx, 0, "", "bank", nil)
	_, err12 := c.UpdateApp(ctx, "shop", json.RawMessage(`{"catalog":"bank"}`))
	_, err13 := c.UpdateApp(ctx, "shop", json.RawMessage(`{"catalog":"bank","Catalog":"shop"}`))
	_, err14 := c.UpdateApp(ctx, "shop", json.RawMessage(`{"catalog":"shop","Catalog":"bank"}`))
	for i, err := range []error{err1, err2, err3, err4, err5, err6, err7, err8, err9, err10, err11, err12, err13, err14} {
		if !errors.Is(err, capture.ErrNotFound) {
			t.Errorf("call %d: %v, want ErrNotFound", i+1, err)
		}
	}
	if found := must[capture.Page](t)(c.Events(ctx, capture.Query{Filter: "app:bank"})); len(found.Rows) != 0 {
		t.Errorf("a filter finds %+v", found.Rows)
	}
	if _, err := c.CreateApp(ctx, "new", capture.AppSpec{}); !errors.Is(err, api.ErrUnauthorized) || !strings.Contains(err.Error(), `bound to the app "shop"`) {
		t.Errorf("made an app: %v, want ErrUnauthorized", err)
	}
	// A catalog of its name may be that of others too, and it is not told whose.
	must[capture.App](t)(o.registry.UpdateApp(ctx, "bank", json.RawMessage(`{"catalog":"shop"}`)))
	if err := c.DeleteCatalog(ctx, "shop"); err == nil || strings.Contains(err.Error(), "bank") {
		t.Errorf("deleted a catalog that the bank points to: %v", err)
	}
	// What names no app is of its own.
	made, _, err := c.CreateToken(ctx, capture.TokenSpec{Name: "x", Scope: capture.ScopeManage})
	if err != nil || made.App != "shop" {
		t.Errorf("made a token of %q, %v", made.App, err)
	}
	if e := must[capture.Endpoint](t)(c.CreateEndpoint(ctx, "", capture.EndpointSpec{URL: shop["$url"]})); e.App != "shop" {
		t.Errorf("made an endpoint of %q", e.App)
	}
	if all := must[[]capture.Token](t)(c.Tokens(ctx)); len(all) != 3 {
		t.Errorf("sees the tokens %+v, want its own app's three", all)
	}
	if all := must[[]capture.App](t)(c.Apps(ctx)); len(all) != 1 || all[0].Slug != "shop" {
		t.Errorf("sees the apps %+v", all)
	}
	status := must[api.Status](t)(c.Status(ctx))
	if status.Store != "" || status.Events != 0 || status.Seq == 0 || status.Ingest != "http://ingest" {
		t.Errorf("sees the status %+v", status)
	}
	// Another app may be made by the slug, for others.
	if err := c.DeleteApp(ctx, "shop"); err != nil {
		t.Fatal(err)
	}
	for _, token := range must[[]capture.Token](t)(o.registry.Tokens(ctx)) {
		if gone := !token.Revoked.IsZero(); gone != (token.App == "shop") {
			t.Errorf("its app was deleted, and %+v", token)
		}
	}
	if o.registry.Counts(self) {
		t.Error("the token outlives its app")
	}
}

// A bound token's attempts are those of its app's events, whatever they were
// sent to.
func TestBoundAttempts(t *testing.T) {
	o, url := shared(t)
	shop, bank := o.fresh(t, "shop"), o.fresh(t, "bank")
	c := event(nil, func(e *capture.Event) { e.App = "bank" })
	abroad := finished(c.Event, 200) // as an operator may send it
	abroad.Attempts[0].App, abroad.Attempts[0].Endpoint = "bank", capture.ID(shop["$endpoint"])
	keep(t, o.store, c, abroad)
	for app, want := range map[string][]string{"shop": {shop["$attempt"]}, "bank": {string(abroad.Attempts[0].ID), bank["$attempt"]}} {
		client, _ := o.token(t, url, capture.TokenSpec{Scope: capture.ScopeRead, App: app})
		var got []string
		for _, a := range must[[]capture.Attempt](t)(client.Attempts(t.Context(), capture.AttemptQuery{})) {
			got = append(got, string(a.ID))
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s sees the attempts %v, want %v", app, got, want)
		}
	}
	client, _ := o.token(t, url, capture.TokenSpec{Scope: capture.ScopeRead, App: "shop"})
	if at := must[[]capture.Attempt](t)(client.Attempts(t.Context(), capture.AttemptQuery{Endpoint: capture.ID(shop["$endpoint"])})); len(at) != 1 {
		t.Errorf("at its own endpoint the shop sees %+v", at)
	}
}

// A live stream has what is the app's, with ?watch too.
func TestBoundLive(t *testing.T) {
	o, url := shared(t)
	o.fresh(t, "shop")
	o.fresh(t, "bank")
	c, _ := o.token(t, url, capture.TokenSpec{Scope: capture.ScopeRead, App: "shop"})
	facts := live(t, c, 1, "", "")
	if r := facts.next(); r.Attempt == nil || r.Attempt.App != "shop" {
		t.Errorf("the second fact is %+v", r)
	}
	if r := facts.next(); r.Gap == nil || r.Gap.App != "shop" {
		t.Errorf("the third fact is %+v", r)
	}
	changed := c.Watch(t.Context())
	<-changed // ready
	of := func(app string) *capture.Event {
		c := event(nil, func(e *capture.Event) { e.App = app })
		keep(t, o.store, c)
		return c.Event
	}
	for range 300 { // more than are read at a time
		of("bank")
	}
	want := of("shop").ID
	if r := facts.next(); r.Event == nil || r.Event.ID != want {
		t.Errorf("the next fact is %+v, want the shop's event", r)
	}
	select {
	case <-changed:
	case <-time.After(patience):
		t.Error("of the shop's event nothing is told")
	}
}

// TestWatchTellsNothingOfOthers: what a bound watcher is told is as much as
// its app had, whatever happened meanwhile.
func TestWatchTellsNothingOfOthers(t *testing.T) {
	o, url := shared(t)
	o.server.Ready.Store, o.server.Ready.Targets = "/srv", []string{"http://bank.example"}
	o.fresh(t, "shop")
	conn, token := o.dial(t, url, "watch=1", capture.TokenSpec{Scope: capture.ScopeRead, App: "shop"})
	var r capture.Record
	if err := conn.ReadJSON(&r); err != nil || r.Type != "ready" || r.Store != "" || len(r.Targets) > 0 {
		t.Fatalf("it is told %+v %+v, %v", r, r.Ready, err)
	}
	o.fresh(t, "bank")
	o.fresh(t, "bank")
	// Nothing was told until now, or it would come before what ends the stream.
	if err := o.registry.RevokeToken(t.Context(), token.ID); err != nil {
		t.Fatal(err)
	}
	if err := conn.ReadJSON(&r); !websocket.IsCloseError(err, websocket.ClosePolicyViolation) {
		t.Errorf("got %+v, %v; want the end", r, err)
	}
}

// TestTokenEndsStreams: what a token has opened ends with it, and its bearer
// is told why.
func TestTokenEndsStreams(t *testing.T) {
	o, url := shared(t)
	for name, tt := range map[string]struct {
		lives time.Duration
		end   func(capture.Token) error
	}{
		"revoked": {0, func(token capture.Token) error { return o.registry.RevokeToken(t.Context(), token.ID) }},
		"expired": {2 * time.Second, func(capture.Token) error { return nil }},
	} {
		t.Run(name, func(t *testing.T) {
			spec := capture.TokenSpec{Scope: capture.ScopeRead}
			if tt.lives > 0 {
				spec.Expires = time.Now().Add(tt.lives)
			}
			c, token := o.token(t, url, spec)
			other, _ := o.token(t, url, capture.TokenSpec{Scope: capture.ScopeRead})
			st, stays := live(t, c, 0, "", ""), live(t, other, 0, "", "")
			if err := tt.end(token); err != nil {
				t.Fatal(err)
			}
			select {
			case err := <-st.ended:
				if !errors.Is(err, api.ErrUnauthorized) || !strings.Contains(err.Error(), "revoked or has expired") {
					t.Errorf("ended with %v, want ErrUnauthorized", err)
				}
			case <-time.After(patience):
				t.Fatal("it does not end")
			}
			keep(t, o.store, event(nil))
			if r := stays.next(); r.Type != "event" {
				t.Errorf("the other's stream has %+v", r)
			}
		})
	}
}

// A stream whose peer reads nothing ends as soon.
func TestTokenEndsAStuckStream(t *testing.T) {
	o := &team{owner: owned(t)}
	ended := make(chan struct{})
	h := o.server.Guard(o.server.Handler())
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer close(ended)
		h.ServeHTTP(w, r)
	}))
	defer srv.Close()
	_, token := o.dial(t, srv.URL, "after=0", capture.TokenSpec{Scope: capture.ScopeRead})
	long := capture.Header{"X-Long", strings.Repeat("x", 1<<16)}
	for range 200 { // more than fits between two sockets
		keep(t, o.store, event(nil, func(e *capture.Event) { e.Headers = append(e.Headers, long) }))
	}
	if err := o.registry.RevokeToken(t.Context(), token.ID); err != nil {
		t.Fatal(err)
	}
	select {
	case <-ended:
	case <-time.After(patience / 2): // a write may take twice as long
		t.Error("it does not end")
	}
}
