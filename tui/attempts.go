package tui

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/safe"
)

// The columns of attempts.
var attemptColumns = []column[capture.Attempt]{
	{title: "#", width: 3, right: true, cell: func(a *capture.Attempt) (string, role) { return fmt.Sprint(a.Number), plain }},
	{title: "STARTED", width: 12, rank: 1, cell: func(a *capture.Attempt) (string, role) {
		if a.Status == capture.AttemptPending {
			return due(a), info
		}
		return a.Started.Local().Format("15:04:05.000"), plain
	}},
	{title: "CAUSE", width: 7, rank: 6, cell: func(a *capture.Attempt) (string, role) { return safe.Line(cause(a)), plain }},
	{title: "RESULT", cell: result},
	{title: "CODE", width: 4, right: true, cell: answered},
	part("DNS", 5, func(a *capture.Attempt) capture.Duration { return a.Timing.DNS }),
	part("CONN", 4, func(a *capture.Attempt) capture.Duration { return a.Timing.Connect }),
	part("TLS", 5, func(a *capture.Attempt) capture.Duration { return a.Timing.TLS }),
	part("TTFB", 3, func(a *capture.Attempt) capture.Duration { return a.Timing.FirstByte }),
	part("TOTAL", 2, func(a *capture.Attempt) capture.Duration { return a.Duration }),
}

// part is a column of one part of an attempt's time.
func part(name string, rank int, of func(*capture.Attempt) capture.Duration) column[capture.Attempt] {
	return column[capture.Attempt]{title: name, width: 6, right: true, rank: rank, cell: func(a *capture.Attempt) (string, role) {
		return short(time.Duration(of(a))), plain
	}}
}

// colEndpoint is shown where attempts are at several endpoints. It has what
// the others leave.
var colEndpoint = column[capture.Attempt]{title: "ENDPOINT", cut: middle, cell: func(a *capture.Attempt) (string, role) { return address(a.URL), plain }}

// colAs is shown where a user said what an attempt is to be.
var colAs = column[capture.Attempt]{title: "AS", width: 8, rank: 4, cell: func(a *capture.Attempt) (string, role) { return or(safe.Line(string(a.As)), "-"), plain }}

// ruleColumn is shown where a rule has answered in an app's place.
func (i *inspect) ruleColumn() column[capture.Attempt] {
	return column[capture.Attempt]{title: "RULE", width: 12, rank: 2, cell: func(a *capture.Attempt) (string, role) {
		return or(safe.Line(or(i.rules[a.Rule], string(a.Rule))), "-"), info
	}}
}

// byEndpoint puts an event's attempts, the newest first as they are read, in
// the order of their endpoints' first ones, each endpoint's oldest first.
// several says that there is more than one endpoint.
func byEndpoint(attempts []capture.Attempt) (grouped []capture.Attempt, several bool) {
	slices.Reverse(attempts)
	order := map[capture.ID]int{}
	for i := range attempts {
		if _, ok := order[attempts[i].Endpoint]; !ok {
			order[attempts[i].Endpoint] = len(order)
		}
	}
	slices.SortStableFunc(attempts, func(a, b capture.Attempt) int { return order[a.Endpoint] - order[b.Endpoint] })
	return attempts, len(order) > 1
}

// table draws the attempts in h lines, the chosen one among them.
func (i *inspect) table(w, h int) []string {
	columns, room := attemptColumns, 10
	ruled := slices.ContainsFunc(i.attempts, func(a capture.Attempt) bool { return a.Rule != "" })
	if i.several {
		room = min(26, w/3)
		columns = slices.Clone(columns)
		columns[3].width = 11
		columns = slices.Insert(columns, 1, colEndpoint)
	}
	at := slices.IndexFunc(columns, func(c column[capture.Attempt]) bool { return c.title == "RESULT" })
	if ruled {
		columns = slices.Insert(slices.Clone(columns), at, i.ruleColumn())
	}
	if slices.ContainsFunc(i.attempts, func(a capture.Attempt) bool { return a.As != "" }) {
		columns = slices.Insert(slices.Clone(columns), at, colAs)
	}
	columns = fitting(columns, w-2, room)
	out := []string{"  " + drawHead(i.theme, columns, w-2)}
	if len(i.attempts) == 0 {
		return append(out, i.theme.line(w, span{dim, "  none: nothing is to be delivered"}))
	}
	chosen := i.chosenIndex()
	first := max(0, min(chosen-(h-1)/2, len(i.attempts)-(h-1)))
	for n := first; n < min(first+h-1, len(i.attempts)); n++ {
		gutter := "  "
		if n == chosen {
			gutter = "> "
		}
		out = append(out, rowLine(i.theme, columns, gutter, &i.attempts[n], w, n == chosen))
	}
	return out
}

// result says in words how an attempt ended. Whether the one that answered the
// event's sender was a success, its glyph and code say.
func result(a *capture.Attempt) (string, role) {
	text, look := outcome(a)
	if glyph, _, _ := strings.Cut(text, " "); a.Answers {
		text = glyph + " answered"
	}
	return text, look
}

func outcome(a *capture.Attempt) (string, role) {
	switch a.Status {
	case capture.AttemptPending:
		return "… pending", info
	case capture.AttemptSucceeded:
		return "✓ ok", good
	case capture.AttemptSkipped:
		return "· skipped", dim
	}
	if a.Error != nil && a.Error.Class != capture.FailStatus {
		return "✗ " + safe.Line(a.Error.Class), bad
	}
	return "✗ failed", bad
}

// cause says why an attempt was made.
func cause(a *capture.Attempt) string {
	switch {
	case a.TriggeredBy == capture.ByUser, a.Replays() && a.Number == 1:
		return "replay"
	case a.Number > 1:
		return "retry"
	}
	return "live"
}

// due says when a pending attempt will be made.
func due(a *capture.Attempt) string {
	if a.NotBefore.IsZero() {
		return "now"
	}
	return "at " + a.NotBefore.Local().Format(time.TimeOnly)
}

// timing is an attempt's time and its parts.
func timing(a *capture.Attempt) string {
	out := short(time.Duration(a.Duration))
	for _, p := range []struct {
		name string
		took capture.Duration
	}{{"dns", a.Timing.DNS}, {"connect", a.Timing.Connect}, {"tls", a.Timing.TLS}, {"first byte", a.Timing.FirstByte}} {
		if p.took > 0 {
			out += fmt.Sprintf(" · %s %s", p.name, short(time.Duration(p.took)))
		}
	}
	return out
}

func sorted(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }
