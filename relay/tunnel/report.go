package tunnel

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"code.hooktape.dev/hooktape/capture"
)

// report is what became of an event at a listener's target.
type report struct {
	Target  string          `cbor:"1,keyasint"` // URL
	Attempt capture.Attempt `cbor:"2,keyasint"`
}

// mostReports is how many reports a request may have.
const mostReports = 256

// serveAttempts keeps what became of events: for those who look at the relay,
// and for catching up with what nobody has delivered. What went over the wire
// stays with the listener.
func (s *session) serveAttempts(w http.ResponseWriter, r *http.Request) error {
	var in []report
	if err := decoder.NewDecoder(http.MaxBytesReader(w, r.Body, mostJSON)).Decode(&in); err != nil {
		return refuse(http.StatusBadRequest, "%v", err)
	}
	if len(in) > mostReports {
		return refuse(http.StatusBadRequest, "want up to %d reports", mostReports)
	}
	var changes []*capture.Change
	for i := range in {
		a, err := s.reported(r.Context(), &in[i])
		switch {
		case errors.Is(err, capture.ErrNotFound): // not the relay's, or forgotten meanwhile
		case err != nil:
			return err
		default:
			changes = append(changes, &capture.Change{Attempts: []*capture.Attempt{a}})
		}
	}
	err := s.hub.Roster.Keep(r.Context(), changes...)
	if errors.Is(err, capture.ErrFull) || errors.Is(err, capture.ErrUnavailable) {
		return refuse(http.StatusServiceUnavailable, "%v", err)
	}
	if err != nil { // an event that was removed, or an attempt that is somebody else's
		s.hub.Logger.Debug("reports were not kept", "listener", s.name, "err", err)
	}
	return nil
}

// reported is the attempt of a report as the relay keeps it: one at the
// listener's endpoint, of an event that is the listener's to know.
func (s *session) reported(ctx context.Context, in *report) (*capture.Attempt, error) {
	a := &in.Attempt
	if a.Status != capture.AttemptSucceeded && a.Status != capture.AttemptFailed {
		return nil, refuse(http.StatusBadRequest, "attempt %s is %q", a.ID, a.Status)
	}
	if len(in.Target) > 2048 || len(a.URL) > 8<<10 || len(a.Type) > 512 || a.Number < 1 || a.Error != nil && len(a.Error.Message)+len(a.Error.Class) > 8<<10 {
		return nil, refuse(http.StatusBadRequest, "attempt %s is none", a.ID)
	}
	if !s.went.has(a.Event) {
		row, err := s.hub.Log.Event(ctx, a.Event)
		if err != nil {
			return nil, err
		}
		if row.App != s.app || !s.wants(&row.Event) {
			return nil, capture.ErrNotFound
		}
	}
	endpoint, err := s.endpoint(ctx, in.Target)
	if err != nil {
		return nil, err
	}
	a.Endpoint, a.App = endpoint, s.app
	a.Request, a.Response, a.Seq, a.NotBefore = nil, nil, 0, time.Time{}
	return a, nil
}

// endpoint is that of one of the listener's targets, at the relay.
func (s *session) endpoint(ctx context.Context, target string) (capture.ID, error) {
	s.mu.Lock()
	id := s.targets[target]
	s.mu.Unlock()
	if id != "" {
		return id, nil
	}
	e, err := s.hub.Roster.Endpoint(ctx, capture.Endpoint{App: s.app, Listener: true, Of: s.id, EndpointSpec: capture.EndpointSpec{URL: target}})
	if err != nil {
		return "", err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.targets) >= 64 {
		return "", refuse(http.StatusBadRequest, "more targets than anyone listens with")
	}
	s.targets[target] = e.ID
	return e.ID, nil
}

// Sender makes attempts at a listener's target, through its tunnel: those a
// user asks for at the relay.
type Sender struct {
	Hub      *Hub
	Endpoint capture.Endpoint
}

// Send has the listener make the attempt, and fills in what came of it. While
// it is away that is a failure of the class offline.
func (d Sender) Send(ctx context.Context, e *capture.Event, body []byte, a *capture.Attempt) {
	a.Started = time.Now().UTC()
	done, err := d.Hub.order(ctx, d.Endpoint, e, body, a)
	if err != nil {
		a.Status, a.Duration = capture.AttemptFailed, capture.Duration(time.Since(a.Started))
		a.Error = &capture.Failure{Class: capture.FailOffline, Message: err.Error()}
		return
	}
	a.Started, a.Duration, a.Timing, a.Method, a.URL = done.Started, done.Duration, done.Timing, done.Method, done.URL
	a.Status, a.Code, a.Error, a.Response = done.Status, done.Code, done.Error, done.Response
	if a.Status != capture.AttemptSucceeded {
		a.Status = capture.AttemptFailed
	}
}

// Reachable reports whether the listener is connected.
func (d Sender) Reachable(context.Context) error {
	d.Hub.mu.Lock()
	defer d.Hub.mu.Unlock()
	if d.Hub.sessions[d.Endpoint.Of] == nil {
		return ErrNobody
	}
	return nil
}

// Close does nothing: the tunnel is the listener's.
func (d Sender) Close() {}

// order sends an attempt to its listener and waits for what came of it.
func (h *Hub) order(ctx context.Context, to capture.Endpoint, e *capture.Event, body []byte, a *capture.Attempt) (*capture.Attempt, error) {
	deadline := time.Now().Add(time.Minute)
	ctx, cancel := context.WithDeadline(ctx, deadline)
	defer cancel()
	h.mu.Lock()
	s := h.sessions[to.Of]
	if s == nil || len(h.waits) >= mostWaiting {
		h.mu.Unlock()
		return nil, ErrNobody
	}
	w := h.wait(s, a.ID, deadline)
	h.mu.Unlock()
	f := &frame{Kind: isAttempt, Event: e, Attempt: a, Text: to.URL, Body: body}
	if len(body) > MostInline {
		f.Body, f.Apart = nil, true
	}
	select {
	case s.frames <- f:
		s.poke()
	case <-ctx.Done():
		h.forget(a.ID)
		return nil, fmt.Errorf("the listener does not read: %w", ctx.Err())
	}
	return h.await(ctx, w, a.ID)
}
