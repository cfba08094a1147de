package dispatch

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"code.hooktape.dev/hooktape/capture"
)

// shift is one run of a lane: from when something is due until nothing is.
//
// What is due waits in three places: on disk; in due, where what is more urgent
// may still go first; and, a few only, in ready, with the events read while
// others are sent.
type shift struct {
	*lane
	due   []capture.Attempt // taken, in the order they are to be made
	ready []job
	bytes int // of bodies in ready

	work    chan job               // unbuffered, to the crew; closed with the shift
	asked   chan []capture.Attempt // to the reader, whose events are to be read; closed with the shift
	fetched chan fetched           // from the reader
	reading bool                   // it was asked and has not answered
	crew    atomic.Int64           // who work
	given   int64                  // jobs, to the crew
	done    atomic.Int64           // of these
}

// job is an attempt to be made.
type job struct {
	attempt capture.Attempt
	event   capture.Whole
}

// fetched is what the reader has read, and what it has not come to.
type fetched struct {
	jobs []job
	left []capture.Attempt
}

// run makes attempts until there are none to make or ctx is done, and waits
// for those under way.
func (l *lane) run(ctx, sending context.Context) {
	s := &shift{lane: l, work: make(chan job), asked: make(chan []capture.Attempt), fetched: make(chan fetched)}
	var wg sync.WaitGroup
	defer wg.Wait()
	defer close(s.work)
	defer close(s.asked)
	wg.Go(func() { s.read(ctx) })
	alarm := time.NewTimer(time.Hour)
	defer alarm.Stop()
	for {
		s.refill(ctx)
		probe, next := l.state()
		if probe {
			wg.Go(func() { l.probe(ctx) })
		}
		if len(s.due)+len(s.ready) == 0 && !s.reading && l.park() {
			return
		}
		s.hire(&wg, ctx, sending)
		if !s.step(ctx, alarm, next) {
			l.parked()
			return
		}
	}
}

// refill takes what has become due.
func (s *shift) refill(ctx context.Context) {
	before := len(s.due)
	due, err := s.take(ctx, s.due)
	if s.due = due; err != nil && ctx.Err() == nil {
		s.log.Error("the queue could not be read", "err", err)
		time.AfterFunc(time.Second, func() { s.dispatcher.wake(s.lane) })
	}
	if len(s.due) > before && s.cameBack(ctx) {
		s.putBack(s.due) // what is older and waits for a later time goes first
		s.due = nil
	}
}

// ahead is how many jobs are read before anyone is free for them: in a flood
// few, for what is new waits for them.
func (s *shift) ahead() int {
	few := s.dispatcher.window()
	if s.flooded() {
		few = fewestTaken
	}
	return max(few, min(2*s.concurrency(), mostTaken))
}

// step does the next thing there is to do; false when there will be no more.
// A zero next never comes.
func (s *shift) step(ctx context.Context, alarm *time.Timer, next time.Time) bool {
	var work chan job
	var first job
	if len(s.ready) > 0 {
		work, first = s.work, s.ready[0]
	}
	var asked chan []capture.Attempt
	batch := s.toRead()
	if len(batch) > 0 {
		asked = s.asked
	}
	if !next.IsZero() {
		// A minute at most: the wall clock may jump, and timers do not notice.
		alarm.Reset(min(next.Sub(s.dispatcher.clock.now()), time.Minute))
	}
	select {
	case work <- first:
		s.given++
		s.bytes -= len(first.event.Body)
		s.ready[0] = job{} // its body is not held any longer
		s.ready = s.ready[1:]
	case asked <- batch:
		s.reading, s.due = true, s.due[len(batch):]
	case f := <-s.fetched:
		s.reading = false
		s.due = append(f.left, s.due...)
		for _, j := range f.jobs {
			s.bytes += len(j.event.Body)
		}
		s.ready = append(s.ready, f.jobs...)
		slices.SortStableFunc(s.ready, func(a, b job) int { return byUrgency(&a.attempt, &b.attempt) })
	case <-s.kick:
	case <-alarm.C:
	case <-ctx.Done():
		return false
	}
	s.fallDue()
	return true
}

// toRead is what is to be read next. What a user asked for does not wait until
// there is room.
func (s *shift) toRead() []capture.Attempt {
	if s.reading || len(s.due) == 0 {
		return nil
	}
	n := min(s.ahead(), len(s.due))
	if hand := slices.IndexFunc(s.due[:n], func(a capture.Attempt) bool { return kind(&a) != byHand }); hand > 0 {
		n = hand
	} else if hand == 0 && (len(s.ready) >= s.ahead() || s.bytes >= s.dispatcher.room()) {
		return nil
	}
	return s.due[:n]
}

// read reads events as it is asked, until the shift ends.
func (s *shift) read(ctx context.Context) {
	for batch := range s.asked {
		select {
		case s.fetched <- s.fetch(ctx, batch):
		case <-ctx.Done():
			return
		}
	}
}

func (s *shift) fetch(ctx context.Context, batch []capture.Attempt) (f fetched) {
	ids := make([]capture.ID, len(batch))
	for i := range batch {
		ids[i] = batch[i].Event
	}
	events, err := s.dispatcher.Store.Wholes(ctx, ids...)
	if err != nil {
		if ctx.Err() == nil {
			s.log.Error("events could not be read; their attempts will be made later", "err", err)
		}
		for _, a := range batch {
			s.later(a.ID)
		}
		return f
	}
	for i, e := range events {
		f.jobs = append(f.jobs, job{batch[i], e})
	}
	f.left = slices.Clone(batch[len(events):])
	return f
}

// hire adds one to the crew when all are busy and more may be.
func (s *shift) hire(wg *sync.WaitGroup, ctx, sending context.Context) {
	crew := s.crew.Load()
	if len(s.ready) == 0 || s.given-s.done.Load() < crew || int(crew) >= s.concurrency() {
		return
	}
	s.crew.Add(1)
	wg.Go(func() {
		for j := range s.work {
			if ctx.Err() == nil && (j.event.Err != nil || s.turn(ctx, &j.attempt)) { // else it stays pending
				s.attempt(sending, &j.attempt, j.event, nil)
			}
			s.done.Add(1)
			if crew := s.crew.Load(); int(crew) > s.concurrency() && s.crew.CompareAndSwap(crew, crew-1) {
				return
			}
		}
	})
}
