package relay

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/catalog"
	catalogspec "code.hooktape.dev/hooktape/capture/catalog/spec"
	"code.hooktape.dev/hooktape/capture/fill"
	"code.hooktape.dev/hooktape/capture/provider"
)

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
