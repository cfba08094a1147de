package store

import (
	"crypto/sha256"
	"encoding/binary"
	"math"
	"strings"
	"time"

	"code.hooktape.dev/hooktape/capture"
)

// Every key of the store. Numbers are big-endian, so that keys sort as what
// they stand for; a u128 is the 16 bytes of a ULID; nothing follows a part of
// variable length, or its length comes first, so that no value of a sender,
// whatever bytes it holds, can be read as another key. Records too large to
// lie beside their key go on under further keys, see parts.go.
//
//	e seq:u64 0                      the event: sealed record
//	e seq:u64 1                      what may change about it: sealed tally, absent while nothing has
//	b seq:u64 chunk:u32              its body, 512 KiB a chunk, absent when empty
//	i event:u128                     → seq, by the event's id
//	x field:u8 len:u8 value seq:u64  the index of events, no value; see index.go
//	v seq:u64 attempt:u128           attempts of an event, no value
//	a attempt:u128                   the attempt without what went over the wire: sealed record
//	w attempt:u128 chunk:u32         the request and response of a finished one: sealed record, in chunks
//	y endpoint:u128 attempt:u128     attempts at an endpoint, no value
//	p endpoint:u128 due:u64 attempt:u128   the queue of pending attempts: a copy of the record, unless that is long; due in nanoseconds
//	m endpoint:u128 due:u64 attempt:u128   that of attempts a user asked for, and
//	r endpoint:u128 due:u64 attempt:u128   that of retries: apart, so that of no kind too many wait for another
//	l seq:u64                        → attempt, by its place in the sequence; empty for a gap
//	d seq:u64                        the gap found there: sealed record
//	n endpoint:u128                  the endpoint: sealed record
//	h endpoint:u128                  what became of its attempts: sealed record
//	u sha256(app, url, filter[, of]) → endpoint, of those that are not registered
//	q sha256(app, url)               → endpoint, of those that are
//	o slug                           the app: sealed record
//	t token:u128                     the token: sealed record
//	f listener:u128                  a listener at this relay: sealed record
//	g tag                            the event type: sealed record
//	C slug                           the catalog: sealed record
//	R rule:u128                      the rule: sealed record
//	T trigger:u128                   the trigger: sealed record
//	j sha256(relay, app)             the seat of this store's own listener at a relay: sealed record
//	k sha256(app, key)               → event and when it was kept, by the idempotency key
//	c                                totals: sealed record
//	s "o" scope                      statistics: the open bucket of a scope; see series.go for scopes: sealed record
//	s "m" minute:u32 scope           a closed bucket, of a minute: sealed record; minutes since 1970
//	s "h" minute:u32 scope           of an hour, by its first minute: sealed record
//	s "d" minute:u32 scope           of a day (UTC), by its first minute: sealed record
//	s "t"                            all that was closed, of everything: sealed record
//	z n:u64                          zeros; see settle
const (
	prefixEvent    = 'e'
	prefixBody     = 'b'
	prefixID       = 'i'
	prefixIndex    = 'x'
	prefixOf       = 'v'
	prefixAttempt  = 'a'
	prefixWire     = 'w'
	prefixPending  = 'p'
	prefixLog      = 'l'
	prefixEndpoint = 'n'
	prefixURL      = 'u'
	prefixManual   = 'm'
	prefixRetry    = 'r'
	prefixAt       = 'y'
	prefixHealth   = 'h'
	prefixClaim    = 'q'
	prefixApp      = 'o'
	prefixToken    = 't'
	prefixGap      = 'd'
	prefixListener = 'f'
	prefixSeat     = 'j'
	prefixType     = 'g'
	prefixCatalog  = 'C'
	prefixRule     = 'R'
	prefixTrigger  = 'T'
	prefixOnce     = 'k'
	prefixSeries   = 's'
	prefixFiller   = 'z'
)

var keyTotals = []byte("c")

// chunk is how many bytes of a body one key holds. Badger copies a value
// twice on its way to disk, refuses values larger than a value-log file, and
// in memory those of a MiB; chunks keep all of it from mattering.
const chunk = 512 << 10

const (
	partRecord = 0
	partTally  = 1
)

func keySeq(prefix byte, seq uint64) []byte {
	return binary.BigEndian.AppendUint64([]byte{prefix}, seq)
}

func keyEvent(seq uint64) []byte { return append(keySeq(prefixEvent, seq), partRecord) }
func keyTally(seq uint64) []byte { return append(keySeq(prefixEvent, seq), partTally) }

// keyChunk is the key of one chunk of what lies under key.
func keyChunk(key []byte, n int) []byte {
	return binary.BigEndian.AppendUint32(key[:len(key):len(key)], uint32(n))
}

func keyID(prefix byte, id capture.ID) []byte {
	b := id.Bytes()
	return append([]byte{prefix}, b[:]...)
}

func keyOf(seq uint64, attempt capture.ID) []byte {
	b := attempt.Bytes()
	return append(keySeq(prefixOf, seq), b[:]...)
}

// keyPending is an attempt's place in its queue.
func keyPending(a *capture.Attempt) []byte {
	k := keyID(prefixPending, a.Endpoint)
	switch {
	case a.TriggeredBy == capture.ByUser:
		k[0] = prefixManual
	case a.Number > 1:
		k[0] = prefixRetry
	}
	k = binary.BigEndian.AppendUint64(k, nanos(a.NotBefore))
	b := a.ID.Bytes()
	return append(k, b[:]...)
}

// queuePrefixes are those of the queues, in the order they are read.
var queuePrefixes = []byte{prefixManual, prefixPending, prefixRetry}

func keyAt(a *capture.Attempt) []byte {
	b := a.ID.Bytes()
	return append(keyID(prefixAt, a.Endpoint), b[:]...)
}

// nanos is a time as a number that sorts: times before 1970, the zero time
// among them, are 0, and times past 2262 the largest.
func nanos(t time.Time) uint64 {
	switch {
	case t.Unix() < 0:
		return 0
	case t.Unix() >= math.MaxInt64/int64(time.Second):
		return math.MaxInt64
	}
	return uint64(t.UnixNano())
}

func keyURL(e capture.Endpoint) []byte {
	if e.Of != "" {
		return digestKey(prefixURL, e.App, e.URL, e.Filter, string(e.Of))
	}
	return digestKey(prefixURL, e.App, e.URL, e.Filter)
}

// seqOf is the number in the bytes of a key or value that begin with one.
func seqOf(b []byte) uint64 {
	if len(b) < 8 {
		return 0
	}
	return binary.BigEndian.Uint64(b)
}

// tailID is the id that a key ends with.
func tailID(prefix string, key []byte) capture.ID {
	if len(key) < 16 {
		return ""
	}
	return capture.IDFrom(prefix, [16]byte(key[len(key)-16:]))
}

// keyIndex is the prefix under which an indexed value lists its events. Case
// is folded; values longer than 64 bytes are known by their digest.
func keyIndex(field byte, value string) []byte {
	value = strings.ToLower(value)
	n := byte(len(value))
	if len(value) > 64 {
		sum := sha256.Sum256([]byte(value))
		value, n = string(sum[:]), 255
	}
	return append([]byte{prefixIndex, field, n}, value...)
}

func keyIndexed(field byte, value string, seq uint64) []byte {
	return binary.BigEndian.AppendUint64(keyIndex(field, value), seq)
}
