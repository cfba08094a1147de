package sign

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net/url"
	"strings"
	"time"
)

// bundle is a secret in PEM: a certificate or a public key that verifies, a
// private key where it is to sign, and before them lines that the scheme
// wants: "webhook-id: …" and "cert-url: …". Nothing is ever fetched: who
// gives the bundle has looked whose certificate it is.
func bundle(needsWebhook bool, want string) *kind {
	return &kind{want, func(s string) (key, bool) {
		head, blocks := pemBlocks(s)
		var k key
		for _, b := range blocks {
			if !k.add(b) {
				return key{}, false
			}
		}
		for line := range strings.Lines(head) {
			name, value, _ := strings.Cut(line, ":")
			switch value = strings.TrimSpace(value); strings.ToLower(strings.TrimSpace(name)) {
			case "webhook-id":
				k.webhook = value
			case "cert-url":
				k.certURL = value
			}
		}
		_, isRSA := k.public.(*rsa.PublicKey)
		return k, isRSA && (!needsWebhook || k.webhook != "")
	}, func(r *record) string { return newBundle(r, needsWebhook) }}
}

var (
	payPalBundle = bundle(true, `a line "webhook-id: …" and a certificate in PEM, with its private key to sign`)
	rsaBundle    = bundle(false, "a certificate or an RSA public key in PEM, with the private key to sign")
)

// add takes a block of PEM; false for what is none of those a bundle has, or
// of another key than the others.
func (k *key) add(b *pem.Block) bool {
	var public crypto.PublicKey
	switch b.Type {
	case "CERTIFICATE":
		c, err := x509.ParseCertificate(b.Bytes)
		if err != nil {
			return false
		}
		if k.certified { // one of the authorities above it
			return true
		}
		k.certified, public = true, c.PublicKey
	case "RSA PRIVATE KEY":
		p, err := x509.ParsePKCS1PrivateKey(b.Bytes)
		if err != nil {
			return false
		}
		k.private, public = p, p.Public()
	default:
		other, ok := keyOfDER(b.Bytes)
		if !ok {
			return false
		}
		if public = other.public; other.private != nil {
			k.private = other.private
		}
	}
	if same, ok := k.public.(interface{ Equal(crypto.PublicKey) bool }); ok && !same.Equal(public) {
		return false
	}
	k.public = public
	return true
}

// newBundle is one with a certificate that signed itself.
func newBundle(r *record, needsWebhook bool) string {
	p, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err) // the system has no randomness
	}
	about := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "hooktape " + r.name},
		NotBefore: time.Unix(0, 0), NotAfter: time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)}
	cert, err := x509.CreateCertificate(rand.Reader, about, about, p.Public(), p)
	if err != nil {
		panic(err) // a key that was just made
	}
	head := "cert-url: https://localhost/" + r.name + ".pem\n"
	if needsWebhook {
		head = "webhook-id: " + rand.Text()[:17] + "\n" + head
	}
	return head + string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert})) +
		string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8(p)}))
}

// foreign is the URL that a request says its certificate is at, where that is
// neither the sender's nor the bundle's own.
func (w *way) foreign(r *Request, doc []byte, k *key) (string, bool) {
	if w.cert == "" {
		return "", false
	}
	at, there := w.certPlace.read(r, doc)
	if !there || at == k.certURL {
		return "", false
	}
	u, err := url.Parse(at)
	if err == nil && u.Scheme == "https" && u.User == nil && (u.Port() == "" || u.Port() == "443") && w.hosts(strings.ToLower(u.Hostname())) {
		return "", false
	}
	return at, true
}

func ofPayPal(host string) bool {
	return host == "paypal.com" || strings.HasSuffix(host, ".paypal.com")
}

// ofSNS holds for sns.<region>.amazonaws.com, and those of China. Others may
// put files on other hosts of Amazon's.
func ofSNS(host string) bool {
	region, ok := strings.CutPrefix(strings.TrimSuffix(host, ".cn"), "sns.")
	region, suffix := strings.CutSuffix(region, ".amazonaws.com")
	return ok && suffix && region != "" && !strings.Contains(region, ".")
}
