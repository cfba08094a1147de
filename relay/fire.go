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
// The endpoints of an inactive app get none. It returns a *capture.FieldError
// for what is wrong with f, and capture.ErrSealed, wrapped, for a sealed app.
// All are kept at once, or where they are large in turn: those that are returned
// with an error were.
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
	s, err := NewSampler(&t, &f, func(provider string, s *sign.Scheme) []sign.Secret { return r.secrets(f.App, provider, s) })
	if err != nil {
		return fired, err
	}
	var changes []*capture.Change
	size := 0
	keep := func() error {
		// Who hangs up now has made the events all the same.
		if err := r.store.Keep(context.WithoutCancel(ctx), changes...); err != nil {
			return fmt.Errorf("fire %s: %w", tag, err)
		}
		for _, c := range changes {
			fired.Events = append(fired.Events, *c.Event)
			fired.Attempts = append(fired.Attempts, c.Attempts...)
		}
		changes, size = nil, 0
		return nil
	}
	for range max(f.Count, 1) {
		e, body, err := s.Make(f.App)
		if err != nil {
			return fired, err
		}
		r.Check(e, body)
		c := &capture.Change{Event: e, Body: body}
		if to == nil {
			c.Attempts = r.hooks.Plan(e, body)
		} else {
			c.Attempts = []*capture.Attempt{byHand(e, to)}
		}
		changes = append(changes, c)
		if size += len(body); size < mostUnkept {
			continue
		}
		if err := keep(); err != nil {
			return fired, err
		}
	}
	return fired, keep()
}

// mostUnkept is how many bytes of bodies are made before they are kept.
const mostUnkept = 16 << 20

// byHand is an attempt to send a new event, as it is, to where a user said.
func byHand(e *capture.Event, to *capture.Endpoint) *capture.Attempt {
	return &capture.Attempt{
		ID: capture.NewID(capture.AttemptID), Event: e.ID, App: e.App, Type: e.Type, As: capture.AsOriginal,
		Endpoint: to.ID, URL: to.URL, Delivery: capture.NewID(capture.DeliveryID), Number: 1,
		Status: capture.AttemptPending, NotBefore: time.Now().UTC(), TriggeredBy: capture.ByUser, TriggeredFrom: capture.FromManual,
	}
}
