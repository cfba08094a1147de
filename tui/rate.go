package tui

import (
	"slices"
	"strings"
	"time"

	tea "github.com/charmbracelet/bubbletea"
)

// rate is how many events came in each of the last seconds, from totals
// somebody else keeps.
type rate struct {
	total   int64
	known   bool      // total has been read
	running bool      // a tick is on its way
	seconds [20]int64 // this one first
}

// rateMsg moves the seconds on.
type rateMsg struct{}

// note takes the total and reports whether a tick is needed.
func (r *rate) note(total int64) bool {
	if r.known {
		r.seconds[0] += max(0, total-r.total)
	}
	r.total, r.known = total, true
	start := !r.running && r.seconds[0] > 0
	r.running = r.running || start
	return start
}

// tick begins a second, and reports whether there is still something to see.
func (r *rate) tick() bool {
	copy(r.seconds[1:], r.seconds[:])
	r.seconds[0] = 0
	r.running = slices.Max(r.seconds[:]) > 0
	return r.running
}

// after is the command for the next second, if there is to be one.
func (b base) after(more bool) tea.Cmd {
	if !more {
		return nil
	}
	return b.tick(time.Second, func(time.Time) tea.Msg { return answer{b.id, rateMsg{}} })
}

// draw is the rate of the last full second and a bar for each, oldest first;
// no bars when nothing came.
func (r *rate) draw() (now int64, bars string) {
	if !r.running {
		return 0, ""
	}
	const levels = "▁▂▃▄▅▆▇█"
	steps := []rune(levels)
	most := slices.Max(r.seconds[:])
	var b strings.Builder
	for _, n := range slices.Backward(r.seconds[1:11]) {
		b.WriteRune(steps[min(int(n*int64(len(steps)-1)/max(1, most)), len(steps)-1)])
	}
	return r.seconds[1], b.String()
}
