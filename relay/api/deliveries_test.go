package api_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/store"
)

// sent are three events of app shop and one of app bank, each on its way to two
// endpoints, and what has become of them: the deliveries as they were made,
// the oldest first.
func sent(t *testing.T, s *store.Store, endpoints [2]capture.ID) (all []capture.ID, want map[capture.ID]capture.DeliveryStatus) {
	t.Helper()
	want = map[capture.ID]capture.DeliveryStatus{}
	attempt := func(e *capture.Event, at, delivery capture.ID, number int, how capture.AttemptStatus, code int, by string) *capture.Change {
		a := &capture.Attempt{
			ID: capture.NewID(capture.AttemptID), Event: e.ID, App: e.App, Type: e.Type, Endpoint: at, Delivery: delivery, Number: number,
			Status: how, Code: code, TriggeredBy: by, TriggeredFrom: capture.FromAutomation, NotBefore: time.Now().UTC().Round(0),
		}
		if how == capture.AttemptFailed {
			a.Error = &capture.Failure{Class: capture.FailStatus, Message: "no"}
		}
		if how != capture.AttemptPending {
			a.Started = time.Now().UTC().Round(0)
		}
		return &capture.Change{Attempts: []*capture.Attempt{a}}
	}
	const system, user = capture.BySystem, capture.ByUser
	type step struct {
		how  capture.AttemptStatus
		code int
		by   string
	}
	made, failed, waits, skipped := step{capture.AttemptSucceeded, 200, system}, step{capture.AttemptFailed, 500, system}, step{capture.AttemptPending, 0, system}, step{capture.AttemptSkipped, 0, system}
	for i, steps := range [][]step{
		{made},
		{failed, made},
		{failed, failed, waits},
		{failed, {capture.AttemptFailed, 410, system}},
		{waits},
		{skipped},
		{failed, skipped, {capture.AttemptSucceeded, 200, user}},
		{failed, waits, {capture.AttemptFailed, 500, user}},
	} {
		c := event(nil, func(e *capture.Event) {
			e.App, e.Type = []string{"shop", "bank"}[i/6], []string{"order.created", "order.paid"}[i%2]
		})
		keep(t, s, c)
		id := capture.NewID(capture.DeliveryID)
		for n, x := range steps {
			keep(t, s, attempt(c.Event, endpoints[i/2%2], id, n+1, x.how, x.code, x.by))
		}
		all = append(all, id)
		want[id] = []capture.DeliveryStatus{capture.DeliverySucceeded, capture.DeliverySucceeded, capture.DeliveryRetrying, capture.DeliveryGone,
			capture.DeliveryPending, capture.DeliverySkipped, capture.DeliverySucceeded, capture.DeliveryRetrying}[i]
		time.Sleep(2 * time.Millisecond) // for since and until: ids know milliseconds
	}
	return all, want
}

// TestDeliveries are found by all that can be asked for, in pages, and one by
// one.
func TestDeliveries(t *testing.T) {
	both(t, func(t *testing.T, s *store.Store, src source) {
		endpoints := [2]capture.ID{capture.NewID(capture.EndpointID), capture.NewID(capture.EndpointID)}
		all, status := sent(t, s, endpoints)
		for _, tt := range []struct {
			name  string
			query capture.DeliveryQuery
			want  []int
		}{
			{"all", capture.DeliveryQuery{}, []int{0, 1, 2, 3, 4, 5, 6, 7}},
			{"an app", capture.DeliveryQuery{App: "shop"}, []int{0, 1, 2, 3, 4, 5}},
			{"none's", capture.DeliveryQuery{App: "none"}, nil},
			{"an endpoint", capture.DeliveryQuery{Endpoint: endpoints[1]}, []int{2, 3, 6, 7}},
			{"an endpoint and an app", capture.DeliveryQuery{Endpoint: endpoints[1], App: "bank"}, []int{6, 7}},
			{"a type", capture.DeliveryQuery{Type: "order.paid"}, []int{1, 3, 5, 7}},
			{"no glob", capture.DeliveryQuery{Type: "order.*"}, nil},
			{"a status", capture.DeliveryQuery{Status: []capture.DeliveryStatus{capture.DeliverySucceeded}}, []int{0, 1, 6}},
			{"several", capture.DeliveryQuery{Status: []capture.DeliveryStatus{capture.DeliveryGone, capture.DeliverySkipped, capture.DeliveryPending}}, []int{3, 4, 5}},
			{"since", capture.DeliveryQuery{Since: all[3].Time()}, []int{3, 4, 5, 6, 7}},
			{"until", capture.DeliveryQuery{Until: all[3].Time()}, []int{0, 1, 2, 3}},
			{"since and until", capture.DeliveryQuery{Since: all[3].Time(), Until: all[4].Time(), App: "shop"}, []int{3, 4}},
			{"before there were any", capture.DeliveryQuery{Until: all[0].Time().Add(-time.Hour)}, nil},
			{"passed over", capture.DeliveryQuery{Offset: 3}, []int{0, 1, 2, 3, 4}},
			{"passed over, of a status", capture.DeliveryQuery{Offset: 1, Status: []capture.DeliveryStatus{capture.DeliverySucceeded}}, []int{0, 1}},
		} {
			t.Run(tt.name, func(t *testing.T) {
				var want, got []capture.ID
				for _, i := range slices.Backward(tt.want) {
					want = append(want, all[i])
				}
				for _, d := range must[[]capture.Delivery](t)(src.Deliveries(t.Context(), tt.query)) {
					got = append(got, d.ID)
				}
				if !slices.Equal(got, want) {
					t.Errorf("found %v, want %v", got, want)
				}
				got = nil
				for q := tt.query; ; q.Offset, q.Cursor = 0, got[len(got)-1] {
					q.Limit = 2
					page := must[[]capture.Delivery](t)(src.Deliveries(t.Context(), q))
					for _, d := range page {
						got = append(got, d.ID)
					}
					if len(page) < q.Limit {
						break
					}
				}
				if !slices.Equal(got, want) {
					t.Errorf("found in pages %v, want %v", got, want)
				}
			})
		}
		for id, want := range status {
			d := must[capture.Delivery](t)(src.Delivery(t.Context(), id))
			if d.ID != id || d.Status != want || d.App == "" || d.Type == "" || d.Event == "" || !d.Created.Equal(id.Time()) {
				t.Errorf("found %+v, want it %s", d, want)
			}
		}
		d := must[capture.Delivery](t)(src.Delivery(t.Context(), all[6]))
		if d.Attempts != 2 || d.Last == nil || d.Last.Number != 3 || d.MaxAttempts != 12 || !d.Next.IsZero() {
			t.Errorf("found %+v, want two attempts of twelve, the third the last", d)
		}
		if d := must[capture.Delivery](t)(src.Delivery(t.Context(), all[2])); d.Next.IsZero() || d.Last.Number != 2 {
			t.Errorf("found %+v, want when its third attempt is due", d)
		}
		for _, id := range []capture.ID{"", "x", capture.NewID(capture.DeliveryID), capture.ID("att_" + all[0][4:])} {
			if _, err := src.Delivery(t.Context(), id); !errors.Is(err, capture.ErrNotFound) {
				t.Errorf("%q: %v, want ErrNotFound", id, err)
			}
		}
		if _, err := src.Deliveries(t.Context(), capture.DeliveryQuery{Event: capture.NewID(capture.EventID)}); !errors.Is(err, capture.ErrNotFound) {
			t.Errorf("of no event: %v, want ErrNotFound", err)
		}
	})
}

