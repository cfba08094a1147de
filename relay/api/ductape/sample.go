package ductape

import (
	"bytes"
	"encoding/json"
	"slices"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/catalog"
	"code.hooktape.dev/hooktape/capture/fill"
)

// sampleInput is a sample in one of its two shapes: {headers, query, body,
// params}, or the body alone.
type sampleInput struct{ capture.Sample }

// UnmarshalJSON implements json.Unmarshaler. A sample has the first shape where
// body is there and nothing beside these four. Some tools write either shape as
// JSON in a string.
func (s *sampleInput) UnmarshalJSON(text []byte) error {
	var inner string
	if json.Unmarshal(text, &inner) == nil && json.Valid([]byte(inner)) && bytes.HasPrefix(bytes.TrimSpace([]byte(inner)), []byte("{")) {
		text = []byte(inner)
	}
	var whole map[string]json.RawMessage
	if json.Unmarshal(text, &whole) != nil || !wrapped(whole) {
		s.Body = bytes.Clone(text)
		return nil
	}
	var parts struct {
		Headers map[string]any
		Query   map[string]json.RawMessage
		Params  map[string]json.RawMessage
	}
	for name, into := range map[string]any{"headers": &parts.Headers, "query": &parts.Query, "params": &parts.Params} {
		if len(whole[name]) > 0 && json.Unmarshal(whole[name], into) != nil {
			return &capture.FieldError{Field: "sample." + name, Problem: "want an object"}
		}
	}
	s.Headers = make(map[string]string, len(parts.Headers))
	for name, v := range parts.Headers {
		text, ok := v.(string)
		if !ok {
			return &capture.FieldError{Field: "sample.headers." + name, Problem: "want a string"}
		}
		s.Headers[name] = text
	}
	s.Query, s.Params, s.Body = parts.Query, parts.Params, bytes.Clone(whole["body"])
	return nil
}

// members are those of a sample in its first shape.
var members = []string{"headers", "query", "body", "params"}

func wrapped(sample map[string]json.RawMessage) bool {
	for name := range sample {
		if !slices.Contains(members, name) {
			return false
		}
	}
	_, ok := sample["body"]
	return ok
}

// literal is the sample as an event type has it, where "{{" begins a template.
func (s *sampleInput) literal() capture.Sample { return catalog.Texts(s.Sample, fill.Escape) }

// sampleOutput is a sample as the document has it.
type sampleOutput struct {
	Headers map[string]string          `json:"headers"`
	Query   map[string]json.RawMessage `json:"query"`
	Body    json.RawMessage            `json:"body"`
	Params  map[string]json.RawMessage `json:"params"`
}

// shown is the sample of an event type, with what was escaped as it came, and
// templates that were written elsewhere as they are.
func shown(s capture.Sample) sampleOutput {
	s = catalog.Texts(s, fill.Literal)
	return sampleOutput{s.Headers, s.Query, s.Body, s.Params}
}

// patch is what makes the sample of an event type this one, whatever it had.
func (s *sampleInput) patch(old capture.Sample) map[string]any {
	now := s.literal()
	p := map[string]any{"body": now.Body, "headers": replaced(old.Headers, now.Headers), "query": replaced(old.Query, now.Query), "params": replaced(old.Params, now.Params)}
	return p
}

// replaced is a merge patch (RFC 7396) that leaves nothing of old.
func replaced[T any](old, now map[string]T) map[string]any {
	p := make(map[string]any, len(now))
	for name := range old {
		p[name] = nil
	}
	for name, v := range now {
		p[name] = v
	}
	return p
}
