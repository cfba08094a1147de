package tui

import (
	"context"
	"fmt"
	"strings"
	"time"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/x/ansi"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/safe"
)

// inspect shows one event: its body, its headers, and what became of it. It
// is a part of another screen, to whom its answers go.
type inspect struct {
	base
	row      capture.Row
	shown    bool              // it is on view, and not only its preview
	attempts []capture.Attempt // oldest first
	chosen   capture.ID        // the attempt whose response is shown; "": the newest finished
	attempt  *capture.Attempt  // that one, whole
	body     []byte
	bodyErr  error
	have     has

	tab    tab
	mode   mode
	wrap   bool
	text   *text // what the tab shows below its table
	made   int   // number of the newest text asked for
	tops   [tabs]int
	left   int
	find   finder
	w, h   int
	beside bool // drawn beside something, its title not being the title line's

	read context.Context // of the event shown
	stop context.CancelFunc
	busy bool // attempts are being read
	old  bool // and are to be read again
}

// has says what of the event has been read.
type has uint8

const (
	nothing has = iota
	facts       // its attempts
	all         // its body too
)

type tab uint8

const (
	bodyTab tab = iota
	headersTab
	responseTab
	attemptsTab
	tabs
)

// finder is the search inside what is shown.
type finder struct {
	field  field
	typing bool
	text   string
	hits   []hit
	at     int
}

func newInspect(b base) *inspect {
	i := &inspect{base: b, wrap: true}
	i.read, i.stop = context.WithCancel(b.ctx)
	return i
}

func (i *inspect) Title() string {
	r := &i.row
	if r.ID == "" {
		return "Event"
	}
	return safe.Line(string(r.ID) + " " + from(r) + " " + r.Method + " " + or(r.Type, r.Path()))
}

// show turns to an event, or to another state of the same one. shown says
// whether all of it is on view.
func (i *inspect) show(row capture.Row, shown bool) tea.Cmd {
	same, was := row.ID == i.row.ID, i.shown
	changed := same && (row.Outcome != i.row.Outcome || row.Pinned != i.row.Pinned)
	i.row, i.shown = row, shown
	switch {
	case row.ID == "":
		i.attempts, i.attempt, i.body, i.text, i.have = nil, nil, nil, nil, nothing
		return nil
	case !same:
		i.stop()
		i.read, i.stop = context.WithCancel(i.ctx)
		i.attempts, i.chosen, i.attempt, i.body, i.bodyErr = nil, "", nil, nil, nil
		i.text, i.have, i.tops, i.left, i.busy = nil, nothing, [tabs]int{}, 0, false
		return i.fetch()
	case shown && !was && (i.have != all || i.text == nil):
		return tea.Batch(i.fetch(), i.remake())
	case changed && shown:
		return i.refresh()
	}
	return nil
}

// refresh reads what may have changed about the event.
func (i *inspect) refresh() tea.Cmd {
	if !i.shown || i.row.ID == "" {
		return nil
	}
	return i.fetch()
}

// previewMost is how large a body is read for three lines of it.
const previewMost = 256 << 10

// look is a question for one event's attempts, the chosen one whole, and its
// body.
type lookup struct {
	Source
	ctx    context.Context
	event  capture.ID
	chosen capture.ID
	body   bool
}

// looked is its answer.
type looked struct {
	lookup
	attempts []capture.Attempt
	attempt  *capture.Attempt
	bytes    []byte
	bodyErr  error
	err      error
}

func (i *inspect) fetch() tea.Cmd {
	if i.busy {
		i.old = true
		return nil
	}
	i.busy, i.old = true, false
	body := i.have != all && i.row.Refused == nil && (i.shown || i.row.Size <= previewMost)
	return i.ask(lookup{i.Source, i.read, i.row.ID, i.chosen, body}.run)
}

func (l lookup) run() tea.Msg {
	a := looked{lookup: l}
	if l.body {
		a.bytes, a.bodyErr = l.Body(l.ctx, l.event)
	}
	a.attempts, a.err = l.Attempts(l.ctx, capture.AttemptQuery{Event: l.event, Limit: 200})
	if a.err != nil || len(a.attempts) == 0 {
		return a
	}
	id := l.chosen
	for _, t := range a.attempts { // newest first
		if id == "" && t.Status != capture.AttemptPending {
			id = t.ID
		}
	}
	if id == "" {
		id = a.attempts[0].ID
	}
	var whole capture.Attempt
	if whole, a.err = l.Attempt(l.ctx, id); a.err == nil {
		a.attempt = &whole
	}
	return a
}

