// Package wacht speaks the webhooks API of Wacht, as its published client has
// it, about hooktape's apps, endpoints, events and attempts.
//
// A Wacht app is an app, its event catalog a catalog of event types, a webhook
// endpoint an endpoint of the format "wacht" with the schedule "wacht", and a
// delivery is a delivery. Ids are hooktape's own, as opaque strings.
package wacht

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/relay/api"
)

// Options are what Wacht's document and its servers do differently. The zero
// Options are the defaults.
type Options struct {
	// MaskSecrets shows an app's signing secret when it is made or rotated
	// and masks it from then on. Else every read has it, for who may manage.
	MaskSecrets bool
	// RotateAtOnce lets a replaced signing secret count no longer. Else
	// requests are signed with both for 24 hours.
	RotateAtOnce bool
	// OpenCatalog lets endpoints subscribe to events that the app's catalog
	// has not.
	OpenCatalog bool
}

// deploymentID is the one tenant there is.
const deploymentID = "1"

// New is the dialect, about what engine has for a request.
func New(engine func(*http.Request) api.Engine, o Options) api.Dialect {
	d := &dialect{engine, o}
	mux := http.NewServeMux()
	for _, routes := range []map[string]handler{d.routes(), d.logRoutes()} {
		for pattern, h := range routes {
			mux.HandleFunc(pattern, d.answered(h))
		}
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { fail(w, nowhere(mux, w, r)) })
	return api.Dialect{
		Name: "wacht", Routes: []string{"/webhooks", "/webhooks/"}, Serve: mux, MaxBody: 25 << 20, Scope: scope,
		Fail: func(w http.ResponseWriter, status int, detail string) { fail(w, &fault{status, detail}) },
	}
}

type dialect struct {
	engine  func(*http.Request) api.Engine
	options Options
}

// handler answers a request with the JSON value of a 200.
type handler func(e api.Engine, r *http.Request) (any, error)

// routes are those of apps, endpoints and catalogs.
func (d *dialect) routes() map[string]handler {
	const app, endpoint, catalog = "/webhooks/apps/{app}", "/webhooks/apps/{app}/endpoints/{endpoint}", "/webhooks/event-catalogs/{catalog}"
	return map[string]handler{
		"GET /webhooks/apps":             d.apps,
		"POST /webhooks/apps":            d.createApp,
		"GET " + app:                     d.app,
		"PATCH " + app:                   d.updateApp,
		"DELETE " + app:                  d.deleteApp,
		"POST " + app + "/rotate-secret": d.rotateSecret,
		"GET " + app + "/events":         d.eventsOfApp,
		"GET " + app + "/catalog":        d.catalogOfApp,
		"POST " + app + "/trigger":       d.trigger,

		"GET " + app + "/endpoints":                      d.endpoints,
		"POST " + app + "/endpoints":                     d.createEndpoint,
		"PATCH " + endpoint:                              d.updateEndpoint,
		"DELETE " + endpoint:                             d.deleteEndpoint,
		"POST " + endpoint + "/test":                     d.testEndpoint,
		"POST /webhooks/endpoints/{endpoint}/reactivate": d.reactivateEndpoint,

		"GET /webhooks/event-catalogs":       d.catalogs,
		"POST /webhooks/event-catalogs":      d.createCatalog,
		"GET " + catalog:                     d.catalog,
		"PUT " + catalog:                     d.updateCatalog,
		"POST " + catalog + "/append-events": d.appendEvents,
		"POST " + catalog + "/archive-event": d.archiveEvent,
	}
}

// scope is read for what only reads, ingest for what makes events, else manage.
func scope(r *http.Request) capture.Scope {
	triggers, _ := path.Match("/webhooks/apps/*/trigger", r.URL.Path)
	switch {
	case r.Method == http.MethodGet || r.Method == http.MethodHead:
		return capture.ScopeRead
	case r.Method == http.MethodPost && triggers:
		return capture.ScopeIngest
	}
	return capture.ScopeManage
}

