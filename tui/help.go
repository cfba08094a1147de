package tui

import (
	"strings"

	tea "github.com/charmbracelet/bubbletea"

	"code.hooktape.dev/hooktape/capture/safe"
)

// help lists what can be done in the screen it was opened from. Typing
// searches it, enter does the line.
type help struct {
	base
	of    screen
	field field
	shown []command
	at    int
	h     int
}

func newHelp(k *kit, of screen) *help {
	h := &help{base: newBase(k), of: of, field: newField("")}
	h.filter()
	return h
}

func (h *help) Title() string { return "Help" }
func (h *help) Place() place  { return inText }
func (h *help) Typing() bool  { return true }

// filter keeps the commands that have what is typed in them, and behind them
// those that have only its letters in their order.
func (h *help) filter() {
	var loose []command
	h.shown, h.at = nil, 0
	what := strings.ToLower(h.field.text())
	for _, c := range reachable(h.table, h.of.Place()) {
		s := strings.ToLower(c.Help().Key + " " + c.Help().Desc + " " + string(c.action))
		switch {
		case strings.Contains(s, what):
			h.shown = append(h.shown, c)
		case fuzzy(what, s):
			loose = append(loose, c)
		}
	}
	h.shown = append(h.shown, loose...)
}

// fuzzy reports whether the letters of what are in s in their order.
func fuzzy(what, s string) bool {
	rest := []rune(strings.ReplaceAll(what, " ", ""))
	for _, r := range s {
		if len(rest) > 0 && r == rest[0] {
			rest = rest[1:]
		}
	}
	return len(rest) == 0
}

func (h *help) Update(msg tea.Msg) (screen, tea.Cmd) {
	switch msg := msg.(type) {
	case sizeMsg:
		h.h = msg.h
	case tea.KeyMsg:
		page := max(1, h.h-3)
		switch msg.Type {
		case tea.KeyEsc:
			return h, send(popMsg{})
		case tea.KeyEnter:
			if len(h.shown) == 0 {
				return h, nil
			}
			return h, tea.Sequence(send(popMsg{}), send(runMsg{h.shown[h.at].action}))
		case tea.KeyDown, tea.KeyCtrlN, tea.KeyTab:
			h.at++
		case tea.KeyUp, tea.KeyCtrlP, tea.KeyShiftTab:
			h.at--
		case tea.KeyPgDown:
			h.at += page
		case tea.KeyPgUp:
			h.at -= page
		default:
			if h.field.typed(msg) {
				h.filter()
			}
		}
		h.at = max(0, min(h.at, len(h.shown)-1))
	}
	return h, nil
}

func (h *help) View(w, lines int) string {
	out := []string{
		h.theme.spread(w, append([]span{{hint, " > "}}, h.field.spans(w/2)...),
			[]span{{dim, count(len(h.shown), "key") + " here; enter runs, esc closes "}}),
		h.theme.rule(w, ""),
	}
	room := max(1, lines-len(out))
	first := max(0, min(h.at-room/2, len(h.shown)-room))
	for i := first; i < min(first+room, len(h.shown)); i++ {
		c := h.shown[i]
		name, does, why := pad(c.Help().Key, 8), c.Help().Desc, h.of.Why(c.action)
		if i == h.at {
			if why != "" {
				does += " — not now: " + why
			}
			out = append(out, h.theme.line(w, span{selected, pad("> "+name+"  "+does, w)}))
			continue
		}
		look := plain
		if why != "" {
			look, does = dim, does+" — not now: "+why
		}
		out = append(out, h.theme.line(w, span{hint, "  " + name}, span{look, "  " + safe.Line(does)}))
	}
	return strings.Join(out, "\n")
}
