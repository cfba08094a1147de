package tunnel

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"code.hooktape.dev/hooktape/capture"
)

// intake is one connection of a listener, at its own end.
type intake struct {
	*Listener
	conn  *conn
	relay *http.ClientConn
	beat  time.Duration
	group *errgroup.Group
	track *tracker

	welcome  *welcome
	probe    uint64
	probed   time.Time
	gap      bool // it is noted, and how to catch up is settled
	mode     capture.CatchUp
	fetching chan struct{} // a slot for each body that is fetched
	shut     sync.Once     // it was said that a sealed event cannot be opened
}

// Bounds of what an intake has under way.
const (
	mostUnkept   = 1024 // events on their way to disk
	mostFetching = 4    // bodies that travel apart
	overtaken    = 300 * time.Millisecond
)

// listen subscribes, and takes in what comes.
func (in *intake) listen(ctx context.Context) error {
	in.fetching = make(chan struct{}, mostFetching)
	in.mu.Lock()
	in.dials++
	seat, life, dial := in.seat, in.life, in.dials
	in.mu.Unlock()
	say, err := json.Marshal(hello{Listener: seat.ID, Name: in.Name, App: in.App, Only: in.Only, Epoch: seat.Epoch, Cursor: seat.Cursor, Version: in.Version,
		Life: life, Dial: dial})
	if err != nil {
		return err
	}
	late := time.AfterFunc(helloTime, func() { in.conn.Close() })
	defer late.Stop()
	res, err := in.do(ctx, "POST", "/log", bytes.NewReader(say))
	if err != nil {
		return err
	}
	res.Body.Close()
	f, err := in.frame()
	if err != nil {
		return err
	}
	if f.Kind != isWelcome || f.Welcome == nil {
		return fmt.Errorf("%w: want a welcome first", errFrame)
	}
	late.Stop()
	in.begin(ctx, f.Welcome)
	for {
		f, err := in.frame()
		if err != nil {
			return err
		}
		if err := in.take(ctx, f); err != nil {
			return err
		}
	}
}

// frame is the next that the relay sends.
func (in *intake) frame() (*frame, error) {
	select {
	case f := <-in.conn.frames:
		return f, nil
	case <-in.conn.gone:
	}
	select { // what came before that is taken first
	case f := <-in.conn.frames:
		return f, nil
	default:
		return nil, fmt.Errorf("tunnel: %w", in.conn.err)
	}
}

// begin starts what goes on beside the reading of frames.
func (in *intake) begin(ctx context.Context, w *welcome) {
	in.welcome = w
	if w.Beat > 0 {
		in.beat = min(in.beat, w.Beat)
	}
	in.mu.Lock()
	if in.seat.Epoch != "" && in.seat.Epoch != w.Epoch {
		in.log().Warn("the relay has lost its store, or it is another one", "url", in.URL)
	}
	in.seat.Epoch, in.seat.Cursor = w.Epoch, w.Cursor
	in.mu.Unlock()
	in.track.begin(w.Cursor)
	in.probe, in.probed = rand.Uint64(), time.Now()
	in.group.Go(func() error {
		return in.post(ctx, "/probe?n="+strconv.FormatUint(in.probe, 10), nil)
	})
	in.group.Go(func() error { return in.keepAlive(ctx) })
	in.group.Go(func() error { return in.acknowledge(ctx) })
	in.group.Go(func() error { return in.report(ctx) })
}

// take does what a frame says.
func (in *intake) take(ctx context.Context, f *frame) error {
	switch f.Kind {
	case isEvent:
		return in.event(ctx, f)
	case isBeat:
		in.track.pass(f.Seq)
		in.update(func(s *capture.Link) { s.Seq = max(s.Seq, f.Seq) })
	case isProbe:
		if f.Probe == in.probe {
			in.connected(in.welcome, time.Since(in.probed))
		}
	case isNotice:
		in.notice(f.Text)
	case isTaken:
		return fmt.Errorf("%w: %s", ErrTaken, f.Text)
	case isFarewell:
		return &farewell{f.Text, min(max(f.Retry, 0), time.Minute)}
	case isAttempt:
		in.order(ctx, f)
	}
	return nil
}

