package sign

import (
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
	"time"
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

func standard(id, stamp string, body []byte, secret string) ([]byte, error) {
	text, ok := strings.CutPrefix(secret, "whsec_")
	key, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(text, "="))
	if !ok || err != nil || len(key) == 0 {
		return nil, fmt.Errorf("sign: standard: want whsec_ and base64: %w", ErrSecret) // without the secret itself
	}
	return hmacSHA256(key, []byte(id+"."+stamp+"."), body), nil
}
