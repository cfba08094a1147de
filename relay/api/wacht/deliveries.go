package wacht

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/relay/api"
)

// logRoutes are those of deliveries and figures.
func (d *dialect) logRoutes() map[string]handler {
	return map[string]handler{
		"GET /webhooks/apps/{app}/deliveries":                       ofApp(listDeliveries),
		"GET /webhooks/apps/{app}/deliveries/{id}":                  ofApp(getDelivery),
		"POST /webhooks/apps/{app}/deliveries/replay":               ofApp(startReplay),
		"GET /webhooks/apps/{app}/deliveries/replay":                ofApp(listReplays),
		"GET /webhooks/apps/{app}/deliveries/replay/{task}":         ofApp(getReplay),
		"POST /webhooks/apps/{app}/deliveries/replay/{task}/cancel": ofApp(cancelReplay),
		"GET /webhooks/apps/{app}/stats":                            ofApp(getStats),
		"GET /webhooks/apps/{app}/analytics":                        ofApp(getAnalytics),
		"GET /webhooks/apps/{app}/timeseries":                       ofApp(getTimeseries),
	}
}

// ofApp is a handler about an app that is there.
func ofApp(h func(e api.Engine, r *http.Request, app string) (any, error)) handler {
	return func(e api.Engine, r *http.Request) (any, error) {
		a, err := appOf(e, r)
		if err != nil {
			return nil, err
		}
		return h(e, r, a.Slug)
	}
}

// delivery is a delivery as its last attempt left it.
type delivery struct {
	ID         string `json:"delivery_id"`
	Deployment string `json:"deployment_id"`
	App        string `json:"app_slug"`
	Endpoint   string `json:"endpoint_id"`
	Event      string `json:"event_name"`
	Status     string `json:"status"`
	Code       *int   `json:"http_status_code"`
	Took       *int64 `json:"response_time_ms"`
	Attempt    int    `json:"attempt_number"`
	Most       int    `json:"max_attempts"`
	Time       string `json:"timestamp"`
}

func asDelivery(d capture.Delivery) delivery {
	out := delivery{
		ID: bare(d.ID), Deployment: deploymentID, App: d.App, Endpoint: string(d.Endpoint), Event: d.Type,
		Status: statuses[d.Status], Most: d.MaxAttempts, Time: stamp(d.Created),
	}
	if last := d.Last; last != nil {
		took := time.Duration(last.Duration).Milliseconds()
		out.Attempt, out.Took = last.Number, &took
		if last.Code > 0 {
			out.Code = &last.Code
		}
	}
	return out
}

// statuses are what Wacht calls those of deliveries.
var statuses = map[capture.DeliveryStatus]string{
	capture.DeliveryPending:   "pending",
	capture.DeliverySucceeded: "success",
	capture.DeliveryRetrying:  "failed",
	capture.DeliveryFailed:    "permanently_failed",
	capture.DeliveryGone:      "endpoint_disabled",
	capture.DeliverySkipped:   "endpoint_disabled", // it was deleted before anything was sent
}

// called are the statuses that Wacht calls by a name.
func called(name string) (all []capture.DeliveryStatus) {
	for _, s := range capture.DeliveryStatuses {
		if statuses[s] == name {
			all = append(all, s)
		}
	}
	return all
}

// bare is a delivery's id as Wacht's clients see it: what follows msg_ in the
// delivered webhook-id.
func bare(id capture.ID) string { return strings.TrimPrefix(string(id), capture.DeliveryID) }

// deliveryID reads an id as it is served, as hooktape has it, or as it was
// delivered.
func deliveryID(text string) (capture.ID, error) {
	text = strings.TrimPrefix(strings.TrimPrefix(text, capture.DeliveryID), "msg_")
	id, err := capture.ParseID(capture.DeliveryID, capture.DeliveryID+text)
	if err != nil {
		return "", bad("Invalid delivery ID")
	}
	return id, nil
}

// endpointID reads an endpoint's id, "" where there is none.
func endpointID(text string) (capture.ID, error) {
	if text == "" {
		return "", nil
	}
	id, err := capture.ParseID(capture.EndpointID, text)
	if err != nil {
		return "", bad("Invalid endpoint ID")
	}
	return id, nil
}

