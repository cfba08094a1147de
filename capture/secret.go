package capture

import (
	"crypto/rand"
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"strings"
	"time"
)

// Keyring is a secret that can be replaced while the one before it is still
// in use. In JSON it is its Masked form: who makes or rotates a secret shows
// it once, by name.
type Keyring struct {
	Key string   `cbor:"1,keyasint"` // the newest; "": none
	Old []OldKey `cbor:"2,keyasint,omitempty"`
}

// OldKey is a replaced key that counts until then.
type OldKey struct {
	Key   string    `cbor:"1,keyasint"`
	Until time.Time `cbor:"2,keyasint"`
}

// Rotate is the keyring with a new key. The one it replaces counts for the
// overlap; 0: no longer.
func (k Keyring) Rotate(key string, now time.Time, overlap time.Duration) Keyring {
	next := Keyring{Key: key}
	old := k.Old
	if k.Key != "" && overlap > 0 {
		old = append([]OldKey{{k.Key, now.Add(overlap)}}, old...)
	}
	for _, o := range old {
		if o.Until.After(now) && overlap > 0 && len(next.Old) < 4 {
			next.Old = append(next.Old, o)
		}
	}
	return next
}

// Live are the keys that count now, the newest first.
func (k Keyring) Live(now time.Time) []string {
	if k.Key == "" {
		return nil
	}
	live := []string{k.Key}
	for _, o := range k.Old {
		if o.Until.After(now) {
			live = append(live, o.Key)
		}
	}
	return live
}

// Masked tells one key from another without giving it away: the prefix that
// names its kind, and its last four characters. What is masked already stays
// as it is.
func (k Keyring) Masked() string {
	if prefix, tail, masked := strings.Cut(k.Key, "****"); masked && len(prefix) <= 9 && len(tail) <= 4 {
		return k.Key
	}
	if len(k.Key) < 16 {
		return strings.Repeat("*", min(len(k.Key), 4))
	}
	prefix, _, found := strings.Cut(k.Key, "_")
	if !found || len(prefix) > 8 {
		return "****" + k.Key[len(k.Key)-4:]
	}
	return prefix + "_****" + k.Key[len(k.Key)-4:]
}

// MarshalJSON implements json.Marshaler.
func (k Keyring) MarshalJSON() ([]byte, error) { return json.Marshal(k.Masked()) }

// UnmarshalJSON implements json.Unmarshaler: the far side holds what it was
// shown, whole or masked.
func (k *Keyring) UnmarshalJSON(b []byte) error { return json.Unmarshal(b, &k.Key) }

// NewSigningSecret is a secret of 32 random bytes as Standard Webhooks writes
// them: whsec_ and base64.
func NewSigningSecret() string {
	return "whsec_" + base64.StdEncoding.EncodeToString(random(32))
}

// NewHexSecret is a secret of 32 random bytes in hexadecimal, as Blocklet Server
// and ARK write them.
func NewHexSecret() string { return hex.EncodeToString(random(32)) }

// NewIngestKey is a key of 160 random bits that is also a slug.
func NewIngestKey() string { return "ik_" + lowerBase32(20) }

// NewToken is a bearer token of 256 random bits.
func NewToken() string { return "htk_" + lowerBase32(32) }

func lowerBase32(n int) string {
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(random(n)))
}

func random(n int) []byte {
	b := make([]byte, n)
	rand.Read(b) // never fails
	return b
}
