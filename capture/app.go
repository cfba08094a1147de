package capture

import (
	"cmp"
	"encoding/json"
	"maps"
	"net/http"
	"strings"
	"time"
)

// App is a named group of events with endpoints of its own. It exists once it
// was created or has caught an event; the app "default" always does.
type App struct {
	Slug string `json:"slug" cbor:"1,keyasint"` // its name in addresses; never changes
	AppSpec

	// SigningSecret signs what the app's endpoints are sent.
	SigningSecret Keyring `json:"signing_secret" cbor:"8,keyasint"`
	// IngestKey stands for the slug in the ingest URL: /in/{key}/…
	IngestKey Keyring `json:"ingest_key" cbor:"9,keyasint"`

	Created   time.Time `json:"created_at" cbor:"10,keyasint"`
	Updated   time.Time `json:"updated_at" cbor:"11,keyasint"`
	CreatedBy string    `json:"created_by" cbor:"12,keyasint,omitempty"`
	UpdatedBy string    `json:"updated_by" cbor:"13,keyasint,omitempty"`
}

// AppSpec is what an app's owner decides. The zero AppSpec is an active app
// that answers 202.
type AppSpec struct {
	Name        string `json:"name" cbor:"2,keyasint,omitempty"` // for people; up to 200 characters
	Description string `json:"description" cbor:"3,keyasint,omitempty"`
	// Inactive apps catch events and deliver none to their endpoints. Who
	// listens gets them all the same.
	Inactive bool   `json:"inactive" cbor:"4,keyasint,omitempty"`
	Answer   Answer `json:"answer" cbor:"5,keyasint,omitempty"`
	// Challenges says whether hooktape answers what providers ask of a new
	// receiver.
	Challenges Challenges `json:"challenges,omitzero" cbor:"6,keyasint,omitzero"`
	// SealTo are the age recipients (capture/seal) to whom a relay encrypts
	// what it takes for the app, before anything else is done with it. Then it
	// goes to listeners, and to no endpoint. None: it is kept as it came.
	SealTo []string `json:"seal_to,omitempty" cbor:"7,keyasint,omitempty"`
	// Secrets verify what providers send and sign what is sent in their name
	// (capture/sign): up to 4 KiB each, by the provider's or the scheme's name,
	// with a label behind a slash where there are several: stripe, stripe/test.
	// They are read as hidden.
	Secrets map[string]string `json:"secrets,omitempty" cbor:"14,keyasint,omitempty"`
	// Check holds the app's events against the event types made for it; "": no.
	Check    CheckMode       `json:"check,omitempty" cbor:"15,keyasint,omitempty"`
	Metadata json.RawMessage `json:"metadata,omitempty" cbor:"16,keyasint,omitempty"` // an object of the owner's, up to 256 KiB
	// Catalog is the slug of the Catalog of what the app sends; "": it has none.
	Catalog string `json:"catalog,omitempty" cbor:"18,keyasint,omitempty"`
	// Notify are mail addresses of who wants to hear of failures: up to 50.
	// hooktape keeps them for other systems' clients, and sends no mail.
	Notify []string `json:"notify,omitempty" cbor:"19,keyasint,omitempty"`
}

// hiddenSecrets are the same names, with HiddenSecret behind each.
func hiddenSecrets(secrets map[string]string) map[string]string {
	hidden := maps.Clone(secrets)
	for name := range hidden {
		hidden[name] = HiddenSecret
	}
	return hidden
}

// Hidden is s with its secrets hidden, as those of headers are.
func (s AppSpec) Hidden() AppSpec {
	s.Secrets = hiddenSecrets(s.Secrets)
	s.Challenges.Secrets = hiddenSecrets(s.Challenges.Secrets)
	return s
}

// Answer is what the sender of a webhook is told once it is kept. The zero
// Answer is 202 and the event's id in JSON.
type Answer struct {
	// Mode is AnswerAck or AnswerSync; "": AnswerAck.
	Mode AnswerMode `json:"mode,omitempty" cbor:"4,keyasint,omitempty"`
	// Timeout is how long the sender waits for the answer of who listens,
	// before it is told the rest of this; 0: 10 s. Of AnswerSync.
	Timeout Duration `json:"timeout_ms,omitempty" cbor:"5,keyasint,omitempty"`

	Status  int               `json:"status,omitempty" cbor:"1,keyasint,omitempty"` // 200 to 599
	Headers map[string]string `json:"headers,omitempty" cbor:"2,keyasint,omitempty"`
	Body    string            `json:"body,omitempty" cbor:"3,keyasint,omitempty"` // up to 64 KiB
}

// AnswerMode is who answers the sender of a webhook.
type AnswerMode string

// The modes of answering.
const (
	AnswerAck  AnswerMode = "ack"  // hooktape, as soon as the event is kept
	AnswerSync AnswerMode = "sync" // who listens: status, headers and body are the handler's, if they come in time
)

// Wait is how long the sender waits for who listens.
func (a Answer) Wait() time.Duration { return cmp.Or(time.Duration(a.Timeout), 10*time.Second) }

// Empty reports whether a says nothing.
func (a Answer) Empty() bool {
	return a.Status == 0 && len(a.Headers) == 0 && a.Body == "" && a.Mode == "" && a.Timeout == 0
}

// Code is the status of the answer.
func (a Answer) Code() int {
	if a.Status == 0 {
		return http.StatusAccepted
	}
	return a.Status
}

// Challenges lets an app answer the challenges of providers itself
// (capture/challenge). The zero Challenges answers none.
type Challenges struct {
	Enabled bool `json:"enabled" cbor:"1,keyasint,omitempty"`
	// Secrets, by provider, are what answers are made or checked with: up to
	// 1 KiB each. They are read as hidden. Where the provider signs its
	// challenges like its events, the app's Secrets do too.
	Secrets map[string]string `json:"secrets,omitempty" cbor:"2,keyasint,omitempty"`
}

// IsSlug reports whether s may name an app: up to 63 lower-case letters,
// digits, - and _, the first no sign.
func IsSlug(s string) bool {
	return s != "" && len(s) <= 63 && s[0] != '-' && s[0] != '_' &&
		strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789-_") == ""
}
