package sign

import (
	"bytes"
	"encoding/json"
	"fmt"
	"iter"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"code.hooktape.dev/hooktape/capture"
)

// A place is where a request says something: a header by its name, a member
// of the JSON body by its pointer ("/a/b"), a field of the form ("form:a").
type place struct {
	kind placeKind
	name string // of the header or field
	at   capture.Pointer
}

type placeKind uint8

const (
	nowhere placeKind = iota
	inHeader
	inJSON
	inForm
)

func placeOf(s string) place {
	if strings.HasPrefix(s, "/") {
		return place{inJSON, s, capture.Pointer(s)}
	}
	if name, ok := strings.CutPrefix(s, "form:"); ok {
		return place{kind: inForm, name: name}
	}
	return place{kind: inHeader, name: s}
}

// String is the place's name as capture/provider and verdicts tell it:
// "X-Signature", "signature.token".
func (p place) String() string {
	if p.kind == inJSON {
		return strings.ReplaceAll(strings.TrimPrefix(p.name, "/"), "/", ".")
	}
	return p.name
}

// fits reports whether a request is of the kind that has such a place.
func (p place) fits(r *Request) bool {
	switch p.kind {
	case inJSON:
		return len(r.Body) > 0 && !isForm(r)
	case inForm:
		return isForm(r)
	}
	return true
}

// read is what stands there. Pointers are read in doc.
func (p place) read(r *Request, doc []byte) (string, bool) {
	switch p.kind {
	case inHeader:
		for i := range r.Headers {
			if strings.EqualFold(r.Headers[i][0], p.name) {
				return r.Headers[i][1], true
			}
		}
	case inJSON:
		if raw, ok := p.at.Read(doc); ok {
			return plain(raw)
		}
	case inForm:
		for name, value := range fields(r.Body) {
			if name == p.name {
				return value, true
			}
		}
	}
	return "", false
}

// plain is a string's text, and every other value as it is written; null and
// what is no scalar are nothing.
func plain(raw json.RawMessage) (string, bool) {
	switch raw[0] {
	case '"':
		var s string
		err := json.Unmarshal(raw, &s)
		return s, err == nil
	case 'n', '{', '[':
		return "", false
	}
	return string(raw), true
}

// set puts a value there. In JSON a number stays one. base is the pointer of
// the element in which a way's own pointers are read, or "".
func (p place) set(r *Request, base capture.Pointer, value string) error {
	switch p.kind {
	case inHeader:
		r.Headers = setHeader(r.Headers, p.name, value)
	case inJSON:
		at := base + p.at
		if !utf8.ValidString(value) {
			return fmt.Errorf("%s cannot hold what is no text", p)
		}
		text, err := json.Marshal(value)
		if err != nil {
			return err
		}
		if old, ok := at.Read(r.Body); ok && old[0] != '"' && json.Valid([]byte(value)) {
			text = []byte(value)
		}
		body, err := at.Set(r.Body, text)
		if up := strings.LastIndexByte(string(at), '/'); err != nil && up > 0 {
			if _, there := at[:up].Read(r.Body); !there {
				body, err = at[:up].Set(r.Body, fmt.Appendf(nil, "{%q:%s}", at[up+1:], text))
			}
		}
		if err != nil {
			return err
		}
		r.Body = body
	case inForm:
		r.Body = setField(r.Body, p.name, &value)
	}
	return nil
}

// clear takes out what stands there. A member of JSON becomes "", since how
// it was separated from its neighbours is the sender's.
func (p place) clear(r *Request, base capture.Pointer) error {
	switch p.kind {
	case inHeader:
		if r.Headers.Has(p.name) {
			r.Headers = r.Headers.Without(p.name)
		}
	case inJSON:
		if _, ok := (base + p.at).Read(r.Body); ok {
			body, err := (base + p.at).Set(r.Body, json.RawMessage(`""`))
			r.Body = body
			return err
		}
	case inForm:
		r.Body = setField(r.Body, p.name, nil)
	}
	return nil
}

// setHeader changes h to have one line of that name: in the place and in the
// case of the first there is, else at the end.
func setHeader(h capture.Headers, name, value string) capture.Headers {
	done := false
	for i := 0; i < len(h); i++ {
		switch {
		case !strings.EqualFold(h[i][0], name):
		case done:
			h = slices.Delete(h, i, i+1)
			i--
		default:
			h[i][1], done = value, true
		}
	}
	if !done {
		h = append(h, capture.Header{name, value})
	}
	return h
}

// isForm reports whether the body is one of fields.
func isForm(r *Request) bool {
	const form = "application/x-www-form-urlencoded"
	kind := r.Headers.First("Content-Type")
	return len(kind) >= len(form) && strings.EqualFold(kind[:len(form)], form)
}

// fields are the form's, decoded. What cannot be decoded is as it is.
func fields(body []byte) iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		for one := range bytes.SplitSeq(body, []byte("&")) {
			name, value, _ := bytes.Cut(one, []byte("="))
			if len(one) > 0 && !yield(unescape(string(name)), unescape(string(value))) {
				return
			}
		}
	}
}

func unescape(s string) string {
	if plain, err := url.QueryUnescape(s); err == nil {
		return plain
	}
	return s
}

// setField is the form with the value of that field changed, or added; nil:
// without it. All others are as they were.
func setField(body []byte, name string, value *string) []byte {
	var out [][]byte
	done := value == nil
	for one := range bytes.SplitSeq(body, []byte("&")) {
		raw, _, _ := bytes.Cut(one, []byte("="))
		if unescape(string(raw)) != name {
			out = append(out, one)
			continue
		}
		if !done {
			out, done = append(out, slices.Concat(raw, []byte("="), []byte(url.QueryEscape(*value)))), true
		}
	}
	if !done {
		out = append(out, []byte(url.QueryEscape(name)+"="+url.QueryEscape(*value)))
	}
	return bytes.TrimPrefix(bytes.Join(out, []byte("&")), []byte("&"))
}
