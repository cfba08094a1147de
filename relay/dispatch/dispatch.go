// Package dispatch makes attempts. A first delivery, a retry and a replay are
// all the same thing: a pending attempt in the store, taken when its time has
// come. Each endpoint has a lane of its own, so that one never waits for
// another; within a lane attempts go in order, a failing one makes way for
// the next, and what a crash left pending goes on.
//
// Delivery is at least once: a crash between an answer and the keeping of it
// repeats the attempt, with the same ids.
package dispatch

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/match"
)

// Store is where attempts wait and are kept.
type Store interface {
	KeepAsync(c *capture.Change, done func(error))
	Wholes(context.Context, ...capture.ID) ([]capture.Whole, error)
	Due(ctx context.Context, endpoint capture.ID, limit int) ([]capture.Attempt, error)
	Watch(context.Context) <-chan struct{}
}

// History is what a resend looks up. It is apart from Store because sending
// needs none of it.
type History interface {
	Event(context.Context, capture.ID) (capture.Row, error)
	Attempts(context.Context, capture.AttemptQuery) ([]capture.Attempt, error)
	Attempt(context.Context, capture.ID) (capture.Attempt, error)
	Endpoint(context.Context, capture.Endpoint) (capture.Endpoint, error)
	Endpoints(context.Context) ([]capture.Endpoint, error)
	Keep(context.Context, ...*capture.Change) error
}

// Sender makes one attempt and fills in what happened: it never returns an
// error, because a failed attempt is a fact like any other. It is not an
// http.RoundTripper, whose map of headers cannot carry their order and case.
type Sender interface {
	Send(ctx context.Context, e *capture.Event, body []byte, a *capture.Attempt)
	// Reachable reports whether connections are accepted, without sending.
	Reachable(context.Context) error
}

// Dispatcher takes pending attempts when they are due. Set its fields before
// Run.
type Dispatcher struct {
	Store   Store
	History History
	// Open makes the sender of an endpoint; the error says what is wrong
	// with the endpoint's URL.
	Open func(capture.Endpoint) (Sender, error)
	// Retry is when failed attempts are made again. Attempts a user asked
	// for are made once.
	Retry Retry
	// Concurrency is how many attempts an endpoint may have under way; 0: 1,
	// which keeps them in order.
	Concurrency int
	// ByHand leaves everything alone but what a user asked for: for commands
	// that own the store for a moment.
	ByHand bool
	Log    *slog.Logger // nil: slog.Default

	mu      sync.Mutex // guards the fields below
	targets []target
	lanes   map[capture.ID]*lane
	running func(*lane) // starts a lane; nil when not running
}

type target struct {
	endpoint capture.Endpoint
	wants    *match.Predicate
}

// Add makes e a target: Plan plans deliveries to it, and Run makes them.
func (d *Dispatcher) Add(e capture.Endpoint) error {
	wants, err := match.Parse(e.Filter)
	if err != nil {
		return fmt.Errorf("dispatch: %s: %w", e.URL, err)
	}
	if _, err := d.open(e); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.targets = append(d.targets, target{e, wants})
	return nil
}

// Plan makes the pending attempts of a new event: one for each target that
// wants it.
func (d *Dispatcher) Plan(e *capture.Event, body []byte) []*capture.Attempt {
	d.mu.Lock()
	targets := d.targets
	d.mu.Unlock()
	var planned []*capture.Attempt
	subject := match.Subject{Row: &capture.Row{Event: *e}, Body: func() []byte { return body }}
	for _, t := range targets {
		if t.endpoint.App != "" && t.endpoint.App != e.App || !t.wants.Match(subject) {
			continue
		}
		planned = append(planned, pending(e.ID, t.endpoint, capture.NewID(capture.DeliveryID)))
	}
	return planned
}

func pending(event capture.ID, to capture.Endpoint, delivery capture.ID) *capture.Attempt {
	return &capture.Attempt{
		ID: capture.NewID(capture.AttemptID), Event: event, Endpoint: to.ID, URL: to.URL, Delivery: delivery, Number: 1,
		Status: capture.AttemptPending, NotBefore: time.Now().UTC(),
		TriggeredBy: capture.BySystem, TriggeredFrom: capture.FromAutomation,
	}
}

