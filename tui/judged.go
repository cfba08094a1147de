package tui

import (
	"context"
	"fmt"
	"strings"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/safe"
	"code.hooktape.dev/hooktape/capture/sign"
)

// judged says of an event's signature whether it verifies, and each step by
// which that was found: by the clock of when it came, and as if it came now.
type judged struct {
	base
	event capture.Event
	anew  bool // by the clock of now
	asked bool
	x     *sign.Explanation
	sheet sheet
}

func newJudged(k *kit, event capture.Event) *judged {
	return &judged{base: newBase(k), event: event}
}

func (j *judged) Title() string { return "Signature of " + safe.Line(string(j.event.ID)) }
func (j *judged) Place() place  { return inVerdict }

// judging is a question for a verdict.
type judging struct {
	*Options
	ctx   context.Context
	event capture.ID
	at    time.Time // the clock; zero: that of when it came
}

// judgement is its answer.
type judgement struct {
	sign.Explanation
	of  judging
	err error
}

func (q judging) run() tea.Msg {
	x, err := q.Judge(q.ctx, q.event, q.at, "")
	return judgement{x, q, err}
}

func (j *judged) Update(msg tea.Msg) (screen, tea.Cmd) {
	switch msg := msg.(type) {
	case sizeMsg:
		j.sheet.size(msg.w, msg.h)
		if !j.asked {
			return j, j.read()
		}
	case judgement:
		if msg.err != nil {
			return j, tea.Sequence(send(popMsg{}), send(noteMsg{"not judged: " + msg.err.Error(), true}))
		}
		if msg.of.at.IsZero() == j.anew {
			return j, nil // late
		}
		j.x = &msg.Explanation
		j.sheet.show(j.describe())
	case action:
		switch {
		case j.sheet.act(msg):
		case msg == back:
			return j, send(popMsg{})
		case msg == judge:
			j.anew = !j.anew
			return j, j.read()
		}
	}
	return j, nil
}

func (j *judged) read() tea.Cmd {
	j.asked = true
	q := judging{Options: &j.Options, ctx: j.ctx, event: j.event.ID}
	if j.anew {
		q.at = j.now()
	}
	return j.ask(q.run)
}

func (j *judged) describe() *text {
	x, t := j.x, &text{}
	v, clock := verdict(x.Signature), "when it came"
	if j.anew {
		clock = "now, as if it came now"
	}
	kind := words
	if v.role == bad || v.role == warn {
		kind = wrong
	}
	t.add(kind, v.text)
	if x.Detail != "" {
		t.add(words, safe.Line(x.Detail))
	}
	t.add(words, "")
	if !x.Checked.IsZero() {
		clock += ": " + x.Checked.Local().Format(time.DateTime)
	}
	for _, s := range [][2]string{{"by the clock of", clock}, {"scheme", x.Scheme}, {"secret", x.Secret}, {"cause", string(x.Cause)}} {
		if s[1] != "" {
			t.add(header, s[0]+": "+safe.Line(s[1]))
		}
	}
	t.add(words, "")
	if x.Verdict == capture.Unchecked {
		t.add(faint, fmt.Sprintf("no secret is known to hold it against: hooktape apps update %s --secret %s=…, or $HOOKTAPE_SECRET_… of the process that catches",
			safe.Line(j.event.App), safe.Line(or(j.event.Provider, "standard"))))
	}
	for _, s := range x.Steps {
		if s.OK {
			t.add(words, "✓ "+safe.Line(s.Text))
			continue
		}
		t.add(wrong, "✗ "+safe.Line(s.Text))
	}
	return t
}

func (j *judged) View(w, h int) string {
	return strings.Join(j.sheet.lines(j.theme, w, h), "\n")
}

// State says by which clock it is judged.
func (j *judged) State() []span {
	if j.anew {
		return []span{{warn, "as if it came now"}}
	}
	return []span{{dim, "as of when it came"}}
}
