package series

import (
	"encoding/binary"
	"errors"
	"slices"
	"time"

	"code.hooktape.dev/hooktape/capture"
)

// Histogram is how long answers took. The zero Histogram is empty.
//
// Its bins get wider as times get longer, from 1 µs to 10 min, 35 of them to
// every factor of ten: the middle of a bin is within 5 % of all that is in it,
// and their bounds are round numbers. Mean and Max are exact.
type Histogram struct {
	Sum  time.Duration    `cbor:"1,keyasint,omitempty"`
	Max  capture.Duration `cbor:"2,keyasint,omitempty"`
	Bins bins             `cbor:"3,keyasint,omitempty"`
}

// bounds are the upper bounds of all bins, which include them.
var bounds = func() (list []time.Duration) {
	for unit := 100 * time.Nanosecond; ; unit *= 10 {
		for n := time.Duration(10); n < 100; {
			list = append(list, n*unit)
			if n*unit == 10*time.Minute {
				return list
			}
			switch {
			case n < 20:
				n++
			case n < 50:
				n += 2
			default:
				n += 5
			}
		}
	}
}()

// bins are those in which something is, by ascending place.
type bins []bin

type bin struct {
	at uint64 // its place in bounds
	n  int64
}

// Add counts one time. Longer ones than 10 min are in the last bin.
func (h *Histogram) Add(d capture.Duration) {
	d = max(d, 0)
	at, _ := slices.BinarySearch(bounds, time.Duration(d))
	h.Sum += time.Duration(d)
	h.Max = max(h.Max, d)
	h.Bins.add(bin{uint64(min(at, len(bounds)-1)), 1})
}

func (h *Histogram) merge(other *Histogram) {
	h.Sum += other.Sum
	h.Max = max(h.Max, other.Max)
	for _, b := range other.Bins {
		h.Bins.add(b)
	}
}

// Count is how many times are in it.
func (h *Histogram) Count() (n int64) {
	for _, b := range h.Bins {
		n += b.n
	}
	return n
}

// Mean is the average, 0 of none.
func (h *Histogram) Mean() capture.Duration {
	if len(h.Bins) == 0 {
		return 0
	}
	return capture.Duration(int64(h.Sum) / h.Count())
}

// Quantile is the time within which the given part (0 to 1) of all answers
// came, and 0 of none. It is within 5 % of the truth, where that is between
// 1 µs and 10 min.
func (h *Histogram) Quantile(part float64) capture.Duration {
	left := part * float64(h.Count())
	for _, b := range h.Bins {
		if left -= float64(b.n); left <= 0 {
			return min(h.Max, middle(b.at))
		}
	}
	return h.Max
}

// middle is what the times of a bin are taken for.
func middle(at uint64) capture.Duration {
	if at == 0 {
		return capture.Duration(bounds[0])
	}
	return capture.Duration((bounds[at-1] + bounds[at]) / 2)
}

// Within is how many times were d or less. It is exact where d is the bound
// of a bin, as 1, 2 and 5 in every power of ten are.
func (h *Histogram) Within(d time.Duration) (n int64) {
	for _, b := range h.Bins {
		if bounds[b.at] <= d {
			n += b.n
		}
	}
	return n
}

func (l *bins) add(b bin) {
	i, there := slices.BinarySearchFunc(*l, b.at, func(b bin, at uint64) int { return int(b.at) - int(at) })
	if there {
		(*l)[i].n += b.n
		return
	}
	*l = slices.Insert(*l, i, b)
}

// MarshalBinary implements encoding.BinaryMarshaler: a bin's distance from
// the one before and its count, as uvarints.
func (l bins) MarshalBinary() (data []byte, err error) {
	before := uint64(0)
	for _, b := range l {
		data = binary.AppendUvarint(data, b.at-before)
		data = binary.AppendUvarint(data, uint64(b.n))
		before = b.at
	}
	return data, nil
}

// UnmarshalBinary implements encoding.BinaryUnmarshaler.
func (l *bins) UnmarshalBinary(data []byte) error {
	*l = nil
	for at := uint64(0); len(data) > 0; {
		step, n := binary.Uvarint(data)
		count, m := binary.Uvarint(data[max(n, 0):])
		if at += step; n <= 0 || m <= 0 || at >= uint64(len(bounds)) {
			return errors.New("not a histogram")
		}
		*l = append(*l, bin{at, int64(count)})
		data = data[n+m:]
	}
	return nil
}
