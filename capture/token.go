package capture

import "time"

// Token lets a program use the management API. Only its digest is kept.
type Token struct {
	ID      ID        `json:"id" cbor:"1,keyasint"`
	Name    string    `json:"name" cbor:"2,keyasint"`
	Scope   Scope     `json:"scope" cbor:"3,keyasint"`
	Created time.Time `json:"created_at" cbor:"4,keyasint"`
	Expires time.Time `json:"expires_at,omitzero" cbor:"5,keyasint,omitempty"` // zero: never
	Revoked time.Time `json:"revoked_at,omitzero" cbor:"6,keyasint,omitempty"`
	SHA256  Digest    `json:"-" cbor:"7,keyasint"` // of the token
	Hint    string    `json:"hint" cbor:"8,keyasint,omitempty"`
}

// Scope is what a token lets its bearer do.
type Scope string

// The scopes.
const (
	ScopeManage Scope = "manage" // everything
	ScopeRead   Scope = "read"   // read everything, change nothing
	ScopeIngest Scope = "ingest" // make events, and nothing else
)
