package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/safe"
	"code.hooktape.dev/hooktape/relay/api"
)

func rulesCommand(e *env) *cli.Command {
	return &cli.Command{
		Name: "rules", Aliases: []string{"rule"}, Usage: "answer what matches with a mock or a fault",
		Subcommands: []*cli.Command{rulesLs(e), rulesGet(e), rulesCreate(e), rulesUpdate(e), rulesEnable(e, true), rulesEnable(e, false), rulesMove(e), rulesReset(e), rulesExplain(e), rulesRm(e)},
	}
}

func rulesLs(e *env) *cli.Command {
	var o common
	var app string
	return &cli.Command{
		Name: "ls", Aliases: []string{"list"}, Usage: "list rules in the order they are asked",
		Flags: append(o.flags(), &cli.StringFlag{Name: "app", Usage: "only those of the app `SLUG` alone", Destination: &app}),
		Action: func(c *cli.Context) error {
			return withClient(c.Context, e, &o, func(client *api.Client) error {
				if err := knownApp(c.Context, client, app); err != nil {
					return err
				}
				rows, err := client.Rules(c.Context, app)
				if err != nil {
					return err
				}
				return list(e, &o, rows, func(r capture.RuleRow) any { return r }, func(r *capture.RuleRow) string { return ruleLine(r, narrow(e.stdout)) })
			})
		},
	}
}

func ruleLine(r *capture.RuleRow, width int) string {
	what := r.Does()
	if r.Disabled {
		what += ", off"
	}
	name := safe.Line(or(r.Name, or(r.Match, "everything")))
	if r.Name != "" && r.Match != "" {
		name += "  " + safe.Line(r.Match)
	}
	return fit(width, column{string(r.ID) + "  ", 0}, column{fmt.Sprintf("%-8s  ", or(string(r.On), string(capture.OnIngest))), 2},
		column{fmt.Sprintf("%-16s  ", what), 0}, column{fmt.Sprintf("%5d hits  ", r.Hits), 1}, column{name, 0})
}

func rulesGet(e *env) *cli.Command {
	var o common
	return &cli.Command{
		Name: "get", Aliases: []string{"show"}, Usage: "show one rule", ArgsUsage: "ID", Flags: o.flags(),
		Action: aboutRule(e, &o, func(ctx context.Context, client *api.Client, id capture.ID) error {
			row, err := client.Rule(ctx, id)
			if err != nil {
				return err
			}
			return showRule(e, &o, row)
		}),
	}
}

// aboutRule is the action of a command about one rule, by its id or its name.
func aboutRule(e *env, o *common, do func(context.Context, *api.Client, capture.ID) error) cli.ActionFunc {
	return about(e, o, "ID", func(ctx context.Context, client *api.Client, arg string) error {
		id, err := ruleID(ctx, client, arg)
		if err != nil {
			return err
		}
		return do(ctx, client, id)
	})
}

func ruleID(ctx context.Context, client *api.Client, arg string) (capture.ID, error) {
	id, bad := capture.ParseID(capture.RuleID, arg)
	rows, err := client.Rules(ctx, "")
	if err != nil {
		return "", err
	}
	var names []string
	for _, r := range rows {
		if r.ID == id || r.Name == arg {
			return r.ID, nil
		}
		names = append(names, r.Name, string(r.ID))
	}
	if bad == nil {
		arg = string(id)
	}
	return "", unknown(fmt.Errorf("rule %s: %w", arg, capture.ErrNotFound), arg, "hooktape rules ls", func() ([]string, error) { return names, nil })
}

func showRule(e *env, o *common, r capture.RuleRow) error {
	return show(e, o, r, func(w io.Writer) { writeRule(w, &r) })
}

// writeRule shows a rule to a person.
func writeRule(w io.Writer, r *capture.RuleRow) {
	fmt.Fprintln(w, r.ID)
	var more []string
	if r.Probability != nil {
		more = append(more, fmt.Sprintf("in %g of all cases", *r.Probability))
	}
	if r.Times > 0 {
		more = append(more, fmt.Sprintf("%d times", r.Times))
	}
	if s := r.Scenario; s != nil {
		more = append(more, fmt.Sprintf("scenario %s: %s, then %s", s.Name, or(s.When, "any state"), or(s.Then, "the same")))
	}
	state := "on"
	if r.Disabled {
		state = "off"
	}
	hits := fmt.Sprintf("%d", r.Hits)
	if r.Hits > 0 {
		hits += fmt.Sprintf(", the last at %s by %s", stamp(r.LastHit), r.Event)
	}
	var does any = r.Mock
	if r.Fault != nil {
		does = r.Fault
	}
	detail, err := json.Marshal(does)
	if err != nil || r.Pass {
		detail = nil
	}
	members(w, "name", r.Name, "state", state, "app", or(r.App, "all"), "on", or(string(r.On), string(capture.OnIngest)), "match", or(r.Match, "everything"),
		"does", r.Does(), "", string(detail), "only", strings.Join(more, ", "), "hits", hits, "scenario is", r.State, "from", r.File,
		"created", by(r.Created, r.CreatedBy), "updated", by(r.Updated, r.UpdatedBy))
}

