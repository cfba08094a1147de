package ductape

import (
	"fmt"
	"strings"

	"code.hooktape.dev/hooktape/capture"
)

// webhookTag refuses what cannot name a webhook.
func webhookTag(tag string) error {
	if strings.Contains(tag, ":") {
		return wrongTag("%.80q: a webhook's tag has no colon: want new-webhook", tag)
	}
	if !isTag(tag) {
		return wrongTag("%.80q: want 1 to 63 lower-case letters, digits, - and _, the first a letter or digit", tag)
	}
	return nil
}

// eventTag is the whole tag of an event. One that names no webhook is one of
// parent's, if there is one.
func eventTag(parent, tag string) (string, error) {
	webhook, event, whole := strings.Cut(tag, ":")
	switch {
	case !whole && parent == "":
		return "", wrongTag("%.80q: want the webhook's tag before it: new-webhook:new-event", tag)
	case !whole:
		webhook, event = parent, tag
	case parent != "" && webhook != parent:
		return "", wrongTag("%.80q is of another webhook than %.80q", tag, parent)
	case strings.Contains(event, ":"):
		return "", wrongTag("%.80q: want one colon: new-webhook:new-event", tag)
	}
	for _, half := range []string{webhook, event} {
		if !isTag(half) {
			return "", wrongTag("%.80q: want lower-case letters, digits, - and _ on both sides of the colon, a letter or digit first", tag)
		}
	}
	return webhook + ":" + event, nil
}

// isTag reports whether s may be half a tag, or name a webhook. What begins like
// an ingest key cannot name an app.
func isTag(s string) bool { return capture.IsSlug(s) && !strings.HasPrefix(s, "ik_") }

func wrongTag(format string, args ...any) error {
	return &capture.FieldError{Field: "tag", Problem: fmt.Sprintf(format, args...)}
}

// sameTag refuses to give what has a tag another one.
func sameTag(tag string, said *string) error {
	_, event, _ := strings.Cut(tag, ":")
	if said == nil || *said == tag || *said == event {
		return nil
	}
	return wrongTag("%.80q: the tag of %.80q never changes", *said, tag)
}
