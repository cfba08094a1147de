package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"code.hooktape.dev/hooktape/relay/tunnel"
)

// tunnel goes the way of a listener, and looks how that bears it.
func (c *checkup) tunnel(ctx context.Context) bool {
	p := &tunnel.Probe{URL: c.url.String(), Token: c.token, Version: version(), Proxy: c.proxy, Roots: c.roots}
	began := time.Now()
	card, err := p.Open(ctx)
	if err != nil {
		c.tell("tunnel", noTunnel(err), "")
		return false
	}
	defer p.Close()
	c.tell("tunnel", nil, fmt.Sprintf("a websocket opens, in %s", brief(time.Since(began))))
	c.ingest(ctx, card)
	if c.pings(ctx, p) && c.idle > 0 {
		c.silence(ctx, p, min(c.beat, time.Duration(card.Beat)))
	}
	return true
}

// noTunnel says what it may be that lets no websocket through.
func noTunnel(err error) error {
	const letThrough = "A proxy in front of the relay lets no websockets through. nginx wants: proxy_http_version 1.1; " +
		`proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "upgrade"; ` +
		"Caddy wants no more than: reverse_proxy 127.0.0.1:8080; Apache: ProxyPass / http://127.0.0.1:8080/ upgrade=websocket"
	var no *tunnel.NoUpgrade
	if !errors.As(err, &no) {
		return broken(exitUnreachable, letThrough, "%w", err)
	}
	switch no.Status {
	case http.StatusUnauthorized, http.StatusForbidden:
		return broken(exitAuth, "Something between may ask for a login of its own.", "%w", err)
	case http.StatusNotFound:
		return broken(exitFailed, "Run hooktape relay there, and have the proxy in front pass on /connect.", "nobody can listen there: %w", err)
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		return broken(exitFailed, "Try again in a moment.", "%w", err)
	}
	return broken(exitFailed, letThrough, "%w", err)
}

// pings measures five round trips.
func (c *checkup) pings(ctx context.Context, p *tunnel.Probe) bool {
	trips := make([]time.Duration, 5)
	for i := range trips {
		var err error
		if trips[i], err = p.Ping(ctx); err != nil {
			c.tell("ping", broken(exitUnreachable, "The websocket opens and then carries nothing: a proxy holds back what it should pass on at once.", "%w", err), "")
			return false
		}
	}
	slices.Sort(trips)
	c.tell("ping", nil, fmt.Sprintf("%s at best, median %s of %d", brief(trips[0]), brief(trips[len(trips)/2]), len(trips)))
	return true
}

// silence finds out whether something between cuts what is silent, and whether
// the beat of listeners keeps it from that.
func (c *checkup) silence(ctx context.Context, p *tunnel.Probe, beat time.Duration) {
	lasted, err := p.Silence(ctx, c.idle)
	found := fmt.Sprintf("cut after %s of silence", brief(lasted))
	switch {
	case ctx.Err() != nil:
	case err == nil:
		c.tell("idle", nil, fmt.Sprintf("still there after %s of silence", c.idle))
	case !errors.Is(err, tunnel.ErrCut):
		c.tell("idle", err, "")
	case lasted > beat:
		c.note("idle", found, fmt.Sprintf("It does no harm: who listens is never silent for longer than its heartbeat, %s.", beat))
	default:
		c.tell("idle", broken(exitFailed, "Listen with a shorter --heartbeat, or have the proxy between wait longer: proxy_read_timeout 90s in nginx.",
			"%s, and the heartbeat is %s", found, beat), "")
	}
}

// ingest asks whether the address that providers send to can be reached from
// here.
func (c *checkup) ingest(ctx context.Context, card tunnel.Card) {
	at := card.Ingest
	if strings.HasPrefix(at, "/") {
		at = c.url.String() + at
	}
	base, _, _ := strings.Cut(at, "/in/")
	req, err := http.NewRequestWithContext(ctx, "GET", base+"/healthz", nil)
	if err == nil {
		var res *http.Response
		if res, err = c.http.Do(req); err == nil {
			if res.Body.Close(); res.StatusCode != http.StatusOK {
				err = fmt.Errorf("%s/healthz answers %s", base, res.Status)
			}
		}
	}
	if err != nil {
		err = broken(exitFailed, "That is where providers send to: is --url or --domain of hooktape relay right?", "%s: %w", at, err)
	}
	c.tell("webhooks", err, fmt.Sprintf("those of the app %s are taken at %s", card.App, at))
}
