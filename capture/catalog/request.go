package catalog

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"code.hooktape.dev/hooktape/capture"
)

// Request is what a sample looks like on the wire, once its templates are
// filled in. Of the event only Method, Target, Headers and Size are set.
//
// Headers are sorted by name. Host, Content-Length and those of one connection
// are left out: whoever sends it makes them. A body without a Content-Type is
// given one if it is JSON and neither a string nor base64. The query is sorted
// by name; of an array each element is a parameter of that name, null is none.
//
// What a sample cannot be is a *capture.FieldError whose field is a path in
// the sample: "params.id".
func Request(s *capture.Sample) (e *capture.Event, body []byte, err error) {
	e = &capture.Event{Method: cmp.Or(s.Method, "POST")}
	if !isToken(e.Method) {
		return nil, nil, &capture.FieldError{Field: "method", Problem: fmt.Sprintf("%q: want a method, such as POST", s.Method)}
	}
	if e.Target, err = target(s); err != nil {
		return nil, nil, err
	}
	if e.Headers, err = headers(s); err != nil {
		return nil, nil, err
	}
	kind := kindOf(e.Headers)
	if body, err = encode(s.Body, kind); err != nil {
		return nil, nil, err
	}
	if kind == anyKind && len(body) > 0 && !isText(s.Body) {
		e.Headers = append(e.Headers, capture.Header{"Content-Type", "application/json"})
	}
	e.Size = int64(len(body))
	return e, body, nil
}

func target(s *capture.Sample) (capture.Raw, error) {
	path := cmp.Or(s.Path, "/")
	if path[0] != '/' || strings.ContainsFunc(path, func(c rune) bool { return c <= ' ' || c == '?' || c == '#' || c == 0x7f }) {
		return "", &capture.FieldError{Field: "path", Problem: fmt.Sprintf("%q: want a path, such as /hooks/{id}; what follows a ? goes into query", s.Path)}
	}
	var out strings.Builder
	for rest := path; rest != ""; {
		before, after, found := strings.Cut(rest, "{")
		out.WriteString(before)
		name, after, closed := strings.Cut(after, "}")
		if found && !closed {
			return "", &capture.FieldError{Field: "path", Problem: fmt.Sprintf("%q: a { is not closed", s.Path)}
		}
		if found {
			v, ok := words(s.Params[name])
			if !ok {
				return "", &capture.FieldError{Field: "params." + name, Problem: "the path asks for it: want a string, a number, true or false"}
			}
			out.WriteString(url.PathEscape(v))
		}
		rest = after
	}
	query, err := query(s.Query)
	if err != nil {
		return "", err
	}
	if query != "" {
		out.WriteString("?" + query)
	}
	return capture.Raw(out.String()), nil
}

func query(of map[string]json.RawMessage) (string, error) {
	var pairs []string
	for _, name := range slices.Sorted(maps.Keys(of)) {
		values := []json.RawMessage{of[name]}
		if v := bytes.TrimSpace(of[name]); len(v) > 0 && v[0] == '[' {
			if err := json.Unmarshal(v, &values); err != nil {
				return "", &capture.FieldError{Field: "query." + name, Problem: "this is no JSON"}
			}
		}
		for _, v := range values {
			if v = bytes.TrimSpace(v); len(v) == 0 || string(v) == "null" {
				continue
			}
			text, ok := fieldText(v)
			if !ok {
				return "", &capture.FieldError{Field: "query." + name, Problem: "this is no JSON"}
			}
			pairs = append(pairs, url.QueryEscape(name)+"="+url.QueryEscape(text))
		}
	}
	return strings.Join(pairs, "&"), nil
}

func headers(s *capture.Sample) (capture.Headers, error) {
	var h capture.Headers
	for _, name := range slices.SortedFunc(maps.Keys(s.Headers), compareFold) {
		v := s.Headers[name]
		if err := CheckHeader(name, v); err != nil {
			return nil, err
		}
		if h.Has(name) {
			return nil, &capture.FieldError{Field: "headers." + name, Problem: "it is there twice, in another case"}
		}
		h = append(h, capture.Header{name, v})
	}
	return h.EndToEnd().Without("Host", "Content-Length"), nil
}

// compareFold orders names in any case, and equal ones by their case.
func compareFold(a, b string) int {
	for i := range min(len(a), len(b)) {
		if x, y := lower(a[i]), lower(b[i]); x != y {
			return int(x) - int(y)
		}
	}
	return cmp.Or(len(a)-len(b), strings.Compare(a, b))
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c
}

// CheckHeader refuses what cannot be sent as a header, with a
// *capture.FieldError of "headers.NAME".
func CheckHeader(name, value string) error {
	if !isToken(name) || strings.ContainsAny(value, "\r\n\x00") {
		return &capture.FieldError{Field: "headers." + name, Problem: "this cannot be sent as a header"}
	}
	return nil
}

// isToken reports whether s is a token of RFC 9110 §5.6.2: what a method and
// a header's name are.
func isToken(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(c rune) bool {
		return !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.ContainsRune("!#$%&'*+-.^_`|~", c))
	})
}
