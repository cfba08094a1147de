package front

import (
	"fmt"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/head"
	"code.hooktape.dev/hooktape/relay"
)

// Limit bounds how often one source and the bearers of one ingest key may
// call. Who goes over is answered 429 with Retry-After. Its rates must not
// change once it serves.
type Limit struct {
	Source Rate // of an IPv4 address or an IPv6 network of 64 bits
	Key    Rate // of the name behind /in/ in the path

	sources                      buckets[netip.Prefix]
	keys                         buckets[string]
	refusedSources, refusedByKey atomic.Int64
}

// Refused is how many requests were answered 429 since the start, for their
// source's sake and for their key's.
func (l *Limit) Refused() (source, key int64) {
	return l.refusedSources.Load(), l.refusedByKey.Load()
}

// Handler asks the limits before next. The source is the address in the
// request's RemoteAddr, which is the client's behind Proxies.Handler.
func (l *Limit) Handler(next http.Handler) http.Handler {
	if l.Source == (Rate{}) && l.Key == (Rate{}) {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if l.Source != (Rate{}) {
			if wait := l.sources.take(source(addrOf(r.RemoteAddr)), l.Source); wait > 0 {
				l.refusedSources.Add(1)
				tooMany(w, wait, "address")
				return
			}
		}
		if l.Key != (Rate{}) {
			if key := ingestKey(r); key != "" {
				if wait := l.keys.take(key, l.Key); wait > 0 {
					l.refusedByKey.Add(1)
					tooMany(w, wait, "ingest key")
					return
				}
			}
		}
		next.ServeHTTP(w, r)
	})
}

func tooMany(w http.ResponseWriter, wait time.Duration, of string) {
	seconds := int64(max(1, (wait+time.Second-1)/time.Second))
	w.Header().Set("Retry-After", strconv.FormatInt(seconds, 10))
	relay.Problem(w, http.StatusTooManyRequests, fmt.Sprintf("Too many requests for this %s. Send this again in %d s.", of, seconds), nil)
}

// source is what an address is counted under: one network of 64 bits is
// usually one customer's. All that have no address are one.
func source(addr netip.Addr) netip.Prefix {
	bits := 64
	if addr.Is4() {
		bits = 32
	}
	p, _ := addr.Prefix(bits) // zero for the zero address
	return p
}

// ingestKey is the key in a target such as /in/{key}/rest, "" of any other. It
// goes by the target as it was sent: what net/http cannot parse it is not
// shown, and ingest takes all the same.
func ingestKey(r *http.Request) string {
	target := r.RequestURI
	if h, ok := head.Of(r); ok {
		target = h.Target
	}
	if _, after, ok := strings.Cut(target, "://"); ok && target[0] != '/' { // absolute form (RFC 9112 §3.2.2)
		target = after[max(strings.IndexByte(after, '/'), 0):]
	}
	after, ok := strings.CutPrefix(target, "/in/")
	if !ok {
		return ""
	}
	if end := strings.IndexAny(after, "/?"); end >= 0 {
		after = after[:end]
	}
	if !capture.IsSlug(after) {
		return ""
	}
	return after
}