// ruleFlags are what a RuleSpec can be given.
func ruleFlags(e *env, p patch) []cli.Flag {
	number := func(v string) (any, error) {
		f, err := strconv.ParseFloat(v, 64)
		if err != nil {
			return nil, fmt.Errorf("%q: want a number", v)
		}
		return f, nil
	}
	return []cli.Flag{
		p.whole(e, "the rule, or what is to change, as `JSON`, @FILE or -"),
		p.flag("name", "`NAME` for people, by which commands find it too", asText, "name"),
		p.flag("app", "only events of the app `SLUG`", asText, "app"),
		p.flag("on", "`ingest`: what the provider is answered; or delivery: what the app's answer becomes", oneOf(capture.OnIngest, capture.OnDelivery), "on"),
		p.flag("match", "only events that match `EXPR`", asText, "match"),
		p.flag("mock", "answer with `STATUS`", asNumber, "mock", "status"),
		p.flag("body", "answer with `TEXT`, a template, or @FILE", func(v string) (any, error) {
			b, err := e.text(v)
			return string(b), err
		}, "mock", "body"),
		p.header("header", "H", "answer with the header `'K: V'`; repeatable", "mock", "headers"),
		p.flag("delay", "wait `TIME` before a mock: 2s, 1s..3s, or ~500ms for a log-normal median", func(v string) (any, error) { return asDelay(v) }, "mock", "delay"),
		p.flag("fault", "fail with `KIND`: timeout, drip, reset, empty, malformed, length or status", oneOf(capture.Faults...), "fault", "kind"),
		p.flag("fault-status", "of the fault status, `STATUS`", asNumber, "fault", "status"),
		p.flag("fault-delay", "wait `TIME` before a fault, as --delay has it", func(v string) (any, error) { return asDelay(v) }, "fault", "delay"),
		&cli.BoolFlag{Name: "pass", Usage: "let what matches through, past the rules behind", Action: func(_ *cli.Context, on bool) error { p.set(on, "pass"); return nil }},
		p.flag("probability", "apply to `P` of what matches, 0 to 1", number, "probability"),
		p.flag("times", "apply `N` times, then no more", asNumber, "times"),
		p.flag("scenario", "apply in one state and go on to another: `NAME`:WHEN:THEN", func(v string) (any, error) {
			parts := strings.Split(v, ":")
			if len(parts) != 3 {
				return nil, fmt.Errorf("%q: want NAME:WHEN:THEN, either state may be empty", v)
			}
			return capture.Scenario{Name: parts[0], When: parts[1], Then: parts[2]}, nil
		}, "scenario"),
		p.flag("send", "with --on delivery, send to the app all the same: `yes` or no", func(v string) (any, error) {
			word, err := oneOf("yes", "no")(v)
			return word == "yes", err
		}, "send"),
	}
}

// asDelay reads 2s, 1s..3s or ~500ms.
func asDelay(v string) (any, error) {
	var d capture.Delay
	read := func(s string, to *capture.Duration) error {
		span, err := asSpan(s)
		if err == nil {
			*to = span.(capture.Duration)
		}
		return err
	}
	if median, ok := strings.CutPrefix(v, "~"); ok {
		d.Sigma = 0.5
		return d, read(median, &d.Median)
	}
	least, most, ok := strings.Cut(v, "..")
	if !ok {
		return d, read(v, &d.Fixed)
	}
	if err := read(least, &d.Min); err != nil {
		return nil, err
	}
	return d, read(most, &d.Max)
}

func rulesCreate(e *env) *cli.Command {
	var o common
	p := patch{}
	return &cli.Command{
		Name: "create", Aliases: []string{"add"}, Usage: "make a rule, asked behind all others",
		Description: "A rule has one of --mock, --fault and --pass. Rules that a team shares belong into\nhooktape.yaml, under rules; docs/rules.md shows both.",
		Flags:       append(o.flags(), ruleFlags(e, p)...), Before: fillCommon,
		Action: func(c *cli.Context) error {
			if c.NArg() > 0 {
				return usage("rules create takes no arguments, and was given %q", c.Args().First())
			}
			var spec capture.RuleSpec
			if err := p.into(&spec); err != nil {
				return exitError{exitUsage, err}
			}
			return withClient(c.Context, e, &o, func(client *api.Client) error {
				row, err := client.CreateRule(c.Context, spec)
				if err != nil {
					return err
				}
				return showRule(e, &o, row)
			})
		},
	}
}

