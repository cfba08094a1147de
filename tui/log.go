package tui

import (
	"strings"

	tea "github.com/charmbracelet/bubbletea"

	"code.hooktape.dev/hooktape/capture/safe"
)

// logs shows what the program has to say of itself, the newest line last.
type logs struct {
	base
	lines []string
	up    int // lines scrolled up from the newest
	h     int
}

func newLog(k *kit) *logs { return &logs{base: newBase(k)} }

func (l *logs) Title() string { return "" }
func (l *logs) Place() place  { return inText }

// logLines are lines read.
type logLines []string

func (l *logs) read() tea.Msg { return answer{l.id, logLines(l.Log())} }

func (l *logs) Update(msg tea.Msg) (screen, tea.Cmd) {
	page := max(1, l.h-1)
	switch msg := msg.(type) {
	case sizeMsg:
		l.h = msg.h
		return l, l.read
	case changedMsg:
		return l, l.read
	case logLines:
		l.lines = msg
	case action:
		switch msg {
		case goUp:
			l.up++
		case goDown:
			l.up--
		case goPageUp:
			l.up += page
		case goPageDown:
			l.up -= page
		case goHalfUp:
			l.up += page / 2
		case goHalfDown:
			l.up -= page / 2
		case goTop:
			l.up = len(l.lines)
		case goBottom:
			l.up = 0
		case back:
			return l, send(popMsg{})
		}
	}
	l.up = max(0, min(l.up, len(l.lines)-l.h))
	return l, nil
}

func (l *logs) View(w, h int) string {
	if len(l.lines) == 0 {
		return l.theme.line(w, span{dim, " nothing has been logged"})
	}
	end := max(0, len(l.lines)-l.up)
	var out []string
	for _, line := range l.lines[max(0, end-h):end] {
		out = append(out, l.theme.line(w, span{plain, " " + safe.Line(line)}))
	}
	return strings.Join(out, "\n")
}
