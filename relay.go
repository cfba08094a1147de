package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/relay"
	"code.hooktape.dev/hooktape/relay/answer"
	"code.hooktape.dev/hooktape/relay/api"
	"code.hooktape.dev/hooktape/relay/front"
	"code.hooktape.dev/hooktape/relay/tunnel"
	"code.hooktape.dev/hooktape/store"
)

// relayOptions are how a relay meets the public.
type relayOptions struct {
	keeping
	listen, public    string
	domains, proxies  cli.StringSlice
	wildcard          bool
	email, ca, caRoot string
	httpListen        string
	cert, key         string
	sourceRate        rateFlag
	keyRate           rateFlag
	connections       int
	beat              spanFlag

	first string // the token that the first start makes
}

// rateFlag is how often something may happen: 10/s, 600/m, 10/s+50.
type rateFlag struct{ front.Rate }

func (r *rateFlag) Set(v string) (err error) {
	r.Rate, err = front.ParseRate(v)
	return err
}

func (r *rateFlag) String() string { return "" }

func relayCommand(e *env) *cli.Command {
	o := &relayOptions{beat: spanFlag(tunnel.Beat)}
	return &cli.Command{
		Name:  "relay",
		Usage: "take webhooks at a public address for those who listen elsewhere",
		Description: "Webhooks are taken at /in/KEY/…, one KEY an app; hooktape listen --relay connects at /connect;\n" +
			"the management API and the rest of it need a token. The first start makes one, and shows it this once.",
		Flags: append(o.keeping.flags(),
			&cli.StringFlag{Name: "listen", Usage: "serve everything at `ADDR`", DefaultText: ":8080, or :443 with --domain", Destination: &o.listen},
			&cli.StringFlag{Name: "url", Usage: "be called `URL` by others, where a proxy in front has another address", Destination: &o.public},
			&cli.StringSliceFlag{Name: "domain", Usage: "get certificates for `NAME` by ACME; repeatable", Destination: &o.domains},
			&cli.StringFlag{Name: "acme-email", Usage: "tell the certificate authority `ADDRESS`, for what concerns the certificates", Destination: &o.email},
			&cli.StringFlag{Name: "acme-ca", Usage: "get certificates from the ACME directory at `URL`", DefaultText: "Let's Encrypt", Destination: &o.ca},
			&cli.StringFlag{Name: "acme-root", Usage: "believe the authority in `FILE` when talking to --acme-ca", Destination: &o.caRoot},
			&cli.StringFlag{Name: "http-listen", Usage: "answer ACME's challenges and redirect browsers at `ADDR`; off: do not", DefaultText: ":80 with --domain", Destination: &o.httpListen},
			&cli.StringFlag{Name: "tls-cert", Usage: "serve TLS with the certificates in `FILE`; it is read again when it changes", Destination: &o.cert},
			&cli.StringFlag{Name: "tls-key", Usage: "the key of --tls-cert is in `FILE`", Destination: &o.key},
			&cli.BoolFlag{Name: "wildcard", Usage: "also take webhooks at KEY.NAME, for each --domain NAME or the host of --url; write the key's _ as -", Destination: &o.wildcard},
			&cli.StringSliceFlag{Name: "trusted-proxy", Usage: "believe what a proxy at `ADDRESSES` says of who calls: loopback, private or a network; repeatable", Destination: &o.proxies},
			&cli.GenericFlag{Name: "source-rate", Usage: "take webhooks from an address no faster than `RATE`, such as 100/s or 600/m+50", DefaultText: "no limit", Value: &o.sourceRate},
			&cli.GenericFlag{Name: "key-rate", Usage: "take webhooks for an ingest key no faster than `RATE`", DefaultText: "no limit", Value: &o.keyRate},
			&cli.IntFlag{Name: "max-connections", Usage: "hold no more than `N` connections", Value: 16384, Destination: &o.connections},
			&cli.GenericFlag{Name: "heartbeat", Usage: "have listeners prove every `TIME` that they are there", Value: &o.beat},
		),
		Action: func(c *cli.Context) error { return o.run(c.Context, e) },
	}
}

