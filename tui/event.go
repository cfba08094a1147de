package tui

import (
	"strings"

	tea "github.com/charmbracelet/bubbletea"

	"code.hooktape.dev/hooktape/capture"
)

// opened is one event on a screen of its own, opened from one of its attempts
// or from a rule.
type opened struct {
	base
	event   capture.ID
	row     capture.Row
	inspect *inspect
	replays replays
	stale   bool
	busy    bool
}

func newOpened(k *kit, event, attempt capture.ID) *opened {
	o := &opened{base: newBase(k), event: event, stale: true}
	o.inspect = newInspect(o.base)
	if o.inspect.start = attempt; attempt != "" {
		o.inspect.tab = responseTab
	}
	o.replays.base = o.base
	return o
}

func (o *opened) Title() string { return o.inspect.Title() }
func (o *opened) Typing() bool  { return o.inspect.find.typing }
func (o *opened) Place() place  { return o.inspect.place() }

// openedRow is the event as it is now.
type openedRow struct {
	capture.Row
	err error
}

func (o *opened) read() tea.Msg {
	r, err := o.Source.Event(o.ctx, o.event)
	return answer{o.id, openedRow{r, err}}
}

func (o *opened) Update(msg tea.Msg) (screen, tea.Cmd) {
	var cmd tea.Cmd
	switch msg := msg.(type) {
	case tea.KeyMsg:
		cmd = o.inspect.typed(msg)
	case action:
		cmd = o.act(msg)
	case sizeMsg:
		o.inspect.w, o.inspect.h = msg.w, msg.h
		cmd = o.inspect.resize()
	case changedMsg:
		o.stale = true
		cmd = o.replays.check()
	case openedRow:
		if o.busy = false; msg.err != nil {
			cmd = send(noteMsg{msg.err.Error(), true})
			break
		}
		o.row = msg.Row
		cmd = o.inspect.show(o.row, true)
	default:
		var ok bool
		if cmd, ok = o.replays.update(msg); !ok {
			cmd = o.inspect.update(msg)
		}
	}
	if o.stale && !o.busy && o.showing(o.id) {
		o.stale, o.busy = false, true
		cmd = tea.Batch(cmd, o.read)
	}
	return o, cmd
}

func (o *opened) act(a action) tea.Cmd {
	switch a {
	case back:
		if o.inspect.find.text != "" {
			return o.inspect.clearFind()
		}
		return send(popMsg{})
	case replay:
		return o.replays.again([]capture.ID{o.event}, capture.Resend{})
	case replayTo:
		o.replays.askWhere([]capture.ID{o.event})
	case replayAs:
		return o.replays.askAs([]capture.ID{o.event})
	case retry:
		return o.replays.retry(o.inspect.selected())
	case explain:
		return send(pushMsg{newExplain(o.kit, o.event)})
	case makeSample:
		o.askSample(&o.row)
	default:
		return o.inspect.act(a)
	}
	return nil
}

func (o *opened) Why(a action) string {
	switch a {
	case otherDown, otherUp, grow, shrink, pin, remove:
		return "only in the list of events: 1 goes there"
	case retry:
		return o.replays.whyNot(o.inspect.selected())
	case replay, replayTo, replayAs:
		if o.Resend == nil {
			return "cannot replay here: nothing delivers events"
		}
	case makeSample:
		return o.whyNoSample(&o.row)
	case explain:
		if o.Endpoints == nil && o.Rules == nil {
			return "no endpoints can be registered here"
		}
	}
	return o.inspect.why(a)
}

func (o *opened) View(w, h int) string {
	if o.row.ID == "" {
		return o.theme.line(w, span{dim, " reading…"})
	}
	return strings.Join(o.inspect.lines(w, h, true), "\n")
}

// Tell is what the message line says of a search.
func (o *opened) Tell() (left, right []span) { return o.inspect.tell() }
