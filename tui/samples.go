package tui

import (
	"context"
	"fmt"
	"strings"

	tea "github.com/charmbracelet/bubbletea"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/safe"
)

// samples is the catalog: event types by their tags, built in and made, read
// anew when it comes on view.
type samples struct {
	base
	all    []capture.EventType
	list   roll[capture.EventType]
	terms  terms
	field  field
	typing bool
	busy   bool
	w, h   int
}

func newSamples(k *kit) *samples {
	s := &samples{base: newBase(k)}
	s.list.key = func(t *capture.EventType) capture.ID { return capture.ID(t.Tag) }
	s.list.end = true
	return s
}

func (s *samples) Title() string { return "" }
func (s *samples) Place() place  { return inSamples }
func (s *samples) Typing() bool  { return s.typing }

// typesRead is a question for the catalog, typesNow its answer.
type typesRead struct {
	Types
	ctx context.Context
}

type typesNow struct {
	all []capture.EventType
	err error
}

func (q typesRead) run() tea.Msg {
	all, err := q.Types.Types(q.ctx, "")
	return typesNow{all, err}
}

func (s *samples) Update(msg tea.Msg) (screen, tea.Cmd) {
	switch msg := msg.(type) {
	case tea.KeyMsg:
		s.typed(msg)
	case action:
		return s, s.act(msg)
	case sizeMsg:
		s.w, s.h = msg.w, msg.h
		s.list.fit(msg)
		return s, s.read()
	case typesNow:
		if s.busy, s.list.broken = false, msg.err != nil; msg.err != nil {
			return s, send(noteMsg{msg.err.Error(), true})
		}
		s.all, s.list.loaded = msg.all, true
		s.narrow()
	}
	return s, nil
}

// read asks for the catalog, if it is on view.
func (s *samples) read() tea.Cmd {
	if !s.showing(s.id) || s.busy {
		return nil
	}
	s.busy = true
	return s.ask(typesRead{s.Types, s.ctx}.run)
}

// narrow has the list show what the filter matches, and stays at its row.
func (s *samples) narrow() {
	at := s.list.keyAt(s.list.at)
	s.list.rows = nil
	for _, t := range s.all {
		if s.terms.in(t.Tag, t.Name, t.Description, t.Provider, origin(&t)) {
			s.list.rows = append(s.list.rows, t)
		}
	}
	s.list.at = s.list.where(at, s.list.at)
	s.list.settle()
}

// origin says where an event type is from.
func origin(t *capture.EventType) string {
	if t.Builtin {
		return "built in"
	}
	return "own"
}

func (s *samples) act(a action) tea.Cmd {
	again := s.list.broken // any key tries again
	switch {
	case s.list.act(a):
	case a == back && s.terms.text != "":
		s.filter("")
	case a == back:
		return send(popMsg{})
	case a == find:
		s.field, s.typing = newField(s.terms.text), true
	case a == open:
		return send(pushMsg{newSample(s.kit, *s.list.selected())})
	case a == trigger:
		return send(pushMsg{newSendForm(s.kit, s.list.selected())})
	}
	if again {
		return s.read()
	}
	return nil
}

func (s *samples) Why(a action) string {
	if (a == open || a == trigger) && s.list.selected() == nil {
		return "no event type is selected"
	}
	return ""
}

func (s *samples) typed(k tea.KeyMsg) {
	switch k.Type {
	case tea.KeyEsc:
		s.typing = false
		s.filter("")
	case tea.KeyEnter:
		s.typing = false
	default:
		if s.field.typed(k) {
			s.filter(s.field.text())
		}
	}
}

func (s *samples) filter(text string) {
	s.terms = readTerms(strings.TrimSpace(text))
	s.narrow()
}

func (s *samples) View(w, h int) string {
	return listView[capture.EventType]{&s.list, typeColumns, s.nothing, s.below, s.beside}.draw(s.theme, w, h)
}

// nothing is what is on view when there are no rows.
func (s *samples) nothing(w int) []string {
	if why := s.list.unread(s.theme, w); why != nil {
		return why
	}
	return []string{"", s.theme.line(w, span{plain, "  no event type matches "}, span{title, safe.Line(s.terms.text)}),
		s.theme.line(w, span{hint, "  esc"}, span{plain, " shows all"})}
}

// below draws the selected type in h lines under the list.
func (s *samples) below(w, h int) []string {
	t := s.list.selected()
	out := []string{s.theme.rule(w, safe.Line(t.Tag))}
	says := &text{}
	says.add(words, safe.Block([]byte(or(t.Description, or(t.Name, "no description"))))...)
	says.fold(w - 2)
	for n := range min(2, says.len()) {
		out = append(out, " "+says.draw(s.theme, n, 0, w-1, nil))
	}
	return append(exactly(out, h-1), s.theme.line(w, span{dim, " " + safe.Line(requestLine(&t.Sample))}))
}

// beside draws the selected type beside the list.
func (s *samples) beside(w, h int) []string {
	t := s.list.selected()
	if t == nil {
		return nil
	}
	says := describeType(t)
	says.fold(w - 1)
	var out []string
	for n := range min(h, says.len()) {
		out = append(out, says.draw(s.theme, n, 0, w, nil))
	}
	return out
}

// State says how many types there are.
func (s *samples) State() []span {
	if !s.list.loaded {
		return nil
	}
	n := count(len(s.all), "sample")
	if s.terms.text != "" {
		n = fmt.Sprintf("%d of %s", len(s.list.rows), n)
	}
	return []span{{title, n}}
}

// Tell is what the message line says of the filter.
func (s *samples) Tell() (left, right []span) {
	switch {
	case s.typing:
		left = append([]span{{hint, " / "}}, s.field.spans(s.w/2)...)
	case s.terms.text != "":
		left = []span{{hint, " / "}, {plain, safe.Line(s.terms.text)}}
	default:
		return nil, nil
	}
	if s.terms.text == "" {
		return left, []span{{dim, "words of tag, name, description; own; !word "}}
	}
	return left, []span{{good, comma(int64(len(s.list.rows))) + " found "}}
}

// typeColumns are the columns of event types for a list w cells wide.
func typeColumns(w int) []column[capture.EventType] {
	type row = capture.EventType
	return fitting([]column[row]{
		{title: "TAG", width: max(20, w*9/20), cut: middle, cell: func(t *row) (string, role) { return safe.Line(t.Tag), plain }},
		{title: "NAME", cell: func(t *row) (string, role) { return safe.Line(t.Name), dim }},
		{title: "FROM", width: 8, rank: 1, cell: func(t *row) (string, role) {
			if t.Builtin {
				return origin(t), dim
			}
			return origin(t), info
		}},
	}, w, min(16, w/3))
}
