package api

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"code.hooktape.dev/hooktape/capture"
)

func (s *Server) deliveries(r *http.Request) (l list[capture.Delivery], err error) {
	v := r.URL.Query()
	limit, err := number(v, "limit", mostRows)
	if err != nil {
		return l, err
	}
	offset, err := number(v, "offset", 0)
	if err != nil {
		return l, err
	}
	q := capture.DeliveryQuery{App: v.Get("app"), Type: v.Get("type"), Offset: int(offset), Limit: int(limit)}
	for _, text := range v["status"] {
		status := capture.DeliveryStatus(text)
		if text != "" && !slices.Contains(capture.DeliveryStatuses, status) {
			return l, &capture.FieldError{Field: "status", Problem: fmt.Sprintf("%q: want one of %q", text, capture.DeliveryStatuses)}
		}
		if text != "" {
			q.Status = append(q.Status, status)
		}
	}
	if q.Event, err = named(v, "event", capture.EventID); err != nil {
		return l, err
	}
	if q.Endpoint, err = named(v, "endpoint", capture.EndpointID); err != nil {
		return l, err
	}
	if q.Cursor, err = named(v, "cursor", capture.DeliveryID); err != nil {
		return l, err
	}
	if q.Since, err = moment(v, "since"); err != nil {
		return l, err
	}
	if q.Until, err = moment(v, "until"); err != nil {
		return l, err
	}
	found, err := s.Source.Deliveries(r.Context(), q)
	if err != nil {
		return l, err
	}
	return page(found, limit, func(d capture.Delivery) capture.ID { return d.ID }), nil
}

func (s *Server) delivery(r *http.Request) (d capture.Delivery, err error) {
	id, err := pathID(r, capture.DeliveryID)
	if err != nil {
		return d, err
	}
	return s.Source.Delivery(r.Context(), id)
}

// Deliveries implements Reader.
func (c *Client) Deliveries(ctx context.Context, q capture.DeliveryQuery) (found []capture.Delivery, err error) {
	if q.Limit <= 0 {
		q.Limit = 50
	}
	if q.Event != "" {
		if q.Event, err = known(capture.EventID, q.Event); err != nil {
			return nil, err
		}
	}
	v := url.Values{"app": {q.App}, "event": {string(q.Event)}, "endpoint": {string(q.Endpoint)}, "type": {q.Type}, "cursor": {string(q.Cursor)}, "offset": {strconv.Itoa(q.Offset)}}
	for _, status := range q.Status {
		v.Add("status", string(status))
	}
	for name, t := range map[string]time.Time{"since": q.Since, "until": q.Until} {
		if !t.IsZero() {
			v.Set(name, t.Format(time.RFC3339Nano))
		}
	}
	for {
		v.Set("limit", strconv.Itoa(min(q.Limit-len(found), mostRows)))
		var l list[capture.Delivery]
		if err := c.call(ctx, "GET", "/deliveries?"+v.Encode(), nil, &l); err != nil {
			return nil, err
		}
		found = append(found, l.Data...)
		if l.NextCursor == "" || len(found) >= q.Limit {
			return found, nil
		}
		v.Set("cursor", l.NextCursor)
		v.Del("offset")
	}
}

// Delivery implements Reader.
func (c *Client) Delivery(ctx context.Context, id capture.ID) (d capture.Delivery, err error) {
	err = c.one(ctx, "GET", capture.DeliveryID, id, "", nil, &d)
	return d, err
}
