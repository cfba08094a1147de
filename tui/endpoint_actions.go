package tui

import (
	"context"
	"fmt"
	"strings"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/safe"
)

// What can be done to an endpoint, in the list as on its own screen. A screen
// gives the answers it does not know to endpointAnswer.

// deed is a change of one endpoint, or a test of it.
type deed struct {
	Registry
	ctx context.Context
	id  capture.ID
	to  capture.EndpointStatus
	why string
}

// Answers to deeds.
type (
	// changed is an endpoint that is another now.
	changed struct {
		capture.Endpoint
		what string // done, in a word
		err  error
	}
	// rotated is an endpoint with a new secret.
	rotated struct {
		capture.Endpoint
		err error
	}
	// tested is what a test came to.
	tested struct {
		capture.Attempt
		err error
	}
)

func (d deed) set() tea.Msg {
	e, err := d.SetEndpoint(d.ctx, d.id, d.to, d.why)
	return changed{e, string(d.to), err}
}

func (d deed) rotate() tea.Msg {
	e, err := d.RotateEndpointSecret(d.ctx, d.id, 0)
	return rotated{e, err}
}

func (d deed) test() tea.Msg {
	a, err := d.TestEndpoint(d.ctx, d.id, capture.Emission{})
	return tested{a, err}
}

// endpointAct does what is done to one endpoint, or makes one.
func (b base) endpointAct(a action, r *capture.EndpointRow) tea.Cmd {
	if a == create {
		app := capture.DefaultApp
		if r != nil && r.App != "" {
			app = r.App
		}
		return send(pushMsg{newEndpointForm(b.kit, app, nil)})
	}
	if r == nil {
		return nil
	}
	d := deed{Registry: b.Registry, ctx: b.ctx, id: r.ID}
	name := address(r.URL)
	switch a {
	case edit:
		return send(pushMsg{newEndpointForm(b.kit, r.App, &r.Endpoint)})
	case toggle:
		if r.Status != capture.EndpointEnabled {
			d.to = capture.EndpointEnabled
			return b.ask(d.set)
		}
		d.to = capture.EndpointDisabled
		b.dialog = &prompt{"disable: why?", newField(""), func(why string) tea.Cmd {
			d.why = strings.TrimSpace(why)
			return b.ask(d.set)
		}}
	case remove:
		d.to = capture.EndpointDeleted
		pending := ""
		if n := r.Health.Pending; n > 0 {
			pending = fmt.Sprintf(" and skip %s pending", comma(n))
		}
		b.dialog = &confirm{"delete " + middle(name, 40) + pending + "?", b.ask(d.set)}
	case rotate:
		b.dialog = &confirm{"new secret for " + middle(name, 40) + "? the old one counts for a day", b.ask(d.rotate)}
	case test:
		return tea.Sequence(note("testing "+r.URL), b.ask(d.test))
	case copyMenu:
		b.dialog = &menu{"copy", []item{
			{"u", "url", b.ask(put{b.ctx, b.term, "url", r.URL}.run)},
			{"i", "id", b.ask(put{b.ctx, b.term, "id", string(r.ID)}.run)},
		}}
	}
	return nil
}

// endpointWhy says why something cannot be done to an endpoint.
func (b base) endpointWhy(a action, r *capture.EndpointRow) string {
	switch a {
	case create:
	case copyMenu:
		if r == nil {
			return "no endpoint is selected"
		}
		return ""
	case edit, toggle, remove, rotate, test:
		switch {
		case r == nil:
			return "no endpoint is selected"
		case r.Listener:
			return "it belongs to a hooktape listen: end that instead"
		case r.Status == "":
			return "it is not registered: an event was sent there by hand"
		case r.Status == capture.EndpointDeleted:
			return "it has been deleted"
		}
	default:
		return ""
	}
	if b.Registry == nil {
		return "cannot change endpoints here: this source is read only"
	}
	return ""
}

// endpointAnswer says how a deed went.
func (b base) endpointAnswer(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case changed:
		if msg.err != nil {
			return send(noteMsg{"not done: " + msg.err.Error(), true})
		}
		return tea.Batch(note(msg.what+" "+msg.URL), send(changedMsg{}))
	case rotated:
		if msg.err != nil {
			return send(noteMsg{"not done: " + msg.err.Error(), true})
		}
		return send(pushMsg{newOnce(b.kit, msg.Endpoint, "The endpoint has a new secret.")})
	case tested:
		return b.tellTest(msg)
	case told:
		return note(string(msg))
	case outcomes:
		return send(noteMsg{msg.err.Error(), true})
	}
	return nil
}

// tellTest says how a test went, and offers the attempt, unless something else is
// being asked.
func (b base) tellTest(t tested) tea.Cmd {
	if t.err != nil {
		return send(noteMsg{"not tested: " + t.err.Error(), true})
	}
	_, look := result(&t.Attempt)
	says := fmt.Sprintf("%s (%s)", ended(&t.Attempt), short(time.Duration(t.Duration)))
	if b.dialog != nil || !b.showing(b.id) {
		return send(noteMsg{says, look == bad})
	}
	b.dialog = &offer{says, look, "opens the attempt", send(pushMsg{newOpened(b.kit, t.Event, t.ID)})}
	return nil
}

// put puts a text on the clipboard.
type put struct {
	ctx        context.Context
	term       *terminal
	what, text string
}

func (p put) run() tea.Msg {
	said, err := p.term.copy(p.ctx, p.what, p.text)
	if err != nil {
		return failed(fmt.Errorf("%s not copied: %w", p.what, err))
	}
	return told(safe.Line(said))
}
