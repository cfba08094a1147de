package tui

import (
	"fmt"
	"testing"
	"time"

	"code.hooktape.dev/hooktape/capture"
)

// ask puts a question, half a second before keys count.
func (d *driver) ask() *question {
	d.t.Helper()
	q := &question{gap: capture.Gap{From: noon.Add(2 * time.Hour), To: noon.Add(2*time.Hour + 29*time.Minute), Missed: 312}, answer: make(chan capture.CatchUp, 1)}
	d.send(askedMsg{q})
	return q
}

func TestCatchUpFrames(t *testing.T) {
	s := memory(t)
	keep(t, s, 0, 60)
	for _, size := range [][2]int{{40, 8}, {80, 24}, {160, 45}} {
		for name, keys := range map[string][]string{"catchup": nil, "catchup_last": {"l"}} {
			name := fmt.Sprintf("%s_%dx%d", name, size[0], size[1])
			t.Run(name, func(t *testing.T) {
				d, link := linked(t, s, size[0], size[1])
				d.is(link, connected)
				d.ask()
				d.at(noon.Add(startled))
				d.press(keys...)
				d.golden(name)
			})
		}
	}
}

func TestCatchUpIsAnswered(t *testing.T) {
	s := memory(t)
	keep(t, s, 0, 20)
	for _, tt := range []struct {
		keys []string
		want capture.CatchUp
		says string
	}{
		{[]string{"enter"}, capture.CatchUp{Mode: capture.CatchUpAll}, "312 missed: all are delivered"},
		{[]string{"a"}, capture.CatchUp{Mode: capture.CatchUpAll}, "all are delivered"},
		{[]string{"j", "enter"}, capture.CatchUp{Mode: capture.CatchUpFailed}, "what nobody has delivered"},
		{[]string{"f"}, capture.CatchUp{Mode: capture.CatchUpFailed}, "what nobody has delivered"},
		{[]string{"l", "enter"}, capture.CatchUp{Mode: capture.CatchUpLast, Last: 10}, "the last 10 are"},
		{[]string{"down", "down", "enter", "0", "enter"}, capture.CatchUp{Mode: capture.CatchUpLast, Last: 100}, "the last 100 are"},
		{[]string{"l", "ctrl+u", "enter", "0", "enter", "x", "enter", "ctrl+u", "7", "enter"}, capture.CatchUp{Mode: capture.CatchUpLast, Last: 7}, "the last 7 are"},
		{[]string{"l", "esc", "k", "k", "enter"}, capture.CatchUp{Mode: capture.CatchUpAll}, "all are delivered"},
		{[]string{"up", "enter"}, capture.CatchUp{Mode: capture.CatchUpNone}, "none is delivered"},
		{[]string{"n"}, capture.CatchUp{Mode: capture.CatchUpNone}, "none is delivered"},
		{[]string{"x", "q", "1", "esc"}, capture.CatchUp{Mode: capture.CatchUpNone}, "none is delivered"},
	} {
		t.Run(fmt.Sprint(tt.keys), func(t *testing.T) {
			d, _ := linked(t, s, 80, 24)
			q := d.ask()
			d.want("312 webhooks came while you were away (Jan 2 14:00–14:29)", "wait at the relay")
			d.press("enter", "n") // meant for what was there before
			d.want("312 webhooks came while you were away")
			d.at(noon.Add(startled))
			d.press(tt.keys...)
			select {
			case got := <-q.answer:
				if got != tt.want {
					t.Errorf("answered %+v, want %+v", got, tt.want)
				}
			default:
				t.Fatalf("not answered:\n%s", d.frame())
			}
			d.want(tt.says, "open") // and the hints are back
			d.wantNot("while you were away")
		})
	}
}

// A question waits until nothing else is asked or typed, and goes when nobody
// waits for it any more.
func TestCatchUpWaitsItsTurn(t *testing.T) {
	s := memory(t)
	keep(t, s, 0, 20)
	d, link := linked(t, s, 80, 24)
	d.is(link, connected)
	d.press("/", "typ")
	d.ask()
	d.want("? 312 missed: a question waits", "/ typ")
	d.wantNot("while you were away")
	d.press("e:ping", "enter")
	d.want("while you were away")
	d.at(noon.Add(startled))
	d.press("n")
	d.press("esc", "x")
	q := d.ask()
	d.want("delete")
	d.press("n")
	d.want("while you were away")
	d.send(unaskedMsg{q})
	d.want("asked again when it is back")
	d.wantNot("while you were away", "a question waits")
	d.send(unaskedMsg{q}) // of a connection that ended later
	d.press("?")
	q = d.ask()
	d.send(unaskedMsg{q})
	d.press("esc")
	d.wantNot("while you were away")
	d.ask()
	d.press("ctrl+c")
	if d.note.text != "QUIT" {
		t.Error("ctrl+c does not quit")
	}
}
