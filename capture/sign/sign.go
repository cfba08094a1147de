// Package sign makes and checks the signatures of webhooks: a file a scheme.
//
// Signing functions return the value of the scheme's header. Verifying ones
// take the headers as they came and the body byte for byte, compare in
// constant time, and return nil or an error that wraps one of those below.
package sign

import (
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"time"
)

// Tolerance is how far a timestamp may be from the verifier's clock, before
// or after.
const Tolerance = 5 * time.Minute

var (
	// ErrUnsigned is returned when a header the scheme needs is not there.
	ErrUnsigned = errors.New("not signed")
	// ErrInvalid is returned when no signature is that of any secret.
	ErrInvalid = errors.New("signature does not match")
	// ErrStale is returned when the signature is right and its timestamp is
	// further than Tolerance from now.
	ErrStale = errors.New("timestamp too far from now")
	// ErrSecret is returned for a secret that is not of the scheme's kind.
	ErrSecret = errors.New("not a secret of this scheme")
)

// hmacSHA256 is the MAC of the concatenated parts.
func hmacSHA256(key []byte, parts ...[]byte) []byte {
	mac := hmac.New(sha256.New, key)
	for _, p := range parts {
		mac.Write(p)
	}
	return mac.Sum(nil)
}
