package catalog

import (
	"encoding/json"
	"fmt"
	"strings"

	"code.hooktape.dev/hooktape/capture"
)

// Selector is the places of a body whose values tell one event type's events
// from another's.
type Selector []capture.Pointer

const (
	mostSelector = 4 << 10 // bytes of it
	mostPlaces   = 16
)

// ParseSelector reads places divided by commas: data.status, or as Ductape has
// it $Event{data}{status}, where one brace too many at the end does no harm.
// What is wrong is a *capture.FieldError about the selector.
func ParseSelector(text string) (s Selector, err error) {
	wrong := func(problem string) (Selector, error) {
		return nil, &capture.FieldError{Field: "selector", Problem: fmt.Sprintf("%.80q: %s", text, problem)}
	}
	if len(text) > mostSelector {
		return wrong("want 4 KiB at most")
	}
	for rest := strings.TrimSpace(text); rest != ""; {
		var names []string
		if rest, names = place(rest); names == nil {
			return wrong("want places such as $Event{data}{status} or data.status, divided by commas")
		}
		p := capture.Pointer("")
		for _, name := range names {
			p += "/" + capture.Pointer(pointerEscaper.Replace(name))
		}
		if s = append(s, p); len(s) > mostPlaces {
			return wrong(fmt.Sprintf("want %d places at most", mostPlaces))
		}
		rest = strings.TrimSpace(rest)
		if after, more := strings.CutPrefix(rest, ","); more {
			if rest = strings.TrimSpace(after); rest == "" {
				return wrong("nothing follows the last comma")
			}
		} else if rest != "" {
			return wrong("want a comma between two places")
		}
	}
	return s, nil
}

var pointerEscaper = strings.NewReplacer("~", "~0", "/", "~1")

// place reads one place, and returns the names it is made of; nil where there
// is none.
func place(text string) (rest string, names []string) {
	braces, ok := strings.CutPrefix(text, "$Event")
	if !ok {
		end := strings.IndexByte(text, ',')
		if end < 0 {
			end = len(text)
		}
		for name := range strings.SplitSeq(text[:end], ".") {
			if name = strings.TrimSpace(name); name == "" || strings.ContainsAny(name, "{}$") {
				return "", nil
			}
			names = append(names, name)
		}
		return text[end:], names
	}
	for strings.HasPrefix(braces, "{") {
		name, after, closed := strings.Cut(braces[1:], "}")
		if !closed || name == "" || strings.Contains(name, "{") {
			return "", nil
		}
		names, braces = append(names, name), after
	}
	return strings.TrimLeft(braces, "}"), names
}

// Values are the texts of the strings, numbers and booleans at the places of a
// body; false where one has none.
func (s Selector) Values(body []byte) (values []string, ok bool) {
	for _, p := range s {
		v, _ := p.Read(body)
		text, ok := words(v)
		if !ok {
			return nil, false
		}
		values = append(values, text)
	}
	return values, len(s) > 0
}

// Wanted are the texts that a selector's value asks for at its places: one, or
// an array of them, or for several places a string with a comma between each.
// What is wrong is a *capture.FieldError about the value.
func (s Selector) Wanted(value json.RawMessage) (values []string, err error) {
	var list []json.RawMessage
	one, isText := text(value)
	switch {
	case isText && len(s) > 1:
		for part := range strings.SplitSeq(one, ",") {
			values = append(values, strings.TrimSpace(part))
		}
	case json.Unmarshal(value, &list) != nil:
		list = []json.RawMessage{value}
	}
	for _, v := range list {
		text, ok := words(v)
		if !ok {
			return nil, &capture.FieldError{Field: "selector_value", Problem: "want a string, a number, true or false, or an array with one for each place"}
		}
		values = append(values, text)
	}
	if len(values) != len(s) {
		return nil, &capture.FieldError{Field: "selector_value", Problem: fmt.Sprintf("it has %d values, and the selector %d places", len(values), len(s))}
	}
	return values, nil
}
