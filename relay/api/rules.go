package api

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"

	"code.hooktape.dev/hooktape/capture"
)

func (s *Server) rules(r *http.Request) (l list[capture.RuleRow], err error) {
	l.Data, err = s.registry(r).Rules(r.Context(), r.URL.Query().Get("app"))
	return l, err
}

func (s *Server) rule(r *http.Request) (row capture.RuleRow, err error) {
	id, err := pathID(r, capture.RuleID)
	if err != nil {
		return row, err
	}
	return s.registry(r).Rule(r.Context(), id)
}

func (s *Server) createRule(r *http.Request, in capture.RuleSpec) (row capture.RuleRow, err error) {
	if in.App, err = within(r, in.App); err != nil {
		return row, err
	}
	return s.registry(r).CreateRule(r.Context(), in)
}

func (s *Server) updateRule(r *http.Request, patch json.RawMessage) (row capture.RuleRow, err error) {
	id, err := pathID(r, capture.RuleID)
	if err != nil {
		return row, err
	}
	if app := bound(r); app != "" { // it stays the app's
		var said struct {
			App *string `json:"app"`
		}
		if json.Unmarshal(patch, &said) == nil && said.App != nil {
			if _, err := within(r, *said.App); err != nil || *said.App == "" {
				return row, noApp(*said.App)
			}
		}
		var all map[string]json.RawMessage
		if json.Unmarshal(patch, &all) == nil && string(all["app"]) == "null" {
			return row, noApp("")
		}
	}
	return s.registry(r).UpdateRule(r.Context(), id, patch)
}

// place is where a rule is to be asked.
type place struct {
	Place int `json:"place"` // 1 is before all others that were made
}

func (s *Server) moveRule(r *http.Request, in place) (row capture.RuleRow, err error) {
	id, err := pathID(r, capture.RuleID)
	if err != nil {
		return row, err
	}
	return s.registry(r).MoveRule(r.Context(), id, in.Place)
}

func (s *Server) deleteRule(r *http.Request) error {
	id, err := pathID(r, capture.RuleID)
	if err != nil {
		return err
	}
	return s.registry(r).DeleteRule(r.Context(), id)
}

func (s *Server) resetRule(r *http.Request) error {
	id, err := pathID(r, capture.RuleID)
	if err != nil {
		return err
	}
	return s.registry(r).ResetRules(r.Context(), id)
}

func (s *Server) resetRules(r *http.Request) error {
	return s.registry(r).ResetRules(r.Context(), "")
}

// explainRules leaves out the rules of others where the caller is bound to an
// app, and those of all apps.
func (s *Server) explainRules(r *http.Request) (l list[capture.RuleExplanation], err error) {
	id, err := pathID(r, capture.EventID)
	if err != nil {
		return l, err
	}
	all, err := s.registry(r).ExplainRules(r.Context(), id)
	if err != nil || bound(r) == "" {
		l.Data = all
		return l, err
	}
	own, err := s.registry(r).Rules(r.Context(), bound(r))
	for _, x := range all {
		for _, row := range own {
			if row.ID == x.Rule {
				l.Data = append(l.Data, x)
			}
		}
	}
	return l, err
}

// Rules implements Rules.
func (c *Client) Rules(ctx context.Context, app string) ([]capture.RuleRow, error) {
	var l list[capture.RuleRow]
	err := c.call(ctx, "GET", "/rules?"+url.Values{"app": {app}}.Encode(), nil, &l)
	return l.Data, err
}

// Rule implements Rules.
func (c *Client) Rule(ctx context.Context, id capture.ID) (row capture.RuleRow, err error) {
	err = c.one(ctx, "GET", capture.RuleID, id, "", nil, &row)
	return row, err
}

// CreateRule implements Rules.
func (c *Client) CreateRule(ctx context.Context, spec capture.RuleSpec) (row capture.RuleRow, err error) {
	err = c.call(ctx, "POST", "/rules", spec, &row)
	return row, err
}

// UpdateRule implements Rules.
func (c *Client) UpdateRule(ctx context.Context, id capture.ID, patch json.RawMessage) (row capture.RuleRow, err error) {
	err = c.one(ctx, "PATCH", capture.RuleID, id, "", patch, &row)
	return row, err
}

// MoveRule implements Rules.
func (c *Client) MoveRule(ctx context.Context, id capture.ID, to int) (row capture.RuleRow, err error) {
	err = c.one(ctx, "POST", capture.RuleID, id, "/move", place{to}, &row)
	return row, err
}

// DeleteRule implements Rules.
func (c *Client) DeleteRule(ctx context.Context, id capture.ID) error {
	return c.one(ctx, "DELETE", capture.RuleID, id, "", nil, nil)
}

// ResetRules implements Rules.
func (c *Client) ResetRules(ctx context.Context, id capture.ID) error {
	if id == "" {
		return c.call(ctx, "POST", "/rules/reset", nil, nil)
	}
	return c.one(ctx, "POST", capture.RuleID, id, "/reset", nil, nil)
}

// ExplainRules implements Rules.
func (c *Client) ExplainRules(ctx context.Context, event capture.ID) ([]capture.RuleExplanation, error) {
	var l list[capture.RuleExplanation]
	err := c.one(ctx, "GET", capture.EventID, event, "/rules", nil, &l)
	return l.Data, err
}
