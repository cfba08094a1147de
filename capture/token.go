package capture

import "time"

// Token lets a program use the management API. Only its digest is kept.
type Token struct {
	ID ID `json:"id" cbor:"1,keyasint"`
	TokenSpec
	Created time.Time `json:"created_at" cbor:"4,keyasint"`
	Revoked time.Time `json:"revoked_at,omitzero" cbor:"6,keyasint,omitempty"`
	SHA256  Digest    `json:"-" cbor:"7,keyasint"` // of the token
	Hint    string    `json:"hint" cbor:"8,keyasint,omitempty"`
}

// TokenSpec is what a token is made of. It never changes.
type TokenSpec struct {
	Name    string    `json:"name" cbor:"2,keyasint"` // says who uses it; 1 to 100 characters
	Scope   Scope     `json:"scope" cbor:"3,keyasint"`
	App     string    `json:"app,omitempty" cbor:"9,keyasint,omitempty"`       // the one app it is about; "": all
	Expires time.Time `json:"expires_at,omitzero" cbor:"5,keyasint,omitempty"` // zero: never
}

// Scope is what a token lets its bearer do.
type Scope string

// The scopes.
const (
	ScopeManage Scope = "manage" // everything
	ScopeRead   Scope = "read"   // read everything, change nothing
	ScopeIngest Scope = "ingest" // make events, and nothing else
	ScopeListen Scope = "listen" // open the tunnel and read the app it is for, and nothing else
)

// Scopes are all scopes, the widest first.
var Scopes = []Scope{ScopeManage, ScopeRead, ScopeIngest, ScopeListen}
