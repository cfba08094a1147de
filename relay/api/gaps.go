package api

import (
	"context"
	"net/http"
	"slices"

	"code.hooktape.dev/hooktape/capture"
)

// Gapped is a Source that remembers when it was away from its relay. One that
// takes webhooks itself never is.
type Gapped interface {
	Gaps(context.Context) ([]capture.Gap, error) // oldest first
}

func (s *Server) gaps(r *http.Request) (l list[capture.Gap], err error) {
	from, ok := s.Source.(Gapped)
	if !ok {
		return l, nil
	}
	l.Data, err = from.Gaps(r.Context())
	if app := r.URL.Query().Get("app"); app != "" {
		l.Data = slices.DeleteFunc(l.Data, func(g capture.Gap) bool { return g.App != app })
	}
	return l, err
}

// Gaps implements Gapped.
func (c *Client) Gaps(ctx context.Context) ([]capture.Gap, error) {
	var l list[capture.Gap]
	err := c.call(ctx, "GET", "/gaps", nil, &l)
	return l.Data, err
}
