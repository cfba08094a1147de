package sign

import (
	"encoding/hex"
	"strconv"
	"time"
)

// BlockletHeader carries Blocklet.
const BlockletHeader = "X-Webhook-Signature"

// Blocklet signs as Blocklet Server 1.17.11 and later do. The key is the text
// of the secret. Its verifiers read one signature and compute it over the
// JSON they parsed and wrote again: the body must be as JavaScript writes it.
func Blocklet(at time.Time, body []byte, secret string) string {
	t := strconv.FormatInt(at.Unix(), 10)
	return "t=" + t + ",v1=" + hex.EncodeToString(hmacSHA256([]byte(secret), []byte(t+"."), body))
}
