package tui

import (
	"errors"
	"slices"
	"strings"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"code.hooktape.dev/hooktape/capture/safe"
)

// The least a screen can be drawn in.
const minWidth, minHeight = 40, 8

// root decides who gets a message. It draws the title line, that of the link to
// a relay, the message line and the hints; all between is the top screen's.
type root struct {
	*kit
	views  []view
	at     int // the view shown
	note   noteMsg
	lost   error // why the source cannot be read
	link   linkBar
	asked  *question // waits until nothing else is asked or typed
	hints  bool
	chosen string // the theme, by T, now or in a run before
	w, h   int

	frame string // what View drew last
	dirty bool   // it is out of date
}

// view is one of the places the number keys go to, with the screens opened
// from it, the top one last.
type view struct {
	name  string
	key   action
	stack []screen
}

func newRoot(k *kit) *root {
	r := &root{kit: k, hints: true, dirty: true}
	r.views = append(r.views, view{"Events", viewEvents, []screen{newEvents(k)}})
	if k.Endpoints != nil {
		r.views = append(r.views, view{"Endpoints", viewEndpoints, []screen{newEndpoints(k)}}, view{"Queue", viewQueue, []screen{newQueue(k)}})
	}
	if k.Log != nil {
		r.views = append(r.views, view{"Log", viewLog, []screen{newLog(k)}})
	}
	if k.Listeners != nil {
		r.views = append(r.views, view{"Listeners", viewListeners, []screen{newListeners(k)}})
	}
	if k.Rules != nil {
		r.views = append(r.views, view{"Rules", viewRules, []screen{newRules(k)}})
	}
	if k.Types != nil {
		r.views = append(r.views, view{"Samples", viewSamples, []screen{newSamples(k)}})
	}
	k.showing = func(id int) bool { return r.top().ID() == id }
	return r
}

func (r *root) Init() tea.Cmd { return r.wait }

// wait waits for the source to change, then long enough that the screen is
// not drawn more often than anyone can read.
func (r *root) wait() tea.Msg { return r.feed.wait(r.ctx) }

func (r *root) stack() []screen { return r.views[r.at].stack }

func (r *root) top() screen { return r.stack()[len(r.stack())-1] }

func (r *root) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	r.dirty = true
	cmd := r.route(msg)
	r.raise()
	return r, cmd
}

// route is the routing table.
func (r *root) route(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case tea.KeyMsg:
		return r.keys(msg)
	case tea.WindowSizeMsg:
		r.w, r.h = msg.Width, msg.Height
		return tea.Batch(r.all(r.size()), r.linked())
	case changedMsg:
		return tea.Batch(r.all(msg), r.wait)
	case answer:
		return r.deliver(msg)
	case linkMsg:
		return r.linked()
	case linkClockMsg:
		r.link.ticking = false
		return r.linked()
	case askedMsg:
		r.asked = msg.question
	case unaskedMsg:
		r.unask(msg.question)
	case runMsg:
		return r.run(msg.action)
	case noteMsg:
		r.note = msg
	case lostMsg:
		r.lost = msg.why
		if errors.Is(msg.why, errGone) {
			return r.wait
		}
	case pushMsg:
		r.views[r.at].stack = append(r.stack(), msg.screen)
		return r.tell(r.size())
	case popMsg:
		return r.pop()
	case goToMsg:
		r.at, r.views[0].stack = 0, r.views[0].stack[:1]
		return tea.Batch(r.tell(r.size()), r.tell(msg))
	case replaceMsg:
		r.stack()[len(r.stack())-1] = msg.screen
		return r.tell(r.size())
	}
	return nil
}

// keys takes a key apart that is several typed within one read: each goes
// its own way, for the first may have opened a dialog for the second. A paste
// is text, and for text fields only.
func (r *root) keys(k tea.KeyMsg) tea.Cmd {
	if k.Paste {
		k.Runes = []rune(strings.ReplaceAll(string(k.Runes), "\r", "\n"))
		if _, asks := r.dialog.(*prompt); asks || (r.dialog == nil && r.typing()) {
			return r.key(k)
		}
		return nil
	}
	if k.Type != tea.KeyRunes || len(k.Runes) < 2 {
		return r.key(k)
	}
	var cmds []tea.Cmd
	for _, c := range k.Runes {
		cmds = append(cmds, r.key(tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune{c}, Alt: k.Alt}))
	}
	return tea.Batch(cmds...)
}

// key takes one key: to the dialog, to the screen that is typing, or by the
// key table to an action.
func (r *root) key(k tea.KeyMsg) tea.Cmd {
	r.note = noteMsg{}
	if d := r.dialog; d != nil {
		done, cmd := d.key(k)
		if done && r.dialog == d { // it has not opened another one
			r.dialog = nil
		}
		return cmd
	}
	if r.typing() {
		if k.Type == tea.KeyCtrlC {
			k = tea.KeyMsg{Type: tea.KeyEsc}
		}
		return r.tell(k)
	}
	if c, ok := press(r.table, k, r.top().Place()); ok {
		return r.run(c.action)
	}
	return nil
}

