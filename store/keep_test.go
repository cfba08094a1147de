package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"code.hooktape.dev/hooktape/capture"
)

// TestBytesInBytesOut keeps every byte where a sender may put it.
func TestBytesInBytesOut(t *testing.T) {
	s := onDisk(t)
	var any strings.Builder
	for b := range 256 {
		any.WriteByte(byte(b))
	}
	c := event([]byte(any.String()), func(e *capture.Event) {
		e.App, e.Type, e.Target, e.Method, e.Proto = any.String(), any.String(), capture.Raw("/"+any.String()), any.String(), any.String()
		e.Provider, e.ProviderID, e.Remote, e.Source = any.String(), any.String(), any.String(), any.String()
		e.Headers = capture.Headers{{"X-" + any.String(), any.String()}, {"x-" + any.String(), ""}, {"", "\xff"}}
		e.Trailers = capture.Headers{{"T", any.String()}}
		e.Metadata = map[string]string{any.String(): any.String()}
		for range 100 { // a record of several parts
			e.Headers = append(e.Headers, capture.Header{"Cookie", any.String()})
		}
		e.Received = time.Date(2026, 11, 22, 1, 2, 3, 456789012, time.UTC)
	})
	a := pending(c, capture.NewID(capture.EndpointID), time.Unix(5, 0).UTC())
	keep(t, s, c)
	f := finished(a, 500)
	f.Response.Body, f.Response.Headers = []byte(any.String()), capture.Headers{{any.String(), any.String()}}
	f.Request.Target, f.URL, f.Error.Message = capture.Raw(any.String()), any.String(), any.String()
	keep(t, s, &capture.Change{Attempts: []*capture.Attempt{f}})

	row, err := s.Event(t.Context(), c.Event.ID)
	if err != nil || !reflect.DeepEqual(row.Event, *c.Event) {
		t.Errorf("event:\n got %#v, %v\nwant %#v", row.Event, err, *c.Event)
	}
	got, err := s.Attempt(t.Context(), a.ID)
	if err != nil || !reflect.DeepEqual(got, *f) {
		t.Errorf("attempt:\n got %#v, %v\nwant %#v", got, err, *f)
	}
	if body, err := s.Body(t.Context(), c.Event.ID); err != nil || !bytes.Equal(body, c.Body) {
		t.Errorf("body = %q, %v", body, err)
	}
	page, err := s.Events(t.Context(), capture.Query{App: any.String()})
	if err != nil || len(page.Rows) != 1 {
		t.Errorf("by app: %d rows, %v", len(page.Rows), err)
	}
}

func TestKeptOnce(t *testing.T) {
	s := memory(t)
	c := event([]byte("first"))
	keep(t, s, c)
	again := *c.Event
	again.Seq = 0
	second := &capture.Change{Event: &again, Body: c.Body}
	pending(second, capture.NewID(capture.EndpointID), time.Now())
	keep(t, s, event(nil), second)
	if again.Seq != 1 {
		t.Errorf("seq = %d, want 1", again.Seq)
	}
	if counts, _ := s.Counts(t.Context()); counts != (capture.Counts{Events: 2, Seq: 2}) {
		t.Errorf("counts = %+v, want 2 events and no attempt", counts)
	}
	audit(t, s)
}

// TestOddChangesFailAlone: what is refused holds back none of its neighbours,
// and uses up no place in the sequence.
func TestOddChangesFailAlone(t *testing.T) {
	s := onDisk(t)
	orphan := event(nil)
	a := pending(orphan, capture.NewID(capture.EndpointID), time.Now())
	good := []*capture.Change{event(nil), event(nil), event(nil)}
	huge := &capture.Change{Event: good[0].Event}
	for range 5000 {
		pending(huge, a.Endpoint, time.Now())
	}
	huge.Event = nil
	wrong := event([]byte("x"))
	wrong.Body = []byte("y")
	noID := event(nil, func(e *capture.Event) { e.ID = "evt_1" })
	stub := event(nil, func(e *capture.Event) { e.Refused = &capture.Refusal{Status: 413} })
	pending(stub, a.Endpoint, time.Now())
	err := s.Keep(t.Context(), good[0], &capture.Change{Attempts: []*capture.Attempt{a}}, good[1], huge, wrong, noID, stub, good[2])
	for _, want := range []error{capture.ErrNotFound, ErrTooLarge, capture.ErrBadID} {
		if !errors.Is(err, want) {
			t.Errorf("got %v, want %v in it", err, want)
		}
	}
	for i, c := range good {
		if c.Event.Seq != uint64(i+1) {
			t.Errorf("seq of good change %d = %d", i, c.Event.Seq)
		}
	}
	audit(t, s)
}

