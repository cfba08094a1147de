package match

import "code.hooktape.dev/hooktape/capture"

// Subscribe compiles what an endpoint subscribes to. Of subscriptions only type
// and filter count so far.
func Subscribe(s *capture.EndpointSpec) (*Predicate, error) {
	t := s.Filter
	for i, x := range s.Subscriptions {
		if i > 0 {
			t += " or"
		}
		if x.Type != "" {
			t += " type:" + x.Type
		}
		t += " " + x.Filter
	}
	p, err := Parse(t)
	if err != nil {
		return nil, &capture.FieldError{Field: "filter", Problem: err.Error()}
	}
	return p, nil
}

// Set is many predicates asked at once.
type Set struct{ ps []*Predicate }

// NewSet is a Set of ps.
func NewSet(ps []*Predicate) *Set { return &Set{ps} }

// Match lists which match, by their index.
func (s *Set) Match(x Subject) (is []int) {
	for i, p := range s.ps {
		if p.Match(x) {
			is = append(is, i)
		}
	}
	return is
}
