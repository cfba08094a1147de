package capture

// CheckMode says how strictly an app's events are held against the event types
// that were made for it.
type CheckMode string

// The modes of checking. "": nothing is checked.
const (
	CheckLenient CheckMode = "lenient" // members that the event type does not know are worth a warning
	CheckStrict  CheckMode = "strict"  // they are wrong, like everything else
)

// Conformity is how an event compares with the event types of its app. It is
// never a reason to lose the event, or to send it later.
type Conformity struct {
	// Type is the tag of the event type that it was held against, or "".
	Type    string `json:"type,omitempty" cbor:"1,keyasint,omitempty"`
	Verdict Fit    `json:"verdict" cbor:"2,keyasint"`
	// Problems say what is wrong and where, errors first: ten at most, of 200
	// bytes each.
	Problems []string `json:"problems,omitempty" cbor:"3,keyasint,omitempty"`
}

// Fit is the verdict of a Conformity.
type Fit string

// The verdicts. An event fits its event type, but for members that the type
// does not know; it does not; it is of no event type that is known; or it was
// held against none, because that would have taken too much.
const (
	Fits       Fit = "valid"
	FitsAlmost Fit = "warning"
	Misfits    Fit = "invalid"
	FitsNone   Fit = "unmatched"
	Unfitted   Fit = "unchecked"
)
