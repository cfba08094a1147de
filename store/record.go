package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"

	"github.com/fxamacker/cbor/v2"

	"code.hooktape.dev/hooktape/capture"
)

// Records are CBOR with small integers for names. Strings are written as they
// are and read back as they are: header values and targets may hold any byte.
var (
	encoder = must(cbor.EncOptions{Time: cbor.TimeRFC3339NanoUTC, NilContainers: cbor.NilContainerAsEmpty}.EncMode())
	decoder = must(cbor.DecOptions{UTF8: cbor.UTF8DecodeInvalid}.DecMode())
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// errSeal says that a record's bytes are not those that were written.
var errSeal = errors.New("record damaged")

// seal puts a checksum over key and record in front of the record. Badger
// checks neither its tables (a flipped bit comes back as data) nor that a
// value it lost is missing (it comes back empty), so every record does it.
func seal(key, record []byte) []byte {
	sum := crc32.Update(crc32.Checksum(key, castagnoli), castagnoli, record)
	return append(binary.BigEndian.AppendUint32(make([]byte, 0, 4+len(record)), sum), record...)
}

// unseal is the record in a sealed value, or errSeal.
func unseal(key, value []byte) ([]byte, error) {
	if len(value) < 4 {
		return nil, errSeal
	}
	sum := crc32.Update(crc32.Checksum(key, castagnoli), castagnoli, value[4:])
	if binary.BigEndian.Uint32(value) != sum {
		return nil, errSeal
	}
	return value[4:], nil
}

// encode is v as a sealed record.
func encode(key []byte, v any) ([]byte, error) {
	b, err := encoder.Marshal(v)
	if err != nil {
		return nil, err
	}
	return seal(key, b), nil
}

func decode(key, value []byte, v any) error {
	b, err := unseal(key, value)
	if err != nil {
		return err
	}
	return decoder.Unmarshal(b, v)
}

// An event's record is the moment it was kept, in milliseconds, and then its
// CBOR. That moment never steps back along the sequence, which the time an
// event was received may do: imports and redeliveries are received long
// before they are kept.
func eventRecord(kept uint64, event []byte) []byte {
	return append(binary.BigEndian.AppendUint64(make([]byte, 0, 8+len(event)), kept), event...)
}

// decodeEvent reads the event of a sealed record.
func decodeEvent(seq uint64, value []byte, e *capture.Event) error {
	b, err := unseal(keyEvent(seq), value)
	if err != nil {
		return err
	}
	if len(b) < 8 {
		return errSeal
	}
	if err := decoder.Unmarshal(b[8:], e); err != nil {
		return err
	}
	e.Seq = seq
	return nil
}

// keptAt is when the event of a sealed record was kept, in milliseconds. The
// seal is not checked.
func keptAt(value []byte) uint64 {
	if len(value) < 12 {
		return 0
	}
	return seqOf(value[4:])
}

// wire is what an attempt sent and got back.
type wire struct {
	Request  *capture.Request  `cbor:"1,keyasint,omitempty"`
	Response *capture.Response `cbor:"2,keyasint,omitempty"`
}

// totals are counted as things are kept, so that nobody has to count later.
type totals struct {
	Events  int64  `cbor:"1,keyasint"`
	Pending int64  `cbor:"2,keyasint"`
	Seq     uint64 `cbor:"3,keyasint"`
	Bytes   int64  `cbor:"4,keyasint"` // records, bodies and responses, as kept
	Kept    uint64 `cbor:"5,keyasint"` // milliseconds; when the newest event was kept
}

// checkID refuses text that is no id: its key would be that of every other
// text that is none.
func checkID(prefix string, id capture.ID) error {
	if b := id.Bytes(); capture.IDFrom(prefix, b) != id {
		return fmt.Errorf("%q: %w: want %s and a ULID", string(id), capture.ErrBadID, prefix)
	}
	return nil
}

// recordHead is what an event's sealed record holds beside its CBOR: the
// seal, and the moment it was kept.
const recordHead = 4 + 8

// stored is how much of an event's body is kept: of a refused one nothing,
// whatever size it announced.
func stored(e *capture.Event) int64 {
	if e.Refused != nil {
		return 0
	}
	return e.Size
}
