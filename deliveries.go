package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/safe"
	"code.hooktape.dev/hooktape/relay/api"
)

func deliveriesCommand(e *env) *cli.Command {
	return &cli.Command{
		Name: "deliveries", Aliases: []string{"delivery"}, Usage: "read what became of events at endpoints, all attempts together",
		Subcommands: []*cli.Command{deliveriesLs(e), deliveriesGet(e), deliveriesReplay(e)},
	}
}

// deliveriesOptions choose deliveries.
type deliveriesOptions struct {
	common
	app, endpoint, kind, since, until string
	status                            []capture.DeliveryStatus
}

func (o *deliveriesOptions) flags(statuses []capture.DeliveryStatus) []cli.Flag {
	var names []string
	for _, s := range statuses {
		names = append(names, string(s))
	}
	return append(o.common.flags(),
		&cli.StringFlag{Name: "app", Usage: "only those of the app `NAME`", Destination: &o.app},
		&cli.StringFlag{Name: "endpoint", Usage: "only those to the endpoint `ID`", Destination: &o.endpoint},
		&cli.StringFlag{Name: "type", Usage: "only those of events of exactly the `TYPE`", Destination: &o.kind},
		&cli.StringFlag{Name: "since", Usage: "only those made since `WHEN`: 24h, 7d or an RFC 3339 time", Destination: &o.since},
		&cli.StringFlag{Name: "until", Usage: "only those made until `WHEN`", Destination: &o.until},
		setter("status", "only those that are `STATUS`: "+strings.Join(names, ", ")+"; several with commas", func(v string) error {
			o.status = nil
			for name := range strings.SplitSeq(v, ",") {
				if _, err := oneOf(statuses...)(name); err != nil {
					return err
				}
				o.status = append(o.status, capture.DeliveryStatus(name))
			}
			return nil
		}))
}

// query is what the flags ask for.
func (o *deliveriesOptions) query(ctx context.Context, client *api.Client) (q capture.DeliveryQuery, err error) {
	q = capture.DeliveryQuery{App: o.app, Type: o.kind, Status: o.status}
	now := time.Now()
	if q.Since, err = when("since", o.since, now); err != nil {
		return q, err
	}
	if q.Until, err = when("until", o.until, now); err != nil {
		return q, err
	}
	if err := knownApp(ctx, client, o.app); err != nil {
		return q, err
	}
	q.Endpoint, err = knownEndpoint(ctx, client, o.endpoint)
	return q, err
}

func deliveriesLs(e *env) *cli.Command {
	var o deliveriesOptions
	var event string
	var last int
	return &cli.Command{
		Name: "ls", Aliases: []string{"list"}, Usage: "list deliveries, newest first",
		Flags: append(o.flags(capture.DeliveryStatuses),
			&cli.StringFlag{Name: "event", Usage: "only those of the event `ID`, or of the last one", Destination: &event},
			&cli.IntFlag{Name: "last", Aliases: []string{"n"}, Usage: "only the newest `N`", Destination: &last}),
		Before: fillCommon,
		Action: func(c *cli.Context) error {
			if last < 0 {
				return usage("--last %d: want 0 (all) or more", last)
			}
			return withClient(c.Context, e, &o.common, func(client *api.Client) error {
				q, err := o.query(c.Context, client)
				if err != nil {
					return err
				}
				if event != "" {
					if q.Event, err = eventID(c.Context, client, event); err != nil {
						return err
					}
				}
				return o.list(c.Context, e, client, q, last)
			})
		},
	}
}

func (o *deliveriesOptions) list(ctx context.Context, e *env, client *api.Client, q capture.DeliveryQuery, last int) error {
	w := bufio.NewWriter(e.stdout)
	for n := 0; ; {
		q.Limit = 500
		if last > 0 {
			q.Limit = min(q.Limit, last-n)
		}
		page, err := client.Deliveries(ctx, q)
		if err != nil {
			return err
		}
		for i := range page {
			if o.json {
				err = json.NewEncoder(w).Encode(page[i])
			} else {
				_, err = fmt.Fprintln(w, deliveryLine(&page[i], width(e.stdout)))
			}
			if err != nil {
				return err
			}
		}
		if n += len(page); len(page) < q.Limit || n == last {
			return w.Flush()
		}
		q.Cursor = page[len(page)-1].ID
	}
}

// deliveryLine is a delivery in a line of at most width; 0: as wide as it gets.
func deliveryLine(d *capture.Delivery, width int) string {
	result := string(d.Status)
	if d.Last != nil && d.Last.Code > 0 {
		result += fmt.Sprintf(" %d", d.Last.Code)
	}
	return fit(width, column{d.Created.Local().Format(time.DateTime) + "  ", 1}, column{string(d.ID) + "  ", 0}, column{fmt.Sprintf("%-14s ", result), 0},
		column{fmt.Sprintf("%d/%d  ", d.Attempts, d.MaxAttempts), 0}, column{string(d.Endpoint) + "  ", 2}, column{safe.Line(d.Type), 0})
}

