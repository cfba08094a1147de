package tunnel

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/fxamacker/cbor/v2"

	"code.hooktape.dev/hooktape/capture"
)

// frame is one thing that a relay says to a listener. On the wire it is the
// length of its head and that of its body, four bytes each, big-endian; the
// head in CBOR; and the body, of an event, as it is.
type frame struct {
	Kind kind   `cbor:"1,keyasint"`
	Seq  uint64 `cbor:"2,keyasint,omitempty"` // in the relay's sequence: of the event, or up to where all was sent
	Body []byte `cbor:"-"`

	Event     *capture.Event `cbor:"3,keyasint,omitempty"`
	Apart     bool           `cbor:"4,keyasint,omitempty"` // the body is to be fetched
	Missed    bool           `cbor:"5,keyasint,omitempty"` // it came while the listener was away,
	Left      int            `cbor:"6,keyasint,omitempty"` // and so many that were missed follow
	Delivered bool           `cbor:"7,keyasint,omitempty"` // by somebody, meanwhile
	Wait      time.Duration  `cbor:"8,keyasint,omitempty"` // its sender waits so long for an answer; 0: it does not

	Welcome *welcome         `cbor:"9,keyasint,omitempty"`
	Time    time.Time        `cbor:"10,keyasint,omitempty"` // of a beat, by the relay's clock
	Probe   uint64           `cbor:"11,keyasint,omitempty"`
	Text    string           `cbor:"12,keyasint,omitempty"` // of a notice
	Retry   time.Duration    `cbor:"13,keyasint,omitempty"` // of a farewell: come back then
	Attempt *capture.Attempt `cbor:"14,keyasint,omitempty"` // to be made now, by hand
}

// kind is what a frame says. Of an unknown kind it is skipped.
type kind int

const (
	isWelcome  kind = iota + 1
	isEvent         // it was kept
	isBeat          // nothing new
	isProbe         // as was asked for
	isNotice        // a line for the person who listens
	isTaken         // another connection has taken over; do not come back
	isFarewell      // the relay goes down, or wants this connection closed; come back
	isAttempt       // send an event again
)

// hello is what a listener says of itself.
type hello struct {
	Listener capture.ID `json:"listener"`
	Name     string     `json:"name"`
	App      string     `json:"app"`
	Only     string     `json:"only,omitempty"`
	Epoch    string     `json:"epoch,omitempty"` // of the sequence that Cursor is a place in
	Cursor   uint64     `json:"cursor"`
	Version  string     `json:"version"`
	// Life is one run of the program, and Dial counts its connections: what an
	// earlier one says may come late.
	Life uint64 `json:"life,omitempty"`
	Dial uint64 `json:"dial,omitempty"`
}

// welcome is what a relay answers.
type welcome struct {
	Epoch   string        `cbor:"1,keyasint"`
	Cursor  uint64        `cbor:"2,keyasint"` // from where it goes on
	Head    uint64        `cbor:"3,keyasint"` // up to where events were missed
	Missed  int           `cbor:"4,keyasint"`
	From    time.Time     `cbor:"5,keyasint"` // when the first that was missed came,
	To      time.Time     `cbor:"6,keyasint"` // and the last
	Ingest  string        `cbor:"7,keyasint"` // path of the app's ingest URL, or the whole where the relay knows its own
	Version string        `cbor:"8,keyasint"`
	Beat    time.Duration `cbor:"9,keyasint"`
	Others  []string      `cbor:"10,keyasint"` // who else listens
	Ghost   string        `cbor:"11,keyasint"` // whose connection this one has taken over
	Time    time.Time     `cbor:"12,keyasint"`
}

var (
	encoder = must(cbor.EncOptions{Time: cbor.TimeRFC3339NanoUTC, NilContainers: cbor.NilContainerAsEmpty}.EncMode())
	decoder = must(cbor.DecOptions{UTF8: cbor.UTF8DecodeInvalid, MaxNestedLevels: 16}.DecMode())
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// errFrame is returned for bytes that are no frame.
var errFrame = errors.New("tunnel: not a frame")

// writeFrame writes f in one or two writes.
func writeFrame(w io.Writer, f *frame) error {
	head, err := encoder.Marshal(f)
	if err != nil {
		return err
	}
	b := make([]byte, 8, 8+len(head)+len(f.Body))
	binary.BigEndian.PutUint32(b, uint32(len(head)))
	binary.BigEndian.PutUint32(b[4:], uint32(len(f.Body)))
	_, err = w.Write(append(append(b, head...), f.Body...))
	return err
}

// readFrame reads one frame. io.EOF is the end between two.
func readFrame(r io.Reader) (*frame, error) {
	var b [8]byte
	if _, err := io.ReadFull(r, b[:]); err != nil {
		return nil, err
	}
	head, body := binary.BigEndian.Uint32(b[:]), binary.BigEndian.Uint32(b[4:])
	if head > mostHead || body > MostInline {
		return nil, fmt.Errorf("%w: %d and %d bytes", errFrame, head, body)
	}
	buf := make([]byte, head+body)
	if _, err := io.ReadFull(r, buf); err != nil {
		return nil, noEOF(err)
	}
	f := new(frame)
	if err := decoder.Unmarshal(buf[:head], f); err != nil {
		return nil, fmt.Errorf("%w: %w", errFrame, err)
	}
	if f.Body = buf[head:]; f.Kind == isEvent {
		return f, f.check()
	}
	return f, nil
}

// check refuses an event that no honest relay has.
func (f *frame) check() error {
	e := f.Event
	if e == nil {
		return fmt.Errorf("%w: an event without one", errFrame)
	}
	if _, err := capture.ParseID(capture.EventID, string(e.ID)); err != nil {
		return fmt.Errorf("%w: %w", errFrame, err)
	}
	if e.Size < 0 || e.Size > mostBody || e.Refused == nil && !f.Apart && (e.Size != int64(len(f.Body)) || e.SHA256 != capture.Sum(f.Body)) {
		return fmt.Errorf("%w: event %s and its body do not belong together", errFrame, e.ID)
	}
	return nil
}

// noEOF is err, or that something ended within.
func noEOF(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
