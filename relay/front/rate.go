package front

import (
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/time/rate"
)

// Rate is how often something may happen. The zero Rate sets no limit.
type Rate struct {
	PerSecond float64
	Burst     int // at once, after a pause; at least 1
}

// ParseRate reads a number of times per second, minute or hour, and how many
// may come at once: "100/s", "600/m", "10/s+50". Without the last that is two
// seconds' worth, and 1 at least. "" and "0" set no limit.
func ParseRate(s string) (Rate, error) {
	if s == "" || s == "0" {
		return Rate{}, nil
	}
	wrong := fmt.Errorf("%q: want a whole number per s, m or h, as in 100/s or 600/m, with a burst as in 10/s+50, or 0 for no limit", s)
	text, burst, bursts := strings.Cut(s, "+")
	count, unit, _ := strings.Cut(text, "/")
	seconds := map[string]float64{"s": 1, "m": 60, "h": 3600}[unit]
	n, ok := times(count)
	if !ok || seconds == 0 {
		return Rate{}, wrong
	}
	r := Rate{PerSecond: float64(n) / seconds}
	r.Burst = max(1, int(2*r.PerSecond))
	if bursts {
		if r.Burst, ok = times(burst); !ok {
			return Rate{}, wrong
		}
	}
	return r, nil
}

// times reads a number from 1 to a thousand million.
func times(s string) (int, bool) {
	n, err := strconv.ParseUint(s, 10, 31)
	return int(n), err == nil && n >= 1 && n <= 1e9
}

func (r Rate) bucket() *rate.Limiter { return rate.NewLimiter(rate.Limit(r.PerSecond), r.Burst) }
