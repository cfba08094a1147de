package relay

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/match"
)

// Emit keeps an event as the app made it, with its deliveries; see api.Apps.
// An inactive app makes none: capture.ErrDisabled, wrapped.
func (r *Registry) Emit(ctx context.Context, slug string, what capture.Emission) (e capture.Event, fresh bool, err error) {
	change, fresh, err := r.emit(ctx, slug, what)
	if err != nil {
		return e, false, err
	}
	return *change.Event, fresh, nil
}

// Announce is Emit, and says who of the app's endpoints gets the event.
func (r *Registry) Announce(ctx context.Context, slug string, what capture.Emission) (capture.Emitted, error) {
	change, fresh, err := r.emit(ctx, slug, what)
	if err != nil {
		return capture.Emitted{}, err
	}
	out := capture.Emitted{Event: *change.Event, Fresh: fresh}
	if !fresh {
		return out, nil
	}
	planned := map[capture.ID]*capture.Attempt{}
	for _, a := range change.Attempts {
		planned[a.Endpoint] = a
	}
	err = r.registered(context.WithoutCancel(ctx), capture.EndpointQuery{App: slug, Status: capture.EndpointEnabled}, func(e *capture.Endpoint) {
		if a := planned[e.ID]; a != nil {
			out.Deliveries = append(out.Deliveries, a)
		} else if match.Names(e, &out.Event) {
			out.Filtered++
		}
	})
	return out, err
}

func (r *Registry) emit(ctx context.Context, slug string, what capture.Emission) (change *capture.Change, fresh bool, err error) {
	if _, err := r.App(ctx, slug); err != nil {
		return nil, false, err
	}
	if !r.Delivers(slug) {
		return nil, false, fmt.Errorf("the app %q is inactive: %w; activate it first", slug, capture.ErrDisabled)
	}
	if err := r.readable(slug); err != nil {
		return nil, false, err
	}
	if change, err = made(slug, what); err != nil {
		return nil, false, err
	}
	id := change.Event.ID
	change.Key = what.Key
	r.Check(change.Event, change.Body)
	change.Attempts = r.hooks.Plan(change.Event, change.Body)
	// Who hangs up now has made the event all the same.
	if err := r.store.Keep(context.WithoutCancel(ctx), change); err != nil {
		return nil, false, bare(err)
	}
	if change.Event.ID == id {
		return change, true, nil
	}
	row, err := r.store.Event(ctx, change.Event.ID)
	return &capture.Change{Event: &row.Event}, false, err
}

// made is the event that an emission makes.
func made(app string, what capture.Emission) (*capture.Change, error) {
	if err := checkEmission(&what); err != nil {
		return nil, err
	}
	e := &capture.Event{
		ID: capture.NewID(capture.EventID), App: app, Type: what.Type, Source: what.Source, Origin: capture.FromTrigger,
		Received: time.Now().UTC(), Method: "POST", Target: "/", Proto: "HTTP/1.1",
		Headers: capture.Headers{{"Content-Type", "application/json"}},
		Size:    int64(len(what.Data)), SHA256: capture.Sum(what.Data),
		Signature: capture.Signature{Verdict: capture.Unsigned}, Metadata: what.Metadata,
	}
	return &capture.Change{Event: e, Body: what.Data}, nil
}

func checkEmission(what *capture.Emission) error {
	if !name(what.Type, 128) {
		return &capture.FieldError{Field: "event_type", Problem: fmt.Sprintf("%q: want 1 to 128 printable characters, such as order.created", what.Type)}
	}
	if what.Source != "" && !name(what.Source, 512) {
		return &capture.FieldError{Field: "source", Problem: "want up to 512 printable characters"}
	}
	if what.Key != "" && !name(what.Key, 255) {
		return &capture.FieldError{Field: "idempotency_key", Problem: "want up to 255 printable characters"}
	}
	if what.Data = bytes.TrimSpace(what.Data); len(what.Data) == 0 {
		what.Data = json.RawMessage("{}")
	}
	if !json.Valid(what.Data) || !utf8.Valid(what.Data) {
		return &capture.FieldError{Field: "data", Problem: "this is not JSON in UTF-8"}
	}
	if len(what.Metadata) > 50 {
		return &capture.FieldError{Field: "metadata", Problem: "want at most 50 members"}
	}
	for _, key := range sortedKeys(what.Metadata) {
		if len(key)+len(what.Metadata[key]) > 2<<10 {
			return &capture.FieldError{Field: "metadata", Problem: fmt.Sprintf("%.40q: over 2048 bytes", key)}
		}
	}
	return nil
}

