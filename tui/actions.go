package tui

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/safe"
)

// Sending again.

// replays are those a screen has asked for, until their outcome is told. They
// are a part of the screen, to whom their answers go.
type replays struct {
	base
	waiting []sent
}

// sent is a replay whose outcome is waited for: an attempt of the event that
// is newer than after.
type sent struct {
	event, after capture.ID
}

// resent is what Resend came to.
type resent struct{ sent []sent }

// resend asks for events to be sent again.
type resend struct {
	*Options
	ctx    context.Context
	events []capture.ID
	what   capture.Resend
}

// again sends events again, asking first when they are several.
func (p *replays) again(ids []capture.ID, how capture.Resend) tea.Cmd {
	r := resend{&p.Options, p.ctx, ids, how}
	where := how.To
	if where == "" {
		where = or(strings.Join(p.Ready.Targets, ", "), "its endpoints")
	}
	if how.As != "" {
		where += " as " + string(how.As)
	}
	if len(ids) == 1 {
		return tea.Sequence(note("replaying "+string(ids[0])+" → "+where), p.ask(r.run))
	}
	what := fmt.Sprintf("%d events → %s", len(ids), where)
	p.dialog = &confirm{"replay " + safe.Line(what) + "?", tea.Sequence(note("replaying "+what), p.ask(r.run))}
	return nil
}

// retry makes an attempt once more: the same event, to the same endpoint.
func (p *replays) retry(a *capture.Attempt) tea.Cmd {
	r := resend{&p.Options, p.ctx, []capture.ID{a.Event}, capture.Resend{Attempt: a.ID}}
	return tea.Sequence(note("retrying "+string(a.Event)+" → "+a.URL), p.ask(r.run))
}

// whyNot says why an attempt cannot be retried.
func (p *replays) whyNot(a *capture.Attempt) string {
	switch {
	case a == nil:
		return "no attempt is selected"
	case p.Resend == nil:
		return "cannot retry here: nothing delivers events"
	case a.Status == capture.AttemptPending:
		return "it has not been made yet"
	}
	return ""
}

func (r resend) run() tea.Msg {
	var out resent
	for _, id := range r.events {
		s := sent{event: id}
		if newest, err := r.Source.Attempts(r.ctx, capture.AttemptQuery{Event: id, Limit: 1}); err == nil && len(newest) > 0 {
			s.after = newest[0].ID
		}
		if err := r.Resend(r.ctx, id, r.what); err != nil {
			return r.refused(id, err)
		}
		out.sent = append(out.sent, s)
	}
	return out
}

// refused says why an event is not sent; which one, where there are others.
func (r resend) refused(id capture.ID, err error) tea.Msg {
	if field := new(capture.FieldError); errors.As(err, &field) {
		err = errors.New(field.Problem)
	}
	if len(r.events) == 1 {
		return failed(fmt.Errorf("not sent: %w", err))
	}
	return failed(fmt.Errorf("replay %s: %w", id, err))
}

// failed is a note of an error, as an answer.
func failed(err error) tea.Msg { return outcomes{err: err} }

func (p *replays) askWhere(ids []capture.ID) {
	at := ""
	if len(p.Ready.Targets) > 0 {
		at = p.Ready.Targets[0]
	}
	p.dialog = &prompt{"replay to", newField(at), func(to string) tea.Cmd {
		to = strings.TrimSpace(to)
		if u, err := url.Parse(to); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return send(noteMsg{"not sent: " + to + " is no http:// or https:// URL", true})
		}
		return p.again(ids, capture.Resend{To: to})
	}}
}

// check looks whether replays have come to an end.
type check struct {
	*Options
	ctx     context.Context
	waiting []sent
}

// outcomes are attempts that have, with the replays they answer.
type outcomes struct {
	done []sent
	last capture.Attempt
	ok   int
	err  error
}

func (p *replays) check() tea.Cmd {
	if len(p.waiting) == 0 {
		return nil
	}
	return p.ask(check{&p.Options, p.ctx, append([]sent(nil), p.waiting...)}.run)
}

func (c check) run() tea.Msg {
	var out outcomes
	for _, s := range c.waiting {
		attempts, err := c.Source.Attempts(c.ctx, capture.AttemptQuery{Event: s.event, Limit: 20})
		if err != nil {
			continue
		}
		for _, a := range attempts {
			if a.ID > s.after && a.Status != capture.AttemptPending && a.TriggeredBy == capture.ByUser {
				out.done, out.last = append(out.done, s), a
				if a.Status == capture.AttemptSucceeded {
					out.ok++
				}
				break
			}
		}
	}
	return out
}

// update takes the answers to its questions, and reports whether msg is one.
func (p *replays) update(msg tea.Msg) (tea.Cmd, bool) {
	switch msg := msg.(type) {
	case resent:
		p.waiting = append(p.waiting, msg.sent...)
		return p.check(), true
	case outcomes:
		return p.tell(msg), true
	case told:
		return note(string(msg)), true
	case judgement:
		if d, ok := p.dialog.(*asMenu); ok && len(d.ids) == 1 && d.ids[0] == msg.of.event {
			d.now = &msg
		}
		return nil, true
	}
	return nil, false
}

