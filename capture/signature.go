package capture

import "time"

// Signature is the verdict on an event's signature. It is never a reason to
// lose the event.
type Signature struct {
	Verdict Verdict `json:"verdict" cbor:"1,keyasint"`
	// Scheme is the one it was checked by (capture/sign); unchecked, the
	// header or the body's member in which one was seen.
	Scheme string `json:"scheme,omitempty" cbor:"2,keyasint,omitempty"`
	// Secret names the secret that made it, or that it was held against.
	Secret string `json:"secret_id,omitempty" cbor:"3,keyasint,omitempty"`
	// Checked is the clock it was judged by.
	Checked time.Time `json:"checked_at,omitzero" cbor:"4,keyasint,omitzero"`
	// Cause is the first that can be proved of a verdict that is not valid,
	// and Detail a sentence about it. "": nothing is proved.
	Cause  Cause  `json:"cause,omitempty" cbor:"5,keyasint,omitempty"`
	Detail string `json:"detail,omitempty" cbor:"6,keyasint,omitempty"`
}

// Verdict is what verification found.
type Verdict string

// The verdicts. Unchecked: a signature is there and no secret is known.
const (
	Valid     Verdict = "valid"
	Invalid   Verdict = "invalid"
	Stale     Verdict = "stale"
	Unsigned  Verdict = "unsigned"
	Unchecked Verdict = "unchecked"
)

// Cause is why a signature does not verify.
type Cause string

// Causes. All but CauseUnproved are proved: with that one thing put right the
// signature verifies, or it could not verify without it.
const (
	CauseStale    Cause = "stale"             // right, and made too long ago
	CauseFuture   Cause = "future"            // right, and of a time that has not come
	CauseMissing  Cause = "missing"           // a header or member that the scheme needs is not there
	CauseFormat   Cause = "malformed"         // the header is not what the scheme writes
	CauseEncoding Cause = "encoding"          // the right MAC, written in another alphabet or case
	CauseSecret   Cause = "wrong_secret"      // another secret that is known made it
	CauseMode     Cause = "test_secret"       // the test secret made it and the event is live, or the other way round
	CauseKey      Cause = "key_encoding"      // the secret was taken decoded where it is text, or the other way round
	CauseBlank    Cause = "blank_in_secret"   // the secret has blanks or a line end around it
	CauseNewline  Cause = "trailing_newline"  // the body lost or gained a line end
	CauseRewrite  Cause = "body_reserialised" // the body was parsed and written again
	CauseCharset  Cause = "body_charset"      // the body went through another character encoding
	CauseURL      Cause = "wrong_url"         // it was made for another URL
	CauseStamp    Cause = "other_timestamp"   // the timestamp that came is not the one that was signed
	CauseScheme   Cause = "other_scheme"      // it is the signature of another scheme, or of an older version
	CauseUnproved Cause = "no_match"          // neither any secret nor any known mistake makes it
)
