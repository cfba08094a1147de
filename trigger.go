package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/safe"
	"code.hooktape.dev/hooktape/relay/answer"
	"code.hooktape.dev/hooktape/relay/api"
	"code.hooktape.dev/hooktape/replay"
)

type triggerOptions struct {
	common
	f       capture.Firing
	call    callOptions
	headers headersFlag
	burst   replay.Burst
	rate    string
	timeout spanFlag
	loose   bool // nothing is kept
	dryRun  bool
}

func triggerCommand(e *env) *cli.Command {
	o := &triggerOptions{timeout: spanFlag(30 * time.Second)}
	return &cli.Command{
		Name: "trigger", Usage: "send a sample, signed as its provider signs, or fire a trigger", ArgsUsage: "TAG|ID|NAME",
		Description: "A TAG is an event type of hooktape types ls: github:push, stripe:invoice.paid, or one of\n" +
			"your own. Goes to the endpoints of --app and to whoever listens, else to --to URL. Exits with\n" +
			"1 when an attempt failed, and with 3 when a challenge is not answered as its provider wants.\n" +
			"An ID or a NAME is that of a trigger of --app, and takes --data, --query, -H and --timeout:\n" +
			"what hooktape triggers fire does.",
		Flags: append(append(o.common.flags(), o.call.flags(e)...),
			setter("set", "put a value in the body: `/pointer=value`, JSON or text, or @FILE; repeatable", func(v string) error {
				set, err := e.setting(v)
				o.f.Set = append(o.f.Set, set)
				return err
			}),
			&cli.StringFlag{Name: "app", Usage: "to the endpoints of the app `SLUG`", Value: capture.DefaultApp, Destination: &o.f.App},
			&cli.StringFlag{Name: "to", Aliases: []string{"forward-to"}, Usage: "send to `URL` instead", Destination: &o.f.To},
			&cli.StringFlag{Name: "url", Usage: "where a scheme signs the URL, sign `URL`", DefaultText: "that of --to", Destination: &o.f.URL},
			&cli.GenericFlag{Name: "header", Aliases: []string{"H"}, Usage: "send the header `'K: V'` in place of the sample's; repeatable", Value: &o.headers},
			setter("secret", "sign with `SECRET`, or @FILE; else with what is known for the provider", func(v string) error {
				text, err := e.text(v)
				o.f.Secret = strings.TrimRight(string(text), "\r\n")
				return err
			}),
			&cli.BoolFlag{Name: "unsigned", Usage: "leave the signature out", Destination: &o.f.Unsigned},
			&cli.BoolFlag{Name: "forged", Usage: "sign with a wrong secret, to see it refused", Destination: &o.f.Forged},
			&cli.Int64Flag{Name: "seed", Usage: "make the same values again with the same `N`", DefaultText: "others each time", Destination: &o.f.Seed},
			&cli.IntFlag{Name: "count", Usage: "send `N`", Value: 1, Destination: &o.burst.Count},
			&cli.StringFlag{Name: "rate", Usage: "send no faster than `N/s`, or N/m", DefaultText: "no limit", Destination: &o.rate},
			&cli.GenericFlag{Name: "timeout", Usage: "wait for answers up to `TIME`; 0s: do not wait", Value: &o.timeout},
			&cli.BoolFlag{Name: "no-store", Usage: "keep nothing: only send, to --to, which is fast", Destination: &o.loose},
			&cli.BoolFlag{Name: "dry-run", Usage: "show the request, and send nothing", Destination: &o.dryRun}),
		Before: fillCommon,
		Action: func(c *cli.Context) error {
			if c.NArg() != 1 {
				return usage("trigger: want one TAG; hooktape types ls lists them")
			}
			if err := o.check(); err != nil {
				return err
			}
			if arg := c.Args().First(); !strings.Contains(arg, ":") || o.call.given() {
				return o.registered(c, e, arg)
			}
			return withClient(c.Context, e, &o.common, func(client *api.Client) error {
				return o.run(c.Context, e, client, c.Args().First())
			})
		},
	}
}

