package relay

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/catalog"
	catalogspec "code.hooktape.dev/hooktape/capture/catalog/spec"
	"code.hooktape.dev/hooktape/capture/fill"
)

// Types are the event types there are, by tag: of one app or provider, or of
// all where that is "". One that was made goes before a built-in one.
func (r *Registry) Types(ctx context.Context, app string) ([]capture.EventType, error) {
	made, err := r.madeTypes(ctx)
	if err != nil {
		return nil, err
	}
	own := make(map[string]bool, len(made))
	for _, t := range made {
		own[t.Tag] = true
	}
	types := made
	for _, t := range catalog.Builtin() {
		if !own[t.Tag] {
			t.Builtin = true
			types = append(types, t)
		}
	}
	types = slices.DeleteFunc(types, func(t capture.EventType) bool { return app != "" && !strings.HasPrefix(t.Tag, app+":") })
	slices.SortFunc(types, func(a, b capture.EventType) int { return strings.Compare(a.Tag, b.Tag) })
	return types, nil
}

// Type is one event type. It returns capture.ErrNotFound, wrapped with what may
// have been meant, where there is none.
func (r *Registry) Type(ctx context.Context, tag string) (capture.EventType, error) {
	types, err := r.madeTypes(ctx)
	if err != nil {
		return capture.EventType{}, err
	}
	if i := slices.IndexFunc(types, func(t capture.EventType) bool { return t.Tag == tag }); i >= 0 {
		return types[i], nil
	}
	if t, ok := catalog.Lookup(tag); ok {
		t.Builtin = true
		return t, nil
	}
	near := catalog.Near(tag)
	own := make([]string, len(types))
	for i, t := range types {
		own[i] = t.Tag
	}
	if meant := capture.Nearest(tag, own); meant != "" {
		near = append([]string{meant}, near...)
	}
	like := ""
	if len(near) > 0 {
		like = fmt.Sprintf("; did you mean %s?", strings.Join(near, " or "))
	}
	return capture.EventType{}, fmt.Errorf("there is no event type %q%s: %w", tag, like, capture.ErrNotFound)
}

// madeTypes are the event types that were made, with all members of their
// samples: the store leaves out what is empty.
func (r *Registry) madeTypes(ctx context.Context) ([]capture.EventType, error) {
	types, err := r.store.Types(ctx)
	for i := range types {
		types[i].Sample = types[i].Sample.Whole()
	}
	return types, err
}

// CreateType makes an event type: of what the spec says, or of an event that
// was kept where from names one, whose sample it then is unless the spec has
// another. A body that is left out is made by the schema. A tag that is none is
// a *capture.FieldError, one that was made already a *capture.ConflictError.
func (r *Registry) CreateType(ctx context.Context, tag string, spec capture.EventTypeSpec, from capture.ID) (capture.EventType, error) {
	if from != "" {
		if err := r.sampled(ctx, &spec, from); err != nil {
			return capture.EventType{}, err
		}
	}
	made, err := newType(tag, spec)
	if err != nil {
		return capture.EventType{}, err
	}
	t, err := r.store.EditType(ctx, tag, func(t *capture.EventType, found bool) error {
		if found {
			return &capture.ConflictError{Field: "tag", With: tag, What: fmt.Sprintf("tag: there is an event type %q already", tag)}
		}
		*t = made
		return nil
	})
	r.known.kinds.forget(tag)
	return t, bare(err)
}

// newType is an event type as a spec has it, at its tag. A body that is left out is made by
// the schema.
func newType(tag string, spec capture.EventTypeSpec) (t capture.EventType, err error) {
	if _, _, ok := capture.SplitTag(tag); !ok {
		return t, &capture.FieldError{Field: "tag", Problem: fmt.Sprintf("%q: want app:event, such as shop:order.paid; the first half as an app's slug is written", tag)}
	}
	spec.Sample = spec.Sample.Whole()
	if len(spec.Sample.Body) == 0 && len(spec.Schema) > 0 && string(spec.Schema) != "null" {
		if spec.Sample.Body, err = catalogspec.Example(spec.Schema, 1, fill.Escape); err != nil {
			return t, &capture.FieldError{Field: "schema", Problem: strings.TrimPrefix(err.Error(), "spec: ")}
		}
	}
	err = checkType(&spec)
	now := time.Now().UTC()
	return capture.EventType{Tag: tag, EventTypeSpec: spec, Created: now, Updated: now}, err
}

