package store

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/match"
)

// hostile are values a sender or an operator may choose.
var hostile = []string{"", "push", "PUSH", "push\x00", "\x00", "\xff", "a\xffb", "ÄÖ", "pu", strings.Repeat("x", 64),
	strings.Repeat("x", 65), strings.Repeat("x", 300), "push\x04appx"}

// model is a store as naive as it gets.
type model struct {
	rows   []capture.Row // by seq
	bodies map[capture.ID][]byte
}

func (m *model) window(t *testing.T, q capture.Query) []uint64 {
	p, err := match.Parse(q.Filter)
	if err != nil {
		t.Fatalf("%q: %v", q.Filter, err)
	}
	var found []uint64
	for _, row := range m.rows {
		if q.Cursor > 0 && (q.Ascending && row.Seq <= q.Cursor || !q.Ascending && row.Seq >= q.Cursor) {
			continue
		}
		body := func() []byte { return m.bodies[row.ID] }
		if (q.App == "" || q.App == row.App) && p.Match(match.Subject{Row: &row, Body: body}) {
			found = append(found, row.Seq)
		}
	}
	if !q.Ascending {
		slices.Reverse(found)
	}
	return found
}

// TestWindowsLikeNaive asks random questions of a store with random events,
// attempts, pins and removals, and of a slice.
func TestWindowsLikeNaive(t *testing.T) {
	for seed := range uint64(3) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) { windowsLikeNaive(t, rand.New(rand.NewPCG(seed, 7))) })
	}
}

func windowsLikeNaive(t *testing.T, r *rand.Rand) {
	s := memory(t)
	pick := func(list ...string) string { return list[r.IntN(len(list))] }
	m := &model{bodies: map[capture.ID][]byte{}}
	endpoints := []capture.ID{capture.NewID(capture.EndpointID), capture.NewID(capture.EndpointID)}
	var open []*capture.Attempt
	for range 400 {
		body := []byte(fmt.Sprintf(`{"n":%d}`, r.IntN(5)))
		c := event(body, func(e *capture.Event) {
			e.App, e.Type, e.Provider = pick("default", "Shop", "shop", ""), pick(hostile...), pick("github", "stripe", "")
			e.Method = pick("POST", "POST", "POST", "GET", "put")
			e.Received = time.Now().Add(-time.Duration(r.IntN(4)) * 40 * time.Minute) // redelivered late
			if r.IntN(20) == 0 {
				e.Refused, e.Size = &capture.Refusal{Status: 413, Limit: "body"}, 1<<30
			}
		})
		if c.Event.Refused != nil {
			c.Body = nil
		} else if r.IntN(2) == 0 {
			for _, wh := range endpoints[:1+r.IntN(2)] {
				open = append(open, pending(c, wh, time.Now()))
			}
		}
		keep(t, s, c)
		m.bodies[c.Event.ID] = c.Body
		m.rows = append(m.rows, capture.Row{Event: *c.Event})
		if len(open) > 0 && r.IntN(2) == 0 {
			i := r.IntN(len(open))
			f := finished(open[i], []int{200, 404, 500}[r.IntN(3)])
			f.Delivery = open[i].Delivery
			open = slices.Delete(open, i, i+1)
			change := &capture.Change{Attempts: []*capture.Attempt{f}}
			if f.Status == capture.AttemptFailed && r.IntN(2) == 0 {
				next := *f
				next.ID, next.Status, next.Number = capture.NewID(capture.AttemptID), capture.AttemptPending, 2
				next.Request, next.Response, next.Error, next.Code = nil, nil, nil, 0
				change.Attempts = append(change.Attempts, &next)
				open = append(open, &next)
			}
			keep(t, s, change)
		}
		if i := r.IntN(len(m.rows)); r.IntN(10) == 0 {
			if err := s.Pin(t.Context(), m.rows[i].ID, r.IntN(3) > 0); err != nil {
				t.Fatal(err)
			}
		} else if r.IntN(20) == 0 {
			id := m.rows[i].ID
			err := s.Remove(t.Context(), id)
			if pinned := new(PinnedError); errors.As(err, &pinned) {
				continue
			} else if err != nil {
				t.Fatal(err)
			}
			m.rows = slices.Delete(m.rows, i, i+1)
			open = slices.DeleteFunc(open, func(a *capture.Attempt) bool { return a.Event == id })
		}
	}
	for i := range m.rows { // outcomes as the store folded them; their own test is another
		row, err := s.Event(t.Context(), m.rows[i].ID)
		if err != nil {
			t.Fatal(err)
		}
		m.rows[i] = row
	}
	audit(t, s)

	terms := []string{"", "app:shop", "app:Shop,default", "type:push", "type:PUSH", "type:pu*", "provider:github,stripe", "method:get", "method:post",
		"method:put,get", "status:200", "status:404,500", "status:5xx", "is:failed", "is:ok", "is:pending", "is:retry", "is:captured", "is:refused",
		"is:pinned", "since:1h", "since:10m", `body.n:3`, "is:ok or is:failed", "!type:push", "type:" + strings.Repeat("x", 64), "type:" + strings.Repeat("x", 65)}
	for range 250 {
		q := capture.Query{
			Filter: pick(terms...) + " " + pick(terms...), Ascending: r.IntN(2) == 0,
			App: pick("", "", "", "Shop", "nobody"), Limit: 1 + r.IntN(30), Scan: r.IntN(3) * r.IntN(100),
		}
		if strings.Contains(q.Filter, " or ") {
			q.Filter = "(" + strings.Replace(q.Filter, " or ", " OR ", 1) + ")"
			q.Filter = strings.ReplaceAll(q.Filter, " OR ", " or ")
		}
		if r.IntN(2) == 0 {
			q.Cursor = r.Uint64N(s.lastSeq() + 2)
		}
		want := m.window(t, q)
		var got []uint64
		for pages := 0; ; pages++ {
			page, err := s.Events(t.Context(), q)
			if err != nil {
				t.Fatalf("%+v: %v", q, err)
			}
			if len(page.Rows) > q.Limit || len(page.Rows) < q.Limit && page.Next != 0 && q.Scan == 0 {
				t.Fatalf("%+v: %d rows, next %d", q, len(page.Rows), page.Next)
			}
			for _, row := range page.Rows {
				got = append(got, row.Seq)
			}
			if page.Next == 0 {
				break
			}
			q.Cursor = page.Next
		}
		if !slices.Equal(got, want) {
			t.Errorf("%+v:\n got %v\nwant %v", q, got, want)
		}
	}
}

func TestEventsStopWithTheContext(t *testing.T) {
	s := memory(t)
	keep(t, s, event(nil))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Events(ctx, capture.Query{}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
	if _, err := s.Events(t.Context(), capture.Query{Filter: "("}); err == nil {
		t.Error("a predicate that does not parse: no error")
	}
}
