package series_test

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/series"
)

// happening is one thing to fold.
type happening func(*series.Bucket)

func attempt(status capture.AttemptStatus, code int, class string, final bool, took time.Duration) *capture.Attempt {
	a := &capture.Attempt{Status: status, Code: code, Final: final, Duration: capture.Duration(took)}
	if class != "" {
		a.Error = &capture.Failure{Class: class}
	}
	return a
}

// anything makes random happenings with up to so many event types.
func anything(r *rand.Rand, n, types int) (list []happening) {
	for range n {
		if r.IntN(3) == 0 {
			name := fmt.Sprintf("type-%d", r.IntN(types))
			list = append(list, func(b *series.Bucket) { b.Event(name) })
			continue
		}
		took := time.Duration(math.Exp(r.Float64()*20) * 1000)
		a := []*capture.Attempt{
			attempt(capture.AttemptSucceeded, 200, "", false, took),
			attempt(capture.AttemptFailed, 100+r.IntN(500), capture.FailStatus, r.IntN(2) == 0, took),
			attempt(capture.AttemptFailed, 0, capture.FailTimeout, r.IntN(2) == 0, took),
			attempt(capture.AttemptFailed, 0, capture.FailDNS, false, took),
			attempt(capture.AttemptSkipped, 0, capture.FailDeleted, false, took),
			attempt(capture.AttemptPending, 0, "", false, 0),
		}[r.IntN(6)]
		list = append(list, func(b *series.Bucket) { b.Attempt(a) })
	}
	return list
}

func folded(list []happening) *series.Bucket {
	b := new(series.Bucket)
	for _, h := range list {
		h(b)
	}
	return b
}

// coded is a bucket after it was written and read.
func coded(t *testing.T, b *series.Bucket) *series.Bucket {
	t.Helper()
	data, err := cbor.Marshal(b)
	if err != nil {
		t.Fatal(err)
	}
	back := new(series.Bucket)
	if err := cbor.Unmarshal(data, back); err != nil {
		t.Fatal(err)
	}
	return back
}

type answer struct {
	Totals         capture.Totals
	Reasons, Types []capture.Count
	Sum            time.Duration
}

func told(b *series.Bucket) answer {
	return answer{b.Totals(), b.Reasons(), b.Types(), b.Answers.Sum}
}

// TestAnyOrderAnyPartition: however facts are shuffled, divided among buckets,
// written, read and merged, they come to the same.
func TestAnyOrderAnyPartition(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 1))
		list := anything(r, r.IntN(300), 50)
		want := told(folded(list))
		r.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
		sums := []*series.Bucket{new(series.Bucket)}
		for len(list) > 0 {
			n := 1 + r.IntN(len(list))
			sums = append(sums, coded(t, folded(list[:n])))
			list = list[n:]
		}
		for len(sums) > 1 {
			i := r.IntN(len(sums) - 1)
			sums[i].Merge(sums[len(sums)-1])
			sums = sums[:len(sums)-1]
		}
		if got := told(coded(t, sums[0])); !reflect.DeepEqual(got, want) {
			t.Fatalf("seed %d: got %+v\nwant %+v", seed, got, want)
		}
	}
}

// TestManyTypes: of more types than there are places the frequent ones keep
// theirs, no count is too high, and none is lost.
func TestManyTypes(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	truth, events := map[string]int64{}, int64(0)
	day := new(series.Bucket)
	for range 24 * 60 {
		minute := new(series.Bucket)
		for range 40 {
			name := fmt.Sprintf("rare-%d", r.IntN(2000))
			if r.IntN(2) == 0 {
				name = fmt.Sprintf("often-%d", r.IntN(10))
			}
			minute.Event(name)
			truth[name]++
			events++
		}
		day.Merge(coded(t, minute))
	}
	types, sum := day.Types(), int64(0)
	for i, c := range types {
		sum += c.Count
		if c.Name != "other" && c.Count > truth[c.Name] {
			t.Errorf("%d %s were counted, and there were %d", c.Count, c.Name, truth[c.Name])
		}
		if i > 0 && i <= 10 && (c.Name[:5] != "often" || c.Count != truth[c.Name]) {
			t.Errorf("place %d: %+v, and there were %d", i, c, truth[c.Name])
		}
	}
	if len(types) != 51 || sum != events || types[0].Name != "other" {
		t.Errorf("%d names with %d events, first %s; want 51, %d and other", len(types), sum, types[0].Name, events)
	}

	full := new(series.Bucket)
	for i := range 60 {
		full.Event(fmt.Sprintf("%d", 100+i))
	}
	if got := full.Types(); len(got) != 51 || got[0] != (capture.Count{Name: "other", Count: 10}) {
		t.Errorf("60 types in one minute: %v", got)
	}
	long := new(series.Bucket)
	long.Event(string(make([]byte, 63)) + "é and more")
	if got := long.Types(); len(got) != 1 || len(got[0].Name) != 63 {
		t.Errorf("a long name is %+v", got)
	}
}

