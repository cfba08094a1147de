package tui

import (
	"fmt"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/safe"
)

func (l *rules) View(w, h int) string {
	return listView[capture.RuleRow]{&l.list, l.columns, l.nothing, l.below, l.beside}.draw(l.theme, w, h)
}

// nothing is what is on view when there are no rows.
func (l *rules) nothing(w int) []string {
	if why := l.list.unread(l.theme, w); why != nil {
		return why
	}
	return []string{"", l.theme.line(w, span{title, "  No rules yet."}),
		l.theme.line(w, span{plain, "  A rule answers webhooks that match, with a mock or a fault:"}),
		l.theme.line(w, span{plain, "  the first that applies counts."}), "",
		l.theme.line(w, span{hint, "  n"}, span{plain, " makes one, as do rules: in hooktape.yaml and "}, span{info, "hooktape rules create"})}
}

// below draws the selected rule in h lines under the list.
func (l *rules) below(w, h int) []string {
	r := l.list.selected()
	of := "made here"
	if r.File != "" {
		of = r.File
	}
	last := "has not been applied yet"
	if !r.LastHit.IsZero() {
		last = "last applied " + age(l.clock.at, r.LastHit) + " ago to " + string(r.Event)
	}
	out := []string{l.theme.rule(w, safe.Line(string(r.ID)+" · "+of))}
	for _, s := range []string{"matches " + or(r.Match, "everything"), r.Does() + " · " + sideOf(r), last} {
		out = append(out, l.theme.line(w, span{plain, " " + safe.Line(s)}))
	}
	return exactly(out, h)
}

// beside draws all of the selected rule beside the list.
func (l *rules) beside(w, h int) []string {
	r := l.list.selected()
	if r == nil {
		return nil
	}
	t := describeRule(r, l.clock.at)
	t.fold(w - 1)
	var out []string
	for n := range min(h, t.len()) {
		out = append(out, t.draw(l.theme, n, 0, w, nil))
	}
	return out
}

// State says how many rules apply.
func (l *rules) State() []span {
	if !l.list.loaded {
		return nil
	}
	on := 0
	for i := range l.list.rows {
		if _, _, look := ruleState(&l.list.rows[i]); look == good {
			on++
		}
	}
	return []span{{title, fmt.Sprintf("%d of %s on", on, count(len(l.list.rows), "rule"))}}
}

// columns are the columns of rules for a list w cells wide.
func (l *rules) columns(w int) []column[capture.RuleRow] {
	type row = capture.RuleRow
	now := l.clock.at
	place := map[capture.ID]int{}
	for i := range l.list.rows {
		place[l.list.rows[i].ID] = i + 1
	}
	return fitting([]column[row]{
		{title: "#", width: 3, right: true, rank: 6, cell: func(r *row) (string, role) { return fmt.Sprint(place[r.ID]), dim }},
		{title: "STATE", width: 7, cell: func(r *row) (string, role) {
			glyph, word, look := ruleState(r)
			return glyph + " " + word, look
		}},
		{title: "NAME", cell: func(r *row) (string, role) {
			if r.Name == "" {
				return safe.Line(or(r.Match, "everything")), dim
			}
			return safe.Line(r.Name), plain
		}},
		{title: "SIDE", width: 8, rank: 3, cell: func(r *row) (string, role) { return string(or(r.On, capture.OnIngest)), plain }},
		{title: "DOES", width: 15, cell: func(r *row) (string, role) { return safe.Line(r.Does()), plain }},
		{title: "MATCH", width: max(14, w/4), rank: 5, cell: func(r *row) (string, role) { return safe.Line(or(r.Match, "*")), plain }},
		{title: "HITS", width: 5, right: true, rank: 2, cell: func(r *row) (string, role) { return few(r.Hits), plain }},
		{title: "LAST", width: 4, right: true, rank: 1, cell: func(r *row) (string, role) { return age(now, r.LastHit), dim }},
		{title: "FROM", width: 4, rank: 4, cell: func(r *row) (string, role) {
			if r.File != "" {
				return "file", dim
			}
			return "here", plain
		}},
	}, w, min(16, w/3))
}