// TestWideFanOut keeps an event that goes to more endpoints than one
// transaction can hold.
func TestWideFanOut(t *testing.T) {
	s := onDisk(t)
	c := event([]byte("wide"))
	for range 2*mostFanOut + 1 {
		pending(c, capture.NewID(capture.EndpointID), time.Now())
	}
	keep(t, s, c)
	counts, _ := s.Counts(t.Context())
	if counts.Events != 1 || counts.Pending != int64(len(c.Attempts)) {
		t.Errorf("counts = %+v, want 1 event and %d pending", counts, len(c.Attempts))
	}
	for _, a := range c.Attempts {
		keep(t, s, &capture.Change{Attempts: []*capture.Attempt{finished(a, 200)}})
	}
	row, err := s.Event(t.Context(), c.Event.ID)
	if err != nil || row.Outcome.State != capture.OK || row.Outcome.Tries != len(c.Attempts) {
		t.Errorf("outcome = %+v, %v", row.Outcome, err)
	}
	audit(t, s)
}

// TestManyAtOnce fills more than one transaction.
func TestManyAtOnce(t *testing.T) {
	for name, s := range map[string]*Store{"memory": memory(t), "disk": onDisk(t)} {
		t.Run(name, func(t *testing.T) {
			var changes []*capture.Change
			for i := range 500 {
				c := event(noise(i * 10))
				for range i % 20 {
					pending(c, capture.NewID(capture.EndpointID), time.Now())
				}
				changes = append(changes, c)
			}
			keep(t, s, changes...)
			for i, c := range changes {
				if c.Event.Seq != uint64(i+1) {
					t.Fatalf("seq of change %d = %d", i, c.Event.Seq)
				}
			}
			audit(t, s)
		})
	}
}

func TestLargeBodies(t *testing.T) {
	if testing.Short() {
		t.Skip("takes 300 MiB")
	}
	s := onDisk(t)
	for _, size := range []int{25 << 20, 64 << 20} {
		c := event(noise(size))
		start := time.Now()
		keep(t, s, c)
		t.Logf("%d MiB in %v", size>>20, time.Since(start).Round(time.Millisecond))
		body, err := s.Body(t.Context(), c.Event.ID)
		if err != nil || !bytes.Equal(body, c.Body) {
			t.Errorf("%d bytes: %v", size, err)
		}
	}
}

func TestKeepAsync(t *testing.T) {
	s := memory(t)
	var wg sync.WaitGroup
	for range 1000 {
		wg.Add(1)
		c := event([]byte("{}"))
		s.KeepAsync(c, func(err error) {
			if err != nil || c.Event.Seq == 0 {
				t.Errorf("seq %d, %v", c.Event.Seq, err)
			}
			wg.Done()
		})
	}
	if err := s.Close(); err != nil { // finishes what was handed in
		t.Fatal(err)
	}
	wg.Wait()
	if s.totals.Events != 1000 {
		t.Errorf("%d events, want 1000", s.totals.Events)
	}
	refused := make(chan error, 1)
	s.KeepAsync(event(nil), func(err error) { refused <- err })
	if err := <-refused; !errors.Is(err, capture.ErrUnavailable) {
		t.Errorf("when closed: %v, want ErrUnavailable", err)
	}
}

// TestPoison: Badger 4.9 tells a failed sync of its value log to its logger
// only, from within the commit.
func TestPoison(t *testing.T) {
	s := memory(t)
	keep(t, s, event(nil))
	s.log.Errorf("Error while curlf sync: %v\n", errors.New("input/output error"))
	for range 2 {
		err := s.Keep(t.Context(), event(nil))
		if !errors.Is(err, capture.ErrUnavailable) || !strings.Contains(err.Error(), "input/output error") {
			t.Errorf("got %v, want ErrUnavailable and the reason", err)
		}
	}
	if page, err := s.Events(t.Context(), capture.Query{}); err != nil || len(page.Rows) != 1 {
		t.Errorf("reading goes on: %d rows, %v", len(page.Rows), err)
	}
}

