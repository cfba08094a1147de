package tui

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/sign"
	_ "code.hooktape.dev/hooktape/tui/early" // before Bubble Tea asks the terminal
)

// Source is what the screens read. The store and the API's client satisfy it.
type Source interface {
	Events(context.Context, capture.Query) (capture.Page, error)
	Event(context.Context, capture.ID) (capture.Row, error)
	Body(context.Context, capture.ID) ([]byte, error)
	Attempts(context.Context, capture.AttemptQuery) ([]capture.Attempt, error)
	Attempt(context.Context, capture.ID) (capture.Attempt, error)
}

// Endpoints is where registered endpoints are read. relay.Registry and the
// API's client satisfy it, and Registry too.
type Endpoints interface {
	Endpoints(context.Context, capture.EndpointQuery) ([]capture.EndpointRow, error)
	Endpoint(context.Context, capture.ID) (capture.EndpointRow, error)
	// Explain says which endpoints of its app an event goes to.
	Explain(ctx context.Context, event capture.ID) ([]capture.Explanation, error)
}

// Registry is where registered endpoints are changed. Secrets are whole in
// what the call that makes one returns. Errors are capture.FieldError and
// capture.ConflictError where an input is to blame.
type Registry interface {
	CreateEndpoint(ctx context.Context, app string, spec capture.EndpointSpec) (capture.Endpoint, error)
	// UpdateEndpoint takes a JSON merge patch (RFC 7396) of an EndpointSpec.
	UpdateEndpoint(ctx context.Context, id capture.ID, patch json.RawMessage) (capture.Endpoint, error)
	SetEndpoint(ctx context.Context, id capture.ID, status capture.EndpointStatus, why string) (capture.Endpoint, error)
	RotateEndpointSecret(ctx context.Context, id capture.ID, overlap time.Duration) (capture.Endpoint, error)
	TestEndpoint(ctx context.Context, id capture.ID, what capture.Emission) (capture.Attempt, error)
}

// Listeners is where who listens through a relay is read, and removed. The
// API's client satisfies it.
type Listeners interface {
	Listeners(ctx context.Context, app string) ([]capture.ListenerRow, error) // app "": every one's
	RemoveListener(context.Context, capture.ID) error
}

// Rules is where rules are read and changed. Errors are as those of Registry;
// of a rule of a file every change is a capture.ConflictError.
type Rules interface {
	Rules(ctx context.Context, app string) ([]capture.RuleRow, error) // in the order they are asked; app "": all
	CreateRule(context.Context, capture.RuleSpec) (capture.RuleRow, error)
	// UpdateRule takes a JSON merge patch (RFC 7396) of a RuleSpec.
	UpdateRule(ctx context.Context, id capture.ID, patch json.RawMessage) (capture.RuleRow, error)
	// MoveRule puts a rule in a place, from 1, among those of no file.
	MoveRule(ctx context.Context, id capture.ID, place int) (capture.RuleRow, error)
	DeleteRule(context.Context, capture.ID) error
	ResetRules(context.Context, capture.ID) error
	// ExplainRules says of each rule in order whether it applies to an event.
	ExplainRules(ctx context.Context, event capture.ID) ([]capture.RuleExplanation, error)
}

// Types is where event types are read, made and sent. Errors are as those of
// Registry.
type Types interface {
	Types(ctx context.Context, app string) ([]capture.EventType, error) // by tag; app "": all
	// CreateType makes one of what was kept, where from is not "".
	CreateType(ctx context.Context, tag string, spec capture.EventTypeSpec, from capture.ID) (capture.EventType, error)
	// Fire makes events of a type, and sends them.
	Fire(ctx context.Context, tag string, f capture.Firing) (capture.Fired, error)
}

