package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"code.hooktape.dev/hooktape/capture"
)

// appInput is what an app is made of.
type appInput struct {
	Slug string `json:"slug"`
	capture.AppSpec
}

// overlap is what a request to rotate a secret may say.
type overlap struct {
	Seconds *int64 `json:"overlap_seconds,omitempty"` // how long the old one still counts; absent: 24 h
}

func overlapOf(d time.Duration) (o overlap) {
	if d != 0 {
		seconds := int64(max(0, d+time.Second-1) / time.Second)
		o.Seconds = &seconds
	}
	return o
}

// Apps implements Registry.
func (c *Client) Apps(ctx context.Context) ([]capture.App, error) {
	var l list[capture.App]
	err := c.call(ctx, "GET", "/apps", nil, &l)
	return l.Data, err
}

// App implements Registry.
func (c *Client) App(ctx context.Context, slug string) (a capture.App, err error) {
	_, err = c.app(ctx, "GET", slug, "", nil, &a)
	return a, err
}

// CreateApp implements Registry.
func (c *Client) CreateApp(ctx context.Context, slug string, spec capture.AppSpec) (a capture.App, err error) {
	err = c.call(ctx, "POST", "/apps", appInput{slug, spec}, &a)
	return a, err
}

// UpdateApp implements Registry.
func (c *Client) UpdateApp(ctx context.Context, slug string, patch json.RawMessage) (a capture.App, err error) {
	_, err = c.app(ctx, "PATCH", slug, "", patch, &a)
	return a, err
}

// DeleteApp implements Registry.
func (c *Client) DeleteApp(ctx context.Context, slug string) error {
	_, err := c.app(ctx, "DELETE", slug, "", nil, nil)
	return err
}

// RotateSecret implements Registry. The overlap is rounded up to a second.
func (c *Client) RotateSecret(ctx context.Context, slug string, overlap time.Duration) (a capture.App, err error) {
	_, err = c.app(ctx, "POST", slug, "/rotate-secret", overlapOf(overlap), &a)
	return a, err
}

// RotateIngestKey implements Registry. The overlap is rounded up to a second.
func (c *Client) RotateIngestKey(ctx context.Context, slug string, overlap time.Duration) (a capture.App, err error) {
	_, err = c.app(ctx, "POST", slug, "/rotate-ingest-key", overlapOf(overlap), &a)
	return a, err
}

// Emit implements Registry.
func (c *Client) Emit(ctx context.Context, slug string, what capture.Emission) (e capture.Event, fresh bool, err error) {
	body, err := emission(what)
	if err != nil {
		return e, false, err
	}
	status, err := c.app(ctx, "POST", slug, "/events", body, &e)
	return e, status == http.StatusCreated, err
}

// emission is what in JSON with its data byte for byte, which Marshal would
// respell.
func emission(what capture.Emission) (json.RawMessage, error) {
	data := what.Data
	what.Data = nil
	b, err := json.Marshal(struct {
		capture.Emission
		Data json.RawMessage `json:"data,omitempty"` // hides the other
	}{Emission: what})
	if err != nil || len(data) == 0 {
		return b, err
	}
	if !json.Valid(data) {
		return nil, &capture.FieldError{Field: "data", Problem: "not JSON"}
	}
	return fmt.Appendf(b[:len(b)-1], `,"data":%s}`, data), nil
}

// app makes a request about one app. Text that is no slug names none.
func (c *Client) app(ctx context.Context, method, slug, below string, in, out any) (status int, err error) {
	if !capture.IsSlug(slug) {
		return 0, fmt.Errorf("app %q: %w", slug, capture.ErrNotFound)
	}
	return c.ask(ctx, method, "/apps/"+slug+below, in, out)
}
