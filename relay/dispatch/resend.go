package dispatch

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/match"
)

// Resend makes pending attempts that send an event again, and keeps them.
// They are made by the lanes of a Dispatcher that runs: once, unless they are to
// be fresh deliveries. Unless r says where to, they go to the targets, or if
// there are none, or it is a trigger's firing, to where the event went before.
func (d *Dispatcher) Resend(ctx context.Context, id capture.ID, r capture.Resend) ([]*capture.Attempt, error) {
	row, err := d.History.Event(ctx, id)
	if err != nil {
		return nil, err
	}
	if row.Refused != nil {
		return nil, capture.ErrRefused
	}
	if row.Sealed {
		return nil, fmt.Errorf("dispatch: event %s: %w", id, capture.ErrSealed)
	}
	to, past, err := d.resendTo(ctx, row, r)
	if err != nil {
		return nil, err
	}
	change := new(capture.Change)
	for _, e := range to {
		a := pending(&row.Event, e, capture.NewID(capture.DeliveryID))
		a.TriggeredBy, a.TriggeredFrom, a.As = capture.ByUser, cmp.Or(string(r.Attempt), capture.FromManual), r.As
		if r.Fresh {
			if err := d.stillWanted(ctx, row, e); err != nil {
				return nil, err
			}
			if e.Status != "" || e.Listener { // a URL given by hand is tried once
				a.TriggeredBy = capture.BySystem
			}
		}
		for _, p := range past {
			if p.Endpoint == e.ID && !r.Fresh {
				a.Delivery, a.Number = p.Delivery, max(a.Number, p.Number+1)
			}
		}
		change.Attempts = append(change.Attempts, a)
	}
	if err := d.History.Keep(ctx, change); err != nil {
		return nil, err
	}
	return change.Attempts, nil
}

// resendTo is where an event is sent again, and the attempts of deliveries that
// go on so.
func (d *Dispatcher) resendTo(ctx context.Context, row capture.Row, r capture.Resend) (to []capture.Endpoint, past []capture.Attempt, err error) {
	var again capture.Attempt
	if r.Attempt != "" {
		if again, err = d.attemptOf(ctx, row.ID, r.Attempt); err != nil {
			return nil, nil, err
		}
	}
	switch {
	case r.To != "":
		to = make([]capture.Endpoint, 1)
		to[0], err = d.Target(ctx, row.App, r.To)
	case r.Endpoint != "":
		to = make([]capture.Endpoint, 1)
		to[0], err = d.registeredOne(ctx, r.Endpoint)
	case r.Attempt != "":
		to, err = d.endpointsOf(ctx, []capture.Attempt{again})
	case row.Trigger == "": // a firing goes to where it went
		to, err = d.wanting(ctx, row)
	}
	if err != nil || r.Fresh && len(to) > 0 {
		return to, nil, err
	}
	if past, err = d.History.Attempts(ctx, capture.AttemptQuery{Event: row.ID, Limit: 10_000}); err == nil && len(to) == 0 {
		to, err = d.endpointsOf(ctx, past)
	}
	return to, past, err
}

// stillWanted says why a registered endpoint does not get an event that is new
// now; nil: it does.
func (d *Dispatcher) stillWanted(ctx context.Context, row capture.Row, e capture.Endpoint) error {
	switch {
	case e.Status == "":
		return nil
	case d.Delivers != nil && !d.Delivers(e.App):
		return fmt.Errorf("the app %q is inactive: %w", e.App, capture.ErrDisabled)
	case e.Status != capture.EndpointEnabled:
		return fmt.Errorf("endpoint %s is %s: %w", e.ID, e.Status, capture.ErrDisabled)
	}
	subject, err := d.subject(ctx, row)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(d.registered(e.App, subject), func(wants capture.Endpoint) bool { return wants.ID == e.ID }) {
		return fmt.Errorf("event %s is one that endpoint %s does not want: %w", row.ID, e.ID, capture.ErrUnwanted)
	}
	return nil
}

// subject is an event as it was when it came.
func (d *Dispatcher) subject(ctx context.Context, row capture.Row) (match.Subject, error) {
	whole, err := d.Store.Wholes(ctx, row.ID)
	if err != nil {
		return match.Subject{}, err
	}
	return match.Subject{Row: &capture.Row{Event: row.Event}, Body: func() []byte { return whole[0].Body }}, nil
}

// Target is the endpoint of a URL given by hand, with its lane.
func (d *Dispatcher) Target(ctx context.Context, app, url string) (capture.Endpoint, error) {
	e := capture.Endpoint{App: app, EndpointSpec: capture.EndpointSpec{URL: url}}
	if _, err := d.Open(e); err != nil {
		return e, err
	}
	e, err := d.History.Endpoint(ctx, e)
	if err != nil {
		return e, err
	}
	_, err = d.open(e)
	return e, err
}

// attemptOf is an attempt of that event.
func (d *Dispatcher) attemptOf(ctx context.Context, event, attempt capture.ID) (capture.Attempt, error) {
	a, err := d.History.Attempt(ctx, attempt)
	if err == nil && a.Event != event {
		err = fmt.Errorf("dispatch: attempt %s is not one of event %s: %w", attempt, event, capture.ErrNotFound)
	}
	return a, err
}

// registeredOne is a registered endpoint, with its lane.
func (d *Dispatcher) registeredOne(ctx context.Context, id capture.ID) (capture.Endpoint, error) {
	row, err := d.History.EndpointRow(ctx, id)
	if err != nil {
		return capture.Endpoint{}, err
	}
	if row.Status == capture.EndpointDeleted {
		return capture.Endpoint{}, fmt.Errorf("endpoint %s is deleted: %w", id, capture.ErrDisabled)
	}
	_, err = d.open(row.Endpoint)
	return row.Endpoint, err
}

// endpointsOf are those that attempts were made to, but for deleted ones, with
// their lanes.
func (d *Dispatcher) endpointsOf(ctx context.Context, past []capture.Attempt) (es []capture.Endpoint, err error) {
	seen := map[capture.ID]bool{}
	deleted := error(nil)
	for _, a := range past {
		if seen[a.Endpoint] {
			continue
		}
		seen[a.Endpoint] = true
		row, err := d.History.EndpointRow(ctx, a.Endpoint)
		switch {
		case errors.Is(err, capture.ErrNotFound):
			continue
		case err != nil:
			return nil, err
		case row.Status == capture.EndpointDeleted:
			deleted = fmt.Errorf("endpoint %s is deleted: %w", row.ID, capture.ErrDisabled)
			continue
		}
		if _, err := d.open(row.Endpoint); err != nil {
			return nil, err
		}
		es = append(es, row.Endpoint)
	}
	if len(es) == 0 {
		return nil, cmp.Or(deleted, capture.ErrNoTarget)
	}
	return es, nil
}

// wanting are the targets of the event's app, whatever they choose, and the
// registered endpoints that want it.
func (d *Dispatcher) wanting(ctx context.Context, row capture.Row) (es []capture.Endpoint, err error) {
	d.mu.Lock()
	for _, t := range d.targets {
		if t.endpoint.App == "" || t.endpoint.App == row.App {
			es = append(es, t.endpoint)
		}
	}
	d.mu.Unlock()
	subject, err := d.subject(ctx, row)
	if err != nil {
		return nil, err
	}
	for _, e := range d.registered(row.App, subject) {
		if _, err := d.open(e); err != nil {
			return nil, err
		}
		es = append(es, e)
	}
	return es, nil
}
