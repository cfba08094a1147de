package dispatch_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/relay"
	"code.hooktape.dev/hooktape/relay/dispatch"
)

// gateway is a river whose endpoints are registered.
type gateway struct {
	*river
	registry *relay.Registry
}

func newGateway(t *testing.T, apps map[string]*app) *gateway {
	t.Helper()
	r := newRiver(t, nil)
	r.apps = apps
	g := &gateway{river: r}
	g.join(r.Dispatcher)
	return g
}

// join makes a registry over d, as node does.
func (g *gateway) join(d *dispatch.Dispatcher) {
	g.t.Helper()
	var err error
	g.registry, err = relay.NewRegistry(g.t.Context(), g.store, relay.Hooks{
		Plan: d.Plan, Resend: d.Resend, Changed: d.Put, Check: func(capture.EndpointSpec) error { return nil },
	})
	if err != nil {
		g.t.Fatal(err)
	}
	d.Delivers, d.Disable = g.registry.Delivers, g.registry.Disable
}

func (g *gateway) register(url string, change ...func(*capture.EndpointSpec)) capture.ID {
	g.t.Helper()
	spec := capture.EndpointSpec{URL: url}
	for _, f := range change {
		f(&spec)
	}
	e, err := g.registry.CreateEndpoint(g.t.Context(), capture.DefaultApp, spec)
	if err != nil {
		g.t.Fatal(err)
	}
	return e.ID
}

func (g *gateway) emit(kind string) capture.ID {
	g.t.Helper()
	e, _, err := g.registry.Emit(g.t.Context(), capture.DefaultApp, capture.Emission{Type: kind})
	if err != nil {
		g.t.Fatal(err)
	}
	return e.ID
}

func (g *gateway) row(id capture.ID) capture.EndpointRow {
	g.t.Helper()
	row, err := g.registry.Endpoint(g.t.Context(), id)
	if err != nil {
		g.t.Fatal(err)
	}
	return row
}

func (g *gateway) set(id capture.ID, status capture.EndpointStatus) {
	g.t.Helper()
	if _, err := g.registry.SetEndpoint(g.t.Context(), id, status, "because"); err != nil {
		g.t.Fatal(err)
	}
}

// history is number:status of the attempts at an endpoint, oldest first.
func (g *gateway) history(id capture.ID) (all []string) {
	g.t.Helper()
	as, err := g.store.Attempts(g.t.Context(), capture.AttemptQuery{Endpoint: id, Limit: 10_000})
	if err != nil {
		g.t.Fatal(err)
	}
	for _, a := range slices.Backward(as) {
		all = append(all, fmt.Sprintf("%d:%s", a.Number, a.Status))
	}
	return all
}

func retry(p capture.RetryPolicy) func(*capture.EndpointSpec) {
	return func(s *capture.EndpointSpec) { s.Retry = &p }
}

func subscribe(kinds ...string) func(*capture.EndpointSpec) {
	return func(s *capture.EndpointSpec) {
		for _, k := range kinds {
			s.Subscriptions = append(s.Subscriptions, capture.Subscription{Type: k})
		}
	}
}

func TestFanOutGoesToThoseWhoSubscribe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		orders, all, other := &app{}, &app{}, &app{}
		g := newGateway(t, map[string]*app{"http://orders": orders, "http://all": all, "http://other": other})
		g.register("http://orders", subscribe("order.*"))
		g.register("http://all")
		g.register("http://other", subscribe("user.created", "user.deleted"))
		defer g.flow()()
		g.emit("order.created")
		g.emit("user.deleted")
		time.Sleep(time.Second)
		if o, a, u := len(orders.seen()), len(all.seen()), len(other.seen()); o != 1 || a != 2 || u != 1 {
			t.Errorf("orders got %d, all %d and other %d; want 1, 2 and 1", o, a, u)
		}
	})
}