// moment reads a time, the zero time where there is none.
func moment(name, text string) (t time.Time, err error) {
	if text == "" {
		return t, nil
	}
	if t, err = time.Parse(time.RFC3339, text); err != nil {
		return t, bad("Bad request: %s is %.40q: want RFC 3339, such as 2026-01-02T03:04:05Z", name, text)
	}
	return t, nil
}

func listDeliveries(e api.Engine, r *http.Request, app string) (any, error) {
	limit, offset, err := window(r, 100, 1000)
	if err != nil {
		return nil, err
	}
	v := r.URL.Query()
	q := capture.DeliveryQuery{App: app, Type: v.Get("event_name"), Limit: limit + 1, Offset: offset}
	if q.Endpoint, err = endpointID(v.Get("endpoint_id")); err != nil {
		return nil, err
	}
	if q.Since, err = moment("since", v.Get("since")); err != nil {
		return nil, err
	}
	if q.Until, err = moment("until", v.Get("until")); err != nil {
		return nil, err
	}
	rows := []delivery{}
	if status := v.Get("status"); status != "" {
		if q.Status = called(status); q.Status == nil {
			return page(rows, limit, offset), nil // of a status that none has here, such as filtered
		}
	}
	found, err := e.Deliveries(r.Context(), q)
	if err != nil {
		return nil, err
	}
	for _, d := range found {
		rows = append(rows, asDelivery(d))
	}
	return page(rows, limit, offset), nil
}

// details are a delivery with what was sent and what came back.
type details struct {
	delivery
	Payload json.RawMessage   `json:"payload"`
	Body    *string           `json:"response_body"`
	Headers map[string]string `json:"response_headers"`
}

func getDelivery(e api.Engine, r *http.Request, app string) (any, error) {
	id, err := deliveryID(r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	d, err := e.Delivery(r.Context(), id)
	if errors.Is(err, capture.ErrNotFound) || err == nil && d.App != app {
		return nil, missing("Delivery not found")
	}
	if err != nil {
		return nil, err
	}
	queued := r.URL.Query().Get("status") == "pending"
	if queued && d.Next.IsZero() {
		return nil, missing("Pending delivery not found")
	}
	if queued || d.Last == nil {
		out := details{delivery: asDelivery(d)}
		if queued {
			out.Status, out.Code, out.Took = statuses[capture.DeliveryPending], nil, nil
		}
		out.Payload, err = raw(r.Context(), e, d.Event)
		return out, err
	}
	return sent(r.Context(), e, d)
}

// sent are the details of a delivery of which an attempt was made.
func sent(ctx context.Context, e api.Engine, d capture.Delivery) (out details, err error) {
	a, err := e.Attempt(ctx, d.Last.ID)
	if err != nil {
		return out, err
	}
	out.delivery = asDelivery(d)
	if res := a.Response; res != nil {
		body := strings.ToValidUTF8(string(res.Body), "�")
		out.Body, out.Headers = &body, map[string]string{}
		for _, h := range res.Headers {
			name := strings.ToLower(h[0])
			if before, ok := out.Headers[name]; ok {
				h[1] = before + ", " + h[1]
			}
			out.Headers[name] = h[1]
		}
	}
	if a.Request != nil && a.Request.Made != "" {
		out.Payload = asJSON([]byte(a.Request.Made))
		return out, nil
	}
	out.Payload, err = raw(ctx, e, d.Event)
	return out, err
}

// raw is the body of an event.
func raw(ctx context.Context, e api.Engine, event capture.ID) (json.RawMessage, error) {
	body, err := e.Body(ctx, event)
	if errors.Is(err, capture.ErrDamaged) || errors.Is(err, capture.ErrNotFound) {
		return nil, nil
	}
	return asJSON(body), err
}

// asJSON is a body as a JSON value: itself where it is one, else a string.
func asJSON(body []byte) json.RawMessage {
	if len(body) == 0 {
		return nil
	}
	if json.Valid(body) {
		return body
	}
	text, err := json.Marshal(strings.ToValidUTF8(string(body), "�"))
	if err != nil {
		panic(err) // a string only
	}
	return text
}
