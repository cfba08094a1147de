package tunnel

import (
	"context"
	"net/http"
	"time"

	"code.hooktape.dev/hooktape/capture"
)

// serveLog lets a listener say who it is. From then on it is sent frames: the
// welcome, then the events of its app in the order they were kept, for as long
// as it is connected.
func (s *session) serveLog(w http.ResponseWriter, r *http.Request) error {
	if !s.said.CompareAndSwap(false, true) {
		return refuse(http.StatusConflict, "this connection listens already")
	}
	var in hello
	err := take(w, r, &in)
	if err == nil {
		s.feed, err = s.hub.feed(r.Context(), in.App)
	}
	var welcome *welcome
	if err == nil {
		welcome, err = s.enter(r.Context(), &in)
	}
	if err != nil {
		s.said.Store(false) // it may say it better
		return err
	}
	s.head, s.left = welcome.Head, welcome.Missed
	s.say(&frame{Kind: isWelcome, Welcome: welcome})
	s.feed.join(s)
	s.listens.Store(true)
	// It is ready before it is sent what it has missed: the probe that it asks
	// for at once goes first.
	time.AfterFunc(s.hub.Beat, s.proceed)
	return nil
}

// proceed has events sent from now on.
func (s *session) proceed() {
	s.mu.Lock()
	s.proven = true
	s.mu.Unlock()
	s.poke()
}

// poke has the log looked at: something was kept, said or acknowledged. Nobody
// stands by for that while nothing is.
func (s *session) poke() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.again = true
	if !s.writes && !s.ended {
		s.writes = true
		s.writers.Add(1)
		go s.write()
	}
}

// write writes what there is to write.
func (s *session) write() {
	defer s.writers.Done()
	for {
		s.mu.Lock()
		if s.ended || !s.again {
			s.writes = false
			s.mu.Unlock()
			return
		}
		s.again = false
		s.mu.Unlock()
		if err := s.writeOn(); err != nil {
			s.end(err)
			s.mu.Lock()
			s.ended, s.writes = true, false
			s.mu.Unlock()
			return
		}
	}
}

// writeOn writes until there is nothing to write, or too much on its way. What
// is said goes between events.
func (s *session) writeOn() error {
	for {
		select {
		case f := <-s.frames:
			if err := s.conn.write(f); err != nil {
				return err
			}
			continue
		default:
		}
		more, err := s.next(s.ctx)
		if err != nil || !more {
			return err
		}
	}
}

// What may be on its way to a listener: sent, and not acknowledged.
const (
	mostSent      = 1024
	mostSentBytes = 4 << 20
)

// full reports whether so much is on its way that no more is sent.
func (s *session) full() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.proven || len(s.under) >= mostSent || s.bytes >= mostSentBytes
}

// sending notes that an event is on its way.
func (s *session) sending(seq uint64, bytes int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.under, s.bytes = append(s.under, under{seq, bytes}), s.bytes+bytes
}

// arrived notes up to where all is on the listener's disk.
func (s *session) arrived(seq uint64) {
	s.mu.Lock()
	s.acked = max(s.acked, seq)
	n := 0
	for n < len(s.under) && s.under[n].seq <= seq {
		s.bytes -= s.under[n].bytes
		n++
	}
	s.under = s.under[n:]
	s.mu.Unlock()
	s.hub.came(s.app, s.only, seq)
	s.poke()
}

// under is an event under way.
type under struct {
	seq   uint64
	bytes int
}

// place is up to where events were sent.
func (s *session) place() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sent
}

// next writes some of what is behind the place that was come to; false when
// there is nothing.
func (s *session) next(ctx context.Context) (more bool, err error) {
	if s.full() {
		return false, nil
	}
	after := s.place()
	items, ok := s.feed.after(after)
	to := after
	if !ok || after < s.head { // of what was missed it matters what has become of it
		if items, to, err = s.read(ctx, after); err != nil {
			if ctx.Err() == nil {
				s.hub.Logger.Error("events for a listener could not be read", "listener", s.name, "err", err)
			}
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
	s.reach(to)
	return true, nil
}

// event writes one that the listener wants, and passes over one that it does
// not.
func (s *session) event(i *item) error {
	e := i.event
	s.reach(e.Seq) // before it is written: the listener may be quick to say that it has it
	if s.wants(e) {
		s.went.add(e.ID)
		f := &frame{Kind: isEvent, Seq: e.Seq, Event: e, Body: i.body, Apart: e.Refused == nil && e.Size > int64(len(i.body)), Delivered: i.delivered}
		if e.Seq <= s.head {
			s.left--
			f.Missed, f.Left = true, max(0, s.left)
		}
		if w := s.hub.waiting(s, e.ID); w != nil {
			f.Wait = max(0, time.Until(w.deadline))
		}
		s.sending(e.Seq, len(i.body))
		return s.conn.write(f)
	}
	return nil
}

// reach notes that the log has come to a place.
func (s *session) reach(seq uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sent = max(s.sent, seq)
}

// read is what lies behind a place on disk, and the place up to which that is
// all.
func (s *session) read(ctx context.Context, after uint64) (items []item, to uint64, err error) {
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
		if bytes += min(row.Size, MostInline); bytes > takeBytes && len(items) > 0 {
			break
		}
		items = append(items, item{event: &row.Event, delivered: row.Outcome.State == capture.OK})
		to = row.Seq
		if row.Size > 0 && row.Size <= MostInline && row.Refused == nil && s.wants(&row.Event) {
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
