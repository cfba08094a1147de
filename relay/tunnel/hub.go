package tunnel

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"

	"code.hooktape.dev/hooktape/capture"
)

// Log is what a relay has kept.
type Log interface {
	ID() string // of the sequence
	Counts(context.Context) (capture.Counts, error)
	Events(context.Context, capture.Query) (capture.Page, error)
	Event(context.Context, capture.ID) (capture.Row, error)
	Wholes(context.Context, ...capture.ID) ([]capture.Whole, error)
	Body(context.Context, capture.ID) ([]byte, error)
}

// Roster is where a relay remembers listeners, and what they report.
type Roster interface {
	EditListener(ctx context.Context, id capture.ID, edit func(l *capture.Listener, found bool) error) (capture.Listener, error)
	Listeners(context.Context) ([]capture.Listener, error)
	RemoveListener(context.Context, capture.ID) error
	Endpoint(context.Context, capture.Endpoint) (capture.Endpoint, error)
	Keep(context.Context, ...*capture.Change) error
}

// Pass is what lets a listener in.
type Pass struct {
	Token   capture.ID // ""; the relay's own, which cannot be revoked
	App     string     // the only one it is good for; "": any
	Expires time.Time  // zero: never
}

// Hub is the relay's end of all tunnels. Set its fields before it serves.
type Hub struct {
	Log    Log
	Roster Roster
	// Admit is the pass of who asks to connect; it has answered the request
	// where there is none.
	Admit func(http.ResponseWriter, *http.Request) (Pass, bool)
	// Ingest is the URL, or only its path, at which webhooks for an app are
	// taken. The error is capture.ErrNotFound, wrapped, for an app that is not
	// there.
	Ingest  func(ctx context.Context, app string) (string, error)
	Beat    time.Duration // how often each end proves to be alive; 0: Beat
	Version string
	Logger  *slog.Logger // nil: slog.Default

	reading *semaphore.Weighted // bytes of bodies read from the store on their way; made by init
	once    sync.Once

	mu       sync.Mutex // guards the fields below
	feeds    map[string]*feed
	sessions map[capture.ID]*session // by listener
	claims   map[string][]claim      // by app, the newest first
	waits    map[capture.ID]*wait    // by event, whose sender waits for an answer
	furthest map[string]uint64       // by app, up to where somebody who claims nothing has all
	draining bool
}

// mostReading is how many bytes of bodies may be read from the store, and not
// yet be on their way, for all listeners together.
const mostReading = 64 << 20

// mostWaiting is how many senders may wait for answers at a time.
const mostWaiting = 1024

func (h *Hub) init() {
	h.once.Do(func() {
		h.Beat = cmp.Or(h.Beat, Beat)
		h.Logger = cmp.Or(h.Logger, slog.Default())
		h.reading = semaphore.NewWeighted(mostReading)
		h.feeds, h.sessions = map[string]*feed{}, map[capture.ID]*session{}
		h.claims, h.waits = map[string][]claim{}, map[capture.ID]*wait{}
		h.furthest = map[string]uint64{}
	})
}

// Run serves until ctx is done: it remembers how far listeners have come. Then
// those that are connected are told to come back, and it returns once they are
// gone.
func (h *Hub) Run(ctx context.Context) error {
	h.init()
	tick := time.NewTicker(5 * time.Second)
	defer tick.Stop()
	beat := time.NewTicker(h.Beat)
	defer beat.Stop()
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-beat.C:
			h.beat(ctx)
		case <-tick.C:
			for _, s := range h.all() {
				if err := s.saveNews(ctx); err != nil {
					h.Logger.Error("how far a listener has come could not be kept", "listener", s.name, "err", err)
				}
			}
		}
	}
	h.drain(context.WithoutCancel(ctx))
	return nil
}

// beat tells every listener that the relay is there. A few at a time: each
// takes a goroutine for a moment.
func (h *Hub) beat(ctx context.Context) {
	for some := range slices.Chunk(h.all(), 256) {
		now := time.Now().UTC()
		for _, s := range some {
			s.say(&frame{Kind: isBeat, Seq: s.place(), Time: now})
		}
		pause(ctx, min(5*time.Millisecond, h.Beat/100))
	}
}

