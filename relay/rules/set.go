package rules

import (
	"cmp"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/match"
)

// maxRules is how many a Set may have.
const maxRules = 10_000

// begun is the state that a scenario begins in.
const begun = "started"

// Set is the rules that apply, with what they have done. It is safe for
// concurrent use.
type Set struct {
	table atomic.Pointer[table] // nil: there are no rules

	mu     sync.Mutex // guards the fields below, and all records
	rand   *rand.Rand
	did    map[capture.ID]*record
	states map[string]string // of scenarios that have left the first
}

// New is a Set without rules. What is left to chance follows from r, which is
// the Set's from then on; nil: it is another each time.
func New(r *rand.Rand) *Set {
	if r == nil {
		r = rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))
	}
	return &Set{rand: r}
}

// rule is a rule that may apply.
type rule struct {
	capture.Rule
	compiled
	*record
	place int // among all
}

// record is what a rule has done.
type record struct {
	hits  int64
	last  time.Time
	event capture.ID
}

// table is all rules in their order. It is never changed, but for their
// records.
type table struct {
	all   []*rule
	sides map[where]*side
}

// where rules are asked: on a side, about an app's events; "": about all.
type where struct {
	on  capture.Side
	app string
}

// side is the rules that are asked together.
type side struct {
	rules []*rule
	match *match.Set
}

// Put has these rules apply from now on, and no others: those of files first,
// then by their Place. What rules have done goes on counting if their id stays.
// One that is wrong refuses them all; the error is then a *capture.FieldError
// of "rules[3].match" or the like.
func (s *Set) Put(rules []capture.Rule) error {
	if len(rules) > maxRules {
		return wrong("rules", "%d: want at most %d", len(rules), maxRules)
	}
	all, ids := make([]*rule, len(rules)), make(map[capture.ID]bool)
	for i, r := range rules {
		field := fmt.Sprintf("rules[%d].", i)
		c, err := compile(&r.RuleSpec)
		if f := (*capture.FieldError)(nil); errors.As(err, &f) {
			return wrong(field+f.Field, "%s", f.Problem)
		}
		if r.ID == "" || ids[r.ID] {
			return wrong(field+"id", "%q: want one of its own", r.ID)
		}
		ids[r.ID] = true
		all[i] = &rule{Rule: r, compiled: *c}
	}
	slices.SortStableFunc(all, func(a, b *rule) int {
		if (a.File != "") != (b.File != "") {
			if a.File != "" {
				return -1
			}
			return 1
		}
		return cmp.Compare(a.Place, b.Place)
	})
	s.replace(all)
	return nil
}

// replace puts rules in the place of all others.
func (s *Set) replace(all []*rule) {
	s.mu.Lock()
	defer s.mu.Unlock()
	did, states := make(map[capture.ID]*record), make(map[string]string)
	for i, r := range all {
		if r.place, r.record = i, s.did[r.ID]; r.record == nil {
			r.record = new(record)
		}
		did[r.ID] = r.record
		if r.Scenario != nil && s.states[r.Scenario.Name] != "" {
			states[r.Scenario.Name] = s.states[r.Scenario.Name]
		}
	}
	s.did, s.states = did, states
	if len(all) == 0 {
		s.table.Store(nil)
		return
	}
	s.table.Store(newTable(all))
}

func newTable(all []*rule) *table {
	t := &table{all: all, sides: make(map[where]*side)}
	for _, r := range all {
		if r.Disabled {
			continue
		}
		at := where{r.side(), r.App}
		if t.sides[at] == nil {
			t.sides[at] = new(side)
		}
		t.sides[at].rules = append(t.sides[at].rules, r)
	}
	for _, s := range t.sides {
		ps := make([]*match.Predicate, len(s.rules))
		for i, r := range s.rules {
			ps[i] = r.predicate
		}
		s.match = match.NewSet(ps)
	}
	return t
}

func (r *rule) side() capture.Side { return cmp.Or(r.On, capture.OnIngest) }

// Rows are all rules in their order, with what they have done.
func (s *Set) Rows() []capture.RuleRow {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.table.Load()
	if t == nil {
		return nil
	}
	rows := make([]capture.RuleRow, len(t.all))
	for i, r := range t.all {
		rows[i] = capture.RuleRow{Rule: r.Rule, Hits: r.hits, LastHit: r.last, Event: r.event, State: s.state(r)}
	}
	return rows
}

// state is that of the rule's scenario, "" where it has none.
func (s *Set) state(r *rule) string {
	if r.Scenario == nil {
		return ""
	}
	return cmp.Or(s.states[r.Scenario.Name], begun)
}

// Reset has a rule begin anew: what it did, its sequence and its scenario. "":
// all of them do. The error is capture.ErrNotFound, wrapped.
func (s *Set) Reset(id capture.ID) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t := s.table.Load(); t != nil {
		for _, r := range t.all {
			if id != "" && r.ID != id {
				continue
			}
			*r.record = record{}
			if r.Scenario != nil {
				delete(s.states, r.Scenario.Name)
			}
		}
	}
	if id != "" && s.did[id] == nil {
		return fmt.Errorf("rules: %s: %w", id, capture.ErrNotFound)
	}
	return nil
}
