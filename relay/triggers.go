package relay

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"code.hooktape.dev/hooktape/capture"
)

// Bounds of triggers and chains. A firing leads to no more others than
// mostSteps, in chains no longer than mostDeep.
const (
	mostTriggers = 10_000
	mostNext     = 8
	mostDeep     = 16
	mostSteps    = 64
)

// Triggers are those of an app, by their names; of "" all. They are masked.
func (r *Registry) Triggers(_ context.Context, app string) ([]capture.Trigger, error) {
	all := []capture.Trigger{}
	for _, t := range r.triggersOf(app) {
		all = append(all, t.Masked())
	}
	return all, nil
}

// Trigger is one trigger, masked. It returns capture.ErrNotFound, wrapped, where
// there is none.
func (r *Registry) Trigger(_ context.Context, id capture.ID) (capture.Trigger, error) {
	t, ok := r.FiredBy(id)
	if !ok {
		return t, noTrigger(string(id))
	}
	return t.Masked(), nil
}

// FiredBy is a trigger with all that it sends: for who makes its firings.
func (r *Registry) FiredBy(id capture.ID) (capture.Trigger, bool) {
	r.known.mu.RLock()
	defer r.known.mu.RUnlock()
	t, ok := r.known.triggers[id]
	return t, ok
}

func noTrigger(name string) error {
	return fmt.Errorf("there is no trigger %q: %w", name, capture.ErrNotFound)
}

// triggersOf are those of an app, by their names, with all that they send.
func (r *Registry) triggersOf(app string) (all []capture.Trigger) {
	r.known.mu.RLock()
	defer r.known.mu.RUnlock()
	for _, t := range r.known.triggers {
		if app == "" || t.App == app {
			all = append(all, t)
		}
	}
	slices.SortFunc(all, func(a, b capture.Trigger) int { return cmp.Or(cmp.Compare(a.App, b.App), cmp.Compare(a.Name, b.Name)) })
	return all
}

// CreateTrigger registers a trigger of an app. It is a *capture.ConflictError
// when the app has one of that name.
func (r *Registry) CreateTrigger(ctx context.Context, app string, spec capture.TriggerSpec) (capture.Trigger, error) {
	if _, err := r.App(ctx, app); err != nil {
		return capture.Trigger{}, err
	}
	return r.putTrigger(ctx, capture.NewID(capture.TriggerID), func(t *capture.Trigger, _ bool) error {
		now := time.Now().UTC()
		t.App, t.TriggerSpec, t.Created, t.CreatedBy = app, spec, now, r.by
		return nil
	})
}

// UpdateTrigger changes what the patch names. A URL and header values that are
// masked, as reads have them, stay as they are.
func (r *Registry) UpdateTrigger(ctx context.Context, id capture.ID, patch json.RawMessage) (capture.Trigger, error) {
	return r.putTrigger(ctx, id, func(t *capture.Trigger, found bool) error {
		if !found {
			return noTrigger(string(id))
		}
		seen, spec := t.Masked(), t.TriggerSpec
		if err := merge(&spec, patch); err != nil {
			return err
		}
		if spec.URL == seen.URL {
			spec.URL = t.URL
		}
		for name, value := range spec.Headers {
			if value == seen.Headers[name] {
				spec.Headers[name] = t.Headers[name]
			}
		}
		t.TriggerSpec = spec
		return nil
	})
}

// putTrigger keeps what change makes of a trigger, if it and all chains of its
// app may be so.
func (r *Registry) putTrigger(ctx context.Context, id capture.ID, change func(t *capture.Trigger, found bool) error) (capture.Trigger, error) {
	none := capture.Trigger{}
	r.known.chains.Lock()
	defer r.known.chains.Unlock()
	t, found := r.FiredBy(id)
	was := t.Name
	if err := change(&t, found); err != nil {
		return none, err
	}
	if err := r.checkTrigger(&t.TriggerSpec); err != nil {
		return none, err
	}
	t.ID, t.Updated, t.UpdatedBy = id, time.Now().UTC(), r.by
	others := slices.DeleteFunc(r.triggersOf(t.App), func(o capture.Trigger) bool { return o.ID == id })
	if by := leadsTo(others, was); by != "" && was != t.Name {
		return none, followed(id, was, by)
	}
	if err := checkChains(others, &t); err != nil {
		return none, err
	}
	kept, err := r.store.EditTrigger(ctx, id, func(to *capture.Trigger, _ bool) error {
		*to = t
		return nil
	})
	if err != nil {
		return none, err
	}
	r.known.mu.Lock()
	defer r.known.mu.Unlock()
	r.known.triggers[id] = kept
	return kept.Masked(), nil
}

