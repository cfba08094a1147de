package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
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
	return &problem{Status: http.StatusBadRequest, Code: "bad_body", Detail: strings.TrimPrefix(err.Error(), "json: ")}
}