// sampled fills in what a spec leaves out from an event that was kept.
func (r *Registry) sampled(ctx context.Context, spec *capture.EventTypeSpec, from capture.ID) error {
	row, err := r.store.Event(ctx, from)
	if err != nil {
		return err
	}
	switch {
	case row.Refused != nil:
		return capture.ErrRefused
	case row.Sealed:
		return capture.ErrSealed
	}
	body, err := r.store.Body(ctx, from)
	if err != nil {
		return err
	}
	if spec.Provider == "" {
		spec.Provider = row.Provider
	}
	if spec.Name == "" {
		spec.Name = row.Type
	}
	if spec.Sample.Empty() {
		spec.Sample, err = catalog.FromEvent(&row.Event, body, fill.Escape)
	}
	return err
}

// UpdateType changes what the patch names; the sample's body and the schema it
// replaces whole, for they are documents of their own. A built-in one cannot be changed:
// that is a *capture.ConflictError.
func (r *Registry) UpdateType(ctx context.Context, tag string, patch json.RawMessage) (capture.EventType, error) {
	t, err := r.Type(ctx, tag)
	if err != nil {
		return t, err
	}
	if t.Builtin {
		return t, builtin(tag)
	}
	t, err = r.store.EditType(ctx, tag, func(t *capture.EventType, found bool) error {
		if !found {
			return capture.ErrNotFound
		}
		spec := t.EventTypeSpec
		if err := merge(&spec, patch); err != nil {
			return err
		}
		replaceDocuments(&spec, patch)
		if err := checkType(&spec); err != nil {
			return err
		}
		t.EventTypeSpec, t.Updated = spec, time.Now().UTC()
		return nil
	})
	r.known.kinds.forget(tag)
	return t, bare(err)
}

// replaceDocuments puts the patch's body and schema in place of what a merge
// made of them: null is a value in them, and the order of members counts.
func replaceDocuments(spec *capture.EventTypeSpec, patch json.RawMessage) {
	var said struct {
		Sample struct{ Body json.RawMessage }
		Schema json.RawMessage
	}
	if json.Unmarshal(patch, &said) != nil {
		return // merging it has said so
	}
	if len(said.Sample.Body) > 0 {
		spec.Sample.Body = said.Sample.Body
	}
	if len(said.Schema) > 0 && string(said.Schema) != "null" {
		spec.Schema = said.Schema
	}
}

// DeleteType forgets an event type that was made. A built-in one stays: that is
// a *capture.ConflictError.
func (r *Registry) DeleteType(ctx context.Context, tag string) error {
	t, err := r.Type(ctx, tag)
	if err != nil {
		return err
	}
	if t.Builtin {
		return builtin(tag)
	}
	err = r.store.RemoveType(ctx, tag)
	r.known.kinds.forget(tag)
	return bare(err)
}

func builtin(tag string) error {
	return &capture.ConflictError{Field: "tag", With: tag, What: fmt.Sprintf("%s came with hooktape and stays as it is; an event type that you create under the same tag goes before it", tag)}
}

// mostSample is how many bytes a sample, and a schema, may have.
const mostSample = 1 << 20

// checkType refuses what cannot be sent, and fills in the members that are left
// out.
func checkType(s *capture.EventTypeSpec) error {
	if err := length("name", s.Name, 200); err != nil {
		return err
	}
	if err := length("description", s.Description, 10_000); err != nil {
		return err
	}
	if err := length("group", s.Group, 200); err != nil {
		return err
	}
	if len(s.Sample.Body) > mostSample || len(s.Schema) > mostSample {
		return &capture.FieldError{Field: "sample.body", Problem: "want 1 MiB at most, and as much of schema"}
	}
	if len(s.Selector) == 0 && len(s.SelectorValue) > 0 {
		return &capture.FieldError{Field: "selector_value", Problem: "want a selector, which says where it is to stand"}
	}
	if s.Provider != "" && !capture.IsSlug(s.Provider) {
		return &capture.FieldError{Field: "provider", Problem: fmt.Sprintf("%q: want a provider's name, such as github", s.Provider)}
	}
	s.Sample = s.Sample.Whole()
	filled, err := filledSample(&s.Sample)
	if err != nil {
		return err
	}
	if _, _, err := selects(s, filled.Body); err != nil {
		return err
	}
	_, _, err = catalog.Request(filled)
	if wrong := new(capture.FieldError); errors.As(err, &wrong) {
		wrong.Field = "sample." + wrong.Field
	}
	return err
}
