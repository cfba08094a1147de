package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"time"

	"github.com/urfave/cli/v2"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/safe"
	"code.hooktape.dev/hooktape/relay/api"
)

func attemptsCommand(e *env) *cli.Command {
	return &cli.Command{
		Name: "attempts", Aliases: []string{"attempt"}, Usage: "read what was sent and what came back",
		Subcommands: []*cli.Command{attemptsLs(e), attemptsGet(e)},
	}
}

func attemptsLs(e *env) *cli.Command {
	var o struct {
		common
		event, status string
		last          int
	}
	return &cli.Command{
		Name: "ls", Aliases: []string{"list"}, Usage: "list attempts, newest first",
		Flags: append(o.flags(),
			&cli.StringFlag{Name: "event", Usage: "only those of the event `ID`, or of the last one", Destination: &o.event},
			&cli.StringFlag{Name: "status", Usage: "only those that are `STATUS`: pending, succeeded, failed or skipped", Destination: &o.status},
			&cli.IntFlag{Name: "last", Aliases: []string{"n"}, Usage: "only the newest `N`", Destination: &o.last}),
		Action: func(c *cli.Context) error {
			if o.last < 0 {
				return usage("--last %d: want 0 (all) or more", o.last)
			}
			return withClient(c.Context, e, &o.common, func(client *api.Client) error {
				q := capture.AttemptQuery{Status: capture.AttemptStatus(o.status)}
				switch q.Status {
				case "", capture.AttemptPending, capture.AttemptSucceeded, capture.AttemptFailed, capture.AttemptSkipped:
				default:
					return usage("--status %q: want pending, succeeded, failed or skipped", o.status)
				}
				if o.event != "" {
					id, err := eventID(c.Context, client, o.event)
					if err != nil {
						return err
					}
					if _, err := client.Event(c.Context, id); err != nil {
						return fmt.Errorf("%s: %w", id, err)
					}
					q.Event = id
				}
				w := bufio.NewWriter(e.stdout)
				for n := 0; ; {
					q.Limit = 500
					if o.last > 0 {
						q.Limit = min(q.Limit, o.last-n)
					}
					page, err := client.Attempts(c.Context, q)
					if err != nil {
						return err
					}
					for i := range page {
						if o.json {
							err = json.NewEncoder(w).Encode(page[i])
						} else {
							_, err = fmt.Fprintln(w, attemptLine(&page[i]))
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
			})
		},
	}
}

func attemptLine(a *capture.Attempt) string {
	result := string(a.Status)
	switch {
	case a.Code > 0:
		result += fmt.Sprintf(" %d", a.Code)
	case a.Error != nil:
		result += " " + a.Error.Class
	case a.Status == capture.AttemptPending:
		result += " until " + a.NotBefore.Local().Format(time.TimeOnly)
	}
	return fmt.Sprintf("%s  %s  #%d %-20s %6dms  %s", a.ID, a.Event, a.Number, result,
		time.Duration(a.Duration).Milliseconds(), safe.Line(a.URL))
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
					return err
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
	fmt.Fprintln(w, attemptLine(a))
	fmt.Fprintf(w, "dns %s, connect %s, tls %s, first byte %s\n", a.Timing.DNS, a.Timing.Connect, a.Timing.TLS, a.Timing.FirstByte)
	if a.Error != nil {
		fmt.Fprintf(w, "%s: %s\n", a.Error.Class, safe.Line(a.Error.Message))
	}
	if r := a.Request; r != nil {
		fmt.Fprintf(w, "\n%s %s HTTP/1.1\n", safe.Line(r.Method), safe.Line(string(r.Target)))
		for _, h := range r.Headers {
			fmt.Fprintf(w, "%s: %s\n", safe.Line(h[0]), safe.Line(h[1]))
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
