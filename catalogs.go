package main

import (
	"context"
	"fmt"
	"io"

	"github.com/urfave/cli/v2"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/safe"
	"code.hooktape.dev/hooktape/relay/api"
)

func catalogsCommand(e *env) *cli.Command {
	return &cli.Command{
		Name: "catalogs", Aliases: []string{"catalog"}, Usage: "manage catalogs: named sets of event types that an app's endpoints may subscribe to",
		Description: "The event types of the catalog billing are those with tags billing:…; hooktape types\nmakes and changes them, and hooktape apps update --catalog points an app to it.",
		Subcommands: []*cli.Command{catalogsLs(e), catalogsGet(e), catalogsCreate(e), catalogsUpdate(e), catalogsRm(e)},
	}
}

func catalogsLs(e *env) *cli.Command {
	var o common
	return &cli.Command{
		Name: "ls", Aliases: []string{"list"}, Usage: "list catalogs by slug", Flags: o.flags(),
		Action: func(c *cli.Context) error {
			return withClient(c.Context, e, &o, func(client *api.Client) error {
				catalogs, err := client.Catalogs(c.Context)
				if err != nil {
					return err
				}
				return list(e, &o, catalogs, func(row capture.CatalogRow) any { return row }, func(row *capture.CatalogRow) string {
					return fit(narrow(e.stdout), column{fmt.Sprintf("%-20s  ", row.Slug), 0}, column{fmt.Sprintf("types %-4d  ", len(row.Types)), 2}, column{safe.Line(or(row.Name, row.Description)), 1})
				})
			})
		},
	}
}

// aboutCatalog is the action of a command about one catalog.
func aboutCatalog(e *env, o *common, do func(context.Context, *api.Client, string) (capture.CatalogRow, error)) cli.ActionFunc {
	return about(e, o, "SLUG", func(ctx context.Context, client *api.Client, slug string) error {
		row, err := do(ctx, client, slug)
		if err != nil {
			return unknownCatalog(ctx, client, slug, err)
		}
		return show(e, o, row, func(w io.Writer) { writeCatalog(w, &row, narrow(w)) })
	})
}

// unknownCatalog says what slug may have been meant.
func unknownCatalog(ctx context.Context, client *api.Client, slug string, err error) error {
	return unknown(err, slug, "hooktape catalogs ls", func() (slugs []string, err error) {
		catalogs, err := client.Catalogs(ctx)
		for _, c := range catalogs {
			slugs = append(slugs, c.Slug)
		}
		return slugs, err
	})
}

// writeCatalog shows a catalog to a person.
func writeCatalog(w io.Writer, row *capture.CatalogRow, width int) {
	fmt.Fprintln(w, row.Slug)
	members(w, "name", row.Name, "description", row.Description, "created", by(row.Created, row.CreatedBy), "updated", stamp(row.Updated))
	for i := range row.Types {
		if i == 0 {
			fmt.Fprintln(w)
		}
		fmt.Fprintln(w, typeLine(&row.Types[i], width))
	}
}

func catalogsGet(e *env) *cli.Command {
	var o common
	return &cli.Command{
		Name: "get", Aliases: []string{"show"}, Usage: "show one catalog and its event types", ArgsUsage: "SLUG", Flags: o.flags(),
		Action: aboutCatalog(e, &o, func(ctx context.Context, client *api.Client, slug string) (capture.CatalogRow, error) {
			return client.Catalog(ctx, slug)
		}),
	}
}

func catalogFlags(p patch) []cli.Flag {
	return []cli.Flag{
		p.flag("name", "`NAME` for people", asText, "name"),
		p.flag("description", "`TEXT` for people", asText, "description"),
	}
}

func catalogsCreate(e *env) *cli.Command {
	var o common
	p := patch{}
	return &cli.Command{
		Name: "create", Aliases: []string{"add"}, Usage: "make a catalog", ArgsUsage: "SLUG",
		Flags: append(append(o.flags(), catalogFlags(p)...), subject("slug", "another way to give the `SLUG`")), Before: fillCommon,
		Action: aboutCatalog(e, &o, func(ctx context.Context, client *api.Client, slug string) (capture.CatalogRow, error) {
			var spec capture.CatalogSpec
			if err := p.into(&spec); err != nil {
				return capture.CatalogRow{}, exitError{exitUsage, err}
			}
			return client.CreateCatalog(ctx, slug, spec)
		}),
	}
}

func catalogsUpdate(e *env) *cli.Command {
	var o common
	p := patch{}
	return &cli.Command{
		Name: "update", Aliases: []string{"set"}, Usage: "change what the flags name; an empty value clears", ArgsUsage: "SLUG",
		Flags: append(o.flags(), catalogFlags(p)...), Before: fillCommon,
		Action: aboutCatalog(e, &o, func(ctx context.Context, client *api.Client, slug string) (row capture.CatalogRow, err error) {
			if len(p) == 0 {
				return row, usage("catalogs update: want a flag that says what to change")
			}
			changes, err := p.json()
			if err != nil {
				return row, err
			}
			return client.UpdateCatalog(ctx, slug, changes)
		}),
	}
}

func catalogsRm(e *env) *cli.Command {
	var o common
	var yes bool
	return &cli.Command{
		Name: "rm", Aliases: []string{"delete", "remove"}, Usage: "delete a catalog that no app points to; its event types stay", ArgsUsage: "SLUG",
		Flags: append(o.flags(), &cli.BoolFlag{Name: "yes", Aliases: []string{"y"}, Usage: "do not ask", Destination: &yes}),
		Action: about(e, &o, "SLUG", func(ctx context.Context, client *api.Client, slug string) error {
			if _, err := client.Catalog(ctx, slug); err != nil {
				return unknownCatalog(ctx, client, slug, err)
			}
			if err := sure(e, yes, "Delete the catalog %s?", slug); err != nil {
				return err
			}
			if err := client.DeleteCatalog(ctx, slug); err != nil {
				return err
			}
			fmt.Fprintf(e.stderr, "deleted %s\n", slug)
			return nil
		}),
	}
}
