package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/urfave/cli/v2"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/safe"
	"code.hooktape.dev/hooktape/relay/api"
	"code.hooktape.dev/hooktape/replay"
)

func attemptsCommand(e *env) *cli.Command {
	return &cli.Command{
		Name: "attempts", Aliases: []string{"attempt"}, Usage: "read what was sent and what came back",
		Subcommands: []*cli.Command{attemptsLs(e), attemptsGet(e), attemptsRetry(e)},
	}
}

// attemptStatuses are what an attempt may be.
var attemptStatuses = []capture.AttemptStatus{capture.AttemptPending, capture.AttemptSucceeded, capture.AttemptFailed, capture.AttemptSkipped}

func attemptsLs(e *env) *cli.Command {
	var o attemptsOptions
	return &cli.Command{
		Name: "ls", Aliases: []string{"list"}, Usage: "list attempts, newest first",
		Flags: append(o.flags(),
			&cli.StringFlag{Name: "event", Usage: "only those of the event `ID`, or of the last one", Destination: &o.event},
			&cli.StringFlag{Name: "endpoint", Usage: "only those to the endpoint `ID`", Destination: &o.endpoint},
			&cli.StringFlag{Name: "status", Usage: "only those that are `STATUS`: pending, succeeded, failed or skipped", Destination: &o.status},
			&cli.BoolFlag{Name: "due", Usage: "those that are pending, the next to be made first", Destination: &o.due},
			&cli.IntFlag{Name: "last", Aliases: []string{"n"}, Usage: "only the newest `N`, or with --due the next", Destination: &o.last}),
		Action: func(c *cli.Context) error {
			if o.last < 0 {
				return usage("--last %d: want 0 (all) or more", o.last)
			}
			if o.status != "" && !slices.Contains(attemptStatuses, capture.AttemptStatus(o.status)) {
				return usage("--status %q: want pending, succeeded, failed or skipped", o.status)
			}
			if o.due && o.status != "" && o.status != string(capture.AttemptPending) {
				return usage("--due lists what is pending, not what is %s", o.status)
			}
			return withClient(c.Context, e, &o.common, func(client *api.Client) error { return o.list(c.Context, e, client) })
		},
	}
}

type attemptsOptions struct {
	common
	event, endpoint, status string
	due                     bool
	last                    int
}

func (o *attemptsOptions) list(ctx context.Context, e *env, client *api.Client) error {
	q := capture.AttemptQuery{Status: capture.AttemptStatus(o.status), ByDue: o.due}
	if o.event != "" {
		id, err := eventID(ctx, client, o.event)
		if err != nil {
			return err
		}
		if _, err := client.Event(ctx, id); err != nil {
			return fmt.Errorf("%s: %w", id, err)
		}
		q.Event = id
	}
	var err error
	if q.Endpoint, err = knownEndpoint(ctx, client, o.endpoint); err != nil {
		return err
	}
	w := bufio.NewWriter(e.stdout)
	for n := 0; ; {
		q.Limit = 500
		if o.due { // it has no cursor to go on from
			q.Limit = 1 << 20
		}
		if o.last > 0 {
			q.Limit = min(q.Limit, o.last-n)
		}
		page, err := client.Attempts(ctx, q)
		if err != nil {
			return err
		}
		for i := range page {
			switch {
			case o.json:
				err = json.NewEncoder(w).Encode(page[i])
			case o.due:
				_, err = fmt.Fprintln(w, dueLine(&page[i], time.Now(), width(e.stdout)))
			default:
				_, err = fmt.Fprintln(w, attemptLine(&page[i], width(e.stdout)))
			}
			if err != nil {
				return err
			}
		}
		if n += len(page); len(page) < q.Limit || n == o.last {
			return w.Flush()
		}
		q.Cursor = page[len(page)-1].ID
	}
}

// attemptLine is an attempt in a line of at most width; 0: as wide as it gets.
func attemptLine(a *capture.Attempt, width int) string {
	result := string(a.Status)
	switch {
	case a.Code > 0:
		result += fmt.Sprintf(" %d", a.Code)
	case a.Error != nil:
		result += " " + a.Error.Class
	case a.Status == capture.AttemptPending:
		result += " until " + a.NotBefore.Local().Format(time.TimeOnly)
	}
	return fit(width, column{string(a.ID) + "  ", 0}, column{string(a.Event) + "  ", 2}, column{fmt.Sprintf("#%d %-20s ", a.Number, result), 0},
		column{fmt.Sprintf("%6dms  ", time.Duration(a.Duration).Milliseconds()), 1}, column{safe.Line(a.URL), 0})
}

// dueLine is a pending attempt with when it is to be made.
func dueLine(a *capture.Attempt, now time.Time, width int) string {
	in := "now"
	if wait := a.NotBefore.Sub(now).Round(time.Second); wait > 0 {
		in = "in " + capture.Duration(wait).Short()
	}
	return fit(width, column{a.NotBefore.Local().Format(time.DateTime) + "  ", 1}, column{fmt.Sprintf("%-12s  ", in), 0}, column{string(a.ID) + "  ", 0},
		column{string(a.Event) + "  ", 2}, column{fmt.Sprintf("#%d  ", a.Number), 0}, column{safe.Line(a.URL), 0})
}

