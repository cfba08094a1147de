package api

import (
	"context"
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