func (d *dialect) answered(h handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		v, err := h(d.engine(r), r)
		if err != nil {
			fail(w, err)
			return
		}
		reply(w, http.StatusOK, v)
	}
}

func reply(w http.ResponseWriter, status int, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		status, b = http.StatusInternalServerError, failure(http.StatusInternalServerError, err.Error())
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	w.Write(b)
}

// nowhere says what is wrong with a request that no route takes.
func nowhere(mux *http.ServeMux, w http.ResponseWriter, r *http.Request) error {
	var allowed []string
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		other := *r
		other.Method = method
		if _, pattern := mux.Handler(&other); pattern != "/" {
			allowed = append(allowed, method)
		}
	}
	if len(allowed) == 0 {
		return missing("There is no %s", r.URL.Path)
	}
	w.Header().Set("Allow", strings.Join(allowed, ", "))
	return &fault{http.StatusMethodNotAllowed, "Method not allowed"}
}

// page is a window on a list: rows has one more than limit where there is more.
func page[T any](rows []T, limit, offset int) any {
	more := len(rows) > limit
	return paged[T]{Data: append([]T{}, rows[:min(limit, len(rows))]...), More: more, Limit: limit, Offset: offset}
}

// cut is page of all rows that there are, and says how many.
func cut[T any](all []T, limit, offset int) any {
	total := len(all)
	all = all[min(offset, total):]
	return paged[T]{all[:min(limit, len(all))], len(all) > limit, limit, offset, &total}
}

type paged[T any] struct {
	Data   []T  `json:"data"`
	More   bool `json:"has_more"`
	Limit  int  `json:"limit"`
	Offset int  `json:"offset"`
	Total  *int `json:"total,omitempty"` // which Wacht's servers leave out, and its client's types have
}

// window reads limit and offset of the query. A limit that is left out is the
// one given; it is kept within 1 and most.
func window(r *http.Request, limit, most int) (l, offset int, err error) {
	if limit, err = number(r, "limit", limit); err != nil {
		return 0, 0, err
	}
	offset, err = number(r, "offset", 0)
	return min(max(limit, 1), most), offset, err
}

// number reads a whole number of the query, not below 0.
func number(r *http.Request, name string, absent int) (int, error) {
	text := r.URL.Query().Get(name)
	if text == "" {
		return absent, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		return 0, bad("Bad request: %s is %.40q: want a whole number", name, text)
	}
	return n, nil
}

// decode reads a request's JSON. Members that T has not are ignored; of those
// that T's method needs names as left out, the first is an error.
func decode[T any](r *http.Request) (v T, err error) {
	text, err := io.ReadAll(r.Body)
	if over := new(http.MaxBytesError); errors.As(err, &over) {
		return v, &fault{http.StatusRequestEntityTooLarge, fmt.Sprintf("The body is over the limit of %d bytes", over.Limit)}
	}
	if err != nil {
		return v, bad("Bad request: %v", err)
	}
	err = json.Unmarshal(text, &v)
	if wrong := new(json.UnmarshalTypeError); errors.As(err, &wrong) {
		return v, &fault{http.StatusUnprocessableEntity, fmt.Sprintf("Invalid request payload: %s cannot be a %s", field(wrong.Field), wrong.Value)}
	}
	if err != nil {
		return v, bad("Bad request: the body is not valid JSON: %s", strings.TrimPrefix(err.Error(), "json: "))
	}
	if needy, ok := any(v).(interface{ needs() []string }); ok {
		if left := needy.needs(); len(left) > 0 {
			return v, &fault{http.StatusUnprocessableEntity, "Invalid request payload: missing field " + left[0]}
		}
	}
	return v, nil
}

func field(path string) string {
	if path == "" {
		return "the body"
	}
	return path
}

// absent are the names of members that are left out, or null.
func absent(members map[string]bool) (names []string) {
	for name, there := range members {
		if !there {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// stamp is a time as Wacht writes it.
func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

// stamped is stamp, or null where t is no time.
func stamped(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	text := stamp(t)
	return &text
}
