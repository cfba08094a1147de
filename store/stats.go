package store

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/dgraph-io/badger/v4"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/series"
)

// How long buckets are kept; those of days are for ever.
const (
	keepMinutes = 48 * time.Hour
	keepHours   = 90 * 24 * time.Hour
)

// Bounds of what is asked for at a time.
const (
	mostPoints    = 2000
	mostEndpoints = 20
)

// Stats are totals of a span with what they are made of. Since and Until come
// back as they were rounded, outwards, to what is kept of them.
//
// It reads one bucket for every whole day of the span, and at its two ends one
// for every whole hour and then minute: a month costs at most 31 + 46 + 118,
// whatever happened in it, and as many again for each endpoint that was busy
// then. What was asked of an app names only the endpoints that are the app's
// own: those of a listener get every app's events.
func (s *Store) Stats(ctx context.Context, q capture.StatsQuery) (st capture.Stats, err error) {
	err = s.view(ctx, func(txn *badger.Txn) error {
		r, err := s.reading(ctx, txn, q)
		if err != nil {
			return err
		}
		var sum series.Bucket
		if err := r.each(widthDay, func(_ uint32, b *series.Bucket) { sum.Merge(b) }); err != nil {
			return err
		}
		st = capture.Stats{Since: timeOf(r.since), Until: timeOf(r.until), Totals: sum.Totals(), Reasons: sum.Reasons(), Types: sum.Types(), Endpoints: []capture.EndpointTotals{}}
		if q.Endpoint == "" {
			st.Endpoints, err = r.busiest()
		}
		return err
	})
	if err != nil {
		return capture.Stats{}, fmt.Errorf("store: stats: %w", err)
	}
	return st, nil
}

// Timeseries are totals by interval, of at most 2,000 intervals. The first and
// the last count only what lies in the span, so that all together are its
// Stats. It reads the buckets that Stats does, and none wider than the
// interval.
func (s *Store) Timeseries(ctx context.Context, q capture.StatsQuery) (ts capture.Timeseries, err error) {
	err = s.view(ctx, func(txn *badger.Txn) error {
		r, err := s.reading(ctx, txn, q)
		if err != nil {
			return err
		}
		var widest byte
		if ts.Interval, widest, err = r.interval(q.Interval); err != nil {
			return err
		}
		points := map[time.Time]*series.Bucket{}
		err = r.each(widest, func(start uint32, b *series.Bucket) {
			at := series.Start(ts.Interval, timeOf(start))
			if points[at] == nil {
				points[at] = new(series.Bucket)
			}
			points[at].Merge(b)
		})
		ts.Points = []capture.Point{}
		for _, at := range slices.SortedFunc(maps.Keys(points), time.Time.Compare) {
			ts.Points = append(ts.Points, capture.Point{Start: at, Totals: points[at].Totals()})
		}
		return err
	})
	if err != nil {
		return capture.Timeseries{}, fmt.Errorf("store: timeseries: %w", err)
	}
	return ts, nil
}

// Lifetime is what has happened since statistics are kept. It reads two
// buckets.
func (s *Store) Lifetime(ctx context.Context) (sum series.Bucket, err error) {
	err = s.view(ctx, func(txn *badger.Txn) error {
		for _, key := range [][]byte{keyEver, keyOpen(scopeAll)} {
			sum.Merge(&s.bucket(txn, key).Bucket)
		}
		return nil
	})
	if err != nil {
		return series.Bucket{}, fmt.Errorf("store: lifetime: %w", err)
	}
	return sum, nil
}

// Size is how many bytes are kept: records, bodies and what went over the
// wire. On disk they take up more, until Sweep has given space back.
func (s *Store) Size() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.totals.Bytes
}

// bucket is a bucket, empty where there is none. One that is damaged is told
// to the log, and left out of all sums.
func (s *Store) bucket(txn *badger.Txn, key []byte) *bucket {
	b := new(bucket)
	raw, err := readParts(txn, key)
	if err == nil && raw != nil {
		err = decode(key, raw, b)
	}
	if err != nil {
		s.log.log.Error("a bucket of statistics cannot be read", "key", fmt.Sprintf("%q", key), "error", err)
		return new(bucket)
	}
	return b
}

