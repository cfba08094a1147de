package sign

import (
	"crypto/ed25519"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"strings"
)

// Public is the half of a secret that a receiver verifies with, as the provider
// gives it out: a public key, or a certificate. It is "" where both ends have
// the same secret, and where the secret is no more than that half.
func (s *Scheme) Public(secret string) string {
	for i := range s.ways {
		k, ok := s.ways[i].key.parse(secret)
		if !ok || k.private == nil {
			continue
		}
		public, _ := k.private.Public().(ed25519.PublicKey)
		switch s.ways[i].key {
		case whsk:
			return "whpk_" + base64.StdEncoding.EncodeToString(public)
		case edHex:
			return hex.EncodeToString(public)
		case edBase64:
			return base64.StdEncoding.EncodeToString(public)
		case derKey:
			der, err := x509.MarshalPKIXPublicKey(k.public)
			if err != nil {
				return ""
			}
			return base64.StdEncoding.EncodeToString(der)
		}
		_, blocks := pemBlocks(secret)
		var certificates strings.Builder
		for _, b := range blocks {
			if b.Type == "CERTIFICATE" {
				pem.Encode(&certificates, b) // never fails into memory
			}
		}
		return certificates.String()
	}
	return ""
}
