package capture

import (
	"encoding/json"
	"strings"
)

// Address is a URL that may hold an ingest key, which lets its bearer send.
// In JSON, and by Masked, the key is hidden.
type Address string

// Masked is the address with all but the last four characters of an ingest
// key hidden, whether it stands in the path or, with - for its _, in the host.
func (a Address) Masked() string {
	s := string(a)
	for _, prefix := range []string{"/in/ik_", "://ik-"} {
		at := indexFold(s, prefix) // hosts may be written in any case
		if at < 0 {
			continue
		}
		at += len(prefix)
		n := len(s) - at
		if end := strings.IndexAny(s[at:], "/?#.:"); end >= 0 {
			n = end
		}
		if n > 4 {
			s = s[:at] + "****" + s[at+n-4:]
		}
	}
	return s
}

func indexFold(s, part string) int {
	for at := range max(len(s)-len(part)+1, 0) {
		if strings.EqualFold(s[at:at+len(part)], part) {
			return at
		}
	}
	return -1
}

// MarshalJSON implements json.Marshaler.
func (a Address) MarshalJSON() ([]byte, error) { return json.Marshal(Raw(a.Masked())) }

// UnmarshalJSON implements json.Unmarshaler.
func (a *Address) UnmarshalJSON(b []byte) error { return json.Unmarshal(b, (*Raw)(a)) }
