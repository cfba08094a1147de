package tui

import (
	"context"
	"slices"

	tea "github.com/charmbracelet/bubbletea"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/safe"
)

// inspect shows one event: its body, its headers, and what became of it. It
// is a part of another screen, to whom its answers go.
type inspect struct {
	base
	row      capture.Row
	shown    bool              // it is on view, and not only its preview
	attempts []capture.Attempt // by endpoint, oldest first
	several  bool              // of several endpoints
	chosen   capture.ID        // the attempt whose response is shown; "": the newest finished
	attempt  *capture.Attempt  // that one, whole
	start    capture.ID        // the attempt to choose in the event shown next
	body     []byte
	bodyErr  error
	rules    map[capture.ID]string // the names of rules, where one has answered
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
	sentTab
	attemptsTab
	tabs
)

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
	case !same:
		i.stop()
		i.read, i.stop = context.WithCancel(i.ctx)
		i.attempts, i.attempt, i.body, i.bodyErr = nil, nil, nil, nil
		i.chosen, i.start = i.start, ""
		i.text, i.have, i.tops, i.left, i.busy = nil, nothing, [tabs]int{}, 0, false
		i.made++ // a text of the event before is late
		return i.retry()
	case shown && !was && i.row.ID != "" && (i.have != all || i.text == nil):
		return tea.Batch(i.fetch(), i.remake())
	case changed && shown:
		return i.fetch()
	}
	return nil
}

// retry reads an event that has not been read, as after an error.
func (i *inspect) retry() tea.Cmd {
	if i.row.ID == "" || i.have != nothing || i.busy {
		return nil
	}
	return i.fetch()
}

// previewMost is how large a body is read for three lines of it.
const previewMost = 256 << 10

// lookup is a question for one event's attempts, the chosen one whole, and its
// body.
type lookup struct {
	Source
	ctx    context.Context
	event  capture.ID
	chosen capture.ID
	body   bool
	rules  Rules
	ruled  bool // a rule answered the event's sender
}

// looked is its answer.
type looked struct {
	lookup
	attempts []capture.Attempt
	attempt  *capture.Attempt
	bytes    []byte
	bodyErr  error
	names    map[capture.ID]string // of rules
	err      error
}

func (i *inspect) fetch() tea.Cmd {
	if i.busy {
		i.old = true
		return nil
	}
	i.busy, i.old = true, false
	body := i.have != all && i.row.Refused == nil && (i.shown || i.row.Size <= previewMost)
	return i.ask(lookup{i.Source, i.read, i.row.ID, i.chosen, body, i.Rules, i.row.Metadata["rule"] != ""}.run)
}

func (l lookup) run() tea.Msg {
	a := looked{lookup: l}
	if l.body {
		a.bytes, a.bodyErr = l.Body(l.ctx, l.event)
	}
	a.attempts, a.err = l.Attempts(l.ctx, capture.AttemptQuery{Event: l.event, Limit: 200})
	a.names = l.ruleNames(a.attempts)
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

// ruleNames are the names of rules, read where one has answered. Without them
// its id is shown.
func (l lookup) ruleNames(attempts []capture.Attempt) map[capture.ID]string {
	if l.rules == nil || !l.ruled && !slices.ContainsFunc(attempts, func(a capture.Attempt) bool { return a.Rule != "" }) {
		return nil
	}
	rows, err := l.rules.Rules(l.ctx, "")
	if err != nil {
		return nil
	}
	names := map[capture.ID]string{}
	for _, r := range rows {
		names[r.ID] = r.Name
	}
	return names
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
	i.attempts, i.several = byEndpoint(a.attempts)
	i.attempt, i.rules = a.attempt, a.names
	i.have = max(i.have, facts)
	if a.body {
		i.body, i.bodyErr, i.have = a.bytes, a.bodyErr, all
	}
	if i.row.Refused != nil {
		i.have = all
	}
	var cmds []tea.Cmd
	if a.body || i.text == nil || i.tab >= responseTab {
		cmds = append(cmds, i.remake())
	}
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
		have: i.have, attempt: i.attempt, rules: i.rules, secrets: i.secrets}
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
		i.copyMenu()
	case judge:
		return send(pushMsg{newJudged(i.kit, i.row.Event)})
	}
	return nil
}

func (i *inspect) why(a action) string {
	switch {
	case a == judge:
		return i.whyNotJudged()
	case (a == nextMatch || a == prevMatch) && i.find.text == "":
		return "nothing is searched for: / does"
	case (a == goLeft || a == goRight) && i.wrap && i.text != nil && i.text.hex == nil:
		return "lines are wrapped: w shows them whole"
	}
	return ""
}

func (i *inspect) whyNotJudged() string {
	switch {
	case i.Judge == nil:
		return "signatures are not explained here"
	case i.row.ID == "":
		return "no event is selected"
	case i.row.Refused != nil:
		return "it was refused: there is no body to judge"
	case i.row.Sealed:
		return "it is sealed: hooktape events get ID --identity FILE opens it"
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

// selected is the attempt chosen in the table, nil where there is none.
func (i *inspect) selected() *capture.Attempt {
	if n := i.chosenIndex(); n >= 0 {
		return &i.attempts[n]
	}
	return nil
}

// place is where the keyboard is while it is in the inspector.
func (i *inspect) place() place {
	if i.tab == attemptsTab {
		return inTries
	}
	return inBody
}