// reading answers one query.
type reading struct {
	store *Store
	ctx   context.Context
	txn   *badger.Txn
	query capture.StatsQuery
	scope scope

	since, until           uint32 // in minutes; until is not part of it
	fromMinutes, fromHours uint32 // since when there are such buckets
}

func (s *Store) reading(ctx context.Context, txn *badger.Txn, q capture.StatsQuery) (*reading, error) {
	r := &reading{store: s, ctx: ctx, txn: txn, query: q, scope: scopeAll}
	now := s.now().Add(1) // what is kept now counts
	if q.Until.IsZero() {
		q.Until = now
	}
	if q.Since.IsZero() {
		q.Since = q.Until.Add(-24 * time.Hour)
	}
	if q.Until.Before(q.Since) {
		return nil, &capture.FieldError{Field: "until", Problem: "it is before since"}
	}
	if q.Until.After(now) { // where nothing is yet
		q.Until = now
	}
	r.fromMinutes, r.fromHours = horizons(now)
	r.until = r.round(minuteOf(q.Until.Add(-1)), 1)
	r.since = min(r.round(minuteOf(q.Since), 0), r.until)
	switch {
	case q.Endpoint != "":
		e, err := readEndpoint(txn, q.Endpoint)
		if err == nil && q.App != "" && e.App != "" && e.App != q.App {
			err = capture.ErrNotFound
		}
		if err != nil {
			return nil, fmt.Errorf("endpoint %s: %w", q.Endpoint, err)
		}
		r.scope = endpointScope(q.Endpoint)
	case q.App != "":
		r.scope = appScope(q.App)
	}
	return r, nil
}

// now is the time as kept facts have it, which never steps back.
func (s *Store) now() time.Time {
	s.mu.Lock()
	kept := time.UnixMilli(int64(s.totals.Kept))
	s.mu.Unlock()
	if now := time.Now(); now.After(kept) {
		return now
	}
	return kept
}

// horizons are since when there are buckets of minutes, the beginning of an
// hour, and of hours, the beginning of a day.
func horizons(now time.Time) (fromMinutes, fromHours uint32) {
	m, h := minuteOf(now.Add(-keepMinutes)), minuteOf(now.Add(-keepHours))
	return m - m%hour, h - h%day
}

// finest is the narrowest width there is of that minute.
func (r *reading) finest(minute uint32) uint32 {
	switch {
	case minute >= r.fromMinutes:
		return 1
	case minute >= r.fromHours:
		return hour
	}
	return day
}

// round is the beginning of the narrowest bucket that the minute lies in, or
// of the one after it.
func (r *reading) round(minute, more uint32) uint32 {
	width := r.finest(minute)
	return minute - minute%width + more*width
}

// interval is the interval to answer by, and the widest buckets that make it.
func (r *reading) interval(asked capture.Interval) (i capture.Interval, widest byte, err error) {
	since, until := timeOf(r.since), timeOf(r.until)
	if i, err = series.ParseInterval(string(asked)); err != nil {
		return i, 0, err
	}
	if i == "" {
		i = series.Finest(since, until)
		if i == capture.ByMinute && r.since < r.fromMinutes {
			i = capture.ByHour
		}
		if i == capture.ByHour && r.since < r.fromHours {
			i = capture.ByDay
		}
	}
	if n := series.Points(i, since, until); n > mostPoints {
		return i, 0, &capture.FieldError{Field: "interval", Problem: fmt.Sprintf("%d points of a %s lie between since and until, and at most %d can be asked for", n, i, mostPoints)}
	}
	switch i {
	case capture.ByMinute:
		if r.since < r.fromMinutes {
			return i, 0, &capture.FieldError{Field: "interval", Problem: "minutes are kept for 48 hours; want hour or more"}
		}
		return i, widthMinute, nil
	case capture.ByHour:
		if r.since < r.fromHours {
			return i, 0, &capture.FieldError{Field: "interval", Problem: "hours are kept for 90 days; want day or more"}
		}
		return i, widthHour, nil
	}
	return i, widthDay, nil
}

// each calls f with the buckets of the scope that make the span, by when they
// begin; the open one is the last.
func (r *reading) each(widest byte, f func(start uint32, b *series.Bucket)) error {
	err := r.pieces(widest, func(width byte, start uint32) {
		if b := r.store.bucket(r.txn, keyBucket(width, start, r.scope)); !b.Empty() {
			f(start, &b.Bucket)
		}
	})
	if open := r.store.bucket(r.txn, keyOpen(r.scope)); err == nil && r.spans(open.Minute) {
		f(open.Minute, &open.Bucket)
	}
	return err
}

