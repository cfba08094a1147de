package api

import (
	"cmp"
	"net/http"
	"reflect"
	"strconv"
	"strings"

	"code.hooktape.dev/hooktape/capture"
)

// openapi is the description of the API (OpenAPI 3.1), made of its routes.
func (s *Server) openapi(w http.ResponseWriter, r *http.Request) error {
	named := map[string]schema{}
	problems := schemas{named: named}.of(reflect.TypeFor[problem]())
	paths := map[string]schema{}
	for _, rt := range s.routes() {
		if paths[rt.path()] == nil {
			paths[rt.path()] = schema{}
		}
		paths[rt.path()][strings.ToLower(rt.method())] = rt.operation(named)
	}
	return reply(w, http.StatusOK, schema{
		"openapi": "3.1.0",
		"info":    schema{"title": "hooktape", "version": cmp.Or(s.Version, "dev"), "description": "Catch, keep, deliver and replay webhooks."},
		"paths":   paths,
		"components": schema{
			"schemas":   named,
			"responses": schema{"Problem": schema{"description": "What went wrong (RFC 9457).", "content": schema{problemType: schema{"schema": problems}}}},
			"securitySchemes": schema{"bearer": schema{"type": "http", "scheme": "bearer",
				"description": "A token is asked for as soon as there is one. The role an operation names is a scope that allows it; manage allows all. To a token that is bound to an app, what is another app's is not there."}},
		},
	})
}

// operation describes a route. Schemas go to named.
func (rt *route) operation(named map[string]schema) schema {
	op := schema{"operationId": rt.name, "summary": rt.summary, "responses": rt.responses(named)}
	if first, _, _ := strings.Cut(strings.TrimPrefix(rt.path(), "/api/v1/"), "/"); first != "" {
		op["tags"] = []string{first}
	}
	op["security"] = []schema{}
	if !open(rt.path()) {
		op["security"] = alternatives(needs(rt.method(), rt.path()))
	}
	if params := rt.parameters(); params != nil {
		op["parameters"] = params
	}
	if rt.in != nil {
		body := schemas{named, rt.as}.of(rt.in)
		if rt.required != nil {
			body["required"] = rt.required
		}
		op["requestBody"] = schema{"required": rt.required != nil, "content": schema{jsonType: schema{"schema": body}}}
	}
	return op
}

// alternatives are scopes of which each is enough.
func alternatives(scopes []capture.Scope) (all []schema) {
	for _, scope := range scopes {
		all = append(all, schema{"bearer": []capture.Scope{scope}})
	}
	return all
}

func (rt *route) parameters() (params []schema) {
	for segment := range strings.SplitSeq(rt.path(), "/") {
		if name, ok := strings.CutPrefix(segment, "{"); ok {
			params = append(params, schema{"name": strings.TrimSuffix(name, "}"), "in": "path", "required": true, "schema": text})
		}
	}
	for _, p := range rt.params {
		in := "query"
		if p.header {
			in = "header"
		}
		params = append(params, schema{"name": p.name, "in": in, "description": p.about, "schema": p.schema})
	}
	return params
}

// responses are the successes of a route, and the problems it may answer
// with.
func (rt *route) responses(named map[string]schema) schema {
	all := schema{"5XX": problemRef}
	for _, status := range rt.failures() {
		all[strconv.Itoa(status)] = problemRef
	}
	for _, status := range rt.statuses {
		res := schema{"description": http.StatusText(status)}
		switch {
		case status == http.StatusSwitchingProtocols: // to messages, for which OpenAPI has no words
			res["x-messages"] = schemas{named: named}.of(rt.out)
		case rt.out != nil:
			res["content"] = schema{jsonType: schema{"schema": schemas{named: named}.of(rt.out)}}
		case rt.media != "":
			res["content"] = schema{rt.media: schema{}}
		}
		all[strconv.Itoa(status)] = res
	}
	return all
}

// failures are the statuses of the problems that a route may answer with,
// beside those of the server's own.
func (rt *route) failures() []int {
	all := append([]int{http.StatusForbidden}, rt.fails...)
	if !open(rt.path()) {
		all = append(all, http.StatusUnauthorized)
	}
	if strings.Contains(rt.path(), "{") {
		all = append(all, http.StatusNotFound)
	}
	if strings.Contains(rt.path(), "{id}") || rt.params != nil || rt.in != nil {
		all = append(all, http.StatusBadRequest)
	}
	if rt.in != nil {
		all = append(all, http.StatusRequestEntityTooLarge)
	}
	return all
}

var problemRef = schema{"$ref": "#/components/responses/Problem"}