func (r *root) typing() bool {
	t, ok := r.top().(typer)
	return ok && t.Typing()
}

// run does an action: those that are the same everywhere here, the rest in
// the top screen.
func (r *root) run(a action) tea.Cmd {
	if why := r.top().Why(a); why != "" {
		r.note = noteMsg{text: why, bad: true}
		return nil
	}
	switch a {
	case quitAtOnce:
		return tea.Quit
	case quit:
		if p := r.top().Place(); len(r.stack()) == 1 && p == inList {
			return tea.Quit
		}
		return r.tell(back)
	case suspend:
		if !canSuspend() {
			r.note = noteMsg{text: "cannot suspend: no shell to come back from started this", bad: true}
			return nil
		}
		return tea.Suspend
	case redraw:
		return tea.ClearScreen
	case cycleTheme:
		r.theme = r.term.after(r.theme)
		r.chosen = r.theme.name
		r.note = noteMsg{text: "theme " + r.theme.name}
	case showSecrets:
		r.secrets = !r.secrets
		return r.tell(a)
	case toggleHints:
		r.hints = !r.hints
		return r.all(r.size())
	case showHelp:
		return r.route(pushMsg{newHelp(r.kit, r.top())})
	default:
		for i, v := range r.views {
			if v.key == a {
				r.at = i
				return r.tell(r.size())
			}
		}
		if slices.Contains([]action{viewEndpoints, viewQueue, viewLog, viewListeners, viewRules, viewSamples}, a) {
			r.note = noteMsg{text: "there is no such view here", bad: true}
			return nil
		}
		return r.tell(a)
	}
	return nil
}

// pop leaves the top screen; the last one of a view stays, and its view goes
// back to the first.
func (r *root) pop() tea.Cmd {
	v := &r.views[r.at]
	if len(v.stack) > 1 {
		v.stack = v.stack[:len(v.stack)-1]
	} else {
		r.at = 0
	}
	return r.tell(r.size())
}

// tell gives msg to the top screen.
func (r *root) tell(msg tea.Msg) tea.Cmd {
	return r.update(&r.stack()[len(r.stack())-1], msg)
}

// all gives msg to every screen there is.
func (r *root) all(msg tea.Msg) tea.Cmd {
	var cmds []tea.Cmd
	for _, v := range r.views {
		for i := range v.stack {
			cmds = append(cmds, r.update(&v.stack[i], msg))
		}
	}
	return tea.Batch(cmds...)
}

// deliver gives an answer to the screen that asked, if it is still there.
func (r *root) deliver(a answer) tea.Cmd {
	for _, v := range r.views {
		for i := range v.stack {
			if v.stack[i].ID() == a.to {
				return r.update(&v.stack[i], a.msg)
			}
		}
	}
	return nil
}

func (r *root) update(s *screen, msg tea.Msg) (cmd tea.Cmd) {
	*s, cmd = (*s).Update(msg)
	return cmd
}

// size is the space between the lines above and below.
func (r *root) size() sizeMsg {
	above := 1
	if r.hasLine() {
		above++
	}
	return sizeMsg{r.w, max(0, r.h-above-r.bottom())}
}

// bottom is how many lines the message and the hints take.
func (r *root) bottom() int {
	if r.hints && r.h >= 20 {
		return 2
	}
	return 1
}

// View draws the frame again if anything has happened since.
func (r *root) View() string {
	if r.dirty {
		r.frame, r.dirty = r.draw(), false
		if r.term.ascii {
			r.frame = toASCII(r.frame)
		}
	}
	return r.frame
}

func (r *root) draw() string {
	if r.w == 0 || r.h == 0 {
		return ""
	}
	if r.w < minWidth || r.h < minHeight {
		return strings.Join(exactly([]string{safe.Cut(tooSmall(r.w, r.h), r.w)}, r.h), "\n")
	}
	size := r.size()
	lines := []string{r.title()}
	if r.hasLine() {
		lines = append(lines, r.linkLine())
	}
	lines = append(lines, exactly(strings.Split(r.top().View(size.w, size.h), "\n"), size.h)...)
	if d, ok := r.dialog.(tall); ok {
		below := d.panel(r.theme, r.w)
		below = below[:min(len(below), size.h)]
		copy(lines[len(lines)-len(below):], below)
	}
	if r.bottom() == 2 && r.dialog == nil && safe.Width(safe.Line(r.note.text)) > r.w-1 {
		return strings.Join(append(lines, r.longNote()...), "\n")
	}
	if r.bottom() == 2 {
		return strings.Join(append(lines, r.message(true), r.footer()), "\n")
	}
	return strings.Join(append(lines, r.message(false)), "\n")
}

