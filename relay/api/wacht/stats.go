package wacht

import (
	"cmp"
	"math"
	"net/http"
	"slices"
	"strings"
	"time"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/relay/api"
)

const day = 24 * time.Hour

func getStats(e api.Engine, r *http.Request, app string) (any, error) {
	now := time.Now()
	month, err := e.Stats(r.Context(), capture.StatsQuery{App: app, Since: now.Add(-30 * day)})
	if err != nil {
		return nil, err
	}
	last, err := e.Stats(r.Context(), capture.StatsQuery{App: app, Since: now.Add(-day)})
	if err != nil {
		return nil, err
	}
	active, err := e.Endpoints(r.Context(), capture.EndpointQuery{App: app, Status: capture.EndpointEnabled, Limit: math.MaxInt})
	if err != nil {
		return nil, err
	}
	return map[string]any{
		"total_deliveries": total(month.Totals), "success_rate": percent(month.Totals),
		"active_endpoints": len(active), "failed_deliveries_24h": last.Failed,
	}, nil
}

// total is how many deliveries an attempt was made of: those that ended may have
// begun before.
func total(t capture.Totals) int64 { return max(t.Begun, t.Deliveries) }

// percent is the part of attempts that succeeded, 0 to 100.
func percent(t capture.Totals) float64 {
	if t.SuccessRate == nil {
		return 0
	}
	return 100 * *t.SuccessRate
}

// spanOf reads what figures are asked about. A range counts if both of its
// dates are given; else it is the last days.
func spanOf(r *http.Request, app string, last time.Duration) (q capture.StatsQuery, err error) {
	v := r.URL.Query()
	q = capture.StatsQuery{App: app, Since: time.Now().Add(-last)}
	if q.Endpoint, err = endpointID(v.Get("endpoint_id")); err != nil {
		return q, err
	}
	since, err := moment("start_date", v.Get("start_date"))
	if err != nil {
		return q, err
	}
	until, err := moment("end_date", v.Get("end_date"))
	if err != nil || since.IsZero() || until.IsZero() {
		return q, err
	}
	if until.Before(since) {
		return q, bad("end_date must not be before start_date")
	}
	q.Since, q.Until = since, until
	return q, nil
}

type analytics struct {
	Events     int               `json:"total_events"` // their types
	Deliveries int64             `json:"total_deliveries"`
	Succeeded  int64             `json:"successful_deliveries"`
	Failed     int64             `json:"failed_deliveries"` // attempts
	Filtered   int64             `json:"filtered_deliveries"`
	Mean       *capture.Duration `json:"avg_response_time_ms"`
	P50        *capture.Duration `json:"p50_response_time_ms"`
	P95        *capture.Duration `json:"p95_response_time_ms"`
	P99        *capture.Duration `json:"p99_response_time_ms"`
	Rate       float64           `json:"success_rate"`
	Top        []eventCount      `json:"top_events"`
	Endpoints  []performance     `json:"endpoint_performance"`
	Reasons    []reasonCount     `json:"failure_reasons"`
}

type eventCount struct {
	Name  string `json:"event_name"`
	Count int64  `json:"count"`
}

type reasonCount struct {
	Reason string `json:"reason"`
	Count  int64  `json:"count"`
}

type performance struct {
	ID        string            `json:"endpoint_id"`
	URL       string            `json:"endpoint_url"`
	Attempts  int64             `json:"total_attempts"`
	Succeeded int64             `json:"successful_attempts"`
	Failed    int64             `json:"failed_attempts"`
	Mean      *capture.Duration `json:"avg_response_time_ms"`
	Rate      float64           `json:"success_rate"`
}