func TestWatchNeverBlocks(t *testing.T) {
	s := memory(t)
	ctx, cancel := context.WithCancel(t.Context())
	c := s.Watch(ctx)
	for range 10 { // nobody takes a token
		keep(t, s, event(nil))
	}
	<-c
	select {
	case <-c:
		t.Error("a second token")
	default:
	}
	keep(t, s, event(nil))
	<-c
	facts, err := s.Facts(t.Context(), 4, 5)
	if err != nil || len(facts) != 5 || facts[0].Seq != 5 || facts[4].Seq != 9 {
		t.Errorf("facts = %v, %v; want 5 to 9", facts, err)
	}
	cancel()
	if _, ok := <-c; ok {
		t.Error("the channel is open after its context")
	}
	other := s.Watch(t.Context())
	s.Close()
	if _, ok := <-other; ok {
		t.Error("the channel is open after the store")
	}
	if _, ok := <-s.Watch(t.Context()); ok {
		t.Error("a watch of a closed store is open")
	}
}

// TestOutcomes folds attempts. A letter is what happens to a delivery: p
// pending, o ok, f failed, s skipped.
func TestOutcomes(t *testing.T) {
	for steps, want := range map[string]struct {
		state capture.State
		tries int
	}{
		"":                  {capture.Captured, 0},
		"1p":                {capture.Pending, 0},
		"1p 1o":             {capture.OK, 1},
		"1p 1f":             {capture.Failed, 1},
		"1p 1f 1p":          {capture.Retrying, 1},
		"1p 1f 1p 1o":       {capture.OK, 2},
		"1p 1f 1p 1s":       {capture.Failed, 1},
		"1p 1s":             {capture.Captured, 0},
		"1p 1o 1p 1s":       {capture.OK, 1},
		"1p 2p 1o":          {capture.Pending, 1},
		"1p 2p 1o 2f":       {capture.Failed, 2},
		"1p 2p 1f 2o":       {capture.Failed, 2},
		"1p 2p 1f 1p":       {capture.Pending, 1},
		"1p 2p 1f 1p 2f":    {capture.Retrying, 2},
		"1p 2p 1f 1p 2f 1o": {capture.Failed, 3},
		"1p 1o 1p":          {capture.Pending, 1},
		"1p 1f 2p":          {capture.Pending, 1},
		"1p 1f 2p 2o":       {capture.Failed, 2},
		"1o":                {capture.OK, 1}, // never pending: kept when it was over
	} {
		t.Run(fmt.Sprintf("%q", steps), func(t *testing.T) {
			s := memory(t)
			c := event(nil)
			keep(t, s, c)
			deliveries := map[byte]capture.ID{'1': capture.NewID(capture.DeliveryID), '2': capture.NewID(capture.DeliveryID)}
			open := map[byte]*capture.Attempt{}
			wh, due := capture.NewID(capture.EndpointID), time.Unix(1000, 0).UTC()
			for i, step := range strings.Fields(steps) {
				which := step[0]
				a := open[which]
				if a == nil {
					a = pending(c, wh, due.Add(time.Duration(i)*time.Second))
					a.Delivery = deliveries[which]
				}
				switch step[1] {
				case 'p':
					open[which] = a
				case 'o':
					a = finished(a, 200)
				case 'f':
					a = finished(a, 503)
				case 's':
					skipped := *a
					skipped.Status = capture.AttemptSkipped
					a = &skipped
				}
				if step[1] != 'p' {
					delete(open, which)
				}
				keep(t, s, &capture.Change{Attempts: []*capture.Attempt{a}})
			}
			row, err := s.Event(t.Context(), c.Event.ID)
			if err != nil {
				t.Fatal(err)
			}
			if o := row.Outcome; o.State != want.state || o.Tries != want.tries || o.Next.IsZero() == (len(open) > 0) {
				t.Errorf("outcome = %+v, want %q after %d tries, next %v", o, want.state, want.tries, len(open) > 0)
			}
			audit(t, s)
		})
	}
}

