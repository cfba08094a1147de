package capture

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Trigger is a registered outgoing request that a caller may fire by id,
// without seeing its URL or what it lets itself in with.
type Trigger struct {
	ID  ID     `json:"id" cbor:"1,keyasint"`
	App string `json:"app" cbor:"2,keyasint"`
	TriggerSpec

	Created   time.Time `json:"created_at" cbor:"3,keyasint"`
	Updated   time.Time `json:"updated_at" cbor:"4,keyasint"`
	CreatedBy string    `json:"created_by,omitempty" cbor:"5,keyasint,omitempty"`
	UpdatedBy string    `json:"updated_by,omitempty" cbor:"6,keyasint,omitempty"`
}

// TriggerSpec is what a trigger's owner decides.
type TriggerSpec struct {
	Name        string `json:"name" cbor:"10,keyasint"` // what callers and chains know it by, once in its app; up to 128 characters
	Description string `json:"description,omitempty" cbor:"11,keyasint,omitempty"`
	URL         string `json:"url" cbor:"12,keyasint"`                          // with whatever query every firing has
	Method      string `json:"method,omitempty" cbor:"13,keyasint,omitempty"`   // GET, POST, PUT, PATCH or DELETE; "": POST
	Encoding    string `json:"encoding,omitempty" cbor:"14,keyasint,omitempty"` // "base64": data is that of the bytes to send
	// Headers are sent with every firing. One without a value is a slot, that
	// the caller may fill; the values of others no caller sees or changes.
	Headers map[string]string `json:"headers,omitempty" cbor:"15,keyasint,omitempty"`
	// QueryParams are the names that a caller may add to the URL's query.
	QueryParams []string `json:"query_params,omitempty" cbor:"16,keyasint,omitempty"`
	Next        []Sequel `json:"next,omitempty" cbor:"17,keyasint,omitempty"`       // fired once a firing has ended, in order
	Hidden      bool     `json:"hidden,omitempty" cbor:"18,keyasint,omitempty"`     // for chains alone: to callers it is not there
	Timeout     Duration `json:"timeout_ms,omitempty" cbor:"19,keyasint,omitempty"` // 0: 15 s
}

// Sequel is a trigger of the same app that follows another in a chain.
type Sequel struct {
	Trigger string `json:"trigger" cbor:"1,keyasint"` // by its name
	When    When   `json:"when,omitempty" cbor:"2,keyasint,omitempty"`
	// Map makes the step's data: of members by name, each a JSON pointer into
	// {reference_id, status, data, error, sent} of the firing before, or, where
	// it does not begin with a slash, a text. A member that the pointer does not
	// find is null. Empty: the data is what the target before answered.
	Map map[string]string `json:"map,omitempty" cbor:"3,keyasint,omitempty"`
}

// When is after which end of a firing a step follows. The zero When is
// WhenSuccess.
type When string

// The ends of a firing.
const (
	WhenSuccess When = "success"
	WhenFailure When = "failure"
	WhenAlways  When = "always"
)

// Whens are all of them.
var Whens = []When{WhenSuccess, WhenFailure, WhenAlways}

// Fits reports whether the step follows a firing that has failed, or not.
func (s *Sequel) Fits(failed bool) bool {
	return s.When == WhenAlways || failed == (s.When == WhenFailure)
}

// Encoded is the Encoding of data that is sent as the bytes it stands for.
const Encoded = "base64"

// TriggerMethods are those that a trigger may have.
var TriggerMethods = []string{http.MethodPost, http.MethodGet, http.MethodPut, http.MethodPatch, http.MethodDelete}

// Verb is the method, spelled out.
func (s *TriggerSpec) Verb() string {
	if s.Method == "" {
		return http.MethodPost
	}
	return s.Method
}

// TakesData reports whether a firing has a body.
func (s *TriggerSpec) TakesData() bool {
	return s.Verb() != http.MethodGet && s.Verb() != http.MethodDelete
}

// TriggerScheme begins what stands for a trigger's URL wherever a firing is
// kept.
const TriggerScheme = "trigger:"

// Stands is what stands for the trigger's URL.
func (s *TriggerSpec) Stands() string { return TriggerScheme + s.Name }

