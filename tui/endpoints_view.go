package tui

import (
	"fmt"
	"strings"
	"time"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/safe"
)

func (e *endpoints) View(w, h int) string {
	return listView[capture.EndpointRow]{&e.list, func(w int) []column[capture.EndpointRow] { return endpointColumns(w, e.clock.at) }, e.nothing, e.below, e.beside}.draw(e.theme, w, h)
}

// nothing is what is on view when there are no rows.
func (e *endpoints) nothing(w int) []string {
	switch {
	case e.list.broken:
		return []string{"", e.theme.line(w, span{bad, "  not read"}, span{dim, ": any key tries again"})}
	case e.terms.text != "" && !e.list.end:
		return []string{"", e.theme.line(w, span{dim, "  no match so far"})}
	case !e.list.loaded:
		return []string{"", e.theme.line(w, span{dim, "  reading…"})}
	case e.terms.text != "":
		return []string{"", e.theme.line(w, span{plain, "  no endpoint matches "}, span{title, safe.Line(e.terms.text)}),
			e.theme.line(w, span{hint, "  esc"}, span{plain, " shows all"})}
	}
	out := []string{"", e.theme.line(w, span{title, "  No endpoints yet."}),
		e.theme.line(w, span{plain, "  An endpoint is a URL that events are sent to, signed and"}),
		e.theme.line(w, span{plain, "  tried again until it answers."}), ""}
	if e.Registry != nil {
		out = append(out, e.theme.line(w, span{hint, "  n"}, span{plain, " makes one"}))
	}
	return out
}

// below draws the selected endpoint in h lines under the list.
func (e *endpoints) below(w, h int) []string {
	r := e.list.selected()
	out := []string{e.theme.rule(w, safe.Line(string(r.ID)+" · "+r.App))}
	says := []string{r.URL, or(r.Description, "no description"), "gets " + subscribed(r.Subscriptions)}
	if r.Filter != "" {
		says[2] += " that match " + r.Filter
	}
	look := plain
	switch {
	case r.Status == capture.EndpointDisabled:
		says[1], look = "disabled "+blame(r), bad
	case r.Health.InARow > 0:
		says[1], look = "failing: "+or(r.Health.LastError, fmt.Sprint(r.Health.LastCode)), bad
	}
	for i, s := range says {
		if i == 1 {
			out = append(out, e.theme.line(w, span{look, " " + safe.Line(s)}))
			continue
		}
		out = append(out, e.theme.line(w, span{plain, " " + safe.Line(s)}))
	}
	return exactly(out, h)
}

// beside draws all of the selected endpoint in h lines beside the list.
func (e *endpoints) beside(w, h int) []string {
	r := e.list.selected()
	if r == nil {
		return nil
	}
	t := describe(r, e.clock.at)
	t.fold(w - 1)
	var out []string
	for n := range min(h, t.len()) {
		out = append(out, t.draw(e.theme, n, 0, w, nil))
	}
	return out
}

// State says how many endpoints there are, as far as that is known.
func (e *endpoints) State() []span {
	if !e.list.loaded {
		return nil
	}
	n := count(len(e.list.rows), "endpoint")
	if !e.list.end {
		n = comma(int64(len(e.list.rows))) + "+ endpoints"
	}
	return []span{{title, n}}
}

// Tell is what the message line says of the filter.
func (e *endpoints) Tell() (left, right []span) {
	switch {
	case e.typing:
		left = append([]span{{hint, " / "}}, e.field.spans(e.w/2)...)
	case e.terms.text != "":
		left = []span{{hint, " / "}, {plain, safe.Line(e.terms.text)}}
	default:
		return nil, nil
	}
	switch {
	case e.terms.text == "":
		right = []span{{dim, "words of app, URL, description, state; !word "}}
	case e.list.end:
		right = []span{{good, comma(int64(len(e.list.rows))) + " found "}}
	default:
		right = []span{{info, comma(int64(len(e.list.rows))) + " so far, searched " + comma(int64(e.list.looked)) + " "}}
	}
	return left, right
}

