package api

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"slices"

	"code.hooktape.dev/hooktape/capture"
)

// Roster is who listens at a relay.
type Roster interface {
	Listeners(context.Context) ([]capture.ListenerRow, error) // all that ever came, oldest first
	// RemoveListener forgets a listener and ends its connection. It returns
	// capture.ErrNotFound, wrapped, for an unknown id.
	RemoveListener(context.Context, capture.ID) error
}

func (s *Server) listeners(r *http.Request) (l list[capture.ListenerRow], err error) {
	if s.Listeners == nil {
		l.Data = []capture.ListenerRow{}
		return l, nil
	}
	l.Data, err = s.Listeners.Listeners(r.Context())
	if app := r.URL.Query().Get("app"); app != "" {
		l.Data = slices.DeleteFunc(l.Data, func(row capture.ListenerRow) bool { return row.App != app })
	}
	return l, err
}

func (s *Server) removeListener(r *http.Request) error {
	id, err := pathID(r, capture.ListenerID)
	if err != nil {
		return err
	}
	if s.Listeners == nil {
		return capture.ErrNotFound
	}
	return s.Listeners.RemoveListener(r.Context(), id)
}

// Listeners implements Roster.
func (c *Client) Listeners(ctx context.Context, app string) ([]capture.ListenerRow, error) {
	var l list[capture.ListenerRow]
	err := c.call(ctx, "GET", "/listeners?"+url.Values{"app": {app}}.Encode(), nil, &l)
	return l.Data, err
}

// RemoveListener implements Roster.
func (c *Client) RemoveListener(ctx context.Context, id capture.ID) error {
	return c.one(ctx, "DELETE", capture.ListenerID, id, "", nil, nil)
}

// listenersApp is the app that a listener listens to.
func (s *Server) listenersApp(ctx context.Context, id capture.ID) (string, error) {
	if s.Listeners == nil {
		return "", capture.ErrNotFound
	}
	all, err := s.Listeners.Listeners(ctx)
	for _, l := range all {
		if l.ID == id {
			return l.App, nil
		}
	}
	return "", cmp.Or(err, capture.ErrNotFound)
}
