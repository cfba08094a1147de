package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/safe"
	"code.hooktape.dev/hooktape/relay/api"
)

func triggersCommand(e *env) *cli.Command {
	return &cli.Command{
		Name: "triggers", Usage: "manage and fire registered requests, whose callers see no URL and no secret",
		Subcommands: []*cli.Command{triggersLs(e), triggersGet(e), triggersCreate(e), triggersUpdate(e), triggersFire(e), triggersRm(e)},
	}
}

func triggersLs(e *env) *cli.Command {
	var o common
	var app string
	return &cli.Command{
		Name: "ls", Aliases: []string{"list"}, Usage: "list triggers by name",
		Flags: append(o.flags(), &cli.StringFlag{Name: "app", Usage: "only those of the app `SLUG`", Destination: &app}),
		Action: func(c *cli.Context) error {
			return withClient(c.Context, e, &o, func(client *api.Client) error {
				if err := knownApp(c.Context, client, app); err != nil {
					return err
				}
				all, err := client.Triggers(c.Context, app)
				if err != nil {
					return err
				}
				return list(e, &o, all, func(t capture.Trigger) any { return t }, func(t *capture.Trigger) string { return triggerLine(t, narrow(e.stdout)) })
			})
		},
	}
}

func triggerLine(t *capture.Trigger, width int) string {
	name := safe.Line(t.Name)
	if t.Hidden {
		name += "  (hidden)"
	}
	return fit(width, column{string(t.ID) + "  ", 0}, column{fmt.Sprintf("%-10s  ", safe.Line(t.App)), 2},
		column{fmt.Sprintf("%-6s  ", t.Verb()), 1}, column{safe.Line(t.URL) + "  ", 3}, column{name, 0})
}

// aboutTrigger is the action of a command about one trigger, by its id or its
// name in an app.
func aboutTrigger(e *env, o *common, app *string, do func(context.Context, *api.Client, capture.Trigger) error) cli.ActionFunc {
	return about(e, o, "ID", func(ctx context.Context, client *api.Client, arg string) error {
		t, err := findTrigger(ctx, client, *app, arg)
		if err != nil {
			return err
		}
		return do(ctx, client, t)
	})
}

// inApp is the flag that says whose names are meant.
func inApp(app *string) cli.Flag {
	return &cli.StringFlag{Name: "app", Usage: "by its name in the app `SLUG`", Value: capture.DefaultApp, Destination: app}
}

func findTrigger(ctx context.Context, client *api.Client, app, arg string) (capture.Trigger, error) {
	if id, err := capture.ParseID(capture.TriggerID, arg); err == nil {
		t, err := client.Trigger(ctx, id)
		return t, unknownTrigger(ctx, client, "", arg, err)
	}
	all, err := client.Triggers(ctx, app)
	for _, t := range all {
		if t.Name == arg {
			return t, nil
		}
	}
	if err == nil {
		err = unknownTrigger(ctx, client, app, arg, fmt.Errorf("there is no trigger %q in the app %s: %w", arg, app, capture.ErrNotFound))
	}
	return capture.Trigger{}, err
}

func unknownTrigger(ctx context.Context, client *api.Client, app, arg string, err error) error {
	return unknown(err, arg, "hooktape triggers ls", func() (names []string, err error) {
		all, err := client.Triggers(ctx, app)
		for _, t := range all {
			names = append(names, t.Name, string(t.ID))
		}
		return names, err
	})
}

func triggersGet(e *env) *cli.Command {
	var o common
	var app string
	return &cli.Command{
		Name: "get", Aliases: []string{"show"}, Usage: "show one trigger", ArgsUsage: "ID|NAME", Flags: append(o.flags(), inApp(&app)),
		Action: aboutTrigger(e, &o, &app, func(_ context.Context, _ *api.Client, t capture.Trigger) error { return showTrigger(e, &o, t) }),
	}
}

func showTrigger(e *env, o *common, t capture.Trigger) error {
	return show(e, o, t, func(w io.Writer) {
		fmt.Fprintln(w, t.ID)
		var next []string
		for _, s := range t.Next {
			next = append(next, s.Trigger+" after "+or(string(s.When), string(capture.WhenSuccess)))
		}
		rows := []string{"name", t.Name, "app", t.App, "description", t.Description, "sends", t.Verb() + " " + t.URL, "data", t.Encoding}
		for _, name := range slices.Sorted(maps.Keys(t.Headers)) {
			rows = append(rows, "header", name+": "+or(t.Headers[name], "(the caller's)"))
		}
		timeout := ""
		if t.Timeout > 0 {
			timeout = time.Duration(t.Timeout).String()
		}
		seen := ""
		if t.Hidden {
			seen = "by chains alone"
		}
		members(w, append(rows, "query", strings.Join(t.QueryParams, ", "), "timeout", timeout, "fired", seen, "next", strings.Join(next, ", "),
			"created", by(t.Created, t.CreatedBy), "updated", by(t.Updated, t.UpdatedBy))...)
	})
}

