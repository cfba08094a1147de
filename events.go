package main

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/urfave/cli/v2"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/match"
	"code.hooktape.dev/hooktape/capture/safe"
	"code.hooktape.dev/hooktape/relay/answer"
	"code.hooktape.dev/hooktape/relay/api"
)

func eventsCommand(e *env) *cli.Command {
	return &cli.Command{
		Name: "events", Aliases: []string{"event"}, Usage: "read and manage what was caught",
		Subcommands: []*cli.Command{eventsLs(e), eventsGet(e), eventsCreate(e), eventsTail(e), eventsVerify(e), eventsRm(e), eventsPin(e, true), eventsPin(e, false)},
	}
}

// withClient runs f with the store's API, wherever the store is open.
func withClient(ctx context.Context, e *env, o *common, f func(*api.Client) error) error {
	c, done, err := connect(ctx, e, o, answer.Options{})
	if err != nil {
		return err
	}
	err = errors.Join(f(c), done())
	if down := new(net.OpError); o.far() && errors.As(err, &down) {
		return exitError{exitUnreachable, hinted{fmt.Errorf("cannot reach %s: %w", o.relay, down), "Is that its address, and does hooktape run there?"}}
	}
	return err
}

func eventsLs(e *env) *cli.Command {
	var o struct {
		common
		selection
	}
	return &cli.Command{
		Name: "ls", Aliases: []string{"list"}, Usage: "list events, newest first",
		Flags: append(o.common.flags(), o.selection.flags()...),
		Action: func(c *cli.Context) error {
			if err := o.check(); err != nil {
				return err
			}
			return withClient(c.Context, e, &o.common, func(client *api.Client) error {
				w := bufio.NewWriter(e.stdout)
				limit := o.last
				if limit == 0 && !o.json && terminal(e.stdout) && !c.IsSet("last") {
					limit = 50
				}
				n, more := 0, false
				err := each(c.Context, client, &o.selection, limit, func(row *capture.Row) error {
					n++
					if o.json {
						return json.NewEncoder(w).Encode(row)
					}
					_, err := fmt.Fprintln(w, rowLine(row, width(e.stdout)))
					more = n == limit
					return err
				})
				if more && o.last == 0 {
					fmt.Fprintln(e.stderr, "The newest 50. --last 0 shows all.")
				}
				return errors.Join(err, w.Flush())
			})
		},
	}
}

// each calls f with the newest events of the selection, up to limit; 0: all.
func each(ctx context.Context, c *api.Client, s *selection, limit int, f func(*capture.Row) error) error {
	q := capture.Query{Filter: s.expr(), App: s.app}
	for n := 0; ; {
		q.Limit = 500
		if limit > 0 {
			q.Limit = min(q.Limit, limit-n)
		}
		page, err := c.Events(ctx, q)
		if err != nil {
			return err
		}
		for i := range page.Rows {
			if err := f(&page.Rows[i]); err != nil {
				return err
			}
		}
		n += len(page.Rows)
		if page.Next == 0 || limit > 0 && n >= limit {
			return nil
		}
		q.Cursor = page.Next
	}
}

// rowLine is an event in a line of at most width; 0: as wide as it gets.
func rowLine(r *capture.Row, width int) string {
	state := string(r.Outcome.State)
	if r.Outcome.Status > 0 {
		state += fmt.Sprintf(" %d", r.Outcome.Status)
	} else if r.Outcome.Error != "" {
		state += " " + r.Outcome.Error
	}
	if r.Pinned {
		state += " pinned"
	}
	what := 28
	if width > 0 && width < lineWidth {
		what = 20
	}
	at := r.Received.Local()
	return fit(width, column{string(r.ID) + "  ", 0}, column{at.Format(time.DateOnly) + " ", 1}, column{at.Format(time.TimeOnly) + "  ", 0},
		column{fmt.Sprintf("%-10s ", safe.Cut(or(r.Provider, r.App), 10)), 2}, column{fmt.Sprintf("%-6s ", safe.Cut(r.Method, 6)), 3},
		column{fmt.Sprintf("%-*s ", what, safe.Cut(or(r.Type, or(closed(&r.Event), string(r.Target))), what)), 0},
		column{fmt.Sprintf("%8s  ", bytesText(r.Size)), 4}, column{state, 0})
}

// closed is what lists call an event that nobody here can read; "" for any
// other.
func closed(e *capture.Event) string {
	if e.Sealed {
		return "(sealed)"
	}
	return ""
}

func or(a, b string) string {
	if a == "" {
		return b
	}
	return a
}

func bytesText(n int64) string {
	switch {
	case n < 1<<10:
		return fmt.Sprintf("%d B", n)
	case n < 1<<20:
		return fmt.Sprintf("%.1f KiB", float64(n)/(1<<10))
	}
	return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
}

// eventID reads an id that was typed: "last" is the newest event's.
func eventID(ctx context.Context, c *api.Client, arg string) (capture.ID, error) {
	if arg != "last" {
		return capture.ParseID(capture.EventID, arg)
	}
	page, err := c.Events(ctx, capture.Query{Limit: 1})
	if err != nil {
		return "", err
	}
	if len(page.Rows) == 0 {
		return "", fmt.Errorf("the store is empty: %w", capture.ErrNotFound)
	}
	return page.Rows[0].ID, nil
}

