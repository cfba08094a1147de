package api

import (
	"cmp"
	"net/http"
	"strconv"

	"code.hooktape.dev/hooktape/capture"
)

func (s *Server) events(r *http.Request) (l list[capture.Row], err error) {
	q := r.URL.Query()
	limit, err := number(q, "limit", mostRows)
	if err != nil {
		return l, err
	}
	cursor, err := number(q, "cursor", 0)
	if err != nil {
		return l, err
	}
	scan, err := number(q, "scan", 0)
	if err != nil {
		return l, err
	}
	page, err := s.Source.Events(r.Context(), capture.Query{
		Filter: q.Get("filter"), App: cmp.Or(r.PathValue("app"), q.Get("app")), Ascending: q.Get("order") == "asc",
		Cursor: cursor, Limit: int(limit), Scan: int(scan),
	})
	if l.Data = page.Rows; page.Next != 0 {
		l.NextCursor = strconv.FormatUint(page.Next, 10)
	}
	return l, err
}

func (s *Server) event(r *http.Request) (row capture.Row, err error) {
	id, err := pathID(r, capture.EventID)
	if err != nil {
		return row, err
	}
	return s.Source.Event(r.Context(), id)
}

func (s *Server) body(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r, capture.EventID)
	if err != nil {
		return err
	}
	body, err := s.Source.Body(r.Context(), id)
	if err != nil {
		return err
	}
	// The bytes are a stranger's: no browser is to run them.
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Content-Disposition", "attachment")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	_, err = w.Write(body)
	return err
}

func (s *Server) remove(r *http.Request) error {
	id, err := pathID(r, capture.EventID)
	if err != nil {
		return err
	}
	return s.Source.Remove(r.Context(), id)
}

func (s *Server) pin(on bool) func(*http.Request) error {
	return func(r *http.Request) error {
		id, err := pathID(r, capture.EventID)
		if err != nil {
			return err
		}
		return s.Source.Pin(r.Context(), id, on)
	}
}

func (s *Server) replay(r *http.Request, what capture.Resend) (l list[*capture.Attempt], err error) {
	id, err := pathID(r, capture.EventID)
	if err != nil {
		return l, err
	}
	if app := bound(r); app != "" && what.Endpoint != "" {
		if err := s.own(r.Context(), app, capture.EndpointID, string(what.Endpoint)); err != nil {
			return l, err
		}
	}
	if what.As != "" {
		if err := s.Registry.CheckAs(r.Context(), id, what.As); err != nil {
			return l, err
		}
	}
	l.Data, err = s.Resend(r.Context(), id, what)
	return l, err
}

func (s *Server) explain(r *http.Request) (l list[capture.Explanation], err error) {
	id, err := pathID(r, capture.EventID)
	if err != nil {
		return l, err
	}
	l.Data, err = s.registry(r).Explain(r.Context(), id)
	return l, err
}
