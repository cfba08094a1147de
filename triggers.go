package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
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

// callOptions are what a trigger is fired with.
type callOptions struct {
	data    []byte
	headers headersFlag
	query   map[string]json.RawMessage
}

// flags are those that only a call has.
func (o *callOptions) flags(e *env) []cli.Flag {
	return []cli.Flag{
		setter("data", "of a trigger, send `DATA`, @FILE or -: a JSON object, else text, or bytes where it wants base64", func(v string) (err error) {
			o.data, err = e.text(v)
			return err
		}),
		setter("query", "of a trigger, add `NAME=VALUE` to the query; repeatable", func(v string) error {
			name, value, ok := strings.Cut(v, "=")
			if !ok {
				return fmt.Errorf("%q: want NAME=VALUE", v)
			}
			if o.query == nil {
				o.query = map[string]json.RawMessage{}
			}
			o.query[name] = text(value)
			return nil
		}),
	}
}

// given reports whether anything was.
func (o *callOptions) given() bool { return o.data != nil || o.query != nil }

// text is a JSON text.
func text(v string) json.RawMessage {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}

func (o *callOptions) call(t *capture.Trigger) capture.TriggerCall {
	c := capture.TriggerCall{QueryParams: o.query, Headers: map[string]json.RawMessage{}}
	for _, h := range o.headers {
		c.Headers[h[0]] = text(h[1])
	}
	var object map[string]json.RawMessage
	switch {
	case o.data == nil:
	case t.Encoding != "":
		c.Data = text(base64.StdEncoding.EncodeToString(o.data))
	case json.Unmarshal(o.data, &object) == nil && object != nil:
		c.Data = o.data
	default:
		c.Data = text(string(o.data))
	}
	return c
}

func triggersFire(e *env) *cli.Command {
	var o common
	var app string
	var call callOptions
	timeout := spanFlag(2 * time.Minute)
	return &cli.Command{
		Name: "fire", Usage: "send a trigger's request, and show what came of it", ArgsUsage: "ID|NAME",
		Description: "Exits with 1 when the target cannot be reached or answers with 400 or more.",
		Flags: append(append(o.flags(), call.flags(e)...), inApp(&app),
			&cli.GenericFlag{Name: "header", Aliases: []string{"H"}, Usage: "give the header `'K: V'`, where the trigger lets callers; repeatable", Value: &call.headers},
			&cli.GenericFlag{Name: "timeout", Usage: "wait for the answer, and what follows, up to `TIME`", Value: &timeout}),
		Before: fillCommon,
		Action: aboutTrigger(e, &o, &app, func(ctx context.Context, client *api.Client, t capture.Trigger) error {
			return call.within(ctx, time.Duration(timeout), e, &o, client, &t)
		}),
	}
}

// within is fire, for so long; 0: without end.
func (o *callOptions) within(ctx context.Context, most time.Duration, e *env, c *common, client *api.Client, t *capture.Trigger) error {
	if most == 0 {
		return o.fire(ctx, e, c, client, t)
	}
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	return o.fire(ctx, e, c, client, t)
}

// fire fires a trigger and shows what came of it.
func (o *callOptions) fire(ctx context.Context, e *env, c *common, client *api.Client, t *capture.Trigger) error {
	status, err := client.Status(ctx)
	if err != nil {
		return err
	}
	out, err := client.FireTrigger(ctx, t.ID, o.call(t))
	if err != nil {
		return unknownTrigger(ctx, client, t.App, t.Name, err)
	}
	err = show(e, c, out, func(w io.Writer) {
		fmt.Fprintf(w, "[%d] %s %s [%s]\n", out.Status, t.Verb(), safe.Line(t.Name), out.Reference)
		var shown bytes.Buffer
		if json.Indent(&shown, out.Data, "", "  ") == nil {
			fmt.Fprintln(w, strings.Join(safe.Block(shown.Bytes()), "\n"))
		}
	})
	if err == nil && len(t.Next) > 0 && status.Ingest == "" {
		err = chainEnds(ctx, client, t.App) // nobody but this command makes what follows
	}
	switch {
	case err != nil:
		return err
	case out.Error && out.Status == 0:
		return hinted{fmt.Errorf("the target of %s could not be reached", t.Name), fmt.Sprintf("hooktape attempts ls --event %s says why.", out.Reference)}
	case out.Error:
		return fmt.Errorf("the target of %s answered %d", t.Name, out.Status)
	}
	return nil
}

// chainEnds waits until no firing of an app is pending.
func chainEnds(ctx context.Context, client *api.Client, app string) error {
	changed := client.Watch(ctx)
	for {
		waiting, err := client.Attempts(ctx, capture.AttemptQuery{App: app, Status: capture.AttemptPending, Limit: 1000})
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(waiting, func(a capture.Attempt) bool { return strings.HasPrefix(a.URL, capture.TriggerScheme) }) {
			return nil
		}
		if _, ok := <-changed; !ok {
			return fmt.Errorf("what follows the firing has not ended: %w; it goes on when hooktape runs again", context.Cause(ctx))
		}
	}
}
