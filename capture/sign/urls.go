package sign

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"iter"
	"net/url"
	"strings"
)

// ownURLs are the other URLs that are as right as the request's: that which a
// proxy before the receiver says it was sent to, and where the sender's
// libraries do so, those with and without the port.
func (w *way) ownURLs(r *Request) iter.Seq[string] {
	return func(yield func(string) bool) {
		all := []string{r.URL}
		if u := forwarded(r); u != r.URL {
			all = append(all, u)
			if !yield(u) {
				return
			}
		}
		if !w.twilio {
			return
		}
		for _, u := range all {
			if other := otherPort(u); other != u && !yield(other) {
				return
			}
		}
	}
}

// forwarded is the URL with the scheme and the host that a proxy saw.
func forwarded(r *Request) string {
	scheme, rest, ok := strings.Cut(r.URL, "://")
	if !ok {
		return r.URL
	}
	host, path := cutHost(rest)
	if proto, _, _ := strings.Cut(r.Headers.First("X-Forwarded-Proto"), ","); proto != "" {
		scheme = strings.TrimSpace(proto)
	}
	if name, _, _ := strings.Cut(r.Headers.First("X-Forwarded-Host"), ","); name != "" {
		host = strings.TrimSpace(name)
	}
	return scheme + "://" + host + path
}

// cutHost splits what follows :// where path or query begin.
func cutHost(rest string) (host, path string) {
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		return rest[:i], rest[i:]
	}
	return rest, ""
}

// otherPort is the URL without its port, or with the one of its scheme.
func otherPort(u string) string {
	scheme, rest, ok := strings.Cut(u, "://")
	if !ok {
		return u
	}
	host, path := cutHost(rest)
	if i := strings.LastIndexByte(host, ':'); i > strings.LastIndexByte(host, ']') {
		return scheme + "://" + host[:i] + path
	}
	port := ":443"
	if scheme == "http" {
		port = ":80"
	}
	return scheme + "://" + host + port + path
}

// otherURLs are those that a signature may have been made for by mistake, with
// what is different about them.
func otherURLs(s string) (all [][2]string) {
	add := func(u, what string) {
		if u != s {
			all = append(all, [2]string{u, what})
		}
	}
	scheme, rest, ok := strings.Cut(s, "://")
	if !ok {
		return nil
	}
	host, path := cutHost(rest)
	other := map[string]string{"http": "https", "https": "http"}[scheme]
	base, query, queried := strings.Cut(path, "?")
	if queried {
		query = "?" + query
	}
	for _, v := range []string{scheme, other} {
		if v == "" {
			continue
		}
		as := ""
		if v != scheme {
			as = v + ", "
		}
		site := v + "://" + host
		if as != "" {
			add(site+path, "with "+v)
		}
		add(otherPort(site)+path, as+"with another port")
		add(site+strings.TrimSuffix(base, "/")+query, as+"without the slash at its end")
		add(site+strings.TrimSuffix(base, "/")+"/"+query, as+"with a slash at its end")
		add(site+base, as+"without the query")
		if plain, err := url.PathUnescape(path); err == nil {
			add(site+plain, as+"decoded")
		}
	}
	add(path, "of the path alone")
	add(base, "of the path alone, without the query")
	add(strings.ToLower(s), "in lower case")
	return all
}

// digested reports whether Twilio's signature is one of the body too: a form's
// fields are signed, and of any other body the digest that the URL has to have
// then.
func (w *way) digested(r *Request) bool {
	_, after, there := strings.Cut(r.URL, "bodySHA256=")
	if !w.twilio || !there && (isForm(r) || len(r.Body) == 0) {
		return true
	}
	want, _, _ := strings.Cut(after, "&")
	sum := sha256.Sum256(r.Body)
	return subtle.ConstantTimeCompare([]byte(strings.ToLower(want)), []byte(hex.EncodeToString(sum[:]))) == 1
}
