package api_test

import (
	"errors"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/relay"
	"code.hooktape.dev/hooktape/relay/api"
	"code.hooktape.dev/hooktape/store"
)

// TestScopes is promise 8 with tokens of the registry: from the first on, one
// is asked for, and it lets its bearer do what its scope says.
func TestScopes(t *testing.T) {
	o := owned(t)
	w := watched(t, o.server.Handler())
	guarded := o.server.Guard(w)
	if got := ask(guarded, "GET", "/api/v1/apps", ""); got.Code != 200 {
		t.Fatalf("before there is a token: %d %s", got.Code, got.Body)
	}
	secrets := map[string]string{"none": "", "unknown": capture.NewToken(), "own": "s3cret"}
	o.server.Token = "s3cret"
	for _, scope := range capture.Scopes {
		_, secret, err := o.registry.CreateToken(t.Context(), capture.TokenSpec{Name: string(scope), Scope: scope})
		if err != nil {
			t.Fatal(err)
		}
		secrets[string(scope)] = secret
	}
	revoked, secret, err := o.registry.CreateToken(t.Context(), capture.TokenSpec{Name: "revoked", Scope: capture.ScopeManage})
	if err == nil {
		err = o.registry.RevokeToken(t.Context(), revoked.ID)
	}
	if err != nil {
		t.Fatal(err)
	}
	secrets["revoked"] = secret
	const emit = "POST /api/v1/apps/default/events"
	for _, tt := range []struct {
		op, body string
		want     map[string]int
	}{
		{"GET /api/v1/apps", "", map[string]int{"own": 200, "manage": 200, "read": 200, "ingest": 403, "listen": 403}},
		{"HEAD /api/v1/apps", "", map[string]int{"own": 200, "manage": 200, "read": 200, "ingest": 403, "listen": 403}},
		{"GET /api/v1/tokens", "", map[string]int{"own": 200, "manage": 200, "read": 200, "ingest": 403, "listen": 403}},
		{"GET /api/v1/apps/default", "", map[string]int{"own": 200, "manage": 200, "read": 200, "ingest": 403, "listen": 200}},
		{"PATCH /api/v1/apps/default", `{}`, map[string]int{"own": 200, "manage": 200, "read": 403, "ingest": 403, "listen": 403}},
		{"GET /connect", "", map[string]int{"own": 404, "manage": 404, "read": 403, "ingest": 403, "listen": 404}},
		{"GET /api/v1/nothing", "", map[string]int{"own": 404, "manage": 404, "read": 404, "ingest": 403, "listen": 403}},
		{emit, `{"type":"a"}`, map[string]int{"own": 201, "manage": 201, "read": 403, "ingest": 201, "listen": 403}},
		{"POST /api/v1/apps/../apps/default/events", `{"type":"a"}`, map[string]int{"own": 307, "manage": 307, "read": 403, "ingest": 403, "listen": 403}},
		{"GET /api/v1/apps/default/events", "", map[string]int{"own": 200, "manage": 200, "read": 200, "ingest": 403, "listen": 403}},
		{"DELETE /api/v1/apps/none", "", map[string]int{"own": 404, "manage": 404, "read": 403, "ingest": 403, "listen": 403}},
		{"POST /api/v1/apps/default/endpoints", `{}`, map[string]int{"own": 422, "manage": 422, "read": 403, "ingest": 403, "listen": 403}},
		{"POST /metrics", "", map[string]int{"own": 405, "manage": 405, "read": 403, "ingest": 403, "listen": 403}},
		{"GET /healthz", "", map[string]int{"own": 200, "manage": 200, "read": 200, "ingest": 200, "listen": 200, "none": 200, "unknown": 200, "revoked": 200}},
		{"GET /version", "", map[string]int{"own": 200, "manage": 200, "read": 200, "ingest": 200, "listen": 200, "none": 200, "unknown": 200, "revoked": 200}},
	} {
		for name, secret := range secrets {
			method, target, _ := strings.Cut(tt.op, " ")
			headers := []string{}
			if secret != "" {
				headers = append(headers, "Authorization: Bearer "+secret)
			}
			want := tt.want[name]
			if want == 0 {
				want = 401
			}
			got := ask(guarded, method, target, tt.body, headers...)
			if got.Code != want && !(method+target == "POST/metrics" && got.Code == 404 && want == 405) {
				t.Errorf("%s with the token %s: %d %s, want %d", tt.op, name, got.Code, got.Body, want)
			}
			switch got.Code {
			case 401:
				wantProblem(t, got, 401, "unauthorized", "Authorization: Bearer")
			case 403:
				wantProblem(t, got, 403, "scope", name)
				if h := got.Header().Get("WWW-Authenticate"); !strings.Contains(h, `error="insufficient_scope"`) {
					t.Errorf("WWW-Authenticate: %s", h)
				}
			}
		}
	}
}