func getAnalytics(e api.Engine, r *http.Request, app string) (any, error) {
	q, err := spanOf(r, app, 30*day)
	if err != nil {
		return nil, err
	}
	st, err := e.Stats(r.Context(), q)
	if err != nil {
		return nil, endpointGone(err)
	}
	if q.Endpoint != "" && st.Attempts > 0 {
		row, err := e.Endpoint(r.Context(), q.Endpoint)
		if err != nil {
			return nil, endpointGone(err)
		}
		st.Endpoints = append(st.Endpoints, capture.EndpointTotals{Endpoint: row.ID, URL: row.URL, Totals: st.Totals})
	}
	out := analytics{
		Events: len(st.Types), Deliveries: total(st.Totals), Succeeded: st.Succeeded, Failed: st.Failed, Rate: percent(st.Totals),
		Top: []eventCount{}, Endpoints: []performance{}, Reasons: reasons(st.Reasons),
	}
	if l := st.Latency; l != nil {
		out.Mean, out.P50, out.P95, out.P99 = &l.Mean, &l.P50, &l.P95, &l.P99
	}
	for _, t := range st.Types[:min(10, len(st.Types))] {
		out.Top = append(out.Top, eventCount(t))
	}
	for _, at := range st.Endpoints {
		out.Endpoints = append(out.Endpoints, performance{
			ID: string(at.Endpoint), URL: at.URL, Attempts: at.Attempts, Succeeded: at.Succeeded, Failed: at.Failed, Mean: mean(at.Totals), Rate: percent(at.Totals),
		})
	}
	return out, nil
}

func mean(t capture.Totals) *capture.Duration {
	if t.Latency == nil {
		return nil
	}
	return &t.Latency.Mean
}

// reasons are why attempts failed, in Wacht's words: the most frequent first.
func reasons(counts []capture.Count) []reasonCount {
	list := []reasonCount{}
	for _, c := range counts {
		reason := reasonOf(c.Name)
		i := slices.IndexFunc(list, func(r reasonCount) bool { return r.Reason == reason })
		if i < 0 {
			i = len(list)
			list = append(list, reasonCount{Reason: reason})
		}
		list[i].Count += c.Count
	}
	slices.SortStableFunc(list, func(a, b reasonCount) int { return cmp.Compare(b.Count, a.Count) })
	return list
}

func reasonOf(name string) string {
	switch name {
	case capture.FailDNS, capture.FailRefused, capture.FailTLS, capture.FailTimeout, capture.FailReset, capture.FailOffline, capture.FailBlocked:
		return "Connection Failed"
	}
	switch {
	case strings.HasSuffix(name, "(5xx)"):
		return "Server Error (5xx)"
	case strings.HasSuffix(name, "(4xx)"):
		return "Client Error (4xx)"
	}
	return "Unknown"
}

type point struct {
	Time       string            `json:"timestamp"`
	Events     int64             `json:"total_events"`
	Deliveries int64             `json:"total_deliveries"`
	Succeeded  int64             `json:"successful_deliveries"`
	Failed     int64             `json:"failed_deliveries"` // attempts
	Filtered   int64             `json:"filtered_deliveries"`
	Mean       *capture.Duration `json:"avg_response_time_ms"`
	Rate       float64           `json:"success_rate"`
}

func getTimeseries(e api.Engine, r *http.Request, app string) (any, error) {
	interval := cmp.Or(capture.Interval(r.URL.Query().Get("interval")), capture.ByDay)
	last := 7 * day
	if interval == capture.ByMinute {
		last = day // more minutes than there may be points lie in a week
	}
	q, err := spanOf(r, app, last)
	if err != nil {
		return nil, err
	}
	q.Interval = interval
	ts, err := e.Timeseries(r.Context(), q)
	if err != nil {
		return nil, endpointGone(err)
	}
	points := []point{}
	for _, p := range ts.Points {
		if p.Attempts == 0 {
			continue // events alone
		}
		points = append(points, point{
			Time: stamp(p.Start), Events: total(p.Totals), Deliveries: total(p.Totals), Succeeded: p.Succeeded, Failed: p.Failed, Mean: mean(p.Totals), Rate: percent(p.Totals),
		})
	}
	return map[string]any{"data": points, "interval": ts.Interval}, nil
}
