package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"github.com/urfave/cli/v2"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/relay/answer"
	"code.hooktape.dev/hooktape/relay/api"
	"code.hooktape.dev/hooktape/relay/dispatch"
	"code.hooktape.dev/hooktape/store"
	"code.hooktape.dev/hooktape/tui"
)

// topCommand is hooktape without a command: the interface on this machine's
// tape, beside whatever process owns it.
func topCommand(e *env) *cli.Command {
	var o common
	return &cli.Command{
		Flags: o.flags(),
		Action: func(c *cli.Context) error {
			if c.NArg() > 0 {
				return noSuchCommand(c, "", c.App.Commands)
			}
			if !terminal(e.stdout) || !terminal(e.stdin) || os.Getenv("TERM") == "dumb" {
				return usage("the interface needs a terminal; hooktape events ls lists what was caught, hooktape --help all commands")
			}
			return attach(c.Context, e, &o)
		},
	}
}

func attach(ctx context.Context, e *env, o *common) error {
	client, done, err := connect(ctx, e, o, answer.Options{})
	if err != nil {
		return err
	}
	status, err := client.Status(ctx)
	if err == nil {
		err = showTUI(ctx, client, client, o, status.Ready, func(t *tui.Options) {
			if status.Relays {
				t.Listeners = client
			}
			if o.relay != "" {
				t.StateFile = "" // the store is another machine's
			}
		})
	}
	return errors.Join(err, done())
}

// source is what the interface reads and does: in this process, or over the
// API in another.
type source interface {
	tui.Source
	Counts(context.Context) (capture.Counts, error)
	Watch(context.Context) <-chan struct{}
	Pin(context.Context, capture.ID, bool) error
	Remove(context.Context, ...capture.ID) error
	Resend(context.Context, capture.ID, capture.Resend) ([]*capture.Attempt, error)
	Gaps(context.Context) ([]capture.Gap, error)
}

// here is the source of the process that owns the store.
type here struct {
	*store.Store
	*dispatch.Dispatcher
	checkAs func(context.Context, capture.ID, capture.As) error
}

// Resend refuses at once what cannot be sent as what it is to be.
func (h here) Resend(ctx context.Context, id capture.ID, r capture.Resend) ([]*capture.Attempt, error) {
	if r.As != "" {
		if err := h.checkAs(ctx, id, r.As); err != nil {
			return nil, err
		}
	}
	return h.Dispatcher.Resend(ctx, id, r)
}

// registry is what the interface shows of endpoints, rules, samples and
// signatures, and does to them.
type registry interface {
	tui.Endpoints
	tui.Registry
	tui.Rules
	tui.Types
	api.Signatures
}

// showTUI shows the interface; more adds what there is not everywhere.
func showTUI(ctx context.Context, s source, r registry, o *common, ready capture.Ready, more func(*tui.Options)) error {
	t := tui.Options{
		Source: s, Counts: s.Counts, Watch: s.Watch, Gaps: s.Gaps, Pin: s.Pin, Remove: s.Remove, Endpoints: r, Registry: r, Rules: r, Types: r, Judge: r.Signature,
		Resend: func(ctx context.Context, id capture.ID, r capture.Resend) error {
			_, err := s.Resend(ctx, id, r)
			return err
		},
		Ready: ready, Color: tui.Color(o.color),
		StateFile: filepath.Join(ready.Store, "tui.json"),
	}
	more(&t)
	return tui.Run(ctx, t)
}
