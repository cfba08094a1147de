package store

import (
	"context"
	"fmt"

	"code.hooktape.dev/hooktape/capture"
)

// EditRule changes a rule, or makes it where there is none: edit is told
// which. It may be called more than once.
func (s *Store) EditRule(ctx context.Context, id capture.ID, edit func(r *capture.Rule, found bool) error) (r capture.Rule, err error) {
	if err = checkID(capture.RuleID, id); err == nil {
		r, err = amend(ctx, s, keyID(prefixRule, id), func(r *capture.Rule, found bool) error {
			err := edit(r, found)
			r.ID = id
			return err
		})
	}
	if err != nil {
		return r, fmt.Errorf("store: rule %s: %w", id, err)
	}
	return r, nil
}

// RemoveRule forgets a rule. It returns capture.ErrNotFound, wrapped, where
// there is none.
func (s *Store) RemoveRule(ctx context.Context, id capture.ID) (err error) {
	if err = checkID(capture.RuleID, id); err == nil {
		err = s.forget(ctx, keyID(prefixRule, id))
	}
	if err != nil {
		return fmt.Errorf("store: rule %s: %w", id, err)
	}
	return nil
}

// Rules are all that were made, oldest first.
func (s *Store) Rules(ctx context.Context) ([]capture.Rule, error) {
	return records[capture.Rule](ctx, s, prefixRule, "rules")
}