// Every preset is kept to: so many attempts, so long between them. Time runs a
// thousand times as fast, for the store's own timers would fill weeks.
func TestSchedulesAreKept(t *testing.T) {
	for name, s := range capture.Schedules {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				policy := capture.RetryPolicy{Preset: name, Attempts: s.Attempts, DisableExhausted: -1, DisableFailures: -1}
				var whole time.Duration
				for i := range s.Attempts - 1 {
					policy.Waits = append(policy.Waits, capture.Duration(s.Wait(i+1)/1000))
					whole += s.Wait(i+1) / 1000
				}
				p := &app{answer: status(503)}
				g := newGateway(t, map[string]*app{"http://a": p})
				id := g.register("http://a", retry(policy))
				defer g.flow()()
				event := g.emit("x")
				time.Sleep(2*whole + time.Minute)
				p.mu.Lock()
				defer p.mu.Unlock()
				if len(p.at) != s.Attempts {
					t.Fatalf("%d attempts, want %d", len(p.at), s.Attempts)
				}
				for i := 1; i < len(p.at); i++ {
					got, want := p.at[i].Sub(p.at[i-1]), s.Wait(i)/1000
					slack := time.Duration(s.Jitter * float64(want))
					if got < want-slack || got > want+slack+100*time.Millisecond {
						t.Errorf("attempt %d came %s after the one before, want %s ±%s", i+1, got, want, slack)
					}
				}
				as := g.attempts(event)
				for i, a := range as {
					if a.Final != (i == len(as)-1) {
						t.Errorf("attempt %d of %d is final: %v", i+1, len(as), a.Final)
					}
				}
				if h := g.row(id).Health; h.Pending != 0 || int(h.Failed) != s.Attempts || h.Exhausted != 1 {
					t.Errorf("health is %+v", h)
				}
			})
		})
	}
}

// Whatever a policy says, the schedule it makes ends after its attempts, and
// never waits less or more than it says.
func TestAnyPolicyEnds(t *testing.T) {
	for seed := range uint64(20) {
		synctest.Test(t, func(t *testing.T) {
			rnd := rand.New(rand.NewPCG(seed, 1))
			policy := capture.RetryPolicy{Attempts: 1 + rnd.IntN(12), Jitter: []float64{-1, 0.1, 1}[rnd.IntN(3)], DisableExhausted: -1}
			for range 1 + rnd.IntN(5) {
				policy.Waits = append(policy.Waits, capture.Duration(1+rnd.Int64N(int64(time.Minute))))
			}
			s, err := policy.Schedule()
			if err != nil {
				t.Fatal(err)
			}
			p := &app{answer: status(500)}
			g := newGateway(t, map[string]*app{"http://a": p})
			g.register("http://a", retry(policy))
			defer g.flow()()
			g.emit("x")
			time.Sleep(30 * time.Minute)
			p.mu.Lock()
			defer p.mu.Unlock()
			if len(p.at) != policy.Attempts {
				t.Errorf("seed %d: %d attempts, want %d", seed, len(p.at), policy.Attempts)
			}
			for i := 1; i < len(p.at); i++ {
				got, want := p.at[i].Sub(p.at[i-1]), s.Wait(i)
				slack := time.Duration(s.Jitter * float64(want))
				if got < want-slack || got > want+slack+time.Second {
					t.Errorf("seed %d: wait %d was %s, want %s ±%s", seed, i, got, want, slack)
				}
			}
		})
	}
}

func TestRetryAfterReplacesWachtsWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &app{answer: status(503, capture.Header{"Retry-After", "2"})}
		g := newGateway(t, map[string]*app{"http://a": p})
		g.register("http://a", retry(capture.RetryPolicy{Preset: "wacht", Attempts: 3}))
		defer g.flow()()
		g.emit("x")
		time.Sleep(5 * time.Second)
		if n := len(p.seen()); n != 3 {
			t.Errorf("%d attempts within 5 s, want 3", n)
		}
	})
}

// An endpoint is disabled for failing, keeps what waits, and goes on with it
// when it is enabled again.
func TestDisabledForFailingAndReactivated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &app{answer: status(500)}
		g := newGateway(t, map[string]*app{"http://a": p})
		id := g.register("http://a", retry(capture.RetryPolicy{Attempts: 2, Waits: []capture.Duration{capture.Duration(time.Minute)}, DisableExhausted: 3}))
		defer g.flow()()
		for range 3 {
			g.emit("x")
		}
		time.Sleep(10 * time.Minute)
		row := g.row(id)
		if row.Status != capture.EndpointDisabled || row.DisabledBy != capture.BySystem || !strings.Contains(row.DisabledAs, "3 deliveries") || row.DisabledAt.IsZero() {
			t.Fatalf("after 3 deliveries were given up it is %+v", row)
		}
		before := len(p.seen())
		g.emit("while disabled")
		time.Sleep(time.Hour)
		if n := len(p.seen()); n != before {
			t.Errorf("a disabled endpoint got %d attempts", n-before)
		}
		p.mu.Lock()
		p.answer = nil
		p.mu.Unlock()
		g.set(id, capture.EndpointEnabled)
		g.emit("after")
		time.Sleep(time.Second)
		if got := p.seen()[before:]; len(got) != 1 {
			t.Errorf("enabled again it got %v, want the one event made since", got)
		}
		if h := g.row(id).Health; h.Exhausted != 0 || h.InARow != 0 || h.LastSuccess.IsZero() {
			t.Errorf("health after a success is %+v", h)
		}
	})
}

