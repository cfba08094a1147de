package store

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"log/slog"
	"math"
	"time"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/series"
)

// Statistics are folded in the transaction that keeps a fact: into the buckets
// of everything, of the fact's app and, for an attempt, of its endpoint.
// Removing events takes nothing away from them.
//
// Each of these scopes has one open bucket, of the newest minute in which it
// had anything, and that is all a commit writes for it. The first fact of a
// later minute closes it: it is added to the buckets of its minute, its hour
// and its day, and for everything to that of all time. What comes late, for a
// minute before the open one, is added to those at once. So a fact is in
// exactly one place of each width: closed, or open.

// scope is what a bucket is of, as keys have it.
type scope string

const (
	scopeAll      scope = "*"
	scopeApp      scope = "a" // length:u8 slug; one over 64 bytes is known by its digest
	scopeEndpoint scope = "n" // endpoint:u128
)

func appScope(slug string) scope {
	n := byte(len(slug))
	if len(slug) > 64 {
		sum := sha256.Sum256([]byte(slug))
		slug, n = string(sum[:]), 255
	}
	return scopeApp + scope([]byte{n}) + scope(slug)
}

func endpointScope(id capture.ID) scope {
	b := id.Bytes()
	return scopeEndpoint + scope(b[:])
}

// The widths of buckets, as keys have them.
const (
	widthOpen   = 'o' // the newest minute of a scope
	widthMinute = 'm'
	widthHour   = 'h'
	widthDay    = 'd'
	widthEver   = 't' // all time, of everything
)

// Times of buckets are minutes since 1970, by their beginning.
const (
	hour = 60
	day  = 24 * hour
)

// minuteOf is the minute t lies in. It is never 0: that is no time.
func minuteOf(t time.Time) uint32 {
	return uint32(min(max(1, t.Unix()/60), math.MaxInt32))
}

func timeOf(minute uint32) time.Time { return time.Unix(int64(minute)*60, 0).UTC() }

func keyOpen(of scope) []byte { return append([]byte{prefixSeries, widthOpen}, of...) }

func keyBucket(width byte, start uint32, of scope) []byte {
	return append(binary.BigEndian.AppendUint32([]byte{prefixSeries, width}, start), of...)
}

// startOf is the beginning of a closed bucket, by its key.
func startOf(key []byte) uint32 { return binary.BigEndian.Uint32(key[2:]) }

var keyEver = []byte{prefixSeries, widthEver}

// bucket is a record of statistics.
type bucket struct {
	Minute uint32 `cbor:"15,keyasint,omitempty"` // of an open one
	series.Bucket
	size int // of the record on disk
}

const (
	factMost  = 144     // bytes by which one fact makes a record longer, at most
	bucketKey = 12 + 72 // what Badger charges for a key, with the longest
)

// folding is what a batch adds to statistics. What a write stages joins the
// rest when the write does, and is folded when all have.
type folding struct {
	open   *openBuckets
	staged []fact
	facts  []fact

	known map[place]int64 // where something is folded into, and the keys of that,
	fresh []place         // for the first time by what is staged
	bytes int64           // reserved for that in the transaction,
	keys  int64           // in so many keys
}

// fact is an event that was kept, or an attempt that was finished.
type fact struct {
	minute  uint32
	event   *capture.Event   // either this
	attempt *capture.Attempt // or this
	scopes  []scope
}

// place is a minute of a scope.
type place struct {
	scope  scope
	minute uint32
}

// event stages an event that is kept now.
func (f *folding) event(b *batch, e *capture.Event) {
	f.stage(b, fact{minuteOf(time.UnixMilli(int64(b.now))), e, nil, []scope{scopeAll, appScope(e.App)}})
}

// attempt stages a finished attempt, by when it ended: now if it does not say,
// or names a time that has not come.
func (f *folding) attempt(b *batch, a *capture.Attempt) {
	if a.Status == capture.AttemptSkipped {
		return
	}
	at := time.UnixMilli(int64(b.now))
	if end := a.Started.Add(time.Duration(a.Duration)); !a.Started.IsZero() && end.Before(at) {
		at = end
	}
	x := fact{minuteOf(at), nil, a, []scope{scopeAll, endpointScope(a.Endpoint)}}
	if a.App != "" { // those kept by older versions do not say
		x.scopes = append(x.scopes, appScope(a.App))
	}
	f.stage(b, x)
}

