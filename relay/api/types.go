package api

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"

	"code.hooktape.dev/hooktape/capture"
)

// typeInput is what an event type is made of.
type typeInput struct {
	Tag string `json:"tag"`
	capture.EventTypeSpec
	// From is an event that was kept: what is not given is taken from it.
	From capture.ID `json:"from,omitempty"`
}

// types are those of an app, or all. Who is bound to an app sees what is
// built in, too.
func (s *Server) types(r *http.Request) (l list[capture.EventType], err error) {
	app := r.URL.Query().Get("app")
	if bound(r) == "" {
		l.Data, err = s.registry(r).Types(r.Context(), app)
		return l, err
	}
	all, err := s.registry(r).Types(r.Context(), "")
	for _, t := range all {
		if whose, _, _ := capture.SplitTag(t.Tag); t.Builtin || whose == app {
			l.Data = append(l.Data, t)
		}
	}
	return l, err
}

func (s *Server) eventType(r *http.Request) (capture.EventType, error) {
	return s.registry(r).Type(r.Context(), r.PathValue("tag"))
}

func (s *Server) createType(r *http.Request, in typeInput) (t capture.EventType, err error) {
	whose, _, _ := capture.SplitTag(in.Tag)
	if _, err := within(r, whose); err != nil {
		return t, err
	}
	if app := bound(r); app != "" && in.From != "" {
		if err := s.own(r.Context(), app, capture.EventID, string(in.From)); err != nil {
			return t, err
		}
	}
	return s.registry(r).CreateType(r.Context(), in.Tag, in.EventTypeSpec, in.From)
}

func (s *Server) updateType(r *http.Request, patch json.RawMessage) (capture.EventType, error) {
	return s.registry(r).UpdateType(r.Context(), r.PathValue("tag"), patch)
}

func (s *Server) deleteType(r *http.Request) error {
	return s.registry(r).DeleteType(r.Context(), r.PathValue("tag"))
}

// firing is what events are made of a type with.
type firing struct {
	Type string `json:"type"` // the event type's tag
	capture.Firing
}

func (s *Server) fire(r *http.Request, in firing) (capture.Fired, error) {
	in.Firing.App = r.PathValue("app")
	if app := bound(r); app != "" {
		if whose, _, _ := capture.SplitTag(in.Type); whose != app {
			t, err := s.registry(r).Type(r.Context(), in.Type)
			if err != nil || !t.Builtin {
				return capture.Fired{}, noType(in.Type)
			}
		}
	}
	return s.registry(r).Fire(r.Context(), in.Type, in.Firing)
}

// Types implements Types.
func (c *Client) Types(ctx context.Context, app string) ([]capture.EventType, error) {
	var l list[capture.EventType]
	err := c.call(ctx, "GET", "/types?"+url.Values{"app": {app}}.Encode(), nil, &l)
	return l.Data, err
}

// Type implements Types.
func (c *Client) Type(ctx context.Context, tag string) (t capture.EventType, err error) {
	err = c.call(ctx, "GET", typePath(tag), nil, &t)
	return t, err
}

// CreateType implements Types.
func (c *Client) CreateType(ctx context.Context, tag string, spec capture.EventTypeSpec, from capture.ID) (t capture.EventType, err error) {
	spec.Sample = spec.Sample.Whole()
	err = c.call(ctx, "POST", "/types", typeInput{tag, spec, from}, &t)
	return t, err
}

// UpdateType implements Types.
func (c *Client) UpdateType(ctx context.Context, tag string, patch json.RawMessage) (t capture.EventType, err error) {
	err = c.call(ctx, "PATCH", typePath(tag), patch, &t)
	return t, err
}

// DeleteType implements Types.
func (c *Client) DeleteType(ctx context.Context, tag string) error {
	return c.call(ctx, "DELETE", typePath(tag), nil, nil)
}

// Fire implements Types.
func (c *Client) Fire(ctx context.Context, tag string, f capture.Firing) (fired capture.Fired, err error) {
	if f.App == "" {
		f.App = capture.DefaultApp
	}
	_, err = c.app(ctx, "POST", f.App, "/trigger", firing{tag, f}, &fired)
	return fired, err
}

func typePath(tag string) string { return "/types/" + url.PathEscape(tag) }
