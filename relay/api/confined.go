package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"code.hooktape.dev/hooktape/capture"
)

// confined is an engine of one app. Every method of Engine is here, and asks
// whose a thing is before it hands it on; of what is another's it says what it
// says of what is not there.
type confined struct {
	all engine
	s   *Server
	app string
}

var _ Engine = (*confined)(nil)

// its returns capture.ErrNotFound, wrapped, for another app than the caller's.
func (c *confined) its(app string) error {
	if app != "" && app != c.app {
		return noApp(app)
	}
	return nil
}

func (c *confined) owns(ctx context.Context, noun string, id capture.ID) error {
	if id == "" {
		return nil
	}
	return c.s.own(ctx, c.app, noun, string(id))
}

// only runs f where it is about the caller's app.
func only[T any](err error, f func() (T, error)) (out T, _ error) {
	if err != nil {
		return out, err
	}
	return f()
}

func (c *confined) Apps(ctx context.Context) ([]capture.App, error) {
	a, err := c.all.App(ctx, c.app)
	return []capture.App{a}, err
}

func (c *confined) App(ctx context.Context, slug string) (capture.App, error) {
	return only(c.its(slug), func() (capture.App, error) { return c.all.App(ctx, slug) })
}

func (c *confined) CreateApp(context.Context, string, capture.AppSpec) (capture.App, error) {
	return capture.App{}, &problem{Status: http.StatusForbidden, Code: "app",
		Detail: fmt.Sprintf("The token is bound to the app %q, and cannot create another.", c.app)}
}

func (c *confined) UpdateApp(ctx context.Context, slug string, patch json.RawMessage) (capture.App, error) {
	if err := c.its(slug); err != nil {
		return capture.App{}, err
	}
	return only(c.s.pointing(ctx, c.app, patch), func() (capture.App, error) { return c.all.UpdateApp(ctx, slug, patch) })
}

// pointing refuses a patch that points an app to another catalog than its own:
// whoever is bound to the app cannot see what is in others.
func (s *Server) pointing(ctx context.Context, app string, patch json.RawMessage) error {
	var members map[string]json.RawMessage
	if json.Unmarshal(patch, &members) != nil {
		return nil // merging it says so
	}
	a, err := s.Registry.App(ctx, app)
	for name, v := range members {
		var slug string
		if !strings.EqualFold(name, "catalog") || json.Unmarshal(v, &slug) != nil { // as decoding takes it
			continue
		}
		if err == nil && slug != "" && slug != app && slug != a.Catalog {
			return noCatalog(slug)
		}
	}
	return err
}

func (c *confined) DeleteApp(ctx context.Context, slug string) error {
	if err := c.its(slug); err != nil {
		return err
	}
	return c.all.DeleteApp(ctx, slug)
}

func (c *confined) RotateSecret(ctx context.Context, slug string, overlap time.Duration) (capture.App, error) {
	return only(c.its(slug), func() (capture.App, error) { return c.all.RotateSecret(ctx, slug, overlap) })
}

func (c *confined) RotateIngestKey(ctx context.Context, slug string, overlap time.Duration) (capture.App, error) {
	return only(c.its(slug), func() (capture.App, error) { return c.all.RotateIngestKey(ctx, slug, overlap) })
}

func (c *confined) Emit(ctx context.Context, slug string, what capture.Emission) (e capture.Event, fresh bool, err error) {
	if err := c.its(slug); err != nil {
		return e, false, err
	}
	return c.all.Emit(ctx, slug, what)
}

func (c *confined) Announce(ctx context.Context, slug string, what capture.Emission) (capture.Emitted, error) {
	return only(c.its(slug), func() (capture.Emitted, error) { return c.all.Announce(ctx, slug, what) })
}

func (c *confined) SigningSecret(ctx context.Context, slug string) (string, error) {
	return only(c.its(slug), func() (string, error) { return c.all.SigningSecret(ctx, slug) })
}

// Catalogs are the one that the app points to, and the one of its own name.
func (c *confined) Catalogs(ctx context.Context) ([]capture.CatalogRow, error) {
	a, err := c.all.App(ctx, c.app)
	if err != nil {
		return nil, err
	}
	all, err := c.all.Catalogs(ctx)
	return slices.DeleteFunc(all, func(row capture.CatalogRow) bool { return row.Slug != a.Catalog && row.Slug != c.app }), err
}