func (i *inspect) update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case looked:
		return i.take(msg)
	case madeText:
		if msg.number == i.made {
			i.text = msg.text
			return i.search()
		}
	case foundIn:
		if msg.in == i.text && msg.what == i.find.text {
			i.found(msg.hits)
		}
	}
	return nil
}

func (i *inspect) take(a looked) tea.Cmd {
	if a.event != i.row.ID || a.ctx != i.read {
		return nil
	}
	i.busy = false
	if a.err != nil {
		return send(noteMsg{a.err.Error(), true})
	}
	i.attempts = a.attempts
	for x, y := 0, len(i.attempts)-1; x < y; x, y = x+1, y-1 {
		i.attempts[x], i.attempts[y] = i.attempts[y], i.attempts[x]
	}
	i.attempt = a.attempt
	i.have = max(i.have, facts)
	if a.body {
		i.body, i.bodyErr, i.have = a.bytes, a.bodyErr, all
	}
	if i.row.Refused != nil {
		i.have = all
	}
	cmds := []tea.Cmd{i.remake()}
	if i.old || a.chosen != i.chosen {
		cmds = append(cmds, i.fetch())
	}
	return tea.Batch(cmds...)
}

// remake makes the text of the tab anew.
func (i *inspect) remake() tea.Cmd {
	if !i.shown || i.row.ID == "" {
		return nil
	}
	i.made++
	m := making{number: i.made, tab: i.tab, mode: i.mode, row: i.row, body: i.body, bodyErr: i.bodyErr,
		have: i.have, attempt: i.attempt, secrets: i.secrets}
	if i.wrap {
		m.w = i.w
	}
	return i.ask(m.run)
}

func (i *inspect) resize() tea.Cmd { return i.remake() }

func (i *inspect) act(a action) tea.Cmd {
	page := max(1, i.room(i.h)-1)
	attempts := i.tab == attemptsTab
	switch a {
	case goDown, goUp:
		n := 1
		if a == goUp {
			n = -1
		}
		if attempts {
			return i.choose(n)
		}
		i.scroll(n)
	case goHalfDown:
		i.scroll(max(1, page/2))
	case goHalfUp:
		i.scroll(-max(1, page/2))
	case goPageDown:
		i.scroll(page)
	case goPageUp:
		i.scroll(-page)
	case goTop, goBottom:
		n := i.text.len() + len(i.attempts)
		if a == goTop {
			n = -n
		}
		if attempts {
			return i.choose(n)
		}
		i.scroll(n)
	case goLeft:
		i.left = max(0, i.left-8)
	case goRight:
		i.left += 8
	case nextTab:
		return i.turn((i.tab + 1) % tabs)
	case prevTab:
		return i.turn((i.tab + tabs - 1) % tabs)
	case bodyMode:
		i.mode = (i.mode + 1) % modes
		i.tops[bodyTab], i.left = 0, 0
		return i.turn(bodyTab)
	case wrapLines:
		i.wrap, i.left = !i.wrap, 0
		return i.remake()
	case showSecrets:
		return i.remake()
	case find:
		i.find.field, i.find.typing = newField(i.find.text), true
	case nextMatch, prevMatch:
		n := 1
		if a == prevMatch {
			n = -1
		}
		i.step(n)
	case copyMenu:
		return i.copyMenu()
	}
	return nil
}

func (i *inspect) why(a action) string {
	switch {
	case (a == nextMatch || a == prevMatch) && i.find.text == "":
		return "nothing is searched for: / does"
	case (a == goLeft || a == goRight) && i.wrap:
		return "lines are wrapped: w shows them whole"
	case a == find && i.text != nil && i.text.hex != nil:
		return "hex cannot be searched: v shows text"
	}
	return ""
}

func (i *inspect) turn(t tab) tea.Cmd {
	i.tab, i.text = t, nil
	return i.remake()
}

// choose goes n attempts down the table.
func (i *inspect) choose(n int) tea.Cmd {
	if len(i.attempts) == 0 {
		return nil
	}
	at := min(max(i.chosenIndex()+n, 0), len(i.attempts)-1)
	i.chosen, i.tops[attemptsTab] = i.attempts[at].ID, 0
	return i.fetch()
}

// chosenIndex is where the attempt whose response is shown is in the table.
func (i *inspect) chosenIndex() int {
	id := i.chosen
	if id == "" && i.attempt != nil {
		id = i.attempt.ID
	}
	for n := range i.attempts {
		if i.attempts[n].ID == id {
			return n
		}
	}
	return len(i.attempts) - 1
}

// Searching.

// foundIn is where a text was found in another.
type foundIn struct {
	in   *text
	what string
	hits []hit
}

func (f foundIn) run() tea.Msg {
	f.hits = f.in.search(f.what)
	return f
}

