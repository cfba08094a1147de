package sign

import (
	"math"
	"strconv"
	"strings"
	"time"

	"code.hooktape.dev/hooktape/capture"
)

// judge makes the verdict on a signature that is right stale if its time is
// not.
func (w *way) judge(v *capture.Signature, stamp string, now time.Time) {
	at, ok := w.unit.read(stamp)
	if !ok {
		v.Verdict, v.Cause, v.Detail = capture.Invalid, capture.CauseFormat, w.badStamp(stamp)
		return
	}
	age := now.Sub(at)
	switch {
	case w.past > 0 && age > w.past:
		v.Verdict, v.Cause, v.Detail = capture.Stale, capture.CauseStale, "made "+span(age)+" ago, and "+title(w.scheme.name)+" webhooks are good for "+span(w.past)
	case w.future > 0 && age < -w.future:
		v.Verdict, v.Cause, v.Detail = capture.Stale, capture.CauseFuture, "made "+span(age.Abs())+" from now, and a clock may be ahead by "+span(w.future)
	}
}

// unit is how a time is written.
type unit uint8

const (
	seconds unit = iota // since 1970
	millis
	rfc3339
)

func (u unit) String() string {
	return [...]string{"unix seconds", "unix milliseconds", "RFC 3339"}[u]
}

// read is the time that a text is. A number has nothing but digits, and no
// more than an int64 does.
func (u unit) read(s string) (time.Time, bool) {
	if u == rfc3339 {
		t, err := time.Parse(time.RFC3339Nano, s)
		return t, err == nil
	}
	n, ok := digits(s)
	if u == millis {
		return time.UnixMilli(n), ok
	}
	return time.Unix(n, 0), ok && n < math.MaxInt64/2 // of which time.Time can still be told
}

func digits(s string) (int64, bool) {
	if s == "" || strings.Trim(s, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil
}

func (u unit) append(dst []byte, at time.Time) []byte {
	switch u {
	case millis:
		return strconv.AppendInt(dst, at.UnixMilli(), 10)
	case rfc3339:
		return at.UTC().AppendFormat(dst, time.RFC3339)
	}
	return strconv.AppendInt(dst, at.Unix(), 10)
}

// span is a duration for people, by its two greatest units: "3 h 2 min".
func span(d time.Duration) string {
	units := []struct {
		name string
		d    time.Duration
	}{{"d", 24 * time.Hour}, {"h", time.Hour}, {"min", time.Minute}, {"s", time.Second}}
	for i, u := range units {
		n := d / u.d
		if n == 0 {
			continue
		}
		s := strconv.FormatInt(int64(n), 10) + " " + u.name
		if i+1 < len(units) {
			if next := d % u.d / units[i+1].d; next > 0 {
				s += " " + strconv.FormatInt(int64(next), 10) + " " + units[i+1].name
			}
		}
		return s
	}
	return "less than 1 s"
}
