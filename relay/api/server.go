// Package api is the native management API: JSON under /api/v1, problem
// details (RFC 9457) for every error, cursor paging, and a live stream. Client
// is its other end, and reads as the store does, so that a command need not
// know which of the two it has.
package api

import (
	"cmp"
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/match"
)

// Reader reads events and attempts.
type Reader interface {
	Events(context.Context, capture.Query) (capture.Page, error)
	Event(context.Context, capture.ID) (capture.Row, error)
	Body(context.Context, capture.ID) ([]byte, error)
	Attempts(context.Context, capture.AttemptQuery) ([]capture.Attempt, error)
	Attempt(context.Context, capture.ID) (capture.Attempt, error)
}

// Follower follows the store's sequence.
type Follower interface {
	Counts(context.Context) (capture.Counts, error)
	Facts(ctx context.Context, after uint64, limit int) ([]capture.Fact, error)
	Watch(context.Context) <-chan struct{}
}

// Keeper changes what may change about an event.
type Keeper interface {
	Pin(context.Context, capture.ID, bool) error
	Remove(context.Context, ...capture.ID) error
}

// Source is all that the API serves.
type Source interface {
	Reader
	Follower
	Keeper
}

// mostRows is how many rows a page may have.
const mostRows = 1000

// Server answers the management API.
type Server struct {
	Source  Source
	Resend  func(context.Context, capture.ID, capture.Resend) ([]*capture.Attempt, error)
	Ready   capture.Ready
	Version string
}

// Handler has all routes of the surface. It trusts its callers: for a TCP
// address wrap it in Guard.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	handle := func(pattern string, f func(http.ResponseWriter, *http.Request) error) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			r.Body = http.MaxBytesReader(w, r.Body, 1<<20)
			if err := f(w, r); err != nil {
				fail(w, err)
			}
		})
	}
	handle("GET /api/v1/events", s.events)
	handle("GET /api/v1/events/{id}", s.event)
	handle("DELETE /api/v1/events/{id}", s.remove)
	handle("GET /api/v1/events/{id}/body", s.body)
	handle("PUT /api/v1/events/{id}/pin", s.pin(true))
	handle("DELETE /api/v1/events/{id}/pin", s.pin(false))
	handle("POST /api/v1/events/{id}/replay", s.replay)
	handle("GET /api/v1/attempts", s.attempts)
	handle("GET /api/v1/attempts/{id}", s.attempt)
	handle("GET /api/v1/status", s.status)
	handle("GET /api/v1/live", s.live)
	handle("GET /healthz", func(w http.ResponseWriter, _ *http.Request) error {
		return reply(w, http.StatusOK, map[string]string{"status": "ok"})
	})
	handle("GET /metrics", s.metrics)
	handle("GET /version", func(w http.ResponseWriter, _ *http.Request) error {
		return reply(w, http.StatusOK, map[string]string{"version": s.Version})
	})
	handle("/", func(_ http.ResponseWriter, r *http.Request) error {
		return fmt.Errorf("%s %s: no such resource: %w", r.Method, r.URL.Path, capture.ErrNotFound)
	})
	return mux
}

// Guard lets in only what a person at this machine may have meant: requests
// that name a loopback host, so that no web page can rebind its own name to
// 127.0.0.1, and that come from no foreign page. A token, once there is one,
// is asked of everybody; who comes to an address of this machine that others
// can reach may then call it by any name.
func Guard(next http.Handler, token string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case !loopback(r.Host) && (token == "" || !reachable(r)):
			fail(w, &problem{Status: http.StatusForbidden, Code: "foreign_host",
				Detail: fmt.Sprintf("The Host header names %q. This address answers to localhost only.", r.Host)})
		case foreign(r):
			fail(w, &problem{Status: http.StatusForbidden, Code: "foreign_origin",
				Detail: "The request comes from another site's page."})
		case token != "" && !authorized(r, token) && !open(r.URL.Path):
			w.Header().Set("WWW-Authenticate", "Bearer")
			fail(w, &problem{Status: http.StatusUnauthorized, Code: "unauthorized",
				Detail: "Send the header Authorization: Bearer TOKEN."})
		default:
			next.ServeHTTP(w, r)
		}
	})
}

