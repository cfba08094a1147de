package main

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/relay"
	"code.hooktape.dev/hooktape/relay/answer"
	"code.hooktape.dev/hooktape/relay/api"
	"code.hooktape.dev/hooktape/relay/dispatch"
	"code.hooktape.dev/hooktape/relay/rules"
	"code.hooktape.dev/hooktape/relay/tunnel"
	"code.hooktape.dev/hooktape/store"
	"code.hooktape.dev/hooktape/tui"
)

// node is the process that owns a data directory: the store, the dispatcher
// over it, and the API by which every other command on this machine finds
// them.
type node struct {
	store    *store.Store
	dispatch *dispatch.Dispatcher
	registry *relay.Registry
	replays  *relay.Replays
	book     *book
	api      *api.Server
	socket   net.Listener
	news     news
	uplink   *tunnel.Listener // nil: webhooks come here
	shown    *tui.Uplink      // what the screen hears of it; nil: there is no screen, or no link
	began    uint64           // the store's sequence when the process began to serve
}

// close gives the directory up before run was called.
func (n *node) close() error { return errors.Join(n.socket.Close(), n.store.Close()) }

// openNode takes ownership of dir. It fails with store.ErrLocked when another
// process has it. forward is how listeners are sent to; guard keeps registered
// endpoints from addresses they may not reach.
// hub has the tunnels of a relay, and is nil elsewhere.
func openNode(ctx context.Context, dir string, o store.Options, forward answer.Options, guard *answer.Guard, hub *tunnel.Hub) (*node, error) {
	book, err := openBook(cmp.Or(o.Log, slog.Default()))
	if err != nil {
		return nil, err
	}
	s, err := store.Open(dir, o)
	if err != nil {
		return nil, err
	}
	socket, err := listenUnix(socketPath(dir))
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	n := &node{store: s, socket: socket, book: book}
	n.dispatch = &dispatch.Dispatcher{Store: s, History: s, Log: o.Log}
	hooks := relay.Hooks{
		Plan: n.dispatch.Plan, Resend: n.dispatch.Resend, Target: n.dispatch.Target, Changed: n.dispatch.Put,
		Secrets: book.Secrets, Rules: book,
		Check: func(e capture.EndpointSpec) error {
			if err := guard.URL(e.URL); err != nil {
				return err
			}
			return answer.CheckHeaders(e.Headers)
		},
	}
	if hub != nil {
		hooks.Ended = hub.Cut
	}
	n.registry, err = relay.NewRegistry(ctx, s, hooks)
	if err != nil {
		return nil, errors.Join(err, n.close())
	}
	n.dispatch.Delivers, n.dispatch.Disable, n.dispatch.Follow = n.registry.Delivers, n.registry.Disable, n.registry.Follow
	n.dispatch.Open = func(e capture.Endpoint) (dispatch.Sender, error) {
		if e.Trigger() {
			return &answer.Trigger{Of: n.registry.FiredBy, Guard: guard}, nil
		}
		s, err := n.sender(e, forward, guard, hub)
		if err != nil {
			return nil, err
		}
		stamped := n.registry.Stamped(s, func(ev *capture.Event) bool { return answer.AsCaught(&e, ev) })
		return &rules.Sender{Deliverer: stamped, Rules: book.Set, Timeout: cmp.Or(time.Duration(e.Timeout), forward.Timeout, 30*time.Second)}, nil
	}
	n.replays = relay.NewReplays(relay.Again{Deliveries: s.Deliveries, Delivery: s.Delivery, Resend: n.dispatch.Resend, Log: cmp.Or(o.Log, slog.Default())})
	n.api = &api.Server{Source: s, Registry: n.registry, Resend: n.dispatch.Resend, Replays: n.replays, Version: version(), Ready: capture.Ready{Store: dir, Targets: []string{}}}
	return n, nil
}

// sender is who makes attempts at an endpoint.
func (n *node) sender(e capture.Endpoint, forward answer.Options, guard *answer.Guard, hub *tunnel.Hub) (relay.Sender, error) {
	switch {
	case e.Of != "" && hub != nil:
		return tunnel.Sender{Hub: hub, Endpoint: e}, nil
	case e.Of != "":
		return nil, fmt.Errorf("%s is reached through a relay that runs: %w", e.URL, capture.ErrBadTarget)
	}
	if e.Status != "" {
		return &answer.Delivery{Endpoint: e, Guard: guard, AppKeys: func() []string { return n.registry.Keys(e.App) }}, nil
	}
	target, err := answer.ParseTarget(e.URL)
	if err != nil {
		return nil, err
	}
	if target.Filter != "" {
		return nil, fmt.Errorf("%q: %w: a route can be given to listen only", e.URL, capture.ErrBadTarget)
	}
	to := &answer.Forward{Target: target, Options: forward}
	if !e.Listener && !guard.Loopback { // a URL given by hand, and maybe from afar
		to.Guard = guard
	}
	return to, nil
}

