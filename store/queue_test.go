package store

import (
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"code.hooktape.dev/hooktape/capture"
)

// TestReadyMissesNobody puts in and takes out at random. Whoever has something
// due is told of, and once the queues were looked at, nobody else.
func TestReadyMissesNobody(t *testing.T) {
	dir := t.TempDir()
	s, err := Open(dir, Options{Log: logTo(t.Output())})
	if err != nil {
		t.Fatal(err)
	}
	rnd := rand.New(rand.NewPCG(1, 2))
	base := time.Now().Add(-time.Hour).UTC()
	var endpoints []capture.ID
	for range 20 {
		endpoints = append(endpoints, capture.NewID(capture.EndpointID))
	}
	c := event(nil)
	keep(t, s, &capture.Change{Event: c.Event})
	waiting := map[capture.ID]*capture.Attempt{}
	check := func(step int) {
		t.Helper()
		now := base.Add(time.Duration(rnd.IntN(120)) * time.Minute)
		due, next := map[capture.ID]bool{}, time.Time{}
		for _, a := range waiting {
			switch {
			case !a.NotBefore.After(now):
				due[a.Endpoint] = true
			case next.IsZero() || a.NotBefore.Before(next):
				next = a.NotBefore
			}
		}
		for round := range 2 {
			ready, then, err := s.Ready(t.Context(), now)
			if err != nil {
				t.Fatal(err)
			}
			told := map[capture.ID]bool{}
			for _, q := range ready {
				told[q.Endpoint] = true
			}
			for id := range due {
				if !told[id] {
					t.Fatalf("step %d: %s has something due and is not told of", step, id)
				}
			}
			if len(due) == 0 && !next.IsZero() && (then.IsZero() || then.After(next)) && len(ready) == 0 {
				t.Fatalf("step %d: next is %s, want %s at the latest", step, then, next)
			}
			if round == 0 {
				for _, q := range ready {
					if _, err := s.Due(t.Context(), q.Endpoint, 1000); err != nil {
						t.Fatal(err)
					}
				}
			} else if len(told) != len(due) {
				t.Fatalf("step %d: %d endpoints are told of, and %d have something due", step, len(told), len(due))
			}
		}
	}
	for step := range 300 {
		switch {
		case rnd.IntN(3) > 0 || len(waiting) == 0:
			a := pending(c, endpoints[rnd.IntN(len(endpoints))], base.Add(time.Duration(rnd.IntN(7200))*time.Second))
			if a.Number = 1 + rnd.IntN(2); rnd.IntN(4) == 0 {
				a.TriggeredBy = capture.ByUser
			}
			keep(t, s, &capture.Change{Attempts: []*capture.Attempt{a}})
			waiting[a.ID] = a
		default:
			for id, a := range waiting {
				keep(t, s, &capture.Change{Attempts: []*capture.Attempt{finished(a, 200)}})
				delete(waiting, id)
				break
			}
		}
		if step%10 == 0 {
			check(step)
		}
		if step == 150 { // nothing of it is lost with the process
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			if s, err = Open(dir, Options{Log: logTo(t.Output())}); err != nil {
				t.Fatal(err)
			}
		}
	}
	audit(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestDueOfEachKind reads so many of each kind, however many of another wait.
func TestDueOfEachKind(t *testing.T) {
	s := memory(t)
	c := event(nil)
	to := capture.NewID(capture.EndpointID)
	for n := range 90 {
		a := pending(c, to, time.Now())
		if a.Number = 2; n%30 == 0 {
			a.Number = 1
		}
		if n%45 == 0 {
			a.TriggeredBy = capture.ByUser
		}
	}
	keep(t, s, c)
	due, err := s.Due(t.Context(), to, 10)
	if err != nil || len(due) != 2+2+10 {
		t.Fatalf("%d are due, %v; want 2 by hand, 2 first tries and 10 retries", len(due), err)
	}
	queue, err := s.Attempts(t.Context(), capture.AttemptQuery{Status: capture.AttemptPending, ByDue: true, Limit: 5})
	if err != nil || len(queue) != 5 || queue[0].NotBefore.After(queue[4].NotBefore) {
		t.Errorf("the queue begins with %+v, %v", queue, err)
	}
	at, err := s.Attempts(t.Context(), capture.AttemptQuery{Endpoint: to, Limit: 1000})
	if err != nil || len(at) != 90 {
		t.Errorf("%d attempts at the endpoint, %v; want 90", len(at), err)
	}
}

func TestEndpointClaimsItsURL(t *testing.T) {
	s := memory(t)
	made := func(url string) capture.Endpoint {
		e := capture.Endpoint{ID: capture.NewID(capture.EndpointID), App: "shop", Status: capture.EndpointEnabled}
		e.URL = url
		return e
	}
	first, second := made("http://a"), made("http://a")
	if err := s.NewEndpoint(t.Context(), first, true); err != nil {
		t.Fatal(err)
	}
	var clash *capture.ConflictError
	if err := s.NewEndpoint(t.Context(), second, true); !errors.As(err, &clash) || clash.With != string(first.ID) || clash.Field != "url" {
		t.Errorf("a second one: %v", err)
	}
	second.URL = "http://b"
	if err := s.NewEndpoint(t.Context(), second, true); err != nil {
		t.Fatal(err)
	}
	move := func(id capture.ID, url string, status capture.EndpointStatus) error {
		_, err := s.EditEndpoint(t.Context(), id, func(e *capture.Endpoint, _ *capture.Health) error {
			e.URL, e.Status = url, status
			return nil
		})
		return err
	}
	if err := move(second.ID, "http://a", capture.EndpointEnabled); !errors.As(err, &clash) {
		t.Errorf("moving to a URL that is taken: %v", err)
	}
	if err := move(first.ID, "http://c", capture.EndpointEnabled); err != nil {
		t.Fatal(err)
	}
	if err := move(second.ID, "http://a", capture.EndpointEnabled); err != nil {
		t.Errorf("moving to one that was left: %v", err)
	}
	if err := move(second.ID, "http://a", capture.EndpointDeleted); err != nil {
		t.Fatal(err)
	}
	if err := s.NewEndpoint(t.Context(), made("http://a"), true); err != nil {
		t.Errorf("a new one where one was deleted: %v", err)
	}
	if err := move(second.ID, "http://a", capture.EndpointEnabled); !errors.Is(err, capture.ErrNotFound) {
		t.Errorf("changing a deleted one: %v", err)
	}
	rows, err := s.EndpointRows(t.Context(), capture.EndpointQuery{App: "shop"})
	if err != nil || len(rows) != 2 {
		t.Errorf("%d are listed, %v; want the 2 that are not deleted", len(rows), err)
	}
	audit(t, s)
}
