package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/safe"
	"code.hooktape.dev/hooktape/relay/api"
)

func appsCommand(e *env) *cli.Command {
	return &cli.Command{
		Name: "apps", Aliases: []string{"app"}, Usage: "manage apps: groups of events with endpoints and secrets of their own",
		Subcommands: []*cli.Command{
			appsLs(e), appsGet(e), appsCreate(e), appsUpdate(e), appsEdit(e), appsRm(e),
			appsRotate(e, "rotate-secret", "make a new signing secret", "signing secret", (*api.Client).RotateSecret),
			appsRotate(e, "rotate-key", "make a new ingest key", "ingest key", (*api.Client).RotateIngestKey),
			appsActivate(e, true), appsActivate(e, false),
		},
	}
}

// unknownApp says what slug may have been meant.
func unknownApp(ctx context.Context, client *api.Client, slug string, err error) error {
	return unknown(err, slug, "hooktape apps ls", func() (slugs []string, err error) {
		apps, err := client.Apps(ctx)
		for _, a := range apps {
			slugs = append(slugs, a.Slug)
		}
		return slugs, err
	})
}

// knownApp looks up the app that a flag names, if it names one.
func knownApp(ctx context.Context, client *api.Client, slug string) error {
	if slug == "" {
		return nil
	}
	_, err := client.App(ctx, slug)
	return unknownApp(ctx, client, slug, err)
}

// aboutApp is the action of a command about one app.
func aboutApp(e *env, o *common, do func(context.Context, *api.Client, string) error) cli.ActionFunc {
	return about(e, o, "SLUG", func(ctx context.Context, client *api.Client, slug string) error {
		return unknownApp(ctx, client, slug, do(ctx, client, slug))
	})
}

func appsLs(e *env) *cli.Command {
	var o common
	return &cli.Command{
		Name: "ls", Aliases: []string{"list"}, Usage: "list apps by slug", Flags: o.flags(),
		Action: func(c *cli.Context) error {
			return withClient(c.Context, e, &o, func(client *api.Client) error {
				apps, err := client.Apps(c.Context)
				if err != nil {
					return err
				}
				return list(e, &o, apps, appShown, func(a *capture.App) string { return appLine(a, narrow(e.stdout)) })
			})
		},
	}
}

func appsGet(e *env) *cli.Command {
	var o common
	return &cli.Command{
		Name: "get", Aliases: []string{"show"}, Usage: "show one app", ArgsUsage: "SLUG", Flags: o.flags(),
		Action: aboutApp(e, &o, func(ctx context.Context, client *api.Client, slug string) error {
			a, err := client.App(ctx, slug)
			if err != nil {
				return err
			}
			return showApp(e, &o, a)
		}),
	}
}

// appFlags are what an AppSpec can be given.
func appFlags(e *env, p patch) []cli.Flag {
	return []cli.Flag{
		p.flag("name", "`NAME` for people", asText, "name"),
		p.flag("description", "`TEXT` for people", asText, "description"),
		&cli.BoolFlag{Name: "inactive", Usage: "catch events and deliver none to endpoints", Action: func(_ *cli.Context, on bool) error {
			p.set(on, "inactive")
			return nil
		}},
		p.flag("answer", "who answers senders: ack (hooktape, as soon as the event is kept) or sync (the handler of who listens)", oneOf(capture.AnswerAck, capture.AnswerSync), "answer", "mode"),
		p.flag("answer-timeout", "with sync: wait `TIME` for the handler, 1m at most and 10s by default, before answering as with ack", asSpan, "answer", "timeout_ms"),
		p.flag("answer-status", "answer senders with `STATUS`, 200 to 599", asNumber, "answer", "status"),
		p.flag("answer-body", "answer senders with `TEXT`, or @FILE", func(v string) (any, error) {
			b, err := e.text(v)
			return string(b), err
		}, "answer", "body"),
		p.header("answer-header", "", "send the header `'K: V'` with the answer; repeatable", "answer", "headers"),
		p.flag("challenges", "`on`: answer providers who ask whether a receiver is there; or off", func(v string) (any, error) {
			word, err := oneOf("on", "off")(v)
			return word == "on", err
		}, "challenges", "enabled"),
		providerSecret(e, p, "secret", "verify what a provider sends, and sign in its name, with `PROVIDER=SECRET`, or PROVIDER=@FILE; PROVIDER/LABEL for one of several; repeatable", "secrets"),
		providerSecret(e, p, "challenge-secret", "answer a provider's challenges with its secret: `PROVIDER=SECRET`, or PROVIDER=@FILE; repeatable", "challenges", "secrets"),
		sealTo(p),
		p.flag("check", "hold events against the app's event types: `lenient` (members they do not know are warnings), strict (they are errors) or off", func(v string) (any, error) {
			word, err := oneOf("off", string(capture.CheckLenient), string(capture.CheckStrict))(v)
			if word == "off" {
				return nil, err
			}
			return word, err
		}, "check"),
		p.flag("metadata", "keep `JSON`, or @FILE, with it: an object, merged into what is there", e.asJSON, "metadata"),
		p.flag("catalog", "let endpoints made through the Wacht API subscribe to what is in the catalog `SLUG`", asText, "catalog"),
	}
}

