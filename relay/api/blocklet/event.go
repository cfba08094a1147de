package blocklet

import (
	"cmp"
	"context"
	"encoding/json"

	"code.hooktape.dev/hooktape/capture"
)

// kept is a WebhookEventState: an event, as one attempt has to do with it.
type kept struct {
	ID, Type, APIVersion, Source   string
	Metadata, CreatedAt, UpdatedAt value

	row     capture.Row
	attempt *attempt
}

// Members of an event's metadata in which it is kept what publishers say.
const (
	metaObjectType = "object_type"
	metaObjectID   = "object_id"
	metaVersion    = "api_version"
)

func (a *attempt) event(row capture.Row) *kept {
	meta := row.Metadata
	if meta == nil {
		meta = map[string]string{}
	}
	return &kept{
		ID: string(row.ID), Type: row.Type, APIVersion: cmp.Or(meta[metaVersion], apiVersion), Source: row.Source,
		Metadata: of(meta), CreatedAt: a.o.time(row.Received), UpdatedAt: a.o.time(row.Received),
		row: row, attempt: a,
	}
}

// Data is the event's body.
func (k *kept) Data(ctx context.Context) (*value, error) {
	body, err := k.body(ctx)
	if err != nil || len(body) == 0 {
		return some(object{}), err
	}
	return some(readable(body)), nil
}

func (k *kept) body(ctx context.Context) ([]byte, error) {
	c := callOf(ctx)
	if err := c.spend(k.row.Size); err != nil {
		return nil, err
	}
	body, err := c.Body(ctx, k.row.ID)
	return body, worded(err)
}

// ObjectType is the kind of thing that the event is about, or "".
func (k *kept) ObjectType(ctx context.Context) (*string, error) { return k.said(ctx, metaObjectType) }

// ObjectID names what the event is about, or is "".
func (k *kept) ObjectID(ctx context.Context) (*string, error) { return k.said(ctx, metaObjectID) }

// said is a member of the event's metadata, or else a text in its data.
func (k *kept) said(ctx context.Context, name string) (*string, error) {
	s, ok := k.row.Metadata[name]
	if ok || k.row.Size == 0 {
		return &s, nil
	}
	body, err := k.body(ctx)
	var data map[string]any
	if err == nil && json.Unmarshal(body, &data) == nil {
		s, _ = data[name].(string)
	}
	return &s, err
}

// Request is the body that the attempt was made with, and {} while it has not
// been.
func (k *kept) Request(ctx context.Context) (*value, error) {
	whole, err := k.attempt.whole(ctx)
	if err != nil || whole.Request == nil {
		return some(object{}), err
	}
	if whole.Request.Made == "" { // it was sent as it came
		return k.Data(ctx)
	}
	return some(readable([]byte(whole.Request.Made))), nil
}

// PendingWebhooks is at how many endpoints the event waits for an attempt.
func (k *kept) PendingWebhooks(ctx context.Context) (*value, error) {
	if s := k.row.Outcome.State; s != capture.Pending && s != capture.Retrying {
		return some(0), nil
	}
	c := callOf(ctx)
	waiting, err := c.Attempts(ctx, capture.AttemptQuery{Event: k.row.ID, Status: capture.AttemptPending, Limit: 10_000})
	at := map[capture.ID]bool{}
	for _, a := range waiting {
		at[a.Endpoint] = true
	}
	if err != nil {
		return nil, worded(err)
	}
	return some(len(at)), c.spend(int64(len(waiting)) << 10)
}