// Resend makes pending attempts that send an event again, and keeps them.
// They are made once, by the lanes of a Dispatcher that runs. Unless r says
// where to, they go to the targets, or if there are none, to where the event
// went before.
func (d *Dispatcher) Resend(ctx context.Context, id capture.ID, r capture.Resend) ([]*capture.Attempt, error) {
	row, err := d.History.Event(ctx, id)
	if err != nil {
		return nil, err
	}
	if row.Refused != nil {
		return nil, capture.ErrRefused
	}
	from := capture.FromManual
	var to []capture.Endpoint
	switch {
	case r.To != "":
		e, err := d.endpoint(ctx, row.App, r.To)
		if err != nil {
			return nil, err
		}
		to = append(to, e)
	case r.Attempt != "":
		e, err := d.endpointOf(ctx, id, r.Attempt)
		if err != nil {
			return nil, err
		}
		to = append(to, e)
	default:
		to = d.endpoints(row.App)
	}
	if r.Attempt != "" {
		from = string(r.Attempt)
	}
	past, err := d.History.Attempts(ctx, capture.AttemptQuery{Event: id, Limit: 10_000})
	if err != nil {
		return nil, err
	}
	if len(to) == 0 {
		if to, err = d.endpointsOf(ctx, past); err != nil {
			return nil, err
		}
	}
	change := new(capture.Change)
	for _, e := range to {
		a := pending(id, e, capture.NewID(capture.DeliveryID))
		a.TriggeredBy, a.TriggeredFrom = capture.ByUser, from
		for _, p := range past {
			if p.Endpoint == e.ID {
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

// endpoint is the one of a URL given by hand, with its lane.
func (d *Dispatcher) endpoint(ctx context.Context, app, url string) (capture.Endpoint, error) {
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

// endpointOf is the one that an attempt of the event was made to.
func (d *Dispatcher) endpointOf(ctx context.Context, event, attempt capture.ID) (capture.Endpoint, error) {
	a, err := d.History.Attempt(ctx, attempt)
	if err != nil {
		return capture.Endpoint{}, err
	}
	if a.Event != event {
		return capture.Endpoint{}, fmt.Errorf("dispatch: attempt %s is not one of event %s: %w", attempt, event, capture.ErrNotFound)
	}
	es, err := d.endpointsOf(ctx, []capture.Attempt{a})
	if err != nil {
		return capture.Endpoint{}, err
	}
	return es[0], nil
}

// endpointsOf are those that attempts were made to, with their lanes.
func (d *Dispatcher) endpointsOf(ctx context.Context, past []capture.Attempt) (es []capture.Endpoint, err error) {
	all, err := d.History.Endpoints(ctx)
	if err != nil {
		return nil, err
	}
	for _, e := range all {
		if !slices.ContainsFunc(past, func(a capture.Attempt) bool { return a.Endpoint == e.ID }) {
			continue
		}
		if _, err := d.open(e); err != nil {
			return nil, err
		}
		es = append(es, e)
	}
	if len(es) == 0 {
		return nil, capture.ErrNoTarget
	}
	return es, nil
}

func (d *Dispatcher) endpoints(app string) (es []capture.Endpoint) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, t := range d.targets {
		if t.endpoint.App == "" || t.endpoint.App == app {
			es = append(es, t.endpoint)
		}
	}
	return es
}

// open is the lane of an endpoint, made and started if it has none.
func (d *Dispatcher) open(e capture.Endpoint) (*lane, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if l := d.lanes[e.ID]; l != nil {
		return l, nil
	}
	sender, err := d.Open(e)
	if err != nil {
		return nil, err
	}
	l := &lane{
		endpoint: e, sender: sender, store: d.Store, retry: d.Retry, byHand: d.ByHand,
		concurrency: cmp.Or(d.Concurrency, 1), log: cmp.Or(d.Log, slog.Default()).With("url", e.URL),
		taken: make(map[capture.ID]bool), kick: make(chan struct{}, 1), fell: make(chan struct{}, 1),
		up: capture.NewID(capture.AttemptID), // who starts to listen waits for no back-off of the time before
	}
	if d.lanes == nil {
		d.lanes = make(map[capture.ID]*lane)
	}
	d.lanes[e.ID] = l
	if d.running != nil {
		d.running(l)
	}
	return l, nil
}

// Run makes attempts until ctx is done. Then it takes no more, gives those
// under way 3 s, and returns; what is unfinished stays pending.
func (d *Dispatcher) Run(ctx context.Context) error {
	sending, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	var wg sync.WaitGroup
	d.mu.Lock()
	d.running = func(l *lane) { wg.Go(func() { l.run(ctx, sending) }) }
	for _, l := range d.lanes {
		d.running(l)
	}
	d.mu.Unlock()

	<-ctx.Done()
	d.mu.Lock()
	d.running = nil
	d.mu.Unlock()
	grace := time.AfterFunc(3*time.Second, cancel)
	defer grace.Stop()
	wg.Wait()
	return nil
}
