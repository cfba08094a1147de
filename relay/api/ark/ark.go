// Package ark speaks the REST API of ARK's core-webhooks: as its version 3.9.1
// does, with the pages that its document describes. A webhook of ARK's is an
// endpoint that gets one type of events, literally, and has ARK's conditions,
// format and schedule.
package ark

import (
	"cmp"
	"fmt"
	"net"
	"net/http"
	"path"
	"slices"
	"strings"

	"code.hooktape.dev/hooktape/relay/api"
)

// Options are choices where ARK's document and its servers differ. The zero
// Options suit its published clients.
type Options struct {
	// Done is the status of updates and deletions: 200 with {}, as the document
	// has it, or 204, as servers do since 2.4. 0: 204 to who sends API-Version, as
	// ARK's clients do, who know the servers; else 200.
	Done int
	// Partial lets an update name some members only, as the document has it;
	// else it must have all, as servers want since 2.4.
	Partial bool
	// Whitelist are the addresses that may ask, as path.Match has them:
	// 192.0.2.*. None: all may.
	Whitelist []string
}

// ParseWhitelist reads addresses divided by commas.
func ParseWhitelist(text string) ([]string, error) {
	globs := strings.Split(text, ",")
	for _, glob := range globs {
		if _, err := path.Match(glob, ""); err != nil || glob == "" {
			return nil, fmt.Errorf("%q: want addresses divided by commas, * in them standing for any text", glob)
		}
	}
	return globs, nil
}

// New is the dialect over an engine.
func New(engine func(*http.Request) api.Engine, o Options) api.Dialect {
	d := dialect{o}
	mux := http.NewServeMux()
	route := func(pattern string, do operation) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			status, v, err := http.StatusForbidden, any(nil), error(refusal{http.StatusForbidden, "Forbidden"})
			if d.admits(r) {
				status, v, err = do(engine(r), r)
			}
			if err != nil {
				status, v = told(err)
			}
			reply(w, status, v)
		})
	}
	for pattern, do := range map[string]operation{
		"GET " + root:              list,
		"POST " + root:             create,
		"GET " + root + "/{id}":    show,
		"PUT " + root + "/{id}":    d.update,
		"DELETE " + root + "/{id}": d.remove,
	} {
		route(pattern, do)
		route(pattern+"/{$}", do)
	}
	route("/", nowhere)
	return api.Dialect{Name: "ark", Routes: []string{root, root + "/"}, Serve: mux, Fail: fail, Token: token}
}

const root = "/api/webhooks"

type dialect struct{ Options }

// operation answers with a status and what is written as JSON; nil: nothing.
type operation func(api.Engine, *http.Request) (status int, v any, err error)

// nowhere answers other paths, and other methods too: ARK knows no 405.
func nowhere(api.Engine, *http.Request) (int, any, error) { return 0, nil, errNone }

// admits reports whether the whitelist has the caller. Who came by the socket
// of this machine has no address, and is the user who owns it.
func (d dialect) admits(r *http.Request) bool {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	return len(d.Whitelist) == 0 || err != nil || slices.ContainsFunc(d.Whitelist, func(glob string) bool {
		ok, _ := path.Match(glob, host)
		return ok
	})
}

// token is what ARK's document wants in Authorization: the token and nothing
// else.
func token(r *http.Request) string {
	return cmp.Or(api.ShownToken(r), strings.TrimSpace(r.Header.Get("Authorization")))
}
