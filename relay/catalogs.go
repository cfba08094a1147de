package relay

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/match"
)

// Catalogs are all catalogs with their event types, by slug.
func (r *Registry) Catalogs(ctx context.Context) ([]capture.CatalogRow, error) {
	catalogs, err := r.store.Catalogs(ctx)
	if err != nil {
		return nil, err
	}
	types, err := r.madeTypes(ctx)
	rows := make([]capture.CatalogRow, len(catalogs))
	for i, c := range catalogs {
		rows[i] = cataloged(c, types)
	}
	return rows, err
}

// Catalog is one catalog. It returns capture.ErrNotFound, wrapped, where there
// is none.
func (r *Registry) Catalog(ctx context.Context, slug string) (capture.CatalogRow, error) {
	rows, err := r.Catalogs(ctx)
	if err != nil {
		return capture.CatalogRow{}, err
	}
	i := slices.IndexFunc(rows, func(c capture.CatalogRow) bool { return c.Slug == slug })
	if i < 0 {
		return capture.CatalogRow{}, fmt.Errorf("there is no catalog %q: %w", slug, capture.ErrNotFound)
	}
	return rows[i], nil
}

// cataloged is a catalog with those of the types that are its.
func cataloged(c capture.Catalog, types []capture.EventType) capture.CatalogRow {
	row := capture.CatalogRow{Catalog: c, Types: []capture.EventType{}}
	for _, t := range types {
		if !strings.HasPrefix(t.Tag, c.Slug+":") {
			continue
		}
		row.Types = append(row.Types, t)
		if t.Updated.After(row.Updated) {
			row.Updated = t.Updated
		}
	}
	return row
}

// CreateCatalog makes a catalog and event types in it, all or nothing. A slug
// that is taken, or an event type that is there already, is a
// *capture.ConflictError.
func (r *Registry) CreateCatalog(ctx context.Context, slug string, spec capture.CatalogSpec, types []capture.EventType) (capture.CatalogRow, error) {
	if err := checkSlug(slug); err != nil {
		return capture.CatalogRow{}, err
	}
	return r.editCatalog(ctx, slug, types, func(c *capture.Catalog, found bool) error {
		if found {
			return &capture.ConflictError{Field: "catalog", With: slug, What: fmt.Sprintf("catalog: there is a catalog %q already", slug)}
		}
		*c = capture.Catalog{CatalogSpec: spec, Created: time.Now().UTC(), CreatedBy: r.by}
		return nil
	})
}

// UpdateCatalog changes what the patch names: a JSON merge patch (RFC 7396) of
// a CatalogSpec.
func (r *Registry) UpdateCatalog(ctx context.Context, slug string, patch json.RawMessage) (capture.CatalogRow, error) {
	return r.editCatalog(ctx, slug, nil, func(c *capture.Catalog, found bool) error {
		if !found {
			return capture.ErrNotFound
		}
		return merge(&c.CatalogSpec, patch)
	})
}

// DeleteCatalog forgets a catalog; its event types stay. One that an app points
// to stays: that is a *capture.ConflictError.
func (r *Registry) DeleteCatalog(ctx context.Context, slug string) error {
	apps, err := r.Apps(ctx)
	if err != nil {
		return err
	}
	for _, a := range apps {
		if a.Catalog == slug {
			return &capture.ConflictError{With: a.Slug, What: fmt.Sprintf("the app %q points to %s; point it to another first", a.Slug, slug)}
		}
	}
	return r.store.RemoveCatalog(ctx, slug)
}

// AddTypes makes event types in a catalog, all or nothing: one that is there
// already is a *capture.ConflictError.
func (r *Registry) AddTypes(ctx context.Context, slug string, types []capture.EventType) (capture.CatalogRow, error) {
	return r.editCatalog(ctx, slug, types, func(_ *capture.Catalog, found bool) error {
		if !found {
			return capture.ErrNotFound
		}
		return nil
	})
}

// mostTypes is how many bytes of event types are made at a time.
const mostTypes = 4 << 20

func (r *Registry) editCatalog(ctx context.Context, slug string, types []capture.EventType, edit func(c *capture.Catalog, found bool) error) (row capture.CatalogRow, err error) {
	made, bytes := make([]capture.EventType, len(types)), 0
	for i, t := range types {
		if whose, _, _ := capture.SplitTag(t.Tag); whose != slug {
			return row, &capture.FieldError{Field: fmt.Sprintf("types[%d].tag", i), Problem: fmt.Sprintf("%q: want %s:event, such as %s:order.paid", t.Tag, slug, slug)}
		}
		if made[i], err = newType(t.Tag, t.EventTypeSpec); err != nil {
			return row, err
		}
		if bytes += len(t.Sample.Body) + len(t.Schema) + len(t.Description); bytes > mostTypes {
			return row, &capture.FieldError{Field: "types", Problem: "these are over 4 MiB: make some, then the others"}
		}
	}
	_, err = r.store.EditCatalog(ctx, slug, func(c *capture.Catalog, found bool) ([]capture.EventType, error) {
		if err := edit(c, found); err != nil {
			return nil, err
		}
		if err := length("name", c.Name, 200); err != nil {
			return nil, err
		}
		c.Updated, c.UpdatedBy = time.Now().UTC(), r.by
		return made, length("description", c.Description, 10_000)
	})
	if err != nil {
		return row, bare(err)
	}
	r.known.kinds.forget(slug + ":")
	return r.Catalog(ctx, slug)
}

// checkCatalog refuses a catalog that is not there; "" is none.
func (r *Registry) checkCatalog(ctx context.Context, slug string) error {
	if slug == "" {
		return nil
	}
	_, err := r.Catalog(ctx, slug)
	if errors.Is(err, capture.ErrNotFound) {
		return &capture.FieldError{Field: "catalog", Problem: fmt.Sprintf("there is no catalog %q, it must be created first", slug)}
	}
	return err
}

// Subscribable refuses subscriptions to what the app's catalog has not, has
// archived, or whose filter rules ask for what its schema does not have, with a
// *capture.FieldError. An app without a catalog has nothing to subscribe to.
func (r *Registry) Subscribable(ctx context.Context, slug string, subs []capture.Subscription) error {
	app, err := r.App(ctx, slug)
	if err != nil {
		return err
	}
	var types []capture.EventType
	if app.Catalog != "" {
		c, err := r.Catalog(ctx, app.Catalog)
		if err != nil {
			return err
		}
		types = c.Types
	}
	for i, s := range subs {
		field := fmt.Sprintf("subscriptions[%d]", i)
		n := slices.IndexFunc(types, func(t capture.EventType) bool { return t.Tag == app.Catalog+":"+s.Type })
		if n < 0 {
			return &capture.FieldError{Field: field + ".type", Problem: fmt.Sprintf("unknown event '%s' for app '%s'", s.Type, slug)}
		}
		if types[n].Archived {
			return &capture.FieldError{Field: field + ".type", Problem: fmt.Sprintf("event '%s' is archived and cannot be subscribed", s.Type)}
		}
		if path, outside := match.Outside(s.Rules, types[n].Schema); outside {
			return &capture.FieldError{Field: field + ".filter_rules." + path, Problem: fmt.Sprintf("unknown filter field: the schema of '%s' has no such property", s.Type)}
		}
	}
	return nil
}
