package api

import (
	"fmt"
	"net/http"

	"code.hooktape.dev/hooktape/capture"
)

func (s *Server) attempts(r *http.Request) (l list[capture.Attempt], err error) {
	endpoint, err := named(r.URL.Query(), "endpoint", capture.EndpointID)
	if err != nil {
		return l, err
	}
	return s.attemptsAt(r, endpoint)
}

func (s *Server) endpointAttempts(r *http.Request) (l list[capture.Attempt], err error) {
	e, err := s.endpoint(r)
	if err != nil {
		return l, err
	}
	return s.attemptsAt(r, e.ID)
}

func (s *Server) attemptsAt(r *http.Request, endpoint capture.ID) (l list[capture.Attempt], err error) {
	q := r.URL.Query()
	limit, err := number(q, "limit", mostRows)
	if err != nil {
		return l, err
	}
	query := capture.AttemptQuery{App: q.Get("app"), Endpoint: endpoint, Status: capture.AttemptStatus(q.Get("status")), ByDue: q.Get("order") == "due", Limit: int(limit)}
	switch query.Status {
	case "", capture.AttemptPending, capture.AttemptSucceeded, capture.AttemptFailed, capture.AttemptSkipped:
	default:
		return l, &capture.FieldError{Field: "status", Problem: fmt.Sprintf("%q: want pending, succeeded, failed or skipped", query.Status)}
	}
	if query.Event, err = named(q, "event", capture.EventID); err != nil {
		return l, err
	}
	if query.Cursor, err = named(q, "cursor", capture.AttemptID); err != nil {
		return l, err
	}
	found, err := s.Source.Attempts(r.Context(), query)
	if err != nil || query.ByDue {
		return list[capture.Attempt]{Data: found}, err
	}
	return page(found, limit, func(a capture.Attempt) capture.ID { return a.ID }), nil
}

func (s *Server) attempt(r *http.Request) (a capture.Attempt, err error) {
	id, err := pathID(r, capture.AttemptID)
	if err != nil {
		return a, err
	}
	return s.Source.Attempt(r.Context(), id)
}

func (s *Server) retry(r *http.Request) (l list[*capture.Attempt], err error) {
	a, err := s.attempt(r)
	if err != nil {
		return l, err
	}
	l.Data, err = s.Resend(r.Context(), a.Event, capture.Resend{Attempt: a.ID})
	return l, err
}
