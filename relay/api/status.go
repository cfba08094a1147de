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

type health struct {
	Status string `json:"status"` // ok
}

func (s *Server) health(*http.Request) (health, error) { return health{"ok"}, nil }

type versionOf struct {
	Version string `json:"version"`
}

func (s *Server) version(*http.Request) (versionOf, error) { return versionOf{s.Version}, nil }
