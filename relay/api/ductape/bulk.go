package ductape

import (
	"errors"
	"fmt"
	"net/http"

	"code.hooktape.dev/hooktape/capture"
)

// bulk is a file of webhooks with their events, whose tags stand alone.
type bulk struct {
	Version  string         `json:"version"`
	Webhooks []webhookInput `json:"webhooks"`
}

// imported is what was made of one.
type imported struct {
	Webhooks []webhook `json:"webhooks"`
}

func (imported) made() {}

// importBulk makes webhooks with their events: all, or none of a file that is
// wrong or names one that is there.
func (c *call) importBulk(in bulk) (any, error) {
	if in.Version != "1.0" {
		return nil, &capture.FieldError{Field: "version", Problem: fmt.Sprintf("%.20q: want 1.0", in.Version)}
	}
	if len(in.Webhooks) == 0 {
		return nil, &capture.FieldError{Field: "webhooks", Problem: "want one at least"}
	}
	tags := map[string]bool{}
	for i := range in.Webhooks {
		w := &in.Webhooks[i]
		w.Description = first(w.Description, w.Name)
		err := w.wanted(true)
		if err == nil && tags[*w.Tag] {
			err = wrongTag("%q is there twice", *w.Tag)
		}
		if field := new(capture.FieldError); errors.As(err, &field) {
			err = &capture.FieldError{Field: fmt.Sprintf("webhooks[%d].%s", i, field.Field), Problem: field.Problem}
		}
		if err != nil {
			return nil, err
		}
		tags[*w.Tag] = true
		if a, err := c.App(c.r.Context(), *w.Tag); err == nil && !a.Created.IsZero() {
			return nil, &failure{http.StatusConflict, fmt.Sprintf("there is a webhook %s already", *w.Tag)}
		}
	}
	out := imported{}
	for _, w := range in.Webhooks {
		made, err := c.makeWebhook(w)
		if err != nil {
			return nil, err
		}
		out.Webhooks = append(out.Webhooks, made)
	}
	return out, nil
}