// Enabling one that is enabled forgives what it has failed so far.
func TestEnabledOnceMoreIsForgiven(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGateway(t, map[string]*app{"http://a": {answer: status(500)}})
		id := g.register("http://a", retry(capture.RetryPolicy{Attempts: 1, DisableExhausted: 3}))
		defer g.flow()()
		fail := func(n int) capture.EndpointStatus {
			for range n {
				g.emit("x")
			}
			time.Sleep(time.Minute)
			return g.row(id).Status
		}
		fail(2)
		g.set(id, capture.EndpointEnabled)
		if h := g.row(id).Health; h.Exhausted != 0 || h.Failed != 2 {
			t.Errorf("forgiven, its health is %+v", h)
		}
		if status := fail(2); status != capture.EndpointEnabled {
			t.Errorf("with two failures since it is %s", status)
		}
		if status := fail(1); status != capture.EndpointDisabled {
			t.Errorf("with three failures since it is %s", status)
		}
	})
}

func TestDisabledEndpointHoldsWhatIsPending(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &app{answer: status(503)}
		g := newGateway(t, map[string]*app{"http://a": p})
		id := g.register("http://a")
		defer g.flow()()
		g.emit("x")
		time.Sleep(time.Second)
		g.set(id, capture.EndpointDisabled)
		time.Sleep(10 * time.Minute)
		if n := len(p.seen()); n != 1 {
			t.Errorf("%d attempts while disabled, want the 1 before", n)
		}
		if h := g.row(id).Health; h.Pending != 1 {
			t.Errorf("%d are pending, want 1 held", h.Pending)
		}
		p.mu.Lock()
		p.answer = nil
		p.mu.Unlock()
		g.set(id, capture.EndpointEnabled)
		time.Sleep(time.Second)
		if got := g.history(id); !slices.Equal(got, []string{"1:failed", "2:succeeded"}) {
			t.Errorf("history is %v", got)
		}
	})
}

func TestGoneDisablesAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &app{answer: status(410)}
		g := newGateway(t, map[string]*app{"http://a": p})
		id := g.register("http://a")
		defer g.flow()()
		g.emit("x")
		time.Sleep(time.Second)
		if row := g.row(id); row.Status != capture.EndpointDisabled || !strings.Contains(row.DisabledAs, "410") {
			t.Errorf("after 410 it is %s: %s", row.Status, row.DisabledAs)
		}
		if n := len(p.seen()); n != 1 {
			t.Errorf("%d attempts, want 1", n)
		}
	})
}

func TestFailuresAreCountedAcrossARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &app{answer: status(500)}
		g := newGateway(t, map[string]*app{"http://a": p})
		id := g.register("http://a", retry(capture.RetryPolicy{Attempts: 1, DisableExhausted: 4}))
		stop := g.flow()
		g.emit("1")
		g.emit("2")
		time.Sleep(time.Second)
		stop()

		g.Dispatcher = g.dispatcher()
		g.join(g.Dispatcher)
		defer g.flow()()
		g.emit("3")
		time.Sleep(time.Second)
		if row := g.row(id); row.Status != capture.EndpointEnabled {
			t.Fatalf("after 3 of 4 it is %s", row.Status)
		}
		g.emit("4")
		time.Sleep(time.Second)
		if row := g.row(id); row.Status != capture.EndpointDisabled {
			t.Errorf("after 4 of 4 it is %s", row.Status)
		}
	})
}

