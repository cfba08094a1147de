package tui

import (
	"context"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"code.hooktape.dev/hooktape/capture"
)

// A screen fills the space between the title line and the message line. It
// holds what is being looked at and how; facts it reads from the Source, in
// commands. It does not know other screens: it asks the root for one.
type screen interface {
	ID() int
	// Title names the screen in the title line.
	Title() string
	// Update is given actions, changedMsg, sizeMsg and the answers to the
	// screen's own questions; keys only while it is Typing. sizeMsg also says
	// that the screen has come on view, which is when one that was not reads
	// what has changed meanwhile.
	Update(tea.Msg) (screen, tea.Cmd)
	// View draws at most h lines of at most w cells. It changes nothing.
	View(w, h int) string
	// Place is where the keyboard is.
	Place() place
	// Why says why the action cannot be done now, "" when it can.
	Why(action) string
}

// Screens may also be these.
type (
	// typer takes keys as text while Typing.
	typer interface{ Typing() bool }
	// teller has something for the message line, when nothing else has.
	teller interface{ Tell() (left, right []span) }
	// stater shows its state at the right of the title line.
	stater interface{ State() []span }
)

// kit is what every screen is given. Only Update and View touch it.
type kit struct {
	Options
	ctx     context.Context // of Run; Bubble Tea's commands are given none
	feed    feed
	table   []command
	theme   *theme
	secrets bool                                                 // shown
	tick    func(time.Duration, func(time.Time) tea.Msg) tea.Cmd // tea.Tick, but for tests
	now     func() time.Time                                     // time.Now, but for tests
	showing func(id int) bool                                    // whether a screen is the one on view
	term    *terminal
	dialog  dialog // on the message line; set at once, for the next key is for it
	serial  int    // of the newest screen
}

// base is what every screen is built on: the kit and its number.
type base struct {
	*kit
	id int
}

func newBase(k *kit) base {
	k.serial++
	return base{k, k.serial}
}

func (b base) ID() int           { return b.id }
func (b base) Why(action) string { return "" }

// ask runs a question in a command and brings the answer back to the screen
// that asked, wherever it then is.
func (b base) ask(question func() tea.Msg) tea.Cmd {
	id := b.id
	return func() tea.Msg { return answer{id, question()} }
}

// Messages between screens and root.
type (
	// answer goes to the screen that asked.
	answer struct {
		to  int
		msg tea.Msg
	}
	// changedMsg says that the source has changed, to every screen.
	changedMsg struct{}
	// sizeMsg is the space View will be given: how far a page is.
	sizeMsg struct{ w, h int }
	// noteMsg shows a text on the message line until the next key.
	noteMsg struct {
		text string
		bad  bool
	}
	// goToMsg goes to an event in the list of all.
	goToMsg    struct{ event capture.Event }
	pushMsg    struct{ screen }
	popMsg     struct{}
	replaceMsg struct{ screen } // in the place of the top one
	// runMsg does an action as if its key had been pressed.
	runMsg struct{ action action }
	// lostMsg says that the source cannot be read, and why; a nil reason
	// that it can again.
	lostMsg struct{ why error }
)

func (n noteMsg) look() role {
	if n.bad {
		return bad
	}
	return info
}

// send is the command that sends msg.
func send(msg tea.Msg) tea.Cmd { return func() tea.Msg { return msg } }

func note(text string) tea.Cmd { return send(noteMsg{text: text}) }

// clock is the time a screen was last drawn for. It goes on every second while
// the screen is on view and shows times that run.
type clock struct {
	at      time.Time
	ticking bool
}

// clockMsg moves it on.
type clockMsg struct{}

// wind sets the clock, and is the command for its next second if there is to
// be one.
func (b base) wind(c *clock, runs bool) tea.Cmd {
	c.at = b.now()
	if c.ticking || !runs || !b.showing(b.id) {
		return nil
	}
	c.ticking = true
	return b.tick(time.Second, func(time.Time) tea.Msg { return answer{b.id, clockMsg{}} })
}

// counts reads the totals, zero when nobody counts.
func (o *Options) counts(ctx context.Context) (capture.Counts, error) {
	if o.Counts == nil {
		return capture.Counts{}, nil
	}
	return o.Counts(ctx)
}
