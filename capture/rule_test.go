package capture

import "testing"

func TestRuleDoes(t *testing.T) {
	for want, s := range map[string]RuleSpec{
		"mock 200":       {Mock: &Mock{}},
		"mock 418":       {Mock: &Mock{Status: 418}},
		"mock 2 in turn": {Mock: &Mock{Sequence: make([]Mock, 2)}},
		"fault 503":      {Fault: &Fault{Kind: FaultStatus}},
		"fault 429":      {Fault: &Fault{Kind: FaultStatus, Status: 429}},
		"fault timeout":  {Fault: &Fault{Kind: FaultTimeout}},
		"pass":           {Pass: true},
	} {
		if got := s.Does(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
