// Package answer sends requests to whoever answers them. Forward is a target
// on this machine or beyond: an HTTP/1.1 client that writes heads as they
// were sent, in their order and case and with their odd escapes, which
// net/http's client cannot. It goes through no proxy and follows no redirect.
package answer

import (
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/match"
)

// Target is where events are forwarded to, as given to `hooktape listen`.
type Target struct {
	Scheme string // http, https or unix
	Host   string // host:port, or the socket's path
	Path   string // raw path and query that the target itself has; may be empty
	Filter string // predicate of an EXPR=URL route; empty: everything
}

var (
	bare  = regexp.MustCompile(`^:?[0-9]{1,5}(/.*)?$`)
	plain = regexp.MustCompile(`^[A-Za-z0-9.-]+(:[0-9]{1,5})?(/.*)?$|^\[[0-9a-fA-F:.]+\](:[0-9]{1,5})?(/.*)?$`)
	route = regexp.MustCompile(`=(https?://|unix://|:?[0-9]{1,5}(/[^=]*)?$|localhost\b|\[)`)
)

// ParseTarget reads 3000, :3000/path, host:port/path, an http, https or unix
// URL (unix:///path/to.sock or unix:///path/to.sock:/http/path), or a route
// EXPR=URL with a predicate before any of these.
func ParseTarget(s string) (Target, error) {
	if t, ok := parseURL(s); ok {
		return t, nil
	}
	at := strings.LastIndexByte(s, '=') // a predicate may hold some; a bare host:port/path does not
	if i := route.FindStringIndex(s); i != nil {
		at = i[0]
	}
	if at > 0 {
		t, ok := parseURL(s[at+1:])
		t.Filter = s[:at]
		if _, err := match.Parse(t.Filter); ok && err != nil {
			return t, fmt.Errorf("target %q: %w", s, err)
		}
		if ok {
			return t, nil
		}
	}
	return Target{}, fmt.Errorf("%q: %w: want a port (3000), a URL (http://localhost:3000/hooks, unix:///run/app.sock) or a route ('type:push=3000')", s, capture.ErrBadTarget)
}

func parseURL(s string) (Target, bool) {
	if bare.MatchString(s) {
		s = "http://localhost:" + strings.TrimPrefix(s, ":")
	}
	if path, ok := strings.CutPrefix(s, "unix://"); ok {
		sock, path, _ := strings.Cut(path, ":")
		return Target{Scheme: "unix", Host: sock, Path: path}, len(sock) > 1 && sock[0] == '/' && !strings.Contains(sock, "\x00") &&
			(path == "" || path[0] == '/') && sendablePath(path)
	}
	scheme, rest, ok := strings.Cut(s, "://")
	if !ok {
		scheme, rest = "http", s
		if !plain.MatchString(s) || !strings.ContainsAny(s, ":.") && !strings.HasPrefix(s, "localhost") {
			return Target{}, false
		}
	}
	end := strings.IndexAny(rest, "/?#")
	if end < 0 {
		end = len(rest)
	}
	path, _, _ := strings.Cut(rest[end:], "#")
	u, err := url.Parse(scheme + "://" + rest[:end])
	if err != nil || u.Hostname() == "" || u.User != nil || scheme != "http" && scheme != "https" {
		return Target{}, false
	}
	return Target{Scheme: scheme, Host: strings.TrimSuffix(u.Host, ":"), Path: path}, (u.Port() == "" || port(u.Port())) && sendablePath(path)
}

// parseHTTP reads nothing but an http or https URL.
func parseHTTP(s string) (Target, bool) {
	scheme, rest, _ := strings.Cut(s, "://")
	if scheme = strings.ToLower(scheme); scheme != "http" && scheme != "https" {
		return Target{}, false
	}
	return parseURL(scheme + "://" + rest)
}

func port(s string) bool {
	n, err := strconv.ParseUint(s, 10, 16)
	return err == nil && n > 0
}

// sendablePath reports whether a path typed by hand can be part of a request
// line, and was not mistyped: what senders put there is another matter.
func sendablePath(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r <= ' ' || r == 0x7f }) < 0
}

// String is the target's URL, in one spelling.
func (t Target) String() string {
	if t.Scheme == "unix" && t.Path != "" {
		return "unix://" + t.Host + ":" + t.Path
	}
	return t.Scheme + "://" + t.Host + t.Path
}

// at is the whole URL of a request target there.
func (t Target) at(target string) string {
	if t.Scheme == "unix" {
		return "unix://" + t.Host + ":" + target
	}
	return t.Scheme + "://" + t.Host + target
}

// PathMode is how an event's path and the target's own make one.
// The zero PathMode appends.
type PathMode struct {
	replace bool
	strip   string
}

// ParsePathMode reads append, replace or strip=/prefix.
func ParsePathMode(s string) (PathMode, error) {
	prefix, strips := strings.CutPrefix(s, "strip=")
	switch {
	case s == "" || s == "append":
		return PathMode{}, nil
	case s == "replace":
		return PathMode{replace: true}, nil
	case strips && strings.HasPrefix(prefix, "/"):
		return PathMode{strip: strings.TrimSuffix(prefix, "/")}, nil
	}
	return PathMode{}, fmt.Errorf("path mode %q: want append, replace or strip=/prefix", s)
}

// join makes the request target to send from the target's own path and the
// raw target of an event. Nothing is decoded; the event's query stays as it
// was, behind the target's own.
func (m PathMode) join(own, event string) string {
	if _, rest, ok := strings.Cut(event, "://"); ok && !strings.HasPrefix(event, "/") { // absolute form
		event = "/"
		if i := strings.IndexAny(rest, "/?"); i >= 0 {
			event = rest[i:]
		}
	}
	path, query, asked := strings.Cut(event, "?")
	ownPath, ownQuery, ownAsked := strings.Cut(own, "?")
	if rest, ok := strings.CutPrefix(path, m.strip); ok && m.strip != "" && (rest == "" || rest[0] == '/') {
		path = rest
	}
	switch {
	case path == "*" && ownPath == "":
		return event
	case m.replace, path == "/" && ownPath != "", path == "*":
		path = ownPath
	default:
		path = strings.TrimSuffix(ownPath, "/") + path
	}
	if !strings.HasPrefix(path, "/") {
		path = "/" + path
	}
	if asked && ownAsked {
		return path + "?" + ownQuery + "&" + query
	}
	if ownAsked {
		return path + "?" + ownQuery
	}
	if asked {
		return path + "?" + query
	}
	return path
}
