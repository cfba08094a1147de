package tunnel

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"code.hooktape.dev/hooktape/capture"
)

// slept is by how much the wall clock must be ahead of the steady one for the
// machine to have slept meanwhile: the connection is then not waited for.
const slept = 5 * time.Second

// keepAlive pings the relay at every beat, and gives the connection up when the
// machine has slept. Whether anything comes back the conn sees to; a pong may
// be late behind a large body, and that nothing goes the other way is what the
// relay finds out, which hears nothing.
func (in *intake) keepAlive(ctx context.Context) error {
	beat := time.NewTicker(in.beat)
	defer beat.Stop()
	look := time.NewTicker(min(in.beat, time.Second))
	defer look.Stop()
	if err := in.conn.ping(); err != nil {
		return err
	}
	for last := time.Now(); ; {
		select {
		case <-ctx.Done():
			return nil
		case <-beat.C:
			if err := in.conn.ping(); err != nil {
				return err
			}
		case <-in.conn.pong:
			in.update(func(s *capture.Link) {
				s.Heard, s.RTT = time.Now().UTC(), capture.Duration(in.conn.rtt.Load())
			})
		case <-look.C:
			now := time.Now()
			if now.Round(0).Sub(last.Round(0))-now.Sub(last) > slept {
				return errors.New("tunnel: the machine has slept")
			}
			last = now
		}
	}
}

// ackPause is the least time between two acknowledgements.
const ackPause = 20 * time.Millisecond

// acknowledge tells the relay how far all is on disk, and now and then the
// listener's own store. What cannot be kept ends the connection.
func (in *intake) acknowledge(ctx context.Context) error {
	var told uint64
	saved := time.Now()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-in.track.news:
		}
		if err := in.track.err(); err != nil {
			return fmt.Errorf("tunnel: events cannot be kept here, so they wait at the relay: %w", err)
		}
		if now := in.track.acked(); now != told {
			told = now
			in.come(now)
			if err := in.ack(ctx, now); err != nil {
				return err
			}
		}
		if time.Since(saved) > time.Second {
			saved = time.Now()
			if err := in.keepSeat(ctx); err != nil {
				return err
			}
		}
		pause(ctx, ackPause)
	}
}

func (in *intake) ack(ctx context.Context, seq uint64) error {
	b, err := json.Marshal(map[string]uint64{"seq": seq})
	if err != nil {
		return err
	}
	return in.post(ctx, "/ack", b)
}

// leave tells the relay, before the listener goes, how far it has come and what
// has become of that.
func (in *intake) leave(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	in.track.drain(ctx)
	in.ack(ctx, in.track.acked()) // else it is told the next time
	in.mu.Lock()
	after := in.seat.Reported
	in.mu.Unlock()
	if facts, err := in.Tape.Facts(ctx, after, mostReports); err == nil {
		in.tellOf(ctx, facts)
	}
}

// come notes up to where all is on disk.
func (l *Listener) come(seq uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if seq > 0 {
		l.seat.Cursor = seq
	}
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// reportPause is the least time between two looks at what has become of
// events: reports travel many at a time.
const reportPause = 250 * time.Millisecond

// reportLater is how long a relay is left alone that takes no reports.
const reportLater = 10 * time.Second

// report tells the relay what becomes of its events, from where it was told
// last.
func (in *intake) report(ctx context.Context) error {
	changed := in.Tape.Watch(ctx)
	for {
		in.mu.Lock()
		after := in.seat.Reported
		in.mu.Unlock()
		facts, err := in.Tape.Facts(ctx, after, mostReports)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		err = in.tellOf(ctx, facts)
		var no *unwilling
		switch {
		case errors.As(err, &no) && no.status >= 500: // its disk is full, perhaps
			in.log().Warn("the relay takes no reports at the moment", "err", err)
			pause(ctx, reportLater)
			continue
		case errors.As(err, &no): // it never will
			in.log().Error("the relay does not take these reports", "err", err)
		case err != nil:
			return err
		}
		if len(facts) > 0 {
			in.mu.Lock()
			in.seat.Reported = facts[len(facts)-1].Seq
			in.mu.Unlock()
		}
		if len(facts) == mostReports {
			continue
		}
		pause(ctx, reportPause)
		select {
		case <-ctx.Done():
			return nil
		case _, ok := <-changed:
			if !ok {
				return nil
			}
		}
	}
}

// tellOf reports the attempts among facts.
func (in *intake) tellOf(ctx context.Context, facts []capture.Fact) error {
	var all []report
	for _, f := range facts {
		a := f.Attempt
		if a == nil || a.App != in.App || a.Status != capture.AttemptSucceeded && a.Status != capture.AttemptFailed {
			continue
		}
		in.mu.Lock()
		ordered := in.ordered[a.ID]
		delete(in.ordered, a.ID)
		in.mu.Unlock()
		if target, ok := in.Hands.TargetOf(a.Endpoint); ok && !ordered {
			all = append(all, in.concealed(ctx, report{Target: target, Attempt: *a}))
		}
	}
	if len(all) == 0 {
		return nil
	}
	b, err := encoder.Marshal(all)
	if err != nil {
		return err
	}
	return in.post(ctx, "/attempts", b)
}
