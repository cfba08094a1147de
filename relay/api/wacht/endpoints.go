package wacht

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"slices"
	"strings"
	"time"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/relay/api"
)

type endpoint struct {
	ID            capture.ID        `json:"id"`
	Deployment    string            `json:"deployment_id"`
	App           string            `json:"app_slug"`
	URL           string            `json:"url"`
	Description   *string           `json:"description"`
	Headers       map[string]string `json:"headers"`
	Active        bool              `json:"is_active"`
	Attempts      int               `json:"max_retries"` // the first one among them
	Timeout       int64             `json:"timeout_seconds"`
	Failures      int               `json:"failure_count"`
	LastFailure   *string           `json:"last_failure_at"`
	Disabled      bool              `json:"auto_disabled"`
	DisabledAt    *string           `json:"auto_disabled_at"`
	RateLimit     *rateLimit        `json:"rate_limit_config"`
	Created       string            `json:"created_at"`
	Updated       string            `json:"updated_at"`
	Subscriptions []subscription    `json:"subscriptions"`
}

type rateLimit struct {
	Span int64 `json:"duration_ms"`
	Max  int   `json:"max_requests"`
}

type subscription struct {
	Event string          `json:"event_name"`
	Rules json.RawMessage `json:"filter_rules"`
}

// defaultTimeout is that of endpoints made here, and what a Wacht endpoint's is
// that has none.
const defaultTimeout = 30 * time.Second

// shownEndpoint is an endpoint, wherever it was made. What it asks of events
// that filter rules cannot say is not shown.
func shownEndpoint(row capture.EndpointRow) endpoint {
	e := endpoint{
		ID: row.ID, Deployment: deploymentID, App: row.App, URL: row.URL, Description: filled(row.Description), Headers: row.Headers,
		Active: row.Status == capture.EndpointEnabled, Timeout: int64(cmp.Or(time.Duration(row.Timeout), 15*time.Second).Round(time.Second) / time.Second),
		Failures: row.Health.InARow, LastFailure: stamped(row.Health.LastFailure),
		Created: stamp(row.Created), Updated: stamp(cmp.Or(row.Updated, row.Created)),
		Subscriptions: []subscription{},
	}
	if e.Headers == nil {
		e.Headers = map[string]string{}
	}
	if s, err := row.Retry.Schedule(); err == nil {
		e.Attempts = s.Attempts
	}
	if row.Status == capture.EndpointDisabled && row.DisabledBy == capture.BySystem {
		e.Disabled, e.DisabledAt = true, stamped(row.DisabledAt)
	}
	if l := row.RateLimit; l != nil {
		e.RateLimit = &rateLimit{time.Duration(cmp.Or(l.Per, capture.Duration(time.Second))).Milliseconds(), l.Max}
	}
	for _, s := range row.Subscriptions {
		rules := s.Rules
		if len(rules) == 0 {
			rules = json.RawMessage("{}")
		}
		e.Subscriptions = append(e.Subscriptions, subscription{cmp.Or(s.Type, "*"), rules})
	}
	slices.SortStableFunc(e.Subscriptions, func(a, b subscription) int { return strings.Compare(a.Event, b.Event) })
	return e
}

func (d *dialect) endpoints(e api.Engine, r *http.Request) (any, error) {
	a, err := appOf(e, r)
	if err != nil {
		return nil, err
	}
	limit, offset, err := window(r, 100, 1000)
	if err != nil {
		return nil, err
	}
	inactive, err := yes(r, "include_inactive")
	if err != nil {
		return nil, err
	}
	rows, err := e.Endpoints(r.Context(), capture.EndpointQuery{App: a.Slug, Limit: math.MaxInt})
	if err != nil {
		return nil, err
	}
	all := []endpoint{}
	for _, row := range slices.Backward(rows) {
		if row.Status == capture.EndpointEnabled || row.Status == capture.EndpointDisabled && inactive {
			all = append(all, shownEndpoint(row))
		}
	}
	return cut(all, limit, offset), nil
}

// endpointInput is what an endpoint is made of, or changed to: what is null
// stays.
type endpointInput struct {
	URL           *string            `json:"url"`
	Description   *string            `json:"description"`
	Headers       *map[string]string `json:"headers"`
	Active        *bool              `json:"is_active"`
	Attempts      *int               `json:"max_retries"`
	Timeout       *int64             `json:"timeout_seconds"`
	RateLimit     *rateLimit         `json:"rate_limit_config"`
	Subscriptions *[]subscription    `json:"subscriptions"`
}

type newEndpoint endpointInput

func (in newEndpoint) needs() []string {
	return absent(map[string]bool{"url": in.URL != nil, "subscriptions": in.Subscriptions != nil})
}

// subscribed is what an endpoint subscribes to, if the app's catalog allows it.
func (d *dialect) subscribed(ctx context.Context, e api.Engine, app string, in []subscription) ([]capture.Subscription, error) {
	if len(in) == 0 {
		return nil, bad("At least one subscription is required")
	}
	subs := make([]capture.Subscription, len(in))
	for i, s := range in {
		if strings.TrimSpace(s.Event) == "" {
			return nil, bad("subscriptions[%d].event_name is blank", i)
		}
		if string(s.Rules) == "null" {
			s.Rules = nil
		}
		subs[i] = capture.Subscription{Type: s.Event, Exact: true, Rules: s.Rules}
	}
	if d.options.OpenCatalog {
		return subs, nil
	}
	return subs, e.Subscribable(ctx, app, subs)
}

