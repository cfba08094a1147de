package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/match"
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
func (c *Client) Events(ctx context.Context, q capture.Query) (page capture.Page, err error) {
	if _, err := match.Parse(q.Filter); err != nil {
		return page, err // here it still knows where it breaks
	}
	if q.Limit <= 0 {
		q.Limit = 50
	}
	v := url.Values{"filter": {q.Filter}, "app": {q.App}, "scan": {strconv.Itoa(q.Scan)}}
	if q.Ascending {
		v.Set("order", "asc")
	}
	for page.Next = q.Cursor; ; {
		if page.Next > 0 {
			v.Set("cursor", itoa(page.Next))
		}
		v.Set("limit", strconv.Itoa(min(q.Limit-len(page.Rows), mostRows)))
		var l list[capture.Row]
		if err := c.call(ctx, "GET", "/events?"+v.Encode(), nil, &l); err != nil {
			return capture.Page{}, err
		}
		page.Rows = append(page.Rows, l.Data...)
		page.Next, _ = strconv.ParseUint(l.NextCursor, 10, 64)
		if page.Next == 0 || len(page.Rows) >= q.Limit || q.Scan > 0 {
			return page, nil
		}
	}
}

// Event implements Reader.
func (c *Client) Event(ctx context.Context, id capture.ID) (row capture.Row, err error) {
	err = c.one(ctx, "GET", capture.EventID, id, "", &row)
	return row, err
}

// Body implements Reader.
func (c *Client) Body(ctx context.Context, id capture.ID) (body []byte, err error) {
	err = c.one(ctx, "GET", capture.EventID, id, "/body", &body)
	return body, err
}

// Attempts implements Reader.
func (c *Client) Attempts(ctx context.Context, q capture.AttemptQuery) (found []capture.Attempt, err error) {
	if q.Limit <= 0 {
		q.Limit = 50
	}
	if q.Event != "" {
		if q.Event, err = known(capture.EventID, q.Event); err != nil {
			return nil, err
		}
	}
	v := url.Values{"event": {string(q.Event)}, "status": {string(q.Status)}, "cursor": {string(q.Cursor)}}
	for {
		v.Set("limit", strconv.Itoa(min(q.Limit-len(found), mostRows)))
		var l list[capture.Attempt]
		if err := c.call(ctx, "GET", "/attempts?"+v.Encode(), nil, &l); err != nil {
			return nil, err
		}
		found = append(found, l.Data...)
		if l.NextCursor == "" || len(found) >= q.Limit {
			return found, nil
		}
		v.Set("cursor", l.NextCursor)
	}
}

// Attempt implements Reader.
func (c *Client) Attempt(ctx context.Context, id capture.ID) (a capture.Attempt, err error) {
	err = c.one(ctx, "GET", capture.AttemptID, id, "", &a)
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
	return c.one(ctx, method, capture.EventID, id, "/pin", nil)
}

// Remove implements Keeper.
func (c *Client) Remove(ctx context.Context, ids ...capture.ID) error {
	var refused []error
	for _, id := range ids {
		if err := c.one(ctx, "DELETE", capture.EventID, id, "", nil); err != nil {
			refused = append(refused, err)
		}
	}
	return errors.Join(refused...)
}

// Resend asks for new attempts of an event and returns them as they wait.
func (c *Client) Resend(ctx context.Context, id capture.ID, r capture.Resend) ([]*capture.Attempt, error) {
	id, err := known(capture.EventID, id)
	if err != nil {
		return nil, err
	}
	var l list[*capture.Attempt]
	err = c.call(ctx, "POST", "/events/"+string(id)+"/replay", r, &l)
	return l.Data, err
}

// one makes a request about one event or attempt.
func (c *Client) one(ctx context.Context, method, noun string, id capture.ID, below string, out any) error {
	id, err := known(noun, id)
	if err != nil {
		return err
	}
	collection := map[string]string{capture.EventID: "/events/", capture.AttemptID: "/attempts/"}[noun]
	return c.call(ctx, method, collection+string(id)+below, nil, out)
}

// known refuses text that is no id, which no store holds: put into a path it
// could mean anything.
func known(noun string, id capture.ID) (capture.ID, error) {
	id, err := capture.ParseID(noun, string(id))
	if err != nil {
		return "", fmt.Errorf("%w: %w", capture.ErrNotFound, err)
	}
	return id, nil
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
