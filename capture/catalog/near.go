package catalog

import (
	"cmp"
	"slices"
	"strings"

	"code.hooktape.dev/hooktape/capture"
)

// Near is up to three tags of built-in types that someone who wrote tag may
// have meant, the likeliest first.
func Near(tag string) []string {
	if plain(tag) == "" || len(tag) > 200 {
		return nil
	}
	type guess struct {
		tag  string
		away int
	}
	var near []guess
	for _, t := range builtin() {
		if away, ok := apart(tag, t.Tag); ok {
			near = append(near, guess{t.Tag, away})
		}
	}
	slices.SortStableFunc(near, func(a, b guess) int { return cmp.Compare(a.away, b.away) })
	var tags []string
	for _, g := range near[:min(3, len(near))] {
		tags = append(tags, g.tag)
	}
	return tags
}

// apart says how far what was asked for is from a tag, and whether that is
// near: by edits, or because the event holds what was asked for of that app.
// Without a colon it may be either half.
func apart(asked, tag string) (away int, near bool) {
	app, event, _ := strings.Cut(tag, ":")
	event = plain(event)
	ofApp, ofEvent, whole := strings.Cut(asked, ":")
	asked, ofApp, ofEvent = plain(asked), plain(ofApp), plain(ofEvent)
	away = capture.Edits(asked, plain(tag))
	if !whole {
		away = min(away, capture.Edits(asked, event))
		ofEvent = asked
	}
	if (!whole || ofApp == plain(app)) && strings.Contains("."+event+".", "."+ofEvent+".") || !whole && asked == plain(app) {
		away = min(away, 1)
	}
	return away, away <= max(1, len(asked)/4)
}

// plain is a tag in lower case, its words divided by dots whatever divides
// them there.
func plain(tag string) string {
	return strings.Join(strings.FieldsFunc(strings.ToLower(tag), func(c rune) bool { return strings.ContainsRune(":._/- ", c) }), ".")
}