func TestDeletedEndpointSkipsWhatIsPending(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &app{answer: status(503)}
		g := newGateway(t, map[string]*app{"http://a": p})
		id := g.register("http://a")
		defer g.flow()()
		event := g.emit("x")
		time.Sleep(time.Second)
		g.set(id, capture.EndpointDeleted)
		time.Sleep(time.Second)
		if got := g.history(id); !slices.Equal(got, []string{"1:failed", "2:skipped"}) {
			t.Errorf("history is %v", got)
		}
		as := g.attempts(event)
		if a := as[len(as)-1]; a.Error == nil || a.Error.Class != capture.FailDeleted || a.Request != nil {
			t.Errorf("the skipped attempt says %+v", a.Error)
		}
		if _, err := g.Resend(t.Context(), event, capture.Resend{Attempt: as[0].ID}); !errors.Is(err, capture.ErrDisabled) {
			t.Errorf("a retry there: %v, want %v", err, capture.ErrDisabled)
		}
		if _, err := g.registry.UpdateEndpoint(t.Context(), id, json.RawMessage(`{}`)); !errors.Is(err, capture.ErrNotFound) {
			t.Errorf("changing it: %v, want %v", err, capture.ErrNotFound)
		}
	})
}

func TestInactiveAppDeliversNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &app{}
		g := newGateway(t, map[string]*app{"http://a": p})
		g.register("http://a")
		defer g.flow()()
		if _, err := g.registry.UpdateApp(t.Context(), capture.DefaultApp, json.RawMessage(`{"inactive":true}`)); err != nil {
			t.Fatal(err)
		}
		if _, _, err := g.registry.Emit(t.Context(), capture.DefaultApp, capture.Emission{Type: "x"}); !errors.Is(err, capture.ErrDisabled) {
			t.Errorf("emitting: %v, want %v", err, capture.ErrDisabled)
		}
		g.arrive("/caught")
		time.Sleep(time.Hour)
		if n := len(p.seen()); n != 0 {
			t.Errorf("%d attempts, want none", n)
		}
	})
}

func TestManualRetryHasItsLineageAndOvertakesTheRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &app{answer: status(503)}
		g := newGateway(t, map[string]*app{"http://a": p})
		id := g.register("http://a")
		defer g.flow()()
		event := g.emit("x")
		time.Sleep(time.Second)
		p.mu.Lock()
		p.answer = nil
		p.mu.Unlock()
		failed := g.attempts(event)[0]
		made, err := g.Resend(t.Context(), event, capture.Resend{Attempt: failed.ID})
		if err != nil || len(made) != 1 || made[0].TriggeredFrom != string(failed.ID) || made[0].Delivery != failed.Delivery {
			t.Fatalf("%+v, %v", made, err)
		}
		time.Sleep(10 * time.Minute)
		if got := g.history(id); !slices.Equal(got, []string{"1:failed", "2:skipped", "3:succeeded"}) {
			t.Errorf("history is %v", got)
		}
		if got := len(p.seen()); got != 2 {
			t.Errorf("%d attempts were sent, want 2", got)
		}
	})
}

func TestRateLimitWaitsAndUsesUpNoAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, neighbour := &app{}, &app{}
		g := newGateway(t, map[string]*app{"http://a": p, "http://b": neighbour})
		id := g.register("http://a", func(s *capture.EndpointSpec) {
			s.RateLimit, s.Concurrency = &capture.RateLimit{Max: 3, Per: capture.Duration(time.Second)}, 8
		})
		g.register("http://b")
		defer g.flow()()
		for range 10 {
			g.emit("x")
		}
		time.Sleep(4 * time.Second)
		if len(p.seen()) != 10 || len(neighbour.seen()) != 10 {
			t.Fatalf("got %d and the neighbour %d, want 10 each", len(p.seen()), len(neighbour.seen()))
		}
		p.mu.Lock()
		for i := 3; i < len(p.at); i++ {
			if got := p.at[i].Sub(p.at[i-3]); got < time.Second {
				t.Errorf("attempts %d to %d within %s, want 3 a second", i-2, i+1, got)
			}
		}
		p.mu.Unlock()
		if last := neighbour.at[9].Sub(neighbour.at[0]); last > time.Second {
			t.Errorf("the neighbour waited %s", last)
		}
		for _, h := range g.history(id) {
			if h != "1:succeeded" {
				t.Errorf("an attempt is %s", h)
			}
		}
	})
}