func (o *relayOptions) run(ctx context.Context, e *env) error {
	if o.beat < spanFlag(100*time.Millisecond) {
		return usage("--heartbeat %s: want 100ms or more", &o.beat)
	}
	log, err := o.logger(e.stderr)
	if err != nil {
		return err
	}
	dir, err := o.dir()
	if err != nil {
		return err
	}
	proxies, err := front.ParseProxies(o.proxies.Value()...)
	if err != nil {
		return usage("--trusted-proxy %v", err)
	}
	guard, err := answer.ParseAllow(o.allow.Value()...)
	if err != nil {
		return usage("--allow-target %v", err)
	}
	dialects, err := parseDialects(o.dialect.Value())
	if err != nil {
		return err
	}
	l, err := o.open(dir, log)
	if err != nil {
		return err
	}
	defer l.Close()
	hub := &tunnel.Hub{Beat: time.Duration(o.beat), Version: version(), Logger: log}
	n, err := openNode(ctx, dir, store.Options{Log: log, Retain: o.retain(), Kept: hub.Kept}, answer.Options{}, guard, hub)
	if err != nil {
		return err
	}
	if err := o.prepare(ctx, n, hub, l); err != nil {
		return errors.Join(err, n.close())
	}
	in := &relay.Ingest{
		Keep: n.store.Keep, Plan: n.dispatch.Plan, Route: n.registry.RouteKey, Challenge: n.registry.Challenge,
		Verify: n.registry.Verify, Check: n.registry.Check, Rule: n.rule, Claim: hub.Claim, SealTo: n.registry.SealTo, Sync: n.farAnswer(hub), MaxBody: int64(o.maxBody), Log: log,
	}
	if o.wildcard {
		in.Host = o.keyIn
	}
	limit := &front.Limit{Source: o.sourceRate.Rate, Key: o.keyRate.Rate}
	n.api.Dialects = dialects.serve(n.api.Engine)
	n.api.Gauges = l.gauges(hub, limit)
	proxies.Scheme = l.scheme
	handler := proxies.Handler(public(in, limit.Handler(in), n.api.Guard(hub), n.api.Guard(n.api.Handler())))

	// The hub ends first: listeners are told to come back while webhooks that
	// are on their way are still taken.
	serving, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	more := []func(context.Context) error{
		func(ctx context.Context) error { return in.ServeBeside(ctx, l, handler) },
		func(serving context.Context) error {
			defer stop()
			ctx, cancel := context.WithCancel(ctx)
			defer cancel()
			defer context.AfterFunc(serving, cancel)()
			if err := o.announce(e, n.api.Ready); err != nil {
				return err
			}
			return hub.Run(ctx)
		},
	}
	if l.acme != nil {
		more = append(more, l.acme.Run)
	}
	return cmp.Or(n.run(serving, more...), e.ended())
}

// public sends every request to who answers it. A ServeMux would not do: it
// mends paths, and senders' paths are theirs.
func public(in *relay.Ingest, ingest, tunnel, manage http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasPrefix(r.URL.Path, "/in/"), in.Host != nil && in.Host(r.Host) != "":
			ingest.ServeHTTP(w, r)
		case r.URL.Path == "/connect":
			tunnel.ServeHTTP(w, r)
		default:
			manage.ServeHTTP(w, r)
		}
	})
}

// prepare joins the hub to the node, and makes the first token where there is
// none.
func (o *relayOptions) prepare(ctx context.Context, n *node, hub *tunnel.Hub, l *publicListener) error {
	hub.Log, hub.Roster = n.store, n.store
	hub.Admit = func(_ http.ResponseWriter, r *http.Request) (tunnel.Pass, bool) {
		t := api.Bearer(r) // Guard stands in front
		return tunnel.Pass{Token: t.ID, App: t.App, Expires: t.Expires}, true
	}
	base, known := o.base(l)
	hub.Ingest = func(ctx context.Context, app string) (string, error) {
		key, err := n.registry.IngestKey(ctx, app)
		if err != nil || !known {
			return "/in/" + key, err
		}
		return base + "/in/" + key, nil
	}
	n.api.Ingest = func(ctx context.Context, app string) (string, error) {
		key, err := n.registry.IngestKey(ctx, app)
		return base + "/in/" + key, err
	}
	if err := hub.Recall(ctx); err != nil {
		return err
	}
	key, err := n.registry.IngestKey(ctx, capture.DefaultApp)
	if err != nil {
		return err
	}
	n.api.Public, n.api.Token, n.api.Listeners = true, o.token, hub
	n.api.Busy = func() error {
		if hub.Draining() {
			return errors.New("it is about to end")
		}
		return n.store.Writable(ctx)
	}
	n.api.Ready.Ingest, n.api.Ready.API = base+"/in/"+key, base
	tokens, err := n.registry.Tokens(ctx)
	if err != nil || len(tokens) > 0 || o.token != "" {
		return err
	}
	_, o.first, err = n.registry.CreateToken(ctx, capture.TokenSpec{Name: "first start", Scope: capture.ScopeManage})
	return err
}

// base is the URL that others call the relay by, and whether that is known for
// sure: else a listener knows better at what address it has found it.
func (o *relayOptions) base(l *publicListener) (url string, known bool) {
	switch {
	case o.public != "":
		return strings.TrimSuffix(o.public, "/"), true
	case len(o.domains.Value()) > 0:
		url = "https://" + o.domains.Value()[0]
		if _, port, err := net.SplitHostPort(l.Addr().String()); err == nil && port != "443" {
			url += ":" + port
		}
		return url, true
	}
	return strings.Replace(baseURL(l), "http://", l.scheme+"://", 1), false
}

