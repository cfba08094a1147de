package tui

import (
	"strings"

	tea "github.com/charmbracelet/bubbletea"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/safe"
)

// once shows a new secret, the only time it is to be seen.
type once struct {
	base
	endpoint capture.Endpoint
	says     string
}

func newOnce(k *kit, e capture.Endpoint, says string) *once {
	return &once{base: newBase(k), endpoint: e, says: says}
}

func (o *once) Title() string { return "Secret of " + address(o.endpoint.URL) }
func (o *once) Place() place  { return inSecret }

func (o *once) Update(msg tea.Msg) (screen, tea.Cmd) {
	switch msg := msg.(type) {
	case action:
		switch msg {
		case back:
			return o, send(popMsg{})
		case open:
			return o, send(replaceMsg{newEndpoint(o.kit, o.endpoint.ID)})
		case copyMenu:
			return o, o.ask(put{o.ctx, o.term, "secret", o.endpoint.Secret.Key}.run)
		}
	default:
		return o, o.endpointAnswer(msg)
	}
	return o, nil
}

func (o *once) View(w, h int) string {
	e := &o.endpoint
	out := []string{"", o.theme.line(w, span{title, "  " + o.says}), ""}
	if h < 10 {
		out = out[1:2]
	}
	t := &text{}
	t.add(header, "url: "+safe.Line(e.URL), "id: "+safe.Line(string(e.ID)), "secret: "+safe.Line(e.Secret.Key))
	t.fold(w - 2)
	for i := range t.len() {
		out = append(out, "  "+t.draw(o.theme, i, 0, w-2, nil))
	}
	out = append(out, "", o.theme.line(w, span{warn, "  It is not shown again."}),
		o.theme.line(w, span{hint, "  y"}, span{plain, " copies it, "}, span{hint, "enter"}, span{plain, " opens the endpoint, "}, span{hint, "esc"}, span{plain, " goes back"}))
	return strings.Join(out, "\n")
}