// standing is the glyph, the word and the role of how an endpoint is.
func standing(r *capture.EndpointRow) (string, string, role) {
	switch {
	case r.Listener:
		return "●", "LISTEN", info
	case r.Status == capture.EndpointDeleted:
		return "✗", "GONE", dim
	case r.Status == capture.EndpointDisabled:
		return "✗", "OFF", bad
	case r.Health.InARow > 0:
		return "!", "FAIL " + few(int64(r.Health.InARow)), warn
	case r.Status == capture.EndpointEnabled:
		return "✓", "ON", good
	}
	return "·", "BY HAND", dim
}

// blame says who disabled or deleted an endpoint, and why where that was said.
func blame(r *capture.EndpointRow) string {
	who := "by the " + r.DisabledBy
	if r.DisabledAs != "" {
		who += ": " + r.DisabledAs
	}
	return who
}

// endpointColumns are the columns of endpoints for a list w cells wide, as of
// a time.
func endpointColumns(w int, now time.Time) []column[capture.EndpointRow] {
	type row = capture.EndpointRow
	state := column[row]{title: "STATE", width: 10, cell: func(r *row) (string, role) {
		glyph, word, look := standing(r)
		return glyph + " " + word, look
	}}
	room := min(40, w/2)
	if w < 60 {
		state = column[row]{width: 1, cell: func(r *row) (string, role) {
			glyph, _, look := standing(r)
			return glyph, look
		}}
		room = 24
	}
	return fitting([]column[row]{
		state,
		{title: "APP", width: 10, rank: 4, cell: func(r *row) (string, role) { return safe.Line(or(r.App, "every")), plain }},
		{title: "URL", cut: middle, cell: func(r *row) (string, role) { return address(r.URL), plain }},
		{title: "EVENTS", width: 16, rank: 5, cell: func(r *row) (string, role) { return safe.Line(subscribed(r.Subscriptions)), plain }},
		{title: "LAST", width: 11, rank: 1, cell: func(r *row) (string, role) { return newest(&r.Health, now) }},
		{title: "PEND", width: 4, right: true, rank: 2, cell: func(r *row) (string, role) {
			if r.Health.Pending == 0 {
				return "-", dim
			}
			return few(r.Health.Pending), info
		}},
		{title: "OK%", width: 5, right: true, rank: 3, cell: func(r *row) (string, role) { return rateOf(&r.Health), plain }},
	}, w, room)
}

// few is a number in at most 4 cells.
func few(n int64) string {
	switch {
	case n < 10_000:
		return fmt.Sprint(n)
	case n < 1_000_000:
		return fmt.Sprintf("%dk", n/1000)
	}
	return fmt.Sprintf("%dM", n/1_000_000)
}

// newest says what came of the newest attempt, and how long ago.
func newest(h *capture.Health, now time.Time) (string, role) {
	at, look := h.LastSuccess, good
	if h.LastFailure.After(at) {
		at, look = h.LastFailure, bad
	}
	if at.IsZero() {
		return "-", plain
	}
	what := fmt.Sprint(h.LastCode)
	if h.LastCode == 0 {
		what, _, _ = strings.Cut(h.LastError, ":")
		what = safe.Cut(or(what, "failed"), 7)
	}
	return what + " " + age(now, at), look
}

// rateOf is the part of attempts that succeeded, in percent.
func rateOf(h *capture.Health) string {
	all := h.Succeeded + h.Failed
	if all == 0 {
		return "-"
	}
	if h.Failed == 0 {
		return "100"
	}
	return fmt.Sprintf("%.1f", min(99.9, 100*float64(h.Succeeded)/float64(all)))
}

// subscribed says in short which events an endpoint gets.
func subscribed(subs []capture.Subscription) string {
	if len(subs) == 0 {
		return "all"
	}
	var out []string
	for _, s := range subs {
		one := or(s.Type, "all")
		if s.Source != "" {
			one += " of " + s.Source
		}
		if s.Filter != "" || len(s.Conditions) > 0 || len(s.Rules) > 0 {
			one += " if…"
		}
		out = append(out, one)
	}
	return strings.Join(out, ", ")
}

