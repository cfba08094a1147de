package sign

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"strings"
)

// key is what a secret's text stands for.
type key struct {
	bytes   []byte // of MACs, and of secrets that are sent as they are
	public  crypto.PublicKey
	private crypto.Signer // nil where there is none
	webhook string        // a bundle's webhook-id
	certURL string        // a bundle's cert-url

	certified bool // a bundle's certificate was read
}

// A kind is a way to write keys.
type kind struct {
	want  string // "whsec_ and base64"
	parse func(secret string) (key, bool)
	fresh func(r *record) string
}

// text is a secret taken as it is, any bytes but none.
var text = &kind{"a text", func(s string) (key, bool) {
	return key{bytes: []byte(s)}, s != ""
}, func(r *record) string { return r.secret + rand.Text() + rand.Text()[:6] }}

// whsec is that of Standard Webhooks 1.0.0 for HMACs. Supabase writes "v1,"
// before it.
var whsec = &kind{"whsec_ and base64", func(s string) (key, bool) {
	s, ok := strings.CutPrefix(strings.TrimPrefix(s, "v1,"), "whsec_")
	if !ok {
		return key{}, false
	}
	b, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(s, "="))
	return key{bytes: b}, err == nil && len(b) > 0
}, func(*record) string { return "whsec_" + base64.StdEncoding.EncodeToString(random(32)) }}

// noWhsec is a text that whsec is not: where a sender has both.
var noWhsec = &kind{"a token that does not begin with whsec_", func(s string) (key, bool) {
	return key{bytes: []byte(s)}, s != "" && !strings.HasPrefix(s, "whsec_")
}, text.fresh}

// whsk is that of Standard Webhooks 1.0.0 for Ed25519: whsk_ and the private
// key, of 64 bytes or its seed of 32, or whpk_ and the public one.
var whsk = &kind{"whpk_ or whsk_ and the base64 of an Ed25519 key", func(s string) (key, bool) {
	private := strings.HasPrefix(s, "whsk_")
	if !private && !strings.HasPrefix(s, "whpk_") {
		return key{}, false
	}
	b, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(s[len("whsk_"):], "="))
	if err != nil {
		return key{}, false
	}
	return edKey(b, private)
}, func(*record) string { return "whsk_" + base64.StdEncoding.EncodeToString(newEd()) }}

// edHex is Discord's public key, or the private one that belongs to it.
var edHex = &kind{"64 hexadecimal digits of an Ed25519 public key, or 128 of a private one", func(s string) (key, bool) {
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != ed25519.PublicKeySize && len(b) != ed25519.PrivateKeySize {
		return key{}, false
	}
	return edKey(b, len(b) == ed25519.PrivateKeySize)
}, func(*record) string { return hex.EncodeToString(newEd()) }}

// edBase64 is Telnyx's public key, or the private one that belongs to it.
var edBase64 = &kind{"the base64 of an Ed25519 public key of 32 bytes, or of a private one of 64", func(s string) (key, bool) {
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil || len(b) != ed25519.PublicKeySize && len(b) != ed25519.PrivateKeySize {
		return key{}, false
	}
	return edKey(b, len(b) == ed25519.PrivateKeySize)
}, func(*record) string { return base64.StdEncoding.EncodeToString(newEd()) }}

func edKey(b []byte, private bool) (key, bool) {
	if !private {
		return key{public: ed25519.PublicKey(b)}, len(b) == ed25519.PublicKeySize
	}
	if len(b) == ed25519.SeedSize {
		b = ed25519.NewKeyFromSeed(b)
	}
	if len(b) != ed25519.PrivateKeySize {
		return key{}, false
	}
	// The half of the private key that is the public one may be another's.
	p := ed25519.NewKeyFromSeed(b[:ed25519.SeedSize])
	return key{public: p.Public(), private: p}, p.Equal(ed25519.PrivateKey(b))
}

func newEd() []byte { return ed25519.NewKeyFromSeed(random(ed25519.SeedSize)) }

// hexKey is a secret whose digits stand for the key's bytes.
var hexKey = &kind{"hexadecimal digits", func(s string) (key, bool) {
	b, err := hex.DecodeString(s)
	return key{bytes: b}, err == nil && len(b) > 0
}, func(*record) string { return strings.ToUpper(hex.EncodeToString(random(32))) }}

// base64Key is a secret of which the key is the decoded text.
var base64Key = &kind{"base64", func(s string) (key, bool) {
	b, err := base64.StdEncoding.DecodeString(s)
	return key{bytes: b}, err == nil && len(b) > 0
}, func(*record) string { return base64.StdEncoding.EncodeToString(random(32)) }}

// derKey is SendGrid's: the base64 of a public key in PKIX, or of a private
// one in PKCS #8.
var derKey = &kind{"the base64 of a P-256 public key in PKIX, or of a private one in PKCS #8", func(s string) (key, bool) {
	der, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		return key{}, false
	}
	k, ok := keyOfDER(der)
	public, ec := k.public.(*ecdsa.PublicKey)
	return k, ok && ec && public.Curve == elliptic.P256()
}, func(*record) string {
	p, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err) // the system has no randomness
	}
	return base64.StdEncoding.EncodeToString(pkcs8(p))
}}

func keyOfDER(der []byte) (key, bool) {
	if public, err := x509.ParsePKIXPublicKey(der); err == nil {
		return key{public: public}, true
	}
	if private, err := x509.ParsePKCS8PrivateKey(der); err == nil {
		if s, ok := private.(crypto.Signer); ok {
			return key{public: s.Public(), private: s}, true
		}
	}
	return key{}, false
}

func pkcs8(private any) []byte {
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		panic(err) // a key that was just made
	}
	return der
}

// arkToken is the token of an ARK webhook, of which the first half is sent.
var arkToken = &kind{"64 hexadecimal digits", func(s string) (key, bool) {
	half, err := ARK(s)
	return key{bytes: []byte(half)}, err == nil
}, func(*record) string { return hex.EncodeToString(random(32)) }}

// basic is a user and a password as they stand in Authorization (RFC 7617).
var basic = &kind{"user:password", func(s string) (key, bool) {
	return key{bytes: []byte("Basic " + base64.StdEncoding.EncodeToString([]byte(s)))}, strings.Contains(s, ":")
}, func(*record) string { return "hooktape:" + rand.Text() }}

func random(n int) []byte {
	b := make([]byte, n)
	rand.Read(b) // never fails
	return b
}

// pemBlocks are those of a bundle, and the lines before them.
func pemBlocks(s string) (head string, blocks []*pem.Block) {
	head, _, _ = strings.Cut(s, "-----BEGIN")
	for rest := []byte(s); ; {
		var b *pem.Block
		if b, rest = pem.Decode(rest); b == nil {
			return head, blocks
		}
		blocks = append(blocks, b)
	}
}
