package api

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"

	"code.hooktape.dev/hooktape/capture"
)

// readBody decodes a request's JSON into v; no body leaves v as it is. A
// member that v has not is an error that names it.
func readBody(r *http.Request, v any) error {
	text, err := io.ReadAll(r.Body)
	if len(bytes.TrimSpace(text)) > 0 && err == nil {
		err = capture.Decode(text, v)
	}
	if err == nil {
		return nil
	}
	if over := new(http.MaxBytesError); errors.As(err, &over) {
		return &problem{Status: http.StatusRequestEntityTooLarge, Code: "too_large",
			Detail: fmt.Sprintf("The body is over the limit of %d bytes.", over.Limit)}
	}
	p := &problem{Status: http.StatusBadRequest, Code: "bad_body", Detail: err.Error()}
	if wrong := new(capture.FieldError); errors.As(err, &wrong) {
		p.about(wrong.Field, wrong.Problem)
	}
	return p
}
