package store

import (
	"context"
	"fmt"

	"code.hooktape.dev/hooktape/capture"
)

// EditTrigger changes a trigger, or makes it where there is none: edit is told
// which. It may be called more than once.
func (s *Store) EditTrigger(ctx context.Context, id capture.ID, edit func(t *capture.Trigger, found bool) error) (t capture.Trigger, err error) {
	if err = checkID(capture.TriggerID, id); err == nil {
		t, err = amend(ctx, s, keyID(prefixTrigger, id), func(t *capture.Trigger, found bool) error {
			err := edit(t, found)
			t.ID = id
			return err
		})
	}
	if err != nil {
		return t, fmt.Errorf("store: trigger %s: %w", id, err)
	}
	return t, nil
}

// RemoveTrigger forgets a trigger. It returns capture.ErrNotFound, wrapped,
// where there is none.
func (s *Store) RemoveTrigger(ctx context.Context, id capture.ID) (err error) {
	if err = checkID(capture.TriggerID, id); err == nil {
		err = s.forget(ctx, keyID(prefixTrigger, id))
	}
	if err != nil {
		return fmt.Errorf("store: trigger %s: %w", id, err)
	}
	return nil
}

// Triggers are all that were made, oldest first.
func (s *Store) Triggers(ctx context.Context) ([]capture.Trigger, error) {
	return records[capture.Trigger](ctx, s, prefixTrigger, "triggers")
}