// Options says what the interface reads, what it may do, and how it looks.
// Only Source is needed; what is nil cannot be done, and its keys say so.
type Options struct {
	Source Source
	// Counts are the totals shown. Nil: none are.
	Counts func(context.Context) (capture.Counts, error)
	// Watch is a channel with one slot that is filled when anything has
	// changed, and closed when the source is gone; it is then called again.
	// Nil: what is on view changes by keys only.
	Watch func(context.Context) <-chan struct{}

	// Uplink tells of the connection to a relay. Nil: there is none.
	Uplink *Uplink
	// Gaps are all times in which webhooks came to the relay and nobody
	// listened here, oldest first. Nil: there are none.
	Gaps func(context.Context) ([]capture.Gap, error)
	// Listeners are who listens through a relay. Nil: their view is absent.
	Listeners Listeners

	// Endpoints are the registered ones. Nil: their views are absent.
	Endpoints Endpoints
	// Registry changes them. Nil: they are read only.
	Registry Registry

	// Judge judges an event's signature by a clock, the zero one being that of
	// when it came, with a secret or, where that is "", those that are known.
	// Nil: signatures are not explained.
	Judge func(ctx context.Context, event capture.ID, at time.Time, secret string) (sign.Explanation, error)

	// Rules answer in an app's place. Nil: their view is absent.
	Rules Rules
	// Types have samples that can be sent. Nil: their view is absent.
	Types Types

	Resend func(context.Context, capture.ID, capture.Resend) error
	Pin    func(context.Context, capture.ID, bool) error
	Remove func(context.Context, ...capture.ID) error

	Ready capture.Ready   // where events come in and go to
	Log   func() []string // the newest lines of diagnostics. Nil: no log to see

	In, Out *os.File            // nil: standard input and output
	Color   Color               // "": auto
	ASCII   bool                // also without a UTF-8 locale
	Theme   string              // ansi, dark, light, cvd, mono, or auto for dark or light; "": the one used last, else ansi
	Keys    map[string][]string // other keys for actions, by the action's name

	// StateFile keeps filter, place, theme and panes from one run to the
	// next. "": nothing is kept.
	StateFile string
}

// Run shows the interface until the user leaves it, which is not an error,
// nor is the end of ctx.
func Run(ctx context.Context, o Options) error {
	// Signals end it as q does. Bubble Tea's own handler would close the
	// terminal under the goroutine that reads it.
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	if o.In == nil {
		o.In = os.Stdin
	}
	if o.Out == nil {
		o.Out = os.Stdout
	}
	k := newKit(ctx, o, newTerminal(o.Out, o.Color, o.ASCII))
	r := newRoot(k)
	var problem error
	if o.StateFile != "" {
		problem = r.restore(o.StateFile)
	}
	if problem != nil {
		r.note = noteMsg{problem.Error(), true}
	}
	// Half of Bubble Tea's sixty frames a second: enough for eyes, and an idle
	// interface wakes half as often.
	p := tea.NewProgram(r, tea.WithAltScreen(), tea.WithFPS(30), tea.WithoutSignalHandler(), tea.WithInput(o.In), tea.WithOutput(k.term.out))
	defer context.AfterFunc(ctx, p.Quit)()
	if o.Uplink != nil {
		var told sync.WaitGroup
		defer told.Wait()
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		told.Go(func() { o.Uplink.run(ctx, p.Send) })
	}
	_, err := p.Run()
	if err != nil {
		return fmt.Errorf("tui: %w", err)
	}
	if o.StateFile != "" {
		err = r.save(o.StateFile)
	}
	return err
}

func newKit(ctx context.Context, o Options, t *terminal) *kit {
	k := &kit{Options: o, ctx: ctx, table: keyTable(), term: t, theme: t.theme(o.Theme), tick: tea.Tick, now: time.Now}
	rebind(k.table, o.Keys)
	k.feed = feed{watch: o.Watch, floor: 50 * time.Millisecond}
	if t.ssh {
		k.feed.floor = 100 * time.Millisecond // a frame is kilobytes
	}
	return k
}
