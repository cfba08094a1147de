package capture

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// EventType is an entry of the catalog: a kind of event, with a sample that
// can be sent.
type EventType struct {
	// Tag is its name: app-tag:event-tag. The first half is an app's slug or a
	// provider's name; the second may hold what providers' types hold.
	Tag string `json:"tag" cbor:"1,keyasint"`
	EventTypeSpec
	// Builtin types came with hooktape. They cannot be changed; one that is
	// made under the same tag goes first.
	Builtin bool      `json:"builtin,omitempty" cbor:"-"`
	Created time.Time `json:"created_at,omitzero" cbor:"10,keyasint,omitzero"`
	Updated time.Time `json:"updated_at,omitzero" cbor:"11,keyasint,omitzero"`
}

// EventTypeSpec is what an event type's owner decides.
type EventTypeSpec struct {
	Name        string `json:"name" cbor:"2,keyasint,omitempty"` // for people; up to 200 characters
	Description string `json:"description" cbor:"3,keyasint,omitempty"`
	// Provider says by which scheme (capture/sign) the sample is signed; "": it
	// is who the sample is recognised to be from, else the tag's first half.
	Provider string `json:"provider,omitempty" cbor:"4,keyasint,omitempty"`
	Sample   Sample `json:"sample" cbor:"5,keyasint"`
	// Schema is a JSON Schema (2020-12) of the body; absent: any body will do.
	Schema json.RawMessage `json:"schema,omitempty" cbor:"6,keyasint,omitempty"`
	// Selector names the values of a body that tell events of this type from
	// others (capture/catalog): event, or data.object.type,data.status.
	Selector string `json:"selector,omitempty" cbor:"7,keyasint,omitempty"`
	// SelectorValue is what must stand there: a string, number or boolean, or
	// an array with one for each. Absent: what stands there in the sample.
	SelectorValue json.RawMessage `json:"selector_value,omitempty" cbor:"8,keyasint,omitempty"`
	Group         string          `json:"group,omitempty" cbor:"12,keyasint,omitempty"` // for people, to sort types by; up to 200 characters
	// Archived types may be sent, and are offered to no new subscription.
	Archived bool `json:"archived,omitempty" cbor:"13,keyasint,omitempty"`
}

// Sample is a request as an event of its type looks. Its members are those of
// Ductape's WebhookSample, and two more. Strings in it may hold templates
// (capture/fill).
type Sample struct {
	Method  string                     `json:"method,omitempty" cbor:"1,keyasint,omitempty"` // "": POST
	Path    string                     `json:"path,omitempty" cbor:"2,keyasint,omitempty"`   // {name} in it is filled from Params; "": /
	Headers map[string]string          `json:"headers" cbor:"3,keyasint,omitempty"`
	Query   map[string]json.RawMessage `json:"query" cbor:"4,keyasint,omitempty"`
	// Body is any JSON. Of an application/x-www-form-urlencoded sample its
	// members are the fields; a string is the body's text itself wherever the
	// content type is not JSON's, and so is {"base64": …} its bytes.
	Body   json.RawMessage            `json:"body" cbor:"5,keyasint,omitempty"`
	Params map[string]json.RawMessage `json:"params" cbor:"6,keyasint,omitempty"`
}

// Whole is s with empty maps where it has none, and no body where that is null:
// all members are there in JSON.
func (s Sample) Whole() Sample {
	if s.Headers == nil {
		s.Headers = map[string]string{}
	}
	if s.Query == nil {
		s.Query = map[string]json.RawMessage{}
	}
	if s.Params == nil {
		s.Params = map[string]json.RawMessage{}
	}
	if string(s.Body) == "null" {
		s.Body = nil
	}
	return s
}

// Empty reports whether s says nothing.
func (s Sample) Empty() bool {
	s = s.Whole()
	return s.Method == "" && s.Path == "" && len(s.Headers)+len(s.Query)+len(s.Params)+len(s.Body) == 0
}

// SplitTag is the halves of a tag; ok is false for what is none.
func SplitTag(tag string) (app, event string, ok bool) {
	app, event, ok = strings.Cut(tag, ":")
	return app, event, ok && IsSlug(app) && event != "" && len(event) <= 128 &&
		!strings.ContainsFunc(event, func(c rune) bool { return c <= ' ' || c == 0x7f || c >= 0x80 && c < 0xa0 })
}

// Firing asks for events to be made of a sample and sent.
type Firing struct {
	// App is whose endpoints get them; "": the default one's.
	App string `json:"app,omitempty"`
	// To is a URL that gets them instead. Its path, where it has one, stands in
	// place of the sample's.
	To string `json:"to,omitempty"`
	// URL is what is signed where a scheme signs the URL, with the sample's path
	// where it has none; "": where it goes to.
	URL string `json:"url,omitempty"`
	// Ingest is the address at which the app's webhooks are taken. It stands
	// before the sample's path where neither To nor URL says more.
	Ingest string `json:"ingest,omitempty"`
	// Set are changes to the sample's body by JSON Pointer (RFC 6901), made in
	// this order once templates are filled in.
	Set []Setting `json:"set,omitempty"`
	// Headers are put in place of the sample's, or added.
	Headers Headers `json:"headers,omitempty"`
	// Secret signs in place of what is known for the provider. It is not kept.
	Secret string `json:"secret,omitempty"`
	// Unsigned leaves the signature out, and Forged makes a wrong one.
	Unsigned bool `json:"unsigned,omitempty"`
	Forged   bool `json:"forged,omitempty"`
	// Seed makes the same fakes again; 0: others each time.
	Seed int64 `json:"seed,omitempty"`
	// Count is how many, up to MostFired; 0: 1.
	Count int `json:"count,omitempty"`
}

// MostFired is how many events one Firing may make.
const MostFired = 1000

// Fired is what came of a Firing: the events that were made, and their pending
// attempts.
type Fired struct {
	Events   []Event    `json:"events"`
	Attempts []*Attempt `json:"attempts"`
}

// Setting is a value for a place in a JSON document.
type Setting struct {
	Pointer Pointer         `json:"pointer"`
	Value   json.RawMessage `json:"value"`
}

// ParseSetting reads /pointer=value, where value is JSON or, if it is none, a
// text. A name without a / before it is a path of the predicate language.
func ParseSetting(text string) (Setting, error) {
	at, value, ok := strings.Cut(text, "=")
	if !ok || at == "" {
		return Setting{}, fmt.Errorf("%q: want /pointer=value, such as /ref=refs/heads/main", text)
	}
	if !strings.HasPrefix(at, "/") {
		at = "/" + strings.ReplaceAll(at, ".", "/")
	}
	set := Setting{Pointer(at), json.RawMessage(value)}
	if !json.Valid(set.Value) {
		quoted, err := json.Marshal(value)
		if err != nil {
			return Setting{}, err
		}
		set.Value = quoted
	}
	return set, nil
}

// As says what a webhook that is sent again claims to be.
type As string

// What a replay may be sent as. "": AsRetry where the secret is known that
// signs it, else AsOriginal.
const (
	AsOriginal As = "original" // as it was: its own ids, time and signature
	AsRetry    As = "retry"    // the same ids, a new time, signed anew: what a provider's retry is
	AsNew      As = "new"      // other ids, a new time, signed anew: an event of its own
)