// registered fires a trigger.
func (o *triggerOptions) registered(c *cli.Context, e *env, arg string) error {
	for _, name := range []string{"set", "to", "url", "secret", "unsigned", "forged", "seed", "count", "rate", "no-store", "dry-run"} {
		if c.IsSet(name) {
			return usage("--%s is for a sample, and %s is no TAG, which has a colon; a trigger takes --data, --query, -H, --timeout and --app", name, arg)
		}
	}
	o.call.headers = o.headers
	return withClient(c.Context, e, &o.common, func(client *api.Client) error {
		t, err := findTrigger(c.Context, client, o.f.App, arg)
		if own := (hinted{}); errors.As(err, &own) {
			return hinted{own.error, own.hint + "\n  A sample has a TAG with a colon, such as github:push: hooktape types ls shows those."}
		}
		if err != nil {
			return err
		}
		return o.call.within(c.Context, time.Duration(o.timeout), e, &o.common, client, &t)
	})
}

// setting reads what capture.ParseSetting does, and /pointer=@FILE.
func (e *env) setting(v string) (capture.Setting, error) {
	if at, value, _ := strings.Cut(v, "="); strings.HasPrefix(value, "@") {
		text, err := e.text(value)
		if err != nil {
			return capture.Setting{}, err
		}
		v = at + "=" + string(text)
	}
	return capture.ParseSetting(v)
}

func (o *triggerOptions) check() (err error) {
	o.f.Headers = capture.Headers(o.headers)
	if o.f.To != "" {
		to, err := answer.ParseTarget(o.f.To)
		if err != nil {
			return err
		}
		o.f.To = to.String() // also of a port: it may be signed
	}
	if o.burst.Count < 1 {
		return usage("--count %d: want 1 or more", o.burst.Count)
	}
	if o.f.Unsigned && (o.f.Forged || o.f.Secret != "") || o.f.Forged && o.f.Secret != "" {
		return usage("--unsigned, --forged and --secret: want one of them at most")
	}
	if o.loose && o.f.To == "" {
		return usage("--no-store sends to a URL: say which with --to URL")
	}
	if o.burst.Rate, err = parseRate(o.rate); err != nil {
		return usage("--rate %v", err)
	}
	o.burst.Leave = o.timeout == 0
	return nil
}

// parseRate reads 100/s, 600/m or 100 as events a second, from one a day on; ""
// is 0.
func parseRate(s string) (float64, error) {
	if s == "" {
		return 0, nil
	}
	number, unit, _ := strings.Cut(s, "/")
	per, ok := map[string]float64{"": 1, "s": 1, "m": 60, "h": 3600}[unit]
	var n float64
	if _, err := fmt.Sscanf(number+" .", "%g .", &n); err != nil || !ok || !(n/per >= 1./86400 && n <= 1e9) {
		return 0, fmt.Errorf("%q: want a rate such as 100/s or 600/m", s)
	}
	return n / per, nil
}

func (o *triggerOptions) run(ctx context.Context, e *env, client *api.Client, tag string) error {
	t, err := client.Type(ctx, tag)
	if err != nil {
		return unknownType(err)
	}
	if o.dryRun || o.loose {
		return o.direct(ctx, e, &t)
	}
	status, err := client.Status(ctx)
	if err != nil {
		return err
	}
	o.f.Ingest = ingestOf(status.Ingest, o.f.App)
	if o.f.To == "" && status.Ingest == "" {
		o.burst.Leave = true // nobody runs who would send
	}
	if o.burst.Far, err = o.listened(ctx, client); err != nil {
		return err
	}
	s := burst{o: o, e: e, client: client, p: newPrinter(e, &o.common), brief: o.burst.Count > 20 && !o.json}
	o.burst.Made = s.made
	waiting, cancel := ctx, context.CancelFunc(func() {})
	if o.timeout > 0 {
		waiting, cancel = context.WithTimeoutCause(ctx, time.Duration(o.timeout), errUnanswered)
	}
	defer cancel()
	began := time.Now()
	result, err := replay.Fire(waiting, client, tag, o.f, o.burst, replay.Options{Each: s.finished})
	switch {
	case ctx.Err() != nil:
		return errInterrupted
	case errors.Is(err, errUnanswered):
		return fmt.Errorf("no answer to everything within %s: what is due is sent all the same; hooktape attempts ls shows it", &o.timeout)
	case err != nil:
		return unknownApp(ctx, client, o.f.App, err)
	}
	return s.end(result, status, time.Since(began))
}