// title draws the views, or the way back from a screen opened from one.
func (r *root) title() string {
	var right []span
	if s, ok := r.top().(stater); ok {
		right = s.State()
	}
	right = append(r.linkBadge(), right...)
	if r.lost != nil {
		right = append([]span{{bad, "DOWN ✗ " + safe.Cut(safe.Line(r.lost.Error()), r.w/3) + " "}}, right...)
	}
	right = append(right, span{plain, " "})
	return r.theme.spread(r.w, r.where(r.w-width(right)), right)
}

// where says which view is on, and how to get to the others, by their names if
// those take at most w cells; or the way back from a screen opened from one.
func (r *root) where(w int) []span {
	if s := r.stack(); len(s) > 1 || s[0].Title() != "" {
		return []span{{dim, " ‹ " + r.views[r.at].name}, {title, "  " + r.top().Title()}}
	}
	var names, keys []span
	for i, v := range r.views {
		key := "  " + r.keyOf(v.key)
		if i == r.at {
			s := span{title, key + "·" + v.name}
			names, keys = append(names, s), append(keys, s)
			continue
		}
		names, keys = append(names, span{plain, key + " " + v.name}), append(keys, span{plain, key})
	}
	brand := span{title, " HOOKTAPE"}
	switch room := w - width(names) - 1; {
	case r.w >= 60 && room >= width([]span{brand}):
		return append([]span{brand}, names...)
	case r.w >= 60 && room >= 0:
		return names
	}
	return keys
}

// keyOf is the key that does an action everywhere.
func (r *root) keyOf(a action) string {
	for _, c := range r.table {
		if c.action == a {
			return c.Help().Key
		}
	}
	return ""
}

// message draws what is to be said, the most pressing first: a question, a
// note, what the screen tells. Where there is no line of hints, hints are
// shown when nothing is to be said.
func (r *root) message(own bool) string {
	switch {
	case r.dialog != nil:
		return r.theme.line(r.w, r.dialog.spans(r.w)...)
	case r.note.text != "":
		return r.theme.line(r.w, span{r.note.look(), " " + safe.Line(r.note.text)})
	}
	if t, ok := r.top().(teller); ok {
		if left, right := t.Tell(); len(left) > 0 || own {
			return r.theme.spread(r.w, left, right)
		}
	}
	if own || !r.hints {
		return ""
	}
	return r.footer()
}

// longNote draws a note in the place of the hints, too.
func (r *root) longNote() []string {
	text, look := safe.Line(r.note.text), r.note.look()
	n := prefix(text, r.w-2)
	if blank := strings.LastIndexByte(text[:n], ' '); blank > n/2 {
		n = blank
	}
	return []string{r.theme.line(r.w, span{look, " " + text[:n]}), r.theme.line(r.w, span{look, " " + strings.TrimSpace(text[n:])})}
}

// footer draws the hints: the commands of the place that can be done now.
func (r *root) footer() string {
	if _, covers := r.dialog.(tall); covers {
		return "" // it has all keys, and says which
	}
	if at := r.top().Place(); at == inForm || at == inSend {
		var spans []span
		for _, c := range r.table {
			if c.in&at != 0 && c.foot != "" {
				spans = append(spans, span{hint, " " + c.Help().Key}, span{plain, " " + c.foot + " "})
			}
		}
		return r.theme.line(r.w, spans...)
	}
	if r.typing() {
		return r.theme.line(r.w, span{hint, " enter"}, span{plain, " done "}, span{hint, " esc"}, span{plain, " cancel "})
	}
	var spans []span
	room := r.w
	tail := []span{{hint, " ?"}, {plain, " help "}, {hint, " q"}, {plain, " " + r.leave() + " "}}
	room -= width(tail)
	for _, c := range reachable(r.table, r.top().Place()) {
		if c.foot == "" || c.action == showHelp || c.action == quit || r.top().Why(c.action) != "" {
			continue
		}
		s := []span{{hint, " " + c.Help().Key}, {plain, " " + c.foot + " "}}
		if room -= width(s); room < 0 {
			break
		}
		spans = append(spans, s...)
	}
	return r.theme.line(r.w, append(spans, tail...)...)
}

func (r *root) leave() string {
	if len(r.stack()) == 1 && r.top().Place() == inList {
		return "quit"
	}
	return "back"
}

func tooSmall(w, h int) string {
	return "window too small: " + comma(int64(w)) + "x" + comma(int64(h)) + ", need 40x8"
}

var errGone = errors.New("the source is gone, trying again")

// retryAfter is how long a source that is gone is left alone.
const retryAfter = 2 * time.Second