// sealTo is the flag for all recipients of an app; off takes them away.
func sealTo(p patch) cli.Flag {
	var all []string
	return setter("seal-to", "encrypt what a relay takes to `age1…`, which hooktape keygen shows, so that only listeners read it; repeatable; or off", func(v string) error {
		if v == "" || v == "off" {
			p.set(nil, "seal_to")
			return nil
		}
		all = append(all, v)
		p.set(all, "seal_to")
		return nil
	})
}

// providerSecret is the flag for one secret by provider; one with nothing
// behind its = is taken away, and an empty value takes all away.
func providerSecret(e *env, p patch, name, use string, path ...string) cli.Flag {
	return setter(name, use, func(v string) error {
		if v == "" {
			p.set(nil, path...)
			return nil
		}
		provider, secret, ok := strings.Cut(v, "=")
		if !ok || provider == "" {
			return errors.New("want PROVIDER=SECRET, such as zoom=…")
		}
		text, err := e.text(secret)
		if err != nil {
			return err
		}
		var value any
		if secret = strings.TrimSpace(string(text)); secret != "" {
			value = secret
		}
		p.set(value, append(path[:len(path):len(path)], provider)...)
		return nil
	})
}

func appsCreate(e *env) *cli.Command {
	var o common
	p := patch{}
	return &cli.Command{
		Name: "create", Aliases: []string{"add"}, Usage: "make an app", ArgsUsage: "SLUG",
		Description: "The signing secret and the ingest key are shown this once.",
		Flags:       append(append(o.flags(), appFlags(e, p)...), subject("slug", "another way to give the `SLUG`")), Before: fillCommon,
		Action: about(e, &o, "SLUG", func(ctx context.Context, client *api.Client, slug string) error {
			var spec capture.AppSpec
			if err := p.into(&spec); err != nil {
				return exitError{exitUsage, err}
			}
			a, err := client.CreateApp(ctx, slug, spec)
			if err != nil {
				return err
			}
			fmt.Fprintln(e.stderr, "Note the signing secret and the ingest key: they are shown this once.")
			return showApp(e, &o, a)
		}),
	}
}

func appsUpdate(e *env) *cli.Command {
	var o common
	p := patch{}
	return &cli.Command{
		Name: "update", Aliases: []string{"set"}, Usage: "change what the flags name; an empty value clears", ArgsUsage: "SLUG",
		Flags: append(o.flags(), appFlags(e, p)...), Before: fillCommon,
		Action: aboutApp(e, &o, func(ctx context.Context, client *api.Client, slug string) error {
			if len(p) == 0 {
				return usage("apps update: want a flag that says what to change, or run: hooktape apps edit %s", slug)
			}
			changes, err := p.json()
			if err != nil {
				return err
			}
			a, err := client.UpdateApp(ctx, slug, changes)
			if err != nil {
				return err
			}
			return showApp(e, &o, a)
		}),
	}
}

func appsEdit(e *env) *cli.Command {
	var o common
	return &cli.Command{
		Name: "edit", Usage: "change an app in $VISUAL or $EDITOR", ArgsUsage: "SLUG", Flags: o.flags(), Before: fillCommon,
		Action: func(c *cli.Context) error {
			if c.NArg() != 1 {
				return usage("apps edit: want one SLUG")
			}
			slug := c.Args().First()
			// The store is let go of while the editor is open.
			with := func(f func(*api.Client) error) error {
				return withClient(c.Context, e, &o, func(client *api.Client) error {
					return unknownApp(c.Context, client, slug, f(client))
				})
			}
			var a capture.App
			err := with(func(client *api.Client) (err error) {
				a, err = client.App(c.Context, slug)
				return err
			})
			if err != nil {
				return err
			}
			changed, err := edit(e, "App "+slug, appSheet, a.AppSpec, func(changes json.RawMessage) error {
				return with(func(client *api.Client) (err error) {
					a, err = client.UpdateApp(c.Context, slug, changes)
					return err
				})
			})
			if err != nil || !changed {
				return err
			}
			return showApp(e, &o, a)
		},
	}
}

func appsRm(e *env) *cli.Command {
	var o common
	var yes bool
	return &cli.Command{
		Name: "rm", Aliases: []string{"delete", "remove"}, Usage: "delete an app and its endpoints; its events stay", ArgsUsage: "SLUG",
		Flags:  append(o.flags(), &cli.BoolFlag{Name: "yes", Aliases: []string{"y"}, Usage: "do not ask", Destination: &yes}),
		Before: fillCommon,
		Action: aboutApp(e, &o, func(ctx context.Context, client *api.Client, slug string) error {
			if _, err := client.App(ctx, slug); err != nil {
				return err
			}
			if err := sure(e, yes, "Delete the app %s, its endpoints and its secrets?", slug); err != nil {
				return err
			}
			if err := client.DeleteApp(ctx, slug); err != nil {
				return err
			}
			fmt.Fprintf(e.stderr, "deleted %s\n", slug)
			return nil
		}),
	}
}

