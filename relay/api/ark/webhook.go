package ark

import (
	"cmp"
	"encoding/json"
	"math"
	"net/http"
	"slices"
	"strings"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/relay/api"
)

// webhook is an endpoint as ARK has it.
type webhook struct {
	ID         capture.ID          `json:"id"`
	Event      string              `json:"event"`
	Target     string              `json:"target"`
	Token      string              `json:"token,omitempty"` // once: to who creates it
	Enabled    bool                `json:"enabled"`
	Conditions []capture.Condition `json:"conditions"`
}

// shown is an endpoint, wherever it was made. One that gets more than one type
// has them all as its event, * standing for any, and the conditions of the
// first.
func shown(e *capture.Endpoint) webhook {
	w := webhook{ID: e.ID, Event: "*", Target: e.URL, Enabled: e.Status == capture.EndpointEnabled, Conditions: []capture.Condition{}}
	var types []string
	for _, s := range e.Subscriptions {
		types = append(types, cmp.Or(s.Type, "*"))
	}
	if len(types) > 0 {
		w.Event = strings.Join(types, ",")
		w.Conditions = append(w.Conditions, e.Subscriptions[0].Conditions...)
	}
	return w
}

// subscribed is what an endpoint subscribes to once it gets this event on these
// conditions. What it has shown and is sent back stays as it is.
func subscribed(e *capture.Endpoint, event string, conditions []capture.Condition) []capture.Subscription {
	now := slices.Clone(e.Subscriptions)
	switch {
	case event != shown(e).Event:
		return only(event, conditions)
	case len(now) > 0:
		now[0].Conditions = conditions
	case len(conditions) > 0:
		now = []capture.Subscription{{Conditions: conditions}}
	}
	return now
}

// only is what ARK's own webhooks subscribe to.
func only(event string, conditions []capture.Condition) []capture.Subscription {
	return []capture.Subscription{{Type: event, Exact: true, Conditions: conditions}}
}

// data is what one webhook is answered as.
type data struct {
	Data webhook `json:"data"`
}

func create(engine api.Engine, r *http.Request) (int, any, error) {
	in, err := read(r, "event", "target", "conditions")
	if err != nil {
		return 0, nil, err
	}
	spec := capture.EndpointSpec{URL: in.target, Subscriptions: only(in.event, in.conditions), Format: capture.FormatARK, Retry: &capture.RetryPolicy{Preset: "ark"}}
	app := r.URL.Query().Get("app")
	var e capture.Endpoint
	if in.enabled != nil && !*in.enabled {
		e, err = engine.CreateDisabled(r.Context(), app, spec, "")
	} else {
		e, err = engine.CreateEndpoint(r.Context(), app, spec)
	}
	w := shown(&e)
	w.Token = e.Secret.Key
	return http.StatusCreated, data{w}, err
}

// one is the endpoint that a request names.
func one(engine api.Engine, r *http.Request) (capture.Endpoint, error) {
	row, err := engine.Endpoint(r.Context(), capture.ID(r.PathValue("id")))
	if err == nil && (row.Status == "" || row.Status == capture.EndpointDeleted) {
		err = errNone
	}
	return row.Endpoint, found(err)
}

func show(engine api.Engine, r *http.Request) (int, any, error) {
	e, err := one(engine, r)
	return http.StatusOK, data{shown(&e)}, err
}

func (d dialect) update(engine api.Engine, r *http.Request) (int, any, error) {
	must := []string{"event", "target", "enabled", "conditions"}
	if d.Partial {
		must = nil
	}
	in, err := read(r, must...)
	if err != nil {
		return 0, nil, err
	}
	e, err := one(engine, r)
	if err != nil {
		return 0, nil, err
	}
	patch, err := json.Marshal(changes(&e, in))
	if err == nil {
		_, err = engine.UpdateEndpoint(r.Context(), e.ID, patch)
	}
	return d.done(r, found(err))
}

// changes are what an update says of an endpoint, as a patch.
func changes(e *capture.Endpoint, in input) map[string]any {
	was, patch := shown(e), map[string]any{}
	if in.target != "" {
		patch["url"] = in.target
	}
	if in.enabled != nil {
		patch["status"] = map[bool]capture.EndpointStatus{true: capture.EndpointEnabled, false: capture.EndpointDisabled}[*in.enabled]
	}
	if in.conditions == nil {
		in.conditions = was.Conditions
	}
	patch["subscriptions"] = subscribed(e, cmp.Or(in.event, was.Event), in.conditions)
	return patch
}

func (d dialect) remove(engine api.Engine, r *http.Request) (int, any, error) {
	_, err := engine.SetEndpoint(r.Context(), capture.ID(r.PathValue("id")), capture.EndpointDeleted, "")
	return d.done(r, found(err))
}

// done is the answer to what leaves nothing to show.
func (d dialect) done(r *http.Request, err error) (int, any, error) {
	if d.Done == http.StatusNoContent || d.Done == 0 && r.Header.Get("API-Version") != "" {
		return http.StatusNoContent, nil, err
	}
	return http.StatusOK, struct{}{}, err
}

func list(engine api.Engine, r *http.Request) (int, any, error) {
	rows, err := engine.Endpoints(r.Context(), capture.EndpointQuery{App: r.URL.Query().Get("app"), Limit: math.MaxInt})
	hooks := []webhook{}
	for i := range rows {
		if rows[i].Status != "" { // else it is a listener's
			hooks = append(hooks, shown(&rows[i].Endpoint))
		}
	}
	return http.StatusOK, paged(r.URL.RawQuery, hooks), err
}