func eventsGet(e *env) *cli.Command {
	var o struct {
		common
		body   bool
		opened string // with the keys of this file
	}
	return &cli.Command{
		Name: "get", Aliases: []string{"show"}, Usage: "show one event", ArgsUsage: "ID|last",
		Flags: append(o.flags(),
			&cli.BoolFlag{Name: "body", Usage: "write the exact bytes of the body and nothing else", Destination: &o.body},
			&cli.StringFlag{Name: "identity", Usage: "open what is sealed with the keys in `FILE`, such as the store's age.key", Destination: &o.opened}),
		Action: func(c *cli.Context) error {
			if c.NArg() != 1 {
				return usage("events get: want one ID, or last")
			}
			return withClient(c.Context, e, &o.common, func(client *api.Client) error {
				id, err := eventID(c.Context, client, c.Args().First())
				if err != nil {
					return err
				}
				if o.body && o.opened == "" {
					body, err := client.Body(c.Context, id)
					if err != nil {
						return err
					}
					_, err = e.stdout.Write(body)
					return err
				}
				row, err := client.Event(c.Context, id)
				if err != nil {
					return err
				}
				body, err := client.Body(c.Context, id)
				if err != nil && !errors.Is(err, capture.ErrDamaged) {
					return err
				}
				if o.opened != "" && row.Sealed && row.Refused == nil {
					keys, wrong := readKeys(&o.common, o.opened)
					if wrong != nil {
						return wrong
					}
					if row, body, err = unsealed(row, body, keys); err != nil {
						return err
					}
				}
				if o.body {
					_, failed := e.stdout.Write(body)
					return errors.Join(failed, err)
				}
				if o.json {
					return errors.Join(writeWhole(e.stdout, row, body), err)
				}
				w := bufio.NewWriter(e.stdout)
				writeEvent(w, &row, body, width(e.stdout))
				return errors.Join(w.Flush(), err)
			})
		},
	}
}

// writeWhole writes an event with its body as one line of JSON: text where it
// is valid UTF-8, else base64.
func writeWhole(w io.Writer, row capture.Row, body []byte) error {
	whole := struct {
		capture.Row
		Body       *string `json:"body,omitempty"`
		BodyBase64 string  `json:"body_base64,omitempty"`
	}{Row: row}
	if text := string(body); utf8.Valid(body) {
		whole.Body = &text
	} else {
		whole.BodyBase64 = base64.StdEncoding.EncodeToString(body)
	}
	return json.NewEncoder(w).Encode(whole)
}

// writeEvent shows an event to a person, with a first line of at most width.
func writeEvent(w io.Writer, r *capture.Row, body []byte, width int) {
	fmt.Fprintln(w, rowLine(r, width))
	if r.Refused != nil {
		fmt.Fprintf(w, "refused with %s\n", r.Refused)
	}
	if s := &r.Signature; !s.Checked.IsZero() {
		fmt.Fprintf(w, "signature %s\n", verdictLine(s))
		if s.Detail != "" {
			fmt.Fprintf(w, "  %s\n", safe.Line(s.Detail))
		}
	}
	if c := r.Conforms; c != nil {
		fmt.Fprintf(w, "schema %s\n", strings.TrimSpace(string(c.Verdict)+" "+safe.Line(c.Type)))
		for _, problem := range c.Problems {
			fmt.Fprintf(w, "  %s\n", safe.Line(problem))
		}
	}
	for _, k := range slices.Sorted(maps.Keys(r.Metadata)) {
		fmt.Fprintf(w, "metadata %s: %s\n", safe.Line(k), safe.Line(r.Metadata[k]))
	}
	if r.Sealed && r.Refused == nil {
		fmt.Fprintln(w, "sealed; --identity FILE opens it with the keys in FILE")
		return
	}
	fmt.Fprintf(w, "\n%s %s %s\n", safe.Line(r.Method), safe.Line(string(r.Target)), safe.Line(r.Proto))
	for _, h := range r.Headers {
		fmt.Fprintf(w, "%s: %s\n", safe.Line(h[0]), safe.Line(h[1]))
	}
	fmt.Fprintln(w)
	const most = 64 << 10
	for _, line := range safe.Block(body[:min(len(body), most)]) {
		fmt.Fprintln(w, line)
	}
	if len(body) > most {
		fmt.Fprintf(w, "… %s in all; --body writes everything\n", bytesText(int64(len(body))))
	}
	for _, h := range r.Trailers {
		fmt.Fprintf(w, "%s: %s\n", safe.Line(h[0]), safe.Line(h[1]))
	}
}

