package api_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/relay/api"
)

// team is an owner whose API two teams share, shop and bank.
type team struct {
	*owner
	n int
}

// things are one of each that an app has, by the words that stand for them.
type things map[string]string

func (x things) in(s string) string {
	for _, word := range slices.Backward(slices.Sorted(maps.Keys(x))) { // $apps before $app
		s = strings.ReplaceAll(s, word, x[word])
	}
	return s
}

// fresh makes one of each, and the app where it has gone.
func (o *team) fresh(t *testing.T, app string) things {
	t.Helper()
	ctx := t.Context()
	if _, err := o.registry.App(ctx, app); err != nil {
		must[capture.App](t)(o.registry.CreateApp(ctx, app, capture.AppSpec{Name: "of " + app}))
	}
	o.n++
	url := fmt.Sprint(o.app.URL, "/", app, o.n)
	e := must[capture.Endpoint](t)(o.registry.CreateEndpoint(ctx, app, capture.EndpointSpec{URL: url}))
	c := event([]byte(app), func(e *capture.Event) { e.App = app })
	done := finished(c.Event, 200)
	done.Attempts[0].App, done.Attempts[0].Endpoint, done.Attempts[0].URL = app, e.ID, url
	keep(t, o.store, c, done, &capture.Change{Gap: &capture.Gap{App: app, Missed: 1, CatchUp: "all", Relay: "https://" + app}})
	token, _, err := o.registry.CreateToken(ctx, capture.TokenSpec{Name: "of " + app, Scope: capture.ScopeRead, App: app})
	if err != nil {
		t.Fatal(err)
	}
	l := must[capture.Listener](t)(o.store.EditListener(ctx, capture.NewID(capture.ListenerID), func(l *capture.Listener, _ bool) error {
		l.App, l.Name = app, "of "+app
		return nil
	}))
	if _, err := o.registry.Type(ctx, app+":kind"); err != nil {
		must[capture.EventType](t)(o.registry.CreateType(ctx, app+":kind", capture.EventTypeSpec{Name: "of " + app, Sample: capture.Sample{Body: json.RawMessage("{}")}}, ""))
	}
	if _, err := o.registry.Catalog(ctx, app); err != nil {
		must[capture.CatalogRow](t)(o.registry.CreateCatalog(ctx, app, capture.CatalogSpec{Name: "of " + app}, nil))
	}
	rule := must[capture.RuleRow](t)(o.registry.CreateRule(ctx, capture.RuleSpec{App: app, Name: "of " + app, Pass: true}))
	trigger := must[capture.Trigger](t)(o.registry.CreateTrigger(ctx, app, capture.TriggerSpec{Name: fmt.Sprint("of ", app, o.n), URL: url}))
	replay := must[capture.Replay](t)(o.server.Replays.StartReplay(ctx, app, capture.ReplaySpec{Deliveries: []capture.ID{}}))
	if _, err := o.server.Replays.CancelReplay(ctx, replay.ID); err != nil { // of those at work there may be three
		t.Fatal(err)
	}
	return things{"$replay": string(replay.ID), "$delivery": string(done.Attempts[0].Delivery), "$tag": app + ":kind", "$rule": string(rule.ID), "$trigger": string(trigger.ID), "$listener": string(l.ID), "$app": app, "$endpoint": string(e.ID), "$event": string(c.Event.ID), "$attempt": string(done.Attempts[0].ID), "$token": string(token.ID), "$url": url + "/new"}
}

// absent is of each an id or name of which there is none.
func absent(o *team) things {
	o.n++
	return things{"$replay": string(capture.NewID(capture.ReplayID)), "$delivery": string(capture.NewID(capture.DeliveryID)), "$tag": fmt.Sprint("none", o.n, ":kind"), "$rule": string(capture.NewID(capture.RuleID)), "$trigger": string(capture.NewID(capture.TriggerID)), "$listener": string(capture.NewID(capture.ListenerID)), "$app": fmt.Sprint("none", o.n), "$url": fmt.Sprint(o.app.URL, "/", o.n), "$endpoint": string(capture.NewID(capture.EndpointID)),
		"$event": string(capture.NewID(capture.EventID)), "$attempt": string(capture.NewID(capture.AttemptID)), "$token": string(capture.NewID(capture.TokenID))}
}

