package catalog

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"mime"
	"net/url"
	"strings"

	"code.hooktape.dev/hooktape/capture"
)

// kind is how a sample's body becomes bytes.
type kind int

const (
	anyKind   kind = iota // no Content-Type
	jsonKind              // as it is
	formKind              // an object's members are the fields
	otherKind             // of another type, or compressed
)

func kindOf(h capture.Headers) kind {
	name := h.First("Content-Type")
	if name == "" {
		return anyKind
	}
	if coding := h.First("Content-Encoding"); coding != "" && !strings.EqualFold(coding, "identity") {
		return otherKind
	}
	t, _, err := mime.ParseMediaType(name)
	if err != nil {
		t, _, _ = strings.Cut(name, ";")
		t = strings.ToLower(strings.TrimSpace(t))
	}
	switch {
	case t == "application/json" || t == "text/json" || strings.HasSuffix(t, "+json"):
		return jsonKind
	case t == "application/x-www-form-urlencoded":
		return formKind
	}
	return otherKind
}

// encode is the bytes of a sample's body, which is JSON. None, and null, are no
// bytes.
func encode(body json.RawMessage, k kind) ([]byte, error) {
	if trimmed := bytes.TrimSpace(body); len(trimmed) == 0 || string(trimmed) == "null" {
		return nil, nil
	}
	if k == jsonKind || k == anyKind && !isText(body) {
		return body, nil
	}
	if s, ok := text(body); ok {
		return []byte(s), nil
	}
	if b, ok, err := fromBase64(body); ok {
		return b, err
	}
	if k == formKind {
		return form(body)
	}
	return body, nil
}

// isText reports whether a body is a string or base64: bytes of their own.
func isText(body json.RawMessage) bool {
	_, str := text(body)
	_, b64, _ := fromBase64(body)
	return str || b64
}

func text(v json.RawMessage) (s string, ok bool) {
	if v = bytes.TrimSpace(v); len(v) == 0 || v[0] != '"' {
		return "", false
	}
	return s, json.Unmarshal(v, &s) == nil
}

// fromBase64 reads {"base64": "…"}; ok is whether the body is one.
func fromBase64(body json.RawMessage) (b []byte, ok bool, err error) {
	if !bytes.Contains(body, []byte(`"base64"`)) {
		return nil, false, nil
	}
	var of map[string]json.RawMessage
	if json.Unmarshal(body, &of) != nil || len(of) != 1 {
		return nil, false, nil
	}
	s, ok := text(of["base64"])
	if !ok {
		return nil, false, nil
	}
	if b, err = base64.StdEncoding.DecodeString(s); err != nil {
		return nil, true, &capture.FieldError{Field: "body.base64", Problem: "this is no base64 (RFC 4648 §4)"}
	}
	return b, true, nil
}

// form encodes an object's members in their order, as browsers do. An object
// or an array in it is its JSON.
func form(body json.RawMessage) ([]byte, error) {
	if b := bytes.TrimSpace(body); b[0] != '{' {
		return nil, &capture.FieldError{Field: "body", Problem: "want an object whose members are the form's fields, or its text"}
	}
	var out []byte
	d := json.NewDecoder(bytes.NewReader(body))
	d.Token() // the brace; that all of it is JSON is known
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, fmt.Errorf("catalog: form: %w", err)
		}
		var v json.RawMessage
		if err := d.Decode(&v); err != nil {
			return nil, fmt.Errorf("catalog: form: %w", err)
		}
		value, _ := fieldText(v)
		if out != nil {
			out = append(out, '&')
		}
		out = append(out, url.QueryEscape(name.(string))+"="+url.QueryEscape(value)...)
	}
	return out, nil
}

// unform is the object of which form makes body. It is to be checked that it
// does: of repeated names and of other ways to escape it does not.
func unform(body []byte) (json.RawMessage, bool) {
	out := []byte{'{'}
	for pair := range bytes.SplitSeq(body, []byte("&")) {
		name, value, _ := strings.Cut(string(pair), "=")
		name, err := url.QueryUnescape(name)
		if err != nil {
			return nil, false
		}
		if value, err = url.QueryUnescape(value); err != nil {
			return nil, false
		}
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = append(append(out, quote(name)...), ':')
		if v := []byte(value); value != "" && (v[0] == '{' || v[0] == '[') && json.Valid(v) {
			out = append(out, v...)
			continue
		}
		out = append(out, quote(value)...)
	}
	return append(out, '}'), true
}

// fieldText is what a value is in a form or a query: a string is itself, null
// nothing, and anything else its JSON.
func fieldText(v json.RawMessage) (s string, ok bool) {
	if s, ok = text(v); ok {
		return s, true
	}
	if v = bytes.TrimSpace(v); string(v) == "null" {
		return "", true
	}
	return string(v), json.Valid(v)
}

// words is the text of a string, a number, true or false.
func words(v json.RawMessage) (s string, ok bool) {
	if v = bytes.TrimSpace(v); len(v) == 0 || v[0] == '{' || v[0] == '[' || string(v) == "null" {
		return "", false
	}
	return fieldText(v)
}

// quote is a JSON string. Unlike json.Marshal it leaves <, > and & alone.
func quote(s string) json.RawMessage {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		panic(err) // no string fails
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}
