package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/urfave/cli/v2"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/match"
	"code.hooktape.dev/hooktape/relay"
	"code.hooktape.dev/hooktape/relay/answer"
	"code.hooktape.dev/hooktape/relay/api"
	"code.hooktape.dev/hooktape/relay/dispatch"
	"code.hooktape.dev/hooktape/store"
	"code.hooktape.dev/hooktape/tui"
)

// keeping are the flags of commands that own a store and take webhooks in.
type keeping struct {
	common
	maxBody   sizeFlag
	readyFile string
	token     string
	allow     cli.StringSlice // addresses that registered endpoints may reach, as answer.ParseAllow reads them
	dialect   cli.StringSlice // as parseDialects reads them

	retainAge   spanFlag
	retainSize  sizeFlag
	retainCount int64
}

func (o *keeping) flags() []cli.Flag {
	o.maxBody = 25 << 20
	return append(o.common.here(),
		&cli.StringFlag{Name: "token", Usage: "ask callers of the API for `TOKEN`", Destination: &o.token},
		&cli.GenericFlag{Name: "max-body", Usage: "refuse bodies over `SIZE`", Value: &o.maxBody},
		&cli.StringFlag{Name: "ready-file", Usage: "write the ready record to `FILE` once webhooks are taken", Destination: &o.readyFile},
		&cli.StringSliceFlag{Name: "allow-target", Usage: "let registered endpoints reach `ADDRESSES` that are not public: loopback, private, or a network such as 10.1.0.0/16; repeatable", Destination: &o.allow},
		&cli.StringSliceFlag{Name: "dialect", Usage: "choose `NAME=VALUE` where another system's document and servers differ, see docs/compatibility.md; repeatable", Destination: &o.dialect},
		&cli.GenericFlag{Name: "retain-age", Usage: "forget events older than `TIME`, such as 7d", DefaultText: "never", Value: &o.retainAge},
		&cli.GenericFlag{Name: "retain-size", Usage: "forget the oldest events beyond `SIZE` on disk", DefaultText: "no limit", Value: &o.retainSize},
		&cli.Int64Flag{Name: "retain-count", Usage: "forget the oldest events beyond `N`", DefaultText: "no limit", Destination: &o.retainCount},
	)
}

func (o *keeping) retain() store.Retain {
	return store.Retain{Age: time.Duration(o.retainAge), Bytes: int64(o.retainSize), Count: o.retainCount}
}

// catching are the flags of commands that take webhooks in on this machine, or
// from a relay.
type catching struct {
	keeping
	uplink
	ingest, apiAddr string
}

func (o *catching) flags() []cli.Flag {
	return append(append(o.keeping.flags(), o.uplink.flags(&o.common)...),
		&cli.StringFlag{Name: "ingest", Usage: "take webhooks at `ADDR`", Value: localIngest, Destination: &o.ingest},
		&cli.StringFlag{Name: "api", Usage: "serve the management API at `ADDR`", Value: "127.0.0.1:4081", Destination: &o.apiAddr},
	)
}

// localIngest is where webhooks are taken by default. With a relay they are
// taken there, and here only if an address is given.
const localIngest = "127.0.0.1:4080"

// forwarding are the flags that say how events are sent on.
type forwarding struct {
	pathMode, host string
	headers        headersFlag
	insecure       bool
	timeout        spanFlag
}

func (o *forwarding) flags() []cli.Flag {
	o.timeout = spanFlag(30 * time.Second)
	return []cli.Flag{
		&cli.StringFlag{Name: "path-mode", Usage: "`MODE` of joining paths: append, replace or strip=/prefix", Value: "append", Destination: &o.pathMode},
		&cli.StringFlag{Name: "host-header", Usage: "`HOST` to send: rewrite, preserve or a value", Value: "rewrite", Destination: &o.host},
		&cli.GenericFlag{Name: "header", Aliases: []string{"H"}, Usage: "send the header `'K: V'` in place of the sender's; repeatable", Value: &o.headers},
		&cli.BoolFlag{Name: "insecure", Usage: "accept any certificate of a target", Destination: &o.insecure},
		&cli.GenericFlag{Name: "timeout", Usage: "give up an attempt after `TIME`", Value: &o.timeout},
	}
}

