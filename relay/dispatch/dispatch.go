// Package dispatch makes attempts. A first delivery, a retry and a replay are
// all the same thing: a pending attempt in the store, taken when its time has
// come. Each endpoint has a lane of its own, so that one never waits for
// another; within a lane attempts go in order, a failing one makes way for
// the next, and what a crash left pending goes on. A lane is nothing but a
// few bytes while nothing is due at its endpoint.
//
// Delivery is at least once: a crash between an answer and the keeping of it
// repeats the attempt, with the same ids.
package dispatch

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/match"
)

// Store is where attempts wait and are kept.
type Store interface {
	KeepAsync(c *capture.Change, done func(error))
	Wholes(context.Context, ...capture.ID) ([]capture.Whole, error)
	Due(ctx context.Context, endpoint capture.ID, limit int) ([]capture.Attempt, error)
	Ready(ctx context.Context, now time.Time) (ready []capture.Queue, next time.Time, err error)
	Watch(context.Context) <-chan struct{}
}

// History is what is looked up when an event is new or sent again. It is apart
// from Store because sending needs none of it.
type History interface {
	Event(context.Context, capture.ID) (capture.Row, error)
	Attempts(context.Context, capture.AttemptQuery) ([]capture.Attempt, error)
	Attempt(context.Context, capture.ID) (capture.Attempt, error)
	Endpoint(context.Context, capture.Endpoint) (capture.Endpoint, error)
	EndpointRow(context.Context, capture.ID) (capture.EndpointRow, error)
	EndpointRows(context.Context, capture.EndpointQuery) ([]capture.EndpointRow, error)
	Keep(context.Context, ...*capture.Change) error
}

// Sender makes one attempt and fills in what happened: it never returns an
// error, because a failed attempt is a fact like any other. It is not an
// http.RoundTripper, whose map of headers cannot carry their order and case.
type Sender interface {
	Send(ctx context.Context, e *capture.Event, body []byte, a *capture.Attempt)
	// Reachable reports whether connections are accepted, without sending.
	Reachable(context.Context) error
	// Close lets go of idle connections; it may be used on.
	Close()
}

// Dispatcher plans the attempts of new events and makes them when they are
// due. Set its fields before Run.
type Dispatcher struct {
	Store   Store
	History History
	// Open makes the sender of an endpoint; the error says what is wrong
	// with the endpoint's URL.
	Open func(capture.Endpoint) (Sender, error)
	// Schedule is when failed attempts at listeners are made again; the zero
	// Schedule is capture.Schedules["listen"]. Registered endpoints have their
	// own. Attempts a user asked for are made once.
	Schedule capture.Schedule
	// Concurrency is how many attempts a listener may have under way; 0: 1,
	// which keeps them in order. Registered endpoints have their own.
	Concurrency int
	// Delivers reports whether an app's events go to its endpoints. nil: those
	// of all apps do.
	Delivers func(app string) bool
	// Disable disables a registered endpoint that fails for too long. nil:
	// none is.
	Disable func(ctx context.Context, id capture.ID, why string) error
	// Follow makes what follows from the first attempt of a trigger's firing,
	// which is kept with how that ended. nil: nothing does.
	Follow func(ctx context.Context, e *capture.Event, body []byte, a *capture.Attempt) ([]*capture.Change, error)
	// ByHand leaves everything alone but what a user asked for: for commands
	// that own the store for a moment.
	ByHand bool
	Log    *slog.Logger // nil: slog.Default

	clock    clock
	kick     chan struct{}       // one slot, lossy: look again when the next thing is due; made by Run
	inFlight *semaphore.Weighted // attempts; made by Run
	unkept   *semaphore.Weighted // outcomes; made by Run

	mu      sync.Mutex // guards the fields below
	targets []target   // listeners
	tables  map[string]*table
	lanes   map[capture.ID]*lane
	others  map[capture.ID]bool                 // endpoints with something pending that have no lane here: of listeners that are away
	running func(*lane)                         // starts a lane; nil when not running
	beside  func(func(sending context.Context)) // runs something beside the lanes; nil likewise

	active atomic.Int64 // lanes that run
}

// mostInFlight is how many attempts may be under way, at all endpoints
// together.
const mostInFlight = 4096

// mostUnkept is how many outcomes may be on their way to disk: two batches of
// the store's, which a new event waits for.
const mostUnkept = 512

type target struct {
	endpoint capture.Endpoint
	wants    *match.Predicate
}

