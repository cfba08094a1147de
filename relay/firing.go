package relay

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"code.hooktape.dev/hooktape/capture"
)

// Metadata of a firing's event.
const (
	firedBy    = "caller" // who fired it, or the first of its chain
	firedAfter = "parent" // the event of the firing that it follows
)

// firingAlone is why nobody else has to do with a firing.
const firingAlone = "it is a trigger's firing, which goes to the trigger's target alone"

// FireTrigger makes an event of a call, keeps it, sends it to the trigger's
// target once, and says what came of that; what the target does is no error. It
// returns a *capture.FieldError for a call that does not fit, and
// capture.ErrNotFound, wrapped, for a trigger that is not there, or for chains
// alone. Who hangs up before the end has fired all the same. What follows the
// firing is not waited for.
func (r *Registry) FireTrigger(ctx context.Context, id capture.ID, call capture.TriggerCall) (out capture.TriggerAnswer, err error) {
	t, ok := r.FiredBy(id)
	if !ok || t.Hidden {
		return out, noTrigger(string(id))
	}
	if !r.Delivers(t.App) {
		return out, fmt.Errorf("the app %q is inactive: %w; activate it first", t.App, capture.ErrDisabled)
	}
	if err := r.readable(t.App); err != nil {
		return out, err
	}
	c, err := r.firing(ctx, &t, call)
	if err != nil {
		return out, err
	}
	c.Event.Metadata = map[string]string{firedBy: r.by}
	changed := r.store.Watch(ctx)
	if err := r.store.Keep(context.WithoutCancel(ctx), c); err != nil {
		return out, err
	}
	a, err := r.ended(ctx, c.Attempts[0].ID, changed)
	if err != nil {
		return out, err
	}
	return answered(&a), nil
}

// Follow makes the firings that follow one that has ended.
func (r *Registry) Follow(ctx context.Context, e *capture.Event, body []byte, a *capture.Attempt) (all []*capture.Change, err error) {
	t, ok := r.FiredBy(e.Trigger)
	if !ok || len(t.Next) == 0 {
		return nil, nil
	}
	out := answered(a)
	app := r.triggersOf(t.App)
	for _, step := range t.Next {
		at := slices.IndexFunc(app, func(o capture.Trigger) bool { return o.Name == step.Trigger })
		if at < 0 || !step.Fits(out.Error) {
			continue
		}
		call := capture.TriggerCall{}
		if app[at].TakesData() {
			call.Data = mapped(step.Map, out, body)
		}
		c, err := r.firing(ctx, &app[at], call)
		if err != nil {
			return all, err
		}
		c.Event.Metadata = map[string]string{firedBy: e.Metadata[firedBy], firedAfter: string(e.ID)}
		c.Attempts[0].TriggeredFrom = capture.FromAutomation
		all = append(all, c)
	}
	return all, nil
}

// mapped is the data of a step; see capture.Sequel.
func mapped(members map[string]string, out capture.TriggerAnswer, sent []byte) json.RawMessage {
	if len(members) == 0 {
		return out.Data
	}
	if !json.Valid(sent) || !utf8.Valid(sent) {
		sent = []byte("null")
	}
	doc, err := json.Marshal(struct {
		capture.TriggerAnswer
		Sent json.RawMessage `json:"sent"`
	}{out, sent})
	if err != nil {
		panic(err) // all of it is JSON
	}
	made := make(map[string]any, len(members))
	for name, from := range members {
		made[name] = from
		if !strings.HasPrefix(from, "/") {
			continue
		}
		v, ok := capture.Pointer(from).Read(doc)
		if made[name] = v; !ok {
			made[name] = nil
		}
	}
	b, err := json.Marshal(made)
	if err != nil {
		panic(err)
	}
	return b
}

// firing is the event of a call, with its one pending attempt at what stands for
// the trigger's target. Nothing but what the caller gave is in it.
func (r *Registry) firing(ctx context.Context, t *capture.Trigger, call capture.TriggerCall) (*capture.Change, error) {
	body, headers, err := payload(t, call.Data)
	if err != nil {
		return nil, err
	}
	given, err := slotted(t, call.Headers)
	if err != nil {
		return nil, err
	}
	if given.Has("Content-Type") {
		headers = nil
	}
	query, err := asked(t, call.QueryParams)
	if err != nil {
		return nil, err
	}
	to, err := r.standIn(ctx, t)
	if err != nil {
		return nil, err
	}
	e := &capture.Event{
		ID: capture.NewID(capture.EventID), App: t.App, Type: t.Name, Trigger: t.ID, Origin: capture.FromTrigger,
		Received: time.Now().UTC(), Method: t.Verb(), Target: capture.Raw("/" + query), Proto: "HTTP/1.1",
		Headers: append(headers, given...), Size: int64(len(body)), SHA256: capture.Sum(body),
		Signature: capture.Signature{Verdict: capture.Unsigned},
	}
	a := byHand(e, &to)
	a.As = ""
	return &capture.Change{Event: e, Body: body, Attempts: []*capture.Attempt{a}}, nil
}

// standIn is the endpoint that stands for a trigger's target, which a lane goes
// to. It is asked for once.
func (r *Registry) standIn(ctx context.Context, t *capture.Trigger) (e capture.Endpoint, err error) {
	key := t.App + "\x00" + t.Name
	r.known.mu.RLock()
	e, ok := r.known.standIns[key]
	r.known.mu.RUnlock()
	if ok {
		return e, nil
	}
	if e, err = r.hooks.Target(ctx, t.App, t.Stands()); err != nil {
		return e, err
	}
	r.known.mu.Lock()
	defer r.known.mu.Unlock()
	r.known.standIns[key] = e
	return e, nil
}

// answered is what is told of a finished attempt.
func answered(a *capture.Attempt) capture.TriggerAnswer {
	out := capture.TriggerAnswer{Reference: a.Event, Data: json.RawMessage("{}"), Error: a.Status != capture.AttemptSucceeded}
	if a.Response == nil {
		return out
	}
	out.Status = a.Code
	if b := bytes.TrimSpace(a.Response.Body); len(b) > 0 {
		out.Data = told(b, a.Response)
	}
	return out
}

func told(body []byte, res *capture.Response) json.RawMessage {
	is := struct {
		Body      json.RawMessage `json:"body"`
		Base64    bool            `json:"base64,omitempty"`
		Truncated bool            `json:"truncated,omitempty"`
	}{Truncated: res.Truncated}
	text := utf8.Valid(body)
	if text && json.Valid(body) && !res.Truncated {
		if body[0] == '{' {
			return body
		}
		is.Body = body
	} else {
		var v any = res.Body // base64, in JSON
		if is.Base64 = !text; text {
			v = string(res.Body)
		}
		is.Body, _ = json.Marshal(v) // a text, or bytes
	}
	b, err := json.Marshal(is)
	if err != nil {
		panic(err)
	}
	return b
}
