package tui

import (
	"strings"

	tea "github.com/charmbracelet/bubbletea"

	"code.hooktape.dev/hooktape/capture"
)

// queue is what is due to be sent, at all endpoints, the next first. It looks
// at every endpoint's queue, and so no more than once a second.
type queue struct {
	base
	tries *tries
	clock clock
	stale bool // the source has changed since the second began
}

func newQueue(k *kit) *queue {
	q := &queue{base: newBase(k)}
	q.tries = newTries(q.base, capture.AttemptQuery{Status: capture.AttemptPending, ByDue: true})
	return q
}

func (q *queue) Title() string { return "" }
func (q *queue) Place() place  { return inQueue }

func (q *queue) Update(msg tea.Msg) (screen, tea.Cmd) {
	var cmd tea.Cmd
	switch msg := msg.(type) {
	case action:
		switch {
		case q.tries.list.act(msg):
		case msg == back:
			cmd = send(popMsg{})
		case msg == open:
			a := q.tries.list.selected()
			cmd = send(pushMsg{newOpened(q.kit, a.Event, a.ID)})
		}
	case sizeMsg:
		q.tries.list.stale, q.stale = q.tries.list.stale || q.stale, false
		q.tries.resize(msg.h)
	case changedMsg:
		q.stale = true
	case clockMsg:
		q.clock.ticking = false
		q.tries.list.stale, q.stale = q.tries.list.stale || q.stale, false
	case triesLoaded:
		cmd = q.tries.take(msg)
	}
	return q, tea.Batch(cmd, q.tries.read(), q.wind(&q.clock, q.stale || len(q.tries.list.rows) > 0))
}

func (q *queue) Why(a action) string {
	if a == open && q.tries.list.selected() == nil {
		return "nothing waits to be sent"
	}
	return ""
}

func (q *queue) View(w, h int) string {
	return strings.Join(q.tries.lines(w, h, q.clock.at), "\n")
}

// State says how much is due, as far as it was read.
func (q *queue) State() []span {
	if !q.tries.list.loaded {
		return nil
	}
	n := comma(int64(len(q.tries.list.rows)))
	if !q.tries.list.end || len(q.tries.list.rows) >= mostWithoutCursor {
		n += "+"
	}
	return []span{{info, n + " pending"}}
}
