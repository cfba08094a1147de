package tunnel

import (
	"context"
	"net/http"
	"time"

	"code.hooktape.dev/hooktape/capture"
)

// serveLog is the stream of frames that a listener reads: the welcome, then
// the events of its app in the order they were kept, for as long as it is
// connected.
func (s *session) serveLog(w http.ResponseWriter, r *http.Request) error {
	if !s.said.CompareAndSwap(false, true) {
		return refuse(http.StatusConflict, "this connection listens already")
	}
	// On a goroutine of its own: what that needs of a stack this one would
	// hold for as long as the listener is connected.
	var feed *feed
	var welcome *welcome
	entered := make(chan error)
	go func() {
		var in hello
		err := take(w, r, &in)
		if err == nil {
			feed, err = s.hub.feed(r.Context(), in.App)
		}
		if err == nil {
			welcome, err = s.enter(r.Context(), &in)
		}
		entered <- err
	}()
	if err := <-entered; err != nil {
		s.said.Store(false) // it may say it better
		return err
	}
	feed.join(s)
	defer s.leave()
	defer feed.leave(s)
	w.Header().Set("Content-Type", "application/octet-stream")
	out := &stream{session: s, feed: feed, w: w, flush: http.NewResponseController(w).Flush, head: welcome.Head, left: welcome.Missed}
	if err := out.begin(r.Context(), welcome); err == nil {
		out.run(r.Context())
	}
	return nil // who has gone is told nothing
}

// begin writes the welcome, and behind it the probe that the listener asks for
// at once: it is ready before it is sent what it has missed.
func (s *stream) begin(ctx context.Context, w *welcome) error {
	if err := s.write(&frame{Kind: isWelcome, Welcome: w}); err != nil {
		return err
	}
	select {
	case f := <-s.frames:
		return s.write(f)
	case <-time.After(s.hub.Beat):
	case <-ctx.Done():
	}
	return nil
}

// stream writes the log of a session.
type stream struct {
	*session
	feed  *feed
	w     http.ResponseWriter
	flush func() error
	head  uint64 // up to there events were missed,
	left  int    // so many of which are not written yet
}

func (s *stream) write(f *frame) error {
	if err := writeFrame(s.w, f); err != nil {
		return err
	}
	return s.flush()
}

// run writes until the listener is gone.
func (s *stream) run(ctx context.Context) {
	beat := time.NewTicker(s.hub.Beat)
	defer beat.Stop()
	for {
		more, err := s.next(ctx)
		if err != nil {
			if ctx.Err() == nil && s.ctx.Err() == nil {
				s.hub.Logger.Error("a listener's events could not be sent", "listener", s.name, "err", err)
			}
			return
		}
		if more {
			select { // what is said goes between
			case f := <-s.frames:
				err = s.write(f)
			default:
			}
		} else {
			err = s.idle(ctx, beat)
		}
		if err != nil || ctx.Err() != nil {
			return
		}
	}
}

// idle waits until there is something to write.
func (s *stream) idle(ctx context.Context, beat *time.Ticker) error {
	select {
	case <-ctx.Done():
		return nil
	case <-s.wake:
		return nil
	case f := <-s.frames:
		return s.write(f)
	case <-beat.C:
		return s.write(&frame{Kind: isBeat, Seq: s.place(), Time: time.Now().UTC()})
	}
}

// place is up to where events were sent.
func (s *session) place() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sent
}

// next writes some of what is behind the place that was come to; false when
// there is nothing.
func (s *stream) next(ctx context.Context) (more bool, err error) {
	after := s.place()
	items, ok := s.feed.after(after)
	to := after
	if !ok || after < s.head { // of what was missed it matters what has become of it
		if items, to, err = s.read(ctx, after); err != nil {
			return false, err
		}
	}
	if len(items) == 0 && to == after {
		return false, nil
	}
	for i := range items {
		if err := s.event(&items[i]); err != nil {
			return false, err
		}
	}
	s.pass(to)
	return true, s.flush()
}

// event writes one that the listener wants, and passes over one that it does
// not.
func (s *stream) event(i *item) error {
	e := i.event
	s.pass(e.Seq) // before it is written: the listener may be quick to say that it has it
	if s.wants(e) {
		s.went.add(e.ID)
		f := &frame{Kind: isEvent, Seq: e.Seq, Event: e, Body: i.body, Apart: e.Refused == nil && e.Size > int64(len(i.body)), Delivered: i.delivered}
		if e.Seq <= s.head {
			s.left--
			f.Missed, f.Left = true, max(0, s.left)
		}
		if w := s.hub.waiting(s.session, e.ID); w != nil {
			f.Wait = max(0, time.Until(w.deadline))
		}
		return writeFrame(s.w, f)
	}
	return nil
}

// pass notes that the log has come to a place.
func (s *stream) pass(seq uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sent = max(s.sent, seq)
}

// read is what lies behind a place on disk, and the place up to which that is
// all.
func (s *stream) read(ctx context.Context, after uint64) (items []item, to uint64, err error) {
	floor := s.feed.lowest()
	page, err := s.hub.Log.Events(ctx, capture.Query{App: s.app, Ascending: true, Cursor: after, Limit: takeItems})
	if err != nil {
		return nil, 0, err
	}
	if len(page.Rows) == 0 {
		return nil, max(after, floor), nil
	}
	var ids []capture.ID
	at := make(map[capture.ID]int)
	var bytes int64
	for i := range page.Rows {
		row := &page.Rows[i]
		if bytes += min(row.Size, mostInline); bytes > takeBytes && len(items) > 0 {
			break
		}
		items = append(items, item{event: &row.Event, delivered: row.Outcome.State == capture.OK})
		to = row.Seq
		if row.Size > 0 && row.Size <= mostInline && row.Refused == nil && s.wants(&row.Event) {
			at[row.ID] = len(items) - 1
			ids = append(ids, row.ID)
		}
	}
	for len(ids) > 0 {
		bodies, err := s.hub.Log.Wholes(ctx, ids...)
		if err != nil {
			return nil, 0, err
		}
		for n := range bodies {
			if b := &bodies[n]; b.Err == nil {
				items[at[ids[n]]].body = b.Body
			}
		}
		ids = ids[len(bodies):]
	}
	return items, to, nil
}
