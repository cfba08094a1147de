package api

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"code.hooktape.dev/hooktape/capture"
)

// endpointInput is what an endpoint is made of.
type endpointInput struct {
	App string `json:"app,omitempty"` // absent: default
	capture.EndpointSetup
}

// disabling is what a request to disable an endpoint may say.
type disabling struct {
	Reason string `json:"reason,omitempty"`
}

// endpointWithSecret is an endpoint whose secret was made now.
type endpointWithSecret struct {
	capture.Endpoint
	Secret string `json:"secret"`
}

func (s *Server) endpoints(r *http.Request) (l list[capture.EndpointRow], err error) {
	q := r.URL.Query()
	limit, err := number(q, "limit", mostRows)
	if err != nil {
		return l, err
	}
	cursor, err := named(q, "cursor", capture.EndpointID)
	if err != nil {
		return l, err
	}
	found, err := s.registry(r).Endpoints(r.Context(), capture.EndpointQuery{
		App: cmp.Or(r.PathValue("app"), q.Get("app")), Status: capture.EndpointStatus(q.Get("status")), Cursor: cursor, Limit: int(limit),
	})
	return page(found, limit, func(e capture.EndpointRow) capture.ID { return e.ID }), err
}

func (s *Server) endpoint(r *http.Request) (e capture.EndpointRow, err error) {
	id, err := pathID(r, capture.EndpointID)
	if err != nil {
		return e, err
	}
	return s.registry(r).Endpoint(r.Context(), id)
}

func (s *Server) createEndpoint(r *http.Request, in endpointInput) (out endpointWithSecret, err error) {
	app, err := within(r, in.App)
	if err != nil {
		return out, err
	}
	var e capture.Endpoint
	switch in.Status {
	case "", capture.EndpointEnabled:
		e, err = s.registry(r).CreateEndpoint(r.Context(), app, in.EndpointSpec)
	case capture.EndpointDisabled:
		e, err = s.registry(r).CreateDisabled(r.Context(), app, in.EndpointSpec, in.Reason)
	default:
		err = &capture.FieldError{Field: "status", Problem: fmt.Sprintf("%q: want enabled or disabled", in.Status)}
	}
	return endpointWithSecret{e, e.Secret.Key}, err
}

func (s *Server) updateEndpoint(r *http.Request, patch json.RawMessage) (e capture.Endpoint, err error) {
	id, err := pathID(r, capture.EndpointID)
	if err != nil {
		return e, err
	}
	return s.registry(r).UpdateEndpoint(r.Context(), id, patch)
}

func (s *Server) deleteEndpoint(r *http.Request) (capture.Endpoint, error) {
	return s.setEndpoint(r, capture.EndpointDeleted, r.URL.Query().Get("reason"))
}

func (s *Server) enableEndpoint(r *http.Request) (capture.Endpoint, error) {
	return s.setEndpoint(r, capture.EndpointEnabled, "")
}

func (s *Server) disableEndpoint(r *http.Request, in disabling) (capture.Endpoint, error) {
	return s.setEndpoint(r, capture.EndpointDisabled, in.Reason)
}

func (s *Server) setEndpoint(r *http.Request, to capture.EndpointStatus, why string) (e capture.Endpoint, err error) {
	id, err := pathID(r, capture.EndpointID)
	if err != nil {
		return e, err
	}
	return s.registry(r).SetEndpoint(r.Context(), id, to, why)
}

func (s *Server) rotateEndpointSecret(r *http.Request, in overlap) (out endpointWithSecret, err error) {
	id, err := pathID(r, capture.EndpointID)
	if err != nil {
		return out, err
	}
	d, err := in.duration()
	if err != nil {
		return out, err
	}
	e, err := s.registry(r).RotateEndpointSecret(r.Context(), id, d)
	return endpointWithSecret{e, e.Secret.Key}, err
}

func (s *Server) testEndpoint(r *http.Request, in emissionInput) (a capture.Attempt, err error) {
	id, err := pathID(r, capture.EndpointID)
	if err != nil {
		return a, err
	}
	what, err := in.emission(r)
	if err != nil {
		return a, err
	}
	return s.registry(r).TestEndpoint(r.Context(), id, what)
}

