package api

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"net/url"

	"code.hooktape.dev/hooktape/capture"
)

// triggerInput is what a trigger is made of.
type triggerInput struct {
	App string `json:"app,omitempty"` // absent: default
	capture.TriggerSpec
}

func (s *Server) triggers(r *http.Request) (l list[capture.Trigger], err error) {
	l.Data, err = s.registry(r).Triggers(r.Context(), r.URL.Query().Get("app"))
	return l, err
}

func (s *Server) trigger(r *http.Request) (t capture.Trigger, err error) {
	id, err := pathID(r, capture.TriggerID)
	if err != nil {
		return t, err
	}
	return s.registry(r).Trigger(r.Context(), id)
}

func (s *Server) createTrigger(r *http.Request, in triggerInput) (t capture.Trigger, err error) {
	app, err := within(r, in.App)
	if err != nil {
		return t, err
	}
	return s.registry(r).CreateTrigger(r.Context(), cmp.Or(app, capture.DefaultApp), in.TriggerSpec)
}

func (s *Server) updateTrigger(r *http.Request, patch json.RawMessage) (t capture.Trigger, err error) {
	id, err := pathID(r, capture.TriggerID)
	if err != nil {
		return t, err
	}
	return s.registry(r).UpdateTrigger(r.Context(), id, patch)
}

func (s *Server) deleteTrigger(r *http.Request) error {
	id, err := pathID(r, capture.TriggerID)
	if err != nil {
		return err
	}
	return s.registry(r).DeleteTrigger(r.Context(), id)
}

func (s *Server) fireTrigger(r *http.Request, call capture.TriggerCall) (out capture.TriggerAnswer, err error) {
	id, err := pathID(r, capture.TriggerID)
	if err != nil {
		return out, err
	}
	return s.registry(r).FireTrigger(r.Context(), id, call)
}

// Triggers implements Triggers.
func (c *Client) Triggers(ctx context.Context, app string) ([]capture.Trigger, error) {
	var l list[capture.Trigger]
	err := c.call(ctx, "GET", "/triggers?"+url.Values{"app": {app}}.Encode(), nil, &l)
	return l.Data, err
}

// Trigger implements Triggers.
func (c *Client) Trigger(ctx context.Context, id capture.ID) (t capture.Trigger, err error) {
	err = c.one(ctx, "GET", capture.TriggerID, id, "", nil, &t)
	return t, err
}

// CreateTrigger implements Triggers.
func (c *Client) CreateTrigger(ctx context.Context, app string, spec capture.TriggerSpec) (t capture.Trigger, err error) {
	err = c.call(ctx, "POST", "/triggers", triggerInput{app, spec}, &t)
	return t, err
}

// UpdateTrigger implements Triggers.
func (c *Client) UpdateTrigger(ctx context.Context, id capture.ID, patch json.RawMessage) (t capture.Trigger, err error) {
	err = c.one(ctx, "PATCH", capture.TriggerID, id, "", patch, &t)
	return t, err
}

// DeleteTrigger implements Triggers.
func (c *Client) DeleteTrigger(ctx context.Context, id capture.ID) error {
	return c.one(ctx, "DELETE", capture.TriggerID, id, "", nil, nil)
}

// FireTrigger implements Triggers.
func (c *Client) FireTrigger(ctx context.Context, id capture.ID, call capture.TriggerCall) (out capture.TriggerAnswer, err error) {
	err = c.one(ctx, "POST", capture.TriggerID, id, "/fire", call, &out)
	return out, err
}
