package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"code.hooktape.dev/hooktape/capture"
)

// catalogInput is what a catalog is made of.
type catalogInput struct {
	Slug string `json:"slug"`
	capture.CatalogSpec
}

func (s *Server) catalogs(r *http.Request) (l list[capture.CatalogRow], err error) {
	l.Data, err = s.Engine(r).Catalogs(r.Context())
	return l, err
}

func (s *Server) catalog(r *http.Request) (capture.CatalogRow, error) {
	return s.Engine(r).Catalog(r.Context(), r.PathValue("catalog"))
}

func (s *Server) createCatalog(r *http.Request, in catalogInput) (capture.CatalogRow, error) {
	return s.Engine(r).CreateCatalog(r.Context(), in.Slug, in.CatalogSpec, nil)
}

func (s *Server) updateCatalog(r *http.Request, patch json.RawMessage) (capture.CatalogRow, error) {
	return s.Engine(r).UpdateCatalog(r.Context(), r.PathValue("catalog"), patch)
}

func (s *Server) deleteCatalog(r *http.Request) error {
	return s.Engine(r).DeleteCatalog(r.Context(), r.PathValue("catalog"))
}

// Catalogs are all catalogs with their event types, by slug.
func (c *Client) Catalogs(ctx context.Context) ([]capture.CatalogRow, error) {
	var l list[capture.CatalogRow]
	err := c.call(ctx, "GET", "/catalogs", nil, &l)
	return l.Data, err
}

// Catalog is one catalog with its event types.
func (c *Client) Catalog(ctx context.Context, slug string) (row capture.CatalogRow, err error) {
	err = c.catalog(ctx, "GET", slug, nil, &row)
	return row, err
}

// CreateCatalog makes a catalog. CreateType puts event types into it.
func (c *Client) CreateCatalog(ctx context.Context, slug string, spec capture.CatalogSpec) (row capture.CatalogRow, err error) {
	err = c.call(ctx, "POST", "/catalogs", catalogInput{slug, spec}, &row)
	return row, err
}

// UpdateCatalog changes what the patch names: a JSON merge patch (RFC 7396) of
// a CatalogSpec.
func (c *Client) UpdateCatalog(ctx context.Context, slug string, patch json.RawMessage) (row capture.CatalogRow, err error) {
	err = c.catalog(ctx, "PATCH", slug, patch, &row)
	return row, err
}

// DeleteCatalog forgets a catalog that no app points to; its event types stay.
func (c *Client) DeleteCatalog(ctx context.Context, slug string) error {
	return c.catalog(ctx, "DELETE", slug, nil, nil)
}

// catalog makes a request about one catalog. Text that is no slug names none.
func (c *Client) catalog(ctx context.Context, method, slug string, in, out any) error {
	if !capture.IsSlug(slug) {
		return fmt.Errorf("catalog %q: %w", slug, capture.ErrNotFound)
	}
	return c.call(ctx, method, "/catalogs/"+slug, in, out)
}