// DeleteTrigger forgets a trigger. It is a *capture.ConflictError while another
// leads to it.
func (r *Registry) DeleteTrigger(ctx context.Context, id capture.ID) error {
	r.known.chains.Lock()
	defer r.known.chains.Unlock()
	t, ok := r.FiredBy(id)
	if !ok {
		return noTrigger(string(id))
	}
	if by := leadsTo(r.triggersOf(t.App), t.Name); by != "" {
		return followed(id, t.Name, by)
	}
	return r.forgetTrigger(ctx, id)
}

func (r *Registry) forgetTrigger(ctx context.Context, id capture.ID) error {
	if err := r.store.RemoveTrigger(ctx, id); err != nil {
		return err
	}
	r.known.mu.Lock()
	defer r.known.mu.Unlock()
	delete(r.known.triggers, id)
	return nil
}

func (r *Registry) forgetTriggers(ctx context.Context, app string) error {
	r.known.chains.Lock()
	defer r.known.chains.Unlock()
	for _, t := range r.triggersOf(app) {
		if err := r.forgetTrigger(ctx, t.ID); err != nil {
			return err
		}
	}
	return nil
}

// checkTrigger refuses what a trigger cannot be, with a *capture.FieldError.
func (r *Registry) checkTrigger(s *capture.TriggerSpec) error {
	field := func(name, format string, args ...any) error {
		return &capture.FieldError{Field: name, Problem: fmt.Sprintf(format, args...)}
	}
	if !name(s.Name, 128) {
		return field("name", "%q: want 1 to 128 printable characters, such as send-invoice", s.Name)
	}
	if strings.HasPrefix(strings.ToLower(s.Name), capture.TriggerID) || strings.ContainsAny(s.Name, "/?#%") {
		return field("name", "%q: want one without any of /?#%%, and that does not begin as an id", s.Name)
	}
	if err := length("description", s.Description, 2000); err != nil {
		return err
	}
	if s.Method = strings.ToUpper(s.Method); s.Method != "" && !slices.Contains(capture.TriggerMethods, s.Method) {
		return field("method", "%q: want one of %s", s.Method, strings.Join(capture.TriggerMethods, ", "))
	}
	if s.Encoding != "" && s.Encoding != capture.Encoded {
		return field("encoding", "%q: want base64, or nothing", s.Encoding)
	}
	if s.Encoding != "" && !s.TakesData() {
		return field("encoding", "a firing by %s has no data", s.Method)
	}
	if strings.Contains(s.URL, capture.HiddenSecret) {
		return field("url", "it is masked, as reads have it: give it whole")
	}
	for _, h := range sortedKeys(s.Headers) {
		if strings.Contains(s.Headers[h], capture.HiddenSecret) {
			return field("headers."+h, "it is masked, as reads have it: give it whole")
		}
	}
	if err := r.hooks.Check(capture.EndpointSpec{URL: s.URL, Headers: s.Headers}); err != nil {
		return err
	}
	if len(s.QueryParams) > 100 {
		return field("query_params", "%d of them: want 100 at most", len(s.QueryParams))
	}
	for i, p := range s.QueryParams {
		if !name(p, 128) || slices.Contains(s.QueryParams[:i], p) {
			return field(fmt.Sprintf("query_params[%d]", i), "%q: want names of 1 to 128 printable characters, each once", p)
		}
	}
	if s.Timeout < 0 || s.Timeout > capture.Duration(2*time.Minute) {
		return field("timeout_ms", "want up to 120000, or 0 for 15000")
	}
	if len(s.Next) > mostNext {
		return field("next", "%d steps: want %d at most", len(s.Next), mostNext)
	}
	for i, step := range s.Next {
		at := fmt.Sprintf("next[%d].", i)
		if step.When != "" && !slices.Contains(capture.Whens, step.When) {
			return field(at+"when", "%q: want one of %s", step.When, joined(capture.Whens))
		}
		size := 0
		for _, member := range sortedKeys(step.Map) {
			size += len(member) + len(step.Map[member])
		}
		if size > 16<<10 {
			return field(at+"map", "%d bytes: want 16384 at most", size)
		}
	}
	return nil
}
