// Package sign checks the signatures of webhooks, says why one does not
// verify, and signs as their senders do.
//
// All it knows of a sender is a record in one table (table.go): where the
// signature stands and how it is written, what is signed and by which
// algorithm, what a secret is, which times are allowed, and which stamps and
// ids a new webhook has of its own. Adding a scheme is adding a record.
//
// It is pure: no network, no clock, nothing remembered. Comparisons take as
// long for a wrong guess as for a right one. Work is bounded whatever a
// request holds: of the signatures in it the first 100 are looked at, and of
// bodies over 256 KiB no other versions are tried.
package sign

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"slices"
	"strings"
	"sync"

	"code.hooktape.dev/hooktape/capture"
)

const (
	mostSignatures = 100       // of one request that are looked at
	mostTried      = 256 << 10 // bytes of a body of which other versions are tried
)

// ErrSecret is wrapped in the error for a secret that is not of the scheme's
// kind.
var ErrSecret = errors.New("not a secret of this scheme")

// ErrURL is returned, wrapped, by Sign for a request whose URL is signed too and
// is not known.
var ErrURL = errors.New("the URL is signed too, and is not known")

// Request is a webhook as its sender sends it.
type Request struct {
	Method  string
	URL     string // whole, as the sender calls it; "" where unknown
	Headers capture.Headers
	Body    []byte
}

// Secret is what signs or verifies, with the name by which verdicts speak of
// it: "stripe", or "stripe/test" for what signs test events.
type Secret struct{ Name, Text string }

// Names are those of all schemes, sorted.
func Names() []string {
	names := make([]string, 0, len(table))
	for i := range table {
		names = append(names, table[i].name)
	}
	slices.Sort(names)
	return names
}

// schemes is the table made ready.
var schemes = sync.OnceValue(func() map[string]*Scheme {
	all := make(map[string]*Scheme, len(table))
	for i := range table {
		all[table[i].name] = compile(&table[i])
	}
	return all
})

// Lookup is the scheme of that name, which is the provider's name of
// capture/provider where there is one, or that of who signs for it.
func Lookup(name string) (*Scheme, bool) {
	s, ok := schemes()[cmp.Or(signers[name], name)]
	return s, ok
}

// Of is the scheme that a request is signed by, or would be: the provider's
// own, and where it has none or is "", that of the headers which are there.
// Many send those of Standard Webhooks or Svix. Headers that several senders
// use, such as Authorization or X-Signature, tell nothing.
func Of(provider string, r *Request) (*Scheme, bool) {
	if s, ok := Lookup(provider); ok {
		return s, true
	}
	for i := range table {
		s := schemes()[table[i].name]
		if best := s.ways[0].place; !s.shared && best.kind == inHeader && r.Headers.Has(best.name) {
			return s, true
		}
	}
	return nil, false
}

// hmacSHA256 is the MAC of the concatenated parts.
func hmacSHA256(key []byte, parts ...[]byte) []byte {
	mac := hmac.New(sha256.New, key)
	for _, p := range parts {
		mac.Write(p)
	}
	return mac.Sum(nil)
}

// title is how people are told of a scheme.
func title(name string) string { return strings.ReplaceAll(name, "-", " ") }
