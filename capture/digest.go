package capture

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"strings"
	"time"
)

// Digest is a SHA-256, in hexadecimal in JSON.
type Digest [sha256.Size]byte

// Sum is the digest of a body.
func Sum(body []byte) Digest { return sha256.Sum256(body) }

// MarshalText implements encoding.TextMarshaler.
func (d Digest) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, d[:]), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *Digest) UnmarshalText(text []byte) error {
	if len(text) != hex.EncodedLen(len(d)) {
		return fmt.Errorf("sha256 of %d characters, want %d", len(text), hex.EncodedLen(len(d)))
	}
	_, err := hex.Decode(d[:], text)
	return err
}

// Duration is a time.Duration that is written in JSON as milliseconds, with a
// fraction where there is one.
type Duration time.Duration

// MarshalJSON implements json.Marshaler.
func (d Duration) MarshalJSON() ([]byte, error) {
	return fmt.Appendf(nil, "%g", float64(time.Duration(d).Microseconds())/1e3), nil
}

// UnmarshalJSON implements json.Unmarshaler.
func (d *Duration) UnmarshalJSON(b []byte) error {
	var ms float64
	if _, err := fmt.Sscanf(string(b), "%g", &ms); err != nil {
		return fmt.Errorf("duration %q: want milliseconds", b)
	}
	*d = Duration(math.Round(ms * float64(time.Millisecond)))
	return nil
}

func (d Duration) String() string { return time.Duration(d).String() }

// Short is the duration as it is typed, without the parts that are zero: 1h,
// 5m, 1.5s. "" for none.
func (d Duration) Short() string {
	if d == 0 {
		return ""
	}
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = s[:len(s)-2]
	}
	if strings.HasSuffix(s, "h0m") {
		s = s[:len(s)-2]
	}
	return s
}