// pieces calls f with the buckets that make the span: as wide ones as fit.
func (r *reading) pieces(widest byte, f func(width byte, start uint32)) error {
	widths := []byte{widthDay, widthHour, widthMinute}
	widths = widths[slices.Index(widths, widest):]
	for at := max(r.since, r.first()); at < r.until; {
		if err := r.store.stop(r.ctx); err != nil {
			return err
		}
		for _, width := range widths {
			if n := minutes[width]; at%n == 0 && at+n <= r.until {
				f(width, at)
				at += n
				break
			}
		}
	}
	return nil
}

var minutes = map[byte]uint32{widthMinute: 1, widthHour: hour, widthDay: day}

// spans reports whether a minute lies in the span.
func (r *reading) spans(minute uint32) bool { return minute >= r.since && minute < r.until }

// first is the beginning of the first day of which anything was closed: what
// lies before it need not be looked for.
func (r *reading) first() uint32 {
	it := iterate(r.txn, []byte{prefixSeries, widthDay}, false)
	defer it.Close()
	if it.Rewind(); !it.Valid() {
		return r.until
	}
	return startOf(it.Item().Key())
}

// busiest are the endpoints with the most attempts, of the app if one was
// asked about, with their totals.
func (r *reading) busiest() ([]capture.EndpointTotals, error) {
	sums := map[scope]*series.Bucket{}
	it := iterate(r.txn, []byte{prefixSeries}, false)
	defer it.Close()
	add := func(prefix []byte, within func(*bucket) bool) {
		prefix = append(prefix, scopeEndpoint...)
		for it.Seek(prefix); it.ValidForPrefix(prefix); it.Next() {
			key := it.Item().KeyCopy(nil)
			if len(key) != len(prefix)+16 {
				continue // a further part of a record
			}
			of := scope(key[len(prefix):])
			if b := r.store.bucket(r.txn, key); within(b) {
				if sums[of] == nil {
					sums[of] = new(series.Bucket)
				}
				sums[of].Merge(&b.Bucket)
			}
		}
	}
	err := r.pieces(widthDay, func(width byte, start uint32) {
		add(keyBucket(width, start, ""), func(*bucket) bool { return true })
	})
	if err != nil {
		return nil, err
	}
	add(keyOpen(""), func(b *bucket) bool { return r.spans(b.Minute) })

	list := []capture.EndpointTotals{}
	for _, of := range slices.SortedFunc(maps.Keys(sums), func(a, b scope) int {
		return cmp.Or(cmp.Compare(sums[b].Attempts(), sums[a].Attempts()), cmp.Compare(a, b))
	}) {
		id := tailID(capture.EndpointID, []byte(of))
		e, err := readEndpoint(r.txn, id)
		if r.query.App != "" && (err != nil || e.App != r.query.App) {
			continue
		}
		list = append(list, capture.EndpointTotals{Endpoint: id, URL: e.URL, Totals: sums[of].Totals()})
		if len(list) == mostEndpoints {
			break
		}
	}
	return list, nil
}

// sweepBuckets deletes the buckets that are past their time, once an hour.
func (s *Store) sweepBuckets(ctx context.Context) error {
	fromMinutes, fromHours := horizons(s.now())
	if fromMinutes == s.swept {
		return nil
	}
	for _, old := range []struct {
		width byte
		from  uint32
	}{{widthMinute, fromMinutes}, {widthHour, fromHours}} {
		for more := true; more; {
			var keys [][]byte
			err := s.view(ctx, func(txn *badger.Txn) error {
				it := iterate(txn, []byte{prefixSeries, old.width}, false)
				defer it.Close()
				for it.Rewind(); it.Valid() && startOf(it.Item().Key()) < old.from && len(keys) < removeKeys; it.Next() {
					keys = append(keys, it.Item().KeyCopy(nil))
				}
				return nil
			})
			if more = len(keys) == removeKeys; err == nil {
				err = s.delete(ctx, keys)
			}
			if err != nil {
				return err
			}
		}
	}
	s.swept = fromMinutes
	return nil
}