// stage reserves room for the fact: in the open bucket if that is of its
// minute, else also in those that something is then closed into.
func (f *folding) stage(b *batch, x fact) {
	f.staged = append(f.staged, x)
	for _, of := range x.scopes {
		at := place{of, x.minute}
		if _, there := f.known[at]; !there {
			if f.known == nil {
				f.known = map[place]int64{}
			}
			open := f.open.of(b, of)
			sizes := []int{open.size}
			if open.Minute != x.minute {
				for _, key := range closing(place{of, min(open.Minute, x.minute)}) {
					sizes = append(sizes, f.open.read(b, key).size+open.size)
				}
			}
			f.known[at] = int64(len(sizes))
			f.fresh = append(f.fresh, at)
			for _, size := range sizes {
				f.keys += int64(parts(size + factMost))
				f.bytes += int64(size + bucketKey)
			}
		}
		f.bytes += f.known[at] * factMost
	}
}

// undo forgets what is staged.
func (f *folding) undo() {
	for _, at := range f.fresh {
		delete(f.known, at)
	}
	f.clear()
}

// join keeps what is staged, and returns how many keys are reserved for it.
func (f *folding) join() (keys int64) {
	f.facts = append(f.facts, f.staged...)
	keys = f.keys
	f.clear()
	return keys
}

func (f *folding) clear() {
	f.staged, f.fresh, f.bytes, f.keys = f.staged[:0], f.fresh[:0], 0, 0
}

// write folds what has joined, and puts the buckets into the transaction.
// From then on the open buckets are ahead of the disk until it is committed.
func (f *folding) write(b *batch) error {
	changed, closed := map[scope]*bucket{}, map[place]*series.Bucket{}
	shut := func(at place) *series.Bucket {
		if closed[at] == nil {
			closed[at] = new(series.Bucket)
		}
		return closed[at]
	}
	for _, x := range f.facts {
		for _, of := range x.scopes {
			open := changed[of]
			if open == nil {
				open = f.open.of(b, of)
				changed[of] = open
			}
			if x.minute < open.Minute {
				x.fold(of, shut(place{of, x.minute}))
				continue
			}
			if x.minute > open.Minute && open.Minute > 0 {
				shut(place{of, open.Minute}).Merge(&open.Bucket)
				open.Bucket = series.Bucket{}
			}
			open.Minute = x.minute
			x.fold(of, &open.Bucket)
		}
	}
	for at, more := range closed {
		for _, key := range closing(at) {
			sum := f.open.read(b, key)
			sum.Merge(more)
			if err := b.putBucket(key, sum); err != nil {
				return err
			}
		}
	}
	for of, open := range changed {
		if err := b.putBucket(keyOpen(of), open); err != nil {
			return err
		}
	}
	b.fits() // for its sums; there is room, it was reserved
	return b.join()
}

// fold adds the fact to a bucket of that scope. An endpoint knows types by the
// first attempts of its deliveries.
func (x fact) fold(of scope, b *series.Bucket) {
	if x.event != nil {
		b.Event(x.event.Type)
		return
	}
	b.Attempt(x.attempt)
	if of[0] == scopeEndpoint[0] && x.attempt.Number <= 1 {
		b.Type(x.attempt.Type)
	}
}

// closing are the keys of the closed buckets of a minute.
func closing(at place) [][]byte {
	keys := [][]byte{
		keyBucket(widthMinute, at.minute, at.scope),
		keyBucket(widthHour, at.minute-at.minute%hour, at.scope),
		keyBucket(widthDay, at.minute-at.minute%day, at.scope),
	}
	if at.scope == scopeAll {
		keys = append(keys, keyEver)
	}
	return keys
}

// putBucket stages a bucket in place of its older self.
func (b *batch) putBucket(key []byte, v *bucket) error {
	record, err := encode(key, v)
	b.putParts(key, record, v.size)
	v.size = len(record)
	return err
}

// openBuckets are the open buckets that the committer has at hand, up to a
// thousand. The zero openBuckets has none, and needs a log.
type openBuckets struct {
	log *slog.Logger
	by  map[scope]*bucket
}

func (o *openBuckets) of(b *batch, of scope) *bucket {
	if open := o.by[of]; open != nil {
		return open
	}
	if o.by == nil || len(o.by) >= 1000 {
		o.by = map[scope]*bucket{}
	}
	o.by[of] = o.read(b, keyOpen(of))
	return o.by[of]
}

// read is a bucket as the batch leaves it, empty where there is none. Damage
// to statistics must not keep events away: what cannot be read begins anew.
func (o *openBuckets) read(b *batch, key []byte) (v *bucket) {
	var raw []byte
	var err error
	defer func() {
		if r := recover(); r != nil { // Badger, over damaged tables
			err = fmt.Errorf("%v", r)
		}
		if err != nil {
			o.log.Error("statistics are damaged; a bucket begins anew", "key", fmt.Sprintf("%q", key), "error", err)
			v = &bucket{size: len(raw)}
		}
	}()
	v = new(bucket)
	if raw, err = b.getParts(key); err == nil && raw != nil {
		v.size = len(raw)
		err = decode(key, raw, v)
	}
	return v
}

// forget is for when a batch was not written after all.
func (o *openBuckets) forget() { o.by = nil }
