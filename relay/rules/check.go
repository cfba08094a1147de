package rules

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/fill"
	"code.hooktape.dev/hooktape/capture/match"
)

const (
	maxName     = 200 // characters
	maxBody     = 64 << 10
	maxBodies   = 1 << 20 // of a sequence, all together
	maxHeaders  = 16 << 10
	maxSequence = 1000
	maxDelay    = time.Minute
	maxSigma    = 3 // of a thousand delays one is 10,000 times the median, or more
)

// Check says what is wrong with a rule, as a *capture.FieldError.
func Check(spec *capture.RuleSpec) error {
	_, err := compile(spec)
	return err
}

// compiled is what a rule does, ready to be done.
type compiled struct {
	predicate *match.Predicate
	answers   []answer // of a mock: itself, or its sequence
}

func compile(spec *capture.RuleSpec) (*compiled, error) {
	if err := checkWhen(spec); err != nil {
		return nil, err
	}
	p, err := match.Parse(spec.Match)
	if err != nil {
		return nil, wrong("match", "%v", err)
	}
	c := &compiled{predicate: p}
	switch {
	case spec.Pass && spec.Mock == nil && spec.Fault == nil:
		return c, nil
	case spec.Mock != nil && spec.Fault == nil && !spec.Pass:
		c.answers, err = compileMock(spec.Mock)
		return c, err
	case spec.Fault != nil && spec.Mock == nil && !spec.Pass:
		return c, checkFault(spec.Fault)
	}
	return nil, wrong("mock", "want exactly one of mock, fault and pass")
}

func wrong(field, problem string, args ...any) error {
	return &capture.FieldError{Field: field, Problem: fmt.Sprintf(problem, args...)}
}

// checkWhen looks at all that decides whether a rule applies, but its
// predicate.
func checkWhen(spec *capture.RuleSpec) error {
	if utf8.RuneCountInString(spec.Name) > maxName {
		return wrong("name", "want at most %d characters", maxName)
	}
	if spec.App != "" && !capture.IsSlug(spec.App) {
		return wrong("app", "%q: want an app's name: lower-case letters, digits, - and _", spec.App)
	}
	switch spec.On {
	case "", capture.OnIngest:
		if spec.Send != nil {
			return wrong("send", "only rules on delivery have it")
		}
	case capture.OnDelivery:
		if spec.Send != nil && spec.Pass {
			return wrong("send", "what passes is sent")
		}
	default:
		return wrong("on", "%q: want %q or %q", spec.On, capture.OnIngest, capture.OnDelivery)
	}
	if p := spec.Probability; p != nil && !(*p >= 0 && *p <= 1) {
		return wrong("probability", "%g: want 0 to 1", *p)
	}
	if spec.Times < 0 {
		return wrong("times", "%d: want 0, for without end, or more", spec.Times)
	}
	return checkScenario(spec.Scenario)
}

func checkScenario(s *capture.Scenario) error {
	if s == nil {
		return nil
	}
	if s.Name == "" {
		return wrong("scenario.name", "is missing")
	}
	for field, text := range map[string]string{"name": s.Name, "when": s.When, "then": s.Then} {
		if utf8.RuneCountInString(text) > maxName {
			return wrong("scenario."+field, "want at most %d characters", maxName)
		}
	}
	return nil
}

// compileMock is the answers of a mock, each with what it has of the mock.
func compileMock(m *capture.Mock) ([]answer, error) {
	own, err := compileAnswer("mock", m)
	if err != nil {
		return nil, err
	}
	if len(m.Sequence) == 0 {
		if m.Cycle {
			return nil, wrong("mock.cycle", "there is no sequence")
		}
		return []answer{own}, nil
	}
	if len(m.Sequence) > maxSequence {
		return nil, wrong("mock.sequence", "%d answers: want at most %d", len(m.Sequence), maxSequence)
	}
	answers, size := make([]answer, len(m.Sequence)), 0
	for i := range m.Sequence {
		next, field := &m.Sequence[i], fmt.Sprintf("mock.sequence[%d]", i)
		if len(next.Sequence) > 0 || next.Cycle {
			return nil, wrong(field+".sequence", "a sequence has no sequences")
		}
		if size += len(next.Body); size > maxBodies {
			return nil, wrong("mock.sequence", "want at most 1 MiB of bodies")
		}
		a, err := compileAnswer(field, next)
		if err != nil {
			return nil, err
		}
		answers[i] = a.or(own)
	}
	return answers, nil
}

