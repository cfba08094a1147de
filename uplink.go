package main

import (
	"context"
	"log/slog"
	"os"
	"os/user"
	"strings"
	"sync"
	"time"

	"github.com/urfave/cli/v2"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/match"
	"code.hooktape.dev/hooktape/relay/api"
	"code.hooktape.dev/hooktape/relay/tunnel"
	"code.hooktape.dev/hooktape/tui"
)

// uplink are the flags of commands that may get webhooks from a relay.
type uplink struct {
	name, only, catchUp string
	of                  string // the app
	identity            string // file of keys
	beat                spanFlag
}

func (o *uplink) flags(c *common) []cli.Flag {
	o.beat = spanFlag(tunnel.Beat)
	return []cli.Flag{
		&cli.StringFlag{Name: "relay", Usage: "take webhooks from the relay at `URL`, with --token to show there; off: not from the one of hooktape login", Destination: &c.relay},
		&cli.StringFlag{Name: "name", Usage: "be called `NAME` by others who listen", DefaultText: "user@host", Destination: &o.name},
		&cli.StringFlag{Name: "only", Usage: "claim what matches `EXPR` at the relay: nobody else gets that, and nothing else comes here", Destination: &o.only},
		&cli.StringFlag{Name: "catch-up", Usage: "deliver `WHAT` of the events that came while nobody was here: all, failed, last=N or none; all are kept", DefaultText: "all", Destination: &o.catchUp},
		identityFlag(&o.identity, "open sealed webhooks with the keys in `FILE`"),
		&cli.GenericFlag{Name: "heartbeat", Usage: "prove every `TIME` that the relay is there", Value: &o.beat},
	}
}

// listener is the listening end of the tunnel that is asked for; nil when none
// is.
func (o *uplink) listener(c *common, token string) (*tunnel.Listener, error) {
	if !c.far() {
		for flag, v := range map[string]string{"--only": o.only, "--catch-up": o.catchUp, "--identity": o.identity} {
			if v != "" {
				return nil, usage("%s is about a relay: name one with --relay URL", flag)
			}
		}
		return nil, nil
	}
	if err := c.checkRelay(); err != nil {
		return nil, err
	}
	if _, err := match.Parse(o.only); err != nil {
		return nil, err
	}
	if time.Duration(o.beat) < 100*time.Millisecond {
		return nil, usage("--heartbeat %s: want 100ms or more", &o.beat)
	}
	l := &tunnel.Listener{URL: strings.TrimRight(c.relay, "/"), Token: token, App: or(o.of, capture.DefaultApp),
		Name: or(o.name, whoAndWhere()), Only: o.only, Version: version(), Beat: time.Duration(o.beat)}
	keys, err := readKeys(c, o.identity)
	if err != nil {
		return nil, err
	}
	l.Keys = keys
	if o.catchUp != "" {
		how, err := capture.ParseCatchUp(o.catchUp)
		if err != nil {
			return nil, usage("--catch-up %v", err)
		}
		l.CatchUp = &how
	}
	return l, nil
}

// whoAndWhere names a listener whose user gave it no name.
func whoAndWhere() string {
	name, host := "somebody", "somewhere"
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	if h, err := os.Hostname(); err == nil {
		host = h
	}
	return name + "@" + host
}

// join makes the node what a listener keeps events in and delivers them with.
// Where a screen is drawn, that shows the link, and asks how to catch up.
func (n *node) join(up *tunnel.Listener, log *slog.Logger, screen bool) {
	if screen {
		n.shown = tui.NewUplink(up.Link)
		up.Changed, up.Ask = n.shown.Changed, n.shown.Ask
	}
	up.Tape, up.Hands, up.Log, up.Tell, up.Verify = n.store, n.dispatch, log, n.news.tell, n.registry.Verify
	n.uplink = up
}

// reach waits until the listener has reached its relay for the first time.
func (n *node) reach(ctx context.Context, up *tunnel.Listener) bool {
	select {
	case <-up.Ready():
	case <-ctx.Done():
		return false
	}
	link := up.Link()
	n.api.Ready.Ingest, n.api.Ready.Relay, n.api.Ready.Listener = link.Ingest, up.URL, up.Seat()
	return true
}

// ownAnswer keeps an event, and has who listens here answer it.
func (n *node) ownAnswer(ctx context.Context, c *capture.Change) (*capture.Response, error) {
	var failed error
	a := n.dispatch.Serve(ctx, c, func(err error) { failed = err })
	if failed != nil || a == nil {
		return nil, failed
	}
	return a.Response, nil
}

// news are the records that are no facts: of the link to a relay.
type news struct {
	mu   sync.Mutex                 // guards the fields below, and calls of each
	each func(capture.Record) error // nil: nobody reads
}

func (n *news) tell(r capture.Record) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.each != nil {
		n.each(r) // whoever writes the facts finds out what is wrong with it
	}
}

// follow calls each with the record of every fact since the process began to
// serve, and of everything there is to tell between, one at a time.
func (n *node) follow(ctx context.Context, each func(capture.Record) error) error {
	n.news.mu.Lock()
	n.news.each = each
	n.news.mu.Unlock()
	return api.Follow(ctx, n.store, n.began, everything(), "", func(r capture.Record) error {
		n.news.mu.Lock()
		defer n.news.mu.Unlock()
		return each(r)
	})
}
