package ark

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/relay/api"
)

// refusal is an error as ARK words it.
type refusal struct {
	status  int
	message string
}

func (r refusal) Error() string { return r.message }

var errNone = refusal{http.StatusNotFound, "Not Found"}

// invalid is what is wrong with a request's body.
func invalid(format string, args ...any) error {
	return refusal{http.StatusUnprocessableEntity, fmt.Sprintf(format, args...)}
}

// found is errNone for an id of which there is no webhook.
func found(err error) error {
	if errors.Is(err, capture.ErrNotFound) || errors.Is(err, capture.ErrBadID) {
		return errNone
	}
	return err
}

// failure is an error on the wire.
type failure struct {
	Status  int    `json:"statusCode"`
	Error   string `json:"error"`
	Message string `json:"message"`
}

// told is what is answered to an error.
func told(err error) (status int, v any) {
	var said refusal
	var field *capture.FieldError
	if !errors.As(err, &said) {
		said.status, said.message = api.StatusOf(err)
	}
	if errors.As(err, &field) {
		said.message = worded(field)
	}
	return said.status, failure{said.status, http.StatusText(said.status), said.message}
}

// fail answers what Guard refuses.
func fail(w http.ResponseWriter, status int, detail string) {
	if status == http.StatusUnauthorized {
		detail = http.StatusText(status)
	}
	reply(w, status, failure{status, http.StatusText(status), detail})
}

// worded is what is wrong with an endpoint, about the webhook's members.
func worded(e *capture.FieldError) string {
	switch name := subscription.ReplaceAllString(e.Field, ""); name {
	case "url":
		return `"target" must be a valid uri: ` + e.Problem
	case "type":
		return fmt.Sprintf(`"event": %s`, e.Problem)
	default:
		return fmt.Sprintf(`"%s": %s`, name, e.Problem)
	}
}

var subscription = regexp.MustCompile(`^subscriptions\[\d+\]\.`)

func reply(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Cache-Control", "no-cache")
	if v == nil {
		w.WriteHeader(status)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	body := json.NewEncoder(w)
	body.SetEscapeHTML(false)
	body.Encode(v) // who has hung up is told nothing
}