// harmless are headers whose values say how a message is to be read, and let
// nobody in anywhere.
var harmless = []string{"accept", "accept-charset", "accept-encoding", "accept-language", "cache-control", "content-disposition",
	"content-encoding", "content-language", "content-type", "pragma", "user-agent"}

// Guarded reports whether a header that a trigger has is one to hide.
func (h Header) Guarded() bool {
	return h[1] != "" && !slices.Contains(harmless, strings.ToLower(h[0]))
}

// Masked is the trigger as it may be read: with neither path nor query of its
// URL, which may let in as much as any password, and without the values of
// headers but for those that say how to read a message.
func (t Trigger) Masked() Trigger {
	t.URL = MaskedURL(t.URL)
	headers := make(map[string]string, len(t.Headers))
	for name, value := range t.Headers {
		if (Header{name, value}).Guarded() {
			value = HiddenSecret
		}
		headers[name] = value
	}
	if t.Headers = headers; len(headers) == 0 {
		t.Headers = nil
	}
	return t
}

// MaskedURL is a URL of which scheme and host alone are seen.
func MaskedURL(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" {
		return HiddenSecret
	}
	if u.RawQuery == "" && strings.Trim(u.Path, "/") == "" {
		return u.Scheme + "://" + u.Host + u.Path
	}
	return u.Scheme + "://" + u.Host + "/" + HiddenSecret
}

// Secrets are the texts that let in where the trigger sends to, and the URL
// itself: what nobody is to see, also where a target repeats what it was sent. A
// value is one by its name, or by its length: short ones stand in an answer by
// chance.
func (s *TriggerSpec) Secrets() (all []string) {
	add := func(least int, texts ...string) {
		for _, t := range texts {
			if len(t) >= least && !slices.Contains(all, t) {
				all = append(all, t)
			}
		}
	}
	least := func(name string) int {
		if (Header{name}).Credential() || strings.Contains(strings.ToLower(name), "sig") {
			return 6
		}
		return 16
	}
	add(6, s.URL)
	if u, err := url.Parse(s.URL); err == nil {
		add(6, u.Scheme+"://"+u.Host) // a name alone stands in much else, such as addresses of mail
		if u.Port() != "" {
			add(6, u.Host)
		}
		add(16, u.RequestURI(), u.EscapedPath(), u.Path, u.RawQuery)
		for name, values := range u.Query() {
			for _, v := range values {
				add(least(name), v, url.QueryEscape(v), url.PathEscape(v))
			}
		}
	}
	for name, value := range s.Headers {
		if !(Header{name, value}).Guarded() {
			continue
		}
		scheme, rest, ok := strings.Cut(value, " ")
		add(least(name), value, rest) // a token without its scheme, too
		if !ok || !strings.EqualFold(scheme, "Basic") {
			continue
		}
		if plain, err := base64.StdEncoding.DecodeString(rest); err == nil {
			_, password, _ := strings.Cut(string(plain), ":")
			add(6, string(plain), password)
		}
	}
	slices.SortFunc(all, func(a, b string) int { return len(b) - len(a) }) // the whole before its parts
	return all
}

// TriggerCall is what a caller fires a trigger with.
type TriggerCall struct {
	// Data is a text, sent as it is or, of a trigger with an Encoding, as the
	// bytes it stands for; or an object, sent as JSON. Absent, null: no body.
	Data json.RawMessage `json:"data,omitempty"`
	// Headers fill slots, and QueryParams are added to the URL's query. Each
	// value is a text, a number, true or false.
	Headers     map[string]json.RawMessage `json:"headers,omitempty"`
	QueryParams map[string]json.RawMessage `json:"query_params,omitempty"`
}

// TriggerAnswer is what came of a firing.
type TriggerAnswer struct {
	Reference ID  `json:"reference_id"` // the firing's event
	Status    int `json:"status"`       // of the answer; 0 where the target could not be reached
	// Data is the answer's body where that is a JSON object; else an object
	// whose member body is other JSON, a text or, with base64 true, the base64
	// of bytes that are none. Where there was more than 1 MiB of it truncated is
	// true. Without a body, it is {}.
	Data  json.RawMessage `json:"data"`
	Error bool            `json:"error"` // not reached, or a status of 400 or more
}
