package api

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os/user"
	"path"
	"slices"
	"strings"
	"sync"

	"code.hooktape.dev/hooktape/capture"
)

// Guard lets in only what a person at this machine may have meant: requests
// that name a loopback host, so that no web page can rebind its own name to
// 127.0.0.1, and that come from no foreign page. A token, once there is one,
// be it the Server's own or one of the Registry's, is asked of everybody, and
// lets its bearer do what its scope says. An address of this machine that
// others can reach, and a Public Server, may be called by any name, and answer
// nobody while there is no token.
func (s *Server) Guard(next http.Handler) http.Handler {
	dialect := s.dialects()
	admit := func(w http.ResponseWriter, r *http.Request, d *Dialect) error {
		closed, err := s.closed(r.Context())
		if err != nil {
			return err
		}
		switch {
		case open(r.URL.Path) && s.Public:
		case (reachable(r) || s.Public) && !closed:
			return &problem{Status: http.StatusForbidden, Code: "no_token",
				Detail: "Others can reach this address, and there is no token to ask them for. Create one on the machine itself: hooktape tokens create."}
		case !reachable(r) && !s.Public && !loopback(r.Host):
			return &problem{Status: http.StatusForbidden, Code: "foreign_host",
				Detail: fmt.Sprintf("The Host header names %q. This address answers to localhost only.", r.Host)}
		case foreign(r):
			return &problem{Status: http.StatusForbidden, Code: "foreign_origin",
				Detail: "The request comes from another site's page."}
		}
		by := caller{name: "local"}
		if closed && !open(r.URL.Path) {
			if by, err = s.authorize(w, r, d); err != nil {
				return err
			}
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), callerKey{}, by)))
		return nil
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		d := dialect(r)
		if err := admit(w, r, d); err != nil {
			d.fail(w, err)
		}
	})
}

// closed reports whether there is a token to ask for.
func (s *Server) closed(ctx context.Context) (bool, error) {
	if s.Token != "" || s.Registry == nil {
		return s.Token != "", nil
	}
	return s.Registry.HasTokens(ctx)
}

// authorize is the bearer of a token that allows the request. Whose the things
// are that it is about is for confine to judge.
func (s *Server) authorize(w http.ResponseWriter, r *http.Request, d *Dialect) (by caller, err error) {
	given := d.token(r)
	if s.Token != "" && given != "" && same(given, s.Token) {
		return caller{name: "token"}, nil
	}
	t, known := capture.Token{}, false
	if s.Registry != nil && given != "" {
		if t, known, err = s.Registry.Bearer(r.Context(), given); err != nil {
			return by, err
		}
	}
	if !known {
		w.Header().Set("WWW-Authenticate", "Bearer")
		return by, &problem{Status: http.StatusUnauthorized, Code: "unauthorized",
			Detail: "Send the header Authorization: Bearer TOKEN, with a token that is neither expired nor revoked."}
	}
	if need := d.needs(r); t.Scope != capture.ScopeManage && !slices.Contains(need, t.Scope) {
		w.Header().Set("WWW-Authenticate", fmt.Sprintf(`Bearer error="insufficient_scope", scope="%s"`, need[0])) // RFC 6750 §3.1
		return by, &problem{Status: http.StatusForbidden, Code: "scope",
			Detail: fmt.Sprintf("The token %q is of scope %s; this needs %s.", t.Name, t.Scope, need[0])}
	}
	return caller{"token:" + t.Name, t}, nil
}

// ShownToken is the token of Authorization: Bearer, or "".
func ShownToken(r *http.Request) string {
	scheme, given, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(given)
}

// same compares digests, so that neither text nor length of a token can be
// learnt from the time it takes.
func same(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}

// needs are the scopes, beside manage, that let a token make a request, the
// usual one first.
func needs(method, at string) []capture.Scope {
	reads := method == http.MethodGet || method == http.MethodHead
	for _, asks := range []string{"/api/v1/events/*/verify", "/api/v1/attempts/*/judge"} { // with a secret, that no URL should hold
		ask, _ := path.Match(asks, at)
		reads = reads || ask
	}
	app, _ := path.Match("/api/v1/apps/*", at)
	emits, _ := path.Match("/api/v1/apps/*/events", at)
	fires, _ := path.Match("/api/v1/triggers/*/fire", at)
	switch {
	case at == "/api/v1/whoami":
		return capture.Scopes
	case at == tunnel:
		return []capture.Scope{capture.ScopeListen}
	case reads && app:
		return []capture.Scope{capture.ScopeRead, capture.ScopeListen}
	case reads:
		return []capture.Scope{capture.ScopeRead}
	case (emits || fires) && method == http.MethodPost:
		return []capture.Scope{capture.ScopeIngest}
	}
	return []capture.Scope{capture.ScopeManage}
}

// tunnel is where listeners connect. It is no route of the API, but may be
// served behind its Guard.
const tunnel = "/connect"

// caller is who makes a request.
type caller struct {
	name  string
	token capture.Token // of the Registry, if it was one of those
}

// callerKey is where Guard leaves the caller in a request's context.
type callerKey struct{}

// Bearer is the token of the Registry by which Guard has let a request in; the
// zero Token when it was by another, or needed none.
func Bearer(r *http.Request) capture.Token { return callerOf(r).token }

// callerOf is what Guard found, else, on the socket that only they may use,
// this process's user.
func callerOf(r *http.Request) caller {
	if by, ok := r.Context().Value(callerKey{}).(caller); ok {
		return by
	}
	return caller{name: localUser()}
}

// bound is the app that the caller's token is bound to, or "".
func bound(r *http.Request) string { return callerOf(r).token.App }

var localUser = sync.OnceValue(func() string {
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return "local"
})

// reachable reports whether r came to an address that is not loopback's.
func reachable(r *http.Request) bool {
	addr, ok := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr)
	return ok && !addr.IP.IsLoopback()
}

func open(path string) bool { return path == "/healthz" || path == "/readyz" || path == "/version" }

func loopback(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.Trim(host, "[]")
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}

func foreign(r *http.Request) bool {
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" && site != "same-origin" && site != "none" {
		return true
	}
	origin := r.Header.Get("Origin")
	if origin == "" {
		return false
	}
	u, err := url.Parse(origin)
	return err != nil || u.Host != r.Host
}
