package api

import (
	"context"
	"net/url"
	"time"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/match"
)

// tellChanges sends a record "changed" after anything has: facts, and also what
// is no fact, such as an endpoint. It sends no more than twenty a second. With
// an app, it does so for the app's facts behind after, and nothing else: of
// what is no fact the feed does not say whose it is.
func tellChanges(ctx context.Context, s Source, changed <-chan struct{}, after uint64, app string, send func(capture.Record) error) error {
	for range changed {
		if app != "" {
			next, found, err := passed(ctx, s, after, app)
			if err != nil {
				return err
			}
			if after = next; !found {
				continue
			}
		}
		if err := send(capture.NewRecord("changed")); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
		case <-time.After(50 * time.Millisecond):
		}
	}
	return nil
}

// passed reads the facts behind after to their end, and reports whether any is
// of an event of the app.
func passed(ctx context.Context, s Source, after uint64, app string) (next uint64, found bool, err error) {
	for {
		facts, err := s.Facts(ctx, after, batch)
		if err != nil {
			return after, found, err
		}
		for _, f := range facts {
			after, found = f.Seq, found || wants(ctx, s, f, new(match.Predicate), app)
		}
		if len(facts) < batch {
			return after, found, nil
		}
	}
}

// Watch is the change feed of the far store: capacity 1, lossy, closed when
// ctx is done or the owner is gone.
func (c *Client) Watch(ctx context.Context) <-chan struct{} {
	changed := make(chan struct{}, 1)
	go func() {
		defer close(changed)
		c.stream(ctx, url.Values{"watch": {"1"}}, func(capture.Record) error { // how it ended does not matter: closing says so
			select {
			case changed <- struct{}{}:
			default:
			}
			return nil
		})
	}()
	return changed
}
