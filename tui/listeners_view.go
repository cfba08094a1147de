package tui

import (
	"fmt"
	"time"

	"code.hooktape.dev/hooktape/capture/safe"
)

func (l *listeners) View(w, h int) string {
	return listView[listenerRow]{&l.list, func(w int) []column[listenerRow] { return listenerColumns(w, l.clock.at) }, l.nothing, l.below, l.beside}.draw(l.theme, w, h)
}

// nothing is what is on view when there are no rows.
func (l *listeners) nothing(w int) []string {
	if why := l.list.unread(l.theme, w); why != nil {
		return why
	}
	return []string{"", l.theme.line(w, span{title, "  Nobody has listened yet."}),
		l.theme.line(w, span{plain, "  Webhooks wait here until somebody does:"}), "",
		l.theme.line(w, span{info, "    hooktape listen 3000 --relay " + safe.Line(l.Ready.API) + " --token TOKEN"})}
}

// below draws the selected listener in h lines under the list.
func (l *listeners) below(w, h int) []string {
	r := l.list.selected()
	gets := "gets what nobody claims"
	if r.Only != "" {
		gets = "claims " + r.Only
	}
	from := "last seen " + age(l.clock.at, r.Seen) + " ago"
	if r.Connected {
		from = "from " + r.Remote + ", heard " + age(l.clock.at, r.Heard) + " ago"
	}
	out := []string{l.theme.rule(w, safe.Line(string(r.ID)))}
	for _, s := range []string{gets, from + ", hooktape " + r.Version, r.behind()} {
		out = append(out, l.theme.line(w, span{plain, " " + safe.Line(s)}))
	}
	return exactly(out, h)
}

// beside draws all of the selected listener beside the list.
func (l *listeners) beside(w, h int) []string {
	r := l.list.selected()
	if r == nil {
		return nil
	}
	now, t := l.clock.at, &text{}
	when := func(at time.Time) string {
		if at.IsZero() {
			return ""
		}
		return at.Local().Format(time.DateTime) + ", " + age(now, at) + " ago"
	}
	glyph, word, _ := r.standing()
	for _, s := range [][2]string{{"state", glyph + " " + word}, {"name", r.Name}, {"app", r.App}, {"id", string(r.ID)},
		{"claims", r.Only}, {"", ""},
		{"from", r.Remote}, {"connected", when(r.Since)}, {"heard", when(r.Heard)}, {"hooktape", r.Version}, {"token", string(r.Token)}, {"", ""},
		{"waiting", r.behind()}, {"has all up to", comma(int64(r.Cursor))}, {"sent up to", comma(int64(r.Sent))}, {"", ""},
		{"first came", when(r.Created)}, {"last seen", when(r.Seen)}} {
		switch {
		case s[0] == "":
			t.add(faint, "")
		case s[1] != "" && s[1] != "0":
			t.add(header, s[0]+": "+safe.Line(s[1]))
		}
	}
	t.fold(w - 1)
	var out []string
	for n := range min(h, t.len()) {
		out = append(out, t.draw(l.theme, n, 0, w, nil))
	}
	return out
}

// State says how many listen.
func (l *listeners) State() []span {
	if !l.list.loaded {
		return nil
	}
	n := 0
	for i := range l.list.rows {
		if l.list.rows[i].Connected {
			n++
		}
	}
	look := dim
	if n > 0 {
		look = good
	}
	return []span{{look, fmt.Sprintf("%d of %d connected", n, len(l.list.rows))}}
}

// standing is the glyph, the word and the role of how a listener is.
func (r *listenerRow) standing() (string, string, role) {
	if r.Connected {
		return "●", "ON", good
	}
	return "○", "AWAY", dim
}

// behind says how many webhooks wait for it.
func (r *listenerRow) behind() string {
	switch {
	case r.more:
		return fmt.Sprintf("%d of the app's %d newest webhooks wait for it, and maybe older ones", r.waiting, mostWaiting)
	case r.waiting == 0:
		return "nothing waits for it"
	case r.waiting == 1:
		return "1 webhook waits for it"
	}
	return fmt.Sprintf("%d webhooks wait for it", r.waiting)
}

// listenerColumns are the columns of listeners for a list w cells wide, as of
// a time.
func listenerColumns(w int, now time.Time) []column[listenerRow] {
	type row = listenerRow
	return fitting([]column[row]{
		{title: "STATE", width: 6, cell: func(r *row) (string, role) {
			glyph, word, look := r.standing()
			return glyph + " " + word, look
		}},
		{title: "NAME", cell: func(r *row) (string, role) { return safe.Line(r.Name), plain }},
		{title: "APP", width: 10, rank: 2, cell: func(r *row) (string, role) { return safe.Line(r.App), plain }},
		{title: "SINCE", width: 5, rank: 1, right: true, cell: func(r *row) (string, role) {
			if r.Connected {
				return age(now, r.Since), plain
			}
			return age(now, r.Seen), dim
		}},
		{title: "WAITING", width: 7, right: true, cell: func(r *row) (string, role) {
			switch {
			case r.more:
				return comma(int64(r.waiting)) + "+", warn
			case r.waiting > 0:
				return comma(int64(r.waiting)), warn
			}
			return "-", dim
		}},
		{title: "HEARD", width: 5, rank: 4, right: true, cell: func(r *row) (string, role) {
			if r.Connected {
				return age(now, r.Heard), plain
			}
			return "-", dim
		}},
		{title: "FROM", width: 21, rank: 5, cell: func(r *row) (string, role) { return or(safe.Line(r.Remote), "-"), plain }},
		{title: "ONLY", width: 14, rank: 3, cell: func(r *row) (string, role) { return or(safe.Line(r.Only), "-"), plain }},
	}, w, min(24, w/3))
}
