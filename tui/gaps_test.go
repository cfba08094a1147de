package tui

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/store"
)

// missed keeps a gap before what is kept next.
func missed(t testing.TB, s *store.Store, n int) {
	t.Helper()
	at := noon.Add(time.Hour)
	g := &capture.Gap{From: at, To: at.Add(29 * time.Minute), Missed: n, CatchUp: "all", App: "default", Relay: "https://hooks.example"}
	if err := s.Keep(t.Context(), &capture.Change{Gap: g}); err != nil {
		t.Fatal(err)
	}
}

// gapped begins on a store with its gaps.
func gapped(t testing.TB, s *store.Store, w, h int) *driver {
	t.Helper()
	d := start(t, s, w, h, func(o *Options) { o.Gaps = s.Gaps })
	d.kit.now = func() time.Time { return later }
	d.size(w, h)
	return d
}

// listed are the lines of the list: the number of the event, or that of the
// events missed before a g, and a > before the selected.
func (d *driver) listed() string {
	d.t.Helper()
	var out []string
	for line := range strings.Lines(d.frame()) {
		var n, m, s int
		if _, err := fmt.Sscanf(line, "    ··· %d missed", &n); err == nil {
			out = append(out, fmt.Sprintf("%dg", n))
		} else if at := strings.Index(line, "12:0"); at == 4 {
			fmt.Sscanf(line[at:], "12:%d:%d", &m, &s)
			out = append(out, fmt.Sprintf("%.1s%d", line, m*60+s))
		}
	}
	return strings.Join(strings.Fields(strings.Join(out, " ")), " ")
}

func TestGapFrames(t *testing.T) {
	s := memory(t)
	keep(t, s, 0, 40)
	missed(t, s, 12)
	keep(t, s, 40, 52)
	missed(t, s, 3)
	missed(t, s, 4)
	keep(t, s, 52, 56)
	for _, size := range [][2]int{{40, 8}, {80, 24}, {160, 45}} {
		name := fmt.Sprintf("gaps_%dx%d", size[0], size[1])
		t.Run(name, func(t *testing.T) { gapped(t, s, size[0], size[1]).golden(name) })
	}
}

// The cursor passes over gaps, is always on view, and everything comes by once
// on the way from the newest event to the oldest and back.
func TestGapsBetweenEvents(t *testing.T) {
	s := memory(t)
	missed(t, s, 100)
	keep(t, s, 0, 3)
	for n := 3; n < 60; n += 3 {
		missed(t, s, 100+n)
		keep(t, s, n, n+3)
	}
	missed(t, s, 160)
	d := gapped(t, s, 80, 14)
	if got, want := d.listed(), "52 53 154g 54 55 56 157g 57 58 >59 160g"; got != want {
		t.Errorf("following, it shows %q, want %q", got, want)
	}
	seen := map[string]bool{}
	look := func() {
		t.Helper()
		lines := strings.Fields(d.listed())
		selected := 0
		for i, l := range lines {
			n := 0
			fmt.Sscanf(strings.TrimPrefix(l, ">"), "%d", &n)
			if strings.HasPrefix(l, ">") {
				selected++
			}
			seen[strings.TrimPrefix(l, ">")] = true
			if i == 0 {
				continue
			}
			// Behind event n comes n+1, or the gap before it.
			before := 0
			fmt.Sscanf(strings.TrimPrefix(lines[i-1], ">"), "%d", &before)
			want := before + 1
			if strings.HasSuffix(lines[i-1], "g") {
				want = before - 100
			} else if want%3 == 0 {
				want += 100
			}
			if n != want {
				t.Fatalf("%q follows %q in %q", l, lines[i-1], d.listed())
			}
		}
		if selected != 1 {
			t.Fatalf("%d are selected in %q", selected, d.listed())
		}
	}
	look()
	for range 60 {
		d.press("k")
		look()
	}
	if got := d.listed(); !strings.HasPrefix(got, "100g >0 1 2 103g 3") {
		t.Errorf("at the top it shows %q", got)
	}
	for range 61 {
		d.press("j")
		look()
	}
	for n := range 60 {
		if !seen[fmt.Sprint(n)] {
			t.Errorf("event %d was never on view", n)
		}
		if n%3 == 0 && !seen[fmt.Sprintf("%dg", 100+n)] {
			t.Errorf("the gap before event %d was never on view", n)
		}
	}
	d.want("FOLLOW")
	d.press("g")
	look()
	d.press("pgdown", "pgdown", "ctrl+u")
	look()
	d.press("G")
	look()
}

// Gaps are lines of the whole list. Where there are none, or nobody tells of
// any, nothing is different.
func TestGapsInWholeListOnly(t *testing.T) {
	s := memory(t)
	keep(t, s, 0, 6)
	missed(t, s, 12)
	keep(t, s, 6, 12)
	d := gapped(t, s, 80, 24)
	d.want("··· 12 missed Jan 2 13:00–13:29, fetched")
	d.press("/", "type:invoice.*", "enter")
	d.wantNot("missed")
	d.press("esc")
	d.want("12 missed")
	start(t, s, 80, 24).wantNot("missed")
	d = start(t, s, 80, 24, func(o *Options) {
		o.Gaps = func(context.Context) ([]capture.Gap, error) { return nil, errors.New("no such resource") }
	})
	d.want("12 events")
	d.wantNot("missed", "no such resource")
}

// A gap comes up with the events behind it, and is not asked for more than once
// a second.
func TestGapsAreFollowed(t *testing.T) {
	s := memory(t)
	keep(t, s, 0, 6)
	asked := 0
	d := start(t, s, 80, 24, func(o *Options) {
		o.Gaps = func(ctx context.Context) ([]capture.Gap, error) { asked++; return s.Gaps(ctx) }
	})
	now := time.Now().Add(time.Hour)
	d.kit.now = func() time.Time { return now }
	d.changed()
	missed(t, s, 12)
	keep(t, s, 6, 8)
	for range 10 {
		d.changed()
	}
	d.wantNot("missed")
	now = now.Add(time.Second)
	d.send(answer{d.top().ID(), rateMsg{}}) // that of the events
	d.want("12 missed")
	if asked != 3 {
		t.Errorf("asked %d times", asked)
	}
}

// What lies between gaps may have been forgotten; they are then one line.
func TestGapsInARow(t *testing.T) {
	s := memory(t)
	for n := range 30 {
		missed(t, s, n+1)
	}
	keep(t, s, 0, 3)
	missed(t, s, 31)
	d := gapped(t, s, 80, 24)
	d.want("··· 30 missed Jan 2 13:00–13:29, fetched, and 29 gaps before", "··· 31 missed")
	if got, want := d.listed(), "30g 0 1 >2 31g"; got != want {
		t.Errorf("it shows %q, want %q", got, want)
	}
}

func BenchmarkViewWithGaps(b *testing.B) {
	s := memory(b)
	for n := range 200 {
		missed(b, s, n+1)
		keep(b, s, n*500, n*500+500)
	}
	d := gapped(b, s, 160, 45)
	keys := []string{"k", "k", "pgup", "pgup", "j", "pgdown"}
	i := 0
	b.ReportAllocs()
	for b.Loop() {
		d.press(keys[i%len(keys)])
		i++
	}
}