func appsRotate(e *env, name, use, what string, rotate func(*api.Client, context.Context, string, time.Duration) (capture.App, error)) *cli.Command {
	var o common
	var r rotation
	return &cli.Command{
		Name: name, Usage: use, ArgsUsage: "SLUG", Flags: append(o.flags(), r.flag()), Before: fillCommon,
		Action: aboutApp(e, &o, func(ctx context.Context, client *api.Client, slug string) error {
			a, err := rotate(client, ctx, slug, r.overlap())
			if err != nil {
				return err
			}
			fmt.Fprintf(e.stderr, "Note the new %s: it is shown this once. %s\n", what, r.sentence())
			return showApp(e, &o, a)
		}),
	}
}

func appsActivate(e *env, on bool) *cli.Command {
	var o common
	name, use := "activate", "deliver an app's events again"
	if !on {
		name, use = "deactivate", "catch an app's events and deliver none to its endpoints"
	}
	return &cli.Command{
		Name: name, Usage: use, ArgsUsage: "SLUG", Flags: o.flags(),
		Action: aboutApp(e, &o, func(ctx context.Context, client *api.Client, slug string) error {
			a, err := client.UpdateApp(ctx, slug, json.RawMessage(`{"inactive":`+strconv.FormatBool(!on)+`}`))
			if err != nil {
				return err
			}
			return showApp(e, &o, a)
		}),
	}
}

// appShown is an app with its secrets as the API has shown them: masked,
// unless they were made by this very call.
func appShown(a capture.App) any {
	return struct {
		capture.App
		SigningSecret string `json:"signing_secret"`
		IngestKey     string `json:"ingest_key"`
	}{a, a.SigningSecret.Key, a.IngestKey.Key}
}

func showApp(e *env, o *common, a capture.App) error {
	return show(e, o, appShown(a), func(w io.Writer) { writeApp(w, &a) })
}

func appState(a *capture.App) string {
	if a.Inactive {
		return "inactive"
	}
	return "active"
}

func appLine(a *capture.App, width int) string {
	return fit(width, column{fmt.Sprintf("%-20s  ", a.Slug), 0}, column{fmt.Sprintf("%-8s  ", appState(a)), 0},
		column{fmt.Sprintf("answers %-4s  ", answerWord(&a.Answer)), 2}, column{stamp(a.Created) + "  ", 3}, column{safe.Line(a.Name), 1})
}

// answerWord is the answer in a word: its status, or that the handler gives it.
func answerWord(a *capture.Answer) string {
	if a.Mode == capture.AnswerSync {
		return string(a.Mode)
	}
	return strconv.Itoa(a.Code())
}

// challengesText says whether challenges are answered, and whose secrets are
// known.
func challengesText(c capture.Challenges) string {
	var said []string
	if c.Enabled {
		said = append(said, "answered")
	} else if len(c.Secrets) > 0 {
		said = append(said, "not answered")
	}
	if len(c.Secrets) > 0 {
		said = append(said, "secrets of "+strings.Join(slices.Sorted(maps.Keys(c.Secrets)), ", "))
	}
	return strings.Join(said, ", ")
}

// writeApp shows an app to a person.
func writeApp(w io.Writer, a *capture.App) {
	fmt.Fprintln(w, a.Slug)
	answers := strconv.Itoa(a.Answer.Code())
	for _, name := range slices.Sorted(maps.Keys(a.Answer.Headers)) {
		answers += ", " + name + ": " + a.Answer.Headers[name]
	}
	if a.Answer.Body != "" {
		answers += ", " + bytesText(int64(len(a.Answer.Body)))
	}
	if a.Answer.Mode == capture.AnswerSync {
		answers = fmt.Sprintf("sync, by the handler within %s, else %s", a.Answer.Wait(), answers)
	}
	members(w, "name", a.Name, "description", a.Description, "state", appState(a), "answers", answers,
		"challenges", challengesText(a.Challenges), "secrets of", strings.Join(slices.Sorted(maps.Keys(a.Secrets)), ", "), "sealed to", strings.Join(a.SealTo, ", "),
		"checks", string(a.Check), "metadata", string(a.Metadata),
		"catalog", a.Catalog, "notify", strings.Join(a.Notify, ", "),
		"secret", a.SigningSecret.Key, "ingest key", a.IngestKey.Key,
		"created", by(a.Created, a.CreatedBy), "updated", by(a.Updated, a.UpdatedBy))
}
