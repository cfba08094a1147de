package tui

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"

	tea "github.com/charmbracelet/bubbletea"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/safe"
)

// sendForm asks where a sample is to be sent, and what is to be other in it.
// There is always an empty line for one more change.
type sendForm struct {
	entry
	tag string
}

// How a sample is signed.
const (
	asKnown  = "as its provider does"
	unsigned = "not at all"
	forged   = "with a wrong secret"
)

func newSendForm(k *kit, t *capture.EventType) *sendForm {
	f := &sendForm{entry: entry{base: newBase(k), in: inSend}, tag: t.Tag}
	app := capture.DefaultApp
	if half, _, _ := capture.SplitTag(t.Tag); !t.Builtin && t.Provider != half {
		app = half
	}
	f.inputs = []input{
		textInput("app", "App", app, "whose endpoints and listeners get it"),
		textInput("to", "To", "", "a URL that gets it instead: http://localhost:3000/hook"),
		choiceInput("sign", "Signed", asKnown, "← → choose; where no secret is known it goes unsigned", []string{asKnown, unsigned, forged}),
		setInput(0),
	}
	return f
}

func setInput(n int) input {
	in := textInput(fmt.Sprintf("set[%d]", n), "Set", "", "a value in the body: /data/amount=4200, JSON or text")
	if n > 0 {
		in.label = ""
	}
	in.check = func(text string) string {
		if _, err := capture.ParseSetting(text); text != "" && err != nil {
			return err.Error()
		}
		return ""
	}
	return in
}

// fixedInputs are those before the changes.
const fixedInputs = 3

func (f *sendForm) Title() string { return "Send " + safe.Line(f.tag) }
func (f *sendForm) Update(msg tea.Msg) (screen, tea.Cmd) {
	switch msg := msg.(type) {
	case tea.KeyMsg:
		cmd := f.key(msg, f.fire)
		if n := len(f.inputs); f.inputs[n-1].value() != "" {
			f.inputs = append(f.inputs, setInput(n-fixedInputs))
		}
		return f, cmd
	case firedNow:
		return f, f.take(msg)
	}
	return f, nil
}

// firing is a question to send a sample, firedNow its answer.
type firing struct {
	Types
	ctx context.Context
	tag string
	how capture.Firing
}

type firedNow struct {
	capture.Fired
	err error
}

func (q firing) run() tea.Msg {
	fired, err := q.Fire(q.ctx, q.tag, q.how)
	return firedNow{fired, err}
}

func (f *sendForm) fire() tea.Cmd {
	if f.busy != "" {
		return nil
	}
	how := capture.Firing{App: f.value("app"), To: f.value("to"), Unsigned: f.value("sign") == unsigned, Forged: f.value("sign") == forged}
	if u, err := url.Parse(how.To); how.To != "" && (err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https") {
		f.refuse("to", "want an http:// or https:// URL")
		return send(noteMsg{"not sent: To is no URL", true})
	}
	f.tidy()
	for _, in := range f.inputs[fixedInputs : len(f.inputs)-1] {
		set, err := capture.ParseSetting(in.value())
		if err != nil {
			f.refuse(in.name, err.Error())
			return send(noteMsg{"not sent: " + err.Error(), true})
		}
		how.Set = append(how.Set, set)
	}
	f.busy = "sending"
	return f.ask(firing{f.Types, f.ctx, f.tag, how}.run)
}

// tidy takes empty lines out from among the changes, so that each is called as
// in what is sent.
func (f *sendForm) tidy() {
	n := fixedInputs
	for _, in := range f.inputs[fixedInputs:] {
		if in.value() == "" {
			continue
		}
		at := setInput(n - fixedInputs)
		at.field = in.field
		f.inputs[n] = at
		n++
	}
	f.inputs = append(f.inputs[:n], setInput(n-fixedInputs))
	f.at = min(f.at, n)
}

// take goes to what was made, or shows what was refused at its field.
func (f *sendForm) take(a firedNow) tea.Cmd {
	f.busy = ""
	if a.err == nil && len(a.Events) > 0 {
		return tea.Sequence(send(popMsg{}), send(goToMsg{a.Events[0]}), note(f.sent(a.Fired)))
	}
	var field *capture.FieldError
	switch {
	case errors.As(a.err, &field) && f.refuse(strings.TrimSuffix(field.Field, ".value"), field.Problem):
	case errors.Is(a.err, capture.ErrNotFound):
		f.refuse("app", a.err.Error())
	}
	return send(noteMsg{"not sent: " + a.err.Error(), true})
}

// sent says where it goes.
func (f *sendForm) sent(a capture.Fired) string {
	switch n := len(a.Attempts); n {
	case 0:
		return f.tag + " is kept: nobody listens, and no endpoint wants it"
	case 1:
		return f.tag + " → " + a.Attempts[0].URL
	default:
		return fmt.Sprintf("%s → %d endpoints", f.tag, n)
	}
}
