package rules

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/match"
)

// Ingest is what the first rule does that applies to an event that came, and
// counts that. It is false where none does, or one that passes.
func (s *Set) Ingest(e *capture.Event, body []byte) (*Act, bool) {
	return s.choose(capture.OnIngest, e, body, capture.Outcome{})
}

// Delivery is what the first rule does that applies to an attempt to deliver
// an event, the try-th of its delivery, and counts that. It is false where none
// does, or one that passes.
func (s *Set) Delivery(e *capture.Event, body []byte, try int) (*Act, bool) {
	outcome := capture.Outcome{State: capture.Pending, Tries: max(try-1, 0)}
	if outcome.Tries > 0 {
		outcome.State = capture.Retrying
	}
	return s.choose(capture.OnDelivery, e, body, outcome)
}

func (s *Set) choose(on capture.Side, e *capture.Event, body []byte, outcome capture.Outcome) (*Act, bool) {
	t := s.table.Load()
	if t == nil {
		return nil, false
	}
	found := t.matching(on, e, body, outcome)
	if len(found) == 0 {
		return nil, false
	}
	turn := s.take(found, e.ID)
	if turn == nil || turn.Pass {
		return nil, false
	}
	return turn.act(e, body), true
}

// matching are the rules of a side that match, in their order.
func (t *table) matching(on capture.Side, e *capture.Event, body []byte, outcome capture.Outcome) (found []*rule) {
	general, own := t.sides[where{on: on}], t.sides[where{on, e.App}]
	if e.App == "" {
		own = nil
	}
	if general == nil && own == nil {
		return nil
	}
	about := subject(e, body, outcome)
	for _, side := range []*side{general, own} {
		if side == nil {
			continue
		}
		for _, i := range side.match.Match(about) {
			found = append(found, side.rules[i])
		}
	}
	if general != nil && own != nil {
		slices.SortFunc(found, func(a, b *rule) int { return cmp.Compare(a.place, b.place) })
	}
	return found
}

func subject(e *capture.Event, body []byte, outcome capture.Outcome) match.Subject {
	return match.Subject{Row: &capture.Row{Event: *e, Outcome: outcome}, Body: func() []byte { return body }}
}

// take counts the first of the rules that applies; nil: none does.
func (s *Set) take(found []*rule, event capture.ID) *turn {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range found {
		if s.held(r) != "" || r.Probability != nil && s.rand.Float64() >= *r.Probability {
			continue
		}
		r.hits++
		r.last, r.event = time.Now().UTC(), event
		t := &turn{rule: r, hits: r.hits, state: s.state(r), rand: rand.New(rand.NewPCG(s.rand.Uint64(), s.rand.Uint64()))}
		if r.Scenario != nil && r.Scenario.Then != "" {
			s.states[r.Scenario.Name] = r.Scenario.Then
		}
		return t
	}
	return nil
}

// held is what keeps a rule from applying whatever the event, in words.
func (s *Set) held(r *rule) string {
	if r.Times > 0 && r.hits >= int64(r.Times) {
		return fmt.Sprintf("it is spent: it has applied as often as it may (times: %d)", r.Times)
	}
	if state := s.state(r); r.Scenario != nil && r.Scenario.When != "" && r.Scenario.When != state {
		return fmt.Sprintf("its scenario is in the state %q, and it applies in %q", state, r.Scenario.When)
	}
	return ""
}

// Explain says of every rule, in their order, whether it would apply to an
// event if it came now, or were delivered for the first time. A rule that is left
// to chance is not said to apply. Nothing is counted.
func (s *Set) Explain(e *capture.Event, body []byte) []capture.RuleExplanation {
	t := s.table.Load()
	if t == nil {
		return nil
	}
	all := make([]capture.RuleExplanation, len(t.all))
	for i, r := range t.all {
		all[i] = capture.RuleExplanation{Rule: r.ID, Name: r.Name, On: r.side(), Matches: true, Why: []string{}}
		outcome := capture.Outcome{}
		if all[i].On == capture.OnDelivery {
			outcome.State = capture.Pending
		}
		for _, miss := range r.predicate.Explain(subject(e, body, outcome)) {
			all[i].Matches = false
			all[i].Why = append(all[i].Why, miss.String())
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	first := make(map[capture.Side]*rule)
	for i, r := range t.all {
		x := &all[i]
		x.Why = append(x.Why, s.why(r, e)...)
		if before := first[x.On]; before != nil {
			x.Why = append(x.Why, fmt.Sprintf("rule %q applies before it", cmp.Or(before.Name, string(before.ID))))
		}
		if x.Applies = len(x.Why) == 0; x.Applies {
			first[x.On] = r
		}
	}
	return all
}

// why is what keeps a rule from applying to an event, but its predicate.
func (s *Set) why(r *rule, e *capture.Event) (why []string) {
	if r.Disabled {
		why = append(why, "it is disabled")
	}
	if r.App != "" && r.App != e.App {
		why = append(why, fmt.Sprintf("it is for the app %q, and the event is of %q", r.App, e.App))
	}
	if held := s.held(r); held != "" {
		why = append(why, held)
	}
	if r.Probability != nil && *r.Probability < 1 {
		why = append(why, fmt.Sprintf("it is left to chance: it applies to %g %% of what matches", *r.Probability*100))
	}
	return why
}