// keyIn is the ingest key that a host names: ik-… below one of ours. A host
// has no _, which keys begin with.
func (o *relayOptions) keyIn(host string) string {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	label, rest, ok := strings.Cut(strings.ToLower(host), ".")
	if key, is := strings.CutPrefix(label, "ik-"); ok && is && o.names(rest) {
		return "ik_" + key
	}
	return ""
}

func (o *relayOptions) names(host string) bool {
	u, err := url.Parse(o.public)
	return slices.Contains(o.domains.Value(), host) || o.public != "" && err == nil && u.Hostname() == host
}

// announce says that the relay serves, and shows the first token.
func (o *relayOptions) announce(e *env, ready capture.Ready) error {
	ready.Token = o.first
	return o.keeping.announce(e, ready, func() string {
		s := fmt.Sprintf("Ready. Webhooks are taken at %s and kept in %s (^C ends)\n", ready.Ingest, ready.Store)
		if ready.Token == "" {
			return s + fmt.Sprintf("  listen to them anywhere with: hooktape listen 3000 --relay %s --token TOKEN\n", ready.API)
		}
		return s + fmt.Sprintf("  listen to them anywhere with: hooktape listen 3000 --relay %s --token %s\n", ready.API, ready.Token) +
			"  This token may do everything, and is shown this once. hooktape tokens create makes others.\n"
	})
}

// farAnswer keeps an event, and has who listens through the hub answer it.
func (n *node) farAnswer(hub *tunnel.Hub) func(context.Context, *capture.Change) (*capture.Response, error) {
	return func(ctx context.Context, c *capture.Change) (*capture.Response, error) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		wait, nobody := hub.Await(ctx, c.Event)
		err := n.store.Keep(context.WithoutCancel(ctx), c)
		if nobody != nil {
			return nil, err
		}
		if err != nil {
			cancel() // then nobody is waited for
		}
		a, late := wait()
		if err != nil || late != nil {
			return nil, err
		}
		return a.Response, nil
	}
}

// publicListener is the address of a relay, with what stands behind it.
type publicListener struct {
	net.Listener
	scheme string
	conns  *front.Conns
	acme   *front.ACME // nil: certificates are files, or there are none
}

// open takes the address, with TLS if that is asked for.
func (o *relayOptions) open(dir string, log *slog.Logger) (l *publicListener, err error) {
	domains := o.domains.Value()
	switch {
	case (o.cert == "") != (o.key == ""):
		return nil, usage("--tls-cert and --tls-key go together")
	case o.cert != "" && len(domains) > 0:
		return nil, usage("--domain gets certificates, and --tls-cert has them: give one of the two")
	case o.connections < 1:
		return nil, usage("--max-connections %d: want 1 or more", o.connections)
	}
	addr := cmp.Or(o.listen, ":8080")
	if o.listen == "" && len(domains) > 0 {
		addr = ":443"
	}
	l = &publicListener{scheme: "http"}
	tcp, err := listen("listen", addr)
	if err != nil {
		return nil, err
	}
	l.conns = &front.Conns{Listener: tcp, Max: o.connections}
	l.Listener = l.conns
	defer func() {
		if err != nil {
			tcp.Close()
		}
	}()
	switch {
	case o.cert != "":
		files, err := front.OpenFiles(o.cert, o.key, log)
		if err != nil {
			return nil, exitError{exitUsage, err}
		}
		l.Listener, l.scheme = files.Listener(l.conns), "https"
	case len(domains) > 0:
		l.scheme = "https"
		l.acme = &front.ACME{Domains: domains, Email: o.email, Storage: filepath.Join(dir, "acme"), CA: o.ca, CARoot: o.caRoot, Log: log}
		if o.httpListen != "off" {
			if l.acme.HTTP, err = listen("http-listen", cmp.Or(o.httpListen, ":80")); err != nil {
				return nil, err
			}
		}
		if l.Listener, err = l.acme.Listener(l.conns); err != nil {
			return nil, err
		}
	}
	return l, nil
}

func (l *publicListener) gauges(hub *tunnel.Hub, limit *front.Limit) []api.Gauge {
	refused := func() float64 {
		source, key := limit.Refused()
		return float64(source + key)
	}
	return []api.Gauge{
		{Name: "hooktape_listeners", Help: "Listeners that are connected.", Read: func() float64 { return float64(hub.Connected()) }},
		{Name: "hooktape_connections", Help: "Connections that are open.", Read: func() float64 { return float64(l.conns.Open()) }},
		{Name: "hooktape_connections_refused_total", Help: "Connections refused because of --max-connections.", Read: func() float64 { return float64(l.conns.Refused()) }},
		{Name: "hooktape_rate_limited_total", Help: "Webhooks refused because of --source-rate or --key-rate.", Read: refused},
	}
}
