package api

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"

	"code.hooktape.dev/hooktape/capture"
)

// Client is the far-away store: it reads as *store.Store does, over the
// management API.
type Client struct {
	dial func(ctx context.Context, network, addr string) (net.Conn, error)
	http *http.Client
}

// Dial makes a client of the owner that listens on a unix socket. It does not
// connect yet.
func Dial(socket string) *Client {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", socket)
	}
	return &Client{dial, &http.Client{Transport: &http.Transport{DialContext: dial}}}
}

// Close lets go of idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Events implements Reader.
func (c *Client) Events(ctx context.Context, q capture.Query) (capture.Page, error) {
	v := url.Values{"filter": {q.Filter}, "app": {q.App}, "limit": {strconv.Itoa(q.Limit)}, "scan": {strconv.Itoa(q.Scan)}}
	if q.Cursor > 0 {
		v.Set("cursor", itoa(q.Cursor))
	}
	if q.Limit == 0 {
		v.Del("limit")
	}
	if q.Ascending {
		v.Set("order", "asc")
	}
	var l list[capture.Row]
	if err := c.call(ctx, "GET", "/events?"+v.Encode(), nil, &l); err != nil {
		return capture.Page{}, err
	}
	next, _ := strconv.ParseUint(l.NextCursor, 10, 64)
	return capture.Page{Rows: l.Data, Next: next}, nil
}

// Event implements Reader.
func (c *Client) Event(ctx context.Context, id capture.ID) (row capture.Row, err error) {
	err = c.call(ctx, "GET", "/events/"+string(id), nil, &row)
	return row, err
}

// Body implements Reader.
func (c *Client) Body(ctx context.Context, id capture.ID) (body []byte, err error) {
	err = c.call(ctx, "GET", "/events/"+string(id)+"/body", nil, &body)
	return body, err
}

// Attempts implements Reader.
func (c *Client) Attempts(ctx context.Context, q capture.AttemptQuery) ([]capture.Attempt, error) {
	v := url.Values{"event": {string(q.Event)}, "status": {string(q.Status)}, "cursor": {string(q.Cursor)}}
	if q.Limit > 0 {
		v.Set("limit", strconv.Itoa(q.Limit))
	}
	var l list[capture.Attempt]
	err := c.call(ctx, "GET", "/attempts?"+v.Encode(), nil, &l)
	return l.Data, err
}

// Attempt implements Reader.
func (c *Client) Attempt(ctx context.Context, id capture.ID) (a capture.Attempt, err error) {
	err = c.call(ctx, "GET", "/attempts/"+string(id), nil, &a)
	return a, err
}

// Counts implements part of Follower; Live stands for the rest.
func (c *Client) Counts(ctx context.Context) (capture.Counts, error) {
	s, err := c.Status(ctx)
	return s.Counts, err
}

// Status asks the owner about itself.
func (c *Client) Status(ctx context.Context) (s Status, err error) {
	err = c.call(ctx, "GET", "/status", nil, &s)
	return s, err
}

// Pin implements Keeper.
func (c *Client) Pin(ctx context.Context, id capture.ID, on bool) error {
	method := map[bool]string{true: "PUT", false: "DELETE"}[on]
	return c.call(ctx, method, "/events/"+string(id)+"/pin", nil, nil)
}

// Remove implements Keeper. It stops at the first id that fails.
func (c *Client) Remove(ctx context.Context, ids ...capture.ID) error {
	for _, id := range ids {
		if err := c.call(ctx, "DELETE", "/events/"+string(id), nil, nil); err != nil {
			return err // it names the event
		}
	}
	return nil
}

// Resend asks for new attempts of an event and returns them as they wait.
func (c *Client) Resend(ctx context.Context, id capture.ID, r capture.Resend) ([]*capture.Attempt, error) {
	var l list[*capture.Attempt]
	err := c.call(ctx, "POST", "/events/"+string(id)+"/replay", r, &l)
	return l.Data, err
}

// call makes a request below /api/v1 and decodes the answer into out: as
// bytes if it is a *[]byte, else as JSON.
func (c *Client) call(ctx context.Context, method, path string, in, out any) error {
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://hooktape/api/v1"+path, body)
	if err != nil {
		return err
	}
	res, err := c.http.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode/100 != 2 {
		return readProblem(res)
	}
	if out == nil {
		return nil
	}
	if raw, ok := out.(*[]byte); ok {
		*raw, err = io.ReadAll(res.Body)
		return err
	}
	return json.NewDecoder(res.Body).Decode(out)
}

func readProblem(res *http.Response) error {
	p := new(problem)
	if err := json.NewDecoder(io.LimitReader(res.Body, 64<<10)).Decode(p); err != nil || p.Detail == "" {
		return fmt.Errorf("the owner of the store answered %s", res.Status)
	}
	return p
}

func itoa(n uint64) string { return strconv.FormatUint(n, 10) }
