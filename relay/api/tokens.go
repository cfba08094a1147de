package api

import (
	"context"
	"net/http"
	"time"

	"code.hooktape.dev/hooktape/capture"
)

// tokenInput is what a token is made of.
type tokenInput struct {
	Name    string        `json:"name"`
	Scope   capture.Scope `json:"scope"`
	Expires time.Time     `json:"expires_at,omitzero"` // absent: never
}

// newToken is a token with what is shown of it but once.
type newToken struct {
	capture.Token
	Secret string `json:"token"`
}

func (s *Server) tokens(r *http.Request) (l list[capture.Token], err error) {
	l.Data, err = s.registry(r).Tokens(r.Context())
	return l, err
}

func (s *Server) createToken(r *http.Request, in tokenInput) (newToken, error) {
	t, secret, err := s.registry(r).CreateToken(r.Context(), in.Name, in.Scope, in.Expires)
	return newToken{t, secret}, err
}

func (s *Server) revokeToken(r *http.Request) error {
	id, err := pathID(r, capture.TokenID)
	if err != nil {
		return err
	}
	return s.registry(r).RevokeToken(r.Context(), id)
}

// Tokens implements Registry.
func (c *Client) Tokens(ctx context.Context) ([]capture.Token, error) {
	var l list[capture.Token]
	err := c.call(ctx, "GET", "/tokens", nil, &l)
	return l.Data, err
}

// CreateToken implements Registry.
func (c *Client) CreateToken(ctx context.Context, name string, scope capture.Scope, expires time.Time) (capture.Token, string, error) {
	var t newToken
	err := c.call(ctx, "POST", "/tokens", tokenInput{name, scope, expires}, &t)
	return t.Token, t.Secret, err
}

// RevokeToken implements Registry.
func (c *Client) RevokeToken(ctx context.Context, id capture.ID) error {
	return c.one(ctx, "DELETE", capture.TokenID, id, "", nil, nil)
}