// listened reports whether somebody listens to the app through a relay, who
// gets what no endpoint there does.
func (o *triggerOptions) listened(ctx context.Context, client *api.Client) (bool, error) {
	if o.f.To != "" {
		return false, nil
	}
	all, err := client.Listeners(ctx, o.f.App)
	return slices.ContainsFunc(all, func(l capture.ListenerRow) bool { return l.Connected && l.Only == "" }), unknownApp(ctx, client, o.f.App, err)
}

// ingestOf is where a provider would send an app's webhooks to; "" where that is
// below a key that nobody has told.
func ingestOf(ingest, app string) string {
	switch {
	case app == capture.DefaultApp || ingest == "":
		return ingest
	case strings.Contains(ingest, "/in/"):
		return ""
	}
	return ingest + "/in/" + app
}

// errUnanswered ends the waiting for answers.
var errUnanswered = errors.New("no answer in time")

// burst is a trigger under way.
type burst struct {
	o      *triggerOptions
	e      *env
	client *api.Client
	p      *printer
	brief  bool // too many for a line each
	first  *capture.Event
	wrong  error // with the answer to a challenge
	judged bool
}

func (s *burst) made(events []capture.Event) error {
	if s.first == nil {
		s.first = &events[0]
		s.warn()
	}
	for i := range events {
		if s.brief {
			return nil
		}
		r := capture.NewRecord("event")
		r.Event = &events[i]
		if err := s.p.print(r); err != nil {
			return err
		}
	}
	return nil
}

// lacksSecret reports whether an event is not signed though its provider signs
// such: questions by GET are not.
func (o *triggerOptions) lacksSecret(e *capture.Event) bool {
	return e.Signature.Verdict == capture.Unsigned && e.Provider != "" && !o.f.Unsigned && e.Method != http.MethodGet && e.Method != http.MethodHead
}

// warn says that nothing was signed where one would expect it.
func (s *burst) warn() {
	if s.o.lacksSecret(s.first) {
		fmt.Fprintf(s.e.stderr, "Not signed: no secret for %s is known. Give it with --secret, or for good with\n  hooktape apps update %s --secret %s=…\n",
			safe.Line(s.first.Provider), s.o.f.App, safe.Line(s.first.Provider))
	}
}

func (s *burst) finished(r capture.Record) error {
	if !s.brief {
		if err := s.p.print(r); err != nil {
			return err
		}
	}
	if s.o.burst.Count > 1 || r.Attempt.Code == 0 {
		return nil
	}
	j, err := s.client.Judge(context.Background(), r.Attempt.ID, s.o.f.Secret)
	if err != nil {
		return err
	}
	if s.judged = s.judged || j.Asked; j.Problem != "" && s.wrong == nil {
		s.wrong = errors.New(j.Problem)
	}
	return nil
}

// end says what came of it all.
func (s *burst) end(result replay.Result, status api.Status, took time.Duration) error {
	n := result.Succeeded + result.Failed
	switch {
	case s.brief:
		fmt.Fprintf(s.e.stderr, "%d sent in %s, %.0f a second: %d succeeded, %d failed\n", s.o.burst.Count, took.Round(time.Millisecond), float64(s.o.burst.Count)/took.Seconds(), result.Succeeded, result.Failed)
	case s.o.f.To == "" && status.Ingest == "":
		fmt.Fprintln(s.e.stderr, "Kept. Deliveries wait until hooktape runs, such as: hooktape listen")
	case n == 0 && !s.o.burst.Leave:
		fmt.Fprintf(s.e.stderr, "Kept. No endpoint of the app %s wants it and no target of this hooktape does; who listens through a relay gets it. Send it somewhere with --to URL.\n", s.o.f.App)
	}
	switch {
	case s.wrong != nil:
		return exitError{exitAssertion, s.wrong}
	case s.judged:
		fmt.Fprintln(s.e.stderr, "The challenge is answered as its provider wants.")
		return nil // a refusal may be what it wants
	case result.Failed > 0:
		return fmt.Errorf("%d of %d attempts failed", result.Failed, n)
	}
	return nil
}