// Whoever waits for a turn learns at once that there is no limit any more, that
// the endpoint is not to be sent to, or that the program ends.
func TestRateLimitedAttemptsFollowTheirEndpoint(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &app{}
		g := newGateway(t, map[string]*app{"http://a": p})
		id := g.register("http://a", func(s *capture.EndpointSpec) {
			s.RateLimit = &capture.RateLimit{Max: 1, Per: capture.Duration(time.Hour)}
		})
		stop := g.flow()
		change := func(patch string) {
			t.Helper()
			if _, err := g.registry.UpdateEndpoint(t.Context(), id, json.RawMessage(patch)); err != nil {
				t.Fatal(err)
			}
		}
		want := func(n int, when string) {
			t.Helper()
			if got := len(p.seen()); got != n {
				t.Errorf("%s: %d attempts, want %d", when, got, n)
			}
		}
		for range 3 {
			g.emit("x")
		}
		time.Sleep(time.Second)
		want(1, "limited")
		g.set(id, capture.EndpointDisabled)
		time.Sleep(2 * time.Hour)
		want(1, "disabled")
		g.set(id, capture.EndpointEnabled)
		time.Sleep(time.Second)
		want(2, "enabled again an hour later")
		change(`{"rate_limit":null}`)
		time.Sleep(time.Second)
		want(3, "without a limit")
		change(`{"rate_limit":{"max":1,"per_ms":3600000}}`)
		for range 3 {
			g.emit("x")
		}
		time.Sleep(time.Second)
		want(4, "limited again")
		g.set(id, capture.EndpointDeleted)
		time.Sleep(time.Second)
		want(4, "deleted")
		if h := g.row(id).Health; h.Pending != 0 {
			t.Errorf("%d are pending after it was deleted", h.Pending)
		}

		g.register("http://a", func(s *capture.EndpointSpec) {
			s.RateLimit = &capture.RateLimit{Max: 1, Per: capture.Duration(time.Hour)}
		})
		g.emit("x")
		g.emit("x")
		time.Sleep(time.Second)
		asked := time.Now()
		stop()
		if took := time.Since(asked); took > time.Second {
			t.Errorf("it took %s to end", took)
		}
	})
}

// However many retries are due, what is new is not behind them.
func TestFreshEventsAreNotStarvedByRetries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &app{answer: func(_ *capture.Event, a *capture.Attempt) { time.Sleep(time.Second) }}
		g := newGateway(t, map[string]*app{"http://a": p})
		id := g.register("http://a")
		e := &capture.Event{ID: capture.NewID(capture.EventID), App: capture.DefaultApp, Received: time.Now(), Target: "/old", SHA256: capture.Sum(nil)}
		change := &capture.Change{Event: e}
		for range 1000 {
			change.Attempts = append(change.Attempts, &capture.Attempt{
				ID: capture.NewID(capture.AttemptID), Event: e.ID, Endpoint: id, Delivery: capture.NewID(capture.DeliveryID), Number: 2,
				Status: capture.AttemptPending, NotBefore: time.Now().Add(-time.Hour), TriggeredBy: capture.BySystem, TriggeredFrom: capture.FromAutomation,
			})
		}
		for some := range slices.Chunk(change.Attempts, 500) {
			if err := g.store.Keep(t.Context(), &capture.Change{Event: change.Event, Attempts: some}); err != nil {
				t.Fatal(err)
			}
			if change.Event = nil; len(some) == 0 {
				break
			}
		}
		defer g.flow()()
		time.Sleep(10 * time.Second)
		g.emit("new")
		g.emit("new")
		time.Sleep(10 * time.Minute) // a window of retries, and some
		if n := len(p.seen()); n < 500 || n > 700 {
			t.Errorf("%d attempts in ten minutes", n)
		}
		fresh := slices.DeleteFunc(p.seen(), func(s string) bool { return strings.HasPrefix(s, "/old") })
		if len(fresh) != 2 {
			t.Errorf("%d of 2 new events were sent in ten minutes", len(fresh))
		}
	})
}

func TestTestEndpointSendsToOneWhateverItsStatus(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, other := &app{answer: status(500)}, &app{}
		g := newGateway(t, map[string]*app{"http://a": p, "http://b": other})
		id := g.register("http://a", subscribe("nothing"))
		g.register("http://b")
		g.set(id, capture.EndpointDisabled)
		defer g.flow()()
		a, err := g.registry.TestEndpoint(t.Context(), id, capture.Emission{})
		if err != nil || a.Code != 500 || a.Type != "test.webhook" || a.TriggeredBy != capture.ByUser {
			t.Errorf("the test came to %+v, %v", a, err)
		}
		time.Sleep(time.Hour)
		if len(p.seen()) != 1 || len(other.seen()) != 0 {
			t.Errorf("it got %d, another %d; want 1 and 0", len(p.seen()), len(other.seen()))
		}
	})
}

