package fill

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
)

// value is what an expression stands for. The zero value is not there.
type value struct {
	kind kind
	text string
}

type kind byte

const (
	missing kind = iota
	text         // its text
	raw          // JSON, but not null
)

func textual(s string) value { return value{text, s} }
func number(n int64) value   { return value{raw, strconv.FormatInt(n, 10)} }

// jsonValue is the value of valid JSON.
func jsonValue(doc []byte) value {
	doc = bytes.TrimSpace(doc)
	switch {
	case string(doc) == "null":
		return value{}
	case doc[0] == '"':
		return textual(unquoted(doc))
	}
	return value{raw, string(doc)}
}

// String is the value in text.
func (v value) String() string { return v.text }

// json is the value in JSON.
func (v value) json() string {
	switch v.kind {
	case missing:
		return "null"
	case text:
		return quoted(v.text)
	}
	return v.text
}

// quoted is s as a JSON string, with no more escapes than it needs.
func quoted(s string) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.Encode(s) // of a string this has no error
	return string(bytes.TrimSuffix(b.Bytes(), []byte("\n")))
}

// unquoted is the text of a valid JSON string.
func unquoted(doc []byte) (s string) {
	json.Unmarshal(doc, &s)
	return s
}

func tooLong(what string, most int) error {
	return fmt.Errorf("fill: %s: %w of %d MiB", what, ErrTooLong, most>>20)
}
