package tui

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	tea "github.com/charmbracelet/bubbletea"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/safe"
)

// sample is one event type with its sample, templates as they are written.
type sample struct {
	base
	of    capture.EventType
	sheet sheet
}

func newSample(k *kit, of capture.EventType) *sample {
	s := &sample{base: newBase(k), of: of}
	s.sheet.show(describeType(&of))
	return s
}

func (s *sample) Title() string { return "Sample " + safe.Line(s.of.Tag) }
func (s *sample) Place() place  { return inSample }

func (s *sample) Update(msg tea.Msg) (screen, tea.Cmd) {
	switch msg := msg.(type) {
	case sizeMsg:
		s.sheet.size(msg.w, msg.h)
	case action:
		switch {
		case s.sheet.act(msg):
		case msg == back:
			return s, send(popMsg{})
		case msg == trigger:
			return s, send(pushMsg{newSendForm(s.kit, &s.of)})
		}
	}
	return s, nil
}

func (s *sample) View(w, h int) string {
	return strings.Join(s.sheet.lines(s.theme, w, h), "\n")
}

// requestLine is the first line of a sample.
func requestLine(s *capture.Sample) string { return or(s.Method, "POST") + " " + or(s.Path, "/") }

// describeType is all there is to say of an event type, with the request that
// is its sample.
func describeType(e *capture.EventType) *text {
	t, s := &text{}, &e.Sample
	for _, about := range [][2]string{{"tag", e.Tag}, {"name", e.Name}, {"provider", e.Provider}, {"from", origin(e)}} {
		if about[1] != "" {
			t.add(header, about[0]+": "+safe.Line(about[1]))
		}
	}
	if e.Description != "" {
		t.add(words, safe.Block([]byte(e.Description))...)
	}
	t.add(words, "", safe.Line(requestLine(s)))
	kind := ""
	for _, name := range sorted(s.Headers) {
		t.add(header, safe.Line(name+": "+capture.Header{name, s.Headers[name]}.Masked()))
		if strings.EqualFold(name, "content-type") {
			kind = s.Headers[name]
		}
	}
	addValues(t, "query", s.Query)
	addValues(t, "in the path", s.Params)
	t.add(words, "")
	body := []byte(s.Body)
	var said string
	if json.Unmarshal(body, &said) == nil {
		body = []byte(said)
	}
	if len(body) == 0 {
		t.add(faint, "no body")
		return t
	}
	addWhole(t, pretty, kind, body)
	return t
}

// addValues adds values of a sample by their names.
func addValues(t *text, what string, values map[string]json.RawMessage) {
	if len(values) == 0 {
		return
	}
	t.add(faint, "", what)
	for _, name := range slices.Sorted(maps.Keys(values)) {
		t.add(header, safe.Line(name)+": "+safe.LineBytes(values[name]))
	}
}

// Making one of an event.

// askSample asks for the tag of an event type whose sample an event is to be.
func (b base) askSample(r *capture.Row) {
	types, ctx, event := b.Types, b.ctx, r.ID
	b.dialog = &prompt{"a sample of it: tag", newField(proposedTag(&r.Event)), func(tag string) tea.Cmd {
		tag = strings.TrimSpace(tag)
		return b.ask(func() tea.Msg {
			t, err := types.CreateType(ctx, tag, capture.EventTypeSpec{}, event)
			if err != nil {
				return failed(fmt.Errorf("no sample made: %w", err))
			}
			return told("made the sample " + t.Tag + ": 7 shows it, t there sends it")
		})
	}}
}

// proposedTag is a tag for events such as e.
func proposedTag(e *capture.Event) string {
	kind := or(e.Type, strings.ReplaceAll(strings.Trim(e.Path(), "/"), "/", "."))
	kind = strings.Map(func(c rune) rune {
		if c <= ' ' || c >= 0x7f && c < 0xa0 {
			return '-'
		}
		return c
	}, kind)
	return e.App + ":" + or(kind, "webhook")
}

func (b base) whyNoSample(r *capture.Row) string {
	switch {
	case b.Types == nil:
		return "there is no catalog of event types here"
	case r == nil || r.ID == "":
		return "no event is selected"
	case r.Refused != nil:
		return "it was refused: there is no body to make a sample of"
	case r.Sealed:
		return "it is sealed: what is in it is not known here"
	}
	return ""
}
