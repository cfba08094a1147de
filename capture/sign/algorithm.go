package sign

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"hash"
)

// algorithm is what makes a signature of a message.
type algorithm uint8

const (
	macSHA256 algorithm = iota
	macSHA1
	macSHA512
	plainSHA256 // a digest of a message that holds the secret
	equality    // the secret itself
	edDSA       // Ed25519
	ecDSA       // P-256 of the SHA-256, in ASN.1
	rsaSHA256   // PKCS #1 v1.5
	rsaSHA1
)

var algorithmNames = [...]string{"HMAC-SHA256", "HMAC-SHA1", "HMAC-SHA512", "SHA-256", "the secret itself", "Ed25519", "ECDSA", "RSA-SHA256", "RSA-SHA1"}

func (a algorithm) String() string { return algorithmNames[a] }

// asymmetric reports whether who verifies cannot sign.
func (a algorithm) asymmetric() bool { return a >= edDSA }

// keyed reports whether it is an HMAC.
func (a algorithm) keyed() bool { return a <= macSHA512 }

// signs reports whether the key has what signing takes.
func (a algorithm) signs(k *key) bool { return !a.asymmetric() || k.private != nil }

// hash digests a message; nil where the message itself is signed.
func (a algorithm) hash(k *key) hash.Hash {
	switch a {
	case macSHA256:
		return hmac.New(sha256.New, k.bytes)
	case macSHA1:
		return hmac.New(sha1.New, k.bytes)
	case macSHA512:
		return hmac.New(sha512.New, k.bytes)
	case plainSHA256, ecDSA, rsaSHA256:
		return sha256.New()
	case rsaSHA1:
		return sha1.New()
	}
	return nil
}

// verify reports whether the signature is that of the key over the message,
// or over its digest where the algorithm has one.
func (a algorithm) verify(k *key, message, signature []byte) bool {
	switch public := k.public.(type) {
	case ed25519.PublicKey:
		return a == edDSA && ed25519.Verify(public, message, signature)
	case *ecdsa.PublicKey:
		return a == ecDSA && ecdsa.VerifyASN1(public, message, signature)
	case *rsa.PublicKey:
		switch a {
		case rsaSHA256:
			return rsa.VerifyPKCS1v15(public, crypto.SHA256, message, signature) == nil
		case rsaSHA1:
			return rsa.VerifyPKCS1v15(public, crypto.SHA1, message, signature) == nil
		}
	}
	return false
}

// sign is the private key's signature. ECDSA's is another each time.
func (a algorithm) sign(k *key, message []byte) ([]byte, error) {
	h := crypto.Hash(0)
	switch a {
	case ecDSA, rsaSHA256:
		h = crypto.SHA256
	case rsaSHA1:
		h = crypto.SHA1
	}
	return k.private.Sign(rand.Reader, message, h)
}

// encoding is how the bytes of a signature are written.
type encoding uint8

const (
	inHex encoding = iota
	inBase64
	inBase64URL // without padding
)

func (e encoding) String() string {
	return [...]string{"hexadecimal", "base64", "base64url"}[e]
}

func (e encoding) append(dst, sum []byte) []byte {
	switch e {
	case inBase64:
		return base64.StdEncoding.AppendEncode(dst, sum)
	case inBase64URL:
		return base64.RawURLEncoding.AppendEncode(dst, sum)
	}
	return hex.AppendEncode(dst, sum)
}

func (e encoding) decode(text string) ([]byte, bool) {
	var b []byte
	var err error
	switch e {
	case inBase64:
		b, err = base64.StdEncoding.DecodeString(text)
	case inBase64URL:
		b, err = base64.RawURLEncoding.DecodeString(text)
	default:
		b, err = hex.DecodeString(text)
	}
	return b, err == nil
}

// decodings are the bytes that a text may stand for, in whatever encoding.
func decodings(text string) (all [][]byte) {
	if b, err := hex.DecodeString(text); err == nil {
		all = append(all, b)
	}
	plain := bytes.TrimRight([]byte(text), "=")
	for i, c := range plain {
		switch c {
		case '-':
			plain[i] = '+'
		case '_':
			plain[i] = '/'
		}
	}
	if b, err := base64.RawStdEncoding.DecodeString(string(plain)); err == nil {
		all = append(all, b)
	}
	return all
}
