package store

import (
	"context"
	"fmt"

	"code.hooktape.dev/hooktape/capture"
)

// EditType changes an event type, or makes it where there is none: edit is
// told which. It may be called more than once.
func (s *Store) EditType(ctx context.Context, tag string, edit func(t *capture.EventType, found bool) error) (capture.EventType, error) {
	made, err := amend(ctx, s, keyType(tag), func(t *capture.EventType, found bool) error {
		err := edit(t, found)
		t.Tag = tag
		return err
	})
	if err != nil {
		return made, fmt.Errorf("store: event type %s: %w", tag, err)
	}
	return made, nil
}

// RemoveType forgets an event type. It returns capture.ErrNotFound, wrapped,
// where there is none.
func (s *Store) RemoveType(ctx context.Context, tag string) error {
	if err := s.forget(ctx, keyType(tag)); err != nil {
		return fmt.Errorf("store: event type %s: %w", tag, err)
	}
	return nil
}

// Types are the event types that were made, by tag.
func (s *Store) Types(ctx context.Context) ([]capture.EventType, error) {
	return records[capture.EventType](ctx, s, prefixType, "event types")
}

func keyType(tag string) []byte { return append([]byte{prefixType}, tag...) }
