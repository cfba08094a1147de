package relay

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/catalog"
	catalogspec "code.hooktape.dev/hooktape/capture/catalog/spec"
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
