package ductape

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"code.hooktape.dev/hooktape/capture"
)

// What a product wants of a webhook is an endpoint of its app, of which the
// metadata says whose it is.

// productInput is what a product says of a webhook. Documents of several years
// name it and the environment in one of these ways.
type productInput struct {
	Access  string   `json:"access_tag"`
	Webhook *string  `json:"webhook_tag"`
	Short   *string  `json:"webhook"`
	Event   *string  `json:"event"` // webhook:event
	Envs    []target `json:"envs"`
	target           // of one environment
}

// target is where a product wants a webhook in one of its environments.
type target struct {
	Slug   *string `json:"slug"`
	Env    *string `json:"env"`
	Older  *string `json:"product_env"`
	URL    string  `json:"url"`
	Method string  `json:"method"`
}

// registration is what an endpoint's metadata has of one.
type registration struct {
	Product string `json:"product"`
	Access  string `json:"access_tag"`
	Env     string `json:"env"`
	Method  string `json:"method,omitempty"`
}

type registrationKept struct {
	Ductape registration `json:"ductape"`
}

// registered is a webhook with what a product has registered of it.
type registered struct {
	Tag    string   `json:"tag"`
	Name   string   `json:"name"`
	Config []config `json:"config"`
}

type config struct {
	ProductEnv string     `json:"productEnv"`
	AppEnv     string     `json:"appEnv"`
	URL        string     `json:"url"`
	Method     string     `json:"method"`
	UUID       capture.ID `json:"uuid"`
	Active     bool       `json:"active"` // something was delivered
}

// link is the address at which a webhook is taken.
type link struct {
	Link string `json:"link"`
}

// webhookOf is the app of the webhook that a product speaks of.
func (c *call) webhookOf(in *productInput) (capture.App, error) {
	tag := first(in.Webhook, in.Short, in.Event)
	if tag == nil {
		return capture.App{}, required("webhook_tag")
	}
	whose, _, _ := strings.Cut(*tag, ":")
	return c.app(whose)
}

// generateLink is the address at which a provider is to send a webhook. With a
// URL, what is taken there goes on to it.
func (c *call) generateLink(product string, in productInput) (any, error) {
	a, err := c.webhookOf(&in)
	if err != nil {
		return nil, err
	}
	if in.URL != "" {
		if err := c.register(product, a.Slug, &in, in.target); err != nil {
			return nil, err
		}
	}
	url, err := c.Ingest(c.r.Context(), a.Slug)
	return link{url}, err
}

// enable says where a product wants a webhook in each of its environments.
func (c *call) enable(product string, in productInput) (any, error) {
	a, err := c.webhookOf(&in)
	if err != nil {
		return nil, err
	}
	if len(in.Envs) == 0 {
		return nil, required("envs")
	}
	for _, t := range in.Envs {
		if err := c.register(product, a.Slug, &in, t); err != nil {
			return nil, err
		}
	}
	return c.registered(product, in.Access, a.Slug)
}

// register makes the endpoint of an environment, or moves it to another URL.
func (c *call) register(product, webhook string, in *productInput, t target) error {
	env := first(t.Slug, t.Env, t.Older)
	if env == nil {
		return required("env")
	}
	spec := capture.EndpointSpec{URL: t.URL, Description: fmt.Sprintf("%s in %s", product, *env)}
	r := registration{product, in.Access, *env, t.Method}
	var err error
	if spec.Metadata, err = json.Marshal(registrationKept{r}); err != nil {
		return err
	}
	rows, err := c.endpoints(webhook)
	if err != nil {
		return err
	}
	for i := range rows {
		if old, ok := registrationOf(&rows[i]); ok && old.Product == r.Product && old.Access == r.Access && old.Env == r.Env {
			patch, err := json.Marshal(map[string]any{"url": t.URL, "metadata": spec.Metadata})
			if err == nil {
				_, err = c.UpdateEndpoint(c.r.Context(), rows[i].ID, patch)
			}
			return err
		}
	}
	_, err = c.CreateEndpoint(c.r.Context(), webhook, spec)
	return err
}

func registrationOf(e *capture.EndpointRow) (registration, bool) {
	var k registrationKept
	err := json.Unmarshal(e.Metadata, &k)
	return k.Ductape, err == nil && k.Ductape.Product != ""
}

// endpoints are the registered ones of a webhook, or of all.
func (c *call) endpoints(webhook string) (all []capture.EndpointRow, err error) {
	q := capture.EndpointQuery{App: webhook, Limit: 500}
	for {
		rows, err := c.Endpoints(c.r.Context(), q)
		if err != nil {
			return nil, err
		}
		if all = append(all, rows...); len(rows) < q.Limit {
			return all, nil
		}
		q.Cursor = rows[len(rows)-1].ID
	}
}

// registered are the webhooks of which a product has registered something, over
// one access tag or all, and only the one where that is named.
func (c *call) registered(product, access, webhook string) ([]registered, error) {
	rows, err := c.endpoints(webhook)
	if err != nil {
		return nil, err
	}
	all, at := []registered{}, map[string]int{}
	for i := range rows {
		r, ok := registrationOf(&rows[i])
		if !ok || r.Product != product || access != "" && r.Access != access {
			continue
		}
		tag := rows[i].App
		if _, known := at[tag]; !known {
			a, err := c.App(c.r.Context(), tag)
			if err != nil && !errors.Is(err, capture.ErrNotFound) {
				return nil, err
			}
			at[tag] = len(all)
			all = append(all, registered{Tag: tag, Name: a.Name})
		}
		w := &all[at[tag]]
		w.Config = append(w.Config, config{r.Env, r.Env, rows[i].URL, r.Method, rows[i].ID, !rows[i].Health.LastSuccess.IsZero()})
	}
	return all, nil
}
