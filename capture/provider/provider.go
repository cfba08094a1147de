// Package provider tells whose webhook a request is: who sent it, what kind
// of event it is, which id its sender gives it and where its signature is.
//
// All it knows is in one table, a row for each way in which a provider can be
// known (table.go). It reads the head and at most the first 64 KiB of the
// body, in one pass, whatever they hold: half a JSON document, another
// content type or no text at all only mean that less is recognised. It
// verifies nothing: a name is what a request claims, and Signed is where to
// look for the proof.
package provider

import (
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"code.hooktape.dev/hooktape/capture"
)

// Found is what a request says about itself. Its values are as they were
// sent, never longer than 200 bytes, and not safe to print.
type Found struct {
	// Provider is one of Names, or "" when nobody is recognised.
	Provider string

	// Type is the event's type in the provider's own words: what its
	// documentation calls it and its users would filter on. Where a header
	// says it, that is the header's value, without what the body may add:
	// GitHub's is "push" or "issues" (not "issues.opened"), GitLab's "Push
	// Hook", Sentry's and Linear's the resource. Where the provider says it
	// in two parts they are joined by a dot: "whatsapp_business_account.messages"
	// (Meta), "task.changed" (Asana), "INVOICE.UPDATE" (Xero). The question
	// whether an endpoint is there is "verification", unless the provider has
	// a word for it ("url_verification", "SubscriptionConfirmation").
	//
	// When Provider is "" this is a guess: the first that looks like a type of
	// the headers X-Event-Type, X-Webhook-Event, X-Webhook-Topic, X-Event-Name,
	// X-Event-Key, X-Event, X-Topic, and then of the top-level strings type,
	// event, event_type, eventType, topic, action in a JSON or form body.
	Type string

	// ID is the provider's id of the delivery, or of the event where
	// deliveries have none: the same again when it is sent again, and
	// therefore what to find duplicates by. It is "" where a provider sends
	// nothing that would do.
	ID string

	// Signed is the name of the header ("Stripe-Signature"), or the path of
	// the body's member ("signature.signature"), that holds the signature or
	// the shared secret; "" when there is none in what was read.
	Signed string
}

// Peek is how many bytes of a body are looked at.
const Peek = 64 << 10

const (
	maxValue = 200 // bytes of a value handed out
	maxGuess = 100 // characters of a guessed type
)

// Recognise reads the head of a request and the beginning of its body. It
// never fails, and what it allocates does not grow with the body.
func Recognise(method, target string, h capture.Headers, body []byte) Found {
	prepare()
	var r request
	r.read(method, target, h, body)
	for i := range rows {
		row := &rows[i]
		if _, found := r.pick(row.known, anything); found == nil {
			continue
		}
		return r.found(row, something)
	}
	return r.found(&guesses, plausible)
}

// Describe notes on an event what Recognise finds, and what that says of its
// signature: that there is none, or one that nobody has checked.
func Describe(e *capture.Event, body []byte) {
	found := Recognise(e.Method, string(e.Target), e.Headers, body)
	e.Provider, e.Type, e.ProviderID = found.Provider, found.Type, found.ID
	e.Signature = capture.Signature{Verdict: capture.Unsigned}
	if found.Signed != "" || len(body) > Peek { // beyond it nobody has looked
		e.Signature = capture.Signature{Verdict: capture.Unchecked, Scheme: found.Signed}
	}
}

// Names are all providers in the table, sorted.
func Names() []string {
	var names []string
	for _, row := range table {
		if row.name != "" {
			names = append(names, row.name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func anything(string) bool    { return true }
func something(s string) bool { return s != "" }

// plausible reports whether s could be an event's type: a name, and neither a
// number nor a text.
func plausible(s string) bool {
	if _, err := strconv.ParseFloat(s, 64); err == nil || s == "" || s == "true" || s == "false" {
		return false
	}
	return len(s) <= maxValue-utf8.UTFMax && // longer ones may have been cut
		utf8.RuneCountInString(s) <= maxGuess && !strings.ContainsFunc(s, unicode.IsControl)
}

// cut is s, or as much of it as is handed out, not ending within a character.
func cut[T string | []byte](s T) T {
	if len(s) <= maxValue {
		return s
	}
	n := maxValue
	for n > maxValue-utf8.UTFMax && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
