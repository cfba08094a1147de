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
	Relays  bool   `json:"relays,omitempty"` // hooktape listen may connect to it
}

func (s *Server) status(r *http.Request) (Status, error) {
	counts, err := s.Source.Counts(r.Context())
	if bound(r) != "" { // all but where to go on from is about every app
		counts = capture.Counts{Seq: counts.Seq}
	}
	return Status{s.ready(r), counts, s.Version, s.Listeners != nil}, err
}

// ready is what a caller may know of where things are: one bound to an app is
// told the addresses, and not what is forwarded where for the others.
func (s *Server) ready(r *http.Request) capture.Ready {
	if bound(r) != "" {
		return capture.Ready{Ingest: s.Ready.Ingest, API: s.Ready.API, Targets: []string{}}
	}
	return s.Ready
}

type liveness struct {
	Status string `json:"status"` // ok
}

func (s *Server) health(*http.Request) (liveness, error) { return liveness{"ok"}, nil }

// readiness says whether webhooks and listeners are taken.
func (s *Server) readiness(*http.Request) (liveness, error) {
	if s.Busy != nil {
		if err := s.Busy(); err != nil {
			return liveness{}, &problem{Status: http.StatusServiceUnavailable, Code: "busy", Detail: err.Error()}
		}
	}
	return liveness{"ok"}, nil
}

type release struct {
	Version string `json:"version"`
}

func (s *Server) version(*http.Request) (release, error) { return release{s.Version}, nil }
