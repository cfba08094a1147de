// Package seal encrypts events, so that who keeps one cannot read it: a relay
// keeps and passes on what only its listeners can open. It is age
// (https://age-encryption.org/v1) to one X25519 recipient or several, each of
// whom can open it alone.
//
// What is sealed is the whole request as it came. What is not: the event's id,
// its app, when it came, and how large it is. A seal says nothing of who made
// it: everybody who knows the recipients can. It is bound to its event, though,
// and opens as no other.
package seal

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"filippo.io/age"
	"github.com/fxamacker/cbor/v2"

	"code.hooktape.dev/hooktape/capture"
)

// ContentType is that of a sealed event's body.
const ContentType = "application/age"

// Errors of Open. They are wrapped with what is known beyond them.
var (
	ErrNotSealed = errors.New("not sealed")
	ErrNoKey     = errors.New("sealed, and no key here opens it")
	ErrDamaged   = errors.New("sealed, and damaged or another event's")
	ErrNewer     = errors.New("sealed by a newer hooktape")
)

// version is the first byte of what is encrypted. Behind it come the length of
// the letter, four bytes, big-endian; the letter in CBOR; and the body as it
// is.
const version = 1

// mostHeader is how much of a sealed body the stanzas of its recipients may
// take, some eighty: each costs who opens it a multiplication on the curve.
const mostHeader = 8 << 10

// letter is what is sealed of an event beside its body.
type letter struct {
	ID       capture.ID      `cbor:"1,keyasint"`
	App      string          `cbor:"2,keyasint"`
	Received time.Time       `cbor:"3,keyasint"`
	Remote   string          `cbor:"4,keyasint,omitempty"`
	Method   string          `cbor:"5,keyasint"`
	Target   capture.Raw     `cbor:"6,keyasint"`
	Proto    string          `cbor:"7,keyasint"`
	Headers  capture.Headers `cbor:"8,keyasint"`
	Trailers capture.Headers `cbor:"9,keyasint,omitempty"`
	Parsed   bool            `cbor:"10,keyasint,omitempty"`
	URL      capture.Address `cbor:"11,keyasint,omitempty"`
}

// Strings may hold any byte: they are a stranger's.
var (
	encoder = must(cbor.EncOptions{Time: cbor.TimeRFC3339NanoUTC, NilContainers: cbor.NilContainerAsEmpty}.EncMode())
	decoder = must(cbor.DecOptions{UTF8: cbor.UTF8DecodeInvalid, MaxNestedLevels: 4}.DecMode())
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// Seal is what is kept in place of an event and its body. It fails for
// recipients that CheckRecipients refuses.
func Seal(e *capture.Event, body []byte, to []string) (*capture.Event, []byte, error) {
	recipients, err := parse(to)
	if err != nil {
		return nil, nil, err
	}
	head, err := encoder.Marshal(letter{e.ID, e.App, e.Received, e.Remote, e.Method, e.Target, e.Proto, e.Headers, e.Trailers, e.Parsed, e.URL})
	if err != nil {
		return nil, nil, fmt.Errorf("seal: %w", err)
	}
	head = append(binary.BigEndian.AppendUint32([]byte{version}, uint32(len(head))), head...)

	var sealed bytes.Buffer
	plain := len(head) + len(body)
	sealed.Grow(plain + plain/4096 + 128*(len(to)+2)) // 16 bytes for every 64 KiB, and the header
	w, err := age.Encrypt(&sealed, recipients...)
	if err == nil {
		w.Write(head) // into memory: what fails, Close says too
		w.Write(body)
		err = w.Close()
	}
	if err != nil {
		return nil, nil, fmt.Errorf("seal: %w", err)
	}
	kept := Cover(e)
	kept.Size = int64(sealed.Len())
	return kept, sealed.Bytes(), nil
}

// Cover is an event that says no more than a sealed one does: what is kept of
// the head, or of a refused request.
func Cover(e *capture.Event) *capture.Event {
	return &capture.Event{
		ID: e.ID, App: e.App, Origin: e.Origin, Received: e.Received, Refused: e.Refused,
		Method: "POST", Target: "/", Proto: "HTTP/1.1", Headers: capture.Headers{{"Content-Type", ContentType}},
		Signature: capture.Signature{Verdict: capture.Unchecked}, Sealed: true,
	}
}

// Open is the event that was sealed as e, and its body. It is as it came, with
// nothing recognised. It returns ErrNotSealed, ErrNoKey, ErrDamaged or ErrNewer,
// wrapped.
func Open(e *capture.Event, sealed []byte, keys Keys) (*capture.Event, []byte, error) {
	if !e.Sealed || e.Refused != nil {
		return nil, nil, fmt.Errorf("event %s: %w", e.ID, ErrNotSealed)
	}
	plain, err := keys.open(sealed)
	if err != nil {
		return nil, nil, fmt.Errorf("event %s: %w", e.ID, err)
	}
	l, body, err := read(plain)
	if err == nil && (l.ID != e.ID || l.App != e.App) {
		err = ErrDamaged
	}
	if err != nil {
		return nil, nil, fmt.Errorf("event %s: %w", e.ID, err)
	}
	return &capture.Event{
		ID: e.ID, App: e.App, Origin: e.Origin, Claimed: e.Claimed, Opened: true,
		Received: l.Received, Remote: l.Remote, Method: l.Method, Target: l.Target, Proto: l.Proto,
		Headers: l.Headers, Trailers: l.Trailers, Parsed: l.Parsed, URL: l.URL, Size: int64(len(body)), SHA256: capture.Sum(body),
	}, body, nil
}

// read takes apart what was encrypted.
func read(plain []byte) (l letter, body []byte, err error) {
	if len(plain) < 5 {
		return l, nil, fmt.Errorf("%w: %d bytes", ErrDamaged, len(plain))
	}
	if plain[0] != version {
		return l, nil, fmt.Errorf("%w: version %d", ErrNewer, plain[0])
	}
	size, rest := uint64(binary.BigEndian.Uint32(plain[1:])), plain[5:]
	if size > uint64(len(rest)) {
		return l, nil, fmt.Errorf("%w: a head of %d bytes", ErrDamaged, size)
	}
	if err := decoder.Unmarshal(rest[:size], &l); err != nil {
		return l, nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return l, rest[size:], nil
}
