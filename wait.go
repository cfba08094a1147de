package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/urfave/cli/v2"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/relay/api"
)

func waitCommand(e *env) *cli.Command {
	var o waitOptions
	return &cli.Command{
		Name: "wait", Usage: "wait until a matching event arrives, for scripts", ArgsUsage: "[EXPR]",
		Description: "Writes the event and exits with 0, or with 3 when --timeout is over. An EXPR about the\n" +
			"outcome (status:200, is:failed) waits for that. What was kept before counts with --since.",
		Flags: append(o.common.flags(),
			&cli.IntFlag{Name: "count", Usage: "wait for `N` events", Value: 1, Destination: &o.count},
			&cli.GenericFlag{Name: "timeout", Usage: "give up after `TIME`", DefaultText: "none", Value: &o.timeout},
			&cli.StringFlag{Name: "since", Usage: "count events kept since `WHEN`, too: 10s or an RFC 3339 time", Destination: &o.since},
			&cli.StringFlag{Name: "app", Usage: "only events of the app `NAME`", Destination: &o.app}),
		Action: func(c *cli.Context) error {
			if c.NArg() > 1 || o.count < 1 {
				return usage("wait: want one EXPR (in quotes) and a --count of at least 1")
			}
			o.filter = c.Args().First()
			if err := o.check(); err != nil {
				return err
			}
			return withClient(c.Context, e, &o.common, func(client *api.Client) error { return o.run(c.Context, e, client) })
		},
	}
}

type waitOptions struct {
	common
	selection
	count   int
	timeout spanFlag
}

func (o *waitOptions) run(ctx context.Context, e *env, client *api.Client) error {
	waiting := ctx
	if o.timeout > 0 {
		var cancel context.CancelFunc
		waiting, cancel = context.WithTimeout(ctx, time.Duration(o.timeout))
		defer cancel()
	}
	p, seen := newPrinter(e, &o.common), make(map[capture.ID]bool)
	found := func(row *capture.Row) error {
		if seen[row.ID] || row.Refused != nil {
			return nil
		}
		seen[row.ID] = true
		r := capture.NewRecord("event")
		r.Event = &row.Event
		if err := p.print(r); err != nil || len(seen) < o.count {
			return err
		}
		return io.EOF
	}
	err := client.Live(waiting, 0, o.filter, o.app, func(r capture.Record) error {
		if r.Type == "ready" {
			return o.begin(waiting, client, p, r, found)
		}
		var id capture.ID
		switch {
		case r.Event != nil:
			id = r.Event.ID
		case r.Attempt != nil:
			id = r.Attempt.Event
		default:
			return nil
		}
		row, err := client.Event(waiting, id)
		if errors.Is(err, capture.ErrNotFound) { // removed since
			return nil
		}
		return errors.Join(err, found(&row))
	})
	switch {
	case errors.Is(err, io.EOF):
		return nil
	case ctx.Err() != nil:
		return errInterrupted
	case waiting.Err() != nil:
		return exitError{exitAssertion, fmt.Errorf("%d of %d matching events within %s", len(seen), o.count, &o.timeout)}
	}
	return err
}

// begin says that nothing will be missed from now on, and looks at what is
// there already if that is to count.
func (o *waitOptions) begin(ctx context.Context, c *api.Client, p *printer, ready capture.Record, found func(*capture.Row) error) error {
	if o.json {
		if err := p.print(ready); err != nil {
			return err
		}
	}
	if o.since == "" {
		return nil
	}
	return each(ctx, c, &o.selection, 0, found)
}
