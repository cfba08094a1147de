package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/safe"
	"code.hooktape.dev/hooktape/relay/api"
)

func endpointsCommand(e *env) *cli.Command {
	return &cli.Command{
		Name: "endpoints", Aliases: []string{"endpoint"}, Usage: "manage where events are delivered to",
		Subcommands: []*cli.Command{
			endpointsLs(e), endpointsGet(e), endpointsCreate(e), endpointsUpdate(e), endpointsEdit(e),
			endpointsSet(e, capture.EndpointEnabled, "let an endpoint get events again, and what waited for it", "enable", "reactivate"),
			endpointsSet(e, capture.EndpointDisabled, "let no new events go to an endpoint; what is pending waits", "disable"),
			endpointsSet(e, capture.EndpointDeleted, "delete an endpoint; its history stays", "rm", "delete", "remove"),
			endpointsRotate(e), endpointsTest(e),
		},
	}
}

// aboutEndpoint is the action of a command about one endpoint.
func aboutEndpoint(e *env, o *common, do func(context.Context, *api.Client, capture.ID) error) cli.ActionFunc {
	return about(e, o, "ID", func(ctx context.Context, client *api.Client, arg string) error {
		return withEndpoint(ctx, client, arg, func(id capture.ID) error { return do(ctx, client, id) })
	})
}

// withEndpoint reads the id of an endpoint and runs f with it. Where there is
// none, the error says which may have been meant.
func withEndpoint(ctx context.Context, client *api.Client, arg string, f func(capture.ID) error) error {
	id, err := capture.ParseID(capture.EndpointID, arg)
	if err == nil {
		err = f(id)
	}
	return unknown(err, arg, "hooktape endpoints ls", func() (ids []string, err error) {
		rows, err := endpoints(ctx, client, capture.EndpointQuery{})
		for _, r := range rows {
			ids = append(ids, string(r.ID))
		}
		return ids, err
	})
}

// knownEndpoint looks up the endpoint that a flag names, if it names one.
func knownEndpoint(ctx context.Context, client *api.Client, arg string) (id capture.ID, err error) {
	if arg == "" {
		return "", nil
	}
	err = withEndpoint(ctx, client, arg, func(given capture.ID) error {
		id = given
		_, err := client.Endpoint(ctx, id)
		return err
	})
	return id, err
}

// endpoints are all that q asks for.
func endpoints(ctx context.Context, client *api.Client, q capture.EndpointQuery) ([]capture.EndpointRow, error) {
	q.Limit = 1 << 20
	return client.Endpoints(ctx, q)
}

func endpointsLs(e *env) *cli.Command {
	var o struct {
		common
		app, status string
	}
	return &cli.Command{
		Name: "ls", Aliases: []string{"list"}, Usage: "list endpoints, oldest first",
		Flags: append(o.flags(),
			&cli.StringFlag{Name: "app", Usage: "only those of the app `NAME`", Destination: &o.app},
			setter("status", "only those that are `STATUS`: enabled, disabled or deleted; all but deleted ones unless given", func(v string) error {
				_, err := oneOf(capture.EndpointEnabled, capture.EndpointDisabled, capture.EndpointDeleted)(v)
				o.status = v
				return err
			})),
		Action: func(c *cli.Context) error {
			return withClient(c.Context, e, &o.common, func(client *api.Client) error {
				if err := knownApp(c.Context, client, o.app); err != nil {
					return err
				}
				rows, err := endpoints(c.Context, client, capture.EndpointQuery{App: o.app, Status: capture.EndpointStatus(o.status)})
				if err != nil {
					return err
				}
				return list(e, &o.common, rows, rowShown, func(r *capture.EndpointRow) string { return endpointLine(r, narrow(e.stdout)) })
			})
		},
	}
}

func endpointsGet(e *env) *cli.Command {
	var o common
	return &cli.Command{
		Name: "get", Aliases: []string{"show"}, Usage: "show one endpoint and how it does", ArgsUsage: "ID", Flags: o.flags(),
		Action: aboutEndpoint(e, &o, func(ctx context.Context, client *api.Client, id capture.ID) error {
			r, err := client.Endpoint(ctx, id)
			if err != nil {
				return err
			}
			return show(e, &o, rowShown(r), func(w io.Writer) {
				writeEndpoint(w, &r.Endpoint)
				writeHealth(w, &r.Health)
			})
		}),
	}
}