func (i *inspect) typed(k tea.KeyMsg) tea.Cmd {
	switch k.Type {
	case tea.KeyEsc:
		return i.clearFind()
	case tea.KeyEnter:
		i.find.typing = false
		return nil
	}
	if !i.find.field.typed(k) {
		return nil
	}
	i.find.text = safe.Line(i.find.field.text())
	return i.search()
}

func (i *inspect) clearFind() tea.Cmd {
	i.find = finder{}
	return nil
}

func (i *inspect) search() tea.Cmd {
	i.find.hits = nil
	if i.find.text == "" || i.text == nil {
		return nil
	}
	return i.ask(foundIn{in: i.text, what: i.find.text}.run)
}

// found takes the hits, and goes to the first one on view or below.
func (i *inspect) found(hits []hit) {
	i.find.hits, i.find.at = hits, 0
	for n, h := range hits {
		if i.text.rowOf(h.line, h.at) >= i.top() {
			i.find.at = n
			break
		}
	}
	i.step(0)
}

// step goes n matches on, around the end.
func (i *inspect) step(n int) {
	f := &i.find
	if len(f.hits) == 0 {
		return
	}
	f.at = (f.at + n + len(f.hits)) % len(f.hits)
	row := i.text.rowOf(f.hits[f.at].line, f.hits[f.at].at)
	if room := i.room(i.h); row < i.top() || row >= i.top()+room {
		i.tops[i.tab] = row - room/2
		i.scroll(0)
	}
}

// Geometry.

// heads are the lines of h above the text: state, tabs, rule, table.
func (i *inspect) heads(h int) (state, table int) {
	if h >= 10 {
		state = 1
	}
	if h >= 10 && i.beside {
		state = 2
	}
	if i.tab == attemptsTab {
		table = 1 + min(len(i.attempts), max(1, (h-4)/2))
	}
	return state, table
}

// room is how many of h lines are the text's.
func (i *inspect) room(h int) int {
	state, table := i.heads(h)
	return max(1, h-state-table-2)
}

// top is the first row on view.
func (i *inspect) top() int {
	return max(0, min(i.tops[i.tab], i.text.len()-i.room(i.h)))
}

func (i *inspect) scroll(n int) {
	i.tops[i.tab] = max(0, min(i.tops[i.tab]+n, i.text.len()-i.room(i.h)))
}

// Drawing.

// lines draws the inspector; focus says that the keyboard is in it.
func (i *inspect) lines(w, h int, focus bool) []string {
	if i.row.ID == "" {
		return []string{i.theme.line(w, span{dim, " no event is selected"})}
	}
	state, table := i.heads(h)
	var out []string
	if state > 1 {
		out = append(out, i.theme.line(w, span{title, " " + i.Title()}))
	}
	if state > 0 {
		out = append(out, i.state(w))
	}
	out = append(out, i.tabLine(w, focus))
	if table > 0 {
		out = append(out, i.table(w, table)...)
	}
	out = append(out, i.theme.rule(w, i.about()))
	room := max(1, h-len(out))
	if i.text == nil {
		return append(out, i.theme.line(w, span{dim, " reading…"}))
	}
	top := max(0, min(i.tops[i.tab], i.text.len()-room))
	for n := top; n < min(top+room, i.text.len()); n++ {
		out = append(out, i.line(n, w))
	}
	return out
}

// line draws a row of the text behind its number.
func (i *inspect) line(n, w int) string {
	if !i.text.number || i.text.hex != nil || w < 24 {
		return " " + i.text.draw(i.theme, n, i.left, w-1, i.find.hits)
	}
	number := spaces(numberWidth)
	if r := i.text.row(n); r.from == 0 {
		number = fmt.Sprintf("%*d ", numberWidth-1, r.line+1)
	}
	return i.theme.line(w, span{dim, number}) + i.text.draw(i.theme, n, i.left, w-numberWidth, i.find.hits)
}

// numberWidth is how wide line numbers are, the blank behind them included.
const numberWidth = 6

func (i *inspect) state(w int) string {
	r := &i.row
	glyph, word, look := look(r.Outcome.State)
	s := []span{{look, " " + glyph + " " + word}}
	switch {
	case r.Refused != nil:
		s = append(s, span{plain, fmt.Sprintf(" %d: %s over the limit of %d, not kept", r.Refused.Status, safe.Line(r.Refused.Limit), r.Refused.Max)})
	case r.Outcome.Status != 0:
		s = append(s, span{plain, fmt.Sprintf(" %d", r.Outcome.Status)})
	case r.Outcome.Error != "":
		s = append(s, span{plain, " " + safe.Line(r.Outcome.Error)})
	}
	if n := r.Outcome.Tries; n > 1 {
		s = append(s, span{plain, fmt.Sprintf(" after %d tries", n)})
	}
	if !r.Outcome.Next.IsZero() {
		s = append(s, span{plain, " next " + r.Outcome.Next.Local().Format(time.TimeOnly)})
	}
	s = append(s, span{dim, " · "}, span{plain, r.Received.Local().Format("15:04:05.000")},
		span{dim, " · "}, span{plain, size(r.Size)}, span{dim, " · "}, verdict(r.Signature))
	if r.Pinned {
		s = append(s, span{dim, " · "}, span{info, "pinned"})
	}
	return i.theme.line(w, s...)
}