// event takes one in: at once, or where its body is large when that is here.
// What follows waits a moment for it, so that events stay in order where the
// network is fast, and not longer, so that a large one holds nothing up where
// it is slow.
func (in *intake) event(ctx context.Context, f *frame) error {
	planned, gap, err := in.plans(ctx, f)
	if err != nil {
		return err
	}
	in.update(func(s *capture.Link) { s.Seq = max(s.Seq, f.Seq) })
	if err := in.track.add(ctx, f.Seq); err != nil {
		return err
	}
	if !f.Apart {
		in.keep(ctx, f, planned, gap)
		return nil
	}
	if gap != nil { // in front of what may overtake this one
		if err := in.Tape.Keep(ctx, &capture.Change{Gap: gap}); err != nil {
			return err
		}
	}
	here := make(chan struct{})
	in.group.Go(func() error {
		defer close(here)
		select {
		case in.fetching <- struct{}{}:
		case <-ctx.Done():
			return ctx.Err()
		}
		defer func() { <-in.fetching }()
		body, err := in.fetch(ctx, f.Event, f.Event.ID)
		if errors.Is(err, errGone) {
			in.log().Error("an event was lost at the relay", "event", f.Event.ID, "err", err)
			in.track.done(f.Seq, nil)
			return nil
		}
		if err != nil {
			return err
		}
		f.Body = body
		in.keep(ctx, f, planned, nil)
		return nil
	})
	select {
	case <-here:
	case <-time.After(overtaken):
	case <-ctx.Done():
	}
	return nil
}

// plans reports whether an event is to be delivered. The first that was missed
// settles how to catch up, and comes with the gap. They are kept together: on a
// full disk, that has room for gaps and not for events, each dial would leave
// another one.
func (in *intake) plans(ctx context.Context, f *frame) (planned bool, gap *capture.Gap, err error) {
	if !f.Missed {
		return true, nil, nil
	}
	if !in.gap {
		w := in.welcome
		g := capture.Gap{From: w.From, To: w.To, Missed: w.Missed, App: in.App, Relay: in.URL}
		mode, err := in.settle(ctx, g)
		if err != nil {
			return false, nil, err
		}
		g.CatchUp = mode.String()
		in.gap, in.mode, gap = true, mode, &g
	}
	return in.mode.Delivers(f.Left, f.Delivered), gap, nil
}

// settle is how to catch up.
func (in *intake) settle(ctx context.Context, g capture.Gap) (capture.CatchUp, error) {
	switch {
	case in.CatchUp != nil:
		return *in.CatchUp, nil
	case in.answered > in.welcome.Cursor: // the connection broke while it caught up
		return in.settled, nil
	case in.Ask == nil || g.Missed <= mostAsked:
		return capture.CatchUp{Mode: capture.CatchUpAll}, nil
	}
	mode, err := in.Ask(ctx, g)
	if err == nil {
		in.settled, in.answered = mode, in.welcome.Head
	}
	return mode, err
}

// keep hands an event to the store, with the gap before it, if there is one,
// and the attempts that follow from it.
func (in *intake) keep(ctx context.Context, f *frame, planned bool, gap *capture.Gap) {
	e := f.Event
	e.Seq = 0
	c := &capture.Change{Event: e, Body: f.Body, Gap: gap}
	sealed := e.Sealed && e.Refused == nil
	if sealed {
		planned = in.open(c) && planned
	} else {
		in.plain.add(e.ID)
	}
	if in.Verify != nil && !c.Event.Sealed && c.Event.Refused == nil {
		in.Verify(c.Event, c.Body)
	}
	if planned && e.Refused == nil {
		c.Attempts = in.Hands.Plan(c.Event, c.Body)
	}
	done := func(err error) { in.track.done(f.Seq, err) }
	if f.Wait <= 0 || !planned || sealed { // what is sealed, the relay is told no answer to
		in.Tape.KeepAsync(c, done)
		return
	}
	in.group.Go(func() error {
		waiting, cancel := context.WithTimeout(ctx, f.Wait)
		defer cancel()
		a := in.Hands.Serve(waiting, c, done)
		return in.answer(ctx, e.ID, a)
	})
}

// answer gives the relay what an event's sender waits for.
func (in *intake) answer(ctx context.Context, id capture.ID, a *capture.Attempt) error {
	b, err := writeAnswer(a)
	if err != nil {
		return err
	}
	err = in.post(ctx, "/answers/"+string(id), b)
	if errors.Is(err, errGone) {
		return nil // it came too late
	}
	return err
}