func (c *confined) Catalog(ctx context.Context, slug string) (row capture.CatalogRow, err error) {
	all, err := c.Catalogs(ctx)
	if err != nil {
		return row, err
	}
	if i := slices.IndexFunc(all, func(row capture.CatalogRow) bool { return row.Slug == slug }); i >= 0 {
		return all[i], nil
	}
	return row, noCatalog(slug)
}

// owned returns capture.ErrNotFound, wrapped, but for the catalog of the app's
// own name: another may be that of other apps too.
func (c *confined) owned(slug string) error {
	if slug == c.app {
		return nil
	}
	return noCatalog(slug)
}

func noCatalog(slug string) error {
	return fmt.Errorf("there is no catalog %q: %w", slug, capture.ErrNotFound)
}

func (c *confined) CreateCatalog(ctx context.Context, slug string, spec capture.CatalogSpec, types []capture.EventType) (row capture.CatalogRow, err error) {
	if slug != c.app {
		return row, &problem{Status: http.StatusForbidden, Code: "app",
			Detail: fmt.Sprintf("The token is bound to the app %q, and can create the catalog of that name only.", c.app)}
	}
	return c.all.CreateCatalog(ctx, slug, spec, types)
}

func (c *confined) UpdateCatalog(ctx context.Context, slug string, patch json.RawMessage) (capture.CatalogRow, error) {
	return only(c.owned(slug), func() (capture.CatalogRow, error) { return c.all.UpdateCatalog(ctx, slug, patch) })
}

func (c *confined) DeleteCatalog(ctx context.Context, slug string) error {
	if err := c.owned(slug); err != nil {
		return err
	}
	err := c.all.DeleteCatalog(ctx, slug)
	if clash := new(capture.ConflictError); errors.As(err, &clash) && clash.With != c.app {
		return &capture.ConflictError{What: fmt.Sprintf("another app points to the catalog %q", slug)}
	}
	return err
}

func (c *confined) AddTypes(ctx context.Context, slug string, types []capture.EventType) (capture.CatalogRow, error) {
	return only(c.owned(slug), func() (capture.CatalogRow, error) { return c.all.AddTypes(ctx, slug, types) })
}

func (c *confined) Subscribable(ctx context.Context, slug string, subs []capture.Subscription) error {
	if err := c.its(slug); err != nil {
		return err
	}
	return c.all.Subscribable(ctx, slug, subs)
}

func (c *confined) Endpoints(ctx context.Context, q capture.EndpointQuery) ([]capture.EndpointRow, error) {
	return only(c.its(q.App), func() ([]capture.EndpointRow, error) {
		q.App = c.app
		return c.all.Endpoints(ctx, q)
	})
}

func (c *confined) Endpoint(ctx context.Context, id capture.ID) (capture.EndpointRow, error) {
	return only(c.owns(ctx, capture.EndpointID, id), func() (capture.EndpointRow, error) { return c.all.Endpoint(ctx, id) })
}

func (c *confined) CreateEndpoint(ctx context.Context, app string, spec capture.EndpointSpec) (capture.Endpoint, error) {
	return only(c.its(app), func() (capture.Endpoint, error) { return c.all.CreateEndpoint(ctx, c.app, spec) })
}

func (c *confined) CreateDisabled(ctx context.Context, app string, spec capture.EndpointSpec, why string) (capture.Endpoint, error) {
	return only(c.its(app), func() (capture.Endpoint, error) { return c.all.CreateDisabled(ctx, c.app, spec, why) })
}

func (c *confined) UpdateEndpoint(ctx context.Context, id capture.ID, patch json.RawMessage) (capture.Endpoint, error) {
	return only(c.owns(ctx, capture.EndpointID, id), func() (capture.Endpoint, error) { return c.all.UpdateEndpoint(ctx, id, patch) })
}

func (c *confined) SetEndpoint(ctx context.Context, id capture.ID, status capture.EndpointStatus, why string) (capture.Endpoint, error) {
	return only(c.owns(ctx, capture.EndpointID, id), func() (capture.Endpoint, error) { return c.all.SetEndpoint(ctx, id, status, why) })
}

func (c *confined) RotateEndpointSecret(ctx context.Context, id capture.ID, overlap time.Duration) (capture.Endpoint, error) {
	return only(c.owns(ctx, capture.EndpointID, id), func() (capture.Endpoint, error) { return c.all.RotateEndpointSecret(ctx, id, overlap) })
}

func (c *confined) TestEndpoint(ctx context.Context, id capture.ID, what capture.Emission) (capture.Attempt, error) {
	return only(c.owns(ctx, capture.EndpointID, id), func() (capture.Attempt, error) { return c.all.TestEndpoint(ctx, id, what) })
}

