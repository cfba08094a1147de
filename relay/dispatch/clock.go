package dispatch

import (
	"sync"
	"time"
)

// clock tells the time by which attempts are due. It is the wall clock's, but
// for this: when that is set back, it goes on as if it had not been, or all
// that waits would wait so much longer. A machine that sleeps or is set
// forward makes things due that would have been meanwhile.
type clock struct {
	once  sync.Once
	began time.Time // with its monotonic reading
}

func (c *clock) now() time.Time {
	c.once.Do(func() { c.began = time.Now() })
	return later(c.began, time.Now())
}

// later is the later of what the wall clock says now and what it said when it
// began plus the time that has passed since.
func later(began, now time.Time) time.Time {
	wall, steady := now.Round(0), began.Round(0).Add(now.Sub(began))
	if steady.After(wall) {
		return steady
	}
	return wall
}
