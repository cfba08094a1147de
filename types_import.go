package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"

	"github.com/urfave/cli/v2"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/catalog/spec"
	template "code.hooktape.dev/hooktape/capture/fill"
	"code.hooktape.dev/hooktape/capture/safe"
	"code.hooktape.dev/hooktape/relay/api"
)

// importCommand reads event types of a specification; it is a command of types
// and one of its own.
func importCommand(e *env) *cli.Command {
	var o common
	var app, kind, seed string
	var replace, dryRun bool
	return &cli.Command{
		Name: "import", Usage: "make event types of a specification", ArgsUsage: "FILE",
		Description: "Reads OpenAPI 3.1 webhooks, OpenAPI 3.0 callbacks, AsyncAPI 2 and 3, GitHub's example\n" +
			"payloads, Stripe's fixtures, a JSON Schema, or what hooktape types ls --json writes. FILE may be\n" +
			"- for standard input. What a document refers to elsewhere is never fetched.",
		Flags: append(o.flags(),
			&cli.StringFlag{Name: "app", Usage: "put them under the app or provider `NAME`", DefaultText: "the document's title", Destination: &app},
			&cli.StringFlag{Name: "kind", Usage: "take it for `KIND`: openapi, asyncapi, github, stripe, schema or types", DefaultText: "found out", Destination: &kind},
			&cli.StringFlag{Name: "seed", Usage: "make examples that are missing with the seed `N`", Value: "1", Destination: &seed},
			&cli.BoolFlag{Name: "replace", Usage: "put them in place of those of the same tag", Destination: &replace},
			&cli.BoolFlag{Name: "dry-run", Usage: "only say what would be made", Destination: &dryRun}),
		Before: fillCommon,
		Action: func(c *cli.Context) error {
			if c.NArg() != 1 {
				return usage("%s: want one FILE", c.Command.HelpName)
			}
			n, err := strconv.ParseUint(seed, 10, 64)
			if err != nil {
				return usage("--seed %q: want a whole number", seed)
			}
			file := c.Args().First()
			doc, err := e.specification(file)
			if err != nil {
				return err
			}
			read, err := spec.Read(doc, spec.Options{App: app, Kind: spec.Kind(kind), Name: filepath.Base(file), Seed: n, Escape: template.Escape})
			if err != nil {
				return exitError{exitUsage, fmt.Errorf("%s: %w", file, err)}
			}
			for _, note := range read.Notes {
				fmt.Fprintf(e.stderr, "note: %s\n", safe.Line(note.String()))
			}
			if dryRun {
				return list(e, &o, read.Types, func(t capture.EventType) any { return t }, func(t *capture.EventType) string { return typeLine(t, narrow(e.stdout)) })
			}
			return withClient(c.Context, e, &o, func(client *api.Client) error {
				return importTypes(c.Context, e, &o, client, read.Types, replace)
			})
		},
	}
}

// specification is what a file holds.
func (e *env) specification(file string) ([]byte, error) {
	in := e.stdin
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in = f
	}
	return io.ReadAll(io.LimitReader(in, spec.MostBytes+1)) // Read says what is too long
}

// importTypes makes all of them, and says which were there.
func importTypes(ctx context.Context, e *env, o *common, client *api.Client, types []capture.EventType, replace bool) error {
	made, there := 0, 0
	for _, t := range types {
		_, err := client.CreateType(ctx, t.Tag, t.EventTypeSpec, "")
		taken := new(capture.ConflictError)
		if errors.As(err, &taken) {
			if !replace {
				there++
				continue
			}
			if err = client.DeleteType(ctx, t.Tag); err == nil {
				_, err = client.CreateType(ctx, t.Tag, t.EventTypeSpec, "")
			}
		}
		if err != nil {
			return fmt.Errorf("%s: %w", t.Tag, err)
		}
		made++
		if o.json {
			if err := json.NewEncoder(e.stdout).Encode(t); err != nil {
				return err
			}
		}
	}
	fmt.Fprintf(e.stderr, "%d event type%s made", made, map[bool]string{true: "s"}[made != 1])
	if there > 0 {
		fmt.Fprintf(e.stderr, ", %d were there already; --replace makes them anew", there)
	}
	fmt.Fprintln(e.stderr)
	return nil
}
