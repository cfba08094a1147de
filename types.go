package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/urfave/cli/v2"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/catalog"
	template "code.hooktape.dev/hooktape/capture/fill"
	"code.hooktape.dev/hooktape/capture/safe"
	"code.hooktape.dev/hooktape/relay/api"
)

func typesCommand(e *env) *cli.Command {
	return &cli.Command{
		Name: "types", Aliases: []string{"type"}, Usage: "manage event types: kinds of webhooks, each with a sample that trigger sends",
		Subcommands: []*cli.Command{typesLs(e), typesGet(e), typesCreate(e), typesUpdate(e), typesRm(e), importCommand(e)},
	}
}

func typesLs(e *env) *cli.Command {
	var o common
	var app string
	var own bool
	return &cli.Command{
		Name: "ls", Aliases: []string{"list"}, Usage: "list event types by tag",
		Flags: append(o.flags(),
			&cli.StringFlag{Name: "app", Usage: "only those of the app or provider `NAME`", Destination: &app},
			&cli.BoolFlag{Name: "own", Usage: "leave out those that came with hooktape", Destination: &own}),
		Action: func(c *cli.Context) error {
			return withClient(c.Context, e, &o, func(client *api.Client) error {
				types, err := client.Types(c.Context, app)
				if err != nil {
					return err
				}
				shown := types[:0]
				for _, t := range types {
					if !own || !t.Builtin {
						shown = append(shown, t)
					}
				}
				return list(e, &o, shown, func(t capture.EventType) any { return t }, func(t *capture.EventType) string { return typeLine(t, narrow(e.stdout)) })
			})
		},
	}
}

func typeLine(t *capture.EventType, width int) string {
	whose := "own"
	if t.Builtin {
		whose = "built in"
	}
	return fit(width, column{fmt.Sprintf("%-40s  ", safe.Line(t.Tag)), 0}, column{fmt.Sprintf("%-8s  ", whose), 2}, column{safe.Line(or(t.Name, t.Description)), 1})
}

func typesGet(e *env) *cli.Command {
	var o common
	var schema bool
	return &cli.Command{
		Name: "get", Aliases: []string{"show"}, Usage: "show one event type with its sample", ArgsUsage: "TAG",
		Flags: append(o.flags(), &cli.BoolFlag{Name: "schema", Usage: "write the JSON Schema of its body, made of the sample where it has none", Destination: &schema}),
		Action: about(e, &o, "TAG", func(ctx context.Context, client *api.Client, tag string) error {
			t, err := client.Type(ctx, tag)
			if err != nil {
				return unknownType(err)
			}
			if !schema {
				return showType(e, &o, t)
			}
			if len(t.Schema) == 0 {
				body, err := template.JSON(t.Sample.Body, &template.Source{})
				if err == nil {
					t.Schema, err = catalog.Infer(body)
				}
				if err != nil {
					return err
				}
			}
			return indented(e.stdout, t.Schema)
		}),
	}
}

// unknownType says where tags are to be found; which may have been meant, the
// error itself says.
func unknownType(err error) error {
	if !errors.Is(err, capture.ErrNotFound) {
		return err
	}
	return hinted{err, "hooktape types ls shows what is there."}
}

func indented(w io.Writer, doc json.RawMessage) error {
	text, err := json.MarshalIndent(doc, "", "  ")
	if err != nil {
		return err
	}
	_, err = w.Write(append(text, '\n'))
	return err
}

func showType(e *env, o *common, t capture.EventType) error {
	return show(e, o, t, func(w io.Writer) { writeType(w, &t) })
}

// writeType shows an event type to a person.
func writeType(w io.Writer, t *capture.EventType) {
	fmt.Fprintln(w, safe.Line(t.Tag))
	schema := ""
	if len(t.Schema) > 0 {
		schema = bytesText(int64(len(t.Schema)))
	}
	archived := ""
	if t.Archived {
		archived = "yes"
	}
	members(w, "name", t.Name, "description", t.Description, "group", t.Group, "archived", archived, "signed as", t.Provider, "schema", schema, "selector", strings.TrimSpace(t.Selector+" "+string(t.SelectorValue)), "created", stamp(t.Created), "updated", stamp(t.Updated))
	if t.Builtin {
		fmt.Fprintln(w, "  came with hooktape")
	}
	fmt.Fprintln(w)
	request, body, err := catalog.Request(&t.Sample)
	if err != nil {
		fmt.Fprintf(w, "  the sample cannot be sent as it is: %s\n", safe.Line(err.Error()))
		return
	}
	fmt.Fprintf(w, "%s %s\n", request.Method, safe.Line(string(request.Target)))
	for _, h := range request.Headers {
		fmt.Fprintf(w, "%s: %s\n", safe.Line(h[0]), safe.Line(h[1]))
	}
	fmt.Fprintln(w)
	for _, line := range safe.Block(body) {
		fmt.Fprintln(w, line)
	}
}

