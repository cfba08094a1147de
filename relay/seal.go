package relay

import (
	"context"
	"fmt"
	"net/http"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/seal"
)

// recipients are those to whom what comes for an app is sealed.
func (in *Ingest) recipients(app string) []string {
	if in.SealTo == nil {
		return nil
	}
	return in.SealTo(app)
}

// seal keeps a request that nobody here is to read, and answers its sender. The
// request itself is in memory only, and lasts no longer than that.
func (in *Ingest) seal(ctx context.Context, w http.ResponseWriter, c *capture.Change, to []string, told capture.Answer) {
	e, body, err := seal.Seal(c.Event, c.Body, to)
	if err == nil {
		// The sender may hang up; what came whole is kept all the same.
		err = in.Keep(context.WithoutCancel(ctx), &capture.Change{Event: e, Body: body})
	}
	if err != nil {
		in.unavailable(w, err)
		return
	}
	tell(w, e, told)
}

// SealTo are the recipients to whom a relay seals an app's webhooks; none: it
// does not.
func (r *Registry) SealTo(slug string) []string {
	a, _ := r.made(slug)
	return a.SealTo
}

// readable refuses to make events for a sealed app: they would be kept as they
// are, and there are no endpoints that they could go to.
func (r *Registry) readable(slug string) error {
	if len(r.SealTo(slug)) == 0 {
		return nil
	}
	return fmt.Errorf("the app %q is %w; its endpoints get nothing", slug, capture.ErrSealed)
}

// checkSealTo refuses recipients that cannot be sealed to, and what an app
// cannot do whose webhooks nobody reads.
func checkSealTo(s *capture.AppSpec) error {
	if err := seal.CheckRecipients(s.SealTo); err != nil {
		return &capture.FieldError{Field: "seal_to", Problem: err.Error()}
	}
	switch {
	case len(s.SealTo) == 0:
	case s.Challenges.Enabled:
		return &capture.FieldError{Field: "seal_to", Problem: "challenges are answered by reading them: turn them off first"}
	case s.Answer.Mode == capture.AnswerSync:
		return &capture.FieldError{Field: "seal_to", Problem: "a sealed app's listeners answer no senders: set answer.mode to ack first"}
	}
	return nil
}
