package api

import (
	"context"
	"net/url"
	"time"

	"code.hooktape.dev/hooktape/capture"
)

// Stats implements Registry.
func (c *Client) Stats(ctx context.Context, q capture.StatsQuery) (s capture.Stats, err error) {
	err = c.call(ctx, "GET", "/stats?"+statsValues(q).Encode(), nil, &s)
	return s, err
}

// Timeseries implements Registry.
func (c *Client) Timeseries(ctx context.Context, q capture.StatsQuery) (t capture.Timeseries, err error) {
	v := statsValues(q)
	v.Set("interval", string(q.Interval))
	err = c.call(ctx, "GET", "/timeseries?"+v.Encode(), nil, &t)
	return t, err
}

func statsValues(q capture.StatsQuery) url.Values {
	v := url.Values{"app": {q.App}, "endpoint": {string(q.Endpoint)}}
	for name, t := range map[string]time.Time{"since": q.Since, "until": q.Until} {
		if !t.IsZero() {
			v.Set(name, t.Format(time.RFC3339Nano))
		}
	}
	return v
}
