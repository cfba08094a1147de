package sign

import (
	"crypto/hmac"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
	"time"

	"code.hooktape.dev/hooktape/capture"
)

// The headers of Standard Webhooks 1.0.0.
const (
	StandardID        = "webhook-id"        // of the message: the same on every retry
	StandardTimestamp = "webhook-timestamp" // of the attempt, in unix seconds
	StandardSignature = "webhook-signature" // Standard
)

// Standard signs by the symmetric scheme of Standard Webhooks 1.0.0: one
// "v1,base64" for each secret, in their order, separated by blanks. Secrets
// are whsec_ and base64, padded or not. The id must be one without a dot,
// which is what separates it from the timestamp.
func Standard(id string, at time.Time, body []byte, secrets ...string) (string, error) {
	if id == "" || strings.Contains(id, ".") {
		return "", fmt.Errorf("sign: standard: id %q: want one without a dot", id)
	}
	if len(secrets) == 0 {
		return "", fmt.Errorf("sign: standard: no secret: %w", ErrSecret)
	}
	signatures := make([]string, len(secrets))
	for i, s := range secrets {
		sum, err := standard(id, strconv.FormatInt(at.Unix(), 10), body, s)
		if err != nil {
			return "", err
		}
		signatures[i] = "v1," + base64.StdEncoding.EncodeToString(sum)
	}
	return strings.Join(signatures, " "), nil
}

// VerifyStandard checks the signature of a request by Standard Webhooks 1.0.0
// with any of the secrets. Signatures of other versions than v1 do not count.
func VerifyStandard(h capture.Headers, body []byte, now time.Time, secrets ...string) error {
	id, stamp, signatures := h.First(StandardID), h.First(StandardTimestamp), h.First(StandardSignature)
	if id == "" || stamp == "" || signatures == "" {
		return fmt.Errorf("sign: standard: want %s, %s and %s: %w", StandardID, StandardTimestamp, StandardSignature, ErrUnsigned)
	}
	unix, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil || strings.Contains(id, ".") {
		return fmt.Errorf("sign: standard: id %q, timestamp %q: %w", id, stamp, ErrInvalid)
	}
	matches := false
	for _, s := range secrets {
		sum, err := standard(id, stamp, body, s)
		if err != nil {
			return err
		}
		for one := range strings.FieldsSeq(signatures) {
			text, v1 := strings.CutPrefix(one, "v1,")
			got, err := base64.StdEncoding.DecodeString(text)
			matches = hmac.Equal(got, sum) && v1 && err == nil || matches
		}
	}
	if !matches {
		return fmt.Errorf("sign: standard: %w", ErrInvalid)
	}
	if age := now.Sub(time.Unix(unix, 0)); age > Tolerance || age < -Tolerance {
		return fmt.Errorf("sign: standard: signed %s ago: %w", age.Round(time.Second), ErrStale)
	}
	return nil
}

func standard(id, stamp string, body []byte, secret string) ([]byte, error) {
	text, ok := strings.CutPrefix(secret, "whsec_")
	key, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(text, "="))
	if !ok || err != nil || len(key) == 0 {
		return nil, fmt.Errorf("sign: standard: want whsec_ and base64: %w", ErrSecret) // without the secret itself
	}
	return hmacSHA256(key, []byte(id+"."+stamp+"."), body), nil
}
