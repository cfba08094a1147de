package api_test

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/relay/api"
	"code.hooktape.dev/hooktape/store"
)

var _ api.Meter = (*store.Store)(nil)

func TestMetrics(t *testing.T) {
	s := memory(t)
	c := event([]byte("{}"))
	keep(t, s, c)
	for i, took := range []time.Duration{3 * time.Millisecond, 5 * time.Millisecond, 40 * time.Millisecond, 3 * time.Second} {
		a := &capture.Attempt{
			ID: capture.NewID(capture.AttemptID), Event: c.Event.ID, Endpoint: capture.NewID(capture.EndpointID), Delivery: capture.NewID(capture.DeliveryID),
			Number: 1, Status: capture.AttemptSucceeded, Code: 200, Duration: capture.Duration(took), Started: time.Now().Add(-time.Duration(i) * time.Hour),
		}
		if i == 2 {
			a.Status, a.Code, a.Error = capture.AttemptFailed, 500, &capture.Failure{Class: capture.FailStatus}
		}
		if i == 3 {
			a.Status, a.Code, a.Error = capture.AttemptFailed, 0, &capture.Failure{Class: capture.FailTimeout}
		}
		keep(t, s, &capture.Change{Attempts: []*capture.Attempt{a}})
	}
	version := "1.0 \"beta\"\\\nnext\xff"
	w := ask((&api.Server{Source: s, Version: version}).Handler(), "GET", "/metrics", "")
	if w.Code != 200 || w.Header().Get("Content-Type") != "text/plain; version=0.0.4; charset=utf-8" {
		t.Fatalf("answered %d, %s", w.Code, w.Header().Get("Content-Type"))
	}
	got := scrape(t, w.Body.String())
	for sample, want := range map[string]float64{
		`hooktape_build_info{version="1.0 \"beta\"\\\nnext�"}`: 1,
		`hooktape_events_total`:                                1,
		`hooktape_attempts_total{status="succeeded"}`:          2,
		`hooktape_attempts_total{status="failed"}`:             2,
		`hooktape_failures_total{reason="server error (5xx)"}`: 1,
		`hooktape_failures_total{reason="timeout"}`:            1,
		`hooktape_pending_attempts`:                            0,
		`hooktape_store_bytes`:                                 float64(s.Size()),
		`hooktape_attempt_duration_seconds_bucket{le="0.002"}`: 0,
		`hooktape_attempt_duration_seconds_bucket{le="0.005"}`: 2,
		`hooktape_attempt_duration_seconds_bucket{le="0.05"}`:  3,
		`hooktape_attempt_duration_seconds_bucket{le="+Inf"}`:  3,
		`hooktape_attempt_duration_seconds_count`:              3,
		`hooktape_attempt_duration_seconds_sum`:                0.048,
	} {
		if v, there := got[sample]; !there || v != want {
			t.Errorf("%s is %v (%v), want %v", sample, v, there, want)
		}
	}
	if got["go_goroutines"] < 1 || s.Size() == 0 {
		t.Errorf("%v goroutines, %d bytes", got["go_goroutines"], s.Size())
	}
}

// TestMetricsOfAnySource: a Source that is no Meter has its counts.
func TestMetricsOfAnySource(t *testing.T) {
	plain := struct{ api.Source }{memory(t)}
	w := ask((&api.Server{Source: plain}).Handler(), "GET", "/metrics", "")
	got := scrape(t, w.Body.String())
	if _, there := got["hooktape_pending_attempts"]; !there || w.Code != 200 {
		t.Errorf("answered %d %s", w.Code, w.Body)
	}
	if _, there := got["hooktape_events_total"]; there {
		t.Errorf("answered %s", w.Body)
	}
}

var sampleLine = regexp.MustCompile(`^([a-zA-Z_:][a-zA-Z0-9_:]*)(\{[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\[\\"n])*"(?:,[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\[\\"n])*")*\})? (\S+)$`)

// scrape reads a page as strictly as the text format 0.0.4 allows: every line
// ends, every family is in one piece with one HELP and TYPE before it, no
// sample comes twice, and histograms add up.
func scrape(t *testing.T, page string) map[string]float64 {
	t.Helper()
	samples, kinds := map[string]float64{}, map[string]string{}
	family, last, infinite := "", 0.0, 0.0
	if !strings.HasSuffix(page, "\n") {
		t.Error("the last line does not end")
	}
	for line := range strings.Lines(page) {
		line = strings.TrimSuffix(line, "\n")
		if help, ok := strings.CutPrefix(line, "# HELP "); ok {
			name, text, _ := strings.Cut(help, " ")
			if _, twice := kinds[name]; twice || text == "" {
				t.Errorf("%q: a second one, or no text", line)
			}
			family, kinds[name] = name, ""
			continue
		}
		if rest, ok := strings.CutPrefix(line, "# TYPE "); ok {
			name, kind, _ := strings.Cut(rest, " ")
			if name != family || kinds[name] != "" || !strings.Contains(" counter gauge histogram ", " "+kind+" ") {
				t.Errorf("%q: behind HELP of %s", line, family)
			}
			kinds[name], last, infinite = kind, 0, -1
			continue
		}
		m := sampleLine.FindStringSubmatch(line)
		if m == nil {
			t.Errorf("%q is no sample", line)
			continue
		}
		value, err := strconv.ParseFloat(m[3], 64)
		if _, twice := samples[m[1]+m[2]]; err != nil || twice {
			t.Errorf("%q: %v, twice %v", line, err, twice)
		}
		samples[m[1]+m[2]] = value
		part := strings.TrimPrefix(m[1], family)
		switch {
		case kinds[family] != "histogram" && part != "",
			kinds[family] == "histogram" && part != "_bucket" && part != "_sum" && part != "_count",
			kinds[family] == "counter" && (!strings.HasSuffix(m[1], "_total") || value < 0),
			part == "_bucket" && value < last,
			part == "_count" && value != infinite:
			t.Errorf("%q does not belong into the %s %s", line, kinds[family], family)
		}
		if part == "_bucket" {
			last = value
			if strings.Contains(m[2], `le="+Inf"`) {
				infinite = value
			}
		}
	}
	for name, kind := range kinds {
		if kind == "histogram" {
			if _, there := samples[fmt.Sprintf("%s_bucket{le=\"+Inf\"}", name)]; !there {
				t.Errorf("%s has no last bucket", name)
			}
		}
	}
	return samples
}