// A token counts until it expires, and once none counts none is asked for.
func TestTokensExpire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := store.Open("", store.Options{Memory: true, Log: logs(t)})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		r, err := relay.NewRegistry(t.Context(), s, relay.Hooks{})
		if err != nil {
			t.Fatal(err)
		}
		server := &api.Server{Source: s, Registry: r}
		guarded := server.Guard(server.Handler())
		token := func(expires time.Duration) string {
			_, secret, err := r.CreateToken(t.Context(), capture.TokenSpec{Name: "ci", Scope: capture.ScopeManage, Expires: time.Now().Add(expires)})
			if err != nil {
				t.Fatal(err)
			}
			return "Authorization: Bearer " + secret
		}
		first, last := token(time.Minute), token(2*time.Minute)
		want := func(header string, status int) {
			t.Helper()
			if got := ask(guarded, "GET", "/api/v1/apps", "", header); got.Code != status {
				t.Errorf("answered %d %s, want %d", got.Code, got.Body, status)
			}
		}
		want(first, 200)
		time.Sleep(time.Minute)
		want(first, 401)
		want(last, 200)
		want("X-A: none", 401)
		time.Sleep(time.Minute)
		want("X-A: none", 200)
	})
}

// A client learns that it is its token that is wrong, on every way it asks.
func TestUnauthorized(t *testing.T) {
	o := owned(t)
	o.server.Token = "s3cret"
	srv := httptest.NewServer(o.server.Guard(o.server.Handler()))
	defer srv.Close()
	_, reads, err := o.registry.CreateToken(t.Context(), capture.TokenSpec{Name: "reads", Scope: capture.ScopeRead})
	if err != nil {
		t.Fatal(err)
	}
	for name, token := range map[string]string{"no token": "", "a wrong one": "x", "one that may only read": reads} {
		c := api.DialURL(srv.URL, token)
		defer c.Close()
		_, err1 := c.CreateApp(t.Context(), "shop", capture.AppSpec{})
		err2 := c.Pin(t.Context(), capture.NewID(capture.EventID), true)
		all := []error{err1, err2}
		if token != reads {
			all = append(all, c.Live(t.Context(), 0, "", "", func(capture.Record) error { return nil }))
			_, err := c.Status(t.Context())
			all = append(all, err)
		}
		for i, err := range all {
			if !errors.Is(err, api.ErrUnauthorized) {
				t.Errorf("%s, call %d: %v, want ErrUnauthorized", name, i, err)
			}
		}
	}
	c := api.DialURL(srv.URL+"/?token=s3cret&", "")
	defer c.Close()
	if _, err := c.Status(t.Context()); err == nil {
		t.Error("a token in the query is taken")
	}
	if got := ask(o.server.Guard(o.server.Handler()), "GET", "/api/v1/live?token=s3cret", "", "Connection: upgrade", "Upgrade: websocket"); got.Code != 401 {
		t.Errorf("a token in the query is answered %d %s", got.Code, got.Body)
	}
	good := api.DialURL(srv.URL, reads)
	defer good.Close()
	live(t, good, 0, "", "").cancel()
}