// settle waits until no attempt is under way.
func (o *team) settle(t *testing.T) {
	t.Helper()
	changed := o.store.Watch(t.Context())
	for must[capture.Counts](t)(o.store.Counts(t.Context())).Pending > 0 {
		<-changed
	}
}

// state is all that an app has, but for what its statistics are.
func (o *team) state(t *testing.T, app string) string {
	t.Helper()
	ctx := t.Context()
	var all []any
	a, err := o.registry.App(ctx, app)
	all = append(all, a, fmt.Sprint(err))
	all = append(all, must[[]capture.EndpointRow](t)(o.registry.Endpoints(ctx, capture.EndpointQuery{App: app, Limit: 1e6})))
	all = append(all, must[capture.Page](t)(o.store.Events(ctx, capture.Query{App: app, Limit: 1e6})))
	all = append(all, must[[]capture.Attempt](t)(o.store.Attempts(ctx, capture.AttemptQuery{App: app, Limit: 1e6})))
	for _, token := range must[[]capture.Token](t)(o.registry.Tokens(ctx)) {
		if token.App == app {
			all = append(all, token)
		}
	}
	c, err := o.registry.Catalog(ctx, app)
	all = append(all, c, fmt.Sprint(err))
	all = append(all, must[[]capture.EventType](t)(o.registry.Types(ctx, app)), must[[]capture.RuleRow](t)(o.registry.Rules(ctx, app)), must[[]capture.Trigger](t)(o.registry.Triggers(ctx, app)))
	b, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestBound asks every operation of the document with a token of every scope,
// bound to an app and to none, about what is the app's and what is another's.
func TestBound(t *testing.T) {
	const (
		about = iota // one app: another's is not there
		list         // what is of the bearer's app
		every        // all apps: for nobody who is bound to one
		open         // nothing, and to everybody
	)
	ops := map[string]struct {
		scopes string // beside manage
		kind   int
		body   string
		status int // of success
	}{
		"GET /api/v1/apps":                         {"read", list, "", 200},
		"POST /api/v1/apps":                        {"", every, `{"slug":"$new"}`, 201},
		"GET /api/v1/apps/$app":                    {"read listen", about, "", 200},
		"PATCH /api/v1/apps/$app":                  {"", about, `{"name":"x"}`, 200},
		"DELETE /api/v1/apps/$app":                 {"", about, "", 204},
		"POST /api/v1/apps/$app/rotate-secret":     {"", about, "", 200},
		"POST /api/v1/apps/$app/rotate-ingest-key": {"", about, "", 200},
		"GET /api/v1/apps/$app/events":             {"read", about, "", 200},
		"POST /api/v1/apps/$app/events":            {"ingest", about, `{"type":"a"}`, 201},
		"GET /api/v1/apps/$app/endpoints":          {"read", about, "", 200},
		"POST /api/v1/apps/$app/endpoints":         {"", about, `{"url":"$url"}`, 201},
		"GET /api/v1/endpoints":                    {"read", list, "", 200},
		"POST /api/v1/endpoints":                   {"", about, `{"app":"$app","url":"$url"}`, 201},
		"GET /api/v1/endpoints/$endpoint":          {"read", about, "", 200},
		"PATCH /api/v1/endpoints/$endpoint":        {"", about, `{"description":"x"}`, 200},
		"DELETE /api/v1/endpoints/$endpoint":       {"", about, "", 200},
		"POST /api/v1/endpoints/$endpoint/enable":  {"", about, "", 200},
		"POST /api/v1/endpoints/$endpoint/disable": {"", about, "", 200},
		"GET /api/v1/endpoints/$endpoint/attempts": {"read", about, "", 200},
		"GET /api/v1/endpoints/$endpoint/stats":    {"read", about, "", 200},
		"POST /api/v1/endpoints/$endpoint/test":    {"", about, "", 200},
		"GET /api/v1/events":                       {"read", list, "", 200},
		"GET /api/v1/events/$event":                {"read", about, "", 200},
		"DELETE /api/v1/events/$event":             {"", about, "", 204},
		"GET /api/v1/events/$event/body":           {"read", about, "", 200},
		"GET /api/v1/events/$event/endpoints":      {"read", about, "", 200},
		"PUT /api/v1/events/$event/pin":            {"", about, "", 204},
		"DELETE /api/v1/events/$event/pin":         {"", about, "", 204},
		"POST /api/v1/events/$event/replay":        {"", about, `{"to":"$url"}`, 202},
		"GET /api/v1/attempts":                     {"read", list, "", 200},
		"GET /api/v1/attempts/$attempt":            {"read", about, "", 200},
		"POST /api/v1/attempts/$attempt/retry":     {"", about, "", 202},
		"GET /api/v1/deliveries":                   {"read", list, "", 200},
		"GET /api/v1/deliveries/$delivery":         {"read", about, "", 200},
		"GET /api/v1/apps/$app/replays":            {"read", about, "", 200},
		"POST /api/v1/apps/$app/replays":           {"", about, `{"deliveries":["$delivery"]}`, 202},
		"GET /api/v1/replays/$replay":              {"read", about, "", 200},
		"POST /api/v1/replays/$replay/cancel":      {"", about, "", 200},
		"GET /api/v1/tokens":                       {"read", list, "", 200},
		"POST /api/v1/tokens":                      {"", about, `{"name":"x","scope":"read","app":"$app"}`, 201},
		"DELETE /api/v1/tokens/$token":             {"", about, "", 204},
		"GET /api/v1/listeners":                    {"read", list, "", 200},
		"GET /api/v1/gaps":                         {"read", list, "", 200},
		"DELETE /api/v1/listeners/$listener":       {"", about, "", 204},
		"POST /api/v1/apps/$app/trigger":           {"", about, `{"type":"stripe:invoice.paid"}`, 201},
		"GET /api/v1/catalogs":                     {"read", list, "", 200},
		"POST /api/v1/catalogs":                    {"", every, `{"slug":"$new"}`, 201},
		"GET /api/v1/catalogs/$app":                {"read", about, "", 200},
		"PATCH /api/v1/catalogs/$app":              {"", about, `{"name":"x"}`, 200},
		"DELETE /api/v1/catalogs/$app":             {"", about, "", 204},
		"GET /api/v1/types":                        {"read", list, "", 200},
		"POST /api/v1/types":                       {"", about, `{"tag":"$app:$new","sample":{"body":{}}}`, 201},
		"GET /api/v1/types/$tag":                   {"read", about, "", 200},
		"PATCH /api/v1/types/$tag":                 {"", about, `{"name":"x"}`, 200},
		"DELETE /api/v1/types/$tag":                {"", about, "", 204},
		"GET /api/v1/rules":                        {"read", list, "", 200},
		"POST /api/v1/rules":                       {"", about, `{"app":"$app","pass":true}`, 201},
		"POST /api/v1/rules/reset":                 {"", every, "", 204},
		"GET /api/v1/rules/$rule":                  {"read", about, "", 200},
		"PATCH /api/v1/rules/$rule":                {"", about, `{"name":"x"}`, 200},
		"DELETE /api/v1/rules/$rule":               {"", about, "", 204},
		"POST /api/v1/rules/$rule/move":            {"", about, `{"place":1}`, 200},
		"POST /api/v1/rules/$rule/reset":           {"", about, "", 204},
		"GET /api/v1/triggers":                     {"read", list, "", 200},
		"POST /api/v1/triggers":                    {"", about, `{"app":"$app","name":"$new","url":"$url"}`, 201},
		"GET /api/v1/triggers/$trigger":            {"read", about, "", 200},
		"PATCH /api/v1/triggers/$trigger":          {"", about, `{"description":"x"}`, 200},
		"DELETE /api/v1/triggers/$trigger":         {"", about, "", 204},
		"POST /api/v1/triggers/$trigger/fire":      {"ingest", about, `{"data":{"a":1}}`, 200},
		"POST /api/v1/events/$event/verify":        {"read", about, "", 200},
		"GET /api/v1/events/$event/rules":          {"read", about, "", 200},
		"POST /api/v1/attempts/$attempt/judge":     {"read", about, "", 200},
		"GET /readyz":                              {"", open, "", 200},
		"GET /api/v1/whoami":                       {"read ingest listen", list, "", 200},
		"GET /api/v1/stats":                        {"read", list, "", 200},
		"GET /api/v1/timeseries":                   {"read", list, "", 200},
		"GET /api/v1/status":                       {"read", list, "", 200},
		"GET /api/v1/live":                         {"read", list, "", 400}, // let in, but this is no websocket
		"GET /api/v1/openapi.json":                 {"read", list, "", 200},
		"GET /openapi.json":                        {"read", list, "", 200},
		"GET /metrics":                             {"read", every, "", 200},
		"GET /healthz":                             {"", open, "", 200},
		"GET /version":                             {"", open, "", 200},
	}
	for _, same := range []string{"reactivate enable", "rotate-secret enable"} {
		name, as, _ := strings.Cut(same, " ")
		ops["POST /api/v1/endpoints/$endpoint/"+name] = ops["POST /api/v1/endpoints/$endpoint/"+as]
	}
	described := operations(t, new(api.Server))
	for op := range described {
		if _, known := ops[op]; !known {
			t.Errorf("%s: say what a token that is bound to an app gets of it", op)
		}
	}
	if len(described) != len(ops) {
		t.Errorf("%d operations are described, and %d asked for", len(described), len(ops))
	}
	for op, tt := range ops {
		o := &team{owner: owned(t)}
		o.server.Token = "s3cret"
		o.server.Ready.Store, o.server.Ready.Targets = "/of/bank", []string{"http://bank.example"}
		h := o.server.Guard(o.server.Handler())
		for _, scope := range capture.Scopes {
			for _, app := range []string{"", "shop"} {
				allowed := scope == capture.ScopeManage || slices.Contains(strings.Fields(tt.scopes), string(scope))
				for _, at := range []string{"shop", "bank"} {
					t.Run(fmt.Sprintf("%s %s of %q at %s", strings.ReplaceAll(op, "/", "|"), scope, app, at), func(t *testing.T) {
						mine := o.fresh(t, at)
						if at == "shop" {
							o.fresh(t, "bank")
						} else {
							o.fresh(t, "shop")
						}
						_, secret, err := o.registry.CreateToken(t.Context(), capture.TokenSpec{Name: "x", Scope: scope, App: app})
						if err != nil {
							t.Fatal(err)
						}
						o.settle(t)
						before := o.state(t, "bank")
						call := func(at things) *httptest.ResponseRecorder {
							o.n++
							method, target, _ := strings.Cut(at.in(op), " ")
							return ask(h, method, target, strings.ReplaceAll(at.in(tt.body), "$new", fmt.Sprint("new", o.n)), "Authorization: Bearer "+secret)
						}
						got := call(mine)
						foreign := app == "shop" && at == "bank"
						if foreign || !allowed {
							if after := o.state(t, "bank"); after != before {
								t.Errorf("the bank's things were changed, from\n%.9999s\nto\n%.9999s", before, after)
							}
						}
						switch {
						case tt.kind == open:
						case !allowed:
							wantProblem(t, got, 403, "scope", "this needs")
							return
						case tt.kind == every && app != "":
							wantProblem(t, got, 403, "app", `bound to the app "shop"`)
							return
						case tt.kind == about && foreign:
							wantProblem(t, got, 404, "not_found", "not found")
							none := absent(o)
							if there, not := generic(got.Body.String(), mine), generic(call(none).Body.String(), none); there != not {
								t.Errorf("the bank's is told from none:\n%s\n%s", there, not)
							}
							return
						}
						if got.Code != tt.status {
							t.Errorf("answered %d %s, want %d", got.Code, got.Body, tt.status)
						}
						if app == "shop" && telling.MatchString(got.Body.String()) {
							t.Errorf("it tells of the bank: %s", got.Body)
						}
					})
				}
			}
		}
	}
}

// telling is what speaks of the bank: samples that came with hooktape hold the
// word too.
var telling = regexp.MustCompile(`of bank|"(app|slug)":"bank|bank:|/bank\b|bank\.example`)

// generic is a text with its ids and names taken out.
func generic(s string, of things) string {
	for _, word := range slices.Sorted(maps.Keys(of)) {
		s = strings.ReplaceAll(s, of[word], "…")
	}
	return s
}

// operations are those of the document, with the words of things in their
// paths.
func operations(t *testing.T, s *api.Server) map[string]bool {
	w := watched(t, s.Handler())
	all := map[string]bool{}
	for path, item := range w.doc["paths"].(map[string]any) {
		for _, noun := range []string{"endpoint", "event", "attempt", "token", "listener", "rule", "trigger", "replay"} {
			path = strings.Replace(path, noun+"s/{id}", noun+"s/$"+noun, 1)
		}
		path = strings.Replace(path, "deliveries/{id}", "deliveries/$delivery", 1)
		for method := range item.(map[string]any) {
			all[strings.ToUpper(method)+" "+strings.NewReplacer("{app}", "$app", "{tag}", "$tag", "{catalog}", "$app").Replace(path)] = true
		}
	}
	return all
}
