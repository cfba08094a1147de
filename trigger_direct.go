package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/safe"
	"code.hooktape.dev/hooktape/capture/sign"
	"code.hooktape.dev/hooktape/relay"
	"code.hooktape.dev/hooktape/relay/answer"
)

// direct makes the events here, with the secrets that are known here, and sends
// them past the store; or shows the first, where that is all that is wanted.
func (o *triggerOptions) direct(ctx context.Context, e *env, t *capture.EventType) error {
	sampler, err := o.sampler(t)
	if err != nil {
		return err
	}
	if o.dryRun {
		ev, body, err := sampler.Make(o.f.App)
		if err != nil {
			return err
		}
		o.warn(e, ev)
		row := capture.Row{Event: *ev}
		if o.json {
			return writeWhole(e.stdout, row, body)
		}
		w := bufio.NewWriter(e.stdout)
		writeEvent(w, &row, body, width(e.stdout))
		return w.Flush()
	}
	target, err := answer.ParseTarget(o.f.To)
	if err != nil {
		return err
	}
	if o.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, max(time.Duration(o.timeout), time.Duration(float64(o.burst.Count)/max(o.burst.Rate, 1)*2*float64(time.Second))))
		defer cancel()
	}
	began := time.Now()
	first := func(ev *capture.Event) { o.warn(e, ev) }
	sent, failed, err := shoot(ctx, sampler, &answer.Forward{Target: target}, o.f.App, o.burst.Count, o.burst.Rate, first)
	took := time.Since(began)
	fmt.Fprintf(e.stderr, "%d sent in %s, %.0f a second: %d succeeded, %d failed; nothing was kept\n", sent, took.Round(time.Millisecond), float64(sent)/took.Seconds(), sent-failed.n, failed.n)
	switch {
	case err != nil:
		return err
	case e.interrupted():
		return errInterrupted
	case failed.n > 0:
		return fmt.Errorf("%d of %d attempts failed, the first: %s", failed.n, sent, failed.first)
	}
	return nil
}

// warn says that nothing was signed where one would expect it.
func (o *triggerOptions) warn(e *env, first *capture.Event) {
	if o.lacksSecret(first) {
		fmt.Fprintf(e.stderr, "Not signed: no secret for %s is known to this command, which is not told those of apps. Give it with --secret\n", safe.Line(first.Provider))
	}
}

// sampler makes events of t with the secrets of this process.
func (o *triggerOptions) sampler(t *capture.EventType) (*relay.Sampler, error) {
	book, err := openBook(slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, err
	}
	f := o.f
	f.Count = 0
	return relay.NewSampler(t, &f, func(provider string, s *sign.Scheme) []sign.Secret {
		return relay.SecretsOf(book.Secrets(), provider, s)
	})
}

// failures are attempts that failed.
type failures struct {
	n     int
	first string
}

// shoot makes count events, no faster than rate a second, and sends them a few
// at a time. first is shown the first.
func shoot(ctx context.Context, s *relay.Sampler, to *answer.Forward, app string, count int, rate float64, first func(*capture.Event)) (sent int, failed failures, err error) {
	type shot struct {
		e    *capture.Event
		body []byte
	}
	defer to.Close()
	shots := make(chan shot, 64) // closed by its only writer
	var done atomic.Int64
	var mu sync.Mutex // guards failed
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		defer close(shots)
		began := time.Now()
		for i := range count {
			e, body, err := s.Make(app)
			if err != nil {
				return err
			}
			if i == 0 {
				first(e)
			}
			if rate > 0 {
				select {
				case <-time.After(time.Until(began.Add(time.Duration(float64(i) / rate * float64(time.Second))))):
				case <-ctx.Done():
					return nil
				}
			}
			select {
			case shots <- shot{e, body}:
			case <-ctx.Done():
				return nil
			}
		}
		return nil
	})
	for range max(8, 4*runtime.GOMAXPROCS(0)) {
		g.Go(func() error {
			for s := range shots {
				a := &capture.Attempt{Number: 1}
				to.Send(ctx, s.e, s.body, a)
				done.Add(1)
				if a.Status == capture.AttemptSucceeded {
					continue
				}
				mu.Lock()
				if failed.n++; failed.n == 1 {
					failed.first = a.Error.Message
				}
				mu.Unlock()
			}
			return nil
		})
	}
	err = g.Wait()
	if err == nil && errors.Is(ctx.Err(), context.DeadlineExceeded) {
		err = errors.New("the time was up before all was sent; --timeout gives more")
	}
	return int(done.Load()), failed, err
}
