package api

import (
	"context"
	"net/http"
	"slices"

	"code.hooktape.dev/hooktape/capture"
)

// newToken is a token with what is shown of it but once.
type newToken struct {
	capture.Token
	Secret string `json:"token"`
}

func (s *Server) tokens(r *http.Request) (l list[capture.Token], err error) {
	l.Data, err = s.registry(r).Tokens(r.Context())
	if app := r.URL.Query().Get("app"); app != "" {
		l.Data = slices.DeleteFunc(l.Data, func(t capture.Token) bool { return t.App != app })
	}
	return l, err
}

func (s *Server) createToken(r *http.Request, in capture.TokenSpec) (t newToken, err error) {
	if in.App, err = within(r, in.App); err != nil {
		return t, err
	}
	t.Token, t.Secret, err = s.registry(r).CreateToken(r.Context(), in)
	return t, err
}

func (s *Server) revokeToken(r *http.Request) error {
	id, err := pathID(r, capture.TokenID)
	if err != nil {
		return err
	}
	return s.registry(r).RevokeToken(r.Context(), id)
}

// whoami is the token that a request shows. That of the Server itself, and
// callers who need none, have no id.
func (s *Server) whoami(r *http.Request) (capture.Token, error) {
	by := callerOf(r)
	if by.token.ID == "" {
		return capture.Token{TokenSpec: capture.TokenSpec{Name: by.name, Scope: capture.ScopeManage}}, nil
	}
	return by.token, nil
}

// WhoAmI is the token that the client shows, whatever its scope. Without an id
// it is one that cannot be revoked, or none is needed.
func (c *Client) WhoAmI(ctx context.Context) (t capture.Token, err error) {
	err = c.call(ctx, "GET", "/whoami", nil, &t)
	return t, err
}

// Tokens implements Registry.
func (c *Client) Tokens(ctx context.Context) ([]capture.Token, error) {
	var l list[capture.Token]
	err := c.call(ctx, "GET", "/tokens", nil, &l)
	return l.Data, err
}

// CreateToken implements Registry.
func (c *Client) CreateToken(ctx context.Context, spec capture.TokenSpec) (capture.Token, string, error) {
	var t newToken
	err := c.call(ctx, "POST", "/tokens", spec, &t)
	return t.Token, t.Secret, err
}

// RevokeToken implements Registry.
func (c *Client) RevokeToken(ctx context.Context, id capture.ID) error {
	return c.one(ctx, "DELETE", capture.TokenID, id, "", nil, nil)
}
