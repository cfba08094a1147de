package tunnel

import (
	"context"
	"fmt"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/provider"
	"code.hooktape.dev/hooktape/capture/seal"
)

// open puts what a sealed event holds in its place, and reports whether that
// could be done. One that no key opens is kept as it is.
func (in *intake) open(c *capture.Change) bool {
	e, body, err := seal.Open(c.Event, c.Body, in.Keys)
	if err == nil {
		provider.Describe(e, body)
		c.Event, c.Body = e, body
		return true
	}
	in.log().Debug("kept sealed, not delivered", "err", err)
	in.shut.Do(func() {
		in.notice(fmt.Sprintf("%v. It is kept, and not delivered; whose key would open it cannot be told. "+
			"hooktape keygen makes a key, and hooktape apps update %s --seal-to age1… at the relay seals to it what comes from then on.", err, in.App))
	})
	return false
}

// concealed is a report that tells the relay nothing of what an event held that
// came sealed: the path it was sent to, its type, or what an error says.
func (in *intake) concealed(ctx context.Context, r report) report {
	if in.plain.has(r.Attempt.Event) {
		return r
	}
	row, err := in.Tape.Event(ctx, r.Attempt.Event)
	if err == nil && !row.Opened {
		return r
	}
	a := &r.Attempt // of an event that was removed meanwhile, too: who knows
	r.Attempt = capture.Attempt{
		ID: a.ID, Event: a.Event, Endpoint: a.Endpoint, Delivery: a.Delivery, Number: a.Number, Status: a.Status, URL: r.Target,
		TriggeredBy: a.TriggeredBy, TriggeredFrom: a.TriggeredFrom, Started: a.Started, Duration: a.Duration, Code: a.Code, Final: a.Final,
	}
	if a.Error != nil {
		r.Attempt.Error = &capture.Failure{Class: a.Error.Class}
	}
	return r
}
