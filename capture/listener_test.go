package capture

import (
	"testing"
	"time"
)

func TestGapForPeople(t *testing.T) {
	today := time.Now()
	today = time.Date(today.Year(), today.Month(), today.Day(), 14, 2, 3, 0, time.Local)
	old := time.Date(2020, 1, 2, 23, 59, 0, 0, time.Local)
	for want, g := range map[string]Gap{
		"12 missed 14:02–14:31, fetched":                                 {From: today, To: today.Add(29 * time.Minute), Missed: 12, CatchUp: "all"},
		"1 missed 14:02, kept, not delivered":                            {From: today, To: today, Missed: 1, CatchUp: "none"},
		"2 missed Jan 2 23:59, fetched, delivered last=1":                {From: old, To: old, Missed: 2, CatchUp: "last=1"},
		"2 missed Jan 2 22:59–23:59, fetched, what nobody had delivered": {From: old.Add(-time.Hour), To: old, Missed: 2, CatchUp: "failed"},
		"9 missed Jan 2 23:59–Jan 3 00:01, fetched":                      {From: old, To: old.Add(2 * time.Minute), Missed: 9, CatchUp: "all"},
		"9 missed Jan 2 23:59–Jan 3 23:59, fetched":                      {From: old, To: old.Add(24 * time.Hour), Missed: 9, CatchUp: "all"},
	} {
		if got := g.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
