package capture

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
)

// Decode reads v, a pointer, from one JSON value. Members that v has not are
// refused. What is wrong is a *FieldError with what was likely meant; its field
// is "body" where it is the whole.
func Decode(text []byte, v any) error {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	err := dec.Decode(v)
	if err == nil {
		if _, err = dec.Token(); err == io.EOF {
			return nil
		}
		return &FieldError{"body", "more than one JSON value"}
	}
	if err == io.EOF {
		return &FieldError{"body", "it is empty"}
	}
	if wrong := new(json.UnmarshalTypeError); errors.As(err, &wrong) {
		return &FieldError{cmp.Or(wrong.Field, "body"), fmt.Sprintf("%s cannot stand here; want %s", wrong.Value, wanted(wrong.Type))}
	}
	// The package has no type for this error.
	if name, unknown := strings.CutPrefix(err.Error(), "json: unknown field "); unknown {
		name = strings.Trim(name, `"`)
		known := memberNames(reflect.TypeOf(v), map[reflect.Type]bool{})
		return &FieldError{name, "there is no such member" + Meant("; did you mean %q?", name, known)}
	}
	return &FieldError{"body", strings.TrimPrefix(err.Error(), "json: ")}
}

// wanted is what a value of a type is called in JSON.
func wanted(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Pointer:
		return wanted(t.Elem())
	case reflect.String:
		return "a string"
	case reflect.Bool:
		return "true or false"
	case reflect.Float32, reflect.Float64:
		return "a number"
	case reflect.Slice, reflect.Array:
		if t.Elem().Kind() == reflect.Uint8 {
			return "a string"
		}
		return "an array"
	case reflect.Map, reflect.Struct:
		return "an object"
	}
	return "a whole number"
}

// memberNames are those of a type and of all within it.
func memberNames(t reflect.Type, seen map[reflect.Type]bool) (names []string) {
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map:
		return memberNames(t.Elem(), seen)
	case reflect.Struct:
	default:
		return nil
	}
	if seen[t] {
		return nil
	}
	seen[t] = true
	for _, f := range reflect.VisibleFields(t) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name != "" && name != "-" {
			names = append(append(names, name), memberNames(f.Type, seen)...)
		}
	}
	return names
}
