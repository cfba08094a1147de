package sign

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"code.hooktape.dev/hooktape/capture"
)

// Scheme is how one sender signs. It is safe for concurrent use.
type Scheme struct {
	*record
	ways []way
	ids  []id
	made []place
}

// Name is the scheme's.
func (s *Scheme) Name() string { return s.name }

// Doc is the URL of the document that the scheme is described by.
func (s *Scheme) Doc() string { return s.doc }

// Signed reports whether a signature is there, right or wrong.
func (s *Scheme) Signed(r *Request) bool {
	for i := range s.ways {
		if s.ways[i].there(r) {
			return true
		}
	}
	return false
}

// Check is nil for a secret that can verify. Its error wraps ErrSecret and
// says which kind is wanted, never the secret itself.
func (s *Scheme) Check(secret string) error {
	for i := range s.ways {
		if _, ok := s.ways[i].key.parse(secret); ok {
			return nil
		}
	}
	return fmt.Errorf("sign: %s: want %s: %w", s.name, s.wants(), ErrSecret)
}

// wants are the kinds of secrets that there are.
func (s *Scheme) wants() string {
	var wants []string
	for i := range s.ways {
		if want := s.ways[i].key.want; !slices.Contains(wants, want) {
			wants = append(wants, want)
		}
	}
	return strings.Join(wants, ", or ")
}

// CanSign reports whether the secret makes signatures: a public key or a
// certificate alone only verifies.
func (s *Scheme) CanSign(secret string) bool {
	for i := range s.ways {
		if k, ok := s.ways[i].key.parse(secret); ok && s.ways[i].alg.signs(&k) {
			return true
		}
	}
	return false
}

// NewSecret is a random secret of the scheme's kind, able to sign.
func (s *Scheme) NewSecret() string { return s.ways[0].key.fresh(s.record) }

// How says what Sign makes of a request.
type How struct {
	At time.Time // stamped
	// Secrets sign: the first, and where a scheme carries several signatures,
	// as while a secret is changed, all. None: signatures are taken out, and
	// stamps and ids renewed all the same.
	Secrets []Secret
	// New gives the request other ids (capture.AsNew); else those that are
	// there stay (capture.AsRetry).
	New bool
	// Seed is of the new ids, so that the same attempt makes the same ones.
	Seed uint64
}

// Explanation is a verdict and how it came about.
type Explanation struct {
	capture.Signature
	Steps []Step `json:"steps"`
}

// Step is one thing that was looked at, for people.
type Step struct {
	OK   bool   `json:"ok"`
	Text string `json:"text"`
}
