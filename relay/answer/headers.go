package answer

import (
	"maps"
	"slices"
	"strings"

	"code.hooktape.dev/hooktape/capture"
)

// ofTheWire are headers that say how a request is put on the connection.
var ofTheWire = []string{"host", "content-length", "transfer-encoding", "connection",
	"keep-alive", "proxy-connection", "te", "trailer", "upgrade", "expect"}

// CheckHeaders says which of an endpoint's headers cannot be sent, as a
// FieldError of "headers.NAME": a name that is no token (RFC 9110 §5.6.2),
// that of a header which belongs to the connection or the framing, one that is
// there twice in another case, or a value with control characters or blanks
// around it. All together may be up to 16 KiB.
func CheckHeaders(headers map[string]string) error {
	size, seen := 0, make(map[string]bool)
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		lower, value := strings.ToLower(name), headers[name]
		size += len(name) + len(value)
		problem := ""
		switch {
		case name == "" || strings.IndexFunc(name, func(r rune) bool { return !token(r) }) >= 0:
			problem = "want a name of letters, digits and !#$%&'*+-.^_`|~"
		case slices.Contains(ofTheWire, lower):
			problem = "is decided by the connection"
		case seen[lower]:
			problem = "is there twice, in another case"
		case strings.IndexFunc(value, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }) >= 0:
			problem = "want a value of one line, without control characters"
		case strings.Trim(value, " \t") != value:
			problem = "want a value without blanks around it"
		case size > 16<<10:
			problem = "want at most 16 KiB of headers"
		}
		if problem != "" {
			return &capture.FieldError{Field: "headers." + name, Problem: problem}
		}
		seen[lower] = true
	}
	return nil
}

func token(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("!#$%&'*+-.^_`|~", r)
}

// listed are an endpoint's headers, by name.
func listed(headers map[string]string) (h capture.Headers) {
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		h = append(h, capture.Header{name, headers[name]})
	}
	return h
}

// masked is h as it may be kept: without the values that an endpoint's secret
// headers have and, where we made the request, that of Authorization. What a
// sender sent is kept with its event anyway.
func masked(h capture.Headers, own map[string]string, made bool) capture.Headers {
	h = slices.Clone(h)
	for i, l := range h {
		if _, ours := own[l[0]]; ours && l.Credential() || made && l[0] == "Authorization" {
			h[i][1] = "****"
		}
	}
	return h
}
