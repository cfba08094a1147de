package relay

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/catalog"
	catalogspec "code.hooktape.dev/hooktape/capture/catalog/spec"
	"code.hooktape.dev/hooktape/capture/fill"
	"code.hooktape.dev/hooktape/capture/provider"
)

// The bounds of what is checked and of what is said about it.
const (
	mostChecked  = 1 << 20 // bytes of a body
	mostMatching = 16      // event types that one event is held against
	mostProblems = 10      // of an event, each of
	mostProblem  = 200     // bytes
	mostKnown    = 256     // apps whose event types are held ready
)

// Check notes on an event how it compares with the event types made for its
// app, where the app asks for that. An event is of the type whose selector
// finds in it what it wants; of types without one, of that whose tag's second
// half is its type, else of one whose sample has the same type. Where several
// will do it is of the one it fits best.
func (r *Registry) Check(e *capture.Event, body []byte) {
	r.known.mu.RLock()
	mode := r.known.apps[e.App].Check
	r.known.mu.RUnlock()
	if mode == "" || e.Refused != nil || e.Sealed {
		return // as most, which are not to pay for it
	}
	types, err := r.known.kinds.of(e.App, r.store)
	switch {
	case err != nil:
		e.Conforms = unfitted("the event types cannot be read: " + err.Error())
	case len(types) == 0:
	case len(body) > mostChecked:
		e.Conforms = unfitted(fmt.Sprintf("the body is over %d bytes", mostChecked))
	default:
		e.Conforms = held(e, body, types, mode)
	}
}

func unfitted(why string) *capture.Conformity {
	return &capture.Conformity{Verdict: capture.Unfitted, Problems: []string{clipped(why)}}
}

// held holds an event against those of the types that it may be of.
func held(e *capture.Event, body []byte, types []*eventKind, mode capture.CheckMode) (best *capture.Conformity) {
	doc, unreadable := catalog.Body(e.Headers, body)
	var of []*eventKind
	most, values := 1, map[string][]string{} // by the selector, for many have the same
	for _, k := range types {
		if _, read := values[k.by]; !read && len(k.wanted) > 0 {
			values[k.by], _ = k.selector.Values(doc)
		}
		switch rank := k.rank(e.Type, values[k.by]); {
		case rank > most:
			of, most = []*eventKind{k}, rank
		case rank == most && len(of) < mostMatching:
			of = append(of, k)
		}
	}
	order := []capture.Fit{capture.Fits, capture.FitsAlmost, capture.Misfits, capture.Unfitted}
	for _, k := range of {
		c := k.hold(doc, unreadable, mode)
		if best == nil || slices.Index(order, c.Verdict) < slices.Index(order, best.Verdict) {
			best = c
		}
	}
	if best == nil {
		return &capture.Conformity{Verdict: capture.FitsNone}
	}
	return best
}

// eventKind is an event type as events are held against it.
type eventKind struct {
	tag, event string
	like       string // the type that its own sample is recognised to be of
	by         string // the selector as it was written
	selector   catalog.Selector
	wanted     []string                              // by the selector; nil: it cannot tell
	schema     func() (*catalogspec.Compiled, error) // of bodies; nil: any will do
}

func newEventKind(t *capture.EventType) *eventKind {
	k := &eventKind{tag: t.Tag, by: t.Selector}
	_, k.event, _ = capture.SplitTag(t.Tag)
	var body []byte
	sample, err := filledSample(&t.Sample)
	if err == nil {
		body = sample.Body
		if e, raw, err := catalog.Request(sample); err == nil {
			k.like = provider.Recognise(e.Method, string(e.Target), e.Headers, raw).Type
		}
	}
	k.selector, k.wanted, _ = selects(&t.EventTypeSpec, body)
	schema := t.Schema // and not t, which is one of a list that may be long
	if len(schema) > 0 || len(body) > 0 || err != nil {
		k.schema = sync.OnceValues(func() (*catalogspec.Compiled, error) {
			if len(schema) > 0 {
				return catalogspec.Compile(schema)
			}
			if err != nil {
				return nil, err
			}
			expected, err := catalog.Expect(body)
			if err != nil {
				return nil, err
			}
			return catalogspec.Compile(expected)
		})
	}
	return k
}

