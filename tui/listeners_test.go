package tui

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/store"
)

// roster is who listens, as a relay would say.
type roster struct {
	rows []capture.ListenerRow
	err  error
}

func (r *roster) Listeners(context.Context, string) ([]capture.ListenerRow, error) {
	return append([]capture.ListenerRow(nil), r.rows...), r.err
}

func (r *roster) RemoveListener(_ context.Context, id capture.ID) error {
	for i := range r.rows {
		if r.rows[i].ID == id {
			r.rows = append(r.rows[:i:i], r.rows[i+1:]...)
			return nil
		}
	}
	return capture.ErrNotFound
}

// team is three listeners of a relay that has 150 events: one is connected and
// has all, one is away since the 120th, one claims what matches.
func team(t testing.TB) (*store.Store, *roster) {
	s := memory(t)
	keep(t, s, 0, 150)
	place := func(n int) uint64 {
		row, err := s.Event(t.Context(), number(capture.EventID, n))
		if err != nil {
			t.Fatal(err)
		}
		return row.Seq
	}
	claimed := numbered(200)
	claimed.Event.Claimed = number(capture.ListenerID, 3)
	if err := s.Keep(t.Context(), claimed); err != nil {
		t.Fatal(err)
	}
	row := func(n int, name string, cursor uint64) capture.ListenerRow {
		return capture.ListenerRow{Listener: capture.Listener{ID: number(capture.ListenerID, n), App: "default", Name: name, Cursor: cursor, Version: "1.2.3",
			Token: number(capture.TokenID, n), Created: noon.Add(-24 * time.Hour), Seen: later.Add(-time.Hour)}}
	}
	ada, bob, eve := row(1, "ada@laptop", place(149)), row(2, "bob@"+evil, place(119)), row(3, "eve@desk", place(3))
	ada.Connected, ada.Since, ada.Heard, ada.Remote, ada.Sent = true, noon, later.Add(-3*time.Second), "203.0.113.7:55555", place(149)
	eve.Only = "type:push body.ref:refs/heads/eve"
	return s, &roster{rows: []capture.ListenerRow{ada, bob, eve}}
}

func watchTeam(t testing.TB, s *store.Store, r *roster, w, h int) *driver {
	t.Helper()
	d := start(t, s, w, h, func(o *Options) { o.Listeners, o.Ready.API = r, "https://hooks.example" })
	d.at(later)
	d.press("5")
	return d
}

func TestListenerFrames(t *testing.T) {
	s, r := team(t)
	for _, size := range [][2]int{{40, 8}, {80, 24}, {160, 45}} {
		for name, keys := range map[string][]string{"list": nil, "away": {"j"}, "claims": {"j", "j"}, "remove": {"x"}} {
			name := fmt.Sprintf("listeners_%s_%dx%d", name, size[0], size[1])
			t.Run(name, func(t *testing.T) {
				d := watchTeam(t, s, r, size[0], size[1])
				d.press(keys...)
				d.golden(name)
			})
		}
	}
}

func TestListenersAreFollowed(t *testing.T) {
	s, r := team(t)
	d := watchTeam(t, s, r, 80, 24)
	d.want("1 of 3 connected", "> ● ON   ada@laptop", "nothing waits for it", "heard 3s ago")
	d.press("j")
	d.want("> ○ AWAY bob@", " 30 ", "30 webhooks wait for it")
	d.press("j")
	d.want("1 of the app's 100 newest webhooks wait for it", "claims type:push")
	r.rows[1].Connected, r.rows[1].Since = true, later
	ticks := 0
	d.kit.tick = func(time.Duration, func(time.Time) tea.Msg) tea.Cmd { ticks++; return nil }
	second := answer{d.top().ID(), clockMsg{}}
	d.kit.now = func() time.Time { return later.Add(time.Second) }
	d.send(second)
	d.want("1 of 3 connected")
	d.kit.now = func() time.Time { return later.Add(2 * time.Second) }
	d.send(second)
	d.want("2 of 3 connected", "> ○ AWAY eve@desk")
	d.press("1")
	ticks = 0
	d.send(second)
	if ticks != 0 {
		t.Error("it is read while it is not on view")
	}
	d.press("5")
	r.err = errors.New("the relay is busy")
	d.size(80, 25)
	d.want("the relay is busy", "eve@desk")
}

func TestListenerIsRemoved(t *testing.T) {
	s, r := team(t)
	d := watchTeam(t, s, r, 80, 24)
	d.press("x")
	d.want("remove ada@laptop? its place is forgotten, and it is disconnected")
	d.press("n")
	d.want("nothing done", "ada@laptop")
	gone := r.rows[0].ID
	d.press("x", "y")
	d.want("removed ada@laptop", "0 of 2 connected")
	if len(r.rows) != 2 || r.rows[0].ID == gone {
		t.Errorf("the roster is %+v", r.rows)
	}
	r.rows = r.rows[:0]
	d.press("x", "y")
	d.want("not removed", "Nobody has listened yet", "hooktape listen 3000 --relay https://hooks.example --token TOKEN")
	d.press("x")
	d.want("no listener is selected")
	d.press("esc")
	d.want("1·Events")
	d = start(t, s, 80, 24)
	d.press("5")
	d.want("there is no such view here")
}
