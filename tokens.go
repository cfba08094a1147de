package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/urfave/cli/v2"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/safe"
	"code.hooktape.dev/hooktape/relay/api"
)

func tokensCommand(e *env) *cli.Command {
	return &cli.Command{
		Name: "tokens", Aliases: []string{"token"}, Usage: "manage who may use the API",
		Subcommands: []*cli.Command{tokensLs(e), tokensCreate(e), tokensRevoke(e)},
	}
}

func tokensLs(e *env) *cli.Command {
	var o common
	return &cli.Command{
		Name: "ls", Aliases: []string{"list"}, Usage: "list tokens, oldest first", Flags: o.flags(),
		Action: func(c *cli.Context) error {
			return withClient(c.Context, e, &o, func(client *api.Client) error {
				tokens, err := client.Tokens(c.Context)
				if err != nil {
					return err
				}
				return list(e, &o, tokens, func(t capture.Token) any { return t }, func(t *capture.Token) string { return tokenLine(t, narrow(e.stdout)) })
			})
		},
	}
}

func tokenLine(t *capture.Token, width int) string {
	state := "does not expire"
	switch {
	case !t.Revoked.IsZero():
		state = "revoked " + t.Revoked.Local().Format(time.DateOnly)
	case !t.Expires.IsZero() && t.Expires.Before(time.Now()):
		state = "expired " + t.Expires.Local().Format(time.DateOnly)
	case !t.Expires.IsZero():
		state = "until " + t.Expires.Local().Format(time.DateOnly)
	}
	return fit(width, column{fmt.Sprintf("%-30s  ", t.ID), 0}, column{fmt.Sprintf("%-6s  ", t.Scope), 0}, column{fmt.Sprintf("%-12s  ", cmp.Or(t.App, "every app")), 0},
		column{fmt.Sprintf("%-18s  ", state), 1}, column{fmt.Sprintf("%-12s  ", safe.Cut(t.Hint, 12)), 2}, column{safe.Line(t.Name), 0})
}

func tokensCreate(e *env) *cli.Command {
	o := struct {
		common
		spec    capture.TokenSpec
		expires spanFlag
	}{spec: capture.TokenSpec{Scope: capture.ScopeManage}}
	return &cli.Command{
		Name: "create", Aliases: []string{"add"}, Usage: "make a token and write it, once", ArgsUsage: "NAME",
		Flags: append(o.flags(),
			setter("scope", "let it `DO`: manage (everything, the default), read (change nothing), ingest (make events and nothing else) or listen (connect a listener and nothing else)", func(v string) error {
				_, err := oneOf(capture.Scopes...)(v)
				o.spec.Scope = capture.Scope(v)
				return err
			}),
			&cli.StringFlag{Name: "app", Usage: "bind it to the app `SLUG`: all others are not there for it", Destination: &o.spec.App},
			subject("name", "another way to give the `NAME`"),
			&cli.GenericFlag{Name: "expires", Usage: "let it count for `TIME`, such as 30d", DefaultText: "for ever", Value: &o.expires}),
		Before: fillCommon,
		Action: about(e, &o.common, "NAME", func(ctx context.Context, client *api.Client, name string) error {
			if err := knownApp(ctx, client, o.spec.App); err != nil {
				return err
			}
			if o.spec.Name = name; o.expires > 0 {
				o.spec.Expires = time.Now().Add(time.Duration(o.expires))
			}
			t, secret, err := client.CreateToken(ctx, o.spec)
			if err != nil {
				return err
			}
			where := ""
			if t.App != "" {
				where = " in the app " + t.App
			}
			fmt.Fprintf(e.stderr, "Note the token: it is shown this once. It is %s and may %s%s; hooktape tokens revoke %s ends it.\n",
				t.ID, t.Scope, where, t.ID)
			if o.json {
				return json.NewEncoder(e.stdout).Encode(struct {
					capture.Token
					Secret string `json:"token"`
				}{t, secret})
			}
			_, err = fmt.Fprintln(e.stdout, secret)
			return err
		}),
	}
}

func tokensRevoke(e *env) *cli.Command {
	var o common
	return &cli.Command{
		Name: "revoke", Aliases: []string{"rm", "delete", "remove"}, Usage: "end a token at once", ArgsUsage: "ID", Flags: o.flags(),
		Action: about(e, &o, "ID", func(ctx context.Context, client *api.Client, arg string) error {
			id, err := capture.ParseID(capture.TokenID, arg)
			if err != nil {
				return err
			}
			if err := client.RevokeToken(ctx, id); err != nil {
				return unknown(err, arg, "hooktape tokens ls", func() (ids []string, err error) {
					tokens, err := client.Tokens(ctx)
					for _, t := range tokens {
						ids = append(ids, string(t.ID))
					}
					return ids, err
				})
			}
			fmt.Fprintf(e.stderr, "revoked %s\n", id)
			return nil
		}),
	}
}
