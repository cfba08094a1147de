package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"time"

	"code.hooktape.dev/hooktape/capture"
)

// endpointInput is what an endpoint is made of.
type endpointInput struct {
	App string `json:"app,omitempty"` // absent: default
	capture.EndpointSpec
}

// disabling is what a request to disable an endpoint may say.
type disabling struct {
	Reason string `json:"reason,omitempty"`
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
	err = c.call(ctx, "POST", "/endpoints", endpointInput{app, spec}, &e)
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
	body, err := emission(what)
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
