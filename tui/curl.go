package tui

import (
	"encoding/base64"
	"slices"
	"strings"
	"unicode/utf8"

	"code.hooktape.dev/hooktape/capture"
)

// Curl is a shell command that sends a request again, byte for byte. Headers
// that belong to one connection are left out, and those curl would add on
// its own are kept from being added. A body that is not plain text, or is too
// long for a command line, travels through a pipe.
func Curl(method, url string, headers capture.Headers, body []byte) string {
	var b strings.Builder
	data := ""
	switch {
	case len(body) == 0:
	case !pasteable(body):
		b.WriteString("printf %s " + quote(base64.StdEncoding.EncodeToString(body)) + " | base64 -d | ")
		data = "@-"
	case len(body) > 100_000:
		b.WriteString("printf %s " + quote(string(body)) + " | ")
		data = "@-"
	default:
		data = quote(string(body))
	}
	b.WriteString("curl --path-as-is --globoff")
	if method == "HEAD" {
		b.WriteString(" --head")
	} else {
		b.WriteString(" -X " + quote(method))
	}
	b.WriteString(" " + quote(url))
	if target := requestTarget(url); strings.ContainsFunc(target, mended) {
		b.WriteString(" --request-target " + quote(target))
	}
	sent := headers.EndToEnd().Without("Host", "Content-Length", "Expect")
	for _, h := range sent {
		switch line := h[0] + ": " + h[1]; {
		case strings.ContainsFunc(line, control), strings.HasPrefix(h[0], "@"):
		case h[1] == "":
			b.WriteString(" \\\n  -H " + quote(h[0]+";"))
		default:
			b.WriteString(" \\\n  -H " + quote(line))
		}
	}
	own := []string{"User-Agent", "Accept"}
	if data != "" {
		own = append(own, "Content-Type", "Expect")
	}
	for _, name := range own {
		if !sent.Has(name) {
			b.WriteString(" \\\n  -H '" + name + ":'")
		}
	}
	switch {
	case strings.HasPrefix(data, "'@"): // would name a file
		b.WriteString(" \\\n  --data-raw " + data)
	case data != "":
		b.WriteString(" \\\n  --data-binary " + data)
	}
	b.WriteByte('\n')
	return b.String()
}

// requestTarget is what of a URL goes into the request line.
func requestTarget(url string) string {
	_, rest, _ := strings.Cut(url, "://")
	if i := strings.IndexAny(rest, "/?"); i >= 0 {
		return rest[i:]
	}
	return ""
}

// mended reports whether curl would write r otherwise, or leave out what
// follows it.
func mended(r rune) bool { return r <= ' ' || r >= 0x7f || r == '#' }

// pasteable reports whether a body is text that goes through a shell and a
// terminal unchanged, and obeyed by neither.
func pasteable(body []byte) bool {
	return utf8.Valid(body) && !slices.ContainsFunc([]rune(string(body)), func(r rune) bool {
		return r != '\n' && r != '\t' && control(r)
	})
}

// control reports whether r is for terminals to obey.
func control(r rune) bool { return r < 0x20 && r != '\t' || r >= 0x7f && r < 0xa0 }

// quote makes s one word of a shell.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
