package tui

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"code.hooktape.dev/hooktape/capture"
)

// catchUp asks what to deliver of the events that came while nobody was here.
// It covers the lower part of the screen, and stays until it is answered: the
// events wait at the relay meanwhile.
type catchUp struct {
	*kit
	of     *question
	raised time.Time
	at     int
	last   *field // how many of the newest, while that is asked
}

// The answers, in the order they are shown.
var catchUps = []struct {
	key  string
	mode capture.CatchUpMode
	does string
}{
	{"a", capture.CatchUpAll, "deliver all of them, in order"},
	{"f", capture.CatchUpFailed, "only those that failed or nobody else has delivered"},
	{"l", capture.CatchUpLast, "only the last so many"},
	{"n", capture.CatchUpNone, "deliver none; they can be replayed"},
}

// startled is how long a question that was not expected takes no keys: those
// typed by then were meant for something else.
const startled = 500 * time.Millisecond

// raise puts the question that waits to the user, once nothing else is asked
// or typed.
func (r *root) raise() {
	if r.asked != nil && r.dialog == nil && !r.typing() {
		r.dialog = &catchUp{kit: r.kit, of: r.asked, raised: r.kit.now()}
		r.asked = nil
	}
}

// unask takes a question back that nobody waits for any more.
func (r *root) unask(q *question) {
	d, open := r.dialog.(*catchUp)
	open = open && d.of == q
	if open {
		r.dialog = nil
	}
	if open || r.asked == q {
		r.asked = nil
		r.note = noteMsg{text: "the relay is gone: how to catch up is asked again when it is back", bad: true}
	}
}

func (d *catchUp) key(k tea.KeyMsg) (bool, tea.Cmd) {
	switch {
	case k.Type == tea.KeyCtrlC:
		return false, send(runMsg{quitAtOnce})
	case d.now().Sub(d.raised) < startled:
		return false, nil
	case d.last != nil:
		return d.keyLast(k)
	}
	switch k.String() {
	case "esc":
		return d.choose(capture.CatchUp{Mode: capture.CatchUpNone})
	case "enter":
		return d.pick(d.at)
	case "down", "j", "tab":
		d.at = (d.at + 1) % len(catchUps)
	case "up", "k", "shift+tab":
		d.at = (d.at + len(catchUps) - 1) % len(catchUps)
	}
	for i, c := range catchUps {
		if k.String() == c.key {
			return d.pick(i)
		}
	}
	return false, nil
}

// pick chooses one of the answers, or asks for the number that goes with it.
func (d *catchUp) pick(i int) (bool, tea.Cmd) {
	d.at = i
	if catchUps[i].mode == capture.CatchUpLast {
		f := newField("10")
		d.last = &f
		return false, nil
	}
	return d.choose(capture.CatchUp{Mode: catchUps[i].mode})
}

// keyLast takes a key while the number is asked.
func (d *catchUp) keyLast(k tea.KeyMsg) (bool, tea.Cmd) {
	switch k.Type {
	case tea.KeyEsc:
		d.last = nil
	case tea.KeyEnter:
		n, err := strconv.Atoi(strings.TrimSpace(d.last.text()))
		if err != nil || n < 1 {
			return false, nil
		}
		return d.choose(capture.CatchUp{Mode: capture.CatchUpLast, Last: n})
	default:
		d.last.typed(k)
	}
	return false, nil
}

func (d *catchUp) choose(c capture.CatchUp) (bool, tea.Cmd) {
	d.of.answer <- c
	says := map[capture.CatchUpMode]string{
		capture.CatchUpAll:    "all are delivered",
		capture.CatchUpFailed: "what nobody has delivered is delivered",
		capture.CatchUpLast:   fmt.Sprintf("the last %s are delivered", comma(int64(c.Last))),
		capture.CatchUpNone:   "none is delivered: r replays them",
	}[c.Mode]
	return true, note(fmt.Sprintf("%s missed: %s", comma(int64(d.of.gap.Missed)), says))
}

func (d *catchUp) spans(w int) []span {
	if d.last != nil {
		return slices.Concat([]span{{hint, " how many of the newest? "}}, d.last.spans(8),
			[]span{{hint, "  enter"}, {plain, " delivers them "}, {hint, " esc"}, {plain, " back"}})
	}
	return []span{{hint, " ↑↓"}, {plain, " or a letter chooses "}, {hint, " enter"}, {plain, " does it "}, {hint, " esc"}, {plain, " none"}}
}

// panel is what covers the lower part of the screen.
func (d *catchUp) panel(t *theme, w int) []string {
	g := &d.of.gap
	out := []string{t.rule(w, fmt.Sprintf("%s came while you were away (%s)", count(g.Missed, "webhook"), g.Span()))}
	for i, c := range catchUps {
		s := []span{{plain, "  "}, {hint, c.key}, {plain, "  " + c.does}}
		if i == d.at {
			s = []span{{selected, pad("> "+c.key+"  "+c.does, w)}}
		}
		out = append(out, t.line(w, s...))
	}
	return append(out, t.line(w, span{dim, "  They wait at the relay until you choose; all are kept here, delivered or not."}))
}
