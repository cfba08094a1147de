package api

import (
	"net/http"

	"code.hooktape.dev/hooktape/capture"
)

// Dialect is another system's own wire format over the same nouns, beside the
// native API, so that its published clients work here as they are. It is a table
// of routes, shapes, and what maps one to the other; what may be and what
// follows is the Engine's.
type Dialect struct {
	Name string
	// Routes are patterns of http.ServeMux, all answered by Serve.
	Routes []string
	Serve  http.Handler
	// Fail answers what went wrong on the way there, in the dialect's form:
	// always JSON, and no 5xx for a caller's mistake. Status is what the native
	// API would answer.
	Fail func(w http.ResponseWriter, status int, detail string)
	// Token is the token that a request shows in the dialect's way; nil:
	// ShownToken.
	Token func(*http.Request) string
	// Scope is what a token must allow, beside manage, for a request; nil: read
	// for GET and HEAD, and manage.
	Scope func(*http.Request) capture.Scope
	// MaxBody bounds a request's body, in bytes; 0: 1 MiB.
	MaxBody int64
}

func (d *Dialect) token(r *http.Request) string {
	if d == nil || d.Token == nil {
		return ShownToken(r)
	}
	return d.Token(r)
}

func (d *Dialect) needs(r *http.Request) []capture.Scope {
	switch {
	case d == nil:
		return needs(r.Method, r.URL.Path)
	case d.Scope != nil:
		return []capture.Scope{d.Scope(r)}
	case r.Method == http.MethodGet || r.Method == http.MethodHead:
		return []capture.Scope{capture.ScopeRead}
	}
	return []capture.Scope{capture.ScopeManage}
}

// fail answers with an error, in the form of whose request it was.
func (d *Dialect) fail(w http.ResponseWriter, err error) {
	if d == nil {
		fail(w, err)
		return
	}
	p := problemOf(err)
	d.Fail(w, p.Status, p.Detail)
}

// dialects finds whose request one is: nil for what is the native API's.
func (s *Server) dialects() func(*http.Request) *Dialect {
	mux, of := http.NewServeMux(), map[string]*Dialect{}
	for i := range s.Dialects {
		d := &s.Dialects[i]
		for _, pattern := range d.Routes {
			mux.Handle(pattern, d.Serve)
			of[pattern] = d
		}
	}
	return func(r *http.Request) *Dialect {
		_, pattern := mux.Handler(r)
		return of[pattern]
	}
}

// StatusOf is the status with which the API answers an error, and what it says.
func StatusOf(err error) (status int, detail string) {
	p := problemOf(err)
	return p.Status, p.Detail
}
