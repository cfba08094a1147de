package store

import (
	"context"
	"fmt"

	"code.hooktape.dev/hooktape/capture"
)

// EditCatalog changes a catalog, or makes it where there is none: edit is told
// which, and returns event types to make. All of it is done or nothing: where
// there is an event type of such a tag already, that is a
// *capture.ConflictError. Edit may be called more than once.
func (s *Store) EditCatalog(ctx context.Context, slug string, edit func(c *capture.Catalog, found bool) ([]capture.EventType, error)) (capture.Catalog, error) {
	var c capture.Catalog
	err := s.do(ctx, &write{needs: roomAttempt, plan: func(b *batch) error {
		c = capture.Catalog{}
		key := keyCatalog(slug)
		found, err := b.record(key, &c)
		if err != nil {
			return err
		}
		types, err := edit(&c, found)
		if err != nil {
			return err
		}
		c.Slug = slug
		for _, t := range types {
			if err := b.newType(t); err != nil {
				return err
			}
		}
		return b.putRecord(key, c)
	}})
	if err != nil {
		return capture.Catalog{}, fmt.Errorf("store: catalog %s: %w", slug, err)
	}
	return c, nil
}

// newType keeps an event type, unless there is one of its tag.
func (b *batch) newType(t capture.EventType) error {
	there, err := b.get(keyType(t.Tag))
	if err != nil {
		return err
	}
	if there != nil {
		return &capture.ConflictError{Field: "tag", With: t.Tag, What: fmt.Sprintf("tag: there is an event type %q already", t.Tag)}
	}
	return b.putRecord(keyType(t.Tag), t)
}

// Catalogs are all that were made, by slug.
func (s *Store) Catalogs(ctx context.Context) ([]capture.Catalog, error) {
	return records[capture.Catalog](ctx, s, prefixCatalog, "catalogs")
}

// RemoveCatalog forgets a catalog. Its event types stay. It returns
// capture.ErrNotFound, wrapped, where there is none.
func (s *Store) RemoveCatalog(ctx context.Context, slug string) error {
	if err := s.forget(ctx, keyCatalog(slug)); err != nil {
		return fmt.Errorf("store: catalog %s: %w", slug, err)
	}
	return nil
}

func keyCatalog(slug string) []byte { return append([]byte{prefixCatalog}, slug...) }
