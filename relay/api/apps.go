package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
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

func (o overlap) duration() (time.Duration, error) {
	if o.Seconds == nil {
		return 0, nil
	}
	if n := *o.Seconds; n < 0 || n > mostOverlap {
		return 0, &capture.FieldError{Field: "overlap_seconds", Problem: fmt.Sprintf("%d: want 0 to %d", n, mostOverlap)}
	}
	if *o.Seconds == 0 {
		return -1, nil
	}
	return time.Duration(*o.Seconds) * time.Second, nil
}

// mostOverlap is how long a secret may live beside the next one: 30 days, in
// seconds.
const mostOverlap = 30 * 24 * 60 * 60

// appWithSecrets is an app as whoever made one of its secrets is shown it,
// this once.
type appWithSecrets struct {
	capture.App
	SigningSecret string `json:"signing_secret"`
	IngestKey     string `json:"ingest_key"`
}

func withSecrets(a capture.App) appWithSecrets {
	return appWithSecrets{a, a.SigningSecret.Key, a.IngestKey.Key}
}

func (s *Server) apps(r *http.Request) (l list[capture.App], err error) {
	l.Data, err = s.registry(r).Apps(r.Context())
	if app := r.URL.Query().Get("app"); app != "" {
		l.Data = slices.DeleteFunc(l.Data, func(a capture.App) bool { return a.Slug != app })
	}
	return l, err
}

func (s *Server) app(r *http.Request) (capture.App, error) {
	return s.registry(r).App(r.Context(), r.PathValue("app"))
}

func (s *Server) createApp(r *http.Request, in appInput) (appWithSecrets, error) {
	a, err := s.registry(r).CreateApp(r.Context(), in.Slug, in.AppSpec)
	return withSecrets(a), err
}

func (s *Server) updateApp(r *http.Request, patch json.RawMessage) (capture.App, error) {
	if app := bound(r); app != "" {
		if err := s.pointing(r.Context(), app, patch); err != nil {
			return capture.App{}, err
		}
	}
	return s.registry(r).UpdateApp(r.Context(), r.PathValue("app"), patch)
}

func (s *Server) deleteApp(r *http.Request) error {
	return s.registry(r).DeleteApp(r.Context(), r.PathValue("app"))
}

func (s *Server) rotateSecret(r *http.Request, in overlap) (out appWithSecrets, err error) {
	d, err := in.duration()
	if err != nil {
		return out, err
	}
	a, err := s.registry(r).RotateSecret(r.Context(), r.PathValue("app"), d)
	return withSecrets(a), err
}

func (s *Server) rotateIngestKey(r *http.Request, in overlap) (out appWithSecrets, err error) {
	d, err := in.duration()
	if err != nil {
		return out, err
	}
	a, err := s.registry(r).RotateIngestKey(r.Context(), r.PathValue("app"), d)
	return withSecrets(a), err
}

func (s *Server) appEvents(r *http.Request) (l list[capture.Row], err error) {
	if _, err := s.app(r); err != nil {
		return l, err // an app that is not there has no events, but that is not what is wrong
	}
	return s.events(r)
}

func (s *Server) appEndpoints(r *http.Request) (l list[capture.EndpointRow], err error) {
	if _, err := s.app(r); err != nil {
		return l, err
	}
	return s.endpoints(r)
}

func (s *Server) createAppEndpoint(r *http.Request, in capture.EndpointSetup) (endpointWithSecret, error) {
	return s.createEndpoint(r, endpointInput{r.PathValue("app"), in})
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

// app makes a request about one app. Text that is no slug names none.
func (c *Client) app(ctx context.Context, method, slug, below string, in, out any) (status int, err error) {
	if !capture.IsSlug(slug) {
		return 0, fmt.Errorf("app %q: %w", slug, capture.ErrNotFound)
	}
	return c.ask(ctx, method, "/apps/"+slug+below, in, out)
}
