package ductape

import (
	"encoding/json"
	"errors"
	"fmt"

	"code.hooktape.dev/hooktape/capture"
)

// webhook is a webhook as it is served.
type webhook struct {
	ID          string            `json:"_id"` // the tag, which never changes
	Name        string            `json:"name"`
	Tag         string            `json:"tag"`
	Description string            `json:"description"`
	Envs        []json.RawMessage `json:"envs"` // as they came
	Events      []event           `json:"events"`
	Active      bool              `json:"active"`
	Mode        Mode              `json:"mode"`
}

type madeWebhook struct{ webhook }

func (madeWebhook) made() {}

// Mode is how a webhook checks what it takes against the samples of its events.
type Mode string

// The modes. What a sample does not have is worth a warning, or wrong; or
// nothing is checked.
const (
	Lenient Mode = "lenient"
	Strict  Mode = "strict"
	Off     Mode = "off"
)

// Modes are all modes, the usual one first.
var Modes = []Mode{Lenient, Strict, Off}

// check is the mode as an app has it.
func (m Mode) check() capture.CheckMode {
	if m == Off {
		return ""
	}
	return capture.CheckMode(m)
}

func modeOf(c capture.CheckMode) Mode {
	if c == "" {
		return Off
	}
	return Mode(c)
}

// kept is what an app's metadata has of a webhook.
type kept struct {
	Ductape struct {
		Envs []json.RawMessage `json:"envs"`
	} `json:"ductape"`
}

func envsOf(a *capture.App) []json.RawMessage {
	var k kept
	if json.Unmarshal(a.Metadata, &k) != nil || k.Ductape.Envs == nil {
		return []json.RawMessage{}
	}
	return k.Ductape.Envs
}

// createWebhook makes a webhook, with its events where it has some.
func (c *call) createWebhook(in webhookInput) (any, error) {
	if err := in.wanted(false); err != nil {
		return nil, err
	}
	w, err := c.makeWebhook(in)
	return madeWebhook{w}, err
}

func (c *call) makeWebhook(in webhookInput) (w webhook, err error) {
	spec := capture.AppSpec{Name: *in.Name, Description: or(in.Description), Inactive: in.Active != nil && !*in.Active, Check: c.mode(in.Mode)}
	var k kept
	k.Ductape.Envs = in.Envs
	if spec.Metadata, err = json.Marshal(k); err != nil {
		return w, err
	}
	a, err := c.CreateApp(c.r.Context(), *in.Tag, spec)
	if conflict := new(capture.ConflictError); errors.As(err, &conflict) {
		conflict.What = fmt.Sprintf("there is a webhook %s already", *in.Tag)
	}
	if err != nil {
		return w, err
	}
	for _, e := range in.Events {
		if _, err := c.makeEvent(*e.Tag, e); err != nil {
			return w, err
		}
	}
	return c.shownWebhook(&a)
}

// mode is how a new webhook checks what it takes.
func (c *call) mode(said *Mode) capture.CheckMode {
	switch {
	case said != nil:
		return said.check()
	case c.o.Mode != "":
		return c.o.Mode.check()
	}
	return Lenient.check()
}

// ensure makes a webhook unless it is there. An app that has only caught events
// so far becomes one.
func (c *call) ensure(tag string) error {
	a, err := c.App(c.r.Context(), tag)
	spec := capture.AppSpec{Name: tag, Check: c.mode(nil)}
	switch {
	case errors.Is(err, capture.ErrNotFound):
		_, err = c.CreateApp(c.r.Context(), tag, spec)
	case err == nil && a.Created.IsZero():
		_, err = c.UpdateApp(c.r.Context(), tag, json.RawMessage(fmt.Sprintf(`{"name":%q,"check":%q}`, spec.Name, spec.Check)))
	}
	return err
}

func (c *call) shownWebhook(a *capture.App) (webhook, error) {
	types, err := c.eventTypes(a.Slug)
	if err != nil {
		return webhook{}, err
	}
	return webhook{ID: a.Slug, Name: a.Name, Tag: a.Slug, Description: a.Description, Envs: envsOf(a),
		Events: c.shownEvents(types), Active: !a.Inactive, Mode: modeOf(a.Check)}, nil
}

func (c *call) webhooks() (any, error) {
	apps, err := c.Apps(c.r.Context())
	if err != nil {
		return nil, err
	}
	all := []webhook{}
	for i := range apps {
		if apps[i].Created.IsZero() {
			continue // the default app, of which nothing was made
		}
		w, err := c.shownWebhook(&apps[i])
		if err != nil {
			return nil, err
		}
		all = append(all, w)
	}
	return all, nil
}

// app is the app of a webhook.
func (c *call) app(tag string) (capture.App, error) {
	if err := webhookTag(tag); err != nil {
		return capture.App{}, err
	}
	a, err := c.App(c.r.Context(), tag)
	if errors.Is(err, capture.ErrNotFound) {
		err = fmt.Errorf("there is no webhook %q: %w", tag, capture.ErrNotFound)
	}
	return a, err
}

func (c *call) webhook(tag string) (any, error) {
	a, err := c.app(tag)
	if err != nil {
		return nil, err
	}
	return c.shownWebhook(&a)
}

// updateWebhook changes what is named, the environments whole.
func (c *call) updateWebhook(tag string, in webhookInput) (any, error) {
	if _, err := c.app(tag); err != nil {
		return nil, err
	}
	if err := errors.Join(sameTag(tag, in.Tag), in.checked()); err != nil {
		return nil, err
	}
	patch := map[string]any{}
	if in.Name != nil {
		patch["name"] = *in.Name
	}
	if in.Description != nil {
		patch["description"] = *in.Description
	}
	if in.Active != nil {
		patch["inactive"] = !*in.Active
	}
	if in.Mode != nil {
		patch["check"] = in.Mode.check()
	}
	if in.Envs != nil {
		patch["metadata"] = map[string]any{"ductape": map[string]any{"envs": in.Envs}}
	}
	text, err := json.Marshal(patch)
	if err != nil {
		return nil, err
	}
	a, err := c.UpdateApp(c.r.Context(), tag, text)
	if err != nil {
		return nil, err
	}
	return c.shownWebhook(&a)
}

// deleteWebhook deletes a webhook with its events.
func (c *call) deleteWebhook(tag string) (any, error) {
	if _, err := c.app(tag); err != nil {
		return nil, err
	}
	types, err := c.eventTypes(tag)
	if err != nil {
		return nil, err
	}
	for _, t := range types {
		if err := c.DeleteType(c.r.Context(), t.Tag); err != nil && !errors.Is(err, capture.ErrNotFound) {
			return nil, err
		}
	}
	return deleted{tag}, c.DeleteApp(c.r.Context(), tag)
}
