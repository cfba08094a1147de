package api

import (
	"context"
	"net/http"

	"code.hooktape.dev/hooktape/capture"
)

// Judgement is what the sender of a challenge would say to an answer.
type Judgement struct {
	Asked    bool   `json:"asked"`              // the event is a challenge, and all is known that its answer takes
	Provider string `json:"provider,omitempty"` // whose
	Problem  string `json:"problem,omitempty"`  // what is wrong with the answer; "": nothing
}

// judgedBy is the secret that a challenge is answered with, where it is not
// one that is known.
type judgedBy struct {
	Secret string `json:"secret,omitempty"`
}

func (s *Server) judge(r *http.Request, in judgedBy) (j Judgement, err error) {
	id, err := pathID(r, capture.AttemptID)
	if err != nil {
		return j, err
	}
	var wrong error
	j.Provider, j.Asked, wrong, err = s.registry(r).Judge(r.Context(), id, in.Secret)
	if wrong != nil {
		j.Problem = wrong.Error()
	}
	return j, err
}

// Judge says what the sender of a challenge would say to the answer that an
// attempt got. secret is what it is answered with; "": what is known there.
func (c *Client) Judge(ctx context.Context, attempt capture.ID, secret string) (j Judgement, err error) {
	err = c.one(ctx, "POST", capture.AttemptID, attempt, "/judge", judgedBy{secret}, &j)
	return j, err
}