// order makes an attempt that somebody asked for at the relay.
func (in *intake) order(ctx context.Context, f *frame) {
	if f.Event == nil || f.Attempt == nil {
		return
	}
	in.group.Go(func() (err error) {
		a := f.Attempt
		in.mu.Lock()
		in.ordered[a.ID] = true
		in.mu.Unlock()
		if f.Event.Sealed { // the answer would be for the relay to read
			err = capture.ErrSealed
		} else if f.Apart {
			f.Body, err = in.fetch(ctx, f.Event, a.ID)
		}
		if err == nil {
			err = in.Hands.Try(ctx, f.Text, f.Event, f.Body, a)
		}
		if err != nil {
			in.log().Error("an attempt that was asked for at the relay could not be made", "attempt", a.ID, "err", err)
			a = nil
		}
		return in.answer(ctx, f.Attempt.ID, a)
	})
}

// errGone is returned for what the relay has no more.
var errGone = errors.New("tunnel: the relay has it no more")

// do asks the relay.
func (in *intake) do(ctx context.Context, method, path string, body io.Reader, header ...string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, "http://relay:80"+path, body)
	if err != nil {
		return nil, err
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := in.relay.RoundTrip(req)
	if err != nil {
		return nil, fmt.Errorf("tunnel: %w", err)
	}
	if res.StatusCode/100 == 2 {
		return res, nil
	}
	defer res.Body.Close()
	text, _ := io.ReadAll(io.LimitReader(res.Body, 4<<10))
	switch {
	case path == "/log":
		return nil, refused(res.StatusCode, detail(text))
	case res.StatusCode == http.StatusGone, res.StatusCode == http.StatusNotFound:
		return nil, fmt.Errorf("%w: %s", errGone, detail(text))
	}
	return nil, &unwilling{res.StatusCode, path, detail(text)}
}

// unwilling is a relay that does not do what it is asked to.
type unwilling struct {
	status       int
	path, detail string
}

func (e *unwilling) Error() string {
	return fmt.Sprintf("tunnel: the relay answers %d to %s: %s", e.status, e.path, e.detail)
}

// post tells the relay something.
func (in *intake) post(ctx context.Context, path string, body []byte) error {
	res, err := in.do(ctx, "POST", path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	return res.Body.Close()
}

// fetch is the body of an event that travels apart, or what an attempt at it
// sends; of says which of them. What has come before the
// relay has had enough of a slow link, or the connection broke, is not asked
// for again.
func (in *intake) fetch(ctx context.Context, e *capture.Event, of capture.ID) (body []byte, err error) {
	for had := -1; ; {
		body, err = in.fetchOn(ctx, e, of)
		in.mu.Lock()
		has := len(in.partial[of])
		ended := err == nil || ctx.Err() != nil || has <= had
		if ended && of != e.ID { // nobody asks for that attempt again
			delete(in.partial, of)
		}
		in.mu.Unlock()
		if ended {
			return body, err
		}
		had = max(has, 0)
	}
}

// fetchOn asks for what is not here yet of a body.
func (in *intake) fetchOn(ctx context.Context, e *capture.Event, of capture.ID) (body []byte, err error) {
	in.mu.Lock()
	body = in.partial[of]
	in.mu.Unlock()
	var ask []string
	if len(body) > 0 {
		ask = []string{"Range", fmt.Sprintf("bytes=%d-", len(body))}
	}
	path := "/events/" + string(e.ID) + "/body"
	if of != e.ID {
		path += "?attempt=" + string(of)
	}
	res, err := in.do(ctx, "GET", path, nil, ask...)
	if err == nil || errors.Is(err, errGone) { // else it is good for the next connection
		in.mu.Lock()
		delete(in.partial, of)
		in.mu.Unlock()
	}
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusPartialContent {
		body = nil
	}
	b := bytes.NewBuffer(body)
	_, err = io.Copy(b, io.LimitReader(res.Body, e.Size-int64(len(body))+1))
	switch {
	case err != nil && int64(b.Len()) < e.Size:
		in.mu.Lock()
		if len(in.partial) < mostFetching {
			in.partial[of] = b.Bytes()
		}
		in.mu.Unlock()
		return nil, fmt.Errorf("tunnel: body of %s: %w", e.ID, err)
	case err != nil:
		return nil, fmt.Errorf("tunnel: body of %s: %w", e.ID, err)
	case int64(b.Len()) != e.Size || capture.Sum(b.Bytes()) != e.SHA256:
		return nil, fmt.Errorf("%w: the body of event %s is not its own", errFrame, e.ID)
	}
	return b.Bytes(), nil
}
