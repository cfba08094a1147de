package catalog

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Infer makes a JSON Schema (2020-12) of a body: its types, the members that
// every object in the same place has, and the formats date-time, uuid, uri and
// email where every string in the same place has that one. A body with
// templates is to be filled in first.
func Infer(body json.RawMessage) (json.RawMessage, error) {
	s, err := inferred(body)
	if err != nil {
		return nil, err
	}
	return json.Marshal(s)
}

func inferred(body json.RawMessage) (*schema, error) {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, fmt.Errorf("catalog: infer a schema: %w", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, fmt.Errorf("catalog: infer a schema: more than one JSON value")
	}
	s := schemaOf(v)
	s.Dialect = "https://json-schema.org/draft/2020-12/schema"
	return s, nil
}

// schema is as much of a JSON Schema as is inferred.
type schema struct {
	Dialect    string             `json:"$schema,omitempty"`
	Type       oneOrMore          `json:"type,omitempty"`
	Format     string             `json:"format,omitempty"`
	Properties map[string]*schema `json:"properties,omitempty"`
	Required   []string           `json:"required,omitempty"`
	Items      *schema            `json:"items,omitempty"`
	Closed     *bool              `json:"additionalProperties,omitempty"` // false: there are no others
}

// oneOrMore is written as a string where it is one.
type oneOrMore []string

func (o oneOrMore) MarshalJSON() ([]byte, error) {
	if len(o) == 1 {
		return json.Marshal(o[0])
	}
	return json.Marshal([]string(o))
}

func schemaOf(v any) *schema {
	switch v := v.(type) {
	case nil:
		return &schema{Type: oneOrMore{"null"}}
	case bool:
		return &schema{Type: oneOrMore{"boolean"}}
	case json.Number:
		if strings.ContainsAny(v.String(), ".eE") {
			return &schema{Type: oneOrMore{"number"}}
		}
		return &schema{Type: oneOrMore{"integer"}}
	case string:
		return &schema{Type: oneOrMore{"string"}, Format: formatOf(v)}
	case []any:
		s := &schema{Type: oneOrMore{"array"}}
		for _, item := range v {
			s.Items = merge(s.Items, schemaOf(item))
		}
		return s
	case map[string]any:
		s := &schema{Type: oneOrMore{"object"}, Properties: map[string]*schema{}, Required: slices.Sorted(maps.Keys(v))}
		for name, member := range v {
			s.Properties[name] = schemaOf(member)
		}
		return s
	}
	panic(fmt.Sprintf("catalog: %T from JSON", v))
}

// merge is the schema of both what a and what b are the schemas of. It may
// change a, which is nil at first.
func merge(a, b *schema) *schema {
	if a == nil {
		return b
	}
	if isString := a.is("string"); isString && b.is("string") && a.Format != b.Format {
		a.Format = ""
	} else if !isString {
		a.Format = b.Format
	}
	if a.is("object") && b.is("object") {
		a.Required = slices.DeleteFunc(a.Required, func(name string) bool { return !slices.Contains(b.Required, name) })
	} else if b.is("object") {
		a.Required = b.Required
	}
	if a.Properties == nil {
		a.Properties = b.Properties
	} else {
		for name, s := range b.Properties {
			a.Properties[name] = merge(a.Properties[name], s)
		}
	}
	if b.Items != nil {
		a.Items = merge(a.Items, b.Items)
	}
	a.Type = append(a.Type, b.Type...)
	slices.SortFunc(a.Type, cmp.Compare)
	if a.Type = slices.Compact(a.Type); a.is("number") {
		a.Type = slices.DeleteFunc(a.Type, func(t string) bool { return t == "integer" })
	}
	return a
}

func (s *schema) is(t string) bool { return slices.Contains(s.Type, t) }

var (
	uuid  = regexp.MustCompile(`^[0-9A-Fa-f]{8}-([0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}$`)
	email = regexp.MustCompile(`^[\w%+-]+(\.[\w%+-]+)*@([0-9A-Za-z]+(-+[0-9A-Za-z]+)*\.)+[A-Za-z]{2,}$`)
)

// formatOf is the format that s surely has. Web addresses are the only URIs
// that are sure: much that is none has a colon.
func formatOf(s string) string {
	if uuid.MatchString(s) {
		return "uuid"
	}
	if _, err := time.Parse(time.RFC3339, s); err == nil {
		return "date-time"
	}
	if u, err := url.Parse(s); err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && isASCII(s) {
		return "uri"
	}
	if email.MatchString(s) {
		return "email"
	}
	return ""
}

// isASCII reports whether s has only characters that a URI (RFC 3986 §2) may
// have; there are other formats for those with more.
func isASCII(s string) bool {
	return !strings.ContainsFunc(s, func(c rune) bool { return c <= ' ' || c > '~' || strings.ContainsRune("\"<>\\^`{|}", c) })
}
