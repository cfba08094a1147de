package tunnel

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"time"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/seal"
)

// Tape is the listener's own store.
type Tape interface {
	Keep(context.Context, ...*capture.Change) error
	KeepAsync(c *capture.Change, done func(error))
	EditSeat(ctx context.Context, relay, app string, edit func(seat *capture.Seat, found bool)) (capture.Seat, error)
	Counts(context.Context) (capture.Counts, error)
	Facts(ctx context.Context, after uint64, limit int) ([]capture.Fact, error)
	Event(context.Context, capture.ID) (capture.Row, error)
	Watch(context.Context) <-chan struct{}
}

// Hands make attempts.
type Hands interface {
	// Plan makes the pending attempts of a new event.
	Plan(*capture.Event, []byte) []*capture.Attempt
	// Serve keeps an event and makes the attempt that answers its sender,
	// which is nil where nobody can; kept is called in between.
	Serve(ctx context.Context, c *capture.Change, kept func(error)) *capture.Attempt
	// Try makes an attempt by hand at one of the targets that are listened
	// with, and keeps it.
	Try(ctx context.Context, target string, e *capture.Event, body []byte, a *capture.Attempt) error
	// TargetOf is the URL of the target that an endpoint stands for.
	TargetOf(endpoint capture.ID) (string, bool)
}

// Listener is the listening end of a tunnel. Set its fields before Run.
type Listener struct {
	URL     string // of the relay: http or https
	Token   string
	App     string
	Name    string    // who listens, and where
	Only    string    // a predicate: claim the events that it lets through. "": get what nobody claims
	Keys    seal.Keys // to open sealed events with
	Version string
	// CatchUp says what of the events that came meanwhile is delivered. nil:
	// Ask says so when there are many, and else all are.
	CatchUp *capture.CatchUp
	Ask     func(context.Context, capture.Gap) (capture.CatchUp, error)
	Beat    time.Duration // how often to prove to be alive; 0: Beat. What the relay wants, if that is less
	Tape    Tape
	Hands   Hands
	// Verify judges the signature of an event before it is kept; nil: it stays
	// as the relay has judged it.
	Verify func(e *capture.Event, body []byte)
	// Tell is given records of the types disconnected, reconnected and notice,
	// and Changed the state of the link, when there is news of either.
	Tell    func(capture.Record)
	Changed func(capture.Link)
	Log     *slog.Logger // nil: slog.Default

	settled  capture.CatchUp // that Ask gave,
	answered uint64          // for all that was missed up to there; both are the intake's

	plain recent // events that did not come sealed

	mu       sync.Mutex // guards the fields below
	link     capture.Link
	seat     capture.Seat
	life     uint64 // tells one run of the program from another,
	dials    uint64 // and these its connections
	partial  map[capture.ID][]byte
	ordered  map[capture.ID]bool // attempts by hand, whose outcome the relay waits for
	ready    chan struct{}       // closed when first connected
	outage   time.Time           // when the link went down; zero: it is up, or never was
	problems int                 // dials that failed since
}

// Errors that end a Listener. They are wrapped with what the relay said.
var (
	ErrUnauthorized = errors.New("not authorised by the relay")
	ErrTaken        = errors.New("another hooktape listens in this one's place")
	ErrRefused      = errors.New("refused by the relay")
	ErrUnreachable  = errors.New("cannot reach the relay")
)

// firstPatience is how long the first connection is tried for.
const firstPatience = 5 * time.Second

// mostAsked is how many missed events are delivered without asking.
const mostAsked = 20

// Ready is closed when the relay has acknowledged the subscription and a probe
// has gone round for the first time.
func (l *Listener) Ready() <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ready == nil {
		l.ready = make(chan struct{})
	}
	return l.ready
}

// Seat is who the listener is at its relay; "" before Run.
func (l *Listener) Seat() capture.ID {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.seat.ID
}

// Link is how the connection stands.
func (l *Listener) Link() capture.Link {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.link
}

// update changes what is known of the link and says so.
func (l *Listener) update(change func(*capture.Link)) {
	l.mu.Lock()
	change(&l.link)
	link := l.link
	l.mu.Unlock()
	if l.Changed != nil {
		l.Changed(link)
	}
}

func (l *Listener) tell(kind string, change func(*capture.Record)) {
	if l.Tell == nil {
		return
	}
	r := capture.NewRecord(kind)
	change(&r)
	l.Tell(r)
}

// notice notes a line for the person who listens, and tells it.
func (l *Listener) notice(text string) {
	l.update(func(s *capture.Link) { s.Notice = text })
	link := l.Link()
	l.tell("notice", func(r *capture.Record) { r.Link = &link })
}

func (l *Listener) log() *slog.Logger { return cmp.Or(l.Log, slog.Default()) }

// Run listens until ctx is done, and connects again whenever the connection
// is lost, for as long as it takes. It returns an error when the first
// connection cannot be made within 5 s (ErrUnreachable), and when trying again
// is of no use.
func (l *Listener) Run(ctx context.Context) error {
	l.Ready() // is made
	seat, err := l.sit(ctx)
	if err != nil {
		return err
	}
	l.mu.Lock()
	l.life, l.seat, l.partial, l.ordered = rand.Uint64(), seat, map[capture.ID][]byte{}, map[capture.ID]bool{}
	l.mu.Unlock()
	began := time.Now()
	l.update(func(s *capture.Link) { s.URL, s.State, s.Since = l.URL, capture.LinkConnecting, began.UTC() })
	for {
		err := l.once(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if final(err) {
			return err
		}
		first := !l.reached()
		if first && time.Since(began) > firstPatience {
			return fmt.Errorf("%w at %s: %w", ErrUnreachable, l.URL, err)
		}
		wait := l.down(err, first)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait):
		}
	}
}

