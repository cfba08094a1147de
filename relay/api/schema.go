package api

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"code.hooktape.dev/hooktape/capture"
)

// schema is a JSON Schema, draft 2020-12, as OpenAPI 3.1 has it.
type schema = map[string]any

var text = schema{"type": "string"}

// oneOf is text that is one of the words.
func oneOf[T ~string](words ...T) schema { return schema{"type": "string", "enum": words} }

// spelled are the schemas of types that are not in JSON what they are in Go.
var spelled = map[reflect.Type]schema{
	reflect.TypeFor[time.Time]():        {"type": "string", "format": "date-time"},
	reflect.TypeFor[json.RawMessage]():  {}, // anything
	reflect.TypeFor[[]byte]():           {"type": "string", "contentEncoding": "base64"},
	reflect.TypeFor[capture.ID]():       {"type": "string", "pattern": "^([a-z]+_[0-9A-HJKMNP-TV-Z]{26})?$"},
	reflect.TypeFor[capture.Raw]():      {"type": "string", "description": "Bytes that are not UTF-8 are the lone surrogates U+DC80 to U+DCFF."},
	reflect.TypeFor[capture.Header]():   {"type": "array", "prefixItems": []schema{text, text}, "minItems": 2, "maxItems": 2, "description": "A name and a value."},
	reflect.TypeFor[capture.Digest]():   {"type": "string", "pattern": "^[0-9a-f]{64}$"},
	reflect.TypeFor[capture.Duration](): {"type": "number", "description": "Milliseconds."},
	reflect.TypeFor[capture.Keyring]():  {"type": "string", "description": "Masked, but where the secret was made or rotated."},

	reflect.TypeFor[capture.EndpointStatus](): oneOf("", capture.EndpointEnabled, capture.EndpointDisabled, capture.EndpointDeleted),
	reflect.TypeFor[capture.AttemptStatus]():  oneOf(capture.AttemptPending, capture.AttemptSucceeded, capture.AttemptFailed, capture.AttemptSkipped),
	reflect.TypeFor[capture.DeliveryStatus](): oneOf(capture.DeliveryStatuses...),
	reflect.TypeFor[capture.ReplayStatus]():   oneOf(capture.ReplayQueued, capture.ReplayRunning, capture.ReplayCompleted, capture.ReplayCancelled),
	reflect.TypeFor[capture.Format]():         oneOf(append([]capture.Format{""}, capture.Formats...)...),
	reflect.TypeFor[capture.Origin]():         oneOf(capture.Ingress, capture.FromTrigger, capture.FromSample, capture.FromReplay, capture.Imported),
	reflect.TypeFor[capture.Verdict]():        oneOf(capture.Valid, capture.Invalid, capture.Stale, capture.Unsigned, capture.Unchecked),
	reflect.TypeFor[capture.CheckMode]():      oneOf("", capture.CheckLenient, capture.CheckStrict),
	reflect.TypeFor[capture.Fit]():            oneOf(capture.Fits, capture.FitsAlmost, capture.Misfits, capture.FitsNone, capture.Unfitted),
	reflect.TypeFor[capture.Cause]():          text,
	reflect.TypeFor[capture.Address]():        text,
	reflect.TypeFor[capture.As]():             oneOf("", capture.AsOriginal, capture.AsRetry, capture.AsNew),
	reflect.TypeFor[capture.Side]():           oneOf("", capture.OnIngest, capture.OnDelivery),
	reflect.TypeFor[capture.FaultKind]():      oneOf(capture.Faults...),
	reflect.TypeFor[capture.When]():           oneOf(append([]capture.When{""}, capture.Whens...)...),
	reflect.TypeFor[capture.State]():          oneOf(capture.Captured, capture.Pending, capture.Retrying, capture.OK, capture.Failed, capture.Rejected),
	reflect.TypeFor[capture.Scope]():          oneOf(capture.Scopes...),
	reflect.TypeFor[capture.Interval]():       oneOf(capture.ByMinute, capture.ByHour, capture.ByDay, capture.ByWeek, capture.ByMonth),
}

// schemas are those of Go types, by their name, and in one of three ways. Of
// what the API writes, members without omitempty are always there, null when
// they are nil. Of what it reads, none need be, and others must not; of a
// patch, null takes one away.
type schemas struct {
	named map[string]schema
	as    string // what sets a name apart: "", asInput or asPatch
}

const (
	asInput = "Input"
	asPatch = "Patch"
)

// of is t's schema: a reference, if t is a struct with a name of its own.
func (d schemas) of(t reflect.Type) schema {
	if s, ok := spelled[t]; ok {
		return s
	}
	switch t.Kind() {
	case reflect.Pointer:
		return d.of(t.Elem())
	case reflect.String:
		return text
	case reflect.Bool:
		return schema{"type": "boolean"}
	case reflect.Float64:
		return schema{"type": "number"}
	case reflect.Slice:
		return schema{"type": "array", "items": d.of(t.Elem())}
	case reflect.Map:
		return schema{"type": "object", "additionalProperties": d.of(t.Elem())}
	case reflect.Struct:
		return d.reference(t)
	}
	return schema{"type": "integer"}
}

func (d schemas) reference(t reflect.Type) schema {
	if strings.Contains(t.Name(), "[") {
		return d.object(t) // a list of something
	}
	name := strings.ToUpper(t.Name()[:1]) + t.Name()[1:]
	name = strings.TrimSuffix(name, d.as) + d.as
	if _, done := d.named[name]; !done {
		d.named[name] = nil // for types that hold themselves
		d.named[name] = d.object(t)
	}
	return schema{"$ref": "#/components/schemas/" + name}
}

func (d schemas) object(t reflect.Type) schema {
	properties, required := map[string]schema{}, map[string]bool{}
	d.members(t, properties, required)
	if t == reflect.TypeFor[capture.Response]() { // which writes its body itself
		properties["body"], properties["body_base64"] = text, spelled[reflect.TypeFor[[]byte]()]
	}
	s := schema{"type": "object", "properties": properties}
	if d.as != "" {
		s["additionalProperties"] = false
	} else if len(required) > 0 {
		s["required"] = slices.Sorted(maps.Keys(required))
	}
	return s
}

// members adds those of a struct as encoding/json finds them: a member hides
// those of its name in what is embedded.
func (d schemas) members(t reflect.Type, properties map[string]schema, required map[string]bool) {
	var embedded []reflect.Type
	optional := t.Kind() == reflect.Pointer // with all that is in it
	if optional {
		t = t.Elem()
	}
	for f := range t.Fields() {
		if f.Anonymous {
			embedded = append(embedded, f.Type)
			continue
		}
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if _, hidden := properties[name]; hidden || name == "-" || !f.IsExported() {
			continue
		}
		if !optional && !strings.Contains(options, "omit") {
			required[name] = true
		}
		properties[name] = d.of(f.Type)
		if d.as == asPatch || d.as == "" && required[name] && nilable(f.Type) {
			properties[name] = schema{"anyOf": []schema{properties[name], {"type": "null"}}}
		}
	}
	for _, e := range embedded {
		d.members(e, properties, required)
	}
}

// nilable reports whether encoding/json writes a t as null at times.
func nilable(t reflect.Type) bool {
	k := t.Kind()
	return (k == reflect.Pointer || k == reflect.Slice || k == reflect.Map) && spelled[t] == nil
}
