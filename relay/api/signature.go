package api

import (
	"context"
	"net/http"
	"time"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/match"
	"code.hooktape.dev/hooktape/capture/sign"
)

// judging is how a signature is to be judged.
type judging struct {
	// At is the clock: RFC 3339, a span before now such as 2h, or now; absent:
	// when the event came.
	At string `json:"at,omitempty"`
	// Secret is held against it in place of those that are known. It is not
	// kept.
	Secret string `json:"secret,omitempty"`
}

// Verdict is what is said of a signature, and how it was found out.
type Verdict struct{ sign.Explanation }

func (s *Server) verify(r *http.Request, in judging) (v Verdict, err error) {
	id, err := pathID(r, capture.EventID)
	if err != nil {
		return v, err
	}
	var at time.Time
	if in.At != "" {
		ok := in.At == "now"
		if at = time.Now(); !ok {
			at, ok = match.ParseTime(in.At, time.Now())
		}
		if !ok {
			return v, &capture.FieldError{Field: "at", Problem: "want now, RFC 3339, or a span before now such as 2h"}
		}
	}
	v.Explanation, err = s.registry(r).Signature(r.Context(), id, at, in.Secret)
	return v, err
}

// Signature implements Signatures.
func (c *Client) Signature(ctx context.Context, id capture.ID, at time.Time, secret string) (sign.Explanation, error) {
	clock := ""
	if !at.IsZero() {
		clock = at.Format(time.RFC3339Nano)
	}
	v, err := c.Verify(ctx, id, clock, secret)
	return v.Explanation, err
}

// Verify judges an event's signature: at says by which clock, "" by that of
// when it came, and a secret that is not "" is held against it in place of
// those that are known there.
func (c *Client) Verify(ctx context.Context, id capture.ID, at, secret string) (v Verdict, err error) {
	err = c.one(ctx, "POST", capture.EventID, id, "/verify", judging{at, secret}, &v)
	return v, err
}
