package relay

import (
	"bytes"
	"encoding/json"
	"net/http"
)

// Problem answers with an RFC 9457 problem on one line, with more members
// where there are some. A 503 asks for another try in a minute, unless
// Retry-After says when already.
func Problem(w http.ResponseWriter, status int, detail string, more map[string]any) {
	if status == http.StatusServiceUnavailable && w.Header().Get("Retry-After") == "" {
		w.Header().Set("Retry-After", "60")
	}
	p := map[string]any{"title": http.StatusText(status), "status": status, "detail": detail}
	for k, v := range more {
		p[k] = v
	}
	var line bytes.Buffer
	if err := json.NewEncoder(&line).Encode(p); err != nil {
		panic(err) // strings and numbers only
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	w.Write(line.Bytes())
}
