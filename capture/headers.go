package capture

import (
	"encoding/json"
	"fmt"
	"iter"
	"net/http"
	"net/textproto"
	"slices"
	"strings"
)

// Header is one line of an HTTP head, the name in the sender's own case.
// Its JSON form is the pair ["Name","value"], of which each is as Raw is.
type Header [2]string

// MarshalJSON implements json.Marshaler.
func (h Header) MarshalJSON() ([]byte, error) { return json.Marshal([2]Raw{Raw(h[0]), Raw(h[1])}) }

// UnmarshalJSON implements json.Unmarshaler.
func (h *Header) UnmarshalJSON(b []byte) error {
	var pair []Raw
	if err := json.Unmarshal(b, &pair); err != nil {
		return err
	}
	if len(pair) != 2 {
		return fmt.Errorf("header of %d strings, want a name and a value", len(pair))
	}
	*h = Header{string(pair[0]), string(pair[1])}
	return nil
}

// Headers are the lines of a head in the order they were sent, repeats
// included. Where http.Header answers "what does it say", Headers answers
// "what was sent".
type Headers []Header

// First is the value of the first line of that name, whatever its case, or "".
func (h Headers) First(name string) string {
	for _, l := range h {
		if strings.EqualFold(l[0], name) {
			return l[1]
		}
	}
	return ""
}

// Has reports whether a line of that name is there, whatever its case.
func (h Headers) Has(name string) bool {
	return slices.ContainsFunc(h, func(l Header) bool { return strings.EqualFold(l[0], name) })
}

// Values yields every value of that name, whatever its case, in order.
func (h Headers) Values(name string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, l := range h {
			if strings.EqualFold(l[0], name) && !yield(l[1]) {
				return
			}
		}
	}
}

// Without is a copy that lacks all lines of the given names.
func (h Headers) Without(names ...string) Headers {
	return slices.DeleteFunc(slices.Clone(h), func(l Header) bool {
		return slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(l[0], n) })
	})
}

// HTTP is the map form of net/http: canonical names, order among names lost.
func (h Headers) HTTP() http.Header {
	m := make(http.Header, len(h))
	for _, l := range h {
		m.Add(l[0], l[1])
	}
	return m
}

// FromHTTP lists a map of headers by name, for heads whose order nobody saw.
func FromHTTP(m http.Header) Headers {
	h := make(Headers, 0, len(m))
	for name, values := range m {
		for _, v := range values {
			h = append(h, Header{name, v})
		}
	}
	slices.SortStableFunc(h, func(a, b Header) int { return strings.Compare(a[0], b[0]) })
	return h
}

// EndToEnd is a copy without the hop-by-hop headers of RFC 9110 §7.6.1, those
// the Connection header names included. They belong to one connection and
// must not be passed on.
func (h Headers) EndToEnd() Headers {
	drop := []string{"Connection", "Proxy-Connection", "Keep-Alive", "Proxy-Authenticate",
		"Proxy-Authorization", "TE", "Trailer", "Transfer-Encoding", "Upgrade"}
	for v := range h.Values("Connection") {
		for name := range strings.SplitSeq(v, ",") {
			drop = append(drop, textproto.TrimString(name))
		}
	}
	return h.Without(drop...)
}

// Secret reports whether the header's value lets its bearer in. Signatures do
// not: they are what one looks at when a webhook is not accepted.
func (h Header) Secret() bool {
	name := strings.ToLower(h[0])
	switch name {
	case "authorization", "proxy-authorization", "cookie", "set-cookie", "x-api-key", "api-key", "apikey":
		return true
	}
	return strings.HasSuffix(name, "-token") || strings.HasSuffix(name, "-secret") || strings.HasSuffix(name, "-api-key")
}

// Masked is the header's value with what is secret in it hidden. A scheme such
// as Bearer stays to be seen.
func (h Header) Masked() string {
	if !h.Secret() {
		return h[1]
	}
	return h.mask()
}

// Credential reports whether a header that a user has configured is to be
// hidden: all that Secret is, and whatever else sounds like it lets in. What
// is configured is known to who did it, so a harmless one may be hidden too.
func (h Header) Credential() bool {
	name := strings.ToLower(h[0])
	return slices.ContainsFunc([]string{"auth", "cookie", "token", "secret", "password", "credential", "key"},
		func(s string) bool { return strings.Contains(name, s) })
}

// Hidden is the value of a configured header as it is read: as Masked, of any
// Credential.
func (h Header) Hidden() string {
	if !h.Credential() {
		return h[1]
	}
	return h.mask()
}

func (h Header) mask() string {
	if scheme, _, ok := strings.Cut(h[1], " "); ok && strings.HasSuffix(strings.ToLower(h[0]), "authorization") {
		return scheme + " " + HiddenSecret
	}
	return HiddenSecret
}

// HiddenSecret stands for a secret that is not shown.
const HiddenSecret = "••••••••"