// describe is all there is to say of an endpoint, as of a time.
func describe(r *capture.EndpointRow, now time.Time) *text {
	t := &text{}
	say := func(name, value string) {
		if value != "" {
			t.add(header, name+": "+safe.Line(value))
		}
	}
	when := func(at time.Time) string {
		if at.IsZero() {
			return ""
		}
		return at.Local().Format(time.DateTime) + ", " + age(now, at) + " ago"
	}
	glyph, word, _ := standing(r)
	say("state", glyph+" "+word)
	if r.DisabledBy != "" {
		t.add(wrong, safe.Line(string(r.Status)+" "+blame(r)))
		say("since", when(r.DisabledAt))
	}
	say("url", r.URL)
	say("description", r.Description)
	say("app", or(r.App, "every"))
	say("id", string(r.ID))
	t.add(faint, "", "gets")
	say("events", subscribed(r.Subscriptions))
	for i, s := range r.Subscriptions {
		addSubscription(t, i, s)
	}
	say("filter", r.Filter)
	t.add(faint, "", "how it is sent")
	say("format", or(string(r.Format), "auto"))
	say("secret", r.Secret.Masked())
	for _, k := range sorted(r.Headers) {
		t.add(header, "header "+safe.Line(k)+": "+safe.Line(capture.Header{k, r.Headers[k]}.Hidden()))
	}
	say("timeout", or(r.Timeout.Short(), "15s"))
	say("at a time", fmt.Sprint(max(1, r.Concurrency)))
	say("rate limit", or(limit(r.RateLimit), "none"))
	say("retries", policy(r.Retry))
	t.add(faint, "", "how it does")
	h := &r.Health
	say("pending", comma(h.Pending))
	say("succeeded", comma(h.Succeeded))
	say("failed", comma(h.Failed))
	if h.Succeeded+h.Failed > 0 {
		say("ok", rateOf(h)+" %")
	}
	say("failed in a row", comma(int64(h.InARow)))
	if h.Exhausted > 0 {
		say("given up", comma(int64(h.Exhausted)))
	}
	say("last success", when(h.LastSuccess))
	say("last failure", when(h.LastFailure))
	if h.LastError != "" {
		t.add(wrong, safe.Line(h.LastError))
	}
	say("last took", h.LastTook.Short())
	t.add(faint, "")
	say("created", strings.TrimSpace(when(r.Created)+by(r.CreatedBy)))
	if !r.Updated.Equal(r.Created) {
		say("changed", strings.TrimSpace(when(r.Updated)+by(r.UpdatedBy)))
	}
	if len(r.Metadata) > 0 {
		t.add(faint, "", "metadata")
		addBody(t, pretty, "application/json", r.Metadata)
	}
	return t
}

func addSubscription(t *text, i int, s capture.Subscription) {
	name := fmt.Sprintf("  %d. ", i+1)
	if s.Filter != "" {
		t.add(header, name+"filter: "+safe.Line(s.Filter))
	}
	for _, c := range s.Conditions {
		t.add(words, name+safe.Line(strings.TrimSpace(c.Key+" "+c.Condition+" "+string(c.Value))))
	}
	if len(s.Rules) > 0 {
		t.add(words, name+"rules "+safe.LineBytes(s.Rules))
	}
}

func by(who string) string {
	if who == "" {
		return ""
	}
	return " by " + who
}

// limit is a rate limit as it is typed: 10/s, 100/5m.
func limit(l *capture.RateLimit) string {
	if l == nil {
		return ""
	}
	per := or(l.Per, capture.Duration(time.Second)).Short()
	if len(per) == 2 {
		per = strings.TrimPrefix(per, "1") // 10/s
	}
	return fmt.Sprintf("%d/%s", l.Max, per)
}

// policy says in short how failures are tried again.
func policy(p *capture.RetryPolicy) string {
	s, err := p.Schedule()
	if err != nil {
		return err.Error()
	}
	name := "default"
	if p != nil {
		name = or(p.Preset, name)
		if custom(p) {
			name += ", changed"
		}
	}
	if s.Attempts <= 1 {
		return name + ": none"
	}
	return fmt.Sprintf("%s: %d attempts over %s", name, s.Attempts, lasts(over(s)))
}

// over is how long all retries of a schedule take, without jitter.
func over(s capture.Schedule) (sum time.Duration) {
	for n := 1; n < s.Attempts; n++ {
		sum += s.Wait(n)
	}
	return sum
}

// custom reports whether a policy says more than the name of a preset.
func custom(p *capture.RetryPolicy) bool {
	return p.Attempts != 0 || len(p.Waits) > 0 || p.Jitter != 0 || p.DisableExhausted != 0 || p.DisableFailures != 0
}