func compileAnswer(field string, m *capture.Mock) (a answer, err error) {
	if a.status = m.Status; a.status != 0 && (a.status < 200 || a.status > 599) {
		return a, wrong(field+".status", "%d: want 200 to 599", m.Status)
	}
	if len(m.Body) > maxBody {
		return a, wrong(field+".body", "want at most 64 KiB")
	}
	if m.Body != "" {
		if a.body, err = fill.Parse(m.Body); err != nil {
			return a, wrong(field+".body", "%v", err)
		}
	}
	if a.headers, err = compileHeaders(field+".headers", m.Headers); err != nil {
		return a, err
	}
	a.delay = m.Delay
	return a, checkDelay(field+".delay", m.Delay)
}

// ofTheWire are headers that say how an answer is put on the connection.
var ofTheWire = []string{"content-length", "transfer-encoding", "connection", "keep-alive", "proxy-connection", "te", "trailer", "upgrade"}

func compileHeaders(field string, headers map[string]string) (compiled []header, err error) {
	size, seen := 0, make(map[string]bool)
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		lower, value := strings.ToLower(name), headers[name]
		size += len(name) + len(value)
		h := header{name: name}
		switch h.value, err = fill.Parse(value); {
		case name == "" || strings.ContainsFunc(name, func(r rune) bool { return !token(r) }):
			err = errors.New("want a name of letters, digits and !#$%&'*+-.^_`|~")
		case slices.Contains(ofTheWire, lower):
			err = errors.New("is decided by the connection")
		case seen[lower]:
			err = errors.New("is there twice, in another case")
		case strings.ContainsFunc(value, control):
			err = errors.New("want a value of one line, without control characters")
		case size > maxHeaders:
			err = errors.New("want at most 16 KiB of headers")
		}
		if err != nil {
			return nil, wrong(field+"."+name, "%v", err)
		}
		seen[lower], compiled = true, append(compiled, h)
	}
	return compiled, nil
}

// token reports whether r may be in a header's name (RFC 9110 §5.6.2).
func token(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("!#$%&'*+-.^_`|~", r)
}

func control(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }

func checkFault(f *capture.Fault) error {
	if !slices.Contains(capture.Faults, f.Kind) {
		var names []string
		for _, kind := range capture.Faults {
			names = append(names, string(kind))
		}
		like := capture.Meant("did you mean %q? ", string(f.Kind), names)
		return wrong("fault.kind", "%q: %swant one of %s", f.Kind, like, strings.Join(names, ", "))
	}
	if f.Status != 0 && f.Kind != capture.FaultStatus {
		return wrong("fault.status", "only a fault of the kind %q has one", capture.FaultStatus)
	}
	if f.Status != 0 && (f.Status < 400 || f.Status > 599) {
		return wrong("fault.status", "%d: want 400 to 599", f.Status)
	}
	return checkDelay("fault.delay", f.Delay)
}

func checkDelay(field string, d *capture.Delay) error {
	if d == nil {
		return nil
	}
	for name, length := range map[string]capture.Duration{"fixed_ms": d.Fixed, "min_ms": d.Min, "max_ms": d.Max, "median_ms": d.Median} {
		if length < 0 || time.Duration(length) > maxDelay {
			return wrong(field+"."+name, "%s: want 0 to %s", length, maxDelay)
		}
	}
	switch {
	case d.Fixed > 0 && (d.Min > 0 || d.Max > 0 || d.Median > 0), d.Median > 0 && d.Min > 0:
		return wrong(field, "want fixed_ms, or min_ms and max_ms, or median_ms with sigma")
	case d.Min > d.Max:
		return wrong(field+".max_ms", "%s: is less than min_ms", d.Max)
	case d.Sigma != 0 && d.Median == 0:
		return wrong(field+".sigma", "there is no median_ms")
	case !(d.Sigma >= 0 && d.Sigma <= maxSigma):
		return wrong(field+".sigma", "%g: want 0 to %d", d.Sigma, maxSigma)
	}
	return nil
}
