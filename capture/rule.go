package capture

import (
	"cmp"
	"fmt"
	"net/http"
	"time"
)

// Rule answers events that match: with a mock, with a fault, or by letting
// them pass. Rules are asked in order, and the first that applies counts.
type Rule struct {
	ID ID `json:"id" cbor:"1,keyasint"`
	RuleSpec
	// Place orders rules, the least first; those of a file stand before all
	// others.
	Place int64 `json:"place" cbor:"10,keyasint"`
	// File is the configuration file it is from; such a rule is changed there.
	File string `json:"file,omitempty" cbor:"-"`

	Created   time.Time `json:"created_at,omitzero" cbor:"11,keyasint,omitzero"`
	Updated   time.Time `json:"updated_at,omitzero" cbor:"12,keyasint,omitzero"`
	CreatedBy string    `json:"created_by,omitempty" cbor:"13,keyasint,omitempty"`
	UpdatedBy string    `json:"updated_by,omitempty" cbor:"14,keyasint,omitempty"`
}

// RuleSpec is what a rule's owner decides. Exactly one of Mock, Fault and Pass
// is set.
type RuleSpec struct {
	Name     string `json:"name,omitempty" cbor:"2,keyasint,omitempty"` // for people; up to 200 characters
	App      string `json:"app,omitempty" cbor:"3,keyasint,omitempty"`  // "": every app's events
	On       Side   `json:"on,omitempty" cbor:"4,keyasint,omitempty"`   // "": OnIngest
	Match    string `json:"match" cbor:"5,keyasint,omitempty"`          // a predicate (capture/match); "": all
	Disabled bool   `json:"disabled,omitempty" cbor:"6,keyasint,omitempty"`

	// Probability is how often it applies to what matches, 0 to 1; absent: 1.
	// Else the next rules are asked.
	Probability *float64 `json:"probability,omitempty" cbor:"15,keyasint,omitempty"`
	// Times is how often it applies before it is spent; 0: without end.
	Times int `json:"times,omitempty" cbor:"16,keyasint,omitempty"`
	// Scenario makes it apply in one state only, and go on to another.
	Scenario *Scenario `json:"scenario,omitempty" cbor:"17,keyasint,omitempty"`

	Mock  *Mock  `json:"mock,omitempty" cbor:"7,keyasint,omitempty"`
	Fault *Fault `json:"fault,omitempty" cbor:"8,keyasint,omitempty"`
	Pass  bool   `json:"pass,omitempty" cbor:"9,keyasint,omitempty"`

	// Send says, on the delivery side, whether the app gets the request all
	// the same; its answer is then replaced. Absent: it does with a fault, and
	// does not with a mock.
	Send *bool `json:"send,omitempty" cbor:"18,keyasint,omitempty"`
}

// Does is what a rule does, in two or three words: mock 200, fault timeout.
func (s *RuleSpec) Does() string {
	switch {
	case s.Mock != nil && len(s.Mock.Sequence) > 0:
		return fmt.Sprintf("mock %d in turn", len(s.Mock.Sequence))
	case s.Mock != nil:
		return fmt.Sprint("mock ", cmp.Or(s.Mock.Status, http.StatusOK))
	case s.Fault != nil && s.Fault.Kind == FaultStatus:
		return fmt.Sprint("fault ", cmp.Or(s.Fault.Status, http.StatusServiceUnavailable))
	case s.Fault != nil:
		return "fault " + string(s.Fault.Kind)
	}
	return "pass"
}

// Side is where a rule answers.
type Side string

// The sides.
const (
	OnIngest   Side = "ingest"   // what the provider sees, once the event is kept
	OnDelivery Side = "delivery" // what the app's answer becomes
)

// Scenario is a state machine that rules share by its name. It begins in the
// state "started".
type Scenario struct {
	Name string `json:"name" cbor:"1,keyasint"`
	When string `json:"when,omitempty" cbor:"2,keyasint,omitempty"` // the state to apply in; "": any
	Then string `json:"then,omitempty" cbor:"3,keyasint,omitempty"` // the state afterwards; "": the same
}

