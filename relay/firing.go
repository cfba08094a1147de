package relay

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
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

// payload is what is sent of data, and the headers that say what it is.
func payload(t *capture.Trigger, data json.RawMessage) ([]byte, capture.Headers, error) {
	wrong := func(format string, args ...any) ([]byte, capture.Headers, error) {
		return nil, nil, &capture.FieldError{Field: "data", Problem: fmt.Sprintf(format, args...)}
	}
	data = bytes.TrimSpace(data)
	if len(data) == 0 || string(data) == "null" {
		return nil, nil, nil
	}
	if !json.Valid(data) || !utf8.Valid(data) {
		return wrong("this is not JSON in UTF-8")
	}
	var text string
	isText := json.Unmarshal(data, &text) == nil
	switch {
	case !isText && data[0] != '{':
		return wrong("want a text or an object")
	case !t.TakesData() && (isText && text == "" || !isText && len(bytes.TrimSpace(data[1:len(data)-1])) == 0):
		return nil, nil, nil
	case !t.TakesData():
		return wrong("a %s takes none", t.Verb())
	case t.Encoding != "":
		raw, err := base64.StdEncoding.DecodeString(text)
		if !isText || err != nil {
			return wrong("want the bytes to send as a text in base64")
		}
		return raw, nil, nil
	case isText:
		return []byte(text), nil, nil
	}
	for name := range t.Headers {
		if strings.EqualFold(name, "Content-Type") && t.Headers[name] != "" {
			return data, nil, nil
		}
	}
	return data, capture.Headers{{"Content-Type", "application/json"}}, nil
}

// slotted is what a caller gives for the slots among a trigger's headers. Of those
// that have a value the caller's counts for nothing.
func slotted(t *capture.Trigger, given map[string]json.RawMessage) (h capture.Headers, err error) {
	var slots []string                             // in lower case, as Meant wants them
	own := make(map[string]string, len(t.Headers)) // by lower case
	for _, name := range sortedKeys(t.Headers) {
		own[strings.ToLower(name)] = name
		if t.Headers[name] == "" {
			slots = append(slots, strings.ToLower(name))
		}
	}
	seen, values := map[string]bool{}, map[string]string{}
	for _, name := range sortedKeys(given) {
		field := "headers." + name
		as, ok := own[strings.ToLower(name)]
		if !ok {
			return nil, &capture.FieldError{Field: field, Problem: "it takes no such header" + capture.Meant("; did you mean %q?", name, slots)}
		}
		if seen[as] {
			return nil, &capture.FieldError{Field: field, Problem: "is there twice, in another case"}
		}
		seen[as] = true
		text, err := scalar(field, given[name])
		if err != nil {
			return nil, err
		}
		if t.Headers[as] == "" && text != "" {
			values[as] = text
			h = append(h, capture.Header{as, text})
		}
	}
	return h, checkValues(values)
}

// checkValues refuses header values that cannot be sent. Their names are those
// of a trigger, and were checked with it.
func checkValues(values map[string]string) error {
	size := 0
	for _, name := range sortedKeys(values) {
		v := values[name]
		if size += len(v); size > 16<<10 {
			return &capture.FieldError{Field: "headers", Problem: "want at most 16 KiB of them"}
		}
		if strings.TrimSpace(v) != v || strings.ContainsFunc(v, func(c rune) bool { return c < ' ' && c != '\t' || c == 0x7f }) {
			return &capture.FieldError{Field: "headers." + name, Problem: "want a value of one line, without control characters or blanks around it"}
		}
	}
	return nil
}

// asked is the query that a caller gives, behind its question mark; "" where
// that is none.
func asked(t *capture.Trigger, given map[string]json.RawMessage) (string, error) {
	query := url.Values{}
	for _, name := range sortedKeys(given) {
		field := "query_params." + name
		if !slices.Contains(t.QueryParams, name) {
			return "", &capture.FieldError{Field: field, Problem: "it takes no such parameter" + capture.Meant("; did you mean %q?", name, t.QueryParams)}
		}
		if string(bytes.TrimSpace(given[name])) == "null" {
			continue
		}
		text, err := scalar(field, given[name])
		if err != nil {
			return "", err
		}
		query.Set(name, text)
	}
	made := strings.ReplaceAll(query.Encode(), "+", "%20")
	if len(made) > 16<<10 {
		return "", &capture.FieldError{Field: "query_params", Problem: "want at most 16 KiB of them"}
	}
	if made != "" {
		made = "?" + made
	}
	return made, nil
}

// scalar is the text of a JSON text, number, true or false.
func scalar(field string, v json.RawMessage) (string, error) {
	v = bytes.TrimSpace(v)
	var text string
	switch {
	case len(v) == 0 || !json.Valid(v) || v[0] == '{' || v[0] == '[' || v[0] == 'n':
		return "", &capture.FieldError{Field: field, Problem: "want a text, a number, true or false"}
	case v[0] != '"':
		return string(v), nil
	}
	err := json.Unmarshal(v, &text)
	return text, err
}

// answered is what is told of a finished attempt.
func answered(a *capture.Attempt) capture.TriggerAnswer {
	out := capture.TriggerAnswer{Reference: a.Event, Data: json.RawMessage("{}"), Error: a.Status != capture.AttemptSucceeded || a.Code >= http.StatusBadRequest}
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