func TestTotals(t *testing.T) {
	b := new(series.Bucket)
	if got := b.Totals(); !reflect.DeepEqual(got, capture.Totals{}) || !b.Empty() {
		t.Errorf("of nothing: %+v", got)
	}
	b.Event("push")
	b.Event("")
	b.Attempt(attempt(capture.AttemptSucceeded, 204, "", false, 10*time.Millisecond))
	b.Attempt(attempt(capture.AttemptFailed, 503, capture.FailStatus, false, 30*time.Millisecond))
	b.Attempt(attempt(capture.AttemptFailed, 404, capture.FailStatus, true, 20*time.Millisecond))
	b.Attempt(attempt(capture.AttemptFailed, 0, capture.FailTimeout, true, 15*time.Second))
	b.Attempt(attempt(capture.AttemptSkipped, 0, capture.FailDeleted, true, 0))
	rate := 0.25
	latency := &capture.Latency{Mean: capture.Duration(20 * time.Millisecond), P50: capture.Duration(19500 * time.Microsecond),
		P95: capture.Duration(29 * time.Millisecond), P99: capture.Duration(29 * time.Millisecond), Max: capture.Duration(30 * time.Millisecond)}
	want := capture.Totals{Events: 2, Attempts: 4, Succeeded: 1, Failed: 3, Deliveries: 3, Exhausted: 2, Begun: 4, SuccessRate: &rate, Latency: latency}
	if got := b.Totals(); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, latency %+v\nwant %+v, latency %+v", got, got.Latency, want, want.Latency)
	}
	reasons := []capture.Count{{Name: "client error (4xx)", Count: 1}, {Name: "server error (5xx)", Count: 1}, {Name: "timeout", Count: 1}}
	if got := b.Reasons(); !reflect.DeepEqual(got, reasons) {
		t.Errorf("reasons are %v, want %v", got, reasons)
	}
	if got := b.Types(); !reflect.DeepEqual(got, []capture.Count{{Name: "push", Count: 1}}) {
		t.Errorf("types are %v", got)
	}
}

// TestPercentiles compares with all the numbers, sorted.
func TestPercentiles(t *testing.T) {
	for name, draw := range map[string]func(*rand.Rand) float64{
		"uniform":     func(r *rand.Rand) float64 { return 1e3 + r.Float64()*1e9 },
		"log-uniform": func(r *rand.Rand) float64 { return 1e3 * math.Pow(6e8, r.Float64()) },
		"two humps":   func(r *rand.Rand) float64 { return math.Abs(r.NormFloat64())*1e6 + float64(r.IntN(2))*3e9 + 1e3 },
		"constant":    func(*rand.Rand) float64 { return 123456789 },
	} {
		t.Run(name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(7, 7))
			for _, n := range []int{1, 2, 10, 1000, 20000} {
				var h series.Histogram
				var all []capture.Duration
				for range n {
					d := capture.Duration(draw(r))
					all = append(all, d)
					h.Add(d)
				}
				slices.Sort(all)
				for _, p := range []float64{0, 0.5, 0.9, 0.95, 0.99, 1} {
					truth := float64(all[max(0, int(math.Ceil(p*float64(n)))-1)])
					if got := float64(h.Quantile(p)); math.Abs(got-truth) > 0.05*truth {
						t.Errorf("p%g of %d is %v, and in truth %v", p*100, n, time.Duration(got), time.Duration(truth))
					}
				}
				if h.Max != all[n-1] || h.Count() != int64(n) {
					t.Errorf("max %v of %d, want %v of %d", h.Max, h.Count(), all[n-1], n)
				}
			}
		})
	}
}

