package fill

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"maps"
	"net/url"
	"slices"
	"strings"
)

// pipes that make text of text.
var pipes = map[string]func(string) string{
	"text":      func(s string) string { return s },
	"upper":     strings.ToUpper,
	"lower":     strings.ToLower,
	"trim":      strings.TrimSpace,
	"base64":    func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) },
	"urlencode": url.QueryEscape,
	"sha256": func(s string) string {
		sum := sha256.Sum256([]byte(s))
		return hex.EncodeToString(sum[:])
	},
}

// pipe compiles what stands behind a |.
func (c *call) pipe() (pipe, error) {
	switch make := pipes[c.word]; {
	case c.word == "default":
		if err := c.count(1, 1, `body.id | default "none"`); err != nil {
			return nil, err
		}
		return func(v value) value {
			if v.kind == missing {
				return c.args[0].value
			}
			return v
		}, nil
	case c.word == "json":
		return func(v value) value { return textual(v.json()) }, c.count(0, 0, "body.id | json")
	case make != nil:
		return func(v value) value {
			if v.kind == missing {
				return v
			}
			return textual(make(v.text))
		}, c.count(0, 0, "body.id | "+c.word)
	case c.word == "":
		return nil, c.parser.fail(c.pos, "such as | upper", "a pipe is a word")
	}
	return nil, c.parser.fail(c.pos, didYouMean(c.word, append(slices.Sorted(maps.Keys(pipes)), "default", "json")), "unknown pipe %q", c.word)
}