func authorized(r *http.Request, token string) bool {
	scheme, given, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	return strings.EqualFold(scheme, "Bearer") && subtle.ConstantTimeCompare([]byte(given), []byte(token)) == 1
}

// reachable reports whether r came to an address that is not loopback's.
func reachable(r *http.Request) bool {
	addr, ok := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr)
	return ok && !addr.IP.IsLoopback()
}

func open(path string) bool { return path == "/healthz" || path == "/version" }

func loopback(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.Trim(host, "[]")
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}

func foreign(r *http.Request) bool {
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" && site != "same-origin" && site != "none" {
		return true
	}
	origin := r.Header.Get("Origin")
	if origin == "" {
		return false
	}
	u, err := url.Parse(origin)
	return err != nil || u.Host != r.Host
}

func (s *Server) events(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	limit, err := number(q, "limit", mostRows)
	if err != nil {
		return err
	}
	cursor, err := number(q, "cursor", 0)
	if err != nil {
		return err
	}
	scan, err := number(q, "scan", 0)
	if err != nil {
		return err
	}
	page, err := s.Source.Events(r.Context(), capture.Query{
		Filter: q.Get("filter"), App: q.Get("app"), Ascending: q.Get("order") == "asc",
		Cursor: cursor, Limit: int(limit), Scan: int(scan),
	})
	if err != nil {
		return err
	}
	next := ""
	if page.Next != 0 {
		next = strconv.FormatUint(page.Next, 10)
	}
	return reply(w, http.StatusOK, list[capture.Row]{page.Rows, next})
}

// list is a page of anything. An empty NextCursor says it is the last.
type list[T any] struct {
	Data       []T    `json:"data"`
	NextCursor string `json:"next_cursor,omitempty"`
}

func (l list[T]) MarshalJSON() ([]byte, error) {
	if l.Data == nil {
		l.Data = []T{}
	}
	type plain list[T]
	return json.Marshal(plain(l))
}

func (s *Server) event(w http.ResponseWriter, r *http.Request) error {
	id, err := capture.ParseID(capture.EventID, r.PathValue("id"))
	if err != nil {
		return err
	}
	row, err := s.Source.Event(r.Context(), id)
	if err != nil {
		return err
	}
	return reply(w, http.StatusOK, row)
}