// final reports whether trying again is of no use.
func final(err error) bool {
	return errors.Is(err, ErrUnauthorized) || errors.Is(err, ErrTaken) || errors.Is(err, ErrRefused)
}

// down notes that there is no connection, says so once, and returns how long
// to wait before the next dial.
func (l *Listener) down(err error, first bool) time.Duration {
	now := time.Now()
	l.mu.Lock()
	news := l.outage.IsZero()
	if news {
		l.outage, l.problems = now, 0
	}
	l.problems++
	wait := backOff(now.Sub(l.outage), l.problems)
	var leave *farewell
	if errors.As(err, &leave) {
		wait = leave.retry/2 + rand.N(leave.retry+1)
	}
	l.mu.Unlock()
	l.update(func(s *capture.Link) {
		if s.State == capture.LinkConnected {
			s.Since = now.UTC()
		}
		s.State, s.Reason, s.RetryAt = capture.LinkDisconnected, reason(err), now.Add(wait).UTC()
	})
	if news && !first {
		link := l.Link()
		l.tell("disconnected", func(r *capture.Record) { r.Link = &link })
	}
	l.log().Debug("not connected to the relay", "err", err, "again_in", wait)
	return wait
}

// backOff is how long to wait before a dial, in an outage that has lasted so
// long: hardly at all at first, about a second in its first minute, and half a
// minute in the end. Half of it is left to chance, so that those who lost
// their relay at the same time do not all come back at once.
func backOff(outage time.Duration, dials int) time.Duration {
	wait := min(max(outage/60, 200*time.Millisecond), 30*time.Second)
	if dials == 1 {
		wait = 50 * time.Millisecond
	}
	return wait/2 + rand.N(wait/2+1)
}

// reason is an error as people read it.
func reason(err error) string {
	if err == nil {
		return "the connection ended"
	}
	s := strings.TrimPrefix(err.Error(), "tunnel: ")
	if strings.Contains(s, "i/o timeout") {
		s = "nothing was heard of the relay for two beats"
	}
	return s
}

// sit takes the listener's seat: who it is at this relay, and up to where it
// has come.
func (l *Listener) sit(ctx context.Context) (capture.Seat, error) {
	counts, err := l.Tape.Counts(ctx)
	if err != nil {
		return capture.Seat{}, err
	}
	return l.Tape.EditSeat(ctx, l.URL, l.App, func(seat *capture.Seat, found bool) {
		if !found {
			seat.ID, seat.Reported = capture.NewID(capture.ListenerID), counts.Seq
		}
		seat.Seen = time.Now().UTC()
	})
}

// keepSeat has the store remember the seat as it is now.
func (l *Listener) keepSeat(ctx context.Context) error {
	l.mu.Lock()
	now := l.seat
	l.mu.Unlock()
	_, err := l.Tape.EditSeat(ctx, l.URL, l.App, func(seat *capture.Seat, _ bool) {
		seat.Epoch, seat.Cursor, seat.Reported, seat.Seen = now.Epoch, now.Cursor, now.Reported, time.Now().UTC()
	})
	return err
}

// connected notes that a probe has gone round.
func (l *Listener) connected(w *welcome, rtt time.Duration) {
	now := time.Now().UTC()
	l.mu.Lock()
	again := !l.outage.IsZero() && l.ready != nil
	l.outage, l.problems = time.Time{}, 0
	select {
	case <-l.ready:
	default:
		again = false
		defer close(l.ready)
	}
	l.mu.Unlock()
	l.update(func(s *capture.Link) {
		s.State, s.Since, s.Heard, s.Reason, s.RetryAt = capture.LinkConnected, now, now, "", time.Time{}
		s.RTT, s.Skew = capture.Duration(rtt), capture.Duration(w.Time.Sub(now)+rtt/2)
		s.Ingest, s.Version, s.Others, s.Missed, s.Seq = l.ingest(w), w.Version, w.Others, w.Missed, w.Head
		if w.Ghost != "" {
			s.Notice = "took over from " + w.Ghost
		}
	})
	if again {
		link := l.Link()
		l.tell("reconnected", func(r *capture.Record) { r.Link = &link })
	}
}

// ingest is the URL that webhooks are sent to: what the relay says, below the
// address it was reached at where it does not know its own.
func (l *Listener) ingest(w *welcome) string {
	if strings.HasPrefix(w.Ingest, "/") {
		return strings.TrimSuffix(l.URL, "/") + w.Ingest
	}
	return w.Ingest
}

// refused is the error of an answer that is no 2xx.
func refused(status int, detail string) error {
	detail = cmp.Or(detail, http.StatusText(status))
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden:
		return fmt.Errorf("%w: %s", ErrUnauthorized, detail)
	case http.StatusNotFound, http.StatusBadRequest, http.StatusConflict, http.StatusUpgradeRequired:
		return fmt.Errorf("%w: %s", ErrRefused, detail)
	}
	return fmt.Errorf("tunnel: the relay answers %d: %s", status, detail)
}

// farewell is the relay's own end of a connection.
type farewell struct {
	text  string
	retry time.Duration
}

func (f *farewell) Error() string { return "tunnel: " + f.text }
