package rules

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/fill"
)

// Act is what a rule does about one event: it answers, or it fails.
type Act struct {
	Rule capture.ID
	Name string // of the rule, or its id where it has none

	// Fault is how it fails; "": it answers. FaultStatus, FaultDrip and
	// FaultLength have an answer too.
	Fault   capture.FaultKind
	Status  int
	Headers capture.Headers
	Body    []byte

	// Delay goes before it. Of FaultTimeout it is how long nothing is said, and
	// of FaultDrip how long the body takes.
	Delay time.Duration
	// Send says, on the delivery side, that the app gets the request first.
	Send bool
}

// answer is a mock, compiled. What is zero in it was left out.
type answer struct {
	status  int
	headers []header
	body    *fill.Template
	delay   *capture.Delay
}

type header struct {
	name  string
	value *fill.Template
}

// or is the answer with what it leaves out taken from another.
func (a answer) or(other answer) answer {
	if a.headers == nil {
		a.headers = other.headers
	}
	return answer{cmp.Or(a.status, other.status), a.headers, cmp.Or(a.body, other.body), cmp.Or(a.delay, other.delay)}
}

// turn is the application of a rule.
type turn struct {
	*rule
	hits  int64 // this one included
	state string
	rand  *rand.Rand
}

// act is what the turn's rule does about an event.
func (t *turn) act(e *capture.Event, body []byte) *Act {
	a := &Act{Rule: t.ID, Name: cmp.Or(t.Name, string(t.ID)), Send: t.Fault != nil}
	if t.Send != nil {
		a.Send = *t.Send
	}
	if t.Fault != nil {
		a.fail(t.Fault, e, t.rand)
		return a
	}
	n := int(t.hits - 1)
	if t.Mock.Cycle {
		n %= len(t.answers)
	}
	s := &fill.Source{Event: e, Body: body, Rand: t.rand, N: int(t.hits - 1), Rule: &fill.Rule{Name: t.Name, Hits: t.hits, State: t.state}}
	if err := a.fill(&t.answers[min(n, len(t.answers)-1)], s); err != nil {
		a.Status, a.Headers = http.StatusInternalServerError, capture.Headers{{"Content-Type", "text/plain; charset=utf-8"}}
		a.Body = fmt.Appendf(nil, "rule %s: %v\n", a.Name, err)
	}
	return a
}

func (a *Act) fill(mock *answer, s *fill.Source) error {
	a.Status, a.Delay = cmp.Or(mock.status, http.StatusOK), draw(mock.delay, s.Rand, 0)
	body, err := cmp.Or(mock.body, new(fill.Template)).Fill(s)
	if err != nil {
		return err
	}
	size := 0
	for _, h := range mock.headers {
		value, err := h.value.Fill(s)
		if err != nil {
			return err
		}
		if size += len(h.name) + len(value); size > maxHeaders {
			return fmt.Errorf("header %s: all are %w of 16 KiB", h.name, fill.ErrTooLong)
		}
		a.Headers = append(a.Headers, capture.Header{h.name, oneLine(value)})
	}
	if a.Status == http.StatusNoContent || a.Status == http.StatusNotModified { // RFC 9110 §6.4.1
		return nil
	}
	if a.Body = []byte(body); body != "" && !a.Headers.Has("Content-Type") {
		a.Headers = append(a.Headers, capture.Header{"Content-Type", contentType(a.Body)})
	}
	return nil
}

// oneLine is a value as it can stand in a header: what came with an event may
// have line ends.
func oneLine(value string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if control(r) {
			return ' '
		}
		return r
	}, value))
}

func contentType(body []byte) string {
	if json.Valid(body) {
		return "application/json"
	}
	return "text/plain; charset=utf-8"
}

// fail is an answer of ours for the faults that have one.
func (a *Act) fail(f *capture.Fault, e *capture.Event, r *rand.Rand) {
	a.Fault, a.Status, a.Delay = f.Kind, http.StatusOK, draw(f.Delay, r, usual[f.Kind])
	a.Headers = capture.Headers{{"Content-Type", "application/json"}}
	a.Body = fmt.Appendf(nil, "{\"id\":%q,\"app\":%q}\n", e.ID, e.App)
	if f.Kind == capture.FaultStatus {
		a.Status = cmp.Or(f.Status, http.StatusServiceUnavailable)
		a.Headers = capture.Headers{{"Content-Type", "application/problem+json"}}
		a.Body = fmt.Appendf(nil, "{\"title\":%q,\"status\":%d,\"detail\":\"It fails on purpose.\"}\n", http.StatusText(a.Status), a.Status)
	}
}

// usual are the delays of faults that do not say.
var usual = map[capture.FaultKind]time.Duration{capture.FaultTimeout: 60 * time.Second, capture.FaultDrip: 10 * time.Second}

// draw is how long a delay is this time.
func draw(d *capture.Delay, r *rand.Rand, absent time.Duration) time.Duration {
	switch {
	case d == nil:
		return absent
	case d.Median > 0:
		x := float64(d.Median) * math.Exp(d.Sigma*r.NormFloat64())
		return time.Duration(min(x, float64(cmp.Or(time.Duration(d.Max), maxDelay))))
	case d.Max > 0:
		return time.Duration(d.Min) + time.Duration(r.Int64N(int64(d.Max-d.Min)+1))
	}
	return time.Duration(d.Fixed)
}