func (s *Server) body(w http.ResponseWriter, r *http.Request) error {
	id, err := capture.ParseID(capture.EventID, r.PathValue("id"))
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

func (s *Server) remove(w http.ResponseWriter, r *http.Request) error {
	id, err := capture.ParseID(capture.EventID, r.PathValue("id"))
	if err != nil {
		return err
	}
	if err := s.Source.Remove(r.Context(), id); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (s *Server) pin(on bool) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		id, err := capture.ParseID(capture.EventID, r.PathValue("id"))
		if err != nil {
			return err
		}
		if err := s.Source.Pin(r.Context(), id, on); err != nil {
			return err
		}
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
}

func (s *Server) replay(w http.ResponseWriter, r *http.Request) error {
	id, err := capture.ParseID(capture.EventID, r.PathValue("id"))
	if err != nil {
		return err
	}
	var resend capture.Resend
	if err := readBody(r, &resend); err != nil {
		return err
	}
	made, err := s.Resend(r.Context(), id, resend)
	if err != nil {
		return err
	}
	return reply(w, http.StatusAccepted, list[*capture.Attempt]{Data: made})
}

// readBody decodes a request's JSON into v; no body leaves v as it is. A
// member that v has not is an error that names it.
func readBody(r *http.Request, v any) error {
	dec := json.NewDecoder(r.Body)
	dec.DisallowUnknownFields()
	err := dec.Decode(v)
	if err == io.EOF {
		return nil
	}
	if err == nil {
		if _, err = dec.Token(); err == io.EOF {
			return nil
		}
		err = errors.New("more than one JSON value")
	}
	var over *http.MaxBytesError
	if errors.As(err, &over) {
		return &problem{Status: http.StatusRequestEntityTooLarge, Code: "too_large",
			Detail: fmt.Sprintf("The body is over the limit of %d bytes.", over.Limit)}
	}
	return &problem{Status: http.StatusBadRequest, Code: "bad_body", Detail: strings.TrimPrefix(err.Error(), "json: ")}
}

func (s *Server) attempts(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	limit, err := number(q, "limit", mostRows)
	if err != nil {
		return err
	}
	query := capture.AttemptQuery{Status: capture.AttemptStatus(q.Get("status")), Limit: int(limit)}
	if id := q.Get("event"); id != "" {
		if query.Event, err = capture.ParseID(capture.EventID, id); err != nil {
			return err
		}
	}
	if id := q.Get("cursor"); id != "" {
		if query.Cursor, err = capture.ParseID(capture.AttemptID, id); err != nil {
			return err
		}
	}
	attempts, err := s.Source.Attempts(r.Context(), query)
	if err != nil {
		return err
	}
	next := ""
	if len(attempts) == cmp.Or(query.Limit, 50) {
		next = string(attempts[len(attempts)-1].ID)
	}
	return reply(w, http.StatusOK, list[capture.Attempt]{attempts, next})
}

func (s *Server) attempt(w http.ResponseWriter, r *http.Request) error {
	id, err := capture.ParseID(capture.AttemptID, r.PathValue("id"))
	if err != nil {
		return err
	}
	a, err := s.Source.Attempt(r.Context(), id)
	if err != nil {
		return err
	}
	return reply(w, http.StatusOK, a)
}

// Status is what a running owner says of itself.
type Status struct {
	capture.Ready
	capture.Counts
	Version string `json:"version"`
}

func (s *Server) status(w http.ResponseWriter, r *http.Request) error {
	counts, err := s.Source.Counts(r.Context())
	if err != nil {
		return err
	}
	return reply(w, http.StatusOK, Status{s.Ready, counts, s.Version})
}

// number reads a whole number of the query; 0 when it is not there. A most of
// 0 sets no bound.
func number(q url.Values, name string, most uint64) (uint64, error) {
	v := q.Get(name)
	if v == "" {
		return 0, nil
	}
	n, err := strconv.ParseUint(v, 10, 63)
	if err != nil || most > 0 && n > most {
		return 0, &problem{Status: http.StatusBadRequest, Code: "bad_parameter",
			Detail: fmt.Sprintf("%s=%q: want a whole number%s.", name, v, map[bool]string{true: fmt.Sprintf(" up to %d", most)}[most > 0])}
	}
	return n, nil
}

func reply(w http.ResponseWriter, status int, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, err = w.Write(append(b, '\n'))
	return err
}

// problem is an error as it goes over the wire (RFC 9457). Code is stable:
// programs tell errors apart by it.
type problem struct {
	Title  string `json:"title"`
	Status int    `json:"status"`
	Code   string `json:"code"`
	Detail string `json:"detail"`
}

func (p *problem) Error() string { return p.Detail }

// Unwrap gives the sentinel back that the problem was made from at the other
// end.
func (p *problem) Unwrap() error {
	for _, k := range sentinels {
		if k.code == p.Code {
			return k.err
		}
	}
	return nil
}

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
	{capture.ErrRefused, http.StatusConflict, "refused_event"},
	{capture.ErrBadTarget, http.StatusUnprocessableEntity, "bad_target"},
}

// fail answers with err's problem.
func fail(w http.ResponseWriter, err error) {
	p := &problem{Status: http.StatusInternalServerError, Code: "internal", Detail: err.Error()}
	var syntax *match.SyntaxError
	if !errors.As(err, &p) {
		for _, k := range sentinels {
			if errors.Is(err, k.err) {
				p.Status, p.Code = k.status, k.code
			}
		}
		if errors.As(err, &syntax) {
			p.Status, p.Code = http.StatusBadRequest, "bad_filter"
		}
	}
	p.Title = http.StatusText(p.Status)
	b, err := json.Marshal(p)
	if err != nil {
		panic(err) // strings and numbers only
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(p.Status)
	w.Write(append(b, '\n'))
}
