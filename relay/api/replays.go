package api

import (
	"context"
	"net/http"

	"code.hooktape.dev/hooktape/capture"
)

func (s *Server) replays(r *http.Request) (l list[capture.Replay], err error) {
	a, err := s.app(r)
	if err != nil {
		return l, err
	}
	l.Data, err = s.Replays.Replays(r.Context(), a.Slug)
	return l, err
}

func (s *Server) startReplay(r *http.Request, spec capture.ReplaySpec) (capture.Replay, error) {
	a, err := s.app(r)
	if err != nil {
		return capture.Replay{}, err
	}
	return s.Replays.StartReplay(r.Context(), a.Slug, spec)
}

func (s *Server) replayed(r *http.Request) (t capture.Replay, err error) {
	id, err := pathID(r, capture.ReplayID)
	if err != nil {
		return t, err
	}
	return s.Replays.Replay(r.Context(), id)
}

func (s *Server) cancelReplay(r *http.Request) (t capture.Replay, err error) {
	id, err := pathID(r, capture.ReplayID)
	if err != nil {
		return t, err
	}
	return s.Replays.CancelReplay(r.Context(), id)
}

// Replays implements Replayer.
func (c *Client) Replays(ctx context.Context, app string) ([]capture.Replay, error) {
	var l list[capture.Replay]
	_, err := c.app(ctx, "GET", app, "/replays", nil, &l)
	return l.Data, err
}

// StartReplay implements Replayer.
func (c *Client) StartReplay(ctx context.Context, app string, spec capture.ReplaySpec) (t capture.Replay, err error) {
	_, err = c.app(ctx, "POST", app, "/replays", spec, &t)
	return t, err
}

// Replay implements Replayer.
func (c *Client) Replay(ctx context.Context, id capture.ID) (t capture.Replay, err error) {
	err = c.one(ctx, "GET", capture.ReplayID, id, "", nil, &t)
	return t, err
}

// CancelReplay implements Replayer.
func (c *Client) CancelReplay(ctx context.Context, id capture.ID) (t capture.Replay, err error) {
	err = c.one(ctx, "POST", capture.ReplayID, id, "/cancel", nil, &t)
	return t, err
}
