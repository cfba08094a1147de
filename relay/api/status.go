package api

import (
	"net/http"

	"code.hooktape.dev/hooktape/capture"
)

// Status is what a running owner says of itself.
type Status struct {
	capture.Ready
	capture.Counts
	Version string `json:"version"`
}

func (s *Server) status(r *http.Request) (Status, error) {
	counts, err := s.Source.Counts(r.Context())
	return Status{s.Ready, counts, s.Version}, err
}

type liveness struct {
	Status string `json:"status"` // ok
}

func (s *Server) health(*http.Request) (liveness, error) { return liveness{"ok"}, nil }

type release struct {
	Version string `json:"version"`
}

func (s *Server) version(*http.Request) (release, error) { return release{s.Version}, nil }
