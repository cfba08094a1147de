package catalog

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strings"
	"unicode/utf8"

	"code.hooktape.dev/hooktape/capture"
)

// FromEvent makes a sample of an event, of which Request makes the same body
// again, byte for byte: of JSON that JSON, of a form an object, of text a
// string, of anything else base64. A body that is no JSON under a Content-Type
// that says so is a *capture.FieldError.
//
// Left out are the headers of one connection, what proxies on the way added,
// what hooktape added, signatures, and whatever lets its bearer in: a sample
// is shown around, and signed anew when it is sent.
//
// escape is applied to every text that holds "{{", which templates begin
// with; object members' names are left as they are.
func FromEvent(e *capture.Event, body []byte, escape func(string) string) (capture.Sample, error) {
	safe := func(s string) string {
		if !strings.Contains(s, "{{") {
			return s
		}
		return escape(s)
	}
	// A brace in a path would ask for a parameter, so it goes as a URL has it.
	path := strings.NewReplacer("{", "%7B", "}", "%7D").Replace(e.Path())
	if !strings.HasPrefix(path, "/") { // the * of OPTIONS, or a proxy's whole URL
		path = "/"
	}
	s := capture.Sample{Method: e.Method, Path: path, Headers: map[string]string{}}
	for _, l := range kept(e) {
		name, value := l[0], safe(strings.ToValidUTF8(l[1], "\uFFFD"))
		if had, ok := s.Headers[name]; ok { // RFC 9110 §5.3
			value = had + ", " + value
		}
		s.Headers[name] = value
	}
	var err error
	if s.Query, err = unquery(e.RawQuery(), safe); err != nil {
		return capture.Sample{}, err
	}
	if s.Body, err = decode(body, kindOf(e.Headers)); err != nil {
		return capture.Sample{}, err
	}
	s.Body = Escaped(s.Body, safe)
	return s, nil
}

// kept are an event's headers that belong to what was sent, each name in the
// case it was first written in.
func kept(e *capture.Event) capture.Headers {
	var h capture.Headers
	first := map[string]string{}
	for _, l := range e.Headers.EndToEnd() {
		name := strings.ToLower(l[0])
		if l.Secret() || onTheWay(name) || signs(name) || strings.EqualFold(name, e.Signature.Scheme) {
			continue
		}
		if first[name] == "" {
			first[name] = l[0]
		}
		h = append(h, capture.Header{first[name], l[1]})
	}
	return h
}

// onTheWay reports whether a header, in lower case, was made by the sender's
// HTTP client for this one request, by a proxy, or by hooktape.
func onTheWay(name string) bool {
	switch name {
	case "host", "content-length", "expect", "forwarded", "via", "x-real-ip", "true-client-ip", "x-client-ip", "x-cluster-client-ip",
		"cdn-loop", "x-request-start", "x-envoy-external-address", "traceparent", "tracestate":
		return true
	}
	for _, prefix := range []string{"x-forwarded-", "cf-", "fly-", "x-amzn-", "x-vercel-", "x-envoy-", "ngrok-", "hooktape-"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

// signs reports whether a header, in lower case, is by its name a signature.
func signs(name string) bool {
	for _, word := range []string{"signature", "hmac", "transmission-sig", "content-mac"} {
		if strings.Contains(name, word) {
			return true
		}
	}
	return name == "verif-hash" || name == "x-trello-webhook"
}

func unquery(raw string, safe func(string) string) (map[string]json.RawMessage, error) {
	all, err := url.ParseQuery(raw)
	if err != nil {
		return nil, &capture.FieldError{Field: "query", Problem: err.Error()}
	}
	query := map[string]json.RawMessage{}
	for name, values := range all {
		var list []byte
		for _, v := range values {
			list = append(append(list, ','), quote(safe(strings.ToValidUTF8(v, "\uFFFD")))...)
		}
		query[name] = list[1:]
		if len(values) > 1 {
			query[name] = append(append([]byte{'['}, list[1:]...), ']')
		}
	}
	return query, nil
}

// decode is the first of the ways to write a body down that Request makes the
// same bytes of.
func decode(body []byte, k kind) (json.RawMessage, error) {
	if len(body) == 0 {
		return nil, nil
	}
	var ways []json.RawMessage
	if utf8.Valid(body) {
		if json.Valid(body) {
			ways = append(ways, body)
		}
		if object, ok := unform(body); ok && k == formKind {
			ways = append(ways, object)
		}
		ways = append(ways, quote(string(body)))
	}
	ways = append(ways, json.RawMessage(`{"base64":"`+base64.StdEncoding.EncodeToString(body)+`"}`))
	for _, way := range ways {
		if again, err := encode(way, k); err == nil && bytes.Equal(again, body) {
			return bytes.Clone(way), nil
		}
	}
	return nil, &capture.FieldError{Field: "body", Problem: "the Content-Type says that it is JSON, and it is none"}
}

// Escaped is a JSON document in which every string value that holds "{{" is
// escaped, and every other byte as it was.
func Escaped(doc json.RawMessage, safe func(string) string) json.RawMessage {
	var out []byte
	done := 0
	for i := 0; i < len(doc); i++ {
		if doc[i] != '"' {
			continue
		}
		end := i + quoted(doc[i:])
		if after := bytes.TrimLeft(doc[end:], " \t\r\n"); len(after) == 0 || after[0] != ':' {
			if s, _ := text(doc[i:end]); strings.Contains(s, "{{") {
				out = append(append(out, doc[done:i]...), quote(safe(s))...)
				done = end
			}
		}
		i = end - 1
	}
	if done == 0 {
		return doc
	}
	return append(out, doc[done:]...)
}