func endpointsCreate(e *env) *cli.Command {
	var o common
	p, chosen := patch{}, new(choice)
	app, disabled := capture.DefaultApp, false
	return &cli.Command{
		Name: "create", Aliases: []string{"add"}, Usage: "deliver events to a URL", ArgsUsage: "URL",
		Description: "Gets every event of its app, unless --type, --source, --condition, --rules or --filter\n" +
			"choose some. Its secret is shown this once.",
		Flags: append(append(o.flags(), endpointFlags(e, p, chosen)...),
			subject("url", "another way to give the `URL`"),
			&cli.StringFlag{Name: "app", Usage: "of the app `NAME`", Value: app, Destination: &app},
			&cli.BoolFlag{Name: "disabled", Usage: "make it, and let nothing go there yet", Destination: &disabled}),
		Before: fillCommon,
		Action: about(e, &o, "URL", func(ctx context.Context, client *api.Client, url string) error {
			p.set(url, "url")
			if err := p.checkFilter(); err != nil {
				return err
			}
			if err := chosen.into(p, nil); err != nil {
				return err
			}
			var spec capture.EndpointSpec
			if err := p.into(&spec); err != nil {
				return exitError{exitUsage, err}
			}
			create := client.CreateEndpoint
			if disabled {
				create = func(ctx context.Context, app string, spec capture.EndpointSpec) (capture.Endpoint, error) {
					return client.CreateDisabled(ctx, app, spec, "")
				}
			}
			made, err := create(ctx, app, spec)
			if err != nil {
				return unknownApp(ctx, client, app, err)
			}
			fmt.Fprintln(e.stderr, "Note the secret: it is shown this once.")
			return showEndpoint(e, &o, made)
		}),
	}
}

func endpointsUpdate(e *env) *cli.Command {
	var o common
	p, chosen := patch{}, new(choice)
	return &cli.Command{
		Name: "update", Aliases: []string{"set"}, Usage: "change what the flags name; an empty value clears", ArgsUsage: "ID",
		Flags:  append(append(o.flags(), endpointFlags(e, p, chosen)...), p.flag("url", "deliver to `URL`", asText, "url")),
		Before: fillCommon,
		Action: aboutEndpoint(e, &o, func(ctx context.Context, client *api.Client, id capture.ID) error {
			if chosen.given() {
				r, err := client.Endpoint(ctx, id)
				if err != nil {
					return err
				}
				if err := chosen.into(p, r.Subscriptions); err != nil {
					return hinted{err, fmt.Sprintf("hooktape endpoints edit %s changes them one by one.", id)}
				}
			}
			if len(p) == 0 {
				return usage("endpoints update: want a flag that says what to change, or run: hooktape endpoints edit %s", id)
			}
			if err := p.checkFilter(); err != nil {
				return err
			}
			changes, err := p.json()
			if err != nil {
				return err
			}
			changed, err := client.UpdateEndpoint(ctx, id, changes)
			if err != nil {
				return err
			}
			return showEndpoint(e, &o, changed)
		}),
	}
}

func endpointsEdit(e *env) *cli.Command {
	var o common
	return &cli.Command{
		Name: "edit", Usage: "change an endpoint in $VISUAL or $EDITOR", ArgsUsage: "ID", Flags: o.flags(), Before: fillCommon,
		Action: func(c *cli.Context) error {
			if c.NArg() != 1 {
				return usage("endpoints edit: want one ID")
			}
			// The store is let go of while the editor is open.
			with := func(f func(*api.Client, capture.ID) error) error {
				return withClient(c.Context, e, &o, func(client *api.Client) error {
					return withEndpoint(c.Context, client, c.Args().First(), func(id capture.ID) error { return f(client, id) })
				})
			}
			var r capture.EndpointRow
			err := with(func(client *api.Client, id capture.ID) (err error) {
				r, err = client.Endpoint(c.Context, id)
				return err
			})
			if err != nil {
				return err
			}
			title := fmt.Sprintf("Endpoint %s of the app %s", r.ID, r.App)
			changed, err := edit(e, title, endpointSheet, r.EndpointSpec, func(changes json.RawMessage) error {
				return with(func(client *api.Client, id capture.ID) (err error) {
					r.Endpoint, err = client.UpdateEndpoint(c.Context, id, changes)
					return err
				})
			})
			if err != nil || !changed {
				return err
			}
			return showEndpoint(e, &o, r.Endpoint)
		},
	}
}

func endpointsSet(e *env, status capture.EndpointStatus, use, name string, aliases ...string) *cli.Command {
	var o common
	var why string
	flags := o.flags()
	if status == capture.EndpointDisabled {
		flags = append(flags, &cli.StringFlag{Name: "reason", Usage: "say `WHY`", Destination: &why})
	}
	return &cli.Command{
		Name: name, Aliases: aliases, Usage: use, ArgsUsage: "ID", Flags: flags, Before: fillCommon,
		Action: aboutEndpoint(e, &o, func(ctx context.Context, client *api.Client, id capture.ID) error {
			changed, err := client.SetEndpoint(ctx, id, status, why)
			if err != nil {
				return err
			}
			if status == capture.EndpointDeleted {
				fmt.Fprintf(e.stderr, "deleted %s\n", id)
				return nil
			}
			return showEndpoint(e, &o, changed)
		}),
	}
}

func endpointsRotate(e *env) *cli.Command {
	var o common
	var r rotation
	return &cli.Command{
		Name: "rotate-secret", Usage: "make a new secret", ArgsUsage: "ID", Flags: append(o.flags(), r.flag()), Before: fillCommon,
		Action: aboutEndpoint(e, &o, func(ctx context.Context, client *api.Client, id capture.ID) error {
			changed, err := client.RotateEndpointSecret(ctx, id, r.overlap())
			if err != nil {
				return err
			}
			fmt.Fprintf(e.stderr, "Note the new secret: it is shown this once. %s\n", r.sentence())
			return showEndpoint(e, &o, changed)
		}),
	}
}

