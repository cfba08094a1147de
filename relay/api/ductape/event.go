package ductape

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"code.hooktape.dev/hooktape/capture"
)

// eventInput is an event as a caller has it. What is nil was not said.
type eventInput struct {
	Name          *string         `json:"name"`
	Tag           *string         `json:"tag"`
	Description   *string         `json:"description"`
	Sample        *sampleInput    `json:"sample"`
	Selector      *string         `json:"selector"`
	SelectorValue json.RawMessage `json:"selectorValue"`
}

// event is an event as it is served.
type event struct {
	ID            string          `json:"_id"` // the tag, which never changes
	Name          string          `json:"name"`
	Tag           string          `json:"tag"`
	Description   string          `json:"description"`
	Sample        any             `json:"sample"`
	SampleData    []descriptor    `json:"sample_data"`
	Selector      string          `json:"selector,omitempty"`
	SelectorValue json.RawMessage `json:"selectorValue,omitempty"`
}

type madeEvent struct{ event }

func (madeEvent) made() {}

func (c *call) shownEvent(t *capture.EventType) event {
	sample := shown(t.Sample)
	e := event{ID: t.Tag, Name: t.Name, Tag: t.Tag, Description: t.Description, Sample: sample, SampleData: describe(sample.Body),
		Selector: t.Selector, SelectorValue: t.SelectorValue}
	if c.bare && len(sample.Headers)+len(sample.Query)+len(sample.Params) == 0 {
		e.Sample = sample.Body
	}
	return e
}

// wanted refuses an event that lacks what each must have.
func (in *eventInput) wanted() error {
	if err := named(in.Name, in.Description); err != nil {
		return err
	}
	if in.Sample == nil {
		return required("sample")
	}
	return nil
}

// named refuses what has no name or no description.
func named(name, description *string) error {
	switch {
	case or(name) == "":
		return required("name")
	case or(description) == "":
		return required("description")
	}
	return nil
}

func required(member string) error {
	return &capture.FieldError{Field: member, Problem: "it is required"}
}

// createEvent makes an event of a webhook, which is made too where it is not
// there: the document's first example has none before.
func (c *call) createEvent(webhook string, in eventInput) (any, error) {
	if or(in.Tag) == "" {
		return nil, required("tag")
	}
	tag, err := eventTag(webhook, *in.Tag)
	if err != nil {
		return nil, err
	}
	if err := in.wanted(); err != nil {
		return nil, err
	}
	t, err := c.makeEvent(tag, in)
	if err != nil {
		return nil, err
	}
	whose, _, _ := strings.Cut(tag, ":")
	if err := c.ensure(whose); err != nil {
		return nil, err
	}
	return madeEvent{c.shownEvent(&t)}, nil
}

// makeEvent makes the event type of an event.
func (c *call) makeEvent(tag string, in eventInput) (capture.EventType, error) {
	spec := capture.EventTypeSpec{Name: or(in.Name), Description: or(in.Description), Selector: or(in.Selector), SelectorValue: said(in.SelectorValue)}
	if in.Sample != nil {
		spec.Sample = in.Sample.literal()
	}
	t, err := c.CreateType(c.r.Context(), tag, spec, "")
	if conflict := new(capture.ConflictError); errors.As(err, &conflict) {
		conflict.What = fmt.Sprintf("there is an event %s already", tag)
	}
	return t, err
}

// updateEvent changes what is named, the sample whole.
func (c *call) updateEvent(tag string, in eventInput) (any, error) {
	t, err := c.eventType(tag)
	if err != nil {
		return nil, err
	}
	if err := sameTag(tag, in.Tag); err != nil {
		return nil, err
	}
	patch := map[string]any{}
	for name, v := range map[string]*string{"name": in.Name, "description": in.Description, "selector": in.Selector} {
		if v != nil {
			patch[name] = *v
		}
	}
	if in.Sample != nil {
		patch["sample"] = in.Sample.patch(t.Sample)
	}
	if len(in.SelectorValue) > 0 {
		patch["selector_value"] = in.SelectorValue
	}
	text, err := json.Marshal(patch)
	if err != nil {
		return nil, err
	}
	if t, err = c.UpdateType(c.r.Context(), tag, text); err != nil {
		return nil, err
	}
	return c.shownEvent(&t), nil
}

// events are those of a webhook, by tag.
func (c *call) events(webhook string) (any, error) {
	if err := webhookTag(webhook); err != nil {
		return nil, err
	}
	types, err := c.eventTypes(webhook)
	if err != nil {
		return nil, err
	}
	if _, err := c.app(webhook); err != nil && len(types) == 0 {
		return nil, err
	}
	return c.shownEvents(types), nil
}

func (c *call) shownEvents(types []capture.EventType) []event {
	all := make([]event, len(types))
	for i := range types {
		all[i] = c.shownEvent(&types[i])
	}
	return all
}

func (c *call) event(tag string) (any, error) {
	t, err := c.eventType(tag)
	if err != nil {
		return nil, err
	}
	return c.shownEvent(&t), nil
}

func (c *call) deleteEvent(tag string) (any, error) {
	if _, err := c.eventType(tag); err != nil {
		return nil, err
	}
	return deleted{tag}, c.DeleteType(c.r.Context(), tag)
}

// deleted is what is said of what is no longer there.
type deleted struct {
	Tag string `json:"tag"`
}

// eventTypes are those that were made for a webhook, or for all.
func (c *call) eventTypes(webhook string) ([]capture.EventType, error) {
	types, err := c.Types(c.r.Context(), webhook)
	return slices.DeleteFunc(types, func(t capture.EventType) bool { return t.Builtin }), err
}

// eventType is the one of a tag, if it was made. Elsewhere tags may hold more
// than here, and can be read.
func (c *call) eventType(tag string) (capture.EventType, error) {
	if _, _, ok := capture.SplitTag(tag); !ok {
		_, err := eventTag("", tag)
		return capture.EventType{}, err
	}
	t, err := c.Type(c.r.Context(), tag)
	if t.Builtin || errors.Is(err, capture.ErrNotFound) {
		return t, fmt.Errorf("there is no event %q: %w", tag, capture.ErrNotFound)
	}
	return t, err
}

// or is what was said, or "".
func or(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// said is a value that was given: null is none.
func said(v json.RawMessage) json.RawMessage {
	if string(v) == "null" {
		return nil
	}
	return v
}
