package wacht

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/relay/api"
)

// fault is an error with a status and words of its own.
type fault struct {
	status  int
	message string
}

func (f *fault) Error() string { return f.message }

// bad is a 400.
func bad(format string, args ...any) error {
	return &fault{http.StatusBadRequest, fmt.Sprintf(format, args...)}
}

// missing is a 404.
func missing(format string, args ...any) error {
	return &fault{http.StatusNotFound, fmt.Sprintf(format, args...)}
}

// fail answers with an error. What is wrong with an input is a 400: 422 is for
// members that are not what they should be, or not there.
func fail(w http.ResponseWriter, err error) {
	var own *fault
	var field *capture.FieldError
	var conflict *capture.ConflictError
	status, message := api.StatusOf(err)
	switch {
	case errors.As(err, &own):
		status, message = own.status, own.message
	case errors.As(err, &field):
		status, message = http.StatusBadRequest, inWords(field)
	case errors.As(err, &conflict):
		message = "Resource already exists: " + conflict.What
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	w.Write(failure(status, message))
}

// theirs are Wacht's names of members.
var theirs = map[string]string{"timeout_ms": "timeout_seconds", "retry.attempts": "max_retries", "rate_limit.max": "rate_limit_config.max_requests",
	"event_type": "event_name", "data": "payload"}

// inWords is what is wrong with a member, as Wacht says it.
func inWords(e *capture.FieldError) string {
	switch {
	case e.Field == "url":
		return "Invalid webhook URL: " + e.Problem
	case strings.HasPrefix(e.Field, "subscriptions[") && strings.HasSuffix(e.Field, "].type"):
		return strings.ToUpper(e.Problem[:1]) + e.Problem[1:]
	}
	name := e.Field
	if rest, ok := strings.CutPrefix(name, "notify"); ok {
		name = "failure_notification_emails" + rest
	}
	return cmp.Or(theirs[name], name) + ": " + e.Problem
}

// failure is an error in both forms: that of Wacht's servers, and the one that
// its client reads.
func failure(status int, message string) []byte {
	type one struct {
		Message string `json:"message"`
		Code    int    `json:"code"`
	}
	b, err := json.Marshal(struct {
		Message string `json:"message"`
		Errors  []one  `json:"errors"`
	}{message, []one{{message, status}}})
	if err != nil {
		panic(err) // strings and numbers only
	}
	return b
}
