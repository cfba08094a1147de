package tui

import (
	"context"
	"math"
	"slices"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/safe"
)

// gaps are the times in which webhooks were missed. They are few, and read
// whole, once a second at most. In the list they are lines between events that
// the cursor passes over; what is read and selected is events alone.
type gaps struct {
	all   []capture.Gap // oldest first
	asked time.Time
}

// gapsLoad is a question for them.
type gapsLoad struct {
	*Options
	ctx context.Context
}

// gapsLoaded is its answer.
type gapsLoaded struct {
	all []capture.Gap
	err error
}

// readGaps reads them again. What comes too soon after the last time is read
// by the next rateMsg: behind a gap come events.
func (e *events) readGaps() tea.Cmd {
	now := e.now()
	if e.Gaps == nil || now.Sub(e.gaps.asked) < time.Second {
		return nil
	}
	e.gaps.asked = now
	return e.ask(gapsLoad{&e.Options, e.ctx}.run)
}

func (l gapsLoad) run() tea.Msg {
	all, err := l.Gaps(l.ctx)
	return gapsLoaded{all, err}
}

// take puts an answer in place. That they could not be read is no news: events
// cannot be either, or it is an older hooktape that has none.
func (g *gaps) take(a gapsLoaded) {
	if a.err == nil {
		g.all = a.all
	}
}

// between are the gaps behind one place in the sequence and before another.
func (g *gaps) between(after, before uint64) []capture.Gap {
	at := func(place uint64) int {
		i, _ := slices.BinarySearchFunc(g.all, place, func(have capture.Gap, place uint64) int {
			if have.Seq < place {
				return -1
			}
			return 1
		})
		return i
	}
	from := at(after)
	return g.all[from:max(from, at(before))]
}

// rows draws the events on view in h lines of w cells, with what was missed
// between them. Nothing is known of what lies behind the ends of the run,
// unless they are those of the source.
func (e *events) rows(columns []column[capture.Row], w, h int) []string {
	onView, sel := e.list.view(h)
	first := e.list.topFor(h)
	after := uint64(0)
	switch {
	case first > 0:
		after = e.list.rows[first-1].Seq
	case !e.list.first:
		after = onView[0].Seq
	}
	var out []string
	cursor := 0
	for i := range onView {
		r := &onView[i]
		out = append(out, e.gap(after, r.Seq, w)...)
		if after = r.Seq; i == sel {
			cursor = len(out)
		}
		out = append(out, e.row(columns, r, w, i == sel))
	}
	if e.list.last && first+len(onView) == len(e.list.rows) {
		out = append(out, e.gap(after, math.MaxUint64, w)...)
	}
	top := cursor - h + 1
	if !e.list.paused {
		top = min(len(out)-h, cursor)
	}
	return out[max(0, top):]
}

// gap draws what was missed between two places, if anything was.
func (e *events) gap(after, before uint64, w int) []string {
	if e.filter.text != "" {
		return nil
	}
	missed := e.gaps.between(after, before)
	if len(missed) == 0 {
		return nil
	}
	n := len(missed) - 1
	says := "    ··· " + safe.Line(missed[n].String())
	if n > 0 { // the events between are gone
		says += ", and " + count(n, "gap") + " before"
	}
	return []string{e.theme.line(w, span{warn, says})}
}