// Mock is an answer.
type Mock struct {
	Status  int               `json:"status,omitempty" cbor:"1,keyasint,omitempty"`  // 200 to 599; 0: 200
	Headers map[string]string `json:"headers,omitempty" cbor:"2,keyasint,omitempty"` // their values are templates (capture/fill)
	Body    string            `json:"body,omitempty" cbor:"3,keyasint,omitempty"`    // a template, up to 64 KiB
	Delay   *Delay            `json:"delay,omitempty" cbor:"4,keyasint,omitempty"`
	// Sequence are answers for the first, second … time; after the last it
	// stays with that, unless it Cycles. What one leaves out is the Mock's.
	Sequence []Mock `json:"sequence,omitempty" cbor:"5,keyasint,omitempty"`
	Cycle    bool   `json:"cycle,omitempty" cbor:"6,keyasint,omitempty"`
}

// Delay is how long an answer waits. Fixed, or evenly between Min and Max, or
// log-normal with a Median and Sigma, cut at Max. A minute at most.
type Delay struct {
	Fixed  Duration `json:"fixed_ms,omitempty" cbor:"1,keyasint,omitempty"`
	Min    Duration `json:"min_ms,omitempty" cbor:"2,keyasint,omitempty"`
	Max    Duration `json:"max_ms,omitempty" cbor:"3,keyasint,omitempty"`
	Median Duration `json:"median_ms,omitempty" cbor:"4,keyasint,omitempty"`
	Sigma  float64  `json:"sigma,omitempty" cbor:"5,keyasint,omitempty"` // of the logarithm; 0.1 to 1 is usual
}

// Fault is a failure on purpose.
type Fault struct {
	Kind FaultKind `json:"kind" cbor:"1,keyasint"`
	// Status is of FaultStatus; 0: 503.
	Status int `json:"status,omitempty" cbor:"2,keyasint,omitempty"`
	// Delay goes before it. Of FaultTimeout it is how long nothing is said
	// before the connection is closed, and of FaultDrip how long the whole
	// answer takes; absent: 60 s and 10 s.
	Delay *Delay `json:"delay,omitempty" cbor:"3,keyasint,omitempty"`
}

// FaultKind is one of the failures below.
type FaultKind string

// The faults.
const (
	FaultTimeout   FaultKind = "timeout"   // no answer
	FaultDrip      FaultKind = "drip"      // an answer a byte at a time
	FaultReset     FaultKind = "reset"     // the connection is reset (RST)
	FaultEmpty     FaultKind = "empty"     // the connection is closed before any answer
	FaultMalformed FaultKind = "malformed" // what comes is not HTTP
	FaultLength    FaultKind = "length"    // the body is shorter than announced
	FaultStatus    FaultKind = "status"    // an error, 503 unless it says otherwise
)

// Faults are all of them.
var Faults = []FaultKind{FaultTimeout, FaultDrip, FaultReset, FaultEmpty, FaultMalformed, FaultLength, FaultStatus}

// RuleRow is a rule with what it has done since the process began.
type RuleRow struct {
	Rule
	Hits    int64     `json:"hits"`
	LastHit time.Time `json:"last_hit_at,omitzero"`
	Event   ID        `json:"last_event_id,omitempty"` // it was last applied to
	State   string    `json:"state,omitempty"`         // of its scenario
}

// RuleExplanation says whether a rule applies to an event, and if not, why.
type RuleExplanation struct {
	Rule    ID       `json:"rule_id"`
	Name    string   `json:"name,omitempty"`
	On      Side     `json:"on"`
	Matches bool     `json:"matches"` // its predicate, whatever else keeps it from applying
	Applies bool     `json:"applies"` // it is the first that does
	Why     []string `json:"why"`     // what keeps it from applying
}
