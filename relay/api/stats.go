package api

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"code.hooktape.dev/hooktape/capture"
)

func (s *Server) stats(r *http.Request) (out capture.Stats, err error) {
	q, err := statsQuery(r)
	if err != nil {
		return out, err
	}
	return s.registry(r).Stats(r.Context(), q)
}

func (s *Server) timeseries(r *http.Request) (out capture.Timeseries, err error) {
	q, err := statsQuery(r)
	if err != nil {
		return out, err
	}
	return s.registry(r).Timeseries(r.Context(), q)
}

func (s *Server) endpointStats(r *http.Request) (out capture.Stats, err error) {
	e, err := s.endpoint(r)
	if err != nil {
		return out, err
	}
	q, err := statsQuery(r)
	if err != nil {
		return out, err
	}
	q.App, q.Endpoint = "", e.ID
	return s.registry(r).Stats(r.Context(), q)
}

func statsQuery(r *http.Request) (q capture.StatsQuery, err error) {
	v := r.URL.Query()
	q.App, q.Interval = v.Get("app"), capture.Interval(v.Get("interval"))
	if q.Endpoint, err = named(v, "endpoint", capture.EndpointID); err != nil {
		return q, err
	}
	if q.Since, err = moment(v, "since"); err != nil {
		return q, err
	}
	q.Until, err = moment(v, "until")
	return q, err
}

// Stats implements Registry.
func (c *Client) Stats(ctx context.Context, q capture.StatsQuery) (s capture.Stats, err error) {
	v, err := statsValues(q)
	if err != nil {
		return s, err
	}
	err = c.call(ctx, "GET", "/stats?"+v.Encode(), nil, &s)
	return s, err
}

// Timeseries implements Registry.
func (c *Client) Timeseries(ctx context.Context, q capture.StatsQuery) (t capture.Timeseries, err error) {
	v, err := statsValues(q)
	if err != nil {
		return t, err
	}
	v.Set("interval", string(q.Interval))
	err = c.call(ctx, "GET", "/timeseries?"+v.Encode(), nil, &t)
	return t, err
}

func statsValues(q capture.StatsQuery) (v url.Values, err error) {
	if q.Endpoint != "" {
		if q.Endpoint, err = known(capture.EndpointID, q.Endpoint); err != nil {
			return nil, err
		}
	}
	v = url.Values{"app": {q.App}, "endpoint": {string(q.Endpoint)}}
	for name, t := range map[string]time.Time{"since": q.Since, "until": q.Until} {
		if !t.IsZero() {
			v.Set(name, t.Format(time.RFC3339Nano))
		}
	}
	return v, nil
}
