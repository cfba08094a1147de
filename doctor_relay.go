package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"code.hooktape.dev/hooktape/capture"
)

// checkup looks at the way to a relay, a step after the other: each needs
// those before it.
type checkup struct {
	*doctor
	url   *url.URL
	token string
	beat  time.Duration                         // of who listens here
	idle  time.Duration                         // how long the connection is to be silent; 0: it is not tried
	proxy func(*http.Request) (*url.URL, error) // nil: none is used
	roots *x509.CertPool                        // nil: the system's

	via   *url.URL // the proxy that is used; nil: none
	addrs []string // where the relay takes connections; none behind a proxy
	http  *http.Client
}

// stepTime is how long each step may take.
const stepTime = 5 * time.Second

// relay checks the way to the relay at an address.
func (d *doctor) relay(ctx context.Context, address string, c *checkup) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		d.tell("relay", broken(exitUsage, "It looks like https://hooks.example.", "%q is no URL of a relay", address), "")
		return
	}
	u.Path = strings.TrimRight(u.Path, "/")
	d.tell("relay", nil, u.String())
	c.doctor, c.url = d, u
	transport := &http.Transport{Proxy: c.proxy, TLSClientConfig: &tls.Config{RootCAs: c.roots}, DisableKeepAlives: true}
	c.http = &http.Client{Transport: transport, Timeout: stepTime,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	for _, step := range []func(context.Context) bool{c.proxies, c.names, c.connections, c.encryption, c.version, c.readiness, c.admission, c.tunnel} {
		if !step(ctx) {
			return
		}
	}
}

// broken is an error with its exit code and what to do about it.
func broken(code int, hint, format string, a ...any) error {
	return exitError{code, hinted{fmt.Errorf(format, a...), hint}}
}

// get asks the relay for a path, and reads an answer as short as all that
// doctor asks for are.
func (c *checkup) get(ctx context.Context, path string) (*http.Response, []byte, error) {
	req, err := http.NewRequestWithContext(ctx, "GET", c.url.String()+path, nil)
	if err != nil {
		return nil, nil, err
	}
	if c.token != "" && strings.HasPrefix(path, "/api/") {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	res, err := c.http.Do(req)
	if err != nil {
		return nil, nil, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, 64<<10))
	return res, body, err
}

// version finds out whether it is a hooktape that answers, and by its Date
// (RFC 9110 §6.6.1) whether the clocks agree.
func (c *checkup) version(ctx context.Context) bool {
	began := time.Now()
	res, body, err := c.get(ctx, "/version")
	if err != nil {
		c.tell("http", broken(exitUnreachable, "Something takes connections there and answers no requests: does the proxy in front find the relay?", "%w", err), "")
		return false
	}
	took := time.Since(began)
	var is struct {
		Version string `json:"version"`
	}
	if to := res.Header.Get("Location"); to != "" && res.StatusCode/100 == 3 {
		c.tell("http", broken(exitFailed, "Give the address it redirects to with --relay: websockets follow no redirects.", "it redirects to %s", to), "")
		return false
	}
	if json.Unmarshal(body, &is) != nil || res.StatusCode != http.StatusOK || is.Version == "" {
		hint := "Is that the address of hooktape relay? A proxy in front of it must pass on every path."
		if c.url.Scheme == "http" && res.StatusCode == http.StatusBadRequest {
			hint = "Does it want https?"
		}
		c.tell("http", broken(exitFailed, hint, "what answers is no hooktape: GET /version is %s%s", res.Status, served(res)), "")
		return false
	}
	c.tell("http", nil, fmt.Sprintf("hooktape %s in %s; this is %s", is.Version, brief(took), version()))
	if date, err := http.ParseTime(res.Header.Get("Date")); err == nil {
		c.clock(date.Add(500 * time.Millisecond).Sub(began.Add(took / 2))) // a Date is cut to the second
	}
	return true
}

func served(res *http.Response) string {
	if by := res.Header.Get("Server"); by != "" {
		return " by " + by
	}
	return ""
}

// brief is a time to three digits or so.
func brief(d time.Duration) string {
	switch {
	case d > 10*time.Second:
		return d.Round(time.Second).String()
	case d > 100*time.Millisecond:
		return d.Round(10 * time.Millisecond).String()
	}
	return d.Round(10 * time.Microsecond).String()
}

// clock judges how far the relay's clock is ahead. Signatures of most
// providers are good for five minutes.
func (c *checkup) clock(skew time.Duration) {
	side := "ahead of"
	if skew < 0 {
		side = "behind"
	}
	found := fmt.Sprintf("the relay's is %s %s this one", brief(skew.Abs()), side)
	switch {
	case skew.Abs() < 2*time.Second:
		c.tell("clock", nil, "the same here and there, to two seconds")
	case skew.Abs() < time.Minute:
		c.note("clock", found, "")
	default:
		c.tell("clock", broken(exitFailed, "Set the wrong one, by NTP best: signatures and tokens have times in them.", "%s", found), "")
	}
}

// readiness asks whether the relay takes webhooks and listeners.
func (c *checkup) readiness(ctx context.Context) bool {
	res, body, err := c.get(ctx, "/readyz")
	switch {
	case err != nil:
		c.tell("ready", broken(exitUnreachable, "", "%w", err), "")
	case res.StatusCode != http.StatusOK:
		c.tell("ready", broken(exitFailed, "Wait a moment if it is about to restart; else its log says more.", "it takes no webhooks at the moment: %s", detailOf(res, body)), "")
	default:
		c.tell("ready", nil, "it takes webhooks and listeners")
	}
	return err == nil
}

// detailOf is what a problem (RFC 9457) says, or else its status.
func detailOf(res *http.Response, body []byte) string {
	var p struct {
		Detail string `json:"detail"`
	}
	if json.Unmarshal(body, &p) == nil && p.Detail != "" {
		return p.Detail
	}
	return res.Status
}

// admission asks whose token it is, and whether it lets one listen.
func (c *checkup) admission(ctx context.Context) bool {
	res, body, err := c.get(ctx, "/api/v1/whoami")
	var t capture.Token
	const wanted = "hooktape tokens create NAME --scope listen makes one at the relay; give it with --token, or once with hooktape login."
	switch {
	case err != nil:
		err = broken(exitUnreachable, "", "%w", err)
	case c.token == "" && res.StatusCode/100 == 4:
		err = broken(exitAuth, wanted, "none is given")
	case res.StatusCode == http.StatusUnauthorized, res.StatusCode == http.StatusForbidden:
		err = broken(exitAuth, wanted, "it is not valid: %s", detailOf(res, body))
	case res.StatusCode != http.StatusOK || json.Unmarshal(body, &t) != nil:
		err = broken(exitFailed, "", "the relay does not say whose it is: %s", detailOf(res, body))
	case !slices.Contains([]capture.Scope{capture.ScopeManage, capture.ScopeListen}, t.Scope):
		err = broken(exitAuth, wanted, "%s: it does not let one listen", tokenText(&t))
	}
	c.tell("token", err, tokenText(&t))
	if err == nil && t.App != "" {
		c.note("app", "the token is for the app "+t.App, "Listen with --app "+t.App+".")
	}
	return err == nil
}

// tokenText says what a token is.
func tokenText(t *capture.Token) string {
	s := fmt.Sprintf("%q of scope %s", t.Name, t.Scope)
	if t.App != "" {
		s += ", for the app " + t.App
	}
	if !t.Expires.IsZero() {
		s += ", until " + t.Expires.Local().Format(time.DateTime)
	}
	return s
}
