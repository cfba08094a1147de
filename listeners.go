package main

import (
	"context"
	"fmt"
	"time"

	"github.com/urfave/cli/v2"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/safe"
	"code.hooktape.dev/hooktape/relay/api"
)

func listenersCommand(e *env) *cli.Command {
	return &cli.Command{
		Name: "listeners", Aliases: []string{"listener"}, Usage: "see who listens through a relay",
		Subcommands: []*cli.Command{listenersLs(e), listenersRm(e)},
	}
}

// listenerShown is a listener with how far it is behind.
type listenerShown struct {
	capture.ListenerRow
	Behind int  `json:"behind"`                // events that wait for it at the relay,
	More   bool `json:"behind_more,omitempty"` // and maybe others after these
}

func listenersLs(e *env) *cli.Command {
	var o common
	var app string
	return &cli.Command{
		Name: "ls", Aliases: []string{"list"}, Usage: "list who listens or has listened, oldest first",
		Flags: append(o.flags(), &cli.StringFlag{Name: "app", Usage: "only those of the app `SLUG`", Destination: &app}),
		Action: func(c *cli.Context) error {
			return withClient(c.Context, e, &o, func(client *api.Client) error {
				if err := knownApp(c.Context, client, app); err != nil {
					return err
				}
				rows, err := client.Listeners(c.Context, app)
				if err != nil {
					return err
				}
				all := make([]listenerShown, len(rows))
				for i, row := range rows {
					all[i].ListenerRow = row
					if err := all[i].count(c.Context, client); err != nil {
						return err
					}
				}
				return list(e, &o, all, func(l listenerShown) any { return l }, func(l *listenerShown) string { return listenerLine(l, narrow(e.stdout), time.Now()) })
			})
		},
	}
}

// count counts what waits for the listener among the next thousand events of
// its app.
func (l *listenerShown) count(ctx context.Context, client *api.Client) error {
	page, err := client.Events(ctx, capture.Query{App: l.App, Ascending: true, Cursor: l.Cursor, Limit: 1000})
	for i := range page.Rows {
		claimed := page.Rows[i].Claimed
		if claimed == l.ID || claimed == "" && l.Only == "" {
			l.Behind++
		}
	}
	l.More = page.Next > 0
	return err
}

func listenerLine(l *listenerShown, width int, now time.Time) string {
	state := "connected"
	if !l.Connected {
		state = "away " + roughly(now.Sub(l.Seen))
	}
	wait := "in step"
	switch {
	case l.More:
		wait = fmt.Sprintf("%d+ wait", l.Behind)
	case l.Behind > 0:
		wait = fmt.Sprintf("%d wait", l.Behind)
	}
	who := safe.Line(l.Name)
	if l.Only != "" {
		who += ", only " + safe.Line(l.Only)
	}
	return fit(width, column{fmt.Sprintf("%-30s  ", l.ID), 0}, column{fmt.Sprintf("%-7s  ", l.App), 0}, column{fmt.Sprintf("%-9s  ", state), 0},
		column{fmt.Sprintf("%-8s  ", wait), 0}, column{who, 0})
}

// roughly is a time in its largest unit: 40s, 3m, 2h, 5d.
func roughly(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%ds", int(max(d, 0).Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%dm", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh", int(d.Hours()))
	}
	return fmt.Sprintf("%dd", int(d.Hours()/24))
}

func listenersRm(e *env) *cli.Command {
	var o common
	return &cli.Command{
		Name: "rm", Aliases: []string{"remove", "delete"}, Usage: "forget a listener and where it has come to; one that is connected ends", ArgsUsage: "ID", Flags: o.flags(),
		Action: about(e, &o, "ID", func(ctx context.Context, client *api.Client, arg string) error {
			id, err := capture.ParseID(capture.ListenerID, arg)
			if err != nil {
				return err
			}
			if err := client.RemoveListener(ctx, id); err != nil {
				return unknown(err, arg, "hooktape listeners ls", func() (ids []string, err error) {
					all, err := client.Listeners(ctx, "")
					for _, l := range all {
						ids = append(ids, string(l.ID))
					}
					return ids, err
				})
			}
			fmt.Fprintf(e.stderr, "removed %s\n", id)
			return nil
		}),
	}
}
