package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/safe"
	"code.hooktape.dev/hooktape/relay/api"
	"code.hooktape.dev/hooktape/replay"
)

func endpointsTest(e *env) *cli.Command {
	var o tryOptions
	return &cli.Command{
		Name: "test", Aliases: []string{"try"}, Usage: "send an event to one endpoint now, or explain who gets it", ArgsUsage: "[ID]",
		Description: "Makes a test event and sends it once, whatever the endpoint subscribes to; with --event, sends\n" +
			"that event there again. Exits with 1 when the attempt failed. With --explain nothing is sent:\n" +
			"a line for each endpoint of the event's app says whether it gets it, and if not, why.",
		Flags: append(o.flags(),
			&cli.StringFlag{Name: "type", Usage: "make an event of `TYPE`", DefaultText: "test.webhook", Destination: &o.what.Type},
			dataFlag(e, &o.what),
			&cli.StringFlag{Name: "event", Usage: "the event `ID` that was kept, or the last one", Destination: &o.event},
			&cli.BoolFlag{Name: "explain", Usage: "say who would get the event, and send nothing", Destination: &o.explain}),
		Before: fillCommon,
		Action: func(c *cli.Context) error {
			switch {
			case o.explain && o.event == "":
				return usage("endpoints test: --explain wants an event: --event ID, or --event last")
			case o.event != "" && (o.what.Type != "" || o.what.Data != nil):
				return usage("endpoints test: want --event, or --type and --data for a new one, not both")
			case c.NArg() > 1 || c.NArg() == 0 && !o.explain:
				return usage("endpoints test: want one ID")
			}
			return withClient(c.Context, e, &o.common, func(client *api.Client) error {
				if c.NArg() == 0 {
					return o.tell(c.Context, e, client, "")
				}
				return withEndpoint(c.Context, client, c.Args().First(), func(id capture.ID) error {
					if _, err := client.Endpoint(c.Context, id); err != nil {
						return err
					}
					if o.explain {
						return o.tell(c.Context, e, client, id)
					}
					return o.try(c.Context, e, client, id)
				})
			})
		},
	}
}

type tryOptions struct {
	common
	what    capture.Emission
	event   string
	explain bool
}

// try sends an event to the endpoint and shows the attempt.
func (o *tryOptions) try(ctx context.Context, e *env, client *api.Client, to capture.ID) error {
	var a capture.Attempt
	if o.event == "" {
		var err error
		if a, err = client.TestEndpoint(ctx, to, o.what); ctx.Err() != nil {
			return errInterrupted
		}
		if err != nil {
			return err
		}
	} else {
		id, err := eventID(ctx, client, o.event)
		if err != nil {
			return err
		}
		_, err = replay.Run(ctx, sending{client, capture.Resend{Endpoint: to}}, []capture.ID{id}, replay.Options{Each: func(r capture.Record) error {
			a = *r.Attempt
			return nil
		}})
		if ctx.Err() != nil {
			return errInterrupted
		}
		if err != nil {
			return err
		}
		if a, err = client.Attempt(ctx, a.ID); err != nil { // with its request and response
			return err
		}
	}
	var err error
	if o.json {
		err = json.NewEncoder(e.stdout).Encode(a)
	} else {
		err = writeAttempt(e, &a)
	}
	if err == nil && a.Status != capture.AttemptSucceeded {
		return fmt.Errorf("the attempt: %s", a.Status)
	}
	return err
}

// sending is a client that sends events to where the resend says.
type sending struct {
	*api.Client
	resend capture.Resend
}

func (s sending) Resend(ctx context.Context, id capture.ID, _ capture.Resend) ([]*capture.Attempt, error) {
	return s.Client.Resend(ctx, id, s.resend)
}

// tell explains which endpoints of its app the event goes to; only the one
// asked about, if there is one.
func (o *tryOptions) tell(ctx context.Context, e *env, client *api.Client, only capture.ID) error {
	id, err := eventID(ctx, client, o.event)
	if err != nil {
		return err
	}
	all, err := client.Explain(ctx, id)
	if err != nil {
		return err
	}
	w, told := bufio.NewWriter(e.stdout), 0
	for _, x := range all {
		if only != "" && x.Endpoint != only {
			continue
		}
		told++
		if o.json {
			err = json.NewEncoder(w).Encode(x)
		} else {
			_, err = fmt.Fprintln(w, explanation(&x, width(e.stdout)))
		}
		if err != nil {
			return err
		}
	}
	if told == 0 {
		fmt.Fprintln(e.stderr, "No endpoint of the event's app can get it: hooktape endpoints ls shows those of all apps.")
	}
	return w.Flush()
}

// explanation is never cut when it is piped: why is the point of it.
func explanation(x *capture.Explanation, width int) string {
	if x.Matches {
		return fit(width, column{string(x.Endpoint) + "  ", 0}, column{"gets it  ", 0}, column{safe.Line(x.URL), 0})
	}
	return fit(width, column{string(x.Endpoint) + "  ", 0}, column{"no: " + safe.Line(strings.Join(x.Why, "; ")), 0})
}
