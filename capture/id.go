package capture

import (
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/oklog/ulid/v2"
)

// ID names a thing for ever: a noun's prefix and a ULID, so that ids of one
// noun sort by the time they were made. The zero ID is "".
type ID string

// Prefixes of ids, one a noun.
const (
	EventID    = "evt_"
	AttemptID  = "att_"
	EndpointID = "wh_"
	DeliveryID = "dlv_"
	TokenID    = "tok_"
	ListenerID = "lsn_"
	RuleID     = "rul_"
	TriggerID  = "trg_"
)

var ids struct {
	mu      sync.Mutex // guards the two below
	last    uint64     // milliseconds of the newest id
	entropy *ulid.MonotonicEntropy
}

// NewID makes an id with the given prefix, later than every id this process
// made before, also when the clock has stepped back.
func NewID(prefix string) ID {
	ids.mu.Lock()
	defer ids.mu.Unlock()
	if ids.entropy == nil {
		ids.entropy = ulid.Monotonic(rand.Reader, 0)
	}
	ids.last = max(ids.last, ulid.Timestamp(time.Now()))
	u, err := ulid.New(ids.last, ids.entropy)
	if errors.Is(err, ulid.ErrMonotonicOverflow) { // 2^80 ids within a millisecond: take the next one
		ids.last++
		u, err = ulid.New(ids.last, ids.entropy)
	}
	if err != nil {
		panic("capture: no randomness for an id: " + err.Error())
	}
	return ID(prefix + u.String())
}

// ErrBadID is returned, wrapped, by ParseID for text that is no id.
var ErrBadID = errors.New("not an id")

// ParseID checks that s is an id with the given prefix. Lower case is
// accepted and mended, as ULIDs are often retyped from a screen.
func ParseID(prefix, s string) (ID, error) {
	rest, ok := strings.CutPrefix(strings.ToLower(s), prefix)
	if !ok {
		return "", fmt.Errorf("%q: %w: it should begin with %s", s, ErrBadID, prefix)
	}
	u, err := ulid.ParseStrict(strings.ToUpper(rest))
	if err != nil {
		return "", fmt.Errorf("%q: %w: %s must be followed by the 26 characters of a ULID", s, ErrBadID, prefix)
	}
	return ID(prefix + u.String()), nil
}

// Bytes is the id without its prefix, 16 bytes that sort as the id does.
// It is all zero for text that is no id.
func (id ID) Bytes() (b [16]byte) {
	_, rest, _ := strings.Cut(string(id), "_")
	u, err := ulid.ParseStrict(rest)
	if err != nil {
		return b
	}
	return u
}

// IDFrom is the inverse of Bytes.
func IDFrom(prefix string, b [16]byte) ID { return ID(prefix + ulid.ULID(b).String()) }

// IDAt is the least of the ids that are made in t's millisecond.
func IDAt(prefix string, t time.Time) ID {
	var u ulid.ULID
	if u.SetTime(uint64(max(0, t.UnixMilli()))) != nil {
		u.SetTime(ulid.MaxTime())
	}
	return ID(prefix + u.String())
}

// Time is when the id was made, to the millisecond.
func (id ID) Time() time.Time {
	b := id.Bytes()
	return ulid.Time(ulid.ULID(b).Time())
}