func TestHistogramEdges(t *testing.T) {
	var h series.Histogram
	if h.Mean() != 0 || h.Quantile(0.5) != 0 {
		t.Errorf("of nothing: %v, %v", h.Mean(), h.Quantile(0.5))
	}
	for _, d := range []time.Duration{-time.Second, 0, time.Nanosecond, 5 * time.Millisecond, 5*time.Millisecond + 1, 10 * time.Minute, 24 * time.Hour} {
		h.Add(capture.Duration(d))
	}
	for d, want := range map[time.Duration]int64{time.Microsecond: 3, 5 * time.Millisecond: 4, 10 * time.Millisecond: 5, 10 * time.Minute: 7} {
		if got := h.Within(d); got != want {
			t.Errorf("%d within %v, want %d", got, d, want)
		}
	}
	if h.Max != capture.Duration(24*time.Hour) || h.Quantile(1) > capture.Duration(10*time.Minute) {
		t.Errorf("max %v, p100 %v", h.Max, h.Quantile(1))
	}
	for _, bad := range []string{"\x01", "\x80", "\xff\xff\x7f\x01", "\x01\x80"} {
		if err := h.Bins.UnmarshalBinary([]byte(bad)); err == nil {
			t.Errorf("%q was read as a histogram", bad)
		}
	}
}

// TestSmall: a bucket of an ordinary minute is a short record.
func TestSmall(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	b := new(series.Bucket)
	for range 500 {
		b.Event(fmt.Sprintf("invoice.%d", r.IntN(5)))
		b.Attempt(attempt(capture.AttemptSucceeded, 200, "", false, time.Duration(20e6*math.Exp(r.NormFloat64()/2))))
	}
	data, err := cbor.Marshal(b)
	if err != nil || len(data) > 250 {
		t.Errorf("%d bytes, %v", len(data), err)
	}
	t.Logf("1,000 facts in %d bytes", len(data))
}

func TestIntervals(t *testing.T) {
	at := func(s string) time.Time {
		v, err := time.Parse(time.RFC3339, s)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	for _, c := range []struct {
		i          capture.Interval
		t, want    string
		next       string
		pointsHere int
	}{
		{capture.ByMinute, "2026-11-22T01:02:03Z", "2026-11-22T01:02:00Z", "2026-11-22T01:03:01Z", 2},
		{capture.ByHour, "2026-11-22T01:02:03+05:30", "2026-11-21T19:00:00Z", "2026-11-21T20:00:00Z", 1},
		{capture.ByDay, "2026-11-22T01:02:03+05:30", "2026-11-21T00:00:00Z", "2026-11-23T00:00:00Z", 2},
		{capture.ByWeek, "2026-11-22T23:59:59Z", "2026-11-16T00:00:00Z", "2026-11-23T00:00:00Z", 1}, // a Sunday
		{capture.ByWeek, "2026-11-23T00:00:00Z", "2026-11-23T00:00:00Z", "2026-11-30T00:00:01Z", 2}, // a Monday
		{capture.ByWeek, "2026-03-01T00:00:00Z", "2026-02-23T00:00:00Z", "2026-03-01T00:00:00Z", 0},
		{capture.ByMonth, "2026-12-31T23:00:00-02:00", "2027-01-01T00:00:00Z", "2028-01-01T00:00:01Z", 13},
	} {
		if got := series.Start(c.i, at(c.t)); !got.Equal(at(c.want)) || got.Location() != time.UTC {
			t.Errorf("the %s of %s began %v, want %s", c.i, c.t, got, c.want)
		}
		if got := series.Points(c.i, at(c.t), at(c.next)); got != c.pointsHere {
			t.Errorf("%d points of a %s from %s to %s, want %d", got, c.i, c.t, c.next, c.pointsHere)
		}
	}
	from := at("2026-01-01T00:00:00Z")
	for span, want := range map[time.Duration]capture.Interval{
		0: capture.ByMinute, 100 * time.Minute: capture.ByMinute, 101 * time.Minute: capture.ByHour,
		100 * time.Hour: capture.ByHour, 101 * time.Hour: capture.ByDay, 365 * 24 * time.Hour: capture.ByWeek, 30000 * time.Hour: capture.ByMonth,
	} {
		if got := series.Finest(from, from.Add(span)); got != want {
			t.Errorf("the finest of %v is %s, want %s", span, got, want)
		}
	}
	for _, i := range append(series.Intervals, "") {
		if got, err := series.ParseInterval(string(i)); got != i || err != nil {
			t.Errorf("%q is %q, %v", i, got, err)
		}
	}
	var bad *capture.FieldError
	if _, err := series.ParseInterval("year"); !errors.As(err, &bad) || bad.Field != "interval" {
		t.Errorf("year: %v, want a FieldError", err)
	}
}
