package sign

import (
	"encoding/hex"
	"fmt"
)

// ARK is what ARK core-webhooks send as Authorization, without a scheme: the
// first half of the webhook's token of 64 hexadecimal digits. Receivers keep
// the other half, so any other secret than such a token is refused.
func ARK(token string) (string, error) {
	if _, err := hex.DecodeString(token); err != nil || len(token) != 64 {
		return "", fmt.Errorf("sign: ark: want 64 hexadecimal digits: %w", ErrSecret)
	}
	return token[:32], nil
}