func eventsTail(e *env) *cli.Command {
	var o struct {
		common
		selection
	}
	return &cli.Command{
		Name: "tail", Usage: "follow what is caught and sent, until ^C",
		Flags: append(o.common.flags(), o.selection.flags()...),
		Action: func(c *cli.Context) error {
			if err := o.check(); err != nil {
				return err
			}
			return withClient(c.Context, e, &o.common, func(client *api.Client) error {
				p := newPrinter(e, &o.common)
				err := client.Live(c.Context, 0, o.expr(), o.app, func(r capture.Record) error {
					if r.Type != "ready" {
						return p.print(r)
					}
					if o.json {
						if err := p.print(r); err != nil {
							return err
						}
					}
					return backlog(c.Context, client, &o.selection, p)
				})
				return errors.Join(err, e.ended())
			})
		},
	}
}

// backlog prints the newest --last events, oldest first, before new ones.
func backlog(ctx context.Context, c *api.Client, s *selection, p *printer) error {
	if s.last <= 0 {
		return nil
	}
	rows, err := newest(ctx, c, s)
	if err != nil {
		return err
	}
	for i := range rows {
		r := capture.NewRecord("event")
		r.Event = &rows[i].Event
		if err := p.print(r); err != nil {
			return err
		}
	}
	return nil
}

// newest are the selected events in the order they came.
func newest(ctx context.Context, c *api.Client, s *selection) (rows []capture.Row, err error) {
	err = each(ctx, c, s, s.last, func(r *capture.Row) error {
		rows = append(rows, *r)
		return nil
	})
	for i, j := 0, len(rows)-1; i < j; i, j = i+1, j-1 {
		rows[i], rows[j] = rows[j], rows[i]
	}
	return rows, err
}

func eventsRm(e *env) *cli.Command {
	var o struct {
		common
		selection
		yes, dryRun bool
	}
	return &cli.Command{
		Name: "rm", Aliases: []string{"delete"}, Usage: "remove events with their attempts", ArgsUsage: "ID…",
		Flags: append(append(o.common.flags(), o.selection.flags()...),
			&cli.BoolFlag{Name: "yes", Aliases: []string{"y"}, Usage: "do not ask", Destination: &o.yes},
			&cli.BoolFlag{Name: "dry-run", Usage: "only say what would be removed", Destination: &o.dryRun}),
		Action: func(c *cli.Context) error {
			if err := o.check(); err != nil {
				return err
			}
			return withClient(c.Context, e, &o.common, func(client *api.Client) error {
				ids, err := selected(c.Context, client, &o.selection, c.Args().Slice())
				if err != nil {
					return err
				}
				if o.dryRun {
					for _, id := range ids {
						fmt.Fprintln(e.stdout, id)
					}
					return nil
				}
				if c.NArg() == 0 && !o.yes {
					if err := confirm(e, fmt.Sprintf("Remove %d events?", len(ids))); err != nil {
						return err
					}
				}
				for _, id := range ids {
					if err := client.Remove(c.Context, id); err != nil {
						return err
					}
				}
				fmt.Fprintf(e.stderr, "removed %d\n", len(ids))
				return nil
			})
		},
	}
}

// selected are the ids given, or those of the selection in the order they
// came.
func selected(ctx context.Context, c *api.Client, s *selection, args []string) (ids []capture.ID, err error) {
	if len(args) == 0 && s.empty() {
		return nil, usage("want IDs, or --filter, --since or --last to choose events")
	}
	if len(args) > 0 && !s.empty() {
		return nil, usage("want IDs or a selection by --filter, --since, --app and --last, not both")
	}
	for _, arg := range args {
		id, err := eventID(ctx, c, arg)
		if err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	if len(args) > 0 {
		return ids, nil
	}
	rows, err := newest(ctx, c, s)
	for _, r := range rows {
		ids = append(ids, r.ID)
	}
	return ids, err
}

// confirm asks; only a terminal can answer.
func confirm(e *env, question string) error {
	if !terminal(e.stdin) {
		return usage("%s Nobody is there to ask: say --yes", question)
	}
	fmt.Fprintf(e.stderr, "%s [y/N] ", question)
	answer, err := bufio.NewReader(e.stdin).ReadString('\n')
	if err == nil && strings.EqualFold(strings.TrimSpace(answer), "y") {
		return nil
	}
	return errors.New("nothing was done")
}

func eventsPin(e *env, on bool) *cli.Command {
	var o common
	name, use := "pin", "keep events whatever the retention"
	if !on {
		name, use = "unpin", "let retention take events again"
	}
	return &cli.Command{
		Name: name, Usage: use, ArgsUsage: "ID…", Flags: o.flags(),
		Action: func(c *cli.Context) error {
			if c.NArg() == 0 {
				return usage("events %s: want at least one ID, or last", name)
			}
			return withClient(c.Context, e, &o, func(client *api.Client) error {
				for _, arg := range c.Args().Slice() {
					id, err := eventID(c.Context, client, arg)
					if err != nil {
						return err
					}
					if err := client.Pin(c.Context, id, on); err != nil {
						return fmt.Errorf("%s: %w", id, err)
					}
				}
				return nil
			})
		},
	}
}

// everything matches all; parsing nothing cannot fail.
func everything() *match.Predicate {
	p, err := match.Parse("")
	if err != nil {
		panic(err)
	}
	return p
}
