package blocklet

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"time"
	"unicode/utf8"

	"code.hooktape.dev/hooktape/capture"
)

// attempt is a WebhookAttemptState, and one WithEndpointEventState. What it
// takes further reads to know is resolved when it is asked for.
type attempt struct {
	ID, EventID, WebhookID, Status string
	ResponseStatus, RetryCount     value
	CreatedAt, UpdatedAt           value
	TriggeredBy, TriggeredFrom     string

	o   Options
	row capture.Attempt
}

func (o Options) attempt(a capture.Attempt) *attempt {
	created := a.ID.Time()
	updated := created
	if !a.Started.IsZero() {
		updated = a.Started.Add(time.Duration(a.Duration))
	}
	retries := a.Number - 1
	if o.FromOne {
		retries++
	}
	return &attempt{
		ID: string(a.ID), EventID: string(a.Event), WebhookID: string(a.Endpoint), Status: string(a.Status),
		ResponseStatus: of(a.Code), RetryCount: of(retries),
		CreatedAt: o.time(created), UpdatedAt: o.time(updated),
		TriggeredBy: a.TriggeredBy, TriggeredFrom: a.TriggeredFrom, o: o, row: a,
	}
}

// ResponseBody is JSON where it is that, else text, and {} where there is none.
func (a *attempt) ResponseBody(ctx context.Context) (*value, error) {
	whole, err := a.whole(ctx)
	if err != nil || whole.Response == nil || len(whole.Response.Body) == 0 {
		return some(object{}), err
	}
	return some(readable(whole.Response.Body)), nil
}

// whole is the attempt with what went over the wire.
func (a *attempt) whole(ctx context.Context) (whole capture.Attempt, err error) {
	if a.row.Status == capture.AttemptPending {
		return a.row, nil
	}
	c := callOf(ctx)
	if whole, err = c.Attempt(ctx, a.row.ID); err != nil {
		return whole, worded(err)
	}
	n := 0
	if whole.Response != nil {
		n = len(whole.Response.Body)
	}
	if whole.Request != nil {
		n += len(whole.Request.Made)
	}
	return whole, c.spend(int64(n))
}

// Endpoint is the endpoint as it is now, and null once it is deleted.
func (a *attempt) Endpoint(ctx context.Context) (*endpoint, error) {
	c := callOf(ctx)
	row, err := c.Engine.Endpoint(ctx, a.row.Endpoint)
	if err != nil || row.Status == "" || row.Status == capture.EndpointDeleted {
		return nil, unlessGone(err)
	}
	return a.o.endpoint(&row), c.spend(0)
}

// Event is the event, and null where it is not kept any longer.
func (a *attempt) Event(ctx context.Context) (*kept, error) {
	c := callOf(ctx)
	row, err := c.Engine.Event(ctx, a.row.Event)
	if err != nil {
		return nil, unlessGone(err)
	}
	return a.event(row), c.spend(0)
}

// unlessGone is an error, but for that of what is not there.
func unlessGone(err error) error {
	if errors.Is(err, capture.ErrNotFound) || errors.Is(err, capture.ErrBadID) {
		return nil
	}
	return worded(err)
}

// GetWebhookAttempts is a page of attempts at a team's endpoints, newest first.
func (r *root) GetWebhookAttempts(ctx context.Context, a args) (*listing[*attempt], error) {
	c, app, all, err := r.team(ctx, a, false, errMissingTeam)
	if err != nil {
		return nil, err
	}
	about, ok := all.sub("input")
	if !ok {
		about = all
	}
	page, size := all.paged()
	q := capture.AttemptQuery{App: app, Event: capture.ID(about.text("eventId")), Endpoint: capture.ID(about.text("webhookId")), Limit: size}
	found, total, err := c.AttemptPage(ctx, q, (page-1)*size)
	if unlessGone(err) != nil {
		return nil, worded(err)
	}
	list := []*attempt{}
	for _, row := range found {
		list = append(list, r.o.attempt(row))
	}
	return &listing[*attempt]{"ok", list, pages(page, size, total)}, c.spend(int64(total) * 16)
}

// RetryWebhookAttempt makes a new attempt of the event at the endpoint, pending
// until it is sent, which is soon.
func (r *root) RetryWebhookAttempt(ctx context.Context, a args) (*reply[*attempt], error) {
	c, app, all, err := r.team(ctx, a, true, errMissing)
	if err != nil {
		return nil, err
	}
	event, at, old := capture.ID(all.text("eventId")), all.text("webhookId"), capture.ID(all.text("attemptId"))
	if event == "" || at == "" || old == "" {
		return nil, errMissing
	}
	row, err := c.within(ctx, app, at)
	if err == errNoEndpoint {
		return nil, errNoAttempt
	}
	if err != nil {
		return nil, err
	}
	was, err := c.Attempt(ctx, old)
	switch {
	case unlessGone(err) != nil:
		return nil, worded(err)
	case err != nil || was.Event != event || was.Endpoint != row.ID:
		return nil, errNoAttempt
	case row.Status != capture.EndpointEnabled:
		return nil, errDisabled
	}
	made, err := c.Resend(ctx, event, capture.Resend{Endpoint: row.ID, Attempt: old})
	if err != nil {
		return nil, worded(err)
	}
	return &reply[*attempt]{"ok", r.o.attempt(*made[0])}, nil
}

// readable is a body as JSON: itself where it is that, else text, else base64.
func readable(body []byte) any {
	switch {
	case !utf8.Valid(body):
		return map[string]string{"base64": base64.StdEncoding.EncodeToString(body)}
	case json.Valid(body):
		return json.RawMessage(body)
	}
	return string(body)
}