// typeFlags are what an EventTypeSpec can be given.
func typeFlags(e *env, p patch) []cli.Flag {
	return []cli.Flag{
		p.flag("name", "`NAME` for people", asText, "name"),
		p.flag("description", "`TEXT` for people", asText, "description"),
		p.flag("provider", "sign the sample as `PROVIDER` does", asText, "provider"),
		p.flag("sample", "the sample {headers, query, body, params, method, path} as `JSON`, @FILE or -", e.asJSON, "sample"),
		p.flag("body", "the sample's body as `JSON`, @FILE or -", e.asJSON, "sample", "body"),
		p.header("header", "H", "send the header `'K: V'` with the sample; repeatable", "sample", "headers"),
		p.flag("method", "send the sample with `METHOD`", asText, "sample", "method"),
		p.flag("path", "send the sample to `PATH`", asText, "sample", "path"),
		p.flag("selector", "an event is of this type where `PLACES` of its body have the sample's values: event, or data.type,data.status", asText, "selector"),
		p.flag("selector-value", "the values at these places are `JSON`, and not the sample's", e.asJSON, "selector_value"),
		p.flag("group", "sort it under `GROUP`, for people", asText, "group"),
		p.flag("archived", "`yes`: offer it to no new subscription; or no", func(v string) (any, error) {
			word, err := oneOf("yes", "no")(v)
			return word == "yes", err
		}, "archived"),
		p.flag("schema", "a JSON Schema of the body as `JSON`, @FILE or -", e.asJSON, "schema"),
	}
}

func typesCreate(e *env) *cli.Command {
	var o common
	var from string
	p := patch{}
	return &cli.Command{
		Name: "create", Aliases: []string{"add"}, Usage: "make an event type", ArgsUsage: "TAG",
		Description: "A TAG is app:event, such as shop:order.paid. Strings of a sample may hold templates:\n{{uuid}}, {{now \"unix\"}}, {{int 1 100}}, {{email}}; docs/samples.md lists them.\nA body that is left out is made by the schema, where there is one.",
		Flags: append(append(o.flags(), typeFlags(e, p)...),
			&cli.StringFlag{Name: "from", Usage: "take what is not given from the event `ID`, or last", Destination: &from},
			subject("tag", "another way to give the `TAG`")),
		Before: fillCommon,
		Action: about(e, &o, "TAG", func(ctx context.Context, client *api.Client, tag string) error {
			var spec capture.EventTypeSpec
			if err := p.into(&spec); err != nil {
				return exitError{exitUsage, err}
			}
			var id capture.ID
			var err error
			if from != "" {
				if id, err = eventID(ctx, client, from); err != nil {
					return err
				}
			}
			t, err := client.CreateType(ctx, tag, spec, id)
			if err != nil {
				return err
			}
			return showType(e, &o, t)
		}),
	}
}

func typesUpdate(e *env) *cli.Command {
	var o common
	p := patch{}
	return &cli.Command{
		Name: "update", Aliases: []string{"set"}, Usage: "change what the flags name; an empty value clears", ArgsUsage: "TAG",
		Flags: append(o.flags(), typeFlags(e, p)...), Before: fillCommon,
		Action: about(e, &o, "TAG", func(ctx context.Context, client *api.Client, tag string) error {
			if len(p) == 0 {
				return usage("types update: want a flag that says what to change")
			}
			changes, err := p.json()
			if err != nil {
				return err
			}
			t, err := client.UpdateType(ctx, tag, changes)
			if err != nil {
				return unknownType(err)
			}
			return showType(e, &o, t)
		}),
	}
}

func typesRm(e *env) *cli.Command {
	var o common
	var yes bool
	return &cli.Command{
		Name: "rm", Aliases: []string{"delete", "remove"}, Usage: "delete an event type", ArgsUsage: "TAG",
		Flags: append(o.flags(), &cli.BoolFlag{Name: "yes", Aliases: []string{"y"}, Usage: "do not ask", Destination: &yes}),
		Action: about(e, &o, "TAG", func(ctx context.Context, client *api.Client, tag string) error {
			if _, err := client.Type(ctx, tag); err != nil {
				return unknownType(err)
			}
			if err := sure(e, yes, "Delete the event type %s?", tag); err != nil {
				return err
			}
			if err := client.DeleteType(ctx, tag); err != nil {
				return err
			}
			fmt.Fprintf(e.stderr, "deleted %s\n", tag)
			return nil
		}),
	}
}
