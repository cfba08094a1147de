package capture

import "time"

// StatsQuery asks for what attempts came to.
type StatsQuery struct {
	App      string // only this app's
	Endpoint ID     // only this endpoint's
	// Since and Until bound it, to the minute for the last two days, to the
	// hour for the last ninety, and to the day (UTC) before that. Zero: the
	// last 24 hours, and now.
	Since, Until time.Time
	Interval     Interval // of a timeseries; "": the finest of which up to 100 fit
}

// Interval is the width of a bucket of a timeseries. Weeks begin on Monday
// (ISO 8601), all in UTC.
type Interval string

// The intervals.
const (
	ByMinute Interval = "minute"
	ByHour   Interval = "hour"
	ByDay    Interval = "day"
	ByWeek   Interval = "week"
	ByMonth  Interval = "month"
)

// Totals are counts over a span of time.
type Totals struct {
	Events     int64 `json:"events"` // kept; 0 where an endpoint was asked about
	Attempts   int64 `json:"attempts"`
	Succeeded  int64 `json:"succeeded"`
	Failed     int64 `json:"failed"`
	Deliveries int64 `json:"deliveries"` // that ended: with a success or given up
	Exhausted  int64 `json:"exhausted"`  // deliveries given up
	Begun      int64 `json:"begun"`      // deliveries of which the first attempt was made; not counted by older versions
	// SuccessRate is the part of attempts that succeeded, 0 to 1; nil when
	// there were none.
	SuccessRate *float64 `json:"success_rate"`
	Latency     *Latency `json:"latency"` // nil when nothing answered
}

// Latency is how long answers took. Percentiles are of a histogram, and within
// 5 % of the truth.
type Latency struct {
	Mean Duration `json:"avg_ms"`
	P50  Duration `json:"p50_ms"`
	P95  Duration `json:"p95_ms"`
	P99  Duration `json:"p99_ms"`
	Max  Duration `json:"max_ms"`
}

// Stats are totals with what they are made of.
type Stats struct {
	Since time.Time `json:"since"`
	Until time.Time `json:"until"`
	Totals
	Reasons   []Count          `json:"failure_reasons"` // status 5xx, timeout, …; the most frequent first
	Types     []Count          `json:"top_event_types"`
	Endpoints []EndpointTotals `json:"endpoints"` // the busiest first; none where an endpoint was asked about
}

// Count is how often something was.
type Count struct {
	Name  string `json:"name"`
	Count int64  `json:"count"`
}

// EndpointTotals are the totals of one endpoint.
type EndpointTotals struct {
	Endpoint ID     `json:"endpoint_id"`
	URL      string `json:"url"`
	Totals
}

// Timeseries are totals by interval, oldest first. Intervals in which nothing
// happened are left out.
type Timeseries struct {
	Interval Interval `json:"interval"`
	Points   []Point  `json:"points"`
}

// Point is one interval of a Timeseries.
type Point struct {
	Start time.Time `json:"start"`
	Totals
}
