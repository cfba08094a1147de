package tui

import (
	"slices"
	"strings"

	tea "github.com/charmbracelet/bubbletea"

	"code.hooktape.dev/hooktape/capture/safe"
)

// form is fields to fill in. It is a part of a screen, which says what saving
// does.
type form struct {
	inputs []input
	at     int // the one the keyboard is in
}

// input is a field of a form: text, or one of some choices.
type input struct {
	name    string // as the API calls it, too
	label   string
	hint    string
	field   field
	choices []string            // not text: one of these
	choice  int                 // which
	check   func(string) string // what is wrong with a text as it is typed
	fixed   string              // why it cannot be changed here
	was     string              // the value it began with
	bad     string              // what is wrong with it
}

// textInput is a field of text. What it cannot hold as it is, it does not
// offer to change.
func textInput(name, label, value, hint string) input {
	in := input{name: name, label: label, hint: hint, field: newField(value), was: strings.TrimSpace(value)}
	if in.value() != in.was {
		in.fixed = safe.Line(value) + ": the API changes it, there is more in it than fits a line"
		in.field = newField("")
	}
	return in
}

func choiceInput(name, label, value, hint string, choices []string) input {
	return input{name: name, label: label, hint: hint, choices: choices, choice: max(0, slices.Index(choices, value)), was: value}
}

func (i *input) value() string {
	if i.choices != nil {
		return i.choices[i.choice]
	}
	return strings.TrimSpace(i.field.text())
}

func (i *input) changed() bool { return i.fixed == "" && i.value() != i.was }

// find is the field of a name.
func (f *form) find(name string) *input {
	for i := range f.inputs {
		if f.inputs[i].name == name {
			return &f.inputs[i]
		}
	}
	return nil
}

func (f *form) value(name string) string { return f.find(name).value() }

func (f *form) changed() bool {
	return slices.ContainsFunc(f.inputs, func(i input) bool { return i.changed() })
}

// put notes a field's value in a JSON merge patch, if it was changed. What went
// back to its default is null.
func (f *form) put(patch map[string]any, name string, value any, zero bool) {
	if !f.find(name).changed() {
		return
	}
	if patch[name] = value; zero {
		patch[name] = nil
	}
}

// act does what moves about the form, and reports whether a is that.
func (f *form) act(a action) bool {
	in := &f.inputs[f.at]
	switch {
	case a == nextField:
		f.at = (f.at + 1) % len(f.inputs)
	case a == prevField:
		f.at = (f.at + len(f.inputs) - 1) % len(f.inputs)
	case in.choices == nil || in.fixed != "":
		return false
	case a == nextChoice:
		in.choice, in.bad = (in.choice+1)%len(in.choices), ""
	case a == prevChoice:
		in.choice, in.bad = (in.choice+len(in.choices)-1)%len(in.choices), ""
	default:
		return false
	}
	return true
}

// typed takes a key as text of the field.
func (f *form) typed(k tea.KeyMsg) {
	in := &f.inputs[f.at]
	if in.fixed != "" || in.choices != nil || !in.field.typed(k) {
		return
	}
	if in.bad = ""; in.check != nil {
		in.bad = in.check(in.value())
	}
}

// refuse says at a field what is wrong with it, and goes there. It reports
// whether there is such a field.
func (f *form) refuse(name, problem string) bool {
	for i := range f.inputs {
		if f.inputs[i].name == name {
			f.inputs[i].bad, f.at = problem, i
			return true
		}
	}
	return false
}

// labels is how wide labels are.
const labels = 14

// lines draws the form in h lines, the field with the keyboard among them.
func (f *form) lines(th *theme, w, h int) []string {
	var out []string
	from, to := 0, 0
	for n := range f.inputs {
		in := &f.inputs[n]
		if n == f.at {
			from = len(out)
		}
		out = append(out, in.line(th, w, n == f.at))
		if in.bad != "" {
			out = append(out, in.wrong(th, w)...)
		}
		if n == f.at {
			to = len(out)
		}
	}
	first := max(0, min(from, len(out)-h))
	if to <= h {
		first = 0
	} else {
		first = min(first, max(0, to-h))
	}
	return out[first:min(first+h, len(out))]
}

func (i *input) line(th *theme, w int, focus bool) string {
	look, gutter := dim, "  "
	if focus {
		look, gutter = title, "> "
	}
	s := []span{{look, gutter + pad(i.label, labels)}}
	room := w - labels - 2
	switch {
	case i.fixed != "":
		s = append(s, span{dim, safe.Line(or(i.field.text(), "("+i.fixed+")"))})
	case i.choices != nil && focus:
		s = append(s, span{hint, "‹ "}, span{selected, i.value()}, span{hint, " ›"})
	case focus:
		s = append(s, i.field.spans(room)...)
	default:
		s = append(s, span{plain, safe.Line(i.value())})
	}
	return th.line(w, s...)
}

// wrong says below the field what is wrong with it, in at most three lines.
func (i *input) wrong(th *theme, w int) (out []string) {
	t := &text{}
	t.add(wrong, "✗ "+safe.Line(i.bad))
	t.fold(w - labels - 2)
	for n := range min(3, t.len()) {
		out = append(out, spaces(labels+2)+t.draw(th, n, 0, w-labels-2, nil))
	}
	return out
}

// tell is what the message line says of the field.
func (f *form) tell() (left, right []span) {
	in := &f.inputs[f.at]
	if in.fixed != "" {
		return []span{{warn, " " + in.fixed}}, nil
	}
	return []span{{dim, " " + in.hint}}, nil
}