func (o *forwarding) forward() (f answer.Options, err error) {
	mode, err := answer.ParsePathMode(o.pathMode)
	if err != nil {
		return f, exitError{exitUsage, err}
	}
	f.PathMode, f.Host, f.Headers = mode, o.host, capture.Headers(o.headers)
	f.Insecure, f.Timeout = o.insecure, time.Duration(o.timeout)
	return f, nil
}

type listenOptions struct {
	catching
	forwarding
	filter, app string
	targets     cli.StringSlice
	concurrency int
	retries     int
	backoff     spanFlag
	maxBackoff  spanFlag
	plain       bool
	dryRun      bool
}

func listenCommand(e *env) *cli.Command {
	o := &listenOptions{backoff: spanFlag(time.Second), maxBackoff: spanFlag(5 * time.Minute)}
	flags := append(o.catching.flags(), o.forwarding.flags()...)
	return &cli.Command{
		Name:      "listen",
		Usage:     "catch webhooks and forward them",
		ArgsUsage: "[TARGET…]",
		Description: "A TARGET is a port (3000), a URL (http://localhost:3000/hooks, unix:///run/app.sock)\n" +
			"or a route with a predicate ('type:push=3000'). Without one, webhooks are caught and kept.\n" +
			"On a terminal the interface is shown; lines when piped or with --plain.",
		Flags: append(flags,
			&cli.StringSliceFlag{Name: "forward-to", Usage: "another way to give a `TARGET`", Destination: &o.targets},
			&cli.StringFlag{Name: "filter", Aliases: []string{"f"}, Usage: "forward only events that match `EXPR`; all are kept", Destination: &o.filter},
			&cli.StringFlag{Name: "app", Usage: "forward only events of the app `NAME`", Destination: &o.app},
			&cli.IntFlag{Name: "concurrency", Usage: "send up to `N` events at a time to a target; 1 keeps them in order", Value: 1, Destination: &o.concurrency},
			&cli.IntFlag{Name: "retries", Usage: "try again up to `N` times after a failure", Value: 11, Destination: &o.retries},
			&cli.GenericFlag{Name: "backoff", Usage: "wait `TIME` before the first retry, then twice as long each time", Value: &o.backoff},
			&cli.GenericFlag{Name: "max-backoff", Usage: "wait no longer than `TIME` between retries", Value: &o.maxBackoff},
			&cli.BoolFlag{Name: "plain", Usage: "write lines, also on a terminal", Destination: &o.plain},
			&cli.BoolFlag{Name: "dry-run", Usage: "say what would be forwarded where, and end", Destination: &o.dryRun},
		),
		Action: func(c *cli.Context) error {
			return o.run(c.Context, e, append(c.Args().Slice(), o.targets.Value()...))
		},
	}
}

func (o *listenOptions) run(ctx context.Context, e *env, targets []string) error {
	forward, err := o.forward()
	if err != nil {
		return err
	}
	if _, err := match.Parse(o.filter); err != nil {
		return err
	}
	if o.concurrency < 1 || o.retries < 0 {
		return usage("--concurrency %d --retries %d: want 1 or more, and 0 or more", o.concurrency, o.retries)
	}
	for _, t := range targets {
		if _, err := answer.ParseTarget(t); err != nil {
			return err
		}
	}
	o.uplink.of = o.app
	if o.dryRun {
		return o.explain(e, forward, targets)
	}
	var screenLog *ring
	if terminal(e.stdout) && terminal(e.stdin) && !o.plain && !o.json &&
		os.Getenv("TERM") != "dumb" && !set("ACCESSIBLE") {
		screenLog = new(ring)
	}
	return o.own(ctx, e, forward, screenLog, func(ctx context.Context, n *node) error {
		n.dispatch.Concurrency = o.concurrency
		n.dispatch.Schedule = dispatch.Exponential(o.retries+1, time.Duration(o.backoff), time.Duration(o.maxBackoff))
		return n.targets(ctx, targets, o.app, o.filter)
	}, func(ctx context.Context, n *node) error {
		if screenLog != nil {
			return showTUI(ctx, here{n.store, n.dispatch, n.registry.CheckAs}, n.registry, &o.common, n.api.Ready, func(t *tui.Options) {
				t.Log, t.Uplink = screenLog.Lines, n.shown
			})
		}
		return o.printAll(ctx, e, n)
	})
}

