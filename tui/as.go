package tui

import (
	"fmt"

	tea "github.com/charmbracelet/bubbletea"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/safe"
)

// asMenu asks as what events are to be sent again.
type asMenu struct {
	ids  []capture.ID
	at   int
	now  *judgement // of a single one sent as it was; nil: not known, or not yet
	send func(capture.As) tea.Cmd
}

// asChoices are the answers, with their keys.
var asChoices = []struct {
	key string
	as  capture.As
}{{"o", capture.AsOriginal}, {"r", capture.AsRetry}, {"n", capture.AsNew}}

// meaning is what each says.
var meaning = map[capture.As]string{
	capture.AsOriginal: "as it was, with its own ids, time and signature",
	capture.AsRetry:    "the same ids, a new time, signed anew",
	capture.AsNew:      "other ids, a new time, signed anew: an event of its own",
}

func (p *replays) askAs(ids []capture.ID) tea.Cmd {
	p.dialog = &asMenu{ids: ids, send: func(as capture.As) tea.Cmd { return p.again(ids, capture.Resend{As: as}) }}
	if p.Judge == nil || len(ids) != 1 {
		return nil
	}
	return p.ask(judging{&p.Options, p.ctx, ids[0], p.now()}.run)
}

func (d *asMenu) key(k tea.KeyMsg) (bool, tea.Cmd) {
	switch k.String() {
	case "esc", "ctrl+c", "q":
		return true, nil
	case "enter":
		return true, d.send(asChoices[d.at].as)
	case "down", "j", "tab":
		d.at = (d.at + 1) % len(asChoices)
	case "up", "k", "shift+tab":
		d.at = (d.at + len(asChoices) - 1) % len(asChoices)
	}
	for _, c := range asChoices {
		if k.String() == c.key {
			return true, d.send(c.as)
		}
	}
	return false, nil
}

func (d *asMenu) spans(int) []span {
	return []span{{hint, " ↑↓"}, {plain, " or a letter chooses "}, {hint, " enter"}, {plain, " sends "}, {hint, " esc"}, {plain, " none"}}
}

// panel is what covers the lower part of the screen.
func (d *asMenu) panel(t *theme, w int) []string {
	what := safe.Line(string(d.ids[0]))
	if len(d.ids) > 1 {
		what = count(len(d.ids), "event")
	}
	out := []string{t.rule(w, "replay "+what+" as")}
	for i, c := range asChoices {
		does := fmt.Sprintf("%-9s %s", c.as, meaning[c.as])
		s := []span{{plain, "  "}, {hint, c.key}, {plain, "  " + does}}
		if i == d.at {
			s = []span{{selected, pad("> "+c.key+"  "+does, w)}}
		}
		out = append(out, t.line(w, s...))
	}
	return append(out, d.verdict(t, w)...)
}

// verdict says what a receiver would make of the original now.
func (d *asMenu) verdict(t *theme, w int) []string {
	switch {
	case d.now == nil:
		return []string{t.line(w, span{dim, "  r alone sends it as a retry where the secret is known, else as it was"})}
	case d.now.err != nil:
		return []string{t.line(w, span{bad, "  " + safe.Line(d.now.err.Error())})}
	}
	v := verdict(d.now.Signature)
	s := []span{{dim, "  the original, now: "}, v}
	if d.now.Detail != "" {
		s = append(s, span{plain, ": " + safe.Line(d.now.Detail)})
	}
	return []string{t.line(w, s...)}
}
