package relay

import (
	"context"
	"time"

	"code.hooktape.dev/hooktape/capture"
)

// Sender makes one attempt, as dispatch.Sender has it.
type Sender interface {
	Send(ctx context.Context, e *capture.Event, body []byte, a *capture.Attempt)
	Reachable(context.Context) error
	Close()
}

// Stamped sends what a user has sent again, and what is tried again of a
// sample, as a.As says: with a new time and signed anew. raw reports whether an
// event goes to that endpoint as it was caught: what is put into another form
// there is not signed by its provider's scheme.
func (r *Registry) Stamped(s Sender, raw func(*capture.Event) bool) Sender {
	return stamped{s, r, raw}
}

type stamped struct {
	Sender
	registry *Registry
	raw      func(*capture.Event) bool
}

func (s stamped) Send(ctx context.Context, e *capture.Event, body []byte, a *capture.Attempt) {
	again := a.Replays() || e.Origin == capture.FromSample && a.Number > 1
	if !again || !s.raw(e) {
		s.Sender.Send(ctx, e, body, a)
		return
	}
	a.Started = time.Now().UTC()
	sent, made, as, err := s.registry.restamp(e, body, a)
	if err != nil {
		a.Status, a.Error = capture.AttemptFailed, &capture.Failure{Class: capture.FailProtocol, Message: err.Error()}
		return
	}
	if sent == e {
		s.Sender.Send(ctx, e, body, a)
		return
	}
	a.As = capture.AsOriginal // for who sends further on: it is done
	s.Sender.Send(ctx, sent, made, a)
	a.As = as
	if a.Request != nil && sent.SHA256 != e.SHA256 {
		a.Request.Made = capture.Raw(made[:min(len(made), capture.MostKept)])
	}
}
