package store

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dgraph-io/badger/v4"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/series"
)

// ended is an attempt at an endpoint of an app that was over then.
func ended(c *capture.Change, endpoint capture.ID, at time.Time, code int) *capture.Attempt {
	a := finished(pending(&capture.Change{Event: c.Event}, endpoint, at), code)
	a.App, a.Type = c.Event.App, c.Event.Type
	a.Started = at.Add(-time.Duration(a.Duration))
	return a
}

func stats(t testing.TB, s *Store, q capture.StatsQuery) capture.Stats {
	t.Helper()
	st, err := s.Stats(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	return st
}

func TestStats(t *testing.T) {
	for name, open := range map[string]func(testing.TB) *Store{"memory": memory, "disk": onDisk} {
		t.Run(name, func(t *testing.T) {
			s, now := open(t), time.Now()
			shop, blog := event(nil, func(e *capture.Event) { e.App, e.Type = "shop", "order" }), event(nil, func(e *capture.Event) { e.App = "blog" })
			keep(t, s, shop, blog, event(nil, func(e *capture.Event) { e.App, e.Type = "shop", "" }))
			e, err := s.Endpoint(t.Context(), capture.Endpoint{App: "shop", EndpointSpec: capture.EndpointSpec{URL: "http://a.test"}})
			if err != nil {
				t.Fatal(err)
			}
			other, err := s.Endpoint(t.Context(), capture.Endpoint{App: "blog", EndpointSpec: capture.EndpointSpec{URL: "http://b.test"}})
			if err != nil {
				t.Fatal(err)
			}
			lost := ended(shop, e.ID, now.Add(-3*time.Hour), 503)
			lost.Final = true
			second := ended(shop, e.ID, now, 404)
			second.Number = 2
			skipped := ended(shop, e.ID, now, 500)
			skipped.Status = capture.AttemptSkipped
			old := ended(blog, other.ID, now, 200)
			old.App, old.Type = "", "" // as older versions kept them
			long := ended(shop, e.ID, now.Add(-25*time.Hour), 200)
			for _, a := range []*capture.Attempt{ended(shop, e.ID, now, 200), lost, second, skipped, old, long} {
				keep(t, s, &capture.Change{Attempts: []*capture.Attempt{a}})
			}
			keep(t, s, &capture.Change{Attempts: []*capture.Attempt{finished(lost, 200)}}) // a fact already

			check := func(s *Store) {
				t.Helper()
				rate := func(part float64) *float64 { return &part }
				latency := func() *capture.Latency {
					const d = capture.Duration(23 * time.Millisecond)
					return &capture.Latency{Mean: d, P50: d, P95: d, P99: d, Max: d}
				}
				ofShop := capture.Totals{Attempts: 3, Succeeded: 1, Failed: 2, Deliveries: 2, Exhausted: 1, Begun: 2, SuccessRate: rate(1. / 3), Latency: latency()}
				ofBlog := capture.Totals{Attempts: 1, Succeeded: 1, Deliveries: 1, Begun: 1, SuccessRate: rate(1), Latency: latency()}
				reasons := []capture.Count{{Name: "client error (4xx)", Count: 1}, {Name: "server error (5xx)", Count: 1}}
				for name, c := range map[string]struct {
					query capture.StatsQuery
					want  capture.Stats
				}{
					"everything": {capture.StatsQuery{}, capture.Stats{
						Totals:    capture.Totals{Events: 3, Attempts: 4, Succeeded: 2, Failed: 2, Deliveries: 3, Exhausted: 1, Begun: 3, SuccessRate: rate(0.5), Latency: latency()},
						Reasons:   reasons,
						Types:     []capture.Count{{Name: "order", Count: 1}, {Name: "push", Count: 1}},
						Endpoints: []capture.EndpointTotals{{Endpoint: e.ID, URL: e.URL, Totals: ofShop}, {Endpoint: other.ID, URL: other.URL, Totals: ofBlog}},
					}},
					"an app": {capture.StatsQuery{App: "shop"}, capture.Stats{
						Totals:    func() capture.Totals { t := ofShop; t.Events = 2; return t }(),
						Reasons:   reasons,
						Types:     []capture.Count{{Name: "order", Count: 1}},
						Endpoints: []capture.EndpointTotals{{Endpoint: e.ID, URL: e.URL, Totals: ofShop}},
					}},
					"an endpoint": {capture.StatsQuery{App: "shop", Endpoint: e.ID}, capture.Stats{
						Totals:    ofShop,
						Reasons:   reasons,
						Types:     []capture.Count{{Name: "order", Count: 2}},
						Endpoints: []capture.EndpointTotals{},
					}},
					"an unknown app": {capture.StatsQuery{App: "nowhere"}, capture.Stats{
						Reasons: []capture.Count{}, Types: []capture.Count{}, Endpoints: []capture.EndpointTotals{},
					}},
					"a day before": {capture.StatsQuery{Since: now.Add(-26 * time.Hour), Until: now.Add(-24 * time.Hour), App: "shop"}, capture.Stats{
						Totals:    ofBlog, // also one that went well
						Reasons:   []capture.Count{},
						Types:     []capture.Count{},
						Endpoints: []capture.EndpointTotals{{Endpoint: e.ID, URL: e.URL, Totals: ofBlog}},
					}},
				} {
					got := stats(t, s, c.query)
					c.want.Since, c.want.Until = got.Since, got.Until
					for _, l := range append([]*capture.Latency{got.Latency}, func() (ls []*capture.Latency) {
						for _, e := range got.Endpoints {
							ls = append(ls, e.Latency)
						}
						return ls
					}()...) {
						if l != nil && (l.P50 < l.Mean*95/100 || l.P50 > l.Mean*105/100) {
							t.Errorf("%s: median %v of what took %v", name, l.P50, l.Mean)
						}
						if l != nil {
							l.P50, l.P95, l.P99 = l.Mean, l.Mean, l.Mean
						}
					}
					if !reflect.DeepEqual(got, c.want) {
						t.Errorf("%s:\n got %+v\nwant %+v", name, got, c.want)
					}
				}
			}
			check(s)
			if err := s.Remove(t.Context(), shop.Event.ID, blog.Event.ID); err != nil {
				t.Fatal(err)
			}
			check(s) // removal changes nothing
			for _, q := range []capture.StatsQuery{{App: "blog", Endpoint: e.ID}, {Endpoint: capture.NewID(capture.EndpointID)}, {Endpoint: "wh_1"}} {
				if _, err := s.Stats(t.Context(), q); !errors.Is(err, capture.ErrNotFound) {
					t.Errorf("%+v: %v, want ErrNotFound", q, err)
				}
			}
			if name == "disk" {
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
				s = opened(t, s.dir, Options{Log: logs(t)})
				check(s)
				keep(t, s, &capture.Change{Attempts: []*capture.Attempt{}}, event(nil))
			}
			life, err := s.Lifetime(t.Context())
			if want := map[bool]int64{false: 3, true: 4}[name == "disk"]; err != nil || life.Events != want || life.Attempts() != 5 {
				t.Errorf("in all %d events and %d attempts, %v; want %d and 5", life.Events, life.Attempts(), err, want)
			}
		})
	}
}

// TestStatsAreSums keeps attempts of a hundred days in all kinds of order, and
// compares every answer with one that is folded from the attempts themselves.
func TestStatsAreSums(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	s, now := onDisk(t), time.Now()
	apps := []string{"a", "b", strings.Repeat("long", 30)}
	var endpoints []capture.ID
	var of []*capture.Change
	for i := range 6 {
		c := event(nil, func(e *capture.Event) { e.App = apps[i%3] })
		e, err := s.Endpoint(t.Context(), capture.Endpoint{App: c.Event.App, EndpointSpec: capture.EndpointSpec{URL: fmt.Sprint("http://", i)}})
		if err != nil {
			t.Fatal(err)
		}
		of, endpoints = append(of, c), append(endpoints, e.ID)
	}
	keep(t, s, of...)
	var ages []time.Duration
	for range 200 {
		ages = append(ages, time.Duration(r.Int64N(int64(100*24*time.Hour))), time.Duration(r.Int64N(int64(50*time.Hour))), time.Duration(r.Int64N(int64(3*time.Minute))))
	}
	slices.Sort(ages[:400])
	slices.Reverse(ages[:200]) // in order, then each later than the one before, then as it comes
	var all []*capture.Attempt
	var changes []*capture.Change
	for _, age := range ages {
		i := r.IntN(6)
		a := ended(of[i], endpoints[i], now.Add(-age), 200+100*r.IntN(4))
		a.Final = r.IntN(2) == 0
		all, changes = append(all, a), append(changes, &capture.Change{Attempts: []*capture.Attempt{a}})
	}
	for len(changes) > 0 {
		n := min(len(changes), 1+r.IntN(100))
		keep(t, s, changes[:n]...)
		changes = changes[n:]
	}

	compare := func(s *Store) {
		t.Helper()
		for range 40 {
			q := capture.StatsQuery{Since: now.Add(-time.Duration(r.Int64N(int64(101 * 24 * time.Hour))))}
			if r.IntN(2) == 0 {
				q.Since = now.Add(-time.Duration(r.Int64N(int64(60 * time.Hour))))
			}
			if r.IntN(3) > 0 {
				q.Until = q.Since.Add(time.Duration(r.Int64N(int64(now.Sub(q.Since)))))
			}
			switch i := r.IntN(6); r.IntN(3) {
			case 0:
				q.App = apps[i%3]
			case 1:
				q.Endpoint = endpoints[i]
			}
			st := stats(t, s, q)
			asked := q.Until
			if asked.IsZero() {
				asked = time.Now()
			}
			if st.Since.After(q.Since) || q.Since.Sub(st.Since) >= 24*time.Hour || st.Until.Before(asked.Add(-time.Second)) || st.Until.Sub(asked) >= 24*time.Hour {
				t.Fatalf("%+v was rounded to %v, %v", q, st.Since, st.Until)
			}
			var want series.Bucket
			by := map[capture.ID]*series.Bucket{}
			points := map[time.Time]*series.Bucket{}
			for _, i := range []capture.Interval{"", capture.ByDay, capture.ByWeek, capture.ByMonth} {
				q.Interval = i
				ts, err := s.Timeseries(t.Context(), q)
				if err != nil {
					t.Fatal(err)
				}
				clear(points)
				want, by = series.Bucket{}, map[capture.ID]*series.Bucket{}
				for _, a := range all {
					end := a.Started.Add(time.Duration(a.Duration))
					if end.Before(st.Since) || !end.Before(st.Until) || q.App != "" && a.App != q.App || q.Endpoint != "" && a.Endpoint != q.Endpoint {
						continue
					}
					want.Attempt(a)
					if by[a.Endpoint] == nil {
						by[a.Endpoint] = new(series.Bucket)
					}
					by[a.Endpoint].Attempt(a)
					at := series.Start(ts.Interval, end)
					if points[at] == nil {
						points[at] = new(series.Bucket)
					}
					points[at].Attempt(a)
				}
				got := map[time.Time]capture.Totals{}
				for i, p := range ts.Points {
					if p.Events = 0; p.Attempts > 0 {
						got[p.Start] = p.Totals
					}
					if i > 0 && !p.Start.After(ts.Points[i-1].Start) {
						t.Errorf("%v comes after %v", p.Start, ts.Points[i-1].Start)
					}
				}
				for at, b := range points {
					if !reflect.DeepEqual(got[at], b.Totals()) {
						t.Fatalf("%+v by %s: %v is %+v, want %+v", q, ts.Interval, at, got[at], b.Totals())
					}
				}
				if len(got) != len(points) || ts.Interval != i && i != "" || i == "" && len(ts.Points) > 100 {
					t.Fatalf("%+v by %s: %d points, want %d", q, ts.Interval, len(got), len(points))
				}
			}
			st.Events = 0 // they are of now
			if !reflect.DeepEqual(st.Totals, want.Totals()) || !reflect.DeepEqual(st.Reasons, want.Reasons()) {
				t.Fatalf("%+v is %+v %v\nwant %+v %v", q, st.Totals, st.Reasons, want.Totals(), want.Reasons())
			}
			for i, e := range st.Endpoints {
				if !reflect.DeepEqual(e.Totals, by[e.Endpoint].Totals()) || i > 0 && e.Attempts > st.Endpoints[i-1].Attempts {
					t.Fatalf("%+v: place %d is %+v, want %+v", q, i, e, by[e.Endpoint].Totals())
				}
			}
			if q.Endpoint == "" && len(st.Endpoints) != len(by) {
				t.Fatalf("%+v: %d endpoints, want %d", q, len(st.Endpoints), len(by))
			}
		}
	}
	compare(s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = opened(t, s.dir, Options{Log: logs(t)})
	compare(s)
	before := widths(t, s)
	if err := s.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	compare(s) // what was swept was not read
	after := widths(t, s)
	if after[widthMinute] >= before[widthMinute] || after[widthHour] >= before[widthHour] || after[widthMinute] == 0 || after[widthHour] == 0 || after[widthDay] != before[widthDay] {
		t.Errorf("of keys by width %v the sweep left %v", before, after)
	}
	audit(t, s)
}

// widths counts the keys of statistics.
func widths(t *testing.T, s *Store) map[byte]int {
	t.Helper()
	count := map[byte]int{}
	err := s.view(t.Context(), func(txn *badger.Txn) error {
		it := iterate(txn, []byte{prefixSeries}, false)
		defer it.Close()
		for it.Rewind(); it.Valid(); it.Next() {
			count[it.Item().Key()[1]]++
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return count
}

// TestStatsOfMinutes lets time go by: buckets are closed, and others begun.
func TestStatsOfMinutes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := Open("", Options{Memory: true, Log: logs(t)})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		for i := range 3 {
			keep(t, s, event(nil), event(nil))
			if got := stats(t, s, capture.StatsQuery{}); got.Events != int64(2*i+2) {
				t.Errorf("%d events after %d minutes, want %d", got.Events, i, 2*i+2)
			}
			time.Sleep(time.Minute)
		}
		ts, err := s.Timeseries(t.Context(), capture.StatsQuery{Since: time.Now().Add(-time.Hour)})
		if err != nil || ts.Interval != capture.ByMinute || len(ts.Points) != 3 || ts.Points[0].Events != 2 || ts.Points[2].Start.Sub(ts.Points[0].Start) != 2*time.Minute {
			t.Errorf("got %+v, %v; want three minutes", ts, err)
		}
		if n := widths(t, s); !maps.Equal(n, map[byte]int{widthOpen: 2, widthMinute: 4, widthHour: 2, widthDay: 2, widthEver: 1}) {
			t.Errorf("keys by width are %v", n)
		}
	})
}

func TestStatsQueries(t *testing.T) {
	s, now := memory(t), time.Now()
	day := 24 * time.Hour
	for name, c := range map[string]struct {
		query capture.StatsQuery
		field string
	}{
		"until before since":     {capture.StatsQuery{Since: now, Until: now.Add(-time.Second)}, "until"},
		"no such interval":       {capture.StatsQuery{Interval: "year"}, "interval"},
		"too many points":        {capture.StatsQuery{Since: now.Add(-85 * day), Interval: capture.ByHour}, "interval"},
		"too many days":          {capture.StatsQuery{Since: now.Add(-2001 * day), Interval: capture.ByDay}, "interval"},
		"minutes of last week":   {capture.StatsQuery{Since: now.Add(-7 * day), Until: now.Add(-7*day + time.Hour), Interval: capture.ByMinute}, "interval"},
		"hours of last year":     {capture.StatsQuery{Since: now.Add(-365 * day), Until: now.Add(-364 * day), Interval: capture.ByHour}, "interval"},
		"of nothing":             {capture.StatsQuery{Since: now, Until: now}, ""},
		"of the future":          {capture.StatsQuery{Since: now.Add(day), Until: now.Add(2 * day)}, ""},
		"of all time":            {capture.StatsQuery{Since: time.Time{}.Add(1)}, ""},
		"an hour of last week":   {capture.StatsQuery{Since: now.Add(-7 * day), Until: now.Add(-7*day + time.Hour)}, ""},
		"an hour of last year":   {capture.StatsQuery{Since: now.Add(-365 * day), Until: now.Add(-364 * day)}, ""},
		"the last of 48 h":       {capture.StatsQuery{Since: now.Add(-33 * time.Hour), Interval: capture.ByMinute}, ""},
		"as many days as may be": {capture.StatsQuery{Since: now.Add(-1999 * day), Interval: capture.ByDay}, ""},
	} {
		_, err := s.Timeseries(t.Context(), c.query)
		var bad *capture.FieldError
		if errors.As(err, &bad) != (c.field != "") || bad != nil && bad.Field != c.field || bad == nil && err != nil {
			t.Errorf("%s: %v, want a FieldError of %q", name, err, c.field)
		}
	}
	if ts, err := s.Timeseries(t.Context(), capture.StatsQuery{}); err != nil || ts.Points == nil || ts.Interval != capture.ByHour {
		t.Errorf("of the last day: %+v, %v", ts, err)
	}
}

// TestRefusedLeavesStatsAlone: what is not kept is not counted, and its
// neighbours are.
func TestRefusedLeavesStatsAlone(t *testing.T) {
	for name, s := range map[string]*Store{"memory": memory(t), "disk": onDisk(t)} {
		t.Run(name, func(t *testing.T) {
			c := event(nil)
			keep(t, s, c)
			wh := capture.NewID(capture.EndpointID)
			orphan := ended(event(nil), wh, time.Now(), 200)
			huge := new(capture.Change)
			for range 8000 {
				huge.Attempts = append(huge.Attempts, ended(c, capture.NewID(capture.EndpointID), time.Now().Add(-time.Hour), 200))
			}
			good := []*capture.Change{event(nil), {Attempts: []*capture.Attempt{ended(c, wh, time.Now(), 500)}}, event(nil)}
			err := s.Keep(t.Context(), good[0],
				&capture.Change{Attempts: []*capture.Attempt{ended(c, wh, time.Now(), 200), orphan}}, // the first is staged, the second refused
				good[1], huge, good[2])
			if !errors.Is(err, capture.ErrNotFound) || !errors.Is(err, ErrTooLarge) {
				t.Fatalf("got %v, want ErrNotFound and ErrTooLarge", err)
			}
			got := stats(t, s, capture.StatsQuery{})
			if got.Events != 3 || got.Attempts != 1 || got.Failed != 1 || len(got.Endpoints) != 1 {
				t.Errorf("got %+v, want 3 events and a failed attempt", got)
			}
			keep(t, s, good...) // all there already
			if again := stats(t, s, capture.StatsQuery{}); again.Events != 3 || again.Attempts != 1 {
				t.Errorf("kept twice: %+v", again)
			}
			audit(t, s)
		})
	}
}

// TestManyScopesAtOnce closes more buckets than one transaction holds.
func TestManyScopesAtOnce(t *testing.T) {
	for name, s := range map[string]*Store{"memory": memory(t), "disk": onDisk(t)} {
		t.Run(name, func(t *testing.T) {
			c, now := event(nil), time.Now()
			var endpoints []capture.ID
			for range 1100 { // more than are at hand
				endpoints = append(endpoints, capture.NewID(capture.EndpointID))
			}
			keep(t, s, c)
			for _, age := range []time.Duration{3 * time.Hour, 4 * time.Hour, 0} {
				var changes []*capture.Change
				for _, wh := range endpoints {
					a := ended(c, wh, now.Add(-age), 200)
					a.Type = strings.Repeat("type", 20)
					changes = append(changes, &capture.Change{Attempts: []*capture.Attempt{a}})
				}
				keep(t, s, changes...)
			}
			if got := stats(t, s, capture.StatsQuery{}); got.Attempts != 3300 || len(got.Endpoints) != mostEndpoints || got.Endpoints[19].Attempts != 3 {
				t.Errorf("got %d attempts, at %d endpoints; want 3,300, and 20 listed", got.Attempts, len(got.Endpoints))
			}
		})
	}
}

// TestDamagedStats: statistics that cannot be read keep nothing away.
func TestDamagedStats(t *testing.T) {
	var told strings.Builder
	s := opened(t, "", Options{Memory: true, Log: logTo(&told)})
	c := event(nil)
	keep(t, s, c, &capture.Change{Attempts: []*capture.Attempt{ended(c, capture.NewID(capture.EndpointID), time.Now().Add(-time.Hour), 200)}})
	err := s.do(t.Context(), &write{plan: func(b *batch) error {
		hour := minuteOf(time.Now().Add(-time.Hour))
		for _, key := range append(closing(place{scopeAll, hour}), keyOpen(scopeAll)) {
			b.put(key, []byte("rotten"))
		}
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	s.opens.forget()
	if got := stats(t, s, capture.StatsQuery{}); got.Events != 0 || !strings.Contains(told.String(), "statistics") {
		t.Errorf("got %+v; the log says %q", got, told.String())
	}
	keep(t, s, event(nil), &capture.Change{Attempts: []*capture.Attempt{ended(c, capture.NewID(capture.EndpointID), time.Now().Add(-time.Hour), 200)}})
	if got := stats(t, s, capture.StatsQuery{}); got.Events != 1 || got.Attempts != 1 {
		t.Errorf("after damage %+v, want what came since", got)
	}
}