func (c *confined) Explain(ctx context.Context, event capture.ID) ([]capture.Explanation, error) {
	return only(c.owns(ctx, capture.EventID, event), func() ([]capture.Explanation, error) { return c.all.Explain(ctx, event) })
}

func (c *confined) Stats(ctx context.Context, q capture.StatsQuery) (capture.Stats, error) {
	return only(c.counted(ctx, &q), func() (capture.Stats, error) { return c.all.Stats(ctx, q) })
}

func (c *confined) Timeseries(ctx context.Context, q capture.StatsQuery) (capture.Timeseries, error) {
	return only(c.counted(ctx, &q), func() (capture.Timeseries, error) { return c.all.Timeseries(ctx, q) })
}

func (c *confined) counted(ctx context.Context, q *capture.StatsQuery) error {
	if err := c.its(q.App); err != nil {
		return err
	}
	q.App = c.app
	return c.owns(ctx, capture.EndpointID, q.Endpoint)
}

// Types are those of the app, and what is built in.
func (c *confined) Types(ctx context.Context, app string) ([]capture.EventType, error) {
	types, err := c.all.Types(ctx, app)
	return slices.DeleteFunc(types, func(t capture.EventType) bool { return !t.Builtin && c.tagged(t.Tag) != nil }), err
}

// tagged returns capture.ErrNotFound, wrapped, for an event type of another app.
func (c *confined) tagged(tag string) error {
	if whose, _, _ := capture.SplitTag(tag); whose == c.app {
		return nil
	}
	return noType(tag)
}

func (c *confined) Type(ctx context.Context, tag string) (capture.EventType, error) {
	t, err := c.all.Type(ctx, tag)
	if !t.Builtin && c.tagged(tag) != nil {
		return capture.EventType{}, noType(tag)
	}
	return t, err
}

func (c *confined) CreateType(ctx context.Context, tag string, spec capture.EventTypeSpec, from capture.ID) (t capture.EventType, err error) {
	if err := c.tagged(tag); err != nil {
		return t, err
	}
	return only(c.owns(ctx, capture.EventID, from), func() (capture.EventType, error) { return c.all.CreateType(ctx, tag, spec, from) })
}

func (c *confined) UpdateType(ctx context.Context, tag string, patch json.RawMessage) (capture.EventType, error) {
	return only(c.tagged(tag), func() (capture.EventType, error) { return c.all.UpdateType(ctx, tag, patch) })
}

func (c *confined) DeleteType(ctx context.Context, tag string) error {
	if err := c.tagged(tag); err != nil {
		return err
	}
	return c.all.DeleteType(ctx, tag)
}

func (c *confined) Fire(ctx context.Context, tag string, f capture.Firing) (fired capture.Fired, err error) {
	if err := c.its(f.App); err != nil {
		return fired, err
	}
	if _, err := c.Type(ctx, tag); err != nil {
		return fired, err
	}
	f.App = c.app
	return c.all.Fire(ctx, tag, f)
}

func (c *confined) Triggers(ctx context.Context, app string) ([]capture.Trigger, error) {
	return only(c.its(app), func() ([]capture.Trigger, error) { return c.all.Triggers(ctx, c.app) })
}

func (c *confined) Trigger(ctx context.Context, id capture.ID) (capture.Trigger, error) {
	return only(c.owns(ctx, capture.TriggerID, id), func() (capture.Trigger, error) { return c.all.Trigger(ctx, id) })
}

func (c *confined) CreateTrigger(ctx context.Context, app string, spec capture.TriggerSpec) (capture.Trigger, error) {
	return only(c.its(app), func() (capture.Trigger, error) { return c.all.CreateTrigger(ctx, c.app, spec) })
}

func (c *confined) UpdateTrigger(ctx context.Context, id capture.ID, patch json.RawMessage) (capture.Trigger, error) {
	return only(c.owns(ctx, capture.TriggerID, id), func() (capture.Trigger, error) { return c.all.UpdateTrigger(ctx, id, patch) })
}

func (c *confined) DeleteTrigger(ctx context.Context, id capture.ID) error {
	if err := c.owns(ctx, capture.TriggerID, id); err != nil {
		return err
	}
	return c.all.DeleteTrigger(ctx, id)
}

func (c *confined) FireTrigger(ctx context.Context, id capture.ID, call capture.TriggerCall) (capture.TriggerAnswer, error) {
	return only(c.owns(ctx, capture.TriggerID, id), func() (capture.TriggerAnswer, error) { return c.all.FireTrigger(ctx, id, call) })
}