// triggerFlags are what a TriggerSpec can be given beside its name.
func triggerFlags(e *env, p patch) []cli.Flag {
	var params []string
	var next []capture.Sequel
	return []cli.Flag{
		p.flag("url", "send to `URL`; nobody is shown more of it than its host", asText, "url"),
		p.flag("description", "`TEXT` for people", asText, "description"),
		p.flag("method", "`METHOD`: POST, GET, PUT, PATCH or DELETE", func(v string) (any, error) { return strings.ToUpper(v), nil }, "method"),
		p.header("header", "H", "send the header `'K: V'`, which nobody is shown; repeatable", "headers"),
		setter("slot", "let callers give the header `NAME`; repeatable", func(v string) error {
			p.set("", "headers", v)
			return nil
		}),
		setter("param", "let callers add `NAME` to the query; repeatable", func(v string) error {
			if params = append(params, v); v == "" {
				params = nil
			}
			p.set(params, "query_params")
			return nil
		}),
		p.flag("encoding", "`base64`: callers give the bytes to send in base64", oneOf(capture.Encoded), "encoding"),
		setter("next", "then fire `NAME`, or NAME=failure, NAME=always; repeatable", func(v string) error {
			if v == "" {
				next = nil
				p.set(nil, "next")
				return nil
			}
			name, when, _ := strings.Cut(v, "=")
			if when != "" {
				if _, err := oneOf(capture.Whens...)(when); err != nil {
					return err
				}
			}
			next = append(next, capture.Sequel{Trigger: name, When: capture.When(when)})
			p.set(next, "next")
			return nil
		}),
		&cli.BoolFlag{Name: "hidden", Usage: "let chains alone fire it", Action: func(_ *cli.Context, on bool) error { p.set(on, "hidden"); return nil }},
		p.flag("timeout", "give a firing up after `TIME`", asSpan, "timeout_ms"),
		p.whole(e, "the trigger, or what is to change, as `JSON`, @FILE or -"),
	}
}

func triggersCreate(e *env) *cli.Command {
	var o common
	p, app := patch{}, capture.DefaultApp
	return &cli.Command{
		Name: "create", Aliases: []string{"add"}, Usage: "register an outgoing request", ArgsUsage: "NAME",
		Description: "Whoever may fire it gives data, and gets a reference, a status and what was answered. URL and\n" +
			"headers stay here. What a chain makes of one answer for the next request, --data says:\n" +
			"  --data '{\"next\":[{\"trigger\":\"note\",\"when\":\"failure\",\"map\":{\"text\":\"it failed\",\"code\":\"/status\"}}]}'",
		Flags: append(append(o.flags(), triggerFlags(e, p)...), subject("name", "another way to give the `NAME`"),
			&cli.StringFlag{Name: "app", Usage: "of the app `SLUG`", Value: app, Destination: &app}),
		Before: fillCommon,
		Action: about(e, &o, "NAME", func(ctx context.Context, client *api.Client, name string) error {
			p.set(name, "name")
			var spec capture.TriggerSpec
			if err := p.into(&spec); err != nil {
				return exitError{exitUsage, err}
			}
			t, err := client.CreateTrigger(ctx, app, spec)
			if err != nil {
				return unknownApp(ctx, client, app, err)
			}
			return showTrigger(e, &o, t)
		}),
	}
}

func triggersUpdate(e *env) *cli.Command {
	var o common
	var app string
	p := patch{}
	return &cli.Command{
		Name: "update", Aliases: []string{"set"}, Usage: "change what the flags name; an empty value clears", ArgsUsage: "ID|NAME",
		Flags: append(append(o.flags(), triggerFlags(e, p)...), inApp(&app), p.flag("name", "call it `NAME`", asText, "name")), Before: fillCommon,
		Action: aboutTrigger(e, &o, &app, func(ctx context.Context, client *api.Client, t capture.Trigger) error {
			if len(p) == 0 {
				return usage("triggers update: want a flag that says what to change")
			}
			changes, err := p.json()
			if err != nil {
				return err
			}
			if t, err = client.UpdateTrigger(ctx, t.ID, changes); err != nil {
				return err
			}
			return showTrigger(e, &o, t)
		}),
	}
}

func triggersRm(e *env) *cli.Command {
	var o common
	var app string
	return &cli.Command{
		Name: "rm", Aliases: []string{"delete", "remove"}, Usage: "delete a trigger; its firings stay", ArgsUsage: "ID|NAME", Flags: append(o.flags(), inApp(&app)),
		Action: aboutTrigger(e, &o, &app, func(ctx context.Context, client *api.Client, t capture.Trigger) error {
			if err := client.DeleteTrigger(ctx, t.ID); err != nil {
				return err
			}
			fmt.Fprintf(e.stderr, "deleted %s\n", t.ID)
			return nil
		}),
	}
}
