package api

import (
	"encoding/json"
	"errors"
	"net/http"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/match"
)

// problem is an error as it goes over the wire (RFC 9457). Code is stable:
// programs tell errors apart by it.
type problem struct {
	Title  string `json:"title"`
	Status int    `json:"status"`
	Code   string `json:"code"`
	Detail string `json:"detail"`

	Errors []fieldProblem `json:"errors,omitempty"` // of codes invalid and bad_body: what is wrong where
	Field  string         `json:"field,omitempty"`  // of code conflict: what clashes
	With   string         `json:"with,omitempty"`   // of code conflict: id or slug of what is there
}

// fieldProblem is what is wrong with a member of what a caller sent.
type fieldProblem struct {
	Field  string `json:"field"`
	Detail string `json:"detail"`
}

// about says what is wrong with which member.
func (p *problem) about(field, says string) {
	p.Detail, p.Errors = field+": "+says, []fieldProblem{{field, says}}
}

func (p *problem) Error() string { return p.Detail }

// Unwrap gives the error back that the problem was made from at the other
// end.
func (p *problem) Unwrap() error {
	switch {
	case p.Status == http.StatusUnauthorized || p.Status == http.StatusForbidden:
		return ErrUnauthorized
	case p.Code == codeConflict:
		return &capture.ConflictError{Field: p.Field, With: p.With, What: p.Detail}
	case len(p.Errors) > 0:
		return &capture.FieldError{Field: p.Errors[0].Field, Problem: p.Errors[0].Detail}
	}
	for _, k := range sentinels {
		if k.code == p.Code {
			return k.err
		}
	}
	return nil
}

// codeConflict is the code of a capture.ConflictError.
const codeConflict = "conflict"

// sentinels are the errors that keep their identity on the way to a client.
var sentinels = []struct {
	err    error
	status int
	code   string
}{
	{capture.ErrNotFound, http.StatusNotFound, "not_found"},
	{capture.ErrBadID, http.StatusBadRequest, "bad_id"},
	{capture.ErrDamaged, http.StatusInternalServerError, "damaged"},
	{capture.ErrFull, http.StatusInsufficientStorage, "disk_full"},
	{capture.ErrUnavailable, http.StatusServiceUnavailable, "unavailable"},
	{capture.ErrPinned, http.StatusConflict, "pinned"},
	{capture.ErrNoTarget, http.StatusConflict, "no_target"},
	{capture.ErrDisabled, http.StatusConflict, "disabled"},
	{capture.ErrUnwanted, http.StatusConflict, "unwanted"},
	{capture.ErrRefused, http.StatusConflict, "refused_event"},
	{capture.ErrSealed, http.StatusConflict, "sealed"},
	{capture.ErrBadTarget, http.StatusUnprocessableEntity, "bad_target"},
}

const problemType = "application/problem+json"

// problemOf is err's problem.
func problemOf(err error) *problem {
	p := &problem{Status: http.StatusInternalServerError, Code: "internal", Detail: err.Error()}
	var syntax *match.SyntaxError
	var field *capture.FieldError
	var conflict *capture.ConflictError
	if !errors.As(err, &p) {
		for _, k := range sentinels {
			if errors.Is(err, k.err) {
				p.Status, p.Code = k.status, k.code
			}
		}
		switch {
		case errors.As(err, &field):
			p.Status, p.Code = http.StatusUnprocessableEntity, "invalid"
			p.about(field.Field, field.Problem)
		case errors.As(err, &conflict):
			p.Status, p.Code, p.Field, p.With = http.StatusConflict, codeConflict, conflict.Field, conflict.With
		case errors.As(err, &syntax):
			p.Status, p.Code = http.StatusBadRequest, "bad_filter"
		}
	}
	p.Title = http.StatusText(p.Status)
	return p
}

// fail answers with err's problem.
func fail(w http.ResponseWriter, err error) {
	p := problemOf(err)
	b, err := json.Marshal(p)
	if err != nil {
		panic(err) // strings and numbers only
	}
	w.Header().Set("Content-Type", problemType)
	w.WriteHeader(p.Status)
	w.Write(append(b, '\n'))
}
