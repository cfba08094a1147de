package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/urfave/cli/v2"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/safe"
	"code.hooktape.dev/hooktape/relay/api"
)

// eventsVerify judges a signature. It fails where that is not valid, so that
// scripts need not read.
func eventsVerify(e *env) *cli.Command {
	var o common
	var at, secret string
	return &cli.Command{
		Name: "verify", Usage: "judge an event's signature, and say why it does not verify", ArgsUsage: "ID|last",
		Description: "By the clock of when the event came, and with the secrets that are known. Exits with 3\nwhere the signature is not valid.",
		Flags: append(o.flags(),
			&cli.StringFlag{Name: "at", Usage: "by the clock of `WHEN`: now, 2h (ago) or an RFC 3339 time", DefaultText: "when it came", Destination: &at},
			setter("secret", "with `SECRET`, or @FILE", func(v string) error {
				text, err := e.text(v)
				secret = strings.TrimRight(string(text), "\r\n")
				return err
			})),
		Before: fillCommon,
		Action: about(e, &o, "ID", func(ctx context.Context, client *api.Client, arg string) error {
			id, err := eventID(ctx, client, arg)
			if err != nil {
				return err
			}
			x, err := client.Verify(ctx, id, at, secret)
			if err != nil {
				return err
			}
			if err := show(e, &o, x, func(w io.Writer) { writeVerdict(w, x) }); err != nil {
				return err
			}
			if x.Verdict != capture.Valid {
				return exitError{exitAssertion, errSilent}
			}
			return nil
		}),
	}
}

// verdictLine is a verdict in a line, without its detail.
func verdictLine(s *capture.Signature) string {
	line := string(s.Verdict)
	if s.Scheme != "" && s.Verdict != capture.Unchecked { // else it may be a header's name
		line += " by the scheme " + safe.Line(s.Scheme)
	}
	if s.Secret != "" {
		line += ", secret " + safe.Line(s.Secret)
	}
	return line
}

// writeVerdict shows a verdict and how it was reached to a person.
func writeVerdict(w io.Writer, x api.Verdict) {
	fmt.Fprintln(w, verdictLine(&x.Signature))
	if x.Detail != "" {
		fmt.Fprintln(w, "  "+safe.Line(x.Detail))
	}
	for _, s := range x.Steps {
		mark := "✓"
		if !s.OK {
			mark = "✗"
		}
		fmt.Fprintf(w, "  %s %s\n", mark, safe.Line(s.Text))
	}
}
