package answer

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"code.hooktape.dev/hooktape/capture"
)

const maxRedirects = 5

// follow sends r to p and on to where the answers say. Headers of the given
// names are for p alone: once the redirects have left it they are gone for
// good. With an error comes the last answer there was.
func (p peer) follow(ctx context.Context, r *capture.Request, own []string, t *capture.Timing) (last *capture.Response, err error) {
	for hop := 0; ; hop++ {
		res, err := p.roundTrip(ctx, r, nil, t)
		if res != nil {
			last = res
		}
		if err != nil && hop > 0 {
			return last, fmt.Errorf("redirected to %s: %w", p.Scheme+"://"+p.Host, err)
		}
		if err != nil || !redirects(res) {
			return last, err
		}
		if hop == maxRedirects {
			return last, errProtocol{fmt.Errorf("redirected more than %d times, the last time by %s", maxRedirects, p.Scheme+"://"+p.Host)}
		}
		to, err := p.redirected(r, res.Headers.First("Location"))
		if err != nil {
			return last, errProtocol{err}
		}
		r = again(r, res.Status, to)
		if !p.trusts(to) {
			r.Headers = r.Headers.Without(own...)
		}
		if to.Scheme != p.Scheme || to.address() != p.address() {
			p.pool = new(pool)
			defer p.pool.close()
		}
		p.Target = to
	}
}

// redirects reports whether res says where else to ask.
func redirects(res *capture.Response) bool {
	return slices.Contains([]int{301, 302, 303, 307, 308}, res.Status) && res.Headers.First("Location") != ""
}

// redirected is the target that a Location names, relative to the request.
func (p peer) redirected(r *capture.Request, location string) (Target, error) {
	from, err := url.Parse(p.at(string(r.Target)))
	if err != nil {
		return Target{}, errors.New("redirected from what is no URL")
	}
	u, err := from.Parse(location)
	if err != nil {
		return Target{}, errors.New("redirected to what is no URL")
	}
	if u.User != nil {
		return Target{}, errors.New("redirected to a URL with a user")
	}
	t, ok := parseHTTP(u.String())
	if !ok {
		return t, errors.New("redirected to what is no http or https URL")
	}
	return t, nil
}

// again is r as it is sent to where an answer pointed: 307 and 308 repeat it,
// and the others ask for what is there (RFC 9110 §15.4).
func again(r *capture.Request, status int, to Target) *capture.Request {
	next := &capture.Request{Method: r.Method, Target: capture.Raw(PathMode{replace: true}.join(to.Path, "/")), Body: r.Body}
	next.Headers = slices.Clone(r.Headers)
	if status < http.StatusTemporaryRedirect {
		next.Method, next.Body = http.MethodGet, nil
		next.Headers = next.Headers.Without("Content-Type", "Content-Length")
	}
	for i, h := range next.Headers {
		if h[0] == "Host" {
			next.Headers[i][1] = to.Host
		}
	}
	return next
}

// trusts reports whether p and to are one host: what is meant for p's eyes may
// be sent there. An upgrade to https on the usual ports leaves it the same.
func (p peer) trusts(to Target) bool {
	here, there := strings.ToLower(p.address()), strings.ToLower(to.address())
	if p.Scheme == to.Scheme {
		return here == there
	}
	host, plain := strings.CutSuffix(here, ":80")
	return p.Scheme == "http" && plain && there == host+":443"
}
