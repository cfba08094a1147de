package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/safe"
	"code.hooktape.dev/hooktape/relay/api"
)

// callOptions are what a trigger is fired with.
type callOptions struct {
	data    []byte
	headers headersFlag
	query   map[string]json.RawMessage
}

// flags are those that only a call has.
func (o *callOptions) flags(e *env) []cli.Flag {
	return []cli.Flag{
		setter("data", "of a trigger, send `DATA`, @FILE or -: a JSON object, else text, or bytes where it wants base64", func(v string) (err error) {
			o.data, err = e.text(v)
			return err
		}),
		setter("query", "of a trigger, add `NAME=VALUE` to the query; repeatable", func(v string) error {
			name, value, ok := strings.Cut(v, "=")
			if !ok {
				return fmt.Errorf("%q: want NAME=VALUE", v)
			}
			if o.query == nil {
				o.query = map[string]json.RawMessage{}
			}
			o.query[name] = text(value)
			return nil
		}),
	}
}

// given reports whether anything was.
func (o *callOptions) given() bool { return o.data != nil || o.query != nil }

// text is a JSON text.
func text(v string) json.RawMessage {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}

func (o *callOptions) call(t *capture.Trigger) capture.TriggerCall {
	c := capture.TriggerCall{QueryParams: o.query, Headers: map[string]json.RawMessage{}}
	for _, h := range o.headers {
		c.Headers[h[0]] = text(h[1])
	}
	var object map[string]json.RawMessage
	switch {
	case o.data == nil:
	case t.Encoding != "":
		c.Data = text(base64.StdEncoding.EncodeToString(o.data))
	case json.Unmarshal(o.data, &object) == nil && object != nil:
		c.Data = o.data
	default:
		c.Data = text(string(o.data))
	}
	return c
}

func triggersFire(e *env) *cli.Command {
	var o common
	var app string
	var call callOptions
	timeout := spanFlag(2 * time.Minute)
	return &cli.Command{
		Name: "fire", Usage: "send a trigger's request, and show what came of it", ArgsUsage: "ID|NAME",
		Description: "Exits with 1 when the target cannot be reached or answers with 400 or more.",
		Flags: append(append(o.flags(), call.flags(e)...), inApp(&app),
			&cli.GenericFlag{Name: "header", Aliases: []string{"H"}, Usage: "give the header `'K: V'`, where the trigger lets callers; repeatable", Value: &call.headers},
			&cli.GenericFlag{Name: "timeout", Usage: "wait for the answer, and what follows, up to `TIME`", Value: &timeout}),
		Before: fillCommon,
		Action: aboutTrigger(e, &o, &app, func(ctx context.Context, client *api.Client, t capture.Trigger) error {
			return call.within(ctx, time.Duration(timeout), e, &o, client, &t)
		}),
	}
}

// within is fire, for so long; 0: without end.
func (o *callOptions) within(ctx context.Context, most time.Duration, e *env, c *common, client *api.Client, t *capture.Trigger) error {
	if most == 0 {
		return o.fire(ctx, e, c, client, t)
	}
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	return o.fire(ctx, e, c, client, t)
}

// fire fires a trigger and shows what came of it.
func (o *callOptions) fire(ctx context.Context, e *env, c *common, client *api.Client, t *capture.Trigger) error {
	status, err := client.Status(ctx)
	if err != nil {
		return err
	}
	out, err := client.FireTrigger(ctx, t.ID, o.call(t))
	if err != nil {
		return unknownTrigger(ctx, client, t.App, t.Name, err)
	}
	err = show(e, c, out, func(w io.Writer) {
		fmt.Fprintf(w, "[%d] %s %s [%s]\n", out.Status, t.Verb(), safe.Line(t.Name), out.Reference)
		var shown bytes.Buffer
		if json.Indent(&shown, out.Data, "", "  ") == nil {
			fmt.Fprintln(w, strings.Join(safe.Block(shown.Bytes()), "\n"))
		}
	})
	if err == nil && len(t.Next) > 0 && status.Ingest == "" {
		err = chainEnds(ctx, client, t.App) // nobody but this command makes what follows
	}
	switch {
	case err != nil:
		return err
	case out.Error && out.Status == 0:
		return hinted{fmt.Errorf("the target of %s could not be reached", t.Name), fmt.Sprintf("hooktape attempts ls --event %s says why.", out.Reference)}
	case out.Error:
		return fmt.Errorf("the target of %s answered %d", t.Name, out.Status)
	}
	return nil
}

// chainEnds waits until no firing of an app is pending.
func chainEnds(ctx context.Context, client *api.Client, app string) error {
	changed := client.Watch(ctx)
	for {
		waiting, err := client.Attempts(ctx, capture.AttemptQuery{App: app, Status: capture.AttemptPending, Limit: 1000})
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(waiting, func(a capture.Attempt) bool { return strings.HasPrefix(a.URL, capture.TriggerScheme) }) {
			return nil
		}
		if _, ok := <-changed; !ok {
			return fmt.Errorf("what follows the firing has not ended: %w; it goes on when hooktape runs again", context.Cause(ctx))
		}
	}
}