// Recall reads who claimed events lately, and how far listeners have come, before a restart. It comes before
// anything is served.
func (h *Hub) Recall(ctx context.Context) error {
	h.init()
	all, err := h.Roster.Listeners(ctx)
	if err != nil {
		return err
	}
	slices.SortFunc(all, func(a, b capture.Listener) int { return a.Seen.Compare(b.Seen) })
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, l := range all {
		h.claim(&l, l.Seen.Add(claimLasts))
		if l.Only == "" {
			h.furthest[l.App] = max(h.furthest[l.App], l.Cursor)
		}
	}
	return nil
}

// drain says farewell to everyone and waits until they are gone, 3 s at most.
func (h *Hub) drain(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	h.mu.Lock()
	h.draining = true
	h.mu.Unlock()
	all := h.all()
	for _, s := range all {
		s.say(&frame{Kind: isFarewell, Text: "the relay restarts", Retry: time.Second})
	}
	for _, s := range all {
		select {
		case <-s.gone:
		case <-ctx.Done():
			s.end(errors.New("the relay ends"))
			<-s.gone
		}
	}
}

// Draining reports whether the hub takes no listeners any more.
func (h *Hub) Draining() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.draining
}

func (h *Hub) all() []*session {
	h.mu.Lock()
	defer h.mu.Unlock()
	all := make([]*session, 0, len(h.sessions))
	for _, s := range h.sessions {
		all = append(all, s)
	}
	return all
}

// Cut ends the tunnels that a token has let in.
func (h *Hub) Cut(token capture.ID) {
	h.init()
	for _, s := range h.all() {
		if s.pass.Token == token && token != "" {
			s.end(errRevoked)
		}
	}
}

// errRevoked ends the tunnel of a token that no longer counts.
var errRevoked = errors.New("its token was revoked or has expired")

// Kept is told of each new event, in the order of the sequence. It is quick,
// and holds event and body for a while.
func (h *Hub) Kept(e *capture.Event, body []byte) {
	h.init()
	h.mu.Lock()
	f := h.feeds[e.App]
	h.mu.Unlock()
	if f != nil {
		f.add(e, body)
	}
}

// Listeners are all that have ever come, with how they stand, oldest first.
func (h *Hub) Listeners(ctx context.Context) ([]capture.ListenerRow, error) {
	h.init()
	all, err := h.Roster.Listeners(ctx)
	if err != nil {
		return nil, err
	}
	rows := make([]capture.ListenerRow, len(all))
	for i, l := range all {
		rows[i].Listener = l
		h.mu.Lock()
		s := h.sessions[l.ID]
		h.mu.Unlock()
		if s != nil {
			s.describe(&rows[i])
		}
	}
	return rows, nil
}

// RemoveListener forgets a listener and ends its connection. It returns
// capture.ErrNotFound, wrapped, for an unknown id.
func (h *Hub) RemoveListener(ctx context.Context, id capture.ID) error {
	h.init()
	if err := h.Roster.RemoveListener(ctx, id); err != nil {
		return err
	}
	h.mu.Lock()
	s := h.sessions[id]
	for app, claims := range h.claims {
		h.claims[app] = slices.DeleteFunc(slices.Clone(claims), func(c claim) bool { return c.listener == id })
	}
	h.mu.Unlock()
	if s != nil {
		s.say(&frame{Kind: isTaken, Text: "somebody has removed this listener at the relay"})
		time.AfterFunc(time.Second, func() { s.end(errors.New("the listener was removed")) })
	}
	return nil
}

// Connected is how many listeners are.
func (h *Hub) Connected() int {
	h.init()
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.sessions)
}

// feed is that of an app, made if it has none.
func (h *Hub) feed(ctx context.Context, app string) (*feed, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if f := h.feeds[app]; f != nil {
		return f, nil
	}
	// What is kept from now on comes by Kept; all before is on disk.
	counts, err := h.Log.Counts(ctx)
	if err != nil {
		return nil, err
	}
	f := &feed{floor: counts.Seq, readers: map[*session]bool{}}
	h.feeds[app] = f
	return f, nil
}
