package series

import (
	"fmt"
	"time"

	"code.hooktape.dev/hooktape/capture"
)

// Intervals are all intervals, the finest first.
var Intervals = []capture.Interval{capture.ByMinute, capture.ByHour, capture.ByDay, capture.ByWeek, capture.ByMonth}

// ParseInterval reads the name of an interval; "" stays "". The error is a
// *capture.FieldError.
func ParseInterval(name string) (capture.Interval, error) {
	i := capture.Interval(name)
	switch i {
	case "", capture.ByMinute, capture.ByHour, capture.ByDay, capture.ByWeek, capture.ByMonth:
		return i, nil
	}
	return "", &capture.FieldError{Field: "interval", Problem: fmt.Sprintf("%q: want minute, hour, day, week or month", name)}
}

// Start is when the interval that t lies in began, in UTC. Weeks begin on
// Monday.
func Start(i capture.Interval, t time.Time) time.Time {
	t = t.UTC()
	year, month, day := t.Date()
	switch i {
	case capture.ByMinute:
		return t.Truncate(time.Minute)
	case capture.ByHour:
		return t.Truncate(time.Hour)
	case capture.ByWeek:
		day -= (int(t.Weekday()) + 6) % 7
	case capture.ByMonth:
		day = 1
	}
	return time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
}

// Points is how many intervals a span touches; until is not part of it.
func Points(i capture.Interval, since, until time.Time) int {
	if !since.Before(until) {
		return 0
	}
	first, last := Start(i, since), Start(i, until.Add(-1))
	if i == capture.ByMonth {
		return (last.Year()-first.Year())*12 + int(last.Month()) - int(first.Month()) + 1
	}
	width := map[capture.Interval]int64{capture.ByMinute: 60, capture.ByHour: 3600, capture.ByDay: 24 * 3600, capture.ByWeek: 7 * 24 * 3600}[i]
	return int((last.Unix()-first.Unix())/width) + 1
}

// Finest is the finest interval of which up to 100 make the span, or months.
func Finest(since, until time.Time) capture.Interval {
	for _, i := range Intervals {
		if Points(i, since, until) <= 100 {
			return i
		}
	}
	return capture.ByMonth
}
