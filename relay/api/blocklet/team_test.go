package blocklet_test

import (
	"strings"
	"testing"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/relay/api/blocklet"
)

func TestSlug(t *testing.T) {
	long := strings.Repeat("aB", 40)
	for team, want := range map[string]string{
		"zNKtCNqYWLYWYW3gWRA1vnRykfCBZYHZvzKr":     "znktcnqywlywyw3gwra1vnrykfcbzyhzvzkr",
		"did:abt:zNKxVGF19f56e9qB4L9zF8Wz3t3V7t7P": "znkxvgf19f56e9qb4l9zf8wz3t3v7t7p",
		"shop":              "shop",
		"did:abt:shop":      "shop",
		"my_shop-1":         "my_shop-1",
		"did:key:z6Mk":      "did-key-z6mk",
		"did:abt:did:abt:x": "did-abt-x",
		"a/b c":             "a-b-c",
		"-_x":               "x",
		"ÄÖ":                "",
		"did:abt:":          "",
		"":                  "",
		long:                strings.ToLower(long[:63]),
	} {
		if got := blocklet.Slug(team); got != want {
			t.Errorf("%q: got %q, want %q", team, got, want)
		}
	}
	// Two that are one: what its comment says of them.
	if blocklet.Slug("zAb") != blocklet.Slug("zaB") {
		t.Error("teams that differ in case are two apps")
	}
}

func FuzzSlug(f *testing.F) {
	f.Add("did:abt:zNKx")
	f.Add("-\xff")
	f.Fuzz(func(t *testing.T, team string) {
		if slug := blocklet.Slug(team); slug != "" && !capture.IsSlug(slug) || blocklet.Slug(slug) != slug {
			t.Errorf("%q: %q is no slug", team, slug)
		}
	})
}
