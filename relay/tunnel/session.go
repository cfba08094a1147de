package tunnel

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/match"
)

// session is one connection of a listener, at the relay.
type session struct {
	hub    *Hub
	conn   *conn
	pass   Pass
	remote string
	ctx    context.Context // of the connection; its cause says why it ended
	end    context.CancelCauseFunc
	frames chan *frame   // to be written before anything else; who finds it full does without
	gone   chan struct{} // closed once the connection has ended

	said    atomic.Bool // it says who it is, or has
	listens atomic.Bool // and was let in: then the fields below are set
	id      capture.ID
	app     string
	name    string
	only    string
	since   time.Time
	life    uint64
	dial    uint64
	feed    *feed
	head    uint64 // up to there events were missed,
	left    int    // so many of which are not written yet

	went    recent         // events that were sent here
	writers sync.WaitGroup // the one there may be,
	serving sync.WaitGroup // and the requests under way

	mu      sync.Mutex // guards the fields below
	writes  bool       // somebody does
	again   bool       // and must look again
	ended   bool       // nobody must any more
	proven  bool       // a probe has gone round, or is not waited for
	under   []under    // sent and not acknowledged,
	bytes   int        // and of bodies in it
	targets map[string]capture.ID
	sent    uint64
	acked   uint64 // up to there all is on the listener's disk,
	saved   uint64 // and up to there the roster knows it
}

// say has a frame written soon. It is dropped when the listener does not read.
func (s *session) say(f *frame) {
	select {
	case s.frames <- f:
	default:
	}
	s.poke()
}

// wants reports whether an event of the app is for this listener.
func (s *session) wants(e *capture.Event) bool {
	if e.Claimed != "" {
		return e.Claimed == s.id
	}
	return s.only == "" && e.Trigger == "" // a firing goes to its target alone
}

func (s *session) describe(row *capture.ListenerRow) {
	s.mu.Lock()
	defer s.mu.Unlock()
	row.Connected, row.Since, row.Remote, row.Sent = true, s.since, s.remote, s.sent
	row.Heard, row.Cursor = time.Unix(0, s.conn.heard.Load()).UTC(), max(row.Cursor, s.acked)
	row.Seen = row.Heard
}

// saveNews has the roster remember how far the listener has come, if that is
// news.
func (s *session) saveNews(ctx context.Context) error {
	s.mu.Lock()
	news := s.acked != s.saved
	s.mu.Unlock()
	if !news {
		return nil
	}
	return s.save(ctx)
}

// save has the roster remember how far the listener has come, and when it was
// last seen.
func (s *session) save(ctx context.Context) error {
	s.mu.Lock()
	acked := s.acked
	s.mu.Unlock()
	_, err := s.hub.Roster.EditListener(ctx, s.id, func(l *capture.Listener, found bool) error {
		if !found {
			return capture.ErrNotFound // it was removed meanwhile
		}
		l.Cursor, l.Seen = max(l.Cursor, acked), time.Now().UTC()
		return nil
	})
	if errors.Is(err, capture.ErrNotFound) {
		s.end(errors.New("it was removed"))
		return nil
	}
	if err == nil {
		s.mu.Lock()
		s.saved = acked
		s.mu.Unlock()
	}
	return err
}

// enter makes the connection that of a listener: the hello is checked, and the
// roster says where it goes on. It returns what the listener is welcomed with.
func (s *session) enter(ctx context.Context, in *hello) (*welcome, error) {
	if err := s.check(in); err != nil {
		return nil, err
	}
	ingest, err := s.hub.Ingest(ctx, in.App)
	if err != nil {
		return nil, err
	}
	counts, err := s.hub.Log.Counts(ctx)
	if err != nil {
		return nil, err
	}
	begin := s.hub.begin(in, counts.Seq)
	now := time.Now().UTC()
	l, err := s.hub.Roster.EditListener(ctx, in.Listener, func(l *capture.Listener, found bool) error {
		switch {
		case !found:
			l.Created, l.Cursor = now, begin
		case l.App != in.App:
			return refuse(http.StatusConflict, "listener %s is one of another app, %s", in.Listener, l.App)
		}
		if in.Epoch == s.hub.Log.ID() && in.Cursor <= counts.Seq {
			l.Cursor = in.Cursor // what its disk says goes before what was heard of it last
		}
		if l.Only != "" && in.Only == "" {
			l.Cursor = min(l.Cursor, begin) // what it has passed over is for it now
		}
		l.App, l.Name, l.Only, l.Version, l.Token, l.Seen = in.App, in.Name, in.Only, in.Version, s.pass.Token, now
		return nil
	})
	if err != nil {
		return nil, bare(err)
	}
	s.id, s.app, s.name, s.only, s.since = l.ID, l.App, l.Name, l.Only, now
	s.sent, s.acked, s.saved = l.Cursor, l.Cursor, l.Cursor
	s.hub.came(l.App, l.Only, l.Cursor)
	w := &welcome{Epoch: s.hub.Log.ID(), Cursor: l.Cursor, Ingest: ingest, Version: s.hub.Version, Beat: s.hub.Beat, Time: now}
	if err := s.count(ctx, w, counts.Seq); err != nil {
		return nil, err
	}
	s.life, s.dial = in.Life, in.Dial
	if w.Ghost, w.Others, err = s.hub.seat(s, &l); err != nil {
		return nil, err
	}
	return w, nil
}

