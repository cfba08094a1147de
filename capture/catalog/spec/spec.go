// Package spec makes event types of what others publish about their webhooks:
// OpenAPI 3.0 and 3.1, AsyncAPI 2 and 3, GitHub's example payloads, Stripe's
// fixtures, JSON Schemas, and lists of our own.
//
// A document is a stranger's: it may be of up to MostBytes and hold up to two
// million values in two hundred levels, and it is never a reason to open
// another one. References that lead out of it are an error. Numbers and the
// order of members stay as they are written.
package spec

import (
	"errors"
	"fmt"
	"strings"

	"code.hooktape.dev/hooktape/capture"
)

// MostBytes is how large a document may be: 32 MiB.
const MostBytes = 32 << 20

// mostTypes is how many event types may come of one document.
const mostTypes = 10_000

// Kind is what a document is.
type Kind string

// The kinds.
const (
	OpenAPI  Kind = "openapi"  // 3.0 and 3.1: webhooks, x-webhooks, callbacks, Stripe's x-stripeEvent
	AsyncAPI Kind = "asyncapi" // 2 and 3
	GitHub   Kind = "github"   // the index.json of @octokit/webhooks-examples, or one *.payload.json
	Stripe   Kind = "stripe"   // fixtures3.json of stripe/openapi
	Types    Kind = "types"    // capture.EventType: one, an array, or one a line
	Schema   Kind = "schema"   // a JSON Schema
)

// Options say how a document is read. All of it may be left out.
type Options struct {
	App  string // the first half of the tags; "": made of the document's title
	Kind Kind   // "": found out
	Name string // the file's name, which may say the event: push.payload.json
	Seed uint64 // of what is generated; the same seed makes the same
	// Escape is done to each string of a sample, so that none of it is taken
	// for a template; nil: nothing is.
	Escape func(string) string
}

// Result is what a document gave.
type Result struct {
	Types []capture.EventType
	Kind  Kind
	Notes []Note
}

// Note is something that was lost on the way, or is wrong in the document.
type Note struct {
	Tag   string `json:"tag,omitempty"`   // of the event type it is about
	Place string `json:"place,omitempty"` // in the document, as a JSON Pointer
	Text  string `json:"text"`
}

func (n Note) String() string {
	var parts []string
	for _, s := range []string{n.Tag, n.Place, n.Text} {
		if s != "" {
			parts = append(parts, s)
		}
	}
	return strings.Join(parts, ": ")
}

// Read makes event types of a document. What can be read is; what cannot has a
// Note. The error says why nothing could, or which reference leads out of the
// document.
func Read(doc []byte, o Options) (Result, error) {
	if len(doc) > MostBytes {
		return Result{}, fmt.Errorf("spec: the document has %d MiB; the most is %d", len(doc)>>20, MostBytes>>20)
	}
	if o.App != "" && !capture.IsSlug(o.App) {
		return Result{}, fmt.Errorf("spec: %q names no app: want up to 63 of a-z, 0-9, - and _", o.App)
	}
	roots, err := decode(doc)
	if err != nil {
		return Result{}, fmt.Errorf("spec: %w", err)
	}
	kind, err := kindOf(roots, o)
	if err != nil {
		return Result{}, fmt.Errorf("spec: %w", err)
	}
	r := &reader{Options: o, kind: kind, doc: newDocument(roots[0]), tags: map[string]bool{}, checkers: map[string]*checker{}}
	if err := r.read(roots); err != nil {
		return Result{}, fmt.Errorf("spec: %s: %w", kind, err)
	}
	if r.unsaid > 0 {
		r.notes = append(r.notes, Note{Text: fmt.Sprintf("and %d notes more", r.unsaid)})
	}
	return Result{Types: r.types, Kind: kind, Notes: r.notes}, nil
}

// reader is one Read.
type reader struct {
	Options
	kind     Kind
	doc      *document
	checkers map[string]*checker // by the reference that is all of a schema
	types    []capture.EventType
	tags     map[string]bool
	notes    []Note
	unsaid   int // notes beyond the most
}

func (r *reader) read(roots []any) error {
	switch r.kind {
	case OpenAPI:
		return r.openAPI(roots[0])
	case AsyncAPI:
		return r.asyncAPI(roots[0])
	case GitHub:
		return r.github(roots[0])
	case Stripe:
		return r.stripe(roots[0])
	case Types:
		return r.own(roots)
	case Schema:
		return r.schema(roots[0])
	}
	return errors.New("no such kind of document: want openapi, asyncapi, github, stripe, types or schema")
}

const mostNotes = 1000

func (r *reader) note(tag, place, format string, args ...any) {
	if len(r.notes) == mostNotes {
		r.unsaid++
		return
	}
	r.notes = append(r.notes, Note{Tag: tag, Place: place, Text: cut(fmt.Sprintf(format, args...), 500)})
}
