package ductape

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"code.hooktape.dev/hooktape/capture"
)

// webhookInput is a webhook as a caller has it. What is nil was not said.
type webhookInput struct {
	Name        *string           `json:"name"`
	Tag         *string           `json:"tag"`
	Description *string           `json:"description"`
	Envs        []json.RawMessage `json:"envs"`
	Events      []eventInput      `json:"events"`
	Active      *bool             `json:"active"`
	Mode        *Mode             `json:"mode"`
}

// env is what is judged of an environment of a webhook. All of it is kept and
// served as it came.
type env struct {
	Slug   string  `json:"slug"`
	URL    *string `json:"registration_url"`
	Method *string `json:"method"`
}

var envMethods = []string{"GET", "POST", "PUT", "PATCH", "DELETE"}

// checked refuses what no webhook can be.
func (in *webhookInput) checked() error {
	if in.Mode != nil && !slices.Contains(Modes, *in.Mode) {
		return &capture.FieldError{Field: "mode", Problem: fmt.Sprintf("%.20q: want lenient, strict or off", *in.Mode)}
	}
	slugs := map[string]bool{}
	for i, text := range in.Envs {
		var e env
		field := fmt.Sprintf("envs[%d]", i)
		if err := json.Unmarshal(text, &e); err != nil {
			return &capture.FieldError{Field: field, Problem: "want an object {slug, registration_url, method, sample}"}
		}
		switch {
		case !capture.IsSlug(e.Slug):
			return &capture.FieldError{Field: field + ".slug", Problem: fmt.Sprintf("%.80q: want a slug, such as prd", e.Slug)}
		case slugs[e.Slug]:
			return &capture.FieldError{Field: field + ".slug", Problem: fmt.Sprintf("%q is there twice", e.Slug)}
		case e.Method != nil && !slices.Contains(envMethods, *e.Method):
			return &capture.FieldError{Field: field + ".method", Problem: fmt.Sprintf("%.20q: want one of %s", *e.Method, strings.Join(envMethods, ", "))}
		}
		slugs[e.Slug] = true
	}
	return nil
}

// wanted refuses a new webhook that lacks what each must have, and events that
// it cannot have. Those of an import may be less than others.
func (in *webhookInput) wanted(imported bool) error {
	if or(in.Tag) == "" {
		return required("tag")
	}
	if err := webhookTag(*in.Tag); err != nil {
		return err
	}
	if err := named(in.Name, in.Description); err != nil {
		return err
	}
	if len(in.Envs) == 0 {
		return &capture.FieldError{Field: "envs", Problem: "want one at least, such as {slug: prd}"}
	}
	tags := map[string]bool{}
	for i := range in.Events {
		e := &in.Events[i]
		within := func(err error) error {
			if field := new(capture.FieldError); errors.As(err, &field) {
				return &capture.FieldError{Field: fmt.Sprintf("events[%d].%s", i, field.Field), Problem: field.Problem}
			}
			return err
		}
		tag, err := eventTag(*in.Tag, or(e.Tag))
		if err != nil {
			return within(err)
		}
		if tags[tag] {
			return within(wrongTag("%q is there twice", tag))
		}
		if tags[tag], e.Tag = true, &tag; imported {
			e.Description = first(e.Description, e.Name)
			if e.Sample == nil {
				e.Sample = &sampleInput{}
			}
		}
		if err := e.wanted(); err != nil {
			return within(err)
		}
	}
	return in.checked()
}

// first is the first of those that were said.
func first(all ...*string) *string {
	for _, s := range all {
		if s != nil && *s != "" {
			return s
		}
	}
	return nil
}