// bare is a refusal without the deeds of those who passed it on.
func bare(err error) error {
	var why *refusal
	if errors.As(err, &why) {
		return why
	}
	return err
}

func (s *session) check(in *hello) error {
	if _, err := capture.ParseID(capture.ListenerID, string(in.Listener)); err != nil {
		return refuse(http.StatusBadRequest, "listener: %v", err)
	}
	if !capture.IsSlug(in.App) {
		return refuse(http.StatusBadRequest, "app: %q: want a slug", in.App)
	}
	if s.pass.App != "" && s.pass.App != in.App {
		return refuse(http.StatusForbidden, "The token is for the app %s. Listen with --app %s.", s.pass.App, s.pass.App)
	}
	if in.Name = strings.TrimSpace(strings.ToValidUTF8(in.Name, "")); in.Name == "" || len(in.Name) > 100 {
		return refuse(http.StatusBadRequest, "name: want 1 to 100 bytes that say who listens")
	}
	if len(in.Only) > 4<<10 || len(in.Version) > 100 || len(in.Epoch) > 100 {
		return refuse(http.StatusBadRequest, "too long")
	}
	if _, err := match.Parse(in.Only); err != nil {
		return refuse(http.StatusBadRequest, "only: %v", err)
	}
	return nil
}

// begin is where a listener begins that was never here. One that claims nothing
// does behind what any other of those has had: what nobody has had waits for
// whoever comes. Nothing before head is one's that claims.
func (h *Hub) begin(in *hello, head uint64) uint64 {
	if in.Only != "" {
		return head
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.furthest[in.App]
}

// came notes that a listener has all up to a place.
func (h *Hub) came(app, only string, seq uint64) {
	if only != "" {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.furthest[app] = max(h.furthest[app], seq)
}

// count counts what the listener has missed up to head.
func (s *session) count(ctx context.Context, w *welcome, head uint64) error {
	w.Head = head
	q := capture.Query{App: s.app, Ascending: true, Cursor: w.Cursor, Limit: 1000}
	for {
		page, err := s.hub.Log.Events(ctx, q)
		if err != nil {
			return err
		}
		for i := range page.Rows {
			e := &page.Rows[i].Event
			if e.Seq > head {
				return nil
			}
			if !s.wants(e) {
				continue
			}
			if w.Missed == 0 {
				w.From = e.Received
			}
			w.To = e.Received
			w.Missed++
		}
		if page.Next == 0 {
			return nil
		}
		q.Cursor = page.Next
	}
}

// mostOthers is how many of those who listen too a listener is told of.
const mostOthers = 20

// seat makes s the connection of its listener, in place of one that may still
// be there, and returns whose that was, and who else listens. A connection
// that the listener itself has given up for that one is refused.
func (h *Hub) seat(s *session, l *capture.Listener) (ghost string, others []string, err error) {
	h.mu.Lock()
	old := h.sessions[s.id]
	if old != nil && old.life == s.life && old.dial > s.dial {
		h.mu.Unlock()
		return "", nil, refuse(http.StatusConflict, "the listener has connected anew meanwhile")
	}
	h.sessions[s.id] = s
	for _, other := range h.sessions {
		if other.app == s.app && other != s {
			if others = append(others, other.name); len(others) == mostOthers {
				break
			}
		}
	}
	ousted := h.claim(l, time.Time{})
	h.mu.Unlock()
	slices.Sort(others)
	if old != nil {
		ghost = fmt.Sprintf("%s, connected from %s since %s", old.name, old.remote, old.since.Format(time.DateTime))
		old.say(&frame{Kind: isTaken, Text: fmt.Sprintf("%s has connected from %s as this listener", s.name, s.remote)})
		time.AfterFunc(time.Second, func() { old.end(errors.New("the listener has connected anew")) })
	}
	h.takeOver(s, ousted)
	return ghost, others, nil
}

// serve notes that a request is under way; false once the connection has ended.
// HTTP/2 may begin with one even then.
func (s *session) serve() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.ended {
		s.serving.Add(1)
	}
	return !s.ended
}

// leave frees the listener's place, unless it has connected anew.
func (s *session) leave() {
	h := s.hub
	s.mu.Lock()
	s.ended = true
	s.mu.Unlock()
	s.writers.Wait()
	s.serving.Wait()
	defer close(s.gone)
	if !s.listens.Load() {
		return // it never was anybody
	}
	s.feed.leave(s)
	h.mu.Lock()
	if h.sessions[s.id] == s {
		delete(h.sessions, s.id)
		all := slices.Clone(h.claims[s.app]) // who reads has it without the lock
		if i := slices.IndexFunc(all, func(c claim) bool { return c.listener == s.id }); i >= 0 {
			all[i].until = time.Now().Add(claimLasts)
			h.claims[s.app] = all
		}
	}
	h.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := s.save(ctx); err != nil {
		h.Logger.Error("how far a listener has come could not be kept", "listener", s.name, "err", err)
	}
}
