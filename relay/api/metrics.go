package api

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/series"
)

// Meter is a Source that knows what has happened since its statistics began.
// Of one that does not, /metrics leaves that out.
type Meter interface {
	Lifetime(context.Context) (series.Bucket, error)
	Size() int64 // bytes kept
}

// Gauge is a number that is read when it is asked for.
type Gauge struct {
	Name string // by the conventions of Prometheus: of a counter it ends with _total
	Help string
	Read func() float64
}

// ladder are the bounds of the histogram of durations, all of them bounds of
// series' bins, so that its counts are exact.
var ladder = []time.Duration{
	time.Millisecond, 2 * time.Millisecond, 5 * time.Millisecond,
	10 * time.Millisecond, 20 * time.Millisecond, 50 * time.Millisecond,
	100 * time.Millisecond, 200 * time.Millisecond, 500 * time.Millisecond,
	time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, 20 * time.Second, time.Minute,
}

// metrics answers in Prometheus' text format 0.0.4.
func (s *Server) metrics(w http.ResponseWriter, r *http.Request) error {
	counts, err := s.Source.Counts(r.Context())
	if err != nil {
		return err
	}
	var out exposition
	out.family("hooktape_build_info", "gauge", "The version that runs.")
	out.sample("hooktape_build_info", 1, "version", s.Version)
	out.family("hooktape_pending_attempts", "gauge", "Attempts that wait for their time or their turn.")
	out.sample("hooktape_pending_attempts", float64(counts.Pending))
	if meter, ok := s.Source.(Meter); ok {
		sum, err := meter.Lifetime(r.Context())
		if err != nil {
			return err
		}
		out.lifetime(&sum)
		out.family("hooktape_store_bytes", "gauge", "Bytes of the events, bodies and answers that are kept.")
		out.sample("hooktape_store_bytes", float64(meter.Size()))
	}
	for _, g := range s.Gauges {
		kind := "gauge"
		if strings.HasSuffix(g.Name, "_total") {
			kind = "counter"
		}
		out.family(g.Name, kind, g.Help)
		out.sample(g.Name, g.Read())
	}
	out.family("go_goroutines", "gauge", "Goroutines there are.")
	out.sample("go_goroutines", float64(runtime.NumGoroutine()))
	if bytes, ok := resident(); ok {
		out.family("process_resident_memory_bytes", "gauge", "Resident memory size in bytes.")
		out.sample("process_resident_memory_bytes", bytes)
	}
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	_, err = w.Write(out.Bytes())
	return err
}

// exposition is a page of metrics.
type exposition struct{ bytes.Buffer }

func (e *exposition) lifetime(sum *series.Bucket) {
	e.family("hooktape_events_total", "counter", "Events kept.")
	e.sample("hooktape_events_total", float64(sum.Events))
	e.family("hooktape_attempts_total", "counter", "Attempts finished.")
	e.sample("hooktape_attempts_total", float64(sum.Succeeded), "status", string(capture.AttemptSucceeded))
	e.sample("hooktape_attempts_total", float64(sum.Failed), "status", string(capture.AttemptFailed))
	e.family("hooktape_failures_total", "counter", "Failed attempts, by why.")
	for _, c := range sum.Reasons() {
		e.sample("hooktape_failures_total", float64(c.Count), "reason", c.Name)
	}
	const name = "hooktape_attempt_duration_seconds"
	e.family(name, "histogram", "How long attempts took that got an answer.")
	for _, le := range ladder {
		e.sample(name+"_bucket", float64(sum.Answers.Within(le)), "le", digits(le.Seconds()))
	}
	e.sample(name+"_bucket", float64(sum.Answers.Count()), "le", "+Inf")
	e.sample(name+"_sum", sum.Answers.Sum.Seconds())
	e.sample(name+"_count", float64(sum.Answers.Count()))
}

// family begins a metric. help has no line break.
func (e *exposition) family(name, kind, help string) {
	fmt.Fprintf(e, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind)
}

// sample writes a value; labels are names and values in turn.
func (e *exposition) sample(name string, value float64, labels ...string) {
	e.WriteString(name)
	for i := 0; i < len(labels); i += 2 {
		fmt.Fprintf(e, `%c%s="%s"`, "{,"[min(i, 1)], labels[i], escaper.Replace(strings.ToValidUTF8(labels[i+1], "\uFFFD")))
	}
	if len(labels) > 0 {
		e.WriteByte('}')
	}
	fmt.Fprintf(e, " %s\n", digits(value))
}

var escaper = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)

func digits(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

// resident is how much memory the process takes up, where that is a file's
// read away.
func resident() (size float64, ok bool) {
	data, err := os.ReadFile("/proc/self/statm")
	fields := strings.Fields(string(data))
	if err != nil || len(fields) < 2 {
		return 0, false
	}
	pages, err := strconv.ParseFloat(fields[1], 64)
	return pages * float64(os.Getpagesize()), err == nil
}