// TestMostAttempts of a delivery are those of its endpoint's schedule, and one
// where a user asked for it.
func TestMostAttempts(t *testing.T) {
	o := owned(t)
	ctx := t.Context()
	e := must[capture.Endpoint](t)(o.registry.CreateEndpoint(ctx, capture.DefaultApp, capture.EndpointSpec{URL: o.app.URL, Retry: &capture.RetryPolicy{Attempts: 3}}))
	tried := must[capture.Attempt](t)(o.registry.TestEndpoint(ctx, e.ID, capture.Emission{}))
	made, _, err := o.registry.Emit(ctx, capture.DefaultApp, capture.Emission{Type: "a"})
	if err != nil {
		t.Fatal(err)
	}
	own := must[[]capture.Delivery](t)(o.store.Deliveries(ctx, capture.DeliveryQuery{Event: made.ID}))
	if len(own) != 1 || own[0].MaxAttempts != 3 {
		t.Errorf("made %+v, want one with three attempts", own)
	}
	if d := must[capture.Delivery](t)(o.store.Delivery(ctx, tried.Delivery)); d.MaxAttempts != 1 {
		t.Errorf("a test has %d attempts, want 1", d.MaxAttempts)
	}
}

// TestFarReplays: a client starts, reads and cancels replays as their owner
// does.
func TestFarReplays(t *testing.T) {
	o := owned(t)
	c := o.tcp(t, "s3cret")
	ctx := t.Context()
	must[capture.App](t)(c.CreateApp(ctx, "shop", capture.AppSpec{}))
	started := must[capture.Replay](t)(c.StartReplay(ctx, "shop", capture.ReplaySpec{Deliveries: []capture.ID{}, Key: "k"}))
	if again := must[capture.Replay](t)(c.StartReplay(ctx, "shop", capture.ReplaySpec{Since: time.Now(), Key: "k"})); again.ID != started.ID {
		t.Errorf("the same key began %s and %s", started.ID, again.ID)
	}
	for deadline := time.Now().Add(patience); must[capture.Replay](t)(c.Replay(ctx, started.ID)).Status != capture.ReplayCompleted; {
		if time.Now().After(deadline) {
			t.Fatal("the replay does not end")
		}
	}
	if still := must[capture.Replay](t)(c.CancelReplay(ctx, started.ID)); still.Status != capture.ReplayCompleted {
		t.Errorf("cancelled when it had ended: %+v", still)
	}
	if all := must[[]capture.Replay](t)(c.Replays(ctx, "shop")); len(all) != 1 || all[0].ID != started.ID {
		t.Errorf("there are %+v", all)
	}
	_, err := c.StartReplay(ctx, "shop", capture.ReplaySpec{})
	wantField(t, err, "since")
	_, err = c.StartReplay(ctx, "none", capture.ReplaySpec{Deliveries: []capture.ID{}})
	wantError(t, err, capture.ErrNotFound)
	_, err = c.Replay(ctx, capture.NewID(capture.ReplayID))
	wantError(t, err, capture.ErrNotFound)
	_, err = c.CancelReplay(ctx, "x")
	wantError(t, err, capture.ErrNotFound)
}
