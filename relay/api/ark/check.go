package ark

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"code.hooktape.dev/hooktape/capture"
)

// input is what a body says of a webhook; zero is what it does not name.
type input struct {
	event, target string
	enabled       *bool
	conditions    []capture.Condition
}

// read takes a request's body, which must have the members that are named.
func read(r *http.Request, must ...string) (in input, err error) {
	body, err := payload(r)
	if err != nil {
		return in, err
	}
	err = members("", body, must, []member{
		{"event", text(&in.event)}, {"target", uri(&in.target)}, {"enabled", flag(&in.enabled)}, {"conditions", rows(&in.conditions)},
	})
	return in, err
}

// payload is a request's body as JSON. The fields of a form are an object.
func payload(r *http.Request) (json.RawMessage, error) {
	body, err := io.ReadAll(r.Body)
	if over := new(http.MaxBytesError); errors.As(err, &over) {
		return nil, invalid("Payload content length greater than maximum allowed: %d", over.Limit)
	}
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch {
	case len(body) == 0, strings.HasPrefix(kind, "text/"):
		return nil, nil
	case kind == "application/x-www-form-urlencoded":
		form, _ := url.ParseQuery(string(body))
		fields := map[string]any{}
		for name, values := range form {
			fields[name] = values
			if len(values) == 1 {
				fields[name] = values[0]
			}
		}
		return json.Marshal(fields)
	case kind != "application/json" && !strings.HasSuffix(kind, "+json") && r.Header.Get("Content-Type") != "":
		return nil, invalid("Unsupported Media Type")
	case err != nil || !json.Valid(body):
		return nil, invalid("Invalid request payload JSON format")
	}
	return body, nil
}

// member is one that an object may have. read takes its value, or says what
// that must be; at is what it is called.
type member struct {
	name string
	read func(at string, value json.RawMessage) error
}

// members reads an object, and says what is wrong first: in the order of the
// table, then with what is not in it.
func members(at string, value json.RawMessage, must []string, table []member) error {
	var all map[string]json.RawMessage
	if json.Unmarshal(value, &all) != nil || all == nil {
		return invalid(`"%s" must be of type object`, cmp.Or(at, "value"))
	}
	if at != "" {
		at += "."
	}
	for _, m := range table {
		v, ok := all[m.name]
		delete(all, m.name)
		switch {
		case ok:
			if err := m.read(at+m.name, v); err != nil {
				return err
			}
		case slices.Contains(must, m.name):
			return invalid(`"%s" is required`, at+m.name)
		}
	}
	if len(all) > 0 {
		return invalid(`"%s" is not allowed`, at+slices.Sorted(maps.Keys(all))[0])
	}
	return nil
}

func text(into *string) func(string, json.RawMessage) error {
	return func(at string, value json.RawMessage) error {
		switch {
		case value[0] != '"' || json.Unmarshal(value, into) != nil:
			return invalid(`"%s" must be a string`, at)
		case *into == "":
			return invalid(`"%s" is not allowed to be empty`, at)
		}
		return nil
	}
}

func uri(into *string) func(string, json.RawMessage) error {
	return func(at string, value json.RawMessage) error {
		if err := text(into)(at, value); err != nil {
			return err
		}
		if u, err := url.Parse(*into); err != nil || u.Scheme == "" {
			return invalid(`"%s" must be a valid uri`, at)
		}
		return nil
	}
}

// flag takes text too: the document says that it is a string.
func flag(into **bool) func(string, json.RawMessage) error {
	return func(at string, value json.RawMessage) error {
		word := strings.ToLower(strings.Trim(string(value), `"`))
		if word != "true" && word != "false" {
			return invalid(`"%s" must be a boolean`, at)
		}
		on := word == "true"
		*into = &on
		return nil
	}
}

func rows(into *[]capture.Condition) func(string, json.RawMessage) error {
	return func(at string, value json.RawMessage) error {
		var all []json.RawMessage
		if json.Unmarshal(value, &all) != nil || all == nil {
			return invalid(`"%s" must be an array`, at)
		}
		*into = make([]capture.Condition, len(all))
		for i, row := range all {
			c := &(*into)[i]
			err := members(fmt.Sprintf("%s[%d]", at, i), row, []string{"key", "condition"}, []member{
				{"key", text(&c.Key)}, {"value", whatever(&c.Value)}, {"condition", text(&c.Condition)},
			})
			if err != nil {
				return err
			}
		}
		return nil
	}
}

func whatever(into *json.RawMessage) func(string, json.RawMessage) error {
	return func(_ string, value json.RawMessage) error {
		*into = value
		return nil
	}
}
