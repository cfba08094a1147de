package api

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"code.hooktape.dev/hooktape/capture"
)

// emissionInput is what an event is made of.
type emissionInput struct {
	capture.Emission
	Alias string `json:"type,omitempty"` // of event_type
}

// emission is the input with what its aliases say.
func (in emissionInput) emission(r *http.Request) (capture.Emission, error) {
	what := in.Emission
	for _, twice := range []struct {
		member *string
		also   string
		field  string
		by     string
	}{
		{&what.Type, in.Alias, "event_type", "type"},
		{&what.Key, r.Header.Get("Idempotency-Key"), "idempotency_key", "the header Idempotency-Key"},
	} {
		if *twice.member != "" && twice.also != "" && *twice.member != twice.also {
			return what, &capture.FieldError{Field: twice.field, Problem: fmt.Sprintf("%q, but %s says %q", *twice.member, twice.by, twice.also)}
		}
		*twice.member = cmp.Or(*twice.member, twice.also)
	}
	return what, nil
}

func (s *Server) emit(w http.ResponseWriter, r *http.Request) error {
	var in emissionInput
	if err := readBody(r, &in); err != nil {
		return err
	}
	what, err := in.emission(r)
	if err != nil {
		return err
	}
	e, fresh, err := s.registry(r).Emit(r.Context(), r.PathValue("app"), what)
	if err != nil {
		return err
	}
	w.Header().Set("Location", "/api/v1/events/"+string(e.ID))
	if !fresh {
		return reply(w, http.StatusOK, e)
	}
	return reply(w, http.StatusCreated, e)
}

// Emit implements Registry.
func (c *Client) Emit(ctx context.Context, slug string, what capture.Emission) (e capture.Event, fresh bool, err error) {
	body, err := emitted(what)
	if err != nil {
		return e, false, err
	}
	status, err := c.app(ctx, "POST", slug, "/events", body, &e)
	return e, status == http.StatusCreated, err
}

// emitted is what in JSON with its data byte for byte, which Marshal would
// respell.
func emitted(what capture.Emission) (json.RawMessage, error) {
	data := what.Data
	what.Data = nil
	b, err := json.Marshal(struct {
		capture.Emission
		Data json.RawMessage `json:"data,omitempty"` // hides the other
	}{Emission: what})
	if err != nil || len(data) == 0 {
		return b, err
	}
	if !json.Valid(data) {
		return nil, &capture.FieldError{Field: "data", Problem: "not JSON"}
	}
	return fmt.Appendf(b[:len(b)-1], `,"data":%s}`, data), nil
}