// Endpoints implements Registry.
func (c *Client) Endpoints(ctx context.Context, q capture.EndpointQuery) (found []capture.EndpointRow, err error) {
	if q.Limit <= 0 {
		q.Limit = 50
	}
	v := url.Values{"app": {q.App}, "status": {string(q.Status)}, "cursor": {string(q.Cursor)}}
	for {
		v.Set("limit", strconv.Itoa(min(q.Limit-len(found), mostRows)))
		var l list[capture.EndpointRow]
		if err := c.call(ctx, "GET", "/endpoints?"+v.Encode(), nil, &l); err != nil {
			return nil, err
		}
		found = append(found, l.Data...)
		if l.NextCursor == "" || len(found) >= q.Limit {
			return found, nil
		}
		v.Set("cursor", l.NextCursor)
	}
}

// Endpoint implements Registry.
func (c *Client) Endpoint(ctx context.Context, id capture.ID) (e capture.EndpointRow, err error) {
	err = c.one(ctx, "GET", capture.EndpointID, id, "", nil, &e)
	return e, err
}

// CreateEndpoint implements Registry.
func (c *Client) CreateEndpoint(ctx context.Context, app string, spec capture.EndpointSpec) (e capture.Endpoint, err error) {
	err = c.call(ctx, "POST", "/endpoints", endpointInput{app, capture.EndpointSetup{EndpointSpec: spec}}, &e)
	return e, err
}

// CreateDisabled implements Registry.
func (c *Client) CreateDisabled(ctx context.Context, app string, spec capture.EndpointSpec, why string) (e capture.Endpoint, err error) {
	err = c.call(ctx, "POST", "/endpoints", endpointInput{app, capture.EndpointSetup{EndpointSpec: spec, Status: capture.EndpointDisabled, Reason: why}}, &e)
	return e, err
}

// UpdateEndpoint implements Registry.
func (c *Client) UpdateEndpoint(ctx context.Context, id capture.ID, patch json.RawMessage) (e capture.Endpoint, err error) {
	err = c.one(ctx, "PATCH", capture.EndpointID, id, "", patch, &e)
	return e, err
}

// SetEndpoint implements Registry.
func (c *Client) SetEndpoint(ctx context.Context, id capture.ID, status capture.EndpointStatus, why string) (e capture.Endpoint, err error) {
	switch status {
	case capture.EndpointEnabled:
		err = c.one(ctx, "POST", capture.EndpointID, id, "/enable", nil, &e)
	case capture.EndpointDisabled:
		err = c.one(ctx, "POST", capture.EndpointID, id, "/disable", disabling{why}, &e)
	case capture.EndpointDeleted:
		err = c.one(ctx, "DELETE", capture.EndpointID, id, "?"+url.Values{"reason": {why}}.Encode(), nil, &e)
	default:
		err = &capture.FieldError{Field: "status", Problem: fmt.Sprintf("%q: want enabled, disabled or deleted", status)}
	}
	return e, err
}

// RotateEndpointSecret implements Registry. The overlap is rounded up to a
// second.
func (c *Client) RotateEndpointSecret(ctx context.Context, id capture.ID, overlap time.Duration) (e capture.Endpoint, err error) {
	err = c.one(ctx, "POST", capture.EndpointID, id, "/rotate-secret", overlapOf(overlap), &e)
	return e, err
}

// TestEndpoint implements Registry.
func (c *Client) TestEndpoint(ctx context.Context, id capture.ID, what capture.Emission) (a capture.Attempt, err error) {
	body, err := emitted(what)
	if err != nil {
		return a, err
	}
	err = c.one(ctx, "POST", capture.EndpointID, id, "/test", body, &a)
	return a, err
}

// Explain implements Registry.
func (c *Client) Explain(ctx context.Context, event capture.ID) ([]capture.Explanation, error) {
	var l list[capture.Explanation]
	err := c.one(ctx, "GET", capture.EventID, event, "/endpoints", nil, &l)
	return l.Data, err
}
