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
	now := time.Now()
	return later(now.Round(0), c.began.Round(0).Add(now.Sub(c.began)))
}

// later is the later of what the wall clock says and of what it said when it
// began plus the time that has passed since.
func later(wall, steady time.Time) time.Time {
	if steady.After(wall) {
		return steady
	}
	return wall
}