func attemptsRetry(e *env) *cli.Command {
	var o struct {
		common
		wait bool
	}
	return &cli.Command{
		Name: "retry", Usage: "make attempts again, now", ArgsUsage: "ID…",
		Description: "Writes the new attempts, which are made once. With --wait it writes what came of them, and\n" +
			"exits with 1 when one failed.",
		Flags: append(o.flags(), &cli.BoolFlag{Name: "wait", Aliases: []string{"w"}, Usage: "wait for the outcomes", Destination: &o.wait}),
		Action: func(c *cli.Context) error {
			if c.NArg() == 0 {
				return usage("attempts retry: want at least one ID")
			}
			var ids []capture.ID
			for _, arg := range c.Args().Slice() {
				id, err := capture.ParseID(capture.AttemptID, arg)
				if err != nil {
					return err
				}
				ids = append(ids, id)
			}
			return withClient(c.Context, e, &o.common, func(client *api.Client) error {
				write := func(a *capture.Attempt) error {
					if o.json {
						return json.NewEncoder(e.stdout).Encode(a)
					}
					_, err := fmt.Fprintln(e.stdout, attemptLine(a, width(e.stdout)))
					return err
				}
				if o.wait {
					return retryAndWait(c.Context, client, ids, write)
				}
				for _, id := range ids {
					made, err := client.Retry(c.Context, id)
					if err != nil {
						return noAttempt(fmt.Errorf("%s: %w", id, err))
					}
					for _, a := range made {
						if err := write(a); err != nil {
							return err
						}
					}
				}
				return nil
			})
		},
	}
}

// noAttempt is err with where attempts are listed.
func noAttempt(err error) error {
	if !errors.Is(err, capture.ErrNotFound) {
		return err
	}
	return hinted{err, "hooktape attempts ls shows what is there."}
}

// retryAndWait makes attempts again and writes each new one once it is
// finished.
func retryAndWait(ctx context.Context, client *api.Client, ids []capture.ID, write func(*capture.Attempt) error) error {
	result, err := replay.Run(ctx, retrying{client}, ids, replay.Options{Each: func(r capture.Record) error { return write(r.Attempt) }})
	if ctx.Err() != nil {
		return errInterrupted
	}
	if err != nil {
		return noAttempt(err)
	}
	if result.Failed > 0 {
		return fmt.Errorf("%d of %d attempts failed", result.Failed, result.Failed+result.Succeeded)
	}
	return nil
}

// retrying is a client that replays attempts: what it is asked to send again
// is the id of one.
type retrying struct{ *api.Client }

func (r retrying) Resend(ctx context.Context, attempt capture.ID, _ capture.Resend) ([]*capture.Attempt, error) {
	return r.Retry(ctx, attempt)
}

func attemptsGet(e *env) *cli.Command {
	var o common
	return &cli.Command{
		Name: "get", Aliases: []string{"show"}, Usage: "show one attempt with its request and response", ArgsUsage: "ID",
		Flags: o.flags(),
		Action: func(c *cli.Context) error {
			if c.NArg() != 1 {
				return usage("attempts get: want one ID")
			}
			id, err := capture.ParseID(capture.AttemptID, c.Args().First())
			if err != nil {
				return err
			}
			return withClient(c.Context, e, &o, func(client *api.Client) error {
				a, err := client.Attempt(c.Context, id)
				if err != nil {
					return noAttempt(err)
				}
				if o.json {
					return json.NewEncoder(e.stdout).Encode(a)
				}
				return writeAttempt(e, &a)
			})
		},
	}
}

// writeAttempt shows an attempt to a person.
func writeAttempt(e *env, a *capture.Attempt) error {
	w := bufio.NewWriter(e.stdout)
	fmt.Fprintln(w, attemptLine(a, width(e.stdout)))
	fmt.Fprintf(w, "dns %s, connect %s, tls %s, first byte %s\n", a.Timing.DNS, a.Timing.Connect, a.Timing.TLS, a.Timing.FirstByte)
	if a.Error != nil {
		fmt.Fprintf(w, "%s: %s\n", a.Error.Class, safe.Line(a.Error.Message))
	}
	if r := a.Request; r != nil {
		fmt.Fprintf(w, "\n%s %s HTTP/1.1\n", safe.Line(r.Method), safe.Line(string(r.Target)))
		for _, h := range r.Headers {
			fmt.Fprintf(w, "%s: %s\n", safe.Line(h[0]), safe.Line(h[1]))
		}
		if r.Made != "" {
			fmt.Fprintln(w)
		}
		for _, line := range safe.Block([]byte(r.Made)) {
			fmt.Fprintln(w, line)
		}
	}
	if r := a.Response; r != nil {
		fmt.Fprintf(w, "\n%s %d\n", safe.Line(r.Proto), r.Status)
		for _, h := range r.Headers {
			fmt.Fprintf(w, "%s: %s\n", safe.Line(h[0]), safe.Line(h[1]))
		}
		fmt.Fprintln(w)
		for _, line := range safe.Block(r.Body) {
			fmt.Fprintln(w, line)
		}
		if r.Truncated {
			fmt.Fprintln(w, "… the rest was not kept")
		}
	}
	return w.Flush()
}