// endpointShown is an endpoint with its secret as the API has shown it:
// masked, unless it was made by this very call.
func endpointShown(to capture.Endpoint) any {
	return struct {
		capture.Endpoint
		Secret string `json:"secret"`
	}{to, to.Secret.Key}
}

func rowShown(r capture.EndpointRow) any {
	return struct {
		capture.EndpointRow
		Secret string `json:"secret"`
	}{r, r.Secret.Key}
}

func showEndpoint(e *env, o *common, to capture.Endpoint) error {
	return show(e, o, endpointShown(to), func(w io.Writer) { writeEndpoint(w, &to) })
}

func endpointLine(r *capture.EndpointRow, width int) string {
	state := string(r.Status)
	if r.Status == capture.EndpointEnabled {
		switch {
		case r.Health.InARow > 0:
			state = fmt.Sprintf("failing x%d", r.Health.InARow)
		case r.Health.LastCode > 0:
			state = fmt.Sprintf("ok %d", r.Health.LastCode)
		}
	}
	return fit(width, column{fmt.Sprintf("%-29s  ", r.ID), 0}, column{fmt.Sprintf("%-11s  ", state), 0},
		column{fmt.Sprintf("%-10s  ", safe.Cut(r.App, 10)), 1}, column{safe.Line(r.URL), 0})
}

// writeEndpoint shows an endpoint to a person.
func writeEndpoint(w io.Writer, to *capture.Endpoint) {
	fmt.Fprintln(w, to.ID)
	state := string(to.Status)
	if to.Status != capture.EndpointEnabled && to.DisabledBy != "" {
		state += " by the " + to.DisabledBy + " since " + stamp(to.DisabledAt)
		if to.DisabledAs != "" {
			state += ": " + to.DisabledAs
		}
	}
	members(w, "url", to.URL, "app", to.App, "state", state, "description", to.Description)
	if len(to.Subscriptions) == 0 {
		members(w, "gets", "every event")
	}
	for _, s := range to.Subscriptions {
		members(w, "gets", subscriptionText(&s))
	}
	headers := make([]string, 0, len(to.Headers))
	for _, name := range slices.Sorted(maps.Keys(to.Headers)) {
		headers = append(headers, name+": "+to.Headers[name])
	}
	members(w, "filter", to.Filter, "headers", strings.Join(headers, ", "), "metadata", string(to.Metadata),
		"format", string(to.Format), "timeout", to.Timeout.Short(), "concurrency", number(to.Concurrency))
	if l := to.RateLimit; l != nil {
		members(w, "rate limit", fmt.Sprintf("%d in %s", l.Max, cmp.Or(time.Duration(l.Per), time.Second)))
	}
	members(w, "retry", retryText(to.Retry), "secret", to.Secret.Key,
		"created", by(to.Created, to.CreatedBy), "updated", by(to.Updated, to.UpdatedBy))
}

func writeHealth(w io.Writer, h *capture.Health) {
	attempts := fmt.Sprintf("%d succeeded, %d failed, %d pending", h.Succeeded, h.Failed, h.Pending)
	if h.InARow > 0 {
		attempts += fmt.Sprintf("; %d failed in a row", h.InARow)
	}
	last := ""
	switch {
	case h.LastError != "":
		last = h.LastError
	case h.LastCode > 0:
		last = strconv.Itoa(h.LastCode)
	}
	if last != "" {
		last += " in " + time.Duration(h.LastTook).Round(time.Millisecond).String()
	}
	members(w, "attempts", attempts, "last", last, "succeeded", stamp(h.LastSuccess), "failed", stamp(h.LastFailure))
}

// subscriptionText says which events s chooses.
func subscriptionText(s *capture.Subscription) string {
	parts := []string{or(s.Type, "every type")}
	if s.Source != "" {
		parts = append(parts, "from "+s.Source)
	}
	if s.Filter != "" {
		parts = append(parts, "where "+s.Filter)
	}
	for i, c := range s.Conditions {
		parts = append(parts, []string{"if ", "or "}[min(i, 1)]+strings.TrimSpace(c.Key+" "+c.Condition+" "+string(c.Value)))
	}
	if len(s.Rules) > 0 {
		parts = append(parts, "by "+string(s.Rules))
	}
	return strings.Join(parts, " ")
}

// retryText says when failed attempts are made again.
func retryText(p *capture.RetryPolicy) string {
	s, err := p.Schedule()
	if err != nil {
		return err.Error()
	}
	waits := make([]string, 0, len(s.Waits))
	for _, w := range s.Waits {
		waits = append(waits, capture.Duration(w).Short())
	}
	name := "default"
	if p != nil {
		name = or(p.Preset, name)
		if len(p.Waits) > 0 {
			name = "own"
		}
	}
	if s.Attempts == 1 {
		return name + ": 1 attempt"
	}
	return fmt.Sprintf("%s: %d attempts, after %s", name, s.Attempts, strings.Join(waits, " "))
}

func number(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}
