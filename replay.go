package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/urfave/cli/v2"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/safe"
	"code.hooktape.dev/hooktape/relay/answer"
	"code.hooktape.dev/hooktape/relay/api"
	"code.hooktape.dev/hooktape/replay"
)

func replayCommand(e *env) *cli.Command {
	var o replayOptions
	return &cli.Command{
		Name: "replay", Usage: "send kept events again", ArgsUsage: "ID…|last",
		Description: "Sends to --to, else to the targets of the running listen, else to where the event\n" +
			"went before. Exits with 1 when an attempt failed.",
		Flags: append(append(o.common.flags(), o.selection.flags()...),
			&cli.StringFlag{Name: "to", Aliases: []string{"forward-to"}, Usage: "send to `URL`", Destination: &o.to},
			&cli.StringFlag{Name: "as", Usage: "send as `WHAT` it claims to be: original (its own signature), retry (a new time, signed anew) or new (new ids too)", DefaultText: "retry where the secret is known, else original", Destination: &o.as},
			&cli.BoolFlag{Name: "resign", Usage: "the same as --as retry: fail where it cannot be signed anew", Destination: &o.resign},
			&cli.GenericFlag{Name: "timeout", Usage: "give up waiting for the answers after `TIME`", DefaultText: "none", Value: &o.timeout},
			&cli.BoolFlag{Name: "yes", Aliases: []string{"y"}, Usage: "do not ask before sending a selection", Destination: &o.yes},
			&cli.BoolFlag{Name: "dry-run", Usage: "only say what would be sent", Destination: &o.dryRun}),
		Action: func(c *cli.Context) error {
			if err := errors.Join(o.check(), o.checkAs()); err != nil {
				return err
			}
			if o.to != "" {
				if _, err := answer.ParseTarget(o.to); err != nil {
					return err
				}
			}
			return withClient(c.Context, e, &o.common, func(client *api.Client) error {
				return o.run(c.Context, e, client, c.Args().Slice())
			})
		},
	}
}

type replayOptions struct {
	common
	selection
	to, as      string
	resign      bool
	timeout     spanFlag
	yes, dryRun bool
}

func (o *replayOptions) run(ctx context.Context, e *env, client *api.Client, args []string) error {
	ids, err := selected(ctx, client, &o.selection, args)
	if err != nil {
		return err
	}
	if err := o.foretell(ctx, e, client, ids); err != nil {
		return err
	}
	if o.dryRun {
		for _, id := range ids {
			fmt.Fprintln(e.stdout, id)
		}
		return nil
	}
	// A script meant what it wrote; a person may have mistyped a filter.
	if len(args) == 0 && !o.yes && terminal(e.stdin) {
		if err := confirm(e, fmt.Sprintf("Send %d events again?", len(ids))); err != nil {
			return err
		}
	}
	waiting := ctx
	if o.timeout > 0 {
		var cancel context.CancelFunc
		waiting, cancel = context.WithTimeoutCause(ctx, time.Duration(o.timeout),
			fmt.Errorf("no answer to everything within %s", &o.timeout))
		defer cancel()
	}
	p := newPrinter(e, &o.common)
	result, err := replay.Run(waiting, client, ids, replay.Options{To: o.to, As: capture.As(o.as), Each: func(r capture.Record) error { return p.print(r) }})
	if ctx.Err() != nil {
		return errInterrupted
	}
	if err != nil {
		return err
	}
	if result.Failed > 0 {
		return fmt.Errorf("%d of %d attempts failed", result.Failed, result.Failed+result.Succeeded)
	}
	if len(ids) == 0 {
		return errors.New("no event matches, so nothing was sent")
	}
	return nil
}

func (o *replayOptions) checkAs() error {
	if o.resign && o.as != "" && o.as != string(capture.AsRetry) {
		return usage("--resign and --as %s: want one of them", o.as)
	}
	if o.resign {
		o.as = string(capture.AsRetry)
	}
	if o.as == "" {
		return nil
	}
	if _, err := oneOf(capture.AsOriginal, capture.AsRetry, capture.AsNew)(o.as); err != nil {
		return usage("--as %v", err)
	}
	return nil
}

// mostForetold is how many events are looked at before they are sent.
const mostForetold = 20

// foretell says what a handler that checks signatures will say to events that
// are sent with those they came with.
func (o *replayOptions) foretell(ctx context.Context, e *env, client *api.Client, ids []capture.ID) error {
	if o.as != "" && o.as != string(capture.AsOriginal) {
		return nil
	}
	for _, id := range ids[:min(len(ids), mostForetold)] {
		x, err := client.Verify(ctx, id, "now", "")
		if errors.Is(err, capture.ErrRefused) || errors.Is(err, capture.ErrSealed) {
			continue // sending it says so
		}
		if err != nil {
			return err
		}
		original := o.as != "" || x.Verdict == capture.Unchecked || x.Verdict == capture.Invalid
		if !original || x.Verdict == capture.Valid || x.Verdict == capture.Unsigned || x.Scheme == "" {
			continue
		}
		fmt.Fprintf(e.stderr, "%s goes out with the signature it came with, which is %s", id, x.Verdict)
		if x.Verdict == capture.Stale {
			fmt.Fprint(e.stderr, " by now")
		}
		if x.Detail != "" {
			fmt.Fprintf(e.stderr, ": %s", safe.Line(x.Detail))
		}
		fmt.Fprintln(e.stderr)
		if x.Verdict == capture.Unchecked {
			for _, s := range x.Steps {
				fmt.Fprintf(e.stderr, "  %s\n", safe.Line(s.Text))
			}
			fmt.Fprintf(e.stderr, "  hooktape apps update APP --secret %s=… lets it be signed anew\n", x.Scheme)
		}
	}
	return nil
}
