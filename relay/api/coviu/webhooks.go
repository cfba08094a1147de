package coviu

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/relay/api"
)

// webhook is a registration in the document's format; the members behind
// payload_encoding are ours.
type webhook struct {
	ID          string            `json:"id"`
	URL         string            `json:"url"`
	Method      string            `json:"method"`
	Headers     map[string]string `json:"headers"`
	QueryParams []string          `json:"queryParams"`
	Encoding    string            `json:"payload_encoding,omitempty"`

	Hidden  bool             `json:"hidden,omitempty"`
	Next    []next           `json:"next,omitempty"`
	Timeout capture.Duration `json:"timeout_ms,omitempty"`
}

// next is a webhook that follows in a chain.
type next struct {
	ID   string            `json:"id"`
	When capture.When      `json:"when,omitempty"`
	Map  map[string]string `json:"map,omitempty"`
}

// shown is a trigger as a registration, its secrets masked.
func shown(t capture.Trigger) webhook {
	w := webhook{ID: t.Name, URL: t.URL, Method: t.Verb(), Headers: t.Headers, QueryParams: t.QueryParams, Encoding: t.Encoding, Hidden: t.Hidden, Timeout: t.Timeout}
	if w.Headers == nil {
		w.Headers = map[string]string{}
	}
	if w.QueryParams == nil {
		w.QueryParams = []string{}
	}
	for _, n := range t.Next {
		w.Next = append(w.Next, next{n.Trigger, n.When, n.Map})
	}
	return w
}

func (w *webhook) spec() capture.TriggerSpec {
	s := capture.TriggerSpec{Name: w.ID, URL: w.URL, Method: w.Method, Headers: w.Headers, QueryParams: w.QueryParams, Encoding: w.Encoding, Hidden: w.Hidden, Timeout: w.Timeout}
	for _, n := range w.Next {
		s.Next = append(s.Next, capture.Sequel{Trigger: n.ID, When: n.When, Map: n.Map})
	}
	return s
}

// read reads what a request says. A member that is not known is refused: it
// would be dropped, and a plugin would wait for what it asked for.
func read(r *http.Request, v any, mayBeEmpty bool) error {
	b, err := io.ReadAll(r.Body)
	if err != nil || mayBeEmpty && len(bytes.TrimSpace(b)) == 0 {
		return err
	}
	return capture.Decode(b, v)
}

func (s *service) list(r *http.Request) (int, any, error) {
	app := r.PathValue("plugin")
	engine := s.engine(r)
	if _, err := engine.App(r.Context(), app); err != nil {
		return 0, nil, err
	}
	all, err := engine.Triggers(r.Context(), app)
	list := struct {
		Webhooks []webhook `json:"webhooks"`
	}{[]webhook{}}
	for _, t := range all {
		list.Webhooks = append(list.Webhooks, shown(t))
	}
	return http.StatusOK, list, err
}

func (s *service) get(r *http.Request) (int, any, error) {
	t, err := named(r, s.engine(r))
	return http.StatusOK, shown(t), err
}

func (s *service) create(r *http.Request) (int, any, error) {
	var in webhook
	if err := read(r, &in, false); err != nil {
		return 0, nil, err
	}
	t, err := register(r, s.engine(r), &in)
	return http.StatusCreated, shown(t), spelled(err)
}

// register registers a webhook of a plugin, which is there from then on.
func register(r *http.Request, engine api.Engine, w *webhook) (capture.Trigger, error) {
	plugin := r.PathValue("plugin")
	if err := api.Found(r.Context(), engine, plugin, capture.AppSpec{Name: plugin}); err != nil {
		return capture.Trigger{}, err
	}
	return engine.CreateTrigger(r.Context(), plugin, w.spec())
}

// put registers a webhook, or replaces all that there is of it but what it says
// masked, as it is read.
func (s *service) put(r *http.Request) (int, any, error) {
	var in webhook
	if err := read(r, &in, false); err != nil {
		return 0, nil, err
	}
	id := r.PathValue("id")
	if in.ID != "" && in.ID != id {
		return 0, nil, &capture.FieldError{Field: "id", Problem: "is not that of the address"}
	}
	in.ID = id
	engine := s.engine(r)
	old, err := named(r, engine)
	if errors.Is(err, capture.ErrNotFound) {
		t, err := register(r, engine, &in)
		return http.StatusCreated, shown(t), spelled(err)
	}
	if err != nil {
		return 0, nil, err
	}
	patch, err := in.patch(old)
	if err != nil {
		return 0, nil, err
	}
	t, err := engine.UpdateTrigger(r.Context(), old.ID, patch)
	return http.StatusOK, shown(t), spelled(err)
}

// patch is the registration as what replaces an older one.
func (w *webhook) patch(old capture.Trigger) (json.RawMessage, error) {
	headers := map[string]any{}
	for name := range old.Headers {
		headers[name] = nil
	}
	for name, value := range w.Headers {
		headers[name] = value
	}
	spec := w.spec()
	return json.Marshal(map[string]any{"url": spec.URL, "method": spec.Method, "headers": headers, "query_params": spec.QueryParams,
		"encoding": spec.Encoding, "hidden": spec.Hidden, "next": spec.Next, "timeout_ms": spec.Timeout})
}

func (s *service) remove(r *http.Request) (int, any, error) {
	engine := s.engine(r)
	t, err := named(r, engine)
	if err == nil {
		err = engine.DeleteTrigger(r.Context(), t.ID)
	}
	return http.StatusOK, struct{}{}, err
}

// spelled is an error about a registration with the document's names for what
// it is about.
func spelled(err error) error {
	wrong := new(capture.FieldError)
	if !errors.As(err, &wrong) {
		return err
	}
	field := strings.NewReplacer("query_params", "queryParams", "encoding", "payload_encoding", "].trigger", "].id").Replace(wrong.Field)
	if field == "name" {
		field = "id"
	}
	return &capture.FieldError{Field: field, Problem: wrong.Problem}
}
