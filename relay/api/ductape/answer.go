package ductape

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/relay/api"
)

// failure is an error with the status it is answered with.
type failure struct {
	status  int
	message string
}

func (f *failure) Error() string { return f.message }

// answer writes what came of a request: {status, data}, or {status, message,
// code}.
func answer(w http.ResponseWriter, r *http.Request, data any, err error) {
	if err != nil {
		f := &failure{}
		if !errors.As(err, &f) {
			f.status, f.message = api.StatusOf(renamed(err))
		}
		failed(w, f.status, f.message)
		return
	}
	status := http.StatusOK
	if _, is := data.(made); is {
		status = http.StatusCreated
	}
	write(w, status, success{true, data})
}

type success struct {
	Status bool `json:"status"`
	Data   any  `json:"data"`
}

// made is what was not there before.
type made interface{ made() }

// codes are what programs tell failures by.
var codes = map[int]string{
	http.StatusBadRequest: "bad_request", http.StatusUnauthorized: "unauthorized", http.StatusForbidden: "forbidden",
	http.StatusNotFound: "not_found", http.StatusMethodNotAllowed: "method_not_allowed", http.StatusConflict: "conflict",
	http.StatusRequestEntityTooLarge: "too_large", http.StatusUnprocessableEntity: "invalid",
}

func failed(w http.ResponseWriter, status int, message string) {
	code := codes[status]
	if code == "" {
		code = "failed"
	}
	write(w, status, refusal{false, message, code})
}

type refusal struct {
	Status  bool   `json:"status"`
	Message string `json:"message"`
	Code    string `json:"code"`
}

func write(w http.ResponseWriter, status int, v any) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(err) // nothing but what came as JSON
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	w.Write(b.Bytes())
}

// renamed is an error in the words of this API.
func renamed(err error) error {
	if field := new(capture.FieldError); errors.As(err, &field) {
		if name, ok := strings.CutPrefix(field.Field, "selector_value"); ok {
			return &capture.FieldError{Field: "selectorValue" + name, Problem: field.Problem}
		}
	}
	return err
}
