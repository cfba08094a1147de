// Package ductape serves Ductape's webhooks and their events: an app is a
// webhook, and an event type one of its events, with a sample of what is sent.
//
// Its document shows calls of a library and no requests, so the paths are ours;
// ductape.mjs, beside this, is that library's part which the document shows. The
// one call over which Ductape's newer tools do everything is answered too.
package ductape

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/relay/api"
)

// Options are choices that the document leaves open.
type Options struct {
	// Mode is how a webhook that is made here checks what it takes; "": lenient.
	Mode Mode
}

// maxBody is room for a sample of 1 MiB as a call has it: encrypted, in base64.
const maxBody = 4 << 20

// New is the dialect.
func New(engine func(*http.Request) api.Engine, o Options) api.Dialect {
	routes := table()
	mux := http.NewServeMux()
	d := api.Dialect{Name: "ductape", Routes: []string{"/ductape/v1/"}, Serve: mux, Fail: failed, Token: token, MaxBody: maxBody}
	for pattern, methods := range routes {
		if !strings.HasPrefix(pattern, d.Routes[0]) {
			d.Routes = append(d.Routes, pattern)
		}
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			c := &call{Engine: engine(r), r: r, o: o}
			data, err := methods.serve(c)
			answer(w, r, data, err)
		})
	}
	mux.HandleFunc("GET "+d.Routes[0]+"ductape.mjs", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/javascript; charset=utf-8")
		w.Write(module)
	})
	mux.HandleFunc(d.Routes[0], func(w http.ResponseWriter, r *http.Request) {
		answer(w, r, nil, fmt.Errorf("there is nothing at %.200s: %w", r.URL.Path, capture.ErrNotFound))
	})
	return d
}

// module is the part of Ductape's library that the document shows.
//
//go:embed ductape.mjs
var module []byte

// methods are what can be done at a path.
type methods map[string]func(*call) (any, error)

// table is all that there is.
func table() map[string]methods {
	tag := func(c *call) string { return c.r.PathValue("tag") }
	product := func(c *call) string { return c.r.PathValue("product") }
	return map[string]methods{
		"/ductape/v1/webhooks": {
			"GET":  func(c *call) (any, error) { return c.webhooks() },
			"POST": func(c *call) (any, error) { return withBody(c, c.createWebhook) },
		},
		"/ductape/v1/webhooks/import": {
			"POST": func(c *call) (any, error) { return withBody(c, c.importBulk) },
		},
		"/ductape/v1/webhooks/{tag}": update(methods{
			"GET":    func(c *call) (any, error) { return c.webhook(tag(c)) },
			"DELETE": func(c *call) (any, error) { return c.deleteWebhook(tag(c)) },
		}, func(c *call, in webhookInput) (any, error) { return c.updateWebhook(tag(c), in) }),
		"/ductape/v1/webhooks/{tag}/events": {
			"GET": func(c *call) (any, error) { return c.events(tag(c)) },
			"POST": func(c *call) (any, error) {
				return withBody(c, func(in eventInput) (any, error) { return c.createEvent(tag(c), in) })
			},
		},
		"/ductape/v1/events": {
			"POST": func(c *call) (any, error) {
				return withBody(c, func(in eventInput) (any, error) { return c.createEvent("", in) })
			},
		},
		"/ductape/v1/events/{tag}": update(methods{
			"GET":    func(c *call) (any, error) { return c.event(tag(c)) },
			"DELETE": func(c *call) (any, error) { return c.deleteEvent(tag(c)) },
		}, func(c *call, in eventInput) (any, error) { return c.updateEvent(tag(c), in) }),
		"/ductape/v1/products/{product}/webhooks": {
			"GET": func(c *call) (any, error) {
				return c.registered(product(c), c.r.URL.Query().Get("access_tag"), "")
			},
			"POST": func(c *call) (any, error) {
				return withBody(c, func(in productInput) (any, error) { return c.enable(product(c), in) })
			},
		},
		"/ductape/v1/products/{product}/webhooks/generate-link": {
			"POST": func(c *call) (any, error) {
				return withBody(c, func(in productInput) (any, error) { return c.generateLink(product(c), in) })
			},
		},
		"/proxy/v1/sdk-proxy/execute": {"POST": (*call).execute},
	}
}

// update adds the methods that change what is there: both change what the body
// names and nothing else.
func update[T any](m methods, f func(*call, T) (any, error)) methods {
	m["PUT"] = func(c *call) (any, error) { return withBody(c, func(in T) (any, error) { return f(c, in) }) }
	m["PATCH"] = m["PUT"]
	return m
}

func (m methods) serve(c *call) (any, error) {
	method := c.r.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	f, ok := m[method]
	if !ok {
		var all []string
		for name := range m {
			all = append(all, name)
		}
		slices.Sort(all)
		return nil, &failure{http.StatusMethodNotAllowed, fmt.Sprintf("%.20q: want %s", method, strings.Join(all, ", "))}
	}
	return f(c)
}

// call is one request.
type call struct {
	api.Engine
	r *http.Request
	o Options
	// bare says that samples are written as their body alone, where they are
	// nothing else: as newer tools have them.
	bare bool
}

// withBody reads what f is to be given from a request's body.
func withBody[T any](c *call, f func(T) (any, error)) (any, error) {
	body, err := io.ReadAll(c.r.Body)
	if err != nil {
		return nil, unread(err)
	}
	in, err := read[T](body)
	if err != nil {
		return nil, err
	}
	return f(in)
}

func unread(err error) error {
	if large := new(http.MaxBytesError); errors.As(err, &large) {
		return &failure{http.StatusRequestEntityTooLarge, fmt.Sprintf("the body is over %d bytes", large.Limit)}
	}
	return &failure{http.StatusBadRequest, "the body cannot be read: " + err.Error()}
}

// read decodes JSON. Members that are not known are left out, as clients send
// back what they were shown.
func read[T any](text []byte) (in T, err error) {
	if !bytes.HasPrefix(bytes.TrimSpace(text), []byte("{")) {
		return in, &failure{http.StatusBadRequest, "want a JSON object"}
	}
	err = json.Unmarshal(text, &in)
	if wrong := new(json.UnmarshalTypeError); errors.As(err, &wrong) {
		return in, &capture.FieldError{Field: wrong.Field, Problem: wrong.Value + " cannot stand here"}
	}
	if field := new(capture.FieldError); err != nil && !errors.As(err, &field) {
		return in, &failure{http.StatusBadRequest, strings.TrimPrefix(err.Error(), "json: ")}
	}
	return in, err
}

// token is the one that a request shows, in either of Ductape's ways.
func token(r *http.Request) string {
	if given := r.Header.Get("X-Access-Token"); given != "" {
		return given
	}
	return api.ShownToken(r)
}