// printAll writes a line for everything that happens until ctx is done.
func (o *listenOptions) printAll(ctx context.Context, e *env, n *node) error {
	p := newPrinter(e, &o.common)
	if err := n.follow(ctx, p.print); err != nil {
		return err
	}
	return e.ended()
}

// errInterrupted ends a script mode that ^C stopped.
var errInterrupted = exitError{exitInterrupted, errSilent}

// ended is the result of a command that runs until it is told to end.
func (e *env) ended() error {
	if e.interrupted() {
		return errInterrupted
	}
	return nil
}

func set(name string) bool {
	v := os.Getenv(name)
	return v != "" && v != "0" && v != "false"
}

// own opens the store as its owner, lets prepare add to the node, serves
// ingest and API, says that it is ready, and runs body until that returns.
// Where body draws a screen, screen takes the diagnostics; else it is nil.
func (o *catching) own(ctx context.Context, e *env, forward answer.Options, screen *ring,
	prepare func(context.Context, *node) error, body func(context.Context, *node) error) error {
	diagnostics := e.stderr
	if screen != nil {
		diagnostics = screen
	}
	log, err := o.logger(diagnostics)
	if err != nil {
		return err
	}
	dir, err := o.dir()
	if err != nil {
		return err
	}
	up, err := o.uplink.listener(&o.common, o.token)
	if err != nil {
		return err
	}
	var ingest net.Listener
	if up == nil || o.ingest != localIngest {
		if ingest, err = listen("ingest", o.ingest); err != nil {
			return running(ctx, dir, err)
		}
		defer ingest.Close()
	}
	manage, err := listen("api", o.apiAddr)
	if err != nil {
		return running(ctx, dir, err)
	}
	defer manage.Close()
	if up == nil {
		if err := loopbackOnly(manage, o.token); err != nil {
			return err
		}
	}
	guard, err := answer.ParseAllow(o.allow.Value()...)
	if err != nil {
		return usage("--allow-target %v", err)
	}
	dialects, err := parseDialects(o.dialect.Value())
	if err != nil {
		return err
	}
	guard.Loopback = guard.Loopback || (ingest == nil || onLoopback(ingest)) && onLoopback(manage)
	n, err := openNode(ctx, dir, store.Options{Log: log, Retain: o.retain()}, forward, guard, nil)
	if err != nil {
		return err
	}
	n.api.Dialects = dialects.serve(n.api.Engine)
	n.api.Ready.API = baseURL(manage)
	if ingest != nil {
		n.api.Ready.Ingest = baseURL(ingest)
	}
	if up == nil {
		n.api.Token = o.token
	}
	if ingest != nil {
		if err := n.warnUnsealed(ctx, log); err != nil {
			return errors.Join(err, n.close())
		}
	}
	if err := prepare(ctx, n); err != nil {
		return errors.Join(err, n.close())
	}
	counts, err := n.store.Counts(ctx)
	if err != nil {
		return errors.Join(err, n.close())
	}
	n.began = counts.Seq

	// The body ends first: then webhooks are no longer taken, those taken
	// are answered, and what they led to is kept.
	serving, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	more := []func(context.Context) error{
		func(ctx context.Context) error { return serveAPI(ctx, manage, n.api.Guard(n.api.Handler())) },
		func(serving context.Context) error {
			defer stop()
			ctx, cancel := context.WithCancel(ctx)
			defer cancel()
			defer context.AfterFunc(serving, cancel)()
			if up != nil && !n.reach(ctx, up) {
				return nil // up says why
			}
			rows, err := n.store.EndpointRows(ctx, capture.EndpointQuery{Status: capture.EndpointEnabled, Limit: 1000})
			if err != nil {
				return err
			}
			if err := o.announce(e, n.api.Ready, len(rows), screen != nil); err != nil {
				return err
			}
			return body(ctx, n)
		},
	}
	if ingest != nil {
		in := &relay.Ingest{Keep: n.store.Keep, Plan: n.dispatch.Plan, Route: n.registry.Route, Challenge: n.registry.Challenge,
			Verify: n.registry.Verify, Check: n.registry.Check, Rule: n.rule, Sync: n.ownAnswer, MaxBody: int64(o.maxBody), Log: log}
		more = append(more, func(ctx context.Context) error { return in.Serve(ctx, ingest) })
	}
	if up != nil {
		n.join(up, log, screen != nil)
		more = append(more, up.Run)
	}
	return n.run(serving, more...)
}