func (c *confined) Events(ctx context.Context, q capture.Query) (capture.Page, error) {
	return only(c.its(q.App), func() (capture.Page, error) {
		q.App = c.app
		return c.all.Events(ctx, q)
	})
}

func (c *confined) Event(ctx context.Context, id capture.ID) (capture.Row, error) {
	return only(c.owns(ctx, capture.EventID, id), func() (capture.Row, error) { return c.all.Event(ctx, id) })
}

func (c *confined) Body(ctx context.Context, id capture.ID) ([]byte, error) {
	return only(c.owns(ctx, capture.EventID, id), func() ([]byte, error) { return c.all.Body(ctx, id) })
}

func (c *confined) Attempts(ctx context.Context, q capture.AttemptQuery) (found []capture.Attempt, err error) {
	if err := c.its(q.App); err != nil {
		return nil, err
	}
	if err := c.owns(ctx, capture.EventID, q.Event); err != nil {
		return nil, err
	}
	q.App = c.app
	return only(c.owns(ctx, capture.EndpointID, q.Endpoint), func() ([]capture.Attempt, error) { return c.all.Attempts(ctx, q) })
}

func (c *confined) AttemptPage(ctx context.Context, q capture.AttemptQuery, skip int) (page []capture.Attempt, total int, err error) {
	if err := c.its(q.App); err != nil {
		return nil, 0, err
	}
	if err := c.owns(ctx, capture.EventID, q.Event); err != nil {
		return nil, 0, err
	}
	if err := c.owns(ctx, capture.EndpointID, q.Endpoint); err != nil {
		return nil, 0, err
	}
	q.App = c.app
	return c.all.AttemptPage(ctx, q, skip)
}

func (c *confined) Attempt(ctx context.Context, id capture.ID) (capture.Attempt, error) {
	return only(c.owns(ctx, capture.AttemptID, id), func() (capture.Attempt, error) { return c.all.Attempt(ctx, id) })
}

func (c *confined) Resend(ctx context.Context, id capture.ID, r capture.Resend) ([]*capture.Attempt, error) {
	if err := c.owns(ctx, capture.EventID, id); err != nil {
		return nil, err
	}
	return only(c.owns(ctx, capture.EndpointID, r.Endpoint), func() ([]*capture.Attempt, error) { return c.all.Resend(ctx, id, r) })
}

func (c *confined) Ingest(ctx context.Context, app string) (string, error) {
	return only(c.its(app), func() (string, error) { return c.all.Ingest(ctx, app) })
}

func (c *confined) Deliveries(ctx context.Context, q capture.DeliveryQuery) (found []capture.Delivery, err error) {
	if err := c.its(q.App); err != nil {
		return nil, err
	}
	if err := c.owns(ctx, capture.EventID, q.Event); err != nil {
		return nil, err
	}
	q.App = c.app
	return only(c.owns(ctx, capture.EndpointID, q.Endpoint), func() ([]capture.Delivery, error) { return c.all.Deliveries(ctx, q) })
}

func (c *confined) Delivery(ctx context.Context, id capture.ID) (capture.Delivery, error) {
	return only(c.owns(ctx, capture.DeliveryID, id), func() (capture.Delivery, error) { return c.all.Delivery(ctx, id) })
}

func (c *confined) Replays(ctx context.Context, app string) ([]capture.Replay, error) {
	return only(c.its(app), func() ([]capture.Replay, error) { return c.all.Replays(ctx, c.app) })
}

func (c *confined) Replay(ctx context.Context, id capture.ID) (capture.Replay, error) {
	return only(c.owns(ctx, capture.ReplayID, id), func() (capture.Replay, error) { return c.all.Replay(ctx, id) })
}

// StartReplay needs not ask whose the deliveries are: a replay sends its app's
// alone.
func (c *confined) StartReplay(ctx context.Context, app string, spec capture.ReplaySpec) (capture.Replay, error) {
	if err := c.its(app); err != nil {
		return capture.Replay{}, err
	}
	return only(c.owns(ctx, capture.EndpointID, spec.Endpoint), func() (capture.Replay, error) { return c.all.StartReplay(ctx, c.app, spec) })
}

func (c *confined) CancelReplay(ctx context.Context, id capture.ID) (capture.Replay, error) {
	return only(c.owns(ctx, capture.ReplayID, id), func() (capture.Replay, error) { return c.all.CancelReplay(ctx, id) })
}