func TestDueInOrder(t *testing.T) {
	s := memory(t)
	wh, other := capture.NewID(capture.EndpointID), capture.NewID(capture.EndpointID)
	var want []capture.ID
	c := event(nil)
	for i, at := range []time.Duration{0, 0, 1, time.Second, 2 * time.Second, 280 * 365 * 24 * time.Hour} {
		due := time.Unix(1000, 0).UTC().Add(at)
		if i == 0 {
			due = time.Time{}
		}
		want = append(want, pending(c, wh, due).ID)
		pending(c, other, due)
	}
	keep(t, s, c)
	due, err := s.Due(t.Context(), wh, 100)
	if err != nil {
		t.Fatal(err)
	}
	var got []capture.ID
	for _, a := range due {
		got = append(got, a.ID)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	// A pending attempt may be put off.
	later := due[0]
	later.NotBefore = time.Unix(5000, 0).UTC()
	keep(t, s, &capture.Change{Attempts: []*capture.Attempt{&later}})
	if due, _ := s.Due(t.Context(), wh, 1); len(due) != 1 || due[0].ID != want[1] {
		t.Errorf("after putting the first off: %v", due)
	}
	audit(t, s)
}

func TestEndpointIsFoundAgain(t *testing.T) {
	s := onDisk(t)
	e := capture.Endpoint{App: "default", EndpointSpec: capture.EndpointSpec{URL: "http://localhost:3000"}}
	first, err := s.Endpoint(t.Context(), e)
	if err != nil || first.ID == "" || first.Created.IsZero() {
		t.Fatalf("%+v, %v", first, err)
	}
	again, err := s.Endpoint(t.Context(), e)
	if err != nil || !reflect.DeepEqual(again, first) {
		t.Errorf("got %+v, %v; want %+v", again, err, first)
	}
	e.Filter = "type:push"
	if other, err := s.Endpoint(t.Context(), e); err != nil || other.ID == first.ID {
		t.Errorf("another filter: %+v, %v", other, err)
	}
	if list, err := s.Endpoints(t.Context()); err != nil || len(list) != 2 || !reflect.DeepEqual(list[0], first) {
		t.Errorf("all = %+v, %v", list, err)
	}
}

func TestAttemptsWindow(t *testing.T) {
	s := memory(t)
	c, other := event(nil), event(nil)
	wh := capture.NewID(capture.EndpointID)
	var want []capture.ID
	for range 5 {
		want = append([]capture.ID{pending(c, wh, time.Now()).ID}, want...)
		pending(other, wh, time.Now())
	}
	keep(t, s, c, other)
	var got []capture.ID
	for q := (capture.AttemptQuery{Event: c.Event.ID, Limit: 2}); ; q.Cursor = got[len(got)-1] {
		list, err := s.Attempts(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		if len(list) == 0 {
			break
		}
		for _, a := range list {
			got = append(got, a.ID)
		}
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if all, err := s.Attempts(t.Context(), capture.AttemptQuery{Status: capture.AttemptPending}); err != nil || len(all) != 10 {
		t.Errorf("all pending: %d, %v; want 10", len(all), err)
	}
}

// TestAttemptsOfAnApp: pages of an app's attempts are full, however many of
// others lie between, at an endpoint that both have too.
func TestAttemptsOfAnApp(t *testing.T) {
	s := memory(t)
	both, own := capture.NewID(capture.EndpointID), capture.NewID(capture.EndpointID)
	var newest, soonest []capture.ID
	now := time.Now()
	for i := range 60 {
		c := event(nil, func(e *capture.Event) { e.App = []string{"bank", "shop", "bank"}[i%3] })
		a := pending(c, []capture.ID{both, own}[i/3%2], now.Add(time.Duration(i)*time.Second))
		if i%2 == 0 { // an older hooktape wrote no app
			a.App = c.Event.App
		}
		if c.Event.App == "shop" {
			newest, soonest = append([]capture.ID{a.ID}, newest...), append(soonest, a.ID)
		}
		keep(t, s, c)
	}
	read := func(q capture.AttemptQuery) (ids []capture.ID) {
		t.Helper()
		list, err := s.Attempts(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range list {
			ids = append(ids, a.ID)
		}
		return ids
	}
	for _, q := range []capture.AttemptQuery{{App: "shop", Limit: 3}, {App: "shop", Endpoint: both, Limit: 3}, {App: "shop", Status: capture.AttemptPending, Limit: 3}} {
		var got []capture.ID
		for page := read(q); len(page) > 0; page = read(q) {
			if got = append(got, page...); len(page) < 3 && len(got) < len(newest)/2 {
				t.Errorf("%+v: a page of %d", q, len(page))
			}
			q.Cursor = got[len(got)-1]
		}
		want := newest
		if q.Endpoint != "" {
			want = nil
			for i := range newest { // every other one, and the oldest is at both
				if i%2 == 1 {
					want = append(want, newest[i])
				}
			}
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%+v: got %v, want %v", q, got, want)
		}
	}
	if got := read(capture.AttemptQuery{App: "shop", ByDue: true, Limit: 15}); !reflect.DeepEqual(got, soonest[:15]) {
		t.Errorf("due: got %v, want %v", got, soonest[:15])
	}
	if got := read(capture.AttemptQuery{App: "none"}); len(got) != 0 {
		t.Errorf("of no app: %v", got)
	}
}
