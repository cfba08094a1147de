package blocklet

import (
	"strings"

	"code.hooktape.dev/hooktape/capture"
)

// Slug is the app that a team is: its DID without did:abt: before it, in lower
// case, with - for what no slug may hold, and 63 characters at most. So a team
// by an app's slug is that app. Teams that differ in nothing but case, in such
// characters or behind the 63rd are one; of two DIDs that is as likely as that
// somebody guesses one. "" for what has no letter or digit.
func Slug(team string) string {
	slug := strings.Map(func(c rune) rune {
		if capture.IsSlug("0" + string(c)) {
			return c
		}
		return '-'
	}, strings.ToLower(strings.TrimPrefix(team, "did:abt:")))
	slug = strings.TrimLeft(slug, "-_")
	return slug[:min(len(slug), 63)]
}
