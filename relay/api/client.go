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
	"strings"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/match"
)

// ErrUnauthorized is returned for what the client's token, or the lack of one,
// does not allow.
var ErrUnauthorized = errors.New("not authorised")

// Client is the far-away store and Registry: it reads as *store.Store does,
// and manages as *relay.Registry does, over the management API.
type Client struct {
	base  string // without a slash behind it
	token string
	dial  func(ctx context.Context, network, addr string) (net.Conn, error) // nil: as usual
	proxy func(*http.Request) (*url.URL, error)
	http  *http.Client
}

// Dial makes a client of the owner that listens on a unix socket. It does not
// connect yet.
func Dial(socket string) *Client {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", socket)
	}
	return &Client{base: "http://hooktape", dial: dial, http: &http.Client{Transport: &http.Transport{DialContext: dial}}}
}

// DialURL makes a client of the API at an http or https address, above
// /api/v1. It shows the token, if there is one, with every request, and goes
// through the proxy that the environment names. It does not connect yet.
func DialURL(base, token string) *Client {
	// A Transport of its own: Close must let nobody else's connections go.
	transport := http.DefaultTransport.(*http.Transport).Clone()
	return &Client{base: strings.TrimRight(base, "/"), token: token, proxy: http.ProxyFromEnvironment, http: &http.Client{Transport: transport}}
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
	err = c.one(ctx, "GET", capture.EventID, id, "", nil, &row)
	return row, err
}

// Body implements Reader.
func (c *Client) Body(ctx context.Context, id capture.ID) (body []byte, err error) {
	err = c.one(ctx, "GET", capture.EventID, id, "/body", nil, &body)
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
	v := url.Values{"app": {q.App}, "event": {string(q.Event)}, "endpoint": {string(q.Endpoint)}, "status": {string(q.Status)}, "cursor": {string(q.Cursor)}}
	if q.ByDue {
		v.Set("order", "due")
	}
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
	err = c.one(ctx, "GET", capture.AttemptID, id, "", nil, &a)
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
	return c.one(ctx, method, capture.EventID, id, "/pin", nil, nil)
}

// Remove implements Keeper.
func (c *Client) Remove(ctx context.Context, ids ...capture.ID) error {
	var refused []error
	for _, id := range ids {
		if err := c.one(ctx, "DELETE", capture.EventID, id, "", nil, nil); err != nil {
			refused = append(refused, err)
		}
	}
	return errors.Join(refused...)
}

// Resend asks for new attempts of an event and returns them as they wait.
func (c *Client) Resend(ctx context.Context, id capture.ID, r capture.Resend) ([]*capture.Attempt, error) {
	var l list[*capture.Attempt]
	err := c.one(ctx, "POST", capture.EventID, id, "/replay", r, &l)
	return l.Data, err
}

// Retry makes a finished attempt again and returns the new one as it waits.
func (c *Client) Retry(ctx context.Context, id capture.ID) ([]*capture.Attempt, error) {
	var l list[*capture.Attempt]
	err := c.one(ctx, "POST", capture.AttemptID, id, "/retry", nil, &l)
	return l.Data, err
}

// collections are where the things of a noun are.
var collections = map[string]string{
	capture.EventID: "/events/", capture.AttemptID: "/attempts/", capture.EndpointID: "/endpoints/", capture.TokenID: "/tokens/",
	capture.ListenerID: "/listeners/", capture.RuleID: "/rules/", capture.DeliveryID: "/deliveries/", capture.ReplayID: "/replays/", capture.TriggerID: "/triggers/",
}

// one makes a request about one thing that has an id.
func (c *Client) one(ctx context.Context, method, noun string, id capture.ID, below string, in, out any) error {
	id, err := known(noun, id)
	if err != nil {
		return err
	}
	return c.call(ctx, method, collections[noun]+string(id)+below, in, out)
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
// bytes if it is a *[]byte, else as JSON. What it sends is JSON, or bytes
// that are.
func (c *Client) call(ctx context.Context, method, path string, in, out any) error {
	_, err := c.ask(ctx, method, path, in, out)
	return err
}

// ask is call for who must know which success it was.
func (c *Client) ask(ctx context.Context, method, path string, in, out any) (status int, err error) {
	var body io.Reader
	if in != nil {
		b, ok := in.(json.RawMessage) // as it is: Marshal would respell it
		if !ok {
			if b, err = json.Marshal(in); err != nil {
				return 0, err
			}
		}
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base+"/api/v1"+path, body)
	if err != nil {
		return 0, err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	c.authorize(req.Header)
	res, err := c.http.Do(req)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	if res.StatusCode/100 != 2 {
		return res.StatusCode, readProblem(res)
	}
	if out == nil {
		return res.StatusCode, nil
	}
	if raw, ok := out.(*[]byte); ok {
		*raw, err = io.ReadAll(res.Body)
		return res.StatusCode, err
	}
	return res.StatusCode, json.NewDecoder(res.Body).Decode(out)
}

// authorize shows the token.
func (c *Client) authorize(h http.Header) {
	if c.token != "" {
		h.Set("Authorization", "Bearer "+c.token)
	}
}

func readProblem(res *http.Response) error {
	p := new(problem)
	if err := json.NewDecoder(io.LimitReader(res.Body, 64<<10)).Decode(p); err != nil || p.Detail == "" {
		if res.StatusCode == http.StatusUnauthorized || res.StatusCode == http.StatusForbidden {
			return fmt.Errorf("the API answered %s: %w", res.Status, ErrUnauthorized)
		}
		return fmt.Errorf("the API answered %s", res.Status)
	}
	return p
}

func itoa(n uint64) string { return strconv.FormatUint(n, 10) }
