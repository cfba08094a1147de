package main

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/urfave/cli/v2"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/match"
	"code.hooktape.dev/hooktape/relay/answer"
	"code.hooktape.dev/hooktape/relay/api"
)

func recordCommand(e *env) *cli.Command {
	var o recordOptions
	return &cli.Command{
		Name:  "record",
		Usage: "catch webhooks into the store, without a terminal",
		Description: "Ends at ^C, or when the first of --count, --for and --until is reached.\n" +
			"Nothing is forwarded; send what was caught with hooktape replay.",
		Flags: append(o.flags(),
			&cli.StringFlag{Name: "app", Usage: "with a relay: take the events of the app `NAME`", DefaultText: "default", Destination: &o.of},
			&cli.IntFlag{Name: "count", Usage: "end after `N` events", Destination: &o.count},
			&cli.GenericFlag{Name: "for", Usage: "end after `TIME`", DefaultText: "none", Value: &o.time},
			&cli.StringFlag{Name: "until", Usage: "end after the first event that matches `EXPR`", Destination: &o.until},
		),
		Action: func(c *cli.Context) error {
			return o.run(c.Context, e)
		},
	}
}

type recordOptions struct {
	catching
	count int
	time  spanFlag
	until string
}

func (o *recordOptions) run(ctx context.Context, e *env) error {
	if o.count < 0 {
		return usage("--count %d: want a number above 0", o.count)
	}
	until, err := match.Parse(o.until)
	if err != nil {
		return err
	}
	nothing := func(context.Context, *node) error { return nil }
	return o.own(ctx, e, answer.Options{}, nil, nothing, func(ctx context.Context, n *node) error {
		limited := ctx
		if o.time > 0 {
			var cancel context.CancelFunc
			limited, cancel = context.WithTimeout(ctx, time.Duration(o.time))
			defer cancel()
		}
		return o.record(limited, e, n, until)
	})
}

// record prints events until there are enough of them, or limited is done.
func (o *recordOptions) record(limited context.Context, e *env, n *node, until *match.Predicate) error {
	p, seen := newPrinter(e, &o.common), 0
	err := n.follow(limited, func(r capture.Record) error {
		if err := p.print(r); err != nil || r.Event == nil || r.Event.Refused != nil {
			return err
		}
		if seen++; seen == o.count || o.until != "" && api.Matches(limited, n.store, r.Event.ID, until, "") {
			return io.EOF
		}
		return nil
	})
	if errors.Is(err, io.EOF) {
		return nil
	}
	return errors.Join(err, e.ended())
}
