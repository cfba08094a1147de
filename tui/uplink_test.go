package tui

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/store"
)

// linked begins on a store with an uplink, at noon.
func linked(t testing.TB, s *store.Store, w, h int, with ...func(*Options)) (*driver, *capture.Link) {
	t.Helper()
	link := &capture.Link{State: capture.LinkConnecting}
	u := NewUplink(func() capture.Link { return *link })
	d := start(t, s, w, h, append(with, func(o *Options) { o.Uplink, o.Gaps = u, s.Gaps })...)
	d.at(noon)
	return d, link
}

// at sets the time, and has what runs go on.
func (d *driver) at(now time.Time) {
	d.t.Helper()
	d.kit.now = func() time.Time { return now }
	d.send(linkClockMsg{})
}

// is has the link be in a state.
func (d *driver) is(link *capture.Link, l capture.Link) {
	d.t.Helper()
	*link = l
	d.send(linkMsg{})
}

var connected = capture.Link{URL: "https://hooks.example", State: capture.LinkConnected, Since: noon.Add(-12 * time.Minute), Heard: noon.Add(-3 * time.Second),
	RTT: capture.Duration(23 * time.Millisecond), Seq: 1204, Others: []string{"bob@desk", evil}}

var down = capture.Link{URL: "https://hooks.example", State: capture.LinkDisconnected, Since: noon.Add(-20 * time.Second), Heard: noon.Add(-time.Minute), Seq: 1204,
	Reason: "nothing was heard of the relay for two beats", RetryAt: noon.Add(3 * time.Second)}

func TestLinkFrames(t *testing.T) {
	s := memory(t)
	keep(t, s, 0, 20)
	skewed, told := connected, connected
	skewed.Skew = capture.Duration(-4 * time.Second)
	told.Notice = "took over from ada@laptop, connected from 10.0.0.7:5555 since 2026-01-02 11:00:00"
	for _, size := range [][2]int{{40, 8}, {80, 24}, {160, 45}} {
		for name, state := range map[string]capture.Link{"connected": connected, "down": down, "skewed": skewed, "told": told, "connecting": {State: capture.LinkConnecting}} {
			name := fmt.Sprintf("link_%s_%dx%d", name, size[0], size[1])
			t.Run(name, func(t *testing.T) {
				d, link := linked(t, s, size[0], size[1])
				d.is(link, state)
				d.golden(name)
			})
		}
	}
}

// What promise 4 has on the screen is there in every view, and goes on.
func TestLinkIsAlwaysOnScreen(t *testing.T) {
	s := some(t)
	d, link := linked(t, s, 80, 24, func(o *Options) { o.Endpoints = registry(t, s) })
	d.is(link, connected)
	for _, keys := range [][]string{{"1"}, {"2"}, {"3"}, {"4"}, {"?"}, {"esc", "1", "enter"}} {
		d.press(keys...)
		d.want("relay ● connected 12m", "rtt 23ms", "seq 1,204", "heard 3s ago")
	}
	d.at(noon.Add(5 * time.Second))
	d.want("heard 8s ago")
	d.is(link, down)
	d.want("relay ✗ down 25s", "seq 1,204", "heard 1m ago", "dialling: nothing was heard")
	d.at(noon)
	d.want("down 20s, again in 3s: nothing was heard")
	d.wantNot("rtt")
	d.size(60, 11)
	d.want("relay ✗ down")
	d.wantNot("heard")
	hostile := connected
	hostile.Notice = evil
	d.is(link, hostile)
	d.want("relay: ") // on the message line, once
	d.press("j")
	d.is(link, hostile)
	d.wantNot("relay: ")
}

// The ages tick while there is a line for them, one second at a time.
func TestLinkTicks(t *testing.T) {
	ticks := 0
	d, link := linked(t, memory(t), 80, 24)
	d.kit.tick = func(time.Duration, func(time.Time) tea.Msg) tea.Cmd { ticks++; return nil }
	d.is(link, connected)
	d.is(link, connected)
	if ticks != 0 { // one began with linked
		t.Errorf("%d more ticks are on their way", ticks)
	}
	d.send(linkClockMsg{})
	d.send(linkMsg{})
	if ticks != 1 {
		t.Errorf("%d ticks in a second", ticks)
	}
	d.size(80, 10)
	d.send(linkClockMsg{})
	if ticks != 1 {
		t.Error("it ticks for nothing")
	}
	d.size(80, 24)
	if ticks != 2 {
		t.Error("it does not tick again")
	}
}

// An uplink says that there is news, once however much there was, and takes a
// question back that nobody waits for.
func TestUplinkTells(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := NewUplink(nil)
		for range 1000 { // nobody reads yet
			u.Changed(capture.Link{})
		}
		ctx, cancel := context.WithCancel(t.Context())
		told := make(chan tea.Msg)
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			u.run(ctx, func(m tea.Msg) {
				select {
				case told <- m:
				case <-ctx.Done():
				}
			})
		}()
		if m, ok := (<-told).(linkMsg); !ok {
			t.Errorf("told %v, want that the link has changed", m)
		}
		type answer struct {
			capture.CatchUp
			error
		}
		ask := func(ctx context.Context) chan answer {
			c := make(chan answer, 1)
			go func() {
				how, err := u.Ask(ctx, capture.Gap{Missed: 30})
				c <- answer{how, err}
			}()
			return c
		}
		first, hangUp := context.WithCancel(ctx)
		got := ask(first)
		asked, ok := (<-told).(askedMsg)
		if !ok || asked.gap.Missed != 30 {
			t.Fatalf("told %+v, want the question", asked)
		}
		hangUp()
		if taken, ok := (<-told).(unaskedMsg); !ok || taken.question != asked.question {
			t.Errorf("told %+v, want the question back", taken)
		}
		if a := <-got; !errors.Is(a.error, context.Canceled) {
			t.Errorf("answered %+v", a)
		}
		got = ask(ctx)
		(<-told).(askedMsg).answer <- capture.CatchUp{Mode: capture.CatchUpNone}
		if a := <-got; a.error != nil || a.Mode != capture.CatchUpNone {
			t.Errorf("answered %+v", a)
		}
		cancel()
		<-ended
	})
}