func deliveriesGet(e *env) *cli.Command {
	var o common
	return &cli.Command{
		Name: "get", Aliases: []string{"show"}, Usage: "show a delivery with its last attempt", ArgsUsage: "ID",
		Flags: o.flags(),
		Action: func(c *cli.Context) error {
			if c.NArg() != 1 {
				return usage("deliveries get: want one ID")
			}
			id, err := capture.ParseID(capture.DeliveryID, c.Args().First())
			if err != nil {
				return err
			}
			return withClient(c.Context, e, &o, func(client *api.Client) error {
				d, err := client.Delivery(c.Context, id)
				if err != nil {
					return noDelivery(err)
				}
				if o.json {
					return json.NewEncoder(e.stdout).Encode(d)
				}
				fmt.Fprintln(e.stdout, deliveryLine(&d, width(e.stdout)))
				if d.Last == nil {
					return nil
				}
				a, err := client.Attempt(c.Context, d.Last.ID)
				if err != nil {
					return err
				}
				return writeAttempt(e, &a)
			})
		},
	}
}

// noDelivery is err with where deliveries are listed.
func noDelivery(err error) error {
	if !errors.Is(err, capture.ErrNotFound) {
		return err
	}
	return hinted{err, "hooktape deliveries ls shows what is there."}
}

func deliveriesReplay(e *env) *cli.Command {
	var o deliveriesOptions
	var key string
	return &cli.Command{
		Name: "replay", Usage: "send deliveries again, each as a delivery of its own", ArgsUsage: "ID…",
		Description: "Those that are named, or those that were made --since then, of which an attempt was made.\n" +
			"They are tried again as their endpoints are, and only where the endpoint still wants the event.\n" +
			"Ends when all are on their way (deliveries ls shows what becomes of them), and exits with 1\n" +
			"when some are not.",
		Flags: append(o.flags(capture.DeliveryStatuses[1:]),
			&cli.StringFlag{Name: "idempotency-key", Usage: "begin no other replay for `KEY` within 30 minutes", Destination: &key}),
		Before: fillCommon,
		Action: func(c *cli.Context) error {
			if (c.NArg() == 0) == (o.since == "") {
				return usage("deliveries replay: want either IDs or --since")
			}
			return withClient(c.Context, e, &o.common, func(client *api.Client) error {
				spec, app, err := o.spec(c.Context, client, c.Args().Slice())
				if err != nil {
					return err
				}
				spec.Key = key
				t, err := replayed(c.Context, client, app, spec)
				if err != nil {
					return err
				}
				err = show(e, &o.common, t, func(w io.Writer) {
					fmt.Fprintf(w, "%s %s: %d of %d on their way again\n", t.ID, t.Status, t.Replayed, t.Total)
				})
				if err == nil && (t.Failed > 0 || t.Status != capture.ReplayCompleted) {
					err = fmt.Errorf("%d of %d were not sent again", t.Total-t.Replayed, t.Total)
				}
				return err
			})
		},
	}
}

// spec is the replay that the flags and arguments ask for, and of which app.
func (o *deliveriesOptions) spec(ctx context.Context, client *api.Client, args []string) (spec capture.ReplaySpec, app string, err error) {
	q, err := o.query(ctx, client)
	if err != nil {
		return spec, "", err
	}
	spec = capture.ReplaySpec{Since: q.Since, Until: q.Until, Status: q.Status, Type: q.Type, Endpoint: q.Endpoint}
	app = o.app
	if app == "" {
		app = capture.DefaultApp
	}
	for i, arg := range args {
		id, err := capture.ParseID(capture.DeliveryID, arg)
		if err != nil {
			return spec, "", err
		}
		if i == 0 {
			d, err := client.Delivery(ctx, id)
			if err != nil {
				return spec, "", noDelivery(err)
			}
			app = d.App
		}
		spec.Deliveries = append(spec.Deliveries, id)
	}
	return spec, app, nil
}

// replayed starts a replay and waits for its end.
func replayed(ctx context.Context, client *api.Client, app string, spec capture.ReplaySpec) (t capture.Replay, err error) {
	t, err = client.StartReplay(ctx, app, spec)
	for err == nil && t.Ended.IsZero() {
		select {
		case <-ctx.Done():
			return t, errInterrupted
		case <-time.After(50 * time.Millisecond):
			t, err = client.Replay(ctx, t.ID)
		}
	}
	return t, err
}