// check refuses what the engine would take and Wacht does not.
func (in *endpointInput) check() error {
	if n := in.Attempts; n != nil && (*n < 1 || *n > 32) {
		return bad("max_retries is %d: want 1 to 32", *n)
	}
	if s := in.Timeout; s != nil && (*s < 0 || *s > 600) {
		return bad("timeout_seconds is %d: want 1 to 600", *s)
	}
	if l := in.RateLimit; l != nil && (l.Span < 1 || l.Span > 24*60*60*1000) {
		return bad("rate_limit_config.duration_ms is %d: want 1 to a day", l.Span)
	}
	return nil
}

func (l *rateLimit) spec() *capture.RateLimit {
	if l == nil {
		return nil
	}
	return &capture.RateLimit{Max: l.Max, Per: capture.Duration(time.Duration(l.Span) * time.Millisecond)}
}

func seconds(n int64) capture.Duration {
	return capture.Duration(cmp.Or(time.Duration(n)*time.Second, defaultTimeout))
}

func (d *dialect) createEndpoint(e api.Engine, r *http.Request) (any, error) {
	a, err := appOf(e, r)
	if err != nil {
		return nil, err
	}
	asked, err := decode[newEndpoint](r)
	if err != nil {
		return nil, err
	}
	in := endpointInput(asked)
	if err := in.check(); err != nil {
		return nil, err
	}
	subs, err := d.subscribed(r.Context(), e, a.Slug, *in.Subscriptions)
	if err != nil {
		return nil, err
	}
	made, err := e.CreateEndpoint(r.Context(), a.Slug, capture.EndpointSpec{
		URL: *in.URL, Description: value(in.Description), Headers: value(in.Headers), Subscriptions: subs, Format: capture.FormatWacht,
		Timeout: seconds(value(in.Timeout)), RateLimit: in.RateLimit.spec(),
		Retry: &capture.RetryPolicy{Preset: "wacht", Attempts: value(in.Attempts)},
	})
	if err != nil {
		return nil, err
	}
	return shownEndpoint(capture.EndpointRow{Endpoint: made}), nil
}

// endpointOf is the endpoint of a request's path, of the app there if there is
// one.
func endpointOf(e api.Engine, r *http.Request) (row capture.EndpointRow, err error) {
	app := r.PathValue("app")
	if app != "" {
		if _, err := appOf(e, r); err != nil {
			return row, err
		}
	}
	id, err := capture.ParseID(capture.EndpointID, r.PathValue("endpoint"))
	if err != nil {
		return row, bad("Invalid endpoint ID: %v", err)
	}
	row, err = e.Endpoint(r.Context(), id)
	registered := row.Status == capture.EndpointEnabled || row.Status == capture.EndpointDisabled
	if err == nil && (!registered || app != "" && row.App != app) {
		err = capture.ErrNotFound
	}
	return row, endpointGone(err)
}

func endpointGone(err error) error {
	if errors.Is(err, capture.ErrNotFound) || errors.Is(err, capture.ErrDisabled) { // deleted meanwhile
		return missing("Webhook endpoint not found")
	}
	return err
}

func (d *dialect) updateEndpoint(e api.Engine, r *http.Request) (any, error) {
	row, err := endpointOf(e, r)
	if err != nil {
		return nil, err
	}
	in, err := decode[endpointInput](r)
	if err != nil {
		return nil, err
	}
	if err := in.check(); err != nil {
		return nil, err
	}
	changes, err := d.changes(r.Context(), e, row, in)
	if err != nil {
		return nil, err
	}
	if len(changes) > 0 {
		patch, err := json.Marshal(changes)
		if err != nil {
			return nil, err
		}
		if _, err := e.UpdateEndpoint(r.Context(), row.ID, patch); err != nil {
			return nil, endpointGone(err)
		}
	}
	if in.Active != nil {
		to := capture.EndpointDisabled
		if *in.Active {
			to = capture.EndpointEnabled
		}
		if _, err := e.SetEndpoint(r.Context(), row.ID, to, ""); err != nil {
			return nil, endpointGone(err)
		}
	}
	row, err = e.Endpoint(r.Context(), row.ID)
	return shownEndpoint(row), err
}

// changes is the JSON merge patch that an input asks for.
func (d *dialect) changes(ctx context.Context, e api.Engine, row capture.EndpointRow, in endpointInput) (map[string]any, error) {
	changes := map[string]any{}
	put(changes, "url", in.URL)
	put(changes, "description", in.Description)
	if in.Headers != nil {
		headers := map[string]any{} // in place of all there are
		for name := range row.Headers {
			headers[name] = nil
		}
		for name, value := range *in.Headers {
			headers[name] = value
		}
		changes["headers"] = headers
	}
	if in.Attempts != nil {
		changes["retry"] = map[string]any{"attempts": *in.Attempts}
	}
	if in.Timeout != nil {
		changes["timeout_ms"] = seconds(*in.Timeout)
	}
	if in.RateLimit != nil {
		changes["rate_limit"] = in.RateLimit.spec()
	}
	if in.Subscriptions == nil {
		return changes, nil
	}
	subs, err := d.subscribed(ctx, e, row.App, *in.Subscriptions)
	changes["subscriptions"] = subs
	return changes, err
}

func (d *dialect) deleteEndpoint(e api.Engine, r *http.Request) (any, error) {
	row, err := endpointOf(e, r)
	if err != nil {
		return nil, err
	}
	_, err = e.SetEndpoint(r.Context(), row.ID, capture.EndpointDeleted, "")
	return struct{}{}, endpointGone(err)
}
