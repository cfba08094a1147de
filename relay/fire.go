package relay

import (
	"context"
	"fmt"
	"time"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/sign"
)

// Fire makes events of an event type and keeps them with their deliveries: to
// the URL that is given, once, else to the app's endpoints and whoever listens.
// It returns a *capture.FieldError for what is wrong with f, and
// capture.ErrDisabled, wrapped, for an inactive app.
func (r *Registry) Fire(ctx context.Context, tag string, f capture.Firing) (fired capture.Fired, err error) {
	if f.App == "" {
		f.App = capture.DefaultApp
	}
	if _, err := r.App(ctx, f.App); err != nil {
		return fired, err
	}
	if err := r.readable(f.App); err != nil {
		return fired, err
	}
	t, err := r.Type(ctx, tag)
	if err != nil {
		return fired, err
	}
	var to *capture.Endpoint
	if f.To != "" {
		e, err := r.hooks.Target(ctx, f.App, f.To)
		if err != nil {
			return fired, err
		}
		to, f.To = &e, e.URL
	}
	s, err := NewSampler(&t, &f, func(s *sign.Scheme) []sign.Secret { return r.secrets(f.App, t.Provider, s) })
	if err != nil {
		return fired, err
	}
	var changes []*capture.Change
	for range max(f.Count, 1) {
		e, body, err := s.Make(f.App)
		if err != nil {
			return fired, err
		}
		c := &capture.Change{Event: e, Body: body}
		if to == nil {
			c.Attempts = r.hooks.Plan(e, body)
		} else {
			c.Attempts = []*capture.Attempt{byHand(e, to)}
		}
		changes = append(changes, c)
	}
	// Who hangs up now has made the events all the same.
	if err := r.store.Keep(context.WithoutCancel(ctx), changes...); err != nil {
		return fired, fmt.Errorf("fire %s: %w", tag, err)
	}
	for _, c := range changes {
		fired.Events = append(fired.Events, *c.Event)
		fired.Attempts = append(fired.Attempts, c.Attempts...)
	}
	return fired, nil
}

// byHand is an attempt to send a new event, as it is, to where a user said.
func byHand(e *capture.Event, to *capture.Endpoint) *capture.Attempt {
	return &capture.Attempt{
		ID: capture.NewID(capture.AttemptID), Event: e.ID, App: e.App, Type: e.Type, As: capture.AsOriginal,
		Endpoint: to.ID, URL: to.URL, Delivery: capture.NewID(capture.DeliveryID), Number: 1,
		Status: capture.AttemptPending, NotBefore: time.Now().UTC(), TriggeredBy: capture.ByUser, TriggeredFrom: capture.FromManual,
	}
}