// errRunning is returned for listening a second time.
var errRunning = errors.New("hooktape is running already")

// running is errRunning when it is the owner of dir that has the port of
// taken, and else taken.
func running(ctx context.Context, dir string, taken error) error {
	if !errors.Is(taken, syscall.EADDRINUSE) {
		return taken
	}
	c := api.Dial(socketPath(dir))
	defer c.Close()
	s, err := c.Status(ctx)
	if err != nil || s.Ingest == "" {
		return taken
	}
	return fmt.Errorf("%w: it takes webhooks at %s and keeps them in %s", errRunning, s.Ingest, s.Store)
}

// announce says that webhooks are taken: on standard output first of all
// records, for people on standard error, as human puts it, and in the file that
// scripts wait for.
func (o *keeping) announce(e *env, ready capture.Ready, human func() string) error {
	r := capture.NewRecord("ready")
	r.Ready = &ready
	line, err := json.Marshal(r)
	if err != nil {
		return err
	}
	if o.readyFile != "" {
		// Renamed into place, so that whoever waits for it never reads half.
		tmp := filepath.Join(filepath.Dir(o.readyFile), "."+filepath.Base(o.readyFile)+".tmp")
		if err := errors.Join(os.WriteFile(tmp, append(line, '\n'), 0o600), os.Rename(tmp, o.readyFile)); err != nil {
			return fmt.Errorf("--ready-file: %w", err)
		}
	}
	if o.json {
		fmt.Fprintln(e.stdout, string(line))
		return nil
	}
	fmt.Fprint(e.stderr, human())
	return nil
}

func (o *catching) announce(e *env, ready capture.Ready, endpoints int, quiet bool) error {
	return o.keeping.announce(e, ready, func() string {
		if quiet {
			return ""
		}
		to := strings.Join(ready.Targets, ", ")
		if endpoints > 0 {
			to = strings.TrimPrefix(to+" and ", " and ") + fmt.Sprintf("the endpoints that are registered (%d)", endpoints)
		}
		where := fmt.Sprintf("%s, or %s/in/APP for an app of their own", ready.Ingest, ready.Ingest)
		if ready.Relay != "" {
			where = ready.Ingest + ", at the relay " + ready.Relay
		}
		return fmt.Sprintf("Ready. Send webhooks to %s (^C ends)\n  forwarded to %s, kept in %s\n", where, cmp.Or(to, "nobody"), ready.Store)
	})
}

// loopbackOnly refuses to manage strangers' requests without a token.
func loopbackOnly(l net.Listener, token string) error {
	if token != "" || onLoopback(l) {
		return nil
	}
	return usage("--api %s can be reached from other machines: set a token with --token or $HOOKTAPE_TOKEN", l.Addr())
}

// onLoopback reports whether only this machine reaches l.
func onLoopback(l net.Listener) bool {
	addr, ok := l.Addr().(*net.TCPAddr)
	return ok && addr.IP.IsLoopback()
}

// explain says where the newest kinds of requests would go.
func (o *listenOptions) explain(e *env, f answer.Options, targets []string) error {
	for _, arg := range targets {
		t, err := answer.ParseTarget(arg)
		if err != nil {
			return err
		}
		f := answer.Forward{Target: t, Options: f}
		for _, target := range []string{"/", "/hooks/github?a=1"} {
			ev := &capture.Event{Method: "POST", Target: capture.Raw(target), Headers: capture.Headers{{"Host", "hooks.example"}}}
			r := f.Request(ev, nil, &capture.Attempt{Number: 1})
			when := "everything"
			if t.Filter != "" {
				when = t.Filter
			}
			fmt.Fprintf(e.stdout, "%s: POST %s goes to %s with Host %s\n", when, target, f.URL(string(r.Target)), r.Headers.First("Host"))
		}
	}
	return nil
}
