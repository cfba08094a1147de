package tui

import (
	"fmt"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/safe"
)

// heads are the lines of h above the text: state, tabs, rule, table.
func (i *inspect) heads(h int) (state, table int) {
	if h >= 10 {
		state = 1
	}
	if h >= 10 && i.beside {
		state = 2
	}
	if i.detailed(h) {
		state++
	}
	if i.tab == attemptsTab {
		table = 1 + min(len(i.attempts), max(1, (h-4)/2))
	}
	return state, table
}

// detailed reports whether in h lines the verdict on the signature has one of
// its own: where there is something to say about it.
func (i *inspect) detailed(h int) bool { return h >= 14 && i.row.Signature.Detail != "" }

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

// lines draws the inspector; focus says that the keyboard is in it.
func (i *inspect) lines(w, h int, focus bool) []string {
	if i.row.ID == "" {
		return []string{i.theme.line(w, span{dim, " no event is selected"})}
	}
	state, table := i.heads(h)
	var out []string
	if state > 0 && i.beside {
		out = append(out, i.theme.line(w, span{title, " " + i.Title()}))
	}
	if state > 0 {
		out = append(out, i.state(w, h))
	}
	if i.detailed(h) {
		s := verdict(i.row.Signature)
		out = append(out, i.theme.line(w, span{s.role, " " + s.text}, span{plain, ": " + safe.Line(i.row.Signature.Detail)}))
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

func (i *inspect) state(w, h int) string {
	r := &i.row
	glyph, word, look := look(r.Outcome.State)
	s := []span{{look, " " + glyph + " " + word}}
	switch {
	case r.Refused != nil:
		s = append(s, span{plain, " " + safe.Line(r.Refused.String()) + ", not kept"})
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
		span{dim, " · "}, span{plain, size(r.Size)})
	if !i.detailed(h) {
		s = append(s, span{dim, " · "}, verdict(r.Signature))
	}
	if r.Pinned {
		s = append(s, span{dim, " · "}, span{info, "pinned"})
	}
	if r.Claimed != "" {
		s = append(s, span{dim, " · "}, span{info, "claimed"})
	}
	if by := r.Metadata["challenge"]; by != "" {
		s = append(s, span{dim, " · "}, span{info, "challenge: " + safe.Line(by)})
	}
	if rule := r.Metadata["rule"]; rule != "" {
		s = append(s, span{dim, " · "}, span{info, "rule " + safe.Line(or(i.rules[capture.ID(rule)], rule))})
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
	return i.theme.tabs(w, int(i.tab), focus, "Body", fmt.Sprintf("Headers %d", len(i.row.Headers)), "Response", "Sent", fmt.Sprintf("Attempts %d", len(i.attempts)))
}

// tabs draws the names of tabs, the one at among them however narrow it is.
func (t *theme) tabs(w, at int, focus bool, names ...string) string {
	var s []span
	end := 0
	for i, name := range names {
		if i != at {
			s = append(s, span{dim, "  " + name + " "})
			continue
		}
		look := title
		if focus {
			look = selected
		}
		s = append(s, span{plain, " "}, span{look, "[" + name + "]"})
		end = width(s)
	}
	return t.line(w, skip(s, end-w)...)
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
	what := "response to"
	if i.tab == sentTab {
		what = "request of"
	}
	switch {
	case i.attempt == nil:
		return "no attempt has been made"
	case i.several:
		return fmt.Sprintf("%s attempt %d at %s", what, i.attempt.Number, address(i.attempt.URL))
	}
	return fmt.Sprintf("%s attempt %d", what, i.attempt.Number)
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
	about := []string{safe.Line(string(r.ID)), size(r.Size)}
	if s := verdict(r.Signature); s.text != "" {
		about = append(about, s.text)
	}
	about = append(about, safe.Line(r.Headers.First("Content-Type")))
	out := []string{i.theme.rule(w, strings.Join(about, " · "))}
	switch {
	case i.bodyErr != nil:
		out = append(out, i.theme.line(w, span{bad, " " + safe.Line(i.bodyErr.Error())}))
	case r.Refused != nil:
		out = append(out, i.theme.line(w, span{warn, " refused: the body was not kept"}))
	case r.Sealed:
		out = append(out, i.theme.line(w, span{warn, " sealed: hooktape events get ID --identity FILE opens it"}))
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
