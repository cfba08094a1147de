package main

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/relay/api"
)

func eventsCreate(e *env) *cli.Command {
	var o struct {
		common
		app  string
		what capture.Emission
	}
	return &cli.Command{
		Name: "create", Aliases: []string{"add"}, Usage: "make an event, as an application does",
		Description: "Keeps it and has it delivered to the endpoints of its app that subscribe to it.\n" +
			"What is due waits for a hooktape that runs.",
		Flags: append(o.flags(),
			&cli.StringFlag{Name: "app", Usage: "in the app `NAME`", Value: capture.DefaultApp, Destination: &o.app},
			&cli.StringFlag{Name: "type", Usage: "of `TYPE`, such as order.paid", Destination: &o.what.Type},
			&cli.StringFlag{Name: "source", Usage: "made by `SOURCE`", Destination: &o.what.Source},
			dataFlag(e, &o.what),
			setter("metadata", "keep `K=V` with it; repeatable", func(v string) error {
				key, value, ok := strings.Cut(v, "=")
				if !ok || key == "" {
					return fmt.Errorf("%q: want key=value", v)
				}
				if o.what.Metadata == nil {
					o.what.Metadata = make(map[string]string)
				}
				o.what.Metadata[key] = value
				return nil
			}),
			&cli.StringFlag{Name: "idempotency-key", Usage: "make it once: the same `KEY` within a day names the event made before", Destination: &o.what.Key}),
		Before: fillCommon,
		Action: func(c *cli.Context) error {
			if c.NArg() > 0 {
				return usage("events create takes no arguments, and was given %q", c.Args().First())
			}
			if o.what.Type == "" {
				return usage("events create: want a --type, such as --type order.paid")
			}
			return withClient(c.Context, e, &o.common, func(client *api.Client) error {
				made, fresh, err := client.Emit(c.Context, o.app, o.what)
				if err != nil {
					return unknownApp(c.Context, client, o.app, err)
				}
				if s, err := client.Status(c.Context); err == nil && s.Ingest == "" && s.Pending > 0 {
					fmt.Fprintln(e.stderr, "Deliveries wait until hooktape runs, such as: hooktape listen")
				}
				if !fresh {
					fmt.Fprintln(e.stderr, "The key named an event that was made before; nothing new was made.")
				}
				if o.json {
					return json.NewEncoder(e.stdout).Encode(made)
				}
				_, err = fmt.Fprintln(e.stdout, rowLine(&capture.Row{Event: made}, width(e.stdout)))
				return err
			})
		},
	}
}

// dataFlag is the body of an event that is made.
func dataFlag(e *env, what *capture.Emission) cli.Flag {
	return setter("data", "with the body `JSON`, @FILE, or - for standard input", func(v string) (err error) {
		if what.Data, err = e.text(v); err != nil {
			return err
		}
		return checkJSON(what.Data)
	})
}
