// Package blocklet speaks the webhooks of ArcBlock's Blocklet Server: GraphQL at
// the paths where its clients look for it, which takes the arguments that they
// send and those that its document shows, and the call by which components
// publish events.
//
// A team is an app, see Slug. What an endpoint is sent, when again, and what
// disables it, is capture.FormatBlocklet and the retry preset "blocklet".
package blocklet

import (
	"encoding/json"
	"net/http"
	"net/url"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/relay/api"
)

// Options are choices where its document and its servers differ. The zero
// Options are as the document has it.
type Options struct {
	ISO     bool // times are ISO 8601, not milliseconds
	FromOne bool // the retryCount of a first attempt is 1, as its servers have it, and not 0
}

const wellKnown = "/.well-known/service"

// New is the dialect, speaking about what engine gives for a request.
func New(engine func(*http.Request) api.Engine, o Options) api.Dialect {
	g := newGraph(engine, o)
	mux := http.NewServeMux()
	routes := []string{"POST /{$}"}
	for _, path := range []string{"/api/gql", wellKnown + "/api/gql", "/api"} {
		routes = append(routes, "GET "+path, "POST "+path)
	}
	for _, route := range routes {
		mux.Handle(route, answered(g.serve))
	}
	b := bus{engine}
	mux.Handle("POST "+publish, answered(b.publish))
	mux.Handle("GET "+catalog, answered(b.catalog))
	return api.Dialect{
		Name: "blocklet", Routes: append(routes, "POST "+publish, "GET "+catalog), Serve: mux,
		Fail: fail, Token: token, Scope: scope,
	}
}

// token is that of Authorization: Bearer, which clients percent-encode.
func token(r *http.Request) string {
	given := api.ShownToken(r)
	if plain, err := url.PathUnescape(given); err == nil {
		return plain
	}
	return given
}

// scope lets readers in wherever there is a query to be read first: mutations
// ask again.
func scope(r *http.Request) capture.Scope {
	if r.URL.Path == publish {
		return capture.ScopeIngest
	}
	return capture.ScopeRead
}

// refusal is an answer that is no GraphQL's.
type refusal struct {
	Status int    `json:"-"`
	Code   string `json:"code"`
	Detail string `json:"error"` // which clients show
}

func (r *refusal) Error() string { return r.Detail }

// fail answers for the guard. Clients show error, and know its words.
func fail(w http.ResponseWriter, status int, detail string) {
	r := refusal{status, "forbidden", detail}
	switch status {
	case http.StatusUnauthorized:
		r.Detail = "not allowed"
	case http.StatusForbidden:
		r.Detail = "no permission: " + detail
	}
	write(w, r.Status, r)
}

var noPermission = &refusal{http.StatusForbidden, "forbidden", "no permission"}

// answered answers with what went wrong.
func answered(f func(http.ResponseWriter, *http.Request) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		err := f(w, r)
		if err == nil {
			return
		}
		out, ok := err.(*refusal)
		if !ok {
			status, detail := api.StatusOf(err)
			out = &refusal{status, "invalid", detail}
		}
		write(w, out.Status, out)
	})
}

func write(w http.ResponseWriter, status int, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		status, b = http.StatusInternalServerError, []byte(`{"code":"internal","error":"the answer is no JSON"}`)
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	w.Write(append(b, '\n'))
}