// What a user asks for waits for what is under way, and not for what waits
// itself.
func TestByHandGoesFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &app{answer: func(*capture.Event, *capture.Attempt) { time.Sleep(15 * time.Second) }}
		g := newGateway(t, map[string]*app{"http://a": p})
		id := g.register("http://a")
		for range 600 {
			g.emit("x")
		}
		defer g.flow()()
		time.Sleep(time.Minute)
		begun := time.Now()
		a, err := g.registry.TestEndpoint(t.Context(), id, capture.Emission{})
		if took := time.Since(begun); err != nil || a.Status != capture.AttemptSucceeded || took > 31*time.Second {
			t.Errorf("%s after %s, %v; want it after the one under way", a.Status, took, err)
		}
	})
}

// A change of concurrency counts for a lane that never rests, too.
func TestConcurrencyFollowsTheEndpoint(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &app{answer: func(*capture.Event, *capture.Attempt) { time.Sleep(time.Second) }}
		g := newGateway(t, map[string]*app{"http://a": p})
		id := g.register("http://a", func(s *capture.EndpointSpec) { s.Concurrency = 5 })
		for range 100 {
			g.emit("x")
		}
		defer g.flow()()
		time.Sleep(4*time.Second + 500*time.Millisecond)
		if n := len(p.seen()); n != 25 {
			t.Errorf("%d attempts began within 5 s, 5 at a time; want 25", n)
		}
		if _, err := g.registry.UpdateEndpoint(t.Context(), id, json.RawMessage(`{"concurrency":2}`)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		before := len(p.seen())
		time.Sleep(10 * time.Second)
		if n := len(p.seen()) - before; n != 20 {
			t.Errorf("%d attempts within 10 s, 2 at a time; want 20", n)
		}
	})
}

// A test of a disabled endpoint is not behind what it holds.
func TestByHandIsNotBehindABacklog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &app{}
		g := newGateway(t, map[string]*app{"http://a": p})
		id := g.register("http://a")
		for range 600 {
			g.emit("x")
		}
		g.set(id, capture.EndpointDisabled)
		defer g.flow()()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if a, err := g.registry.TestEndpoint(ctx, id, capture.Emission{}); err != nil || a.Status != capture.AttemptSucceeded {
			t.Errorf("%+v, %v", a, err)
		}
	})
}

func TestExplain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGateway(t, map[string]*app{"http://a": {}, "http://b": {}, "http://c": {}})
		yes := g.register("http://a", subscribe("order.*"))
		no := g.register("http://b", subscribe("user.*"))
		off := g.register("http://c")
		g.set(off, capture.EndpointDisabled)
		xs, err := g.registry.Explain(t.Context(), g.emit("order.created"))
		if err != nil || len(xs) != 3 {
			t.Fatalf("%+v, %v", xs, err)
		}
		for _, x := range xs {
			why := strings.Join(x.Why, "; ")
			switch x.Endpoint {
			case yes:
				if !x.Matches || why != "" {
					t.Errorf("a: %v %s", x.Matches, why)
				}
			case no:
				if x.Matches || !strings.Contains(why, "order.created") {
					t.Errorf("b: %v %s", x.Matches, why)
				}
			case off:
				if x.Matches || !strings.Contains(why, "disabled by the user: because") {
					t.Errorf("c: %v %s", x.Matches, why)
				}
			}
		}
	})
}

func TestIdempotencyKeyMakesAnEventOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &app{}
		g := newGateway(t, map[string]*app{"http://a": p})
		g.register("http://a")
		defer g.flow()()
		what := capture.Emission{Type: "order.created", Data: json.RawMessage(`{"n":1}`), Key: "k"}
		first, fresh, err := g.registry.Emit(t.Context(), capture.DefaultApp, what)
		if err != nil || !fresh {
			t.Fatal(fresh, err)
		}
		again, fresh, err := g.registry.Emit(t.Context(), capture.DefaultApp, what)
		if err != nil || fresh || again.ID != first.ID {
			t.Errorf("again: %s %v %v, want %s", again.ID, fresh, err, first.ID)
		}
		if out, err := g.registry.Announce(t.Context(), capture.DefaultApp, what); err != nil || out.Fresh || out.Event.ID != first.ID || len(out.Deliveries)+out.Filtered > 0 {
			t.Errorf("announced again: %+v (%v), want %s and no deliveries", out, err, first.ID)
		}
		what.Data = json.RawMessage(`{"n":2}`)
		var clash *capture.ConflictError
		if _, _, err := g.registry.Emit(t.Context(), capture.DefaultApp, what); !errors.As(err, &clash) || clash.With != string(first.ID) {
			t.Errorf("another event by the same key: %v", err)
		}
		time.Sleep(time.Second)
		if n := len(p.seen()); n != 1 {
			t.Errorf("%d were delivered, want 1", n)
		}
	})
}

// Endpoints come, change and go between events, a few or many at a time; an
// event goes to those who want it then.
func TestPlanFollowsChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGateway(t, map[string]*app{})
		rnd := rand.New(rand.NewPCG(3, 4))
		wants := map[capture.ID]string{}
		for step := range 60 {
			for range []int{1, 50}[step%2] {
				url := fmt.Sprintf("http://a/%d", len(g.apps))
				g.apps[url] = &app{}
				kind := fmt.Sprintf("t%d", rnd.IntN(3))
				wants[g.register(url, subscribe(kind))] = kind
			}
			for id := range wants {
				switch rnd.IntN(200) {
				case 0:
					g.set(id, capture.EndpointDisabled)
					delete(wants, id)
				case 1:
					if _, err := g.registry.UpdateEndpoint(t.Context(), id, json.RawMessage(`{"subscriptions":[{"type":"t0"}]}`)); err != nil {
						t.Fatal(err)
					}
					wants[id] = "t0"
				}
			}
			want := map[capture.ID]bool{}
			for id, kind := range wants {
				if kind == "t0" {
					want[id] = true
				}
			}
			for _, a := range g.Plan(&capture.Event{App: capture.DefaultApp, Type: "t0"}, nil) {
				if !want[a.Endpoint] {
					t.Fatalf("step %d: planned for %s, which does not want it", step, a.Endpoint)
				}
				delete(want, a.Endpoint)
			}
			if len(want) > 0 {
				t.Fatalf("step %d: %d who want it were left out", step, len(want))
			}
		}
	})
}

// A fresh delivery is a delivery like any: it has an id of its own, begins at
// one, is tried again by the schedule, and is made where and only where the
// event would go if it were new.
func TestFreshDeliveryIsOneLikeAny(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &app{answer: status(503)}
		g := newGateway(t, map[string]*app{"http://a": p})
		id := g.register("http://a", retry(capture.RetryPolicy{Attempts: 2}), subscribe("x"))
		defer g.flow()()
		event := g.emit("x")
		time.Sleep(time.Hour)
		failed := g.attempts(event)[0]
		made, err := g.Resend(t.Context(), event, capture.Resend{Attempt: failed.ID, Fresh: true})
		if err != nil || len(made) != 1 || made[0].TriggeredFrom != string(failed.ID) || made[0].Delivery == failed.Delivery {
			t.Fatalf("%+v, %v", made, err)
		}
		time.Sleep(time.Hour)
		if got := g.history(id); !slices.Equal(got, []string{"1:failed", "2:failed", "1:failed", "2:failed"}) {
			t.Errorf("history is %v", got)
		}
		if last := g.attempts(event)[3]; last.Delivery != made[0].Delivery || !last.Replays() || !last.Final {
			t.Errorf("the last attempt is %+v, want the end of the fresh delivery", last)
		}
		fresh := func(want error) {
			t.Helper()
			if _, err := g.Resend(t.Context(), event, capture.Resend{Endpoint: id, Fresh: true}); !errors.Is(err, want) {
				t.Errorf("sent again: %v, want %v", err, want)
			}
		}
		if _, err := g.registry.UpdateEndpoint(t.Context(), id, json.RawMessage(`{"subscriptions":[{"type":"y"}]}`)); err != nil {
			t.Fatal(err)
		}
		fresh(capture.ErrUnwanted)
		g.set(id, capture.EndpointDisabled)
		fresh(capture.ErrDisabled)
		g.set(id, capture.EndpointDeleted)
		fresh(capture.ErrDisabled)
	})
}
