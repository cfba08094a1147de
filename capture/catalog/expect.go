package catalog

import (
	"encoding/json"

	"code.hooktape.dev/hooktape/capture"
)

// Expect makes a JSON Schema (2020-12) of bodies that are like this one: each
// value of its type, whole numbers and others alike, and anything at all where
// it has null; each member there, and no others. What elements of arrays have
// in common is wanted of each.
func Expect(body json.RawMessage) (json.RawMessage, error) {
	s, err := inferred(body)
	if err != nil {
		return nil, err
	}
	s.expect()
	return json.Marshal(s)
}

// expect makes of what a sample is what its like must be.
func (s *schema) expect() {
	dialect := s.Dialect
	if s.is("null") {
		*s = schema{Dialect: dialect}
		return
	}
	s.Format = ""
	for i, t := range s.Type {
		if t == "integer" {
			s.Type[i] = "number"
		}
	}
	if s.is("object") {
		s.Closed = new(bool)
	}
	for _, member := range s.Properties {
		member.expect()
	}
	if s.Items != nil {
		s.Items.expect()
	}
}

// Body is the body of a request as the sample of it would have it (FromEvent),
// templates aside. A body that is no JSON under a Content-Type that says so is
// a *capture.FieldError.
func Body(h capture.Headers, body []byte) (json.RawMessage, error) { return decode(body, kindOf(h)) }

// Texts is a sample with f done to every text in it that holds "{{", which
// templates begin with. The path, and members' names, are left as they are.
func Texts(s capture.Sample, f func(string) string) capture.Sample {
	s = s.Whole()
	headers := make(map[string]string, len(s.Headers))
	for name, v := range s.Headers {
		headers[name] = f(v)
	}
	all := func(of map[string]json.RawMessage) map[string]json.RawMessage {
		done := make(map[string]json.RawMessage, len(of))
		for name, v := range of {
			done[name] = Escaped(v, f)
		}
		return done
	}
	s.Headers, s.Query, s.Params, s.Body = headers, all(s.Query), all(s.Params), Escaped(s.Body, f)
	return s
}
