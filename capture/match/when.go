package match

import (
	"strings"
	"time"
)

// timeField is since (the bound is in) or before (it is not).
func timeField(since bool) func(*parser, *call) (*term, error) {
	return func(p *parser, c *call) (*term, error) {
		it := c.items[0]
		if len(c.items) > 1 {
			return nil, p.fail(span{c.items[1].pos, c.items[len(c.items)-1].end}, "", "%s: takes one time", c.name)
		}
		at, ok := ParseTime(it.text, p.now)
		if !ok || it.kind == expr {
			return nil, p.fail(it.span, c.name+":1h, "+c.name+":14:00, "+c.name+":2006-01-02 or RFC 3339", "%s does not know %q", c.name, clip(it.text, 40))
		}
		t := &term{
			text: c.name + ":" + at.Format(time.RFC3339Nano),
			test: func(in input) verdict { return is(in.row.Received.Before(at) != since) },
			got: func(in input) string {
				return "received " + in.row.Received.In(p.now.Location()).Format(time.RFC3339)
			},
		}
		if since {
			t.hints.since = at
		}
		return t, nil
	}
}

// ParseTime reads a span before now (90s, 36h, 7d), RFC 3339 or what people
// write of it, and a time of day that is past. It is in UTC, in which every time it takes can be written.
func ParseTime(s string, now time.Time) (t time.Time, ok bool) {
	if d, ok := parseDuration(s); ok {
		t = now.Add(-time.Duration(d)).UTC()
		return t, 0 < t.Year() && t.Year() < 10000
	}
	s = strings.Replace(strings.ToUpper(s), " ", "T", 1)
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02"} {
		if t, err := time.ParseInLocation(layout, s, now.Location()); err == nil {
			t = t.UTC()
			return t, 0 < t.Year() && t.Year() < 10000
		}
	}
	for _, layout := range []string{"15:04", "15:04:05"} {
		clock, err := time.Parse(layout, s)
		if err != nil {
			continue
		}
		at := func(day int) time.Time {
			return time.Date(now.Year(), now.Month(), day, clock.Hour(), clock.Minute(), clock.Second(), 0, now.Location())
		}
		if t = at(now.Day()); t.After(now) {
			t = at(now.Day() - 1)
		}
		return t.UTC(), true
	}
	return t, false
}
