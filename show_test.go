package main

import (
	"strings"
	"testing"
	"time"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/safe"
)

func TestLinesFit(t *testing.T) {
	id := "01ARZ3NDEKTSV4RRFFQ69G5FAV"
	at := time.Date(2025, 11, 22, 14, 0, 0, 0, time.UTC)
	row := capture.Row{
		Event: capture.Event{ID: capture.ID("evt_" + id), Type: "customer.subscription.trial_will_end", Provider: "stripe",
			Method: "POST", Received: at, Size: 12345},
		Outcome: capture.Outcome{State: capture.Retrying, Error: capture.FailRefused},
	}
	attempt := capture.Attempt{ID: capture.ID("att_" + id), Event: row.ID, Number: 12, Status: capture.AttemptPending, NotBefore: at,
		URL: "https://hooks.example.com/a/long/path/" + strings.Repeat("x", 100)}
	for name, line := range map[string]func(width int) string{
		"event":   func(width int) string { return rowLine(&row, width) },
		"attempt": func(width int) string { return attemptLine(&attempt, width) },
		"due":     func(width int) string { return dueLine(&attempt, at.Add(-time.Hour), width) },
	} {
		whole := line(0)
		for width := 40; width < 240; width++ {
			got := line(width)
			if w := safe.Width(got); w > width {
				t.Errorf("%s at %d is %d wide: %s", name, width, w, got)
			}
			if !strings.HasPrefix(got, whole[:4]) && name != "due" {
				t.Errorf("%s at %d lost its id: %s", name, width, got)
			}
			if width > safe.Width(whole) && got != whole {
				t.Errorf("%s at %d has room and is %q, want %q", name, width, got, whole)
			}
		}
	}
	if got := rowLine(&row, 80); !strings.Contains(got, "customer.subscripti… retry refused") {
		t.Errorf("at 80: %q lacks the type or the outcome", got)
	}
	want := "evt_" + id + "  " + at.Local().Format(time.DateTime) + "  stripe     POST   customer.subscription.trial… 12.1 KiB  retry refused"
	if got := rowLine(&row, 0); got != want {
		t.Errorf("piped:\ngot  %q\nwant %q", got, want)
	}
}

func TestMistyped(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want bool
	}{
		{"shpo", "shop", true}, {"shp", "shop", true}, {"shopp", "shop", true}, {"Shop", "shop", true},
		{"billing", "shop", false}, {"a", "b", false}, {"default", "shop", false}, {"ab", "cd", false},
		{"wh_01ARZ3NDEKTSV4RRFFQ69G5FAW", "wh_01ARZ3NDEKTSV4RRFFQ69G5FAV", true},
		{"wh_01ARZ3NDEKTSV4RRFFQ69G5FAW", "wh_01ARZ3NDEKBBBBBBBBBBBBBBBB", false},
	} {
		if got := mistyped(tt.a, tt.b); got != tt.want {
			t.Errorf("mistyped(%q, %q) = %t, want %t", tt.a, tt.b, got, tt.want)
		}
	}
}
