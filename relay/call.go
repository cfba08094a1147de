package relay

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"code.hooktape.dev/hooktape/capture"
)

// payload is what is sent of data, and the headers that say what it is.
func payload(t *capture.Trigger, data json.RawMessage) ([]byte, capture.Headers, error) {
	wrong := func(format string, args ...any) ([]byte, capture.Headers, error) {
		return nil, nil, &capture.FieldError{Field: "data", Problem: fmt.Sprintf(format, args...)}
	}
	data = bytes.TrimSpace(data)
	if len(data) == 0 || string(data) == "null" {
		return nil, nil, nil
	}
	if !json.Valid(data) || !utf8.Valid(data) {
		return wrong("this is not JSON in UTF-8")
	}
	var text string
	isText := json.Unmarshal(data, &text) == nil
	switch {
	case !isText && data[0] != '{':
		return wrong("want a text or an object")
	case !t.TakesData() && (isText && text == "" || !isText && len(bytes.TrimSpace(data[1:len(data)-1])) == 0):
		return nil, nil, nil
	case !t.TakesData():
		return wrong("a %s takes none", t.Verb())
	case t.Encoding != "":
		raw, err := base64.StdEncoding.DecodeString(text)
		if !isText || err != nil {
			return wrong("want the bytes to send as a text in base64")
		}
		return raw, nil, nil
	case isText:
		return []byte(text), nil, nil
	}
	return data, capture.Headers{{"Content-Type", "application/json"}}, nil
}

// slotted is what a caller gives for the slots among a trigger's headers. Of those
// that have a value the caller's counts for nothing.
func slotted(t *capture.Trigger, given map[string]json.RawMessage) (h capture.Headers, err error) {
	var slots []string                             // in lower case, as Meant wants them
	own := make(map[string]string, len(t.Headers)) // by lower case
	for _, name := range sortedKeys(t.Headers) {
		own[strings.ToLower(name)] = name
		if t.Headers[name] == "" {
			slots = append(slots, strings.ToLower(name))
		}
	}
	seen, values := map[string]bool{}, map[string]string{}
	for _, name := range sortedKeys(given) {
		field := "headers." + name
		as, ok := own[strings.ToLower(name)]
		if !ok {
			return nil, &capture.FieldError{Field: field, Problem: "it takes no such header" + capture.Meant("; did you mean %q?", name, slots)}
		}
		if seen[as] {
			return nil, &capture.FieldError{Field: field, Problem: "is there twice, in another case"}
		}
		seen[as] = true
		text, err := scalar(field, given[name])
		if err != nil {
			return nil, err
		}
		if t.Headers[as] == "" && text != "" {
			values[as] = text
			h = append(h, capture.Header{as, text})
		}
	}
	return h, checkValues(values)
}

// checkValues refuses header values that cannot be sent. Their names are those
// of a trigger, and were checked with it.
func checkValues(values map[string]string) error {
	size := 0
	for _, name := range sortedKeys(values) {
		v := values[name]
		if size += len(v); size > 16<<10 {
			return &capture.FieldError{Field: "headers", Problem: "want at most 16 KiB of them"}
		}
		if strings.TrimSpace(v) != v || strings.ContainsFunc(v, func(c rune) bool { return c < ' ' && c != '\t' || c == 0x7f }) {
			return &capture.FieldError{Field: "headers." + name, Problem: "want a value of one line, without control characters or blanks around it"}
		}
	}
	return nil
}

// asked is the query that a caller gives, behind its question mark; "" where
// that is none.
func asked(t *capture.Trigger, given map[string]json.RawMessage) (string, error) {
	query := url.Values{}
	for _, name := range sortedKeys(given) {
		field := "query_params." + name
		if !slices.Contains(t.QueryParams, name) {
			return "", &capture.FieldError{Field: field, Problem: "it takes no such parameter" + capture.Meant("; did you mean %q?", name, t.QueryParams)}
		}
		if string(bytes.TrimSpace(given[name])) == "null" {
			continue
		}
		text, err := scalar(field, given[name])
		if err != nil {
			return "", err
		}
		query.Set(name, text)
	}
	made := strings.ReplaceAll(query.Encode(), "+", "%20")
	if len(made) > 16<<10 {
		return "", &capture.FieldError{Field: "query_params", Problem: "want at most 16 KiB of them"}
	}
	if made != "" {
		made = "?" + made
	}
	return made, nil
}

// scalar is the text of a JSON text, number, true or false.
func scalar(field string, v json.RawMessage) (string, error) {
	v = bytes.TrimSpace(v)
	var text string
	switch {
	case len(v) == 0 || !json.Valid(v) || v[0] == '{' || v[0] == '[' || v[0] == 'n':
		return "", &capture.FieldError{Field: field, Problem: "want a text, a number, true or false"}
	case v[0] != '"':
		return string(v), nil
	}
	err := json.Unmarshal(v, &text)
	return text, err
}