func rulesUpdate(e *env) *cli.Command {
	var o common
	p := patch{}
	return &cli.Command{
		Name: "update", Aliases: []string{"set"}, Usage: "change what the flags name; an empty value clears", ArgsUsage: "ID",
		Flags: append(o.flags(), ruleFlags(e, p)...), Before: fillCommon,
		Action: aboutRule(e, &o, func(ctx context.Context, client *api.Client, id capture.ID) error {
			if len(p) == 0 {
				return usage("rules update: want a flag that says what to change")
			}
			return patchRule(ctx, e, &o, client, id, p)
		}),
	}
}

func patchRule(ctx context.Context, e *env, o *common, client *api.Client, id capture.ID, p patch) error {
	changes, err := p.json()
	if err != nil {
		return err
	}
	row, err := client.UpdateRule(ctx, id, changes)
	if err != nil {
		return err
	}
	return showRule(e, o, row)
}

func rulesEnable(e *env, on bool) *cli.Command {
	var o common
	name, use := "enable", "have a rule asked again"
	if !on {
		name, use = "disable", "have a rule asked no more"
	}
	return &cli.Command{
		Name: name, Usage: use, ArgsUsage: "ID", Flags: o.flags(),
		Action: aboutRule(e, &o, func(ctx context.Context, client *api.Client, id capture.ID) error {
			return patchRule(ctx, e, &o, client, id, patch{"disabled": !on})
		}),
	}
}

func rulesMove(e *env) *cli.Command {
	var o common
	var place int
	return &cli.Command{
		Name: "move", Usage: "have a rule asked before or behind others", ArgsUsage: "ID",
		Flags: append(o.flags(), &cli.IntFlag{Name: "place", Usage: "ask it as the `N`th of those that were made", Value: 1, Destination: &place}), Before: fillCommon,
		Action: aboutRule(e, &o, func(ctx context.Context, client *api.Client, id capture.ID) error {
			row, err := client.MoveRule(ctx, id, place)
			if err != nil {
				return err
			}
			return showRule(e, &o, row)
		}),
	}
}

func rulesReset(e *env) *cli.Command {
	var o common
	return &cli.Command{
		Name: "reset", Usage: "forget what a rule, or all, have done: hits, sequences, states", ArgsUsage: "[ID]", Flags: o.flags(),
		Action: func(c *cli.Context) error {
			return withClient(c.Context, e, &o, func(client *api.Client) (err error) {
				var id capture.ID
				if c.NArg() > 0 {
					if id, err = ruleID(c.Context, client, c.Args().First()); err != nil {
						return err
					}
				}
				return client.ResetRules(c.Context, id)
			})
		},
	}
}

func rulesExplain(e *env) *cli.Command {
	var o common
	return &cli.Command{
		Name: "explain", Usage: "say which rule applies to an event, and why not the others", ArgsUsage: "EVENT|last", Flags: o.flags(),
		Action: about(e, &o, "EVENT", func(ctx context.Context, client *api.Client, arg string) error {
			id, err := eventID(ctx, client, arg)
			if err != nil {
				return err
			}
			all, err := client.ExplainRules(ctx, id)
			if err != nil {
				return err
			}
			return list(e, &o, all, func(x capture.RuleExplanation) any { return x }, func(x *capture.RuleExplanation) string {
				name := safe.Line(or(x.Name, string(x.Rule)))
				if x.Applies {
					return fmt.Sprintf("%-8s  %s: applies", x.On, name)
				}
				return fmt.Sprintf("%-8s  %s: %s", x.On, name, safe.Line(strings.Join(x.Why, "; ")))
			})
		}),
	}
}

func rulesRm(e *env) *cli.Command {
	var o common
	return &cli.Command{
		Name: "rm", Aliases: []string{"delete", "remove"}, Usage: "delete a rule", ArgsUsage: "ID", Flags: o.flags(),
		Action: aboutRule(e, &o, func(ctx context.Context, client *api.Client, id capture.ID) error {
			if err := client.DeleteRule(ctx, id); err != nil {
				return err
			}
			fmt.Fprintf(e.stderr, "deleted %s\n", id)
			return nil
		}),
	}
}