// Add makes a listener's endpoint a target: Plan plans deliveries to it, and
// Run makes them.
func (d *Dispatcher) Add(e capture.Endpoint) error {
	wants, err := match.Subscribe(&e.EndpointSpec)
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

// Put tells of a registered endpoint that was made or changed. What is pending
// there goes on, is held or skipped, as its status says.
func (d *Dispatcher) Put(e capture.Endpoint) {
	d.mu.Lock()
	t, l := d.tables[e.App], d.lanes[e.ID]
	if t != nil {
		t.put(e)
	}
	d.mu.Unlock()
	if l == nil && e.Status == capture.EndpointDeleted {
		l, _ = d.open(e) // somebody must skip what is pending
	}
	if l == nil {
		return
	}
	if err := l.set(e); err != nil {
		d.log().Error("an endpoint cannot be sent to", "endpoint", e.ID, "url", e.URL, "err", err)
	}
	d.wake(l)
}

// Plan makes the pending attempts of a new event: one for each endpoint that
// wants it.
func (d *Dispatcher) Plan(e *capture.Event, body []byte) []*capture.Attempt {
	subject := match.Subject{Row: &capture.Row{Event: *e}, Body: func() []byte { return body }}
	var planned []*capture.Attempt
	plan := func(to capture.Endpoint) {
		planned = append(planned, pending(e, to, capture.NewID(capture.DeliveryID)))
	}
	d.mu.Lock()
	targets := d.targets
	d.mu.Unlock()
	for _, t := range targets {
		if (t.endpoint.App == "" || t.endpoint.App == e.App) && t.wants.Match(subject) {
			plan(t.endpoint)
		}
	}
	if d.Delivers != nil && !d.Delivers(e.App) {
		return planned
	}
	for _, to := range d.registered(e.App, subject) {
		plan(to)
	}
	return planned
}

func pending(e *capture.Event, to capture.Endpoint, delivery capture.ID) *capture.Attempt {
	return &capture.Attempt{
		ID: capture.NewID(capture.AttemptID), Event: e.ID, App: e.App, Type: e.Type,
		Endpoint: to.ID, URL: to.URL, Delivery: delivery, Number: 1,
		Status: capture.AttemptPending, NotBefore: time.Now().UTC(),
		TriggeredBy: capture.BySystem, TriggeredFrom: capture.FromAutomation,
	}
}

// open is the lane of an endpoint, made if it has none.
func (d *Dispatcher) open(e capture.Endpoint) (*lane, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if l := d.lanes[e.ID]; l != nil {
		return l, nil
	}
	l := &lane{
		dispatcher: d, id: e.ID, log: d.log().With("url", e.URL),
		taken: make(map[capture.ID]bool), kick: make(chan struct{}, 1),
		up: capture.NewID(capture.AttemptID), // who starts to listen waits for no back-off of the time before
	}
	if err := l.set(e); err != nil {
		return nil, err
	}
	if d.lanes == nil {
		d.lanes = make(map[capture.ID]*lane)
	}
	d.lanes[e.ID] = l
	delete(d.others, e.ID)
	return l, nil
}

func (d *Dispatcher) log() *slog.Logger { return cmp.Or(d.Log, slog.Default()) }

// wake makes a lane look at its queue, and starts it if it does not run.
func (d *Dispatcher) wake(l *lane) {
	if !l.look() {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.running == nil {
		l.parked()
		return
	}
	d.active.Add(1)
	d.running(l)
}

// Run makes attempts until ctx is done. Then it takes no more, gives those
// under way 3 s, and returns; what is unfinished stays pending.
func (d *Dispatcher) Run(ctx context.Context) error {
	sending, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	d.inFlight, d.unkept = semaphore.NewWeighted(mostInFlight), semaphore.NewWeighted(mostUnkept)
	d.kick = make(chan struct{}, 1)
	var wg sync.WaitGroup
	d.mu.Lock()
	d.running = func(l *lane) {
		wg.Go(func() {
			l.run(ctx, sending)
			d.active.Add(-1)
		})
	}
	d.beside = func(f func(context.Context)) { wg.Go(func() { f(sending) }) }
	first := make([]*lane, 0, len(d.lanes))
	for _, l := range d.lanes {
		first = append(first, l)
	}
	d.mu.Unlock()
	for _, l := range first {
		d.wake(l)
	}

	d.schedule(ctx)
	d.mu.Lock()
	d.running, d.beside = nil, nil
	d.mu.Unlock()
	grace := time.AfterFunc(3*time.Second, cancel)
	defer grace.Stop()
	wg.Wait()
	return nil
}

// schedule wakes lanes as things become due, until ctx is done.
func (d *Dispatcher) schedule(ctx context.Context) {
	changed := d.Store.Watch(ctx)
	for {
		now := d.clock.now()
		ready, next, err := d.Store.Ready(ctx, now)
		if err != nil && ctx.Err() == nil {
			d.log().Error("the queues could not be read", "err", err)
			next = now.Add(time.Second)
		}
		for _, q := range ready {
			if l := d.laneOf(ctx, q.Endpoint); l != nil && l.stirred(q.Puts, now) {
				d.wake(l)
			}
		}
		if !next.IsZero() {
			next = time.Now().Add(next.Sub(now))
		}
		if !wait(ctx, changed, d.kick, next) {
			return
		}
	}
}

// laneOf is the lane of an endpoint at which something is pending; nil when it
// is not for us to make.
func (d *Dispatcher) laneOf(ctx context.Context, id capture.ID) *lane {
	d.mu.Lock()
	l, other := d.lanes[id], d.others[id]
	d.mu.Unlock()
	if l != nil || other || d.ByHand {
		return l
	}
	row, err := d.History.EndpointRow(ctx, id)
	if err == nil && (row.Status != "" || row.Trigger()) {
		l, err = d.open(row.Endpoint)
	}
	if err != nil && !errors.Is(err, capture.ErrNotFound) {
		d.log().Error("an endpoint cannot be sent to", "endpoint", id, "err", err)
	}
	if l == nil {
		d.mu.Lock()
		defer d.mu.Unlock()
		if d.others == nil {
			d.others = make(map[capture.ID]bool)
		}
		d.others[id] = true
	}
	return l
}

// wait blocks until there may be something to do; false when there will be no
// more. A zero next never comes.
func wait(ctx context.Context, changed, kick <-chan struct{}, next time.Time) bool {
	var timer <-chan time.Time
	if !next.IsZero() {
		// A minute at most: the wall clock may jump, and timers do not notice.
		timer = time.After(min(time.Until(next), time.Minute))
	}
	select {
	case _, ok := <-changed:
		return ok && ctx.Err() == nil
	case <-kick:
	case <-timer:
	case <-ctx.Done():
		return false
	}
	return true
}
