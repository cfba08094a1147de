package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/relay"
)

// route is one operation of the API: what the mux serves and what the
// document describes, so that the two cannot differ.
type route struct {
	name    string // of the operation, for generated clients; never changes
	op      string // method and path, as ServeMux has them
	whose   whose
	summary string
	params  []parameter // beside those in the path
	handler
	fails []int // statuses beside those that every such route may answer with
}

// method is the first half of op.
func (rt *route) method() string {
	method, _, _ := strings.Cut(rt.op, " ")
	return method
}

// path is the second half of op.
func (rt *route) path() string {
	_, path, _ := strings.Cut(rt.op, " ")
	return path
}

// parameter is one of a query, or a header.
type parameter struct {
	name   string
	about  string
	schema schema
	header bool
}

// handler is how a route is served, and what goes in and comes out.
type handler struct {
	serve    func(http.ResponseWriter, *http.Request) error
	in       reflect.Type // of the body; nil: none
	as       string       // asInput or asPatch
	required []string     // members of in
	out      reflect.Type // of the answer; nil: none, or of the media type
	media    string       // "": JSON
	statuses []int        // of success
}

// answers is a handler that takes nothing and answers 200 with JSON.
func answers[Out any](f func(*http.Request) (Out, error)) handler {
	return answersAs(http.StatusOK, f)
}

func answersAs[Out any](status int, f func(*http.Request) (Out, error)) handler {
	return handler{out: reflect.TypeFor[Out](), statuses: []int{status}, serve: func(w http.ResponseWriter, r *http.Request) error {
		v, err := f(r)
		if err != nil {
			return err
		}
		return reply(w, status, v)
	}}
}

// does is a handler that takes nothing and has nothing to say.
func does(f func(*http.Request) error) handler {
	return handler{statuses: []int{http.StatusNoContent}, serve: func(w http.ResponseWriter, r *http.Request) error {
		if err := f(r); err != nil {
			return err
		}
		w.WriteHeader(http.StatusNoContent)
		return nil
	}}
}

// takes is a handler that reads JSON and answers with JSON. The members named
// must be there.
func takes[In, Out any](status int, f func(*http.Request, In) (Out, error), required ...string) handler {
	h := answersAs(status, func(r *http.Request) (out Out, err error) {
		var in In
		if err := readBody(r, &in); err != nil {
			return out, err
		}
		return f(r, in)
	})
	h.in, h.as, h.required = reflect.TypeFor[In](), asInput, required
	return h
}

// patches is takes for a JSON merge patch (RFC 7396) of a Whole.
func patches[Whole, Out any](f func(*http.Request, json.RawMessage) (Out, error)) handler {
	h := takes(http.StatusOK, f)
	h.in, h.as = reflect.TypeFor[Whole](), asPatch
	return h
}

// raw is a handler that writes its answer itself, of the media type.
func raw(media string, serve func(http.ResponseWriter, *http.Request) error) handler {
	return handler{serve: serve, media: media, statuses: []int{http.StatusOK}}
}

// nowhere answers what no route does: 405 where the path has another method,
// else 404 and what may have been meant.
func nowhere(w http.ResponseWriter, r *http.Request, routes []route) error {
	var allowed []string
	meant := ""
	for _, rt := range routes {
		like := resembles(rt.path(), r.URL.Path)
		switch {
		case like == r.URL.Path && rt.method() == http.MethodGet:
			allowed = append(allowed, http.MethodGet, http.MethodHead)
		case like == r.URL.Path:
			allowed = append(allowed, rt.method())
		case like != "" && meant == "":
			meant = fmt.Sprintf(" Did you mean %s?", like)
		}
	}
	if allowed != nil {
		slices.Sort(allowed)
		allow := strings.Join(allowed, ", ")
		w.Header().Set("Allow", allow)
		return &problem{Status: http.StatusMethodNotAllowed, Code: "method_not_allowed",
			Detail: fmt.Sprintf("%s %s: want %s.", r.Method, r.URL.Path, allow)}
	}
	return &problem{Status: http.StatusNotFound, Code: "not_found",
		Detail: fmt.Sprintf("%s %s: no such resource.%s GET /api/v1/openapi.json lists what there is.", r.Method, r.URL.Path, meant)}
}

// resembles is the path of a route that somebody may have meant by given: it
// itself, or one of as many segments of which those that differ are alike, or
// "".
func resembles(path, given string) string {
	want, got := strings.Split(path, "/"), strings.Split(strings.TrimRight(given, "/"), "/")
	if len(want) != len(got) {
		return ""
	}
	for i, segment := range want {
		if strings.HasPrefix(segment, "{") && got[i] != "" {
			continue
		}
		if segment != got[i] && capture.Nearest(got[i], []string{segment}) == "" {
			return ""
		}
		got[i] = segment
	}
	return strings.Join(got, "/")
}

// registry manages in the name of who asks.
func (s *Server) registry(r *http.Request) *relay.Registry { return s.Registry.As(callerOf(r).name) }

// pathID is the id in a route's path.
func pathID(r *http.Request, noun string) (capture.ID, error) {
	return capture.ParseID(noun, r.PathValue("id"))
}