func verdict(s capture.Signature) span {
	switch s.Verdict {
	case capture.Valid:
		return span{good, "sig ✓"}
	case capture.Invalid:
		return span{bad, "sig ✗ invalid"}
	case capture.Stale:
		return span{warn, "sig ✗ stale"}
	case capture.Unsigned, "":
		return span{dim, "unsigned"}
	}
	return span{plain, "sig " + safe.Line(string(s.Verdict))}
}

func (i *inspect) tabLine(w int, focus bool) string {
	names := [tabs]string{"Body", fmt.Sprintf("Headers %d", len(i.row.Headers)), "Response", fmt.Sprintf("Attempts %d", len(i.attempts))}
	var s []span
	for t, name := range names {
		if tab(t) != i.tab {
			s = append(s, span{dim, "  " + name + " "})
			continue
		}
		look := title
		if focus {
			look = selected
		}
		s = append(s, span{plain, " "}, span{look, "[" + name + "]"})
	}
	return i.theme.line(w, s...)
}

// about says what the text is, and how to see it otherwise.
func (i *inspect) about() string {
	switch i.tab {
	case bodyTab:
		what := i.mode.String()
		if i.text != nil && i.text.hex != nil {
			what = "hex"
		}
		wrap := "off"
		if i.wrap {
			wrap = "on"
		}
		return what + " (v: pretty/raw/hex  w: wrap " + wrap + ")"
	case headersTab:
		if i.secrets {
			return "as received (S hides secrets)"
		}
		return "as received (S shows secrets)"
	}
	if i.attempt == nil {
		return "response"
	}
	return fmt.Sprintf("response to attempt %d", i.attempt.Number)
}

// tell is what the message line says: the search, and how far down one is.
func (i *inspect) tell() (left, right []span) {
	f := &i.find
	switch {
	case f.typing:
		left = append([]span{{hint, " / "}}, f.field.spans(i.w/2)...)
	case f.text != "":
		left = []span{{hint, " / "}, {plain, f.text}}
	}
	switch {
	case f.text != "" && len(f.hits) > 0:
		right = append(right, span{good, fmt.Sprintf("match %d/%d  ", f.at+1, len(f.hits))})
	case f.text != "":
		right = append(right, span{warn, "no match  "})
	}
	if n := i.text.len(); n > i.room(i.h) {
		last := min(i.top()+i.room(i.h), n)
		right = append(right, span{dim, fmt.Sprintf("line %s/%s %d%% ", comma(int64(last)), comma(int64(n)), last*100/n)})
	}
	return left, right
}

// preview draws h lines of the event for under the list.
func (i *inspect) preview(w, h int) []string {
	r := &i.row
	about := []string{safe.Line(string(r.ID)), size(r.Size), safe.Line(r.Headers.First("Content-Type"))}
	if s := verdict(r.Signature); s.text != "" {
		about = append(about, s.text)
	}
	out := []string{i.theme.rule(w, strings.Join(about, " · "))}
	switch {
	case i.bodyErr != nil:
		out = append(out, i.theme.line(w, span{bad, " " + safe.Line(i.bodyErr.Error())}))
	case r.Refused != nil:
		out = append(out, i.theme.line(w, span{warn, " refused: the body was not kept"}))
	case i.have != all:
		out = append(out, i.theme.line(w, span{dim, " enter reads the body"}))
	default:
		line := safe.LineBytes(i.body[:min(len(i.body), 8*w)])
		for range h - 2 {
			n := prefix(line, w-2)
			spans := append([]span{{plain, " "}}, jsonSpans(line[:n], false)...)
			out = append(out, i.theme.line(w, spans...))
			line = line[n:]
		}
	}
	out = exactly(out, h-1)
	s := []span{{dim, " " + safe.Line(string(r.Target))}}
	if r.Remote != "" {
		s = append(s, span{dim, " from " + safe.Line(r.Remote)})
	}
	return append(out, i.theme.line(w, s...))
}

// printed is how many cells a drawn line takes.
func printed(line string) int { return safe.Width(ansi.Strip(line)) }
