package capture

import "time"

// Catalog is a named set of event types: those whose tag's first half is its
// slug. An app that points to it says what its endpoints may subscribe to.
type Catalog struct {
	Slug string `json:"slug" cbor:"1,keyasint"` // as an app's is written; never changes
	CatalogSpec
	Created   time.Time `json:"created_at" cbor:"4,keyasint"`
	Updated   time.Time `json:"updated_at" cbor:"5,keyasint"`
	CreatedBy string    `json:"created_by" cbor:"6,keyasint,omitempty"`
	UpdatedBy string    `json:"updated_by" cbor:"7,keyasint,omitempty"`
}

// CatalogSpec is what a catalog's owner decides.
type CatalogSpec struct {
	Name        string `json:"name" cbor:"2,keyasint,omitempty"` // for people; up to 200 characters
	Description string `json:"description" cbor:"3,keyasint,omitempty"`
}

// CatalogRow is a catalog with its event types, by tag. Updated is that of what
// was changed last, of these too.
type CatalogRow struct {
	Catalog
	Types []EventType `json:"types"`
}
