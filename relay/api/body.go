package api

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"code.hooktape.dev/hooktape/capture"
)

// readBody decodes a request's JSON into v; no body leaves v as it is. A
// member that v has not is an error that names it.
func readBody(r *http.Request, v any) error {
	dec := json.NewDecoder(r.Body)
	dec.DisallowUnknownFields()
	err := dec.Decode(v)
	if err == io.EOF {
		return nil
	}
	if err == nil {
		if _, err = dec.Token(); err == io.EOF {
			return nil
		}
		err = errors.New("more than one JSON value")
	}
	var over *http.MaxBytesError
	if errors.As(err, &over) {
		return &problem{Status: http.StatusRequestEntityTooLarge, Code: "too_large",
			Detail: fmt.Sprintf("The body is over the limit of %d bytes.", over.Limit)}
	}
	p := &problem{Status: http.StatusBadRequest, Code: "bad_body", Detail: strings.TrimPrefix(err.Error(), "json: ")}
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) {
		p.about(cmp.Or(wrong.Field, "body"), fmt.Sprintf("%s cannot stand here", wrong.Value))
	}
	// The package has no type for this error.
	if name, unknown := strings.CutPrefix(err.Error(), "json: unknown field "); unknown {
		name = strings.Trim(name, `"`)
		says := "there is no such member"
		if meant := capture.Nearest(name, memberNames(reflect.TypeOf(v))); meant != "" {
			says += fmt.Sprintf("; did you mean %q?", meant)
		}
		p.about(name, says)
	}
	return p
}

// memberNames are those of a type and of all within it.
func memberNames(t reflect.Type) (names []string) {
	d := schemas{named: map[string]schema{}}
	d.of(t)
	for _, s := range d.named {
		names = slices.AppendSeq(names, maps.Keys(s["properties"].(map[string]schema)))
	}
	slices.Sort(names) // so that the same is suggested each time
	return names
}