// name reports whether s may name something: up to most characters, all of
// which can be seen.
func name(s string, most int) bool {
	return s != "" && utf8.ValidString(s) && utf8.RuneCountInString(s) <= most && strings.TrimSpace(s) == s &&
		!strings.ContainsFunc(s, func(c rune) bool { return !unicode.IsPrint(c) })
}

// TestEndpoint makes an event for one endpoint alone and waits for its
// attempt; see api.Endpoints. When ctx ends before, the attempt is returned as
// it stands.
func (r *Registry) TestEndpoint(ctx context.Context, id capture.ID, what capture.Emission) (a capture.Attempt, err error) {
	row, err := r.store.EndpointRow(ctx, id)
	if err != nil {
		return a, err
	}
	if row.Status == capture.EndpointDeleted {
		return a, fmt.Errorf("endpoint %s is deleted: %w", id, capture.ErrDisabled)
	}
	if err := r.readable(row.App); err != nil {
		return a, err
	}
	what.Type = cmp.Or(what.Type, "test.webhook")
	if len(what.Data) == 0 {
		what.Data = json.RawMessage(`{"test":true}`)
	}
	change, err := made(row.App, what)
	if err != nil {
		return a, err
	}
	changed := r.store.Watch(ctx)
	if err := r.store.Keep(context.WithoutCancel(ctx), change); err != nil {
		return a, err
	}
	sent, err := r.hooks.Resend(ctx, change.Event.ID, capture.Resend{Endpoint: id})
	if err != nil {
		return a, err
	}
	return r.ended(ctx, sent[0].ID, changed)
}

// ended waits for the end of an attempt that was kept since changed is a watch
// of ctx. When ctx ends before, the attempt is returned as it stands.
func (r *Registry) ended(ctx context.Context, id capture.ID, changed <-chan struct{}) (capture.Attempt, error) {
	for {
		a, err := r.store.Attempt(context.WithoutCancel(ctx), id)
		if err != nil || a.Status != capture.AttemptPending {
			return a, err
		}
		if _, ok := <-changed; !ok {
			return a, ctx.Err()
		}
	}
}

// Explain says which registered endpoints of its app an event goes to, and
// what keeps it from the others.
func (r *Registry) Explain(ctx context.Context, event capture.ID) (all []capture.Explanation, err error) {
	row, err := r.store.Event(ctx, event)
	if err != nil {
		return nil, err
	}
	body, err := r.store.Body(ctx, event)
	if err != nil && !errors.Is(err, capture.ErrDamaged) {
		return nil, err
	}
	subject := match.Subject{Row: &capture.Row{Event: row.Event}, Body: func() []byte { return body }} // as it was when it came
	err = r.registered(ctx, capture.EndpointQuery{App: row.App}, func(e *capture.Endpoint) { all = append(all, r.explain(e, subject)) })
	return all, err
}

// registered visits the registered endpoints that q asks for, oldest first.
func (r *Registry) registered(ctx context.Context, q capture.EndpointQuery, visit func(*capture.Endpoint)) error {
	q.Limit = 500
	for {
		rows, err := r.store.EndpointRows(ctx, q)
		if err != nil {
			return err
		}
		for i := range rows {
			if rows[i].Status != "" {
				visit(&rows[i].Endpoint)
			}
		}
		if len(rows) < q.Limit {
			return nil
		}
		q.Cursor = rows[len(rows)-1].ID
	}
}

func (r *Registry) explain(e *capture.Endpoint, s match.Subject) capture.Explanation {
	x := capture.Explanation{Endpoint: e.ID, App: e.App, URL: e.URL, Status: e.Status}
	if s.Row.Refused != nil {
		x.Why = append(x.Why, "the request was refused, and there is nothing to send")
	}
	if s.Row.Trigger != "" {
		x.Why = append(x.Why, firingAlone)
	}
	if !r.Delivers(e.App) {
		x.Why = append(x.Why, fmt.Sprintf("the app %s is inactive", e.App))
	}
	if e.Status != capture.EndpointEnabled {
		x.Why = append(x.Why, strings.TrimSuffix(fmt.Sprintf("it is %s by the %s: %s", e.Status, e.DisabledBy, e.DisabledAs), ": "))
	}
	if s.Row.Sealed {
		x.Why = append(x.Why, "the event is sealed: endpoints get none that is")
		return x
	}
	wants, err := match.Subscribe(&e.EndpointSpec)
	if err != nil {
		x.Why = append(x.Why, err.Error())
		return x
	}
	for _, miss := range wants.Explain(s) {
		x.Why = append(x.Why, miss.String())
	}
	x.Matches = len(x.Why) == 0
	return x
}
