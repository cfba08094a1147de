// Package coviu speaks of triggers as Coviu's plugins do, whose document calls
// them webhooks: they are registered by whoever runs the platform, in the
// document's format, and a plugin fires them by their ids through a service that
// shows it neither URLs nor credentials. A plugin is an app. The document names
// no routes, for its api is handed to plugins in their page; coviu.mjs, beside
// this file and served by it, makes that api of these.
package coviu

import (
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/relay/api"
)

// base is above all routes.
const base = "/coviu/v1/plugins/{plugin}/"

// module is the api that plugins have.
//
//go:embed coviu.mjs
var module []byte

// New is the dialect over an engine. Firing asks for a token of the scope
// ingest, audits for read, and all else for manage.
func New(engine func(*http.Request) api.Engine) api.Dialect {
	s := &service{engine}
	mux := http.NewServeMux()
	for pattern, serve := range map[string]func(*http.Request) (int, any, error){
		"POST " + base + "webhooks/{id}/trigger": s.trigger,
		"GET " + base + "audits":                 s.audits,
		"GET " + base + "webhooks":               s.list,
		"POST " + base + "webhooks":              s.create,
		"GET " + base + "webhooks/{id}":          s.get,
		"PUT " + base + "webhooks/{id}":          s.put,
		"DELETE " + base + "webhooks/{id}":       s.remove,
		"/":                                      nowhere,
	} {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			status, v, err := serve(r)
			if err != nil {
				status, v = refusalOf(err)
			}
			reply(w, status, v)
		})
	}
	mux.HandleFunc("GET /coviu/v1/coviu.mjs", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/javascript; charset=utf-8")
		w.Write(module)
	})
	return api.Dialect{
		Name: "coviu", Routes: []string{"/coviu/v1/"}, Serve: mux, MaxBody: 25 << 20, Scope: scope,
		Fail: func(w http.ResponseWriter, status int, detail string) {
			reply(w, status, refusal{codes[status], detail})
		},
	}
}

func scope(r *http.Request) capture.Scope {
	switch {
	case r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/trigger"), strings.HasSuffix(r.URL.Path, ".mjs"):
		return capture.ScopeIngest
	case r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, "/audits"):
		return capture.ScopeRead
	}
	return capture.ScopeManage
}

type service struct {
	engine func(*http.Request) api.Engine
}

// refusal is why something was not done.
type refusal struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

// codes are those of refusals by their status.
var codes = map[int]string{
	http.StatusUnauthorized:          "unauthorized",
	http.StatusForbidden:             "forbidden",
	http.StatusNotFound:              "unknown_webhook",
	http.StatusMethodNotAllowed:      "method_not_allowed",
	http.StatusConflict:              "conflict",
	http.StatusUnprocessableEntity:   "invalid_request",
	http.StatusRequestEntityTooLarge: "invalid_request",
	http.StatusInternalServerError:   "internal",
}

// errNowhere is returned for what is no route.
var errNowhere = errors.New("no such route")

func nowhere(r *http.Request) (int, any, error) {
	return 0, nil, fmt.Errorf("%s %s: %w", r.Method, r.URL.Path, errNowhere)
}

// refusalOf tells a caller's mistake from others, of which nothing more is said.
func refusalOf(err error) (int, refusal) {
	status, detail := api.StatusOf(err)
	switch over := new(http.MaxBytesError); {
	case errors.Is(err, errNowhere):
		return http.StatusNotFound, refusal{"not_found", err.Error()}
	case errors.As(err, &over):
		status, detail = http.StatusRequestEntityTooLarge, fmt.Sprintf("the body is over the limit of %d bytes", over.Limit)
	case errors.Is(err, capture.ErrDisabled):
		status, detail = http.StatusNotFound, "the plugin is inactive"
	case status == http.StatusBadRequest:
		status = http.StatusUnprocessableEntity
	}
	if codes[status] == "" || status >= 500 {
		return http.StatusInternalServerError, refusal{"internal", "the webhook service failed; try again, or ask who runs it"}
	}
	return status, refusal{codes[status], detail}
}

func reply(w http.ResponseWriter, status int, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // what it is made of was JSON
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	w.Write(append(b, '\n'))
}

// named is the plugin's webhook of the path's id. Of what is another's it says
// what it says of what is not there.
func named(r *http.Request, engine api.Engine) (t capture.Trigger, err error) {
	id := r.PathValue("id")
	all, err := engine.Triggers(r.Context(), r.PathValue("plugin"))
	if err != nil && !errors.Is(err, capture.ErrNotFound) {
		return t, err
	}
	for _, t := range all {
		if t.Name == id {
			return t, nil
		}
	}
	return t, unknown(id)
}

func unknown(id string) error {
	return fmt.Errorf("there is no webhook %q: %w", id, capture.ErrNotFound)
}

// call is what a plugin fires a webhook with.
type call struct {
	Data        json.RawMessage            `json:"data"`
	Headers     map[string]json.RawMessage `json:"headers"`
	QueryParams map[string]json.RawMessage `json:"queryParams"`
}

// result is what a plugin's promise resolves to.
type result struct {
	Reference capture.ID      `json:"referenceId"`
	Status    int             `json:"status"`
	Data      json.RawMessage `json:"data"`
	Error     bool            `json:"error"`
}

func (s *service) trigger(r *http.Request) (int, any, error) {
	var in call
	if err := read(r, &in, true); err != nil {
		return 0, nil, err
	}
	engine := s.engine(r)
	t, err := named(r, engine)
	if err != nil {
		return 0, nil, err
	}
	out, err := engine.FireTrigger(r.Context(), t.ID, capture.TriggerCall(in))
	if errors.Is(err, capture.ErrNotFound) {
		err = unknown(t.Name)
	}
	if wrong := new(capture.FieldError); errors.As(err, &wrong) {
		err = &capture.FieldError{Field: strings.Replace(wrong.Field, "query_params", "queryParams", 1), Problem: wrong.Problem}
	}
	return http.StatusOK, result(out), err
}