// tell says how replays ended: one in full, several in numbers.
func (p *replays) tell(o outcomes) tea.Cmd {
	if o.err != nil {
		return send(noteMsg{o.err.Error(), true})
	}
	known := 0
	for _, s := range o.done {
		for i, w := range p.waiting {
			if w == s {
				p.waiting = append(p.waiting[:i], p.waiting[i+1:]...)
				known++
				break
			}
		}
	}
	switch {
	case known == 0:
		return nil
	case known == 1:
		a := o.last
		return send(noteMsg{fmt.Sprintf("%s (%s, %s)", ended(&a), short(time.Duration(a.Duration)), a.Event), a.Status != capture.AttemptSucceeded})
	}
	return send(noteMsg{fmt.Sprintf("replayed %d: %d ok, %d failed", known, o.ok, len(o.done)-o.ok), o.ok < len(o.done)})
}

// ended says how an attempt did, with what came back.
func ended(a *capture.Attempt) string {
	text, _ := result(a)
	if a.Code != 0 {
		text += fmt.Sprintf(" %d", a.Code)
	}
	if a.Error != nil && a.Error.Message != "" {
		text += ": " + a.Error.Message
	}
	return text
}

// Pinning and deleting.

// pinThem pins them all, or unpins them when the selected one is pinned.
func (e *events) pinThem() tea.Cmd {
	ids, on := e.these(), !e.list.selected().Pinned
	ctx, pin := e.ctx, e.Options.Pin
	return e.ask(func() tea.Msg {
		for _, id := range ids {
			if err := pin(ctx, id, on); err != nil {
				return failed(fmt.Errorf("pin %s: %w", id, err))
			}
		}
		return changedMsg{}
	})
}

// removed is what deleting came to.
type removed struct {
	ids []capture.ID
	err error
}

func (e *events) askRemove() {
	ids := e.these()
	what := "delete " + string(ids[0])
	if len(ids) > 1 {
		what = fmt.Sprintf("delete %d events", len(ids))
	}
	ctx, remove := e.ctx, e.Options.Remove
	e.dialog = &confirm{what + " for ever?", e.ask(func() tea.Msg {
		return removed{ids, remove(ctx, ids...)}
	})}
}

func (e *events) forget(r removed) tea.Cmd {
	e.list.stale = true
	if r.err != nil {
		return send(noteMsg{"not deleted: " + r.err.Error(), true})
	}
	gone := map[capture.ID]bool{}
	for _, id := range r.ids {
		gone[id] = true
		delete(e.marked, id)
	}
	e.list.drop(func(row *capture.Row) bool { return gone[row.ID] })
	return note("deleted " + count(len(r.ids), "event"))
}

// Copying.

func (i *inspect) copyMenu() {
	c := copying{i.Options.Source, i.ctx, i.term, i.row, i.target(), i.secrets}
	i.dialog = &menu{"copy", []item{
		{"by", "body", i.ask(c.body)},
		{"c", "curl", i.ask(c.curl)},
		{"h", "headers", i.ask(c.headers)},
		{"u", "url", i.ask(c.address)},
		{"i", "id", i.ask(c.id)},
	}}
}

// target is where a copied request would go: where the chosen attempt went,
// else where the event came in.
func (i *inspect) target() string {
	if i.attempt != nil && strings.HasPrefix(i.attempt.URL, "http") {
		return i.attempt.URL
	}
	return strings.TrimSuffix(i.Ready.Ingest, "/") + string(i.row.Target)
}

// copying puts something of an event on the clipboard.
type copying struct {
	Source
	ctx     context.Context
	term    *terminal
	row     capture.Row
	url     string
	secrets bool
}

func (c copying) id() tea.Msg      { return c.put("id", string(c.row.ID), "") }
func (c copying) address() tea.Msg { return c.put("url", c.url, "") }

func (c copying) body() tea.Msg {
	body, err := c.Body(c.ctx, c.row.ID)
	if err != nil {
		return failed(err)
	}
	return c.put("body", string(body), "")
}

func (c copying) headers() tea.Msg {
	var b strings.Builder
	for _, h := range c.row.Headers {
		value := h[1]
		if !c.secrets {
			value = h.Masked()
		}
		b.WriteString(h[0] + ": " + value + "\n")
	}
	return c.put("headers", b.String(), c.without("hidden"))
}

func (c copying) curl() tea.Msg {
	body, err := c.Body(c.ctx, c.row.ID)
	if err != nil {
		return failed(err)
	}
	hs, more := c.row.Headers, c.without("left out")
	if !c.secrets {
		hs = public(hs)
	}
	if len(body) > 0 && !pasteable(body) {
		more += ", the body is binary and goes through base64 -d"
	}
	return c.put("curl", Curl(c.row.Method, c.url, hs, body), more)
}

// without says what was done to secret headers, if there are any.
func (c copying) without(done string) string {
	n := len(c.row.Headers) - len(public(c.row.Headers))
	if n == 0 || c.secrets {
		return ""
	}
	return fmt.Sprintf(", %s %s: S shows", count(n, "secret header"), done)
}

func (c copying) put(what, text, more string) tea.Msg {
	said, err := c.term.copy(c.ctx, what, text)
	if err != nil {
		return failed(fmt.Errorf("%s not copied: %w", what, err))
	}
	return told(said + more)
}

// told is a note as an answer.
type told string