// run serves until ctx is done: the socket, whatever else is given, and the
// dispatcher. It closes the store.
func (n *node) run(ctx context.Context, more ...func(context.Context) error) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return n.dispatch.Run(ctx) })
	g.Go(func() error { return n.replays.Run(ctx) })
	g.Go(func() error { return n.book.watch(ctx) })
	g.Go(func() error { return serveAPI(ctx, n.socket, n.api.Handler()) })
	for _, f := range more {
		g.Go(func() error { return f(ctx) })
	}
	err := g.Wait()
	return errors.Join(err, n.store.Close())
}

func serveAPI(ctx context.Context, l net.Listener, h http.Handler) error {
	return relay.Serve(ctx, &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: time.Minute,
		BaseContext: func(net.Listener) context.Context { return ctx }}, l)
}

// rule is what a rule has an event's sender told; see relay.Ingest.
func (n *node) rule(e *capture.Event, body []byte) (http.Handler, capture.ID, bool) {
	act, ok := n.book.Ingest(e, body)
	if !ok {
		return nil, "", false
	}
	return act, act.Rule, true
}

// socketPath is where the owner of dir is found: in dir, or where the
// system's limit on the length of a socket's name forbids that, at a place
// for temporary files that both sides can compute.
func socketPath(dir string) string {
	path := filepath.Join(dir, "hooktape.sock")
	if len(path) > 100 {
		return filepath.Join(os.TempDir(), fmt.Sprintf("hooktape-%x", sha256.Sum256([]byte(dir)))[:25], "sock")
	}
	return path
}

// listenUnix listens on a socket that only this user may use. What a killed
// owner left there is removed: the store's lock says that no other lives.
func listenUnix(path string) (net.Listener, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, err
	}
	return l, os.Chmod(path, 0o600)
}

// connect finds the owner of the store, or becomes it for as long as the
// command runs. With --relay it is whoever is there. The caller calls done in the end.
func connect(ctx context.Context, e *env, o *common, forward answer.Options) (c *api.Client, done func() error, err error) {
	if o.far() {
		if err := o.checkRelay(); err != nil {
			return nil, nil, err
		}
		c = api.DialURL(o.relay, o.bearer)
		return c, func() error { c.Close(); return nil }, nil
	}
	dir, err := o.dir()
	if err != nil {
		return nil, nil, err
	}
	log, err := o.logger(e.stderr)
	if err != nil {
		return nil, nil, err
	}
	c = api.Dial(socketPath(dir))
	// An owner may be just starting or just ending: neither lasts long.
	for deadline := time.Now().Add(3 * time.Second); ; {
		if _, err := c.Status(ctx); err == nil {
			return c, func() error { c.Close(); return nil }, nil
		}
		n, err := openNode(ctx, dir, store.Options{Log: log}, forward, &answer.Guard{Loopback: true}, nil)
		if err == nil {
			n.dispatch.ByHand = true
			return c, n.serve(ctx, c), nil
		}
		if !errors.Is(err, store.ErrLocked) || time.Now().After(deadline) {
			return nil, nil, err
		}
		select {
		case <-ctx.Done():
			return nil, nil, ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// serve runs the node beside a command; what it returns ends it.
func (n *node) serve(ctx context.Context, c *api.Client) (done func() error) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan error, 1)
	go func() { ended <- n.run(ctx) }()
	return func() error {
		c.Close()
		cancel()
		return <-ended
	}
}

// listen opens a TCP address. The error for one that is taken says which.
func listen(flag, addr string) (net.Listener, error) {
	l, err := net.Listen("tcp", addr)
	if bad := new(net.AddrError); errors.As(err, &bad) {
		return nil, usage("--%s %s: %s: want HOST:PORT, such as 127.0.0.1:4080", flag, addr, bad.Err)
	}
	if err != nil {
		return nil, fmt.Errorf("--%s %s: %w", flag, addr, err)
	}
	return l, nil
}

// baseURL is how a listener is reached from this machine.
func baseURL(l net.Listener) string {
	host, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		return "http://" + l.Addr().String()
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return "http://" + net.JoinHostPort(host, port)
}

// targets adds what `hooktape listen` was given as endpoints of the store.
func (n *node) targets(ctx context.Context, args []string, app, filter string) error {
	for _, arg := range args {
		t, err := answer.ParseTarget(arg)
		if err != nil {
			return err
		}
		expr := t.Filter
		t.Filter = ""
		if expr != "" && filter != "" {
			expr = "(" + expr + ") (" + filter + ")"
		} else {
			expr += filter
		}
		e, err := n.store.Endpoint(ctx, capture.Endpoint{App: app, Listener: true, EndpointSpec: capture.EndpointSpec{URL: t.String(), Filter: strings.TrimSpace(expr)}})
		if err != nil {
			return err
		}
		if err := n.dispatch.Add(e); err != nil {
			return err
		}
		n.api.Ready.Targets = append(n.api.Ready.Targets, e.URL)
	}
	return nil
}