// filledSample is a sample with its templates filled in, the same each time.
func filledSample(s *capture.Sample) (*capture.Sample, error) {
	t, err := parseSample(s)
	if err != nil {
		return nil, err
	}
	return t.fill(&fill.Source{Now: time.Now(), Rand: rand.New(rand.NewPCG(1, 0))})
}

// selects is an event type's selector with what it wants, which is what stands
// in the sample where nothing else is said. Without a sample it wants nothing,
// and cannot tell.
func selects(s *capture.EventTypeSpec, sample []byte) (places catalog.Selector, wanted []string, err error) {
	if places, err = catalog.ParseSelector(s.Selector); err != nil || len(places) == 0 {
		return nil, nil, err
	}
	if len(s.SelectorValue) > 0 {
		wanted, err = places.Wanted(s.SelectorValue)
		return places, wanted, err
	}
	wanted, ok := places.Values(sample)
	if !ok && len(sample) > 0 {
		return nil, nil, &capture.FieldError{Field: "selector", Problem: fmt.Sprintf("%.80q: want places where the sample's body has a string, a number, true or false, or a selector_value", s.Selector)}
	}
	return places, wanted, nil
}

// rank is how surely an event of a type, in which the selector finds these
// values, is of this event type; 0: it is not.
func (k *eventKind) rank(of string, values []string) int {
	switch {
	case len(k.wanted) > 0 && slices.Equal(values, k.wanted):
		return 2 + len(k.wanted)
	case len(k.wanted) > 0:
		return 0
	case of == k.event:
		return 2
	case of == k.like && of != "":
		return 1
	}
	return 0
}

// hold compares a body with the event type.
func (k *eventKind) hold(body []byte, unreadable error, mode capture.CheckMode) *capture.Conformity {
	c := &capture.Conformity{Type: k.tag, Verdict: capture.Fits}
	if k.schema == nil {
		return c
	}
	schema, err := k.schema()
	if err != nil {
		c.Verdict, c.Problems = capture.Unfitted, []string{clipped(strings.TrimPrefix(err.Error(), "spec: "))}
		return c
	}
	var problems []catalogspec.Problem
	switch {
	case unreadable != nil:
		err = unreadable
	case len(body) == 0:
		err = errors.New("the body is empty")
	default:
		problems, err = schema.Check(body)
	}
	if err != nil {
		c.Verdict, c.Problems = capture.Misfits, []string{clipped(err.Error())}
		if errors.Is(err, catalogspec.ErrEffort) {
			c.Verdict = capture.Unfitted
		}
		return c
	}
	for i, p := range problems {
		if p.Unknown && mode == capture.CheckLenient {
			c.Verdict = worse(c.Verdict, capture.FitsAlmost)
		} else {
			c.Verdict = capture.Misfits
		}
		switch {
		case i < mostProblems-1 || i == mostProblems-1 && len(problems) == mostProblems:
			c.Problems = append(c.Problems, clipped(p.String()))
		case i == mostProblems-1:
			c.Problems = append(c.Problems, fmt.Sprintf("and %d more", len(problems)-i))
		}
	}
	return c
}

func worse(a, b capture.Fit) capture.Fit {
	if a == capture.Misfits {
		return a
	}
	return b
}

// clipped is text that fits into a Conformity.
func clipped(s string) string {
	if s = strings.ToValidUTF8(s, "\uFFFD"); len(s) <= mostProblem {
		return s
	}
	n := mostProblem - len("…")
	for !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + "…"
}

// kinds holds the event types ready of apps whose events are checked.
type kinds struct {
	mu sync.Mutex // guards by, and is held while that is filled
	by map[string][]*eventKind
}

func (k *kinds) of(app string, from Records) ([]*eventKind, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if types, ok := k.by[app]; ok {
		return types, nil
	}
	all, err := from.Types(context.Background())
	if err != nil {
		return nil, err
	}
	types := []*eventKind{}
	for i := range all {
		if whose, _, _ := capture.SplitTag(all[i].Tag); whose == app {
			types = append(types, newEventKind(&all[i]))
		}
	}
	if k.by == nil || len(k.by) >= mostKnown {
		k.by = make(map[string][]*eventKind)
	}
	k.by[app] = types
	return types, nil
}

// forget lets go of what is held of an event type's app, once the type has
// changed.
func (k *kinds) forget(tag string) {
	app, _, _ := capture.SplitTag(tag)
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.by, app)
}
